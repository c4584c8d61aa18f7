"""A few brushes for the example pictures: soft masks, shading from a height map, strands of hair."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

CANVAS = 768
"""Side of the square on which everything is painted, in pixels; three times that of the saved pictures."""

_AXIS = (np.arange(CANVAS) + 0.5) * 2 / CANVAS - 1
X, Y = np.meshgrid(_AXIS, _AXIS)
"""Coordinates of every pixel, -1 to 1, x to the right and y downwards."""


def colour(code: str) -> np.ndarray:
    """ "#rrggbb" as three numbers from 0 to 1."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def smooth(points: list[tuple[float, float]], closed: bool = True, steps: int = 24) -> np.ndarray:
    """A Catmull-Rom curve through points: (n, 2)."""
    p = np.array(points, dtype=float)
    p = np.vstack([p[-1], p, p[0], p[1]]) if closed else np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.vstack(pieces if closed else [*pieces, p[-2:-1]])


def mirrored(half: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A closed outline from its right half, top to bottom; points on the axis are not doubled."""
    return half + [(-x, y) for x, y in reversed(half) if x > 1e-6]


def blur(field: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of a (CANVAS, CANVAS) field; ``sigma`` in canvas units (the canvas is 2 wide)."""
    pad = CANVAS // 4
    padded = np.pad(field, pad, mode="edge")
    n = len(padded)
    frequency = np.fft.fftfreq(n)[:, None] ** 2 + np.fft.rfftfreq(n)[None] ** 2
    gain = np.exp(-2 * (np.pi * sigma * CANVAS / 2) ** 2 * frequency)
    return np.fft.irfft2(np.fft.rfft2(padded) * gain, s=padded.shape)[pad:-pad, pad:-pad]


def fill(points: np.ndarray | list, softness: float = 0.003) -> np.ndarray:
    """A mask, 0 to 1, of the inside of a polygon, its edge as soft as asked."""
    image = Image.new("L", (CANVAS, CANVAS))
    pixels = [tuple((np.asarray(p) + 1) * CANVAS / 2) for p in points]
    ImageDraw.Draw(image).polygon(pixels, fill=255)
    return np.clip(blur(np.asarray(image) / 255.0, softness), 0, 1)


def line(points: np.ndarray | list, width: float, softness: float = 0.004) -> np.ndarray:
    """A mask of a stroke along points, tapered at both ends."""
    image = Image.new("L", (CANVAS, CANVAS))
    draw = ImageDraw.Draw(image)
    points = np.asarray(points)
    for index, (x, y) in enumerate(points):
        r = width * CANVAS / 4 * (0.25 + 0.75 * np.sin(np.pi * index / max(1, len(points) - 1)))
        x, y = (x + 1) * CANVAS / 2, (y + 1) * CANVAS / 2
        draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return np.clip(blur(np.asarray(image) / 255.0, softness), 0, 1)


def spot(x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> np.ndarray:
    """A Gaussian bump of height 1; ``angle`` in degrees, clockwise."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    u, v = (X - x) * c + (Y - y) * s, (Y - y) * c - (X - x) * s
    return np.exp(-0.5 * ((u / rx) ** 2 + (v / ry) ** 2))


def both(x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> np.ndarray:
    """A bump on the right and its mirror image on the left."""
    return spot(x, y, rx, ry, angle) + spot(-x, y, rx, ry, -angle)


def light(height: np.ndarray, direction: tuple[float, float, float], strength: float = 1.0) -> np.ndarray:
    """Lambert's cosine of a height map under a light: 1 where it shines straight on, 0 in the dark."""
    dy, dx = np.gradient(height, 2 / CANVAS)
    normal = np.stack([-dx * strength, -dy * strength, np.ones_like(dx)])
    toward = np.array(direction) / np.linalg.norm(direction)
    return np.clip((normal * toward[:, None, None]).sum(0) / np.linalg.norm(normal, axis=0), 0, 1)


def over(base: np.ndarray, paint: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Paint (H, W, 3), or one colour, over a picture where the mask says."""
    return base + (paint - base) * mask[..., None]


def noise(rng: np.random.Generator, sigma: float) -> np.ndarray:
    """Smooth noise of mean 0 and standard deviation 1."""
    field = blur(rng.standard_normal((CANVAS, CANVAS)), sigma)
    return (field - field.mean()) / field.std()


def strands(
    rng: np.random.Generator,
    paths: list[np.ndarray],
    base: np.ndarray,
    spread: float,
    width: tuple[float, float] = (1.0, 3.5),
    shine: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Hair: (picture, mask) of many strokes, each a shade of its own, brighter where ``shine`` is.

    Later strokes lie over earlier ones.
    """
    image = Image.new("RGBA", (CANVAS, CANVAS), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for path in paths:
        shade = np.clip(base * np.exp(spread * rng.standard_normal()), 0, 1)
        fill_colour = tuple(int(255 * value) for value in shade)
        pixels = [tuple(p) for p in (path + 1) * CANVAS / 2]
        draw.line(pixels, fill=(*fill_colour, 255), width=max(1, round(rng.uniform(*width))), joint="curve")
    array = np.asarray(image) / 255.0
    mask = blur(array[..., 3], 0.004)
    weight = np.maximum(mask, 1e-3)
    paint = (
        np.stack([blur(array[..., c] * array[..., 3], 0.003) for c in range(3)], axis=-1) / weight[..., None]
    )
    if shine is not None:
        paint = paint * (1 + shine[..., None])
    return np.clip(paint, 0, 1), np.clip(mask * 1.3, 0, 1)
