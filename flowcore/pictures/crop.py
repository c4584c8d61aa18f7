"""The crop of a picture that a model sees: where its window lies, and the exact bytes that come out of it."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, fields, replace

import numpy as np
from PIL import Image, ImageColor

from ..errors import ConfigError, PictureError
from ..fields import check, flag, number, other, shown
from .images import Picture

__all__ = ["MAX_ZOOM", "MIN_ZOOM", "Crop", "apply_crop", "crop_corners", "crop_for_eyes", "crop_size", "points_of_targets"]

MIN_ZOOM, MAX_ZOOM = 0.25, 64.0
MAX_ANGLE = 1e9

# Of a turned crop, this many times more pixels each way are sampled than the model sees, then averaged.
_OVERSAMPLING = 4


def _colour(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ConfigError(f"A crop's background must be a colour like #ffffff, not {shown(value)}.")
    return value


@dataclass(frozen=True)
class Crop:
    """A square (or model-shaped) window on a picture.

    ``center_x``, ``center_y`` are fractions of the picture's width and height; at ``zoom`` 1 the window is
    the largest that fits the upright picture, at 2 half as wide; ``angle`` turns the window clockwise, in
    degrees, about its centre. What lies outside the picture, and what shows through it, is ``background``
    ("#rrggbb"). Where ``aligned``, the edges of a window that is not turned stand on whole pixels, so that a
    crop of just the model's size copies bytes and resamples nothing.
    """

    center_x: float = number(0.5, -1.0, 2.0, called="center_x")
    center_y: float = number(0.5, -1.0, 2.0, called="center_y")
    zoom: float = number(1.0, MIN_ZOOM, MAX_ZOOM)
    angle: float = number(0.0, -MAX_ANGLE, MAX_ANGLE)
    background: str = other("#ffffff", _colour)
    aligned: bool = flag(True)

    def __post_init__(self) -> None:
        try:
            check(self, "A crop's")
        except ConfigError as error:
            raise PictureError(str(error)) from None
        for name in ("center_x", "center_y", "zoom", "angle"):
            object.__setattr__(self, name, float(getattr(self, name)))

    def to_dict(self) -> dict:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Crop:
        """The crop that :meth:`to_dict` wrote; what is missing takes its default.

        Raises:
            PictureError: for anything that is not a crop's values.
        """
        if not isinstance(values, dict):
            raise PictureError("A crop must be a JSON object with its centre, zoom and angle.")
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise PictureError(f"A crop has no {shown(sorted(map(str, unknown))[0])}.")
        return cls(**values)

    def clamped(self, picture: Picture, height: int = 1, width: int = 1) -> Crop:
        """The nearest crop whose window, were it not turned, stays on the picture (centred where it is
        larger)."""
        w, h = crop_size(picture, self, height, width)
        x = _clamp_center(self.center_x, w / picture.width)
        y = _clamp_center(self.center_y, h / picture.height)
        return replace(self, center_x=x, center_y=y)


def _clamp_center(center: float, share: float) -> float:
    half = share / 2
    return 0.5 if half >= 0.5 else min(max(center, half), 1 - half)


def crop_size(picture: Picture, crop: Crop, height: int = 1, width: int = 1) -> tuple[float, float]:
    """The window's (width, height) in the picture's pixels, for a model of ``height`` × ``width``."""
    scale = min(picture.width / width, picture.height / height) / crop.zoom
    w, h = width * scale, height * scale
    if crop.aligned and crop.angle % 360 == 0:
        w, h = max(1.0, float(round(w))), max(1.0, float(round(h)))
    return w, h


def crop_corners(picture: Picture, crop: Crop, height: int = 1, width: int = 1) -> np.ndarray:
    """The window's corners in the picture's pixels, (4, 2) float64 of x, y.

    In the order in which the model sees them: top left, top right, bottom right, bottom left.
    """
    w, h = crop_size(picture, crop, height, width)
    x, y = crop.center_x * picture.width, crop.center_y * picture.height
    if crop.angle % 360 == 0:
        left, top = x - w / 2, y - h / 2
        if crop.aligned:
            left, top = float(round(left)), float(round(top))
        return np.array([(left, top), (left + w, top), (left + w, top + h), (left, top + h)])
    cos, sin = math.cos(math.radians(crop.angle)), math.sin(math.radians(crop.angle))
    offsets = np.array([(-w, -h), (w, -h), (w, h), (-w, h)]) / 2
    # y points down, so this matrix turns clockwise on the screen
    return offsets @ np.array([(cos, sin), (-sin, cos)]) + (x, y)


Point = tuple[float, float]


def crop_for_eyes(
    left: Point, right: Point, targets: tuple[Point, Point], size: tuple[int, int], model: tuple[int, int] = (1, 1),
    background: str = "#ffffff",
) -> Crop:
    """The crop in which two points of a picture come where a model's training data has them.

    The one similarity (turn, zoom, shift) that takes ``left`` and ``right``, in the picture's pixels, to ``targets``, shares
    of the width and height of what the model sees. ``size`` is the picture's (width, height), ``model`` the model's (height,
    width). Where the zoom would leave a crop's limits the nearest one is taken and the middle between the points stays in
    its place; so does the centre stay on the picture or near it.

    Raises:
        PictureError: where both points are one, or are no finite numbers.
    """
    width, height = size
    (x0, y0), (x1, y1) = left, right
    (u0, v0), (u1, v1) = targets
    values = np.array([x0, y0, x1, y1, u0, v0, u1, v1], np.float64)
    if not np.isfinite(values).all() or math.hypot(x1 - x0, y1 - y0) < 1e-6 or math.hypot(u1 - u0, v1 - v0) < 1e-6:
        raise PictureError("The two eyes must be two different points of the picture.")
    rows, columns = model
    # Both spans as complex numbers, the window's in the model's pixels: their quotient is the zoom and the turn.
    span = complex(x1 - x0, y1 - y0) / complex((u1 - u0) * columns, (v1 - v0) * rows)
    zoom = min(max(min(width / columns, height / rows) / abs(span), MIN_ZOOM), MAX_ZOOM)
    scale = min(width / columns, height / rows) / zoom
    turn = math.atan2(span.imag, span.real)
    middle = complex(((u0 + u1) / 2 - 0.5) * columns, ((v0 + v1) / 2 - 0.5) * rows)
    centre = complex((x0 + x1) / 2, (y0 + y1) / 2) - scale * complex(math.cos(turn), math.sin(turn)) * middle
    return Crop(
        center_x=min(max(centre.real / width, -1.0), 2.0), center_y=min(max(centre.imag / height, -1.0), 2.0),
        zoom=zoom, angle=math.degrees(turn), background=background, aligned=False,
    )  # fmt: skip


def points_of_targets(picture: Picture, crop: Crop, targets: tuple[Point, Point], height: int, width: int) -> tuple[Point, Point]:
    """Where in the picture, in its pixels, the model sees these shares of its width and height: the inverse of the above."""
    top_left, top_right, _, bottom_left = crop_corners(picture, crop, height, width)
    points = [top_left + u * (top_right - top_left) + v * (bottom_left - top_left) for u, v in targets]
    return (float(points[0][0]), float(points[0][1])), (float(points[1][0]), float(points[1][1]))


def apply_crop(picture: Picture, crop: Crop, height: int, width: int, channels: int) -> np.ndarray:
    """What the model sees of a picture: uint8 (height, width, channels), antialiased.

    One channel is ITU-R 601 luma, three are RGB. The same picture and crop give the same bytes, always.

    Raises:
        PictureError: for channels other than 1 or 3, or an empty size.
    """
    if channels not in (1, 3):
        raise PictureError(f"A picture can be given to a model of 1 or 3 channels, not of {channels}.")
    if height < 1 or width < 1:
        raise PictureError(f"A model cannot see {width}×{height} pixels.")
    corners = crop_corners(picture, crop, height, width)
    inside = (corners >= -1e-9).all() and (corners <= np.array([picture.width, picture.height]) + 1e-9).all()
    if crop.angle % 360 == 0 and inside:
        image = _straight(picture, corners, crop.background, height, width)
    else:
        image = _turned(picture, corners, crop.background, height, width)
    image = image.convert("L" if channels == 1 else "RGB")
    return np.array(image, dtype=np.uint8).reshape(height, width, channels)


def _straight(picture: Picture, corners: np.ndarray, background: str, height: int, width: int) -> Image.Image:
    left, top, right, bottom = *corners[0], *corners[2]
    scale = max((right - left) / width, (bottom - top) / height)
    image, (x, y) = _region(picture, (left, top, right, bottom), scale, background)
    box = (max(0.0, left - x), max(0.0, top - y), min(image.width, right - x), min(image.height, bottom - y))
    return _resize(image, width, height, box)


def _turned(picture: Picture, corners: np.ndarray, background: str, height: int, width: int) -> Image.Image:
    """A window that is turned, or reaches over the picture's edge."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    colour = ImageColor.getrgb(background)
    if high[0] <= 0 or high[1] <= 0 or low[0] >= picture.width or low[1] >= picture.height:
        return Image.new("RGB", (width, height), colour)
    # First to about the density that is sampled (averaging, so nothing aliases), then turned, then averaged again
    dense = (width * _OVERSAMPLING, height * _OVERSAMPLING)
    density = float(np.hypot(*(corners[1] - corners[0]))) / dense[0]
    image, origin = _region(picture, (*low, *high), density, background)
    corners = corners - origin
    if density > 1.0:
        size = (max(1, round(image.width / density)), max(1, round(image.height / density)))
        corners = corners * (size[0] / image.width, size[1] / image.height)
        image = _resize(image, *size, (0, 0, image.width, image.height))
    across, down = (corners[1] - corners[0]) / dense[0], (corners[3] - corners[0]) / dense[1]
    matrix = (across[0], down[0], corners[0][0], across[1], down[1], corners[0][1])
    image = image.transform(
        dense, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=colour
    )  # fmt: skip
    return image.resize((width, height), Image.Resampling.BOX)


