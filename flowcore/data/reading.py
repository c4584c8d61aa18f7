"""How a picture of any size and kind becomes an array of the one shape that a model takes, as a person chose."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageColor

from ..errors import DataError, PictureError
from ..pictures.crop import Crop, _straight, _turned, apply_crop, crop_corners
from ..pictures.images import Picture
from .jitter import cut_moved, moved_corners

__all__ = ["BACKGROUNDS", "FITS", "Reading", "bars", "fit_picture", "moved_box", "too_small"]

FITS = ("crop", "pad", "stretch")
BACKGROUNDS = {"white": "#ffffff", "black": "#000000"}
_CHECKER = (255, 204)
"""The two grey levels of a checkerboard, the squares of which are an eighth of the shape's shorter side."""


@dataclass(frozen=True)
class Reading:
    """What is chosen once for all pictures of a data set.

    ``channels`` is 1, 3, or None: grey where every picture is grey. ``fit`` "crop" takes the largest window
    of the model's shape (or ``crop``'s), "stretch" squeezes the whole picture into it, "pad" puts the whole
    picture in the middle, made smaller where it is too large and never larger. ``background`` ("white",
    "black", "checker" or "#rrggbb") lies behind transparent pixels and fills what "pad" leaves; None is white
    behind and zeros around. Pictures with a side of less than ``minimum`` pixels are left out.

    Raises:
        DataError: in one sentence, for a choice that there is not.
    """

    channels: int | None = None
    background: str | None = None
    fit: str = "crop"
    minimum: int = 1
    crop: Crop | None = None

    def __post_init__(self) -> None:
        if self.channels not in (None, 1, 3):
            raise DataError(f"A data set can be read with 1 or 3 channels, not {self.channels}.")
        if self.fit not in FITS:
            raise DataError(f"Pictures can be made to fit by {', '.join(FITS)}, not by {self.fit!r}.")
        if self.crop is not None and self.fit != "crop":
            raise DataError(f"A crop takes a part of a picture, and fit={self.fit!r} takes the whole.")
        if not isinstance(self.minimum, int) or not 1 <= self.minimum <= 10**6:
            raise DataError(f"The smallest side of a picture must be a number of pixels, not {self.minimum!r}.")
        if self.background is not None:
            object.__setattr__(self, "background", _colour(self.background))

    def to_dict(self) -> dict:
        """Plain values for JSON."""
        return {
            "channels": self.channels, "background": self.background, "fit": self.fit, "minimum": self.minimum,
            "crop": self.crop.to_dict() if self.crop is not None else None,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, values: dict) -> Reading:
        """What :meth:`to_dict` gave; what is missing takes its default.

        Raises:
            DataError: for anything else.
        """
        known = {"channels", "background", "fit", "minimum", "crop"}
        if not isinstance(values, dict) or not set(values) <= known:
            raise DataError("How the pictures were read is not told in a way that can be understood.")
        try:
            crop = Crop.from_dict(values["crop"]) if values.get("crop") is not None else None
        except (PictureError, TypeError) as error:
            raise DataError(f"How the pictures were read cannot be understood: {error}") from None
        return cls(**{**values, "crop": crop})

    def sentence(self, height: int, width: int) -> str:
        """What was done to the pictures, for a model's card; empty for nothing but the usual crop."""
        said = []
        if self.fit == "pad":
            said.append(f"Whole pictures in the middle of {width}×{height}, smaller where they were larger.")
        elif self.fit == "stretch":
            said.append(f"Whole pictures stretched to {width}×{height}.")
        if self.channels == 1:
            said.append("Colours turned to grey.")
        if self.background is not None:
            what = {"#ffffff": "white", "#000000": "black", "checker": "a checkerboard"}
            said.append(f"Transparent pixels over {what.get(self.background, self.background)}.")
        if self.minimum > 1:
            said.append(f"Pictures with a side of less than {self.minimum} pixels left out.")
        return " ".join(said)


