"""Pictures of toy runs by Pillow alone, in any colours: panels of points, densities, lines and curves, one run or a race."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..errors import ConfigError, PictureError
from ..pictures.animation import Tick, animation_bytes
from .film_frames import CurvePoint, FilmFrame, Scene

__all__ = [
    "DARK", "MAX_RACE", "PANEL", "Look", "Painter", "check_film", "compose", "curves_picture", "film_bytes", "heat_picture",
    "page_size", "points_picture", "race_picture",
]  # fmt: skip

PANEL = 256
MAX_RACE = 4
MAX_FPS = 50.0
"""Faster ones are no GIF's."""
REST_S = 1.0
"""How long an animation's last picture stands."""
MAX_BYTES = 500_000_000
"""The pictures of an animation, which are held all at once, must fit this."""
_DRAWING = 0.5  # the share of drawing in the work on an animation, which encoding shares
_GAP, _HEADER = 16, 28
_OVER = 3  # drawn this much larger, then reduced: Pillow's lines and dots have no smooth edges
Color = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """Colours as (red, green, blue), 0 to 255 each."""

    paper: Color = (23, 24, 27)
    panel: Color = (17, 18, 20)
    line: Color = (46, 48, 52)
    text: Color = (233, 234, 236)
    muted: Color = (159, 163, 169)
    data: Color = (230, 159, 0)
    model: Color = (86, 180, 233)
    prior: Color = (204, 121, 167)
    good: Color = (0, 158, 115)

    @classmethod
    def of(cls, **colors: str) -> Look:
        """A look of "#rrggbb" texts.

        Raises:
            ConfigError: for a name that is none of a look's, or a text that is no colour.
        """
        known = {field.name for field in fields(cls)}
        found = {}
        for name, text in colors.items():
            digits = text.removeprefix("#") if isinstance(text, str) else ""
            if name not in known or len(digits) != 6 or not set(digits.lower()) <= set("0123456789abcdef"):
                raise ConfigError(f"A picture's colour {name} cannot be {text!r}.")
            found[name] = tuple(int(digits[place : place + 2], 16) for place in (0, 2, 4))
        return cls(**found)

    @property
    def is_light(self) -> bool:
        """Dark ink on light paper."""
        return sum(self.panel) > 3 * 128

    @property
    def runs(self) -> tuple[Color, ...]:
        """Of up to four runs beside each other."""
        return self.model, self.data, self.prior, self.good


DARK = Look()

# Magma (van der Walt and Smith, CC0) at nine evenly spaced places: perceptually uniform.
_MAGMA = np.array([
    (0, 0, 4), (29, 17, 71), (81, 18, 124), (131, 38, 129), (183, 55, 121), (230, 82, 98), (251, 136, 97),
    (254, 194, 135), (252, 253, 191),
], dtype=np.float64)  # fmt: skip
# CET-L17 (Kovesi, CC BY 4.0), the same for light paper: white where there is nothing.
_PAPER_MAP = np.array([
    (255, 255, 255), (247, 243, 210), (243, 228, 175), (242, 211, 150), (244, 193, 131), (245, 173, 117), (245, 153, 107),
    (244, 132, 104), (239, 111, 105), (233, 91, 109), (223, 70, 116), (208, 51, 125), (189, 34, 135), (165, 25, 145),
    (133, 29, 154), (92, 36, 162), (0, 42, 168),
], dtype=np.float64)  # fmt: skip


def heat_picture(heat: np.ndarray, top: float, side: int = PANEL, look: Look = DARK) -> np.ndarray:
    """A density's √p (rows from the lowest y), 0 to ``top``, in magma, or its like on light paper: (side, side, 3) uint8."""
    colors = _PAPER_MAP if look.is_light else _MAGMA
    level = Image.fromarray(np.clip(heat[::-1] / top, 0, 1).astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)
    place = np.clip(np.asarray(level), 0, 1) * (len(colors) - 1)
    low = np.minimum(place.astype(int), len(colors) - 2)
    part = (place - low)[..., None]
    return np.rint(colors[low] * (1 - part) + colors[low + 1] * part).astype(np.uint8)


def points_picture(
    clouds: Sequence[tuple[np.ndarray, Color]], reach: float, lines: np.ndarray | None = None, side: int = PANEL,
    look: Look = DARK,
) -> np.ndarray:
    """Clouds of (n, 2) points in their colours, or lines (m, k, 2) in the prior's, over the square ±reach."""
    big = side * _OVER
    image = Image.new("RGB", (big, big), look.panel)
    pen = ImageDraw.Draw(image, "RGBA")
    radius = 3.2 * side / PANEL

    def place(points: np.ndarray) -> np.ndarray:
        finite = np.nan_to_num(np.asarray(points, np.float64), nan=1e6, posinf=1e6, neginf=-1e6)
        return np.clip((finite * (1, -1) / reach + 1) / 2 * big, -big, 2 * big)

    for points, color in clouds:
        for x, y in place(points).tolist():
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*color, 215))
    for line in lines if lines is not None else ():
        pen.line([tuple(point) for point in place(line).tolist()], fill=(*look.prior, 190), width=3, joint="curve")
    return np.asarray(image.resize((side, side), Image.Resampling.LANCZOS))