def _region(
    picture: Picture, box: tuple[float, float, float, float], scale: float, background: str
) -> tuple[Image.Image, tuple[int, int]]:
    """The part of a picture around a box, as RGB over the background, and where that part begins.

    ``scale`` is how many of the picture's pixels become one: Lanczos reaches three of those further.
    """
    left, top, right, bottom = box
    margin = 2 + 3 * max(1.0, scale)
    x0, y0 = max(0, math.floor(left - margin)), max(0, math.floor(top - margin))
    x1, y1 = min(picture.width, math.ceil(right + margin)), min(picture.height, math.ceil(bottom + margin))
    pixels = np.ascontiguousarray(picture.pixels[y0:y1, x0:x1])
    image = Image.fromarray(pixels)
    if picture.opaque:
        return image.convert("RGB"), (x0, y0)
    base = Image.new("RGBA", image.size, (*ImageColor.getrgb(background), 255))
    return Image.alpha_composite(base, image).convert("RGB"), (x0, y0)


def _resize(
    image: Image.Image, width: int, height: int, box: tuple[float, float, float, float]
) -> Image.Image:
    whole = all(float(edge).is_integer() for edge in box)
    if whole and (box[2] - box[0], box[3] - box[1]) == (width, height):
        left, top, right, bottom = (int(edge) for edge in box)
        return image.crop((left, top, right, bottom))
    smaller = box[2] - box[0] > width
    method = Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC
    # A gap of 4 makes a large photo's crop some times faster, within a grey level of the full filter.
    return image.resize((width, height), method, box=box, reducing_gap=4.0)
