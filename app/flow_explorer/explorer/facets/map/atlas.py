"""Small pictures by the thousand, stamped: each page of the atlas is one pixmap, so that a paint is a few calls."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap

from flow_explorer.explorer.facets.map.data import MapData

__all__ = ["Atlas", "Stamps", "dot", "square"]

COLUMNS = 8
PAGE = COLUMNS * COLUMNS
TILE_MAX = 48
TILE_MANY = 32
MANY = 4000
"""Of more pictures than this the tiles are smaller: 10,000 of 32×32 are 40 MB."""

MAKING_S = 0.005
"""So long pages may be made in one paint."""


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
        # pyqtgraph tells no types of what it hands to Qt: a pointer and a length.
        painter.drawPixmapFragments(*self._array.drawargs(), pixmap)  # pyright: ignore[reportCallIssue]


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
             opacity: np.ndarray | float = 1.0) -> bool:
        """Draw pictures `rows` (n,) with their middles at places (n, 2), their longer side as long as `side`.

        False where some are still missing, since making their pages would have taken too long for one paint: paint again.
        """
        if self._data is None or not len(rows):
            return True
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        pages = rows // PAGE
        began, complete = time.perf_counter(), True
        for number in np.unique(pages).tolist():
            chosen = pages == number
            if not self._is_made(number, int(rows[chosen].max())):
                if time.perf_counter() - began > MAKING_S:
                    complete = False
                    continue
                self._make(number)
            height, width = self.tile
            inside = rows[chosen] - number * PAGE
            sources = np.empty((len(inside), 4))
            sources[:, 0], sources[:, 1] = inside % COLUMNS * width, inside // COLUMNS * height
            sources[:, 2], sources[:, 3] = width, height
            faint = opacity[chosen] if isinstance(opacity, np.ndarray) else opacity
            self._stamps.draw(painter, self._pages[number][1], places[chosen], sources, side / max(width, height), faint)
        return complete

    def _is_made(self, number: int, needed: int) -> bool:
        held = self._pages.get(number)
        return held is not None and held[0] > needed

    def _make(self, number: int) -> None:
        data = self._data
        assert data is not None  # what is drawn is of data
        start, stop = number * PAGE, min((number + 1) * PAGE, data.count)
        pictures = data.pictures(start, stop)
        count, height, width, channels = pictures.shape
        step = -(-max(height, width) // (TILE_MANY if max(data.total, data.count) > MANY else TILE_MAX))
        high, wide = height // step, width // step
        self.tile = (high, wide)
        if step > 1:
            # Summed in uint16 over whole rows first: a mean in floats takes ten times as long.
            pictures = pictures[:, : high * step, : wide * step].reshape(count, high, step, wide * step, channels)
            pictures = pictures.sum(2, dtype=np.uint16).reshape(count, high, wide, step, channels).sum(3, dtype=np.uint16)
            pictures = (pictures // (step * step)).astype(np.uint8)
        tiles = np.zeros((PAGE, high, wide, 4), np.uint8)
        tiles[:count, ..., :3] = pictures[..., ::-1]
        tiles[..., 3] = 255
        sheet = np.ascontiguousarray(tiles.reshape(COLUMNS, COLUMNS, high, wide, 4).swapaxes(1, 2))
        image = QImage(sheet.data, COLUMNS * wide, COLUMNS * high, COLUMNS * wide * 4, QImage.Format.Format_RGB32)
        self._pages[number] = (stop, QPixmap.fromImage(image.copy()))


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
