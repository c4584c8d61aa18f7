"""A toy run as a picture, by Pillow alone: data, samples, density, where f sends the data, warped grid."""
from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .card import SYSTEM_NAMES
from .toy import ToyTrainer
from .toy_frames import ToyFrames, true_heat

__all__ = ["PANEL", "compose", "draw", "heat_picture", "points_picture", "sheet"]

PANEL = 256
_GAP, _HEADER = 16, 28
_OVER = 3  # drawn this much larger, then reduced: Pillow's lines and dots have no smooth edges
_PAPER, _PANEL, _TEXT, _MUTED = (23, 24, 27), (17, 18, 20), (233, 234, 236), (159, 163, 169)
_DATA, _MODEL, _PRIOR = (230, 159, 0), (86, 180, 233), (204, 121, 167)

# Magma (van der Walt and Smith, CC0) at nine evenly spaced places: perceptually uniform.
_MAGMA = np.array([
    (0, 0, 4), (29, 17, 71), (81, 18, 124), (131, 38, 129), (183, 55, 121), (230, 82, 98), (251, 136, 97),
    (254, 194, 135), (252, 253, 191),
], dtype=np.float64)  # fmt: skip


def heat_picture(heat: np.ndarray, top: float, side: int = PANEL) -> np.ndarray:
    """A density's √p (rows from the lowest y), 0 to ``top``, in magma: (side, side, 3) uint8."""
    level = Image.fromarray(np.clip(heat[::-1] / top, 0, 1).astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)
    place = np.clip(np.asarray(level), 0, 1) * (len(_MAGMA) - 1)
    low = np.minimum(place.astype(int), len(_MAGMA) - 2)
    part = (place - low)[..., None]
    return np.rint(_MAGMA[low] * (1 - part) + _MAGMA[low + 1] * part).astype(np.uint8)


def points_picture(
    clouds: list[tuple[np.ndarray, tuple[int, int, int]]], reach: float, lines: np.ndarray | None = None, side: int = PANEL
) -> np.ndarray:
    """Clouds of (n, 2) points in their colours, or lines (m, k, 2) in the prior's, over the square ±reach."""
    big = side * _OVER
    image = Image.new("RGB", (big, big), _PANEL)
    pen = ImageDraw.Draw(image, "RGBA")

    def place(points: np.ndarray) -> np.ndarray:
        return np.clip((np.asarray(points) * (1, -1) / reach + 1) / 2 * big, -big, 2 * big)

    for points, color in clouds:
        for x, y in place(points):
            pen.ellipse((x - 3.2, y - 3.2, x + 3.2, y + 3.2), fill=(*color, 215))
    for line in lines if lines is not None else ():
        pen.line([tuple(point) for point in place(line).tolist()], fill=(*_PRIOR, 190), width=3, joint="curve")
    return np.asarray(image.resize((side, side), Image.Resampling.LANCZOS))


def compose(panels: list[tuple[str, np.ndarray]], title: str, columns: int = 0) -> np.ndarray:
    """Titled panels on a dark page, under one line of words: (H, W, 3) uint8."""
    columns = columns or len(panels)
    rows = -(-len(panels) // columns)
    side = panels[0][1].shape[0]
    top = 44 if title else _GAP // 2
    page = Image.new(
        "RGB", (_GAP + columns * (side + _GAP), top + rows * (side + _HEADER + _GAP // 2) + _GAP // 2), _PAPER
    )
    pen = ImageDraw.Draw(page)
    if title:
        pen.text((_GAP, 16), title, fill=_TEXT, font=_font(15))
    for number, (name, pixels) in enumerate(panels):
        x = _GAP + number % columns * (side + _GAP)
        y = top + number // columns * (side + _HEADER + _GAP // 2)
        pen.text((x, y + 7), name, fill=_MUTED, font=_font(13))
        page.paste(Image.fromarray(pixels), (x, y + _HEADER))
    return np.asarray(page)


def draw(trainer: ToyTrainer) -> np.ndarray:
    """Five panels of a run as it is now: (H, W, 3) uint8."""
    frames, loss, config = ToyFrames(trainer), trainer.held_out(), trainer.config
    samples, grid = frames.samples_and_grid()
    reach = trainer.density.bounds[1]
    top = float((true_heat(config.density, 128, config.target) if trainer.density.known else frames.heat(128)).max())
    panels = [
        ("Data", points_picture([(frames.data, _DATA)], reach)),
        ("Samples", points_picture([(samples, _MODEL)], reach)),
        ("Density of the model", heat_picture(frames.heat(128), top)),
        ("Where f sends the data", points_picture([(frames.prior(), _DATA)], reach)),
        ("Warped grid", points_picture([], reach, grid)),
    ]
    flow = SYSTEM_NAMES[config.flow if config.layers is None else "stack"]
    title = (
        f"{trainer.density.title}    {flow}, {config.stages} layers of {config.width}, step {trainer.step_count:,}    "
        f"held-out loss {loss.nll:.3f} ± {loss.standard_error:.3f} nat"
        + (f", entropy {trainer.density.entropy:.3f} nat" if trainer.density.known else "")
    )
    return compose(panels, title)


def sheet(trainers: list[ToyTrainer]) -> np.ndarray:
    """A row of true density, model density and samples for every trainer, two trainers a row: (H, W, 3) uint8."""
    panels = []
    for trainer in trainers:
        frames, loss = ToyFrames(trainer), trainer.held_out()
        truth = true_heat(trainer.config.density, 128)
        top = float(truth.max())
        gap = loss.nll - trainer.density.entropy
        panels += [
            (f"{trainer.density.title}: the density", heat_picture(truth, top, 180)),
            (f"model, {gap:+.3f} nat", heat_picture(frames.heat(128), top, 180)),
            ("samples", points_picture([(frames.samples(), _MODEL)], trainer.density.bounds[1], side=180)),
        ]
    return compose(panels, "", columns=6)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