def fit_picture(
    picture: Picture, reading: Reading, shape: tuple[int, int, int], move: np.ndarray | None = None
) -> np.ndarray:
    """What a model sees of a picture: uint8 (H, W, C) of ``shape``. The same picture gives the same bytes.

    With a ``move`` (4,) of :mod:`flowcore.data.jitter` the window that is cut from the picture is moved; the bars of "pad" stay.
    """
    if move is not None and not np.any(move):
        move = None
    if reading.background != "checker":
        behind = reading.background or "#ffffff"
        return _fit(picture, reading, shape, behind, reading.background or "#000000", move)
    # All that is done to a picture is linear, so over white and over black it tells what shows through
    white, black = (
        _fit(picture, reading, shape, colour, colour, move).astype(np.int32) for colour in ("#ffffff", "#000000")
    )
    height, width, _ = shape
    square = max(1, min(height, width) // 8)
    odd = (np.arange(height)[:, None] // square + np.arange(width) // square) % 2
    board = np.where(odd, _CHECKER[1], _CHECKER[0])[..., None]
    through = np.clip(white - black, 0, 255)
    return np.clip(black + (through * board + 127) // 255, 0, 255).astype(np.uint8)


def moved_box(
    pixels: np.ndarray, box: tuple[float, float, float, float], move: np.ndarray, shape: tuple[int, int, int]
) -> np.ndarray:
    """What is cut from a source (h, w, 1 or 3) by a box (left, top, right, bottom) in its pixels, moved: uint8 of ``shape``."""
    left, top, right, bottom = box
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    return _array(cut_moved(pixels, corners, move, None, *shape[:2]), shape)


def bars(width: int, height: int, reading: Reading, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """The (top, bottom, left, right) rows and columns that "pad" leaves around a picture of that size."""
    if reading.fit != "pad":
        return 0, 0, 0, 0
    inner_width, inner_height = _inside(width, height, shape)
    rows, columns = shape[0] - inner_height, shape[1] - inner_width
    return rows // 2, rows - rows // 2, columns // 2, columns - columns // 2


def too_small(name: str, width: int, height: int, reading: Reading) -> str:
    """Why a picture of that size is left out, in a sentence; empty where it is not."""
    if min(width, height) >= reading.minimum:
        return ""
    return f"{name} is {width}×{height} pixels, and pictures of at least {reading.minimum} each way are wanted."


def _inside(width: int, height: int, shape: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, shape[0] / height, shape[1] / width)
    return (
        min(shape[1], max(1, round(width * scale))),
        min(shape[0], max(1, round(height * scale))),
    )


def _fit(
    picture: Picture,
    reading: Reading,
    shape: tuple[int, int, int],
    behind: str,
    around: str,
    move: np.ndarray | None,
) -> np.ndarray:
    height, width, channels = shape
    if reading.fit == "crop":
        # The crop has a background of its own, which one chosen for the data set takes the place of
        crop = reading.crop or Crop()
        if reading.background is not None or reading.crop is None:
            crop = replace(crop, background=behind)
        if move is not None:
            return _moved(picture, crop_corners(picture, crop, height, width), move, crop.background, shape)
        return apply_crop(picture, crop, height, width, channels)
    if reading.fit == "stretch":
        return _whole(picture, shape, behind, move)
    inner_width, inner_height = _inside(picture.width, picture.height, (height, width))
    top, _, left, _ = bars(picture.width, picture.height, reading, (height, width))
    colour = ImageColor.getcolor(around, "L" if channels == 1 else "RGB")
    result = np.empty(shape, np.uint8)
    result[...] = colour
    content = _whole(picture, (inner_height, inner_width, channels), behind, move)
    result[top : top + inner_height, left : left + inner_width] = content
    return result


def _whole(
    picture: Picture, shape: tuple[int, int, int], background: str, move: np.ndarray | None
) -> np.ndarray:
    x, y = float(picture.width), float(picture.height)
    corners = np.array([(0.0, 0.0), (x, 0.0), (x, y), (0.0, y)])
    if move is not None:
        return _moved(picture, corners, move, background, shape)
    return _array(_straight(picture, corners, background, *shape[:2]), shape)


def _moved(
    picture: Picture, corners: np.ndarray, move: np.ndarray, background: str, shape: tuple[int, int, int]
) -> np.ndarray:
    """The window of those corners, moved: beyond the picture is its mirror image, unless the window itself reaches there."""
    upright = corners[0, 1] == corners[1, 1]
    if upright and (corners >= -1e-9).all() and (corners <= np.array([picture.width, picture.height]) + 1e-9).all():
        through = None if picture.opaque else background
        return _array(cut_moved(picture.pixels, corners, move, through, *shape[:2]), shape)
    return _array(_turned(picture, moved_corners(corners, move), background, *shape[:2]), shape)


def _array(image: Image.Image, shape: tuple[int, int, int]) -> np.ndarray:
    mode = "L" if shape[2] == 1 else "RGB"
    return np.array(image if image.mode == mode else image.convert(mode), np.uint8).reshape(shape)


def _colour(text: str) -> str:
    if text == "checker":
        return text
    colour = BACKGROUNDS.get(text, text) if isinstance(text, str) else text
    if not isinstance(colour, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise DataError(f"A background is white, black, checker or a colour like #2040ff, not {text!r}.")
    return colour.lower()
