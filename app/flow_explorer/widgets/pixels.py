"""From numpy pictures to what Qt paints, sharp at any device-pixel ratio."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PySide6.QtGui import QImage


def to_rgb(array: np.ndarray) -> np.ndarray:
    """A uint8 (H,W), (H,W,1), (H,W,3) or (H,W,4) picture as contiguous (H,W,3) or (H,W,4); raises ValueError."""
    array = np.asarray(array)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.size == 0:
        raise ValueError(f"a picture is uint8 of 2 or 3 axes, not {array.dtype} of shape {array.shape}")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    if array.shape[2] not in (3, 4):
        raise ValueError(f"a picture has 1, 3 or 4 channels, not {array.shape[2]}")
    return np.ascontiguousarray(array)


def to_image(array: np.ndarray) -> QImage:
    """The picture as a QImage of its own memory, pixel for pixel."""
    array = to_rgb(array)
    height, width, channels = array.shape
    kind = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_RGBA8888
    return QImage(array.data, width, height, width * channels, kind).copy()


def enlarged(array: np.ndarray, width: int, height: int, smooth: bool = True) -> QImage:
    """The picture at ``width`` × ``height`` device pixels: bicubic when ``smooth``, whole pixels otherwise."""
    array = to_rgb(array)
    width, height = max(1, width), max(1, height)
    if (height, width) == array.shape[:2]:
        return to_image(array)
    shrinking = width < array.shape[1] or height < array.shape[0]
    if smooth or shrinking:
        method = Image.Resampling.LANCZOS if shrinking else Image.Resampling.BICUBIC
    else:
        method = Image.Resampling.NEAREST
    return to_image(np.asarray(Image.fromarray(array).resize((width, height), method)))


def from_image(image: QImage) -> np.ndarray:
    """A QImage (a browser's clipboard or drag) as RGBA uint8 (H,W,4)."""
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4).copy()
