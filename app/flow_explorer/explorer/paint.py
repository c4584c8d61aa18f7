"""Drawing many small pictures large in one widget, each scaled once for the size and screen that it is shown at."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap

from flow_explorer import theme
from flow_explorer.widgets.picture import CORNER, paint_rounded, rounded
from flow_explorer.widgets.pixels import enlarged

__all__ = ["PictureCache", "draw_captioned", "draw_cell", "draw_outline", "draw_picture", "draw_placeholder", "picture_area"]

CACHED_BYTES = 64 * 2**20
"""A page of 64 on a fine screen fits; a drag, which leaves every older picture behind, starts the cache anew."""


class PictureCache:
    """Scaled pictures, corners cut, by the array they came from, so that a repaint scales and cuts nothing again."""

    def __init__(self) -> None:
        self._kept: dict[tuple, tuple[np.ndarray, QPixmap]] = {}
        self._bytes = 0

    def get(self, array: np.ndarray, width: int, height: int, smooth: bool, ratio: float) -> QPixmap:
        """The array at `width` × `height` device pixels, of which a logical one has `ratio` a side; for `paint_rounded`."""
        key = (id(array), width, height, smooth, ratio)
        found = self._kept.get(key)
        # The array is kept beside its image, so its id cannot have been given to another one meanwhile.
        if found is not None and found[0] is array:
            return found[1]
        picture = rounded(enlarged(array, width, height, smooth), ratio)
        size = picture.width() * picture.height() * picture.depth() // 8
        if self._bytes + size > CACHED_BYTES:
            self._kept.clear()
            self._bytes = 0
        self._kept[key] = (array, picture)
        self._bytes += size
        return picture


def picture_area(rect: QRectF, shape: tuple[int, ...], ratio: float, smooth: bool = True) -> QRectF:
    """Where a picture of a shape (H, W, ...) is painted in a rectangle: its edges fall on device pixels.

    It fills the rectangle, or, when not smooth, takes the largest whole factor that fits, in the middle.
    """
    left, top = round(rect.left() * ratio), round(rect.top() * ratio)
    width, height = round(rect.right() * ratio) - left, round(rect.bottom() * ratio) - top
    factor = min(width // shape[1], height // shape[0])
    if not smooth and factor >= 1:
        left += (width - factor * shape[1]) // 2
        top += (height - factor * shape[0]) // 2
        width, height = factor * shape[1], factor * shape[0]
    return QRectF(left / ratio, top / ratio, width / ratio, height / ratio)


def draw_picture(
    painter: QPainter, rect: QRectF, array: np.ndarray, cache: PictureCache, smooth: bool = True, opacity: float = 1.0
) -> None:
    """Paint a picture in a rectangle, as `picture_area` says."""
    ratio = painter.device().devicePixelRatioF()
    area = picture_area(rect, array.shape, ratio, smooth)
    width, height = round(area.width() * ratio), round(area.height() * ratio)
    if width > 0 and height > 0:
        paint_rounded(painter, area, cache.get(array, width, height, smooth, ratio), opacity)


def draw_placeholder(painter: QPainter, rect: QRectF) -> None:
    """A picture that has not come yet."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("raised"))
    painter.drawRoundedRect(rect, CORNER, CORNER)


def draw_cell(
    painter: QPainter, rect: QRectF, array: np.ndarray | None, cache: PictureCache, smooth: bool = True
) -> None:
    """A picture, or its place where it has not come."""
    if array is None:
        draw_placeholder(painter, rect)
    else:
        draw_picture(painter, rect, array, cache, smooth)


def draw_captioned(
    painter: QPainter, rect: QRectF, below: QRectF, array: np.ndarray | None, caption: str, chosen: bool, cache: PictureCache,
    smooth: bool,
) -> None:  # fmt: skip
    """One of several pictures of a z, its caption in the rectangle `below`; outlined where it is the chosen one."""
    draw_cell(painter, rect, array, cache, smooth)
    if chosen:
        draw_outline(painter, rect, theme.color("z"))
    painter.setPen(theme.color("text" if chosen else "muted"))
    painter.drawText(below, Qt.AlignmentFlag.AlignCenter, caption)


def draw_outline(painter: QPainter, rect: QRectF, colour: QColor, width: float = 2.0) -> None:
    """An outline that stands just outside a rectangle."""
    painter.setPen(QPen(colour, width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    grown = rect.adjusted(-width / 2, -width / 2, width / 2, width / 2)
    painter.drawRoundedRect(grown, CORNER + width / 2, CORNER + width / 2)
