"""Small pictures by the thousand, stamped: each page of the atlas is one pixmap, so that a paint is a few calls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap

from app.explorer.facets.map.data import MapData

__all__ = ["Atlas", "Stamps", "dot", "square"]

COLUMNS = 16
PAGE = COLUMNS * COLUMNS
TILE_MAX = 48
TILE_MANY = 32
MANY = 4000
"""Of more pictures than this the tiles are smaller: 10,000 of 32×32 are 40 MB."""


class Stamps:
    """Places where parts of one pixmap are drawn; the arrays are kept from paint to paint."""

    def __init__(self) -> None:
        self._array = PrimitiveArray(QPainter.PixmapFragment, 10)

    def draw(self, painter: QPainter, pixmap: QPixmap, places: np.ndarray, sources: np.ndarray | None, scale: np.ndarray | float,
             opacity: np.ndarray | float = 1.0) -> None:  # fmt: skip
        """Stamp at places (n, 2), the middles; sources (n, 4) are x, y, width, height in the pixmap, all of it for None."""
        if not len(places):
            return
        self._array.resize(len(places))
        stamps = self._array.ndarray()
        stamps[:, 0:2] = places
        stamps[:, 2:6] = (0, 0, pixmap.width(), pixmap.height()) if sources is None else sources
        stamps[:, 6] = stamps[:, 7] = scale
        stamps[:, 8], stamps[:, 9] = 0.0, opacity
        painter.drawPixmapFragments(*self._array.drawargs(), pixmap)


class Atlas:
    """The map's pictures as pages of tiles, made when a tile of the page is first drawn."""

    def __init__(self) -> None:
        self._pages: dict[int, tuple[int, QPixmap]] = {}
        self._data: MapData | None = None
        self._stamps = Stamps()
        self.tile = (1, 1)

    def show(self, data: MapData) -> None:
        """Take pictures from this data from now on."""
        if data is not self._data:
            self._data = data
            self._pages.clear()

    def reset(self) -> None:
        """The rows are others."""
        self._pages.clear()

    def draw(self, painter: QPainter, rows: np.ndarray, places: np.ndarray, side: float,
             opacity: np.ndarray | float = 1.0) -> None:
        """Draw pictures `rows` (n,) with their middles at places (n, 2), their longer side as long as `side`."""
        if self._data is None or not len(rows):
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        pages = rows // PAGE
        for number in np.unique(pages):
            chosen = pages == number
            page = self._page(int(number), int(rows[chosen].max()))
            height, width = self.tile
            inside = rows[chosen] - number * PAGE
            sources = np.empty((len(inside), 4))
            sources[:, 0], sources[:, 1] = inside % COLUMNS * width, inside // COLUMNS * height
            sources[:, 2], sources[:, 3] = width, height
            faint = opacity[chosen] if isinstance(opacity, np.ndarray) else opacity
            self._stamps.draw(painter, page, places[chosen], sources, side / max(width, height), faint)

    def _page(self, number: int, needed: int) -> QPixmap:
        held = self._pages.get(number)
        if held is not None and held[0] > needed:
            return held[1]
        data = self._data
        start, stop = number * PAGE, min((number + 1) * PAGE, data.count)
        first = data.picture(start)
        height, width = first.shape[:2]
        step = -(-max(height, width) // (TILE_MANY if max(data.total, data.count) > MANY else TILE_MAX))
        high, wide = height // step, width // step
        self.tile = (high, wide)
        rows = -(-(stop - start) // COLUMNS)
        sheet = np.zeros((rows * high, COLUMNS * wide, 4), np.uint8)
        sheet[..., 3] = 255
        for index in range(stop - start):
            picture = data.picture(start + index)[: high * step, : wide * step]
            if step > 1:
                picture = picture.reshape(high, step, wide, step, -1).mean((1, 3)).astype(np.uint8)
            top, left = index // COLUMNS * high, index % COLUMNS * wide
            sheet[top : top + high, left : left + wide, :3] = picture[..., ::-1]
        image = QImage(sheet.data, sheet.shape[1], sheet.shape[0], sheet.strides[0], QImage.Format.Format_RGB32)
        page = QPixmap.fromImage(image.copy())
        self._pages[number] = (stop, page)
        return page


def dot(colour: QColor, size: float, ratio: float) -> QPixmap:
    """A disc of `size` logical pixels in the middle of a pixmap of whole device pixels; stamp it at scale 1 / ratio."""

    def paint(painter: QPainter, side: int) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawEllipse(QPointF(side / 2, side / 2), size * ratio / 2, size * ratio / 2)

    side = int(np.ceil(size * ratio)) + 1
    return _pixmap(colour, side + 1 - side % 2, paint)


def square(colour: QColor) -> QPixmap:
    """One colour, to be stamped at any size."""
    return _pixmap(colour, 8, lambda painter, side: painter.drawRect(0, 0, side, side))


def _pixmap(colour: QColor, side: int, paint: Callable[[QPainter, int], None]) -> QPixmap:
    made = QPixmap(side, side)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    paint(painter, side)
    painter.end()
    return made