def curves_picture(
    curves: Sequence[Sequence[CurvePoint]], entropy: float | None, last: int, size: tuple[int, int] = (PANEL, PANEL),
    look: Look = DARK, colors: Sequence[Color] | None = None,
) -> np.ndarray:
    """Held-out losses over the steps 0 to ``last`` with the entropy as a dashed line: (height, width, 3) uint8.

    The axis of the loss is the same for every moment of a run: from just below the entropy to 1.2 nats above it, where a
    curve enters from above. Without an entropy it runs from the least to the largest loss.
    """
    width, height = (side * _OVER for side in size)
    colors = colors or (look.model, *look.runs[1:])
    values = [point.nll for curve in curves for point in curve if math.isfinite(point.nll)]
    low, high = (entropy - 0.12, entropy + 1.2) if entropy is not None else _span(values)
    image = Image.new("RGB", (width, height), look.panel)
    pen = ImageDraw.Draw(image, "RGBA")
    edge = 10 * _OVER

    def place(step: float, nll: float) -> tuple[float, float]:
        x = edge + (width - 2 * edge) * step / max(1, last)
        return x, edge + (height - 2 * edge) * (high - nll) / (high - low)

    if entropy is not None:
        y = place(0, entropy)[1]
        for x in range(edge, width - edge, 8 * _OVER):
            pen.line((x, y, min(x + 4 * _OVER, width - edge), y), fill=(*look.muted, 255), width=_OVER)
    for curve, color in zip(curves, colors, strict=False):
        shown = [place(point.step, min(point.nll, high + 2.0)) for point in curve if math.isfinite(point.nll)]
        if len(shown) > 1:
            pen.line(shown, fill=(*color, 255), width=2 * _OVER, joint="curve")
        if shown:
            x, y = shown[-1]
            radius = 3 * _OVER
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*color, 255))
    if entropy is not None:
        y = place(0, entropy)[1]
        words = f"entropy {entropy:.3f}"
        pen.text((edge, y + 1 * _OVER), words, fill=look.muted, font=_font(11 * _OVER))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def compose(
    panels: Sequence[tuple[str, np.ndarray]], title: str, columns: int = 0, look: Look = DARK, note: str = ""
) -> np.ndarray:
    """Titled panels on a page, under one line of words and, where given, a second one: (H, W, 3) uint8."""
    columns = columns or len(panels)
    rows = -(-len(panels) // columns)
    side = panels[0][1].shape[0]
    top = (44 if title else _GAP // 2) + (20 if note else 0)
    page = Image.new(
        "RGB", (_GAP + columns * (side + _GAP), top + rows * (side + _HEADER + _GAP // 2) + _GAP // 2), look.paper
    )
    pen = ImageDraw.Draw(page)
    room = page.width - 2 * _GAP
    if title:
        pen.text((_GAP, 16), _fitted(title, 15, room), fill=look.text, font=_font(15))
    if note:
        pen.text((_GAP, 38), _fitted(note, 13, room), fill=look.muted, font=_font(13))
    for number, (name, pixels) in enumerate(panels):
        x = _GAP + number % columns * (side + _GAP)
        y = top + number // columns * (side + _HEADER + _GAP // 2)
        pen.text((x, y + 7), _fitted(name, 13, side), fill=look.muted, font=_font(13))
        page.paste(Image.fromarray(pixels), (x, y + _HEADER))
    return np.asarray(page)


def page_size(side: int = PANEL) -> tuple[int, int]:
    """(width, height) of a :class:`Painter`'s pictures, in pixels."""
    return _GAP + 3 * (side + _GAP), 64 + 2 * (side + _HEADER + _GAP // 2) + _GAP // 2


class Painter:
    """Pictures of one run's moments, all of :func:`page_size`: the six panels of the toy lab."""

    def __init__(self, scene: Scene, last: int, side: int = PANEL, look: Look = DARK) -> None:
        self.scene, self.last, self.side, self.look = scene, last, side, look

    @cached_property
    def _truth(self) -> np.ndarray:
        return heat_picture(self.scene.truth, self._top, self.side, self.look)

    @property
    def _top(self) -> float:
        return float(self.scene.truth.max()) or 1.0

    def picture(self, shot: FilmFrame, curve: Sequence[CurvePoint]) -> np.ndarray:
        """One moment, with the curve up to there: (H, W, 3) uint8."""
        scene, look, side = self.scene, self.look, self.side
        points = [(scene.data, _mixed(look.data, look.panel)), (shot.samples, look.model)]
        panels = [
            ("Samples", points_picture(points, scene.reach, side=side, look=look)),
            ("Density of the model", heat_picture(shot.heat, self._top, side, look)),
            ("The density itself" if scene.entropy is not None else "The data, smoothed", self._truth),
            ("Where f sends the data", points_picture([(shot.prior, look.data)], scene.reach, side=side, look=look)),
            ("Warped grid", points_picture([], scene.reach, shot.grid, side, look)),
            (_loss_words(shot.point), curves_picture([curve], scene.entropy, self.last, (side, side), look)),
        ]
        return compose(panels, f"{scene.title}    step {shot.point.step:,}", 3, look, scene.about)


def check_film(frames: int, side: int) -> None:
    """Raises PictureError, in a sentence, where so many pictures with panels of that side are too much for the memory."""
    width, height = page_size(side)
    if frames * width * height * 3 > MAX_BYTES:
        raise PictureError(
            f"{frames:,} pictures of {width}×{height} are too much for one animation: choose a smaller size, or fewer pictures."
        )


def film_bytes(
    suffix: str, scene: Scene, shots: Sequence[FilmFrame], seconds: float, side: int = PANEL, look: Look = DARK,
    recipe: dict | None = None, tick: Tick = lambda _share: None,
) -> bytes:
    """A training as a GIF, WebP or MP4 that lasts ``seconds``; the last picture stands for a second more.

    ``tick`` is told how much of 1 is done; what it raises ends the work.

    Raises:
        PictureError: without shots or with too many, for another suffix, or where PyAV is missing.
    """
    if not shots:
        raise PictureError("An animation of a training needs at least one moment of it.")
    check_film(len(shots), side)
    painter = Painter(scene, shots[-1].point.step, side, look)
    frames, curve = [], []
    for index, shot in enumerate(shots):
        tick(_DRAWING * index / len(shots))
        curve.append(shot.point)
        frames.append(painter.picture(shot, curve))
    fps = min(MAX_FPS, len(frames) / seconds)
    frames += frames[-1:] * round(REST_S * fps)
    return animation_bytes(suffix, frames, recipe, fps=fps, tick=lambda share: tick(_DRAWING + (1 - _DRAWING) * share))


def race_picture(
    scenes: Sequence[Scene], shots: Sequence[FilmFrame], curves: Sequence[Sequence[CurvePoint]], last: int, side: int = PANEL,
    look: Look = DARK, title: str = "",
) -> np.ndarray:
    """One to four runs side by side at one moment: samples, density, and below them all their losses on one axis.

    Raises:
        ConfigError: for another number of runs, or fewer scenes or curves than shots.
    """
    if not 1 <= len(shots) <= MAX_RACE or not len(scenes) == len(shots) == len(curves):
        raise ConfigError(f"A race has one to {MAX_RACE} runs, each with its scene and its curve.")
    top, rows = [], []
    for scene, shot, color in zip(scenes, shots, look.runs, strict=False):
        clouds = [(scene.data, _mixed(look.muted, look.panel)), (shot.samples, color)]
        gap = f", {shot.point.nll - scene.entropy:+.3f} nat" if scene.entropy is not None else f", {shot.point.nll:.3f} nat"
        top.append((scene.about, points_picture(clouds, scene.reach, side=side, look=look)))
        rows.append((f"step {shot.point.step:,}{gap}", heat_picture(shot.heat, float(scene.truth.max()) or 1.0, side, look)))
    page = compose([*top, *rows], title or scenes[0].title, len(shots), look)
    width = page.shape[1] - 2 * _GAP
    below = curves_picture(curves, scenes[0].entropy, last, (width, max(96, side // 2)), look, look.runs)
    foot = np.empty((below.shape[0] + _GAP, page.shape[1], 3), np.uint8)
    foot[...] = look.paper
    foot[: below.shape[0], _GAP : _GAP + width] = below
    return np.concatenate([page, foot])


def _loss_words(point: CurvePoint) -> str:
    return f"Held-out loss {point.nll:.3f} ± {point.standard_error:.3f} nat"


def _span(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    margin = max(0.05, 0.1 * (high - low))
    return low - margin, high + margin


def _mixed(color: Color, other: Color, share: float = 0.6) -> Color:
    return tuple(round(a * (1 - share) + b * share) for a, b in zip(color, other, strict=True))  # type: ignore[return-value]


def _fitted(words: str, size: int, room: int) -> str:
    """The words, shortened where they would not fit into so many pixels."""
    font = _font(size)
    if font.getlength(words) <= room:
        return words
    while words and font.getlength(words + "…") > room:
        words = words[:-1]
    return words.rstrip() + "…"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
