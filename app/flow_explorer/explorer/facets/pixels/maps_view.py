"""Maps of z side by side, one a level, in purple; a place in them can be picked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.pixels.colours import shade
from flow_explorer.explorer.paint import PictureCache, draw_outline, draw_placeholder, picture_area
from flow_explorer.i18n import tr
from flow_explorer.widgets.cells import CellView
from flow_explorer.widgets.focus import ring
from flow_explorer.widgets.picture import paint_rounded
from flow_explorer.widgets.plain import plain

__all__ = ["MapTile", "MapsView", "level_name"]

GAP = 12
CAPTION = 22
MARGIN = 3


def level_name(level: int, count: int) -> str:
    """What a level is called, counted from the finest."""
    if count == 1:
        return tr("All of z")
    names = {count - 1: tr("Coarse"), 0: tr("Fine"), **({1: tr("Middle")} if count == 3 else {})}
    return names.get(level, tr("Level {number}", number=count - level))


@dataclass(frozen=True, eq=False)
class MapTile:
    """One map: its values (h, w) from 0 to `top`, None where they have not come, and what stands under it."""

    title: str
    note: str
    values: np.ndarray | None
    top: float
    shape: tuple[int, int]


class MapsView(CellView):
    """`picked(index, row, column)` when a place of a map is clicked, or chosen by the keyboard; where `pickable`."""

    picked = Signal(int, int, int)
    rested = Signal()
    left = Signal()
    """Escape: nothing is to be picked any more."""

    def __init__(self, name: str, tip: str, pickable: bool = False, columns: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles: list[MapTile] = []
        self._pick: tuple[int, int, int] | None = None
        self._columns = columns
        self._cache = PictureCache()
        self._shaded: dict[int, tuple] = {}
        self.pickable = pickable
        self.setAccessibleName(name)
        self.setToolTip(plain(tip))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        if pickable:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setCursor(Qt.CursorShape.CrossCursor)
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(320, 240)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 72)

    def show_tiles(self, tiles: Sequence[MapTile], pick: tuple[int, int, int] | None = None) -> None:
        """The maps in order, and the place (index, row, column) that is picked."""
        self._tiles, self._pick = list(tiles), pick
        self.setAccessibleDescription("; ".join(f"{tile.title} {tile.note}" for tile in tiles))
        self.update()

    def grid(self) -> tuple[int, float, float]:
        """(columns, width and height of a map): as large as the widget has room for."""
        count = max(len(self._tiles), 1)
        shapes = [tile.shape for tile in self._tiles] or [(1, 1)]
        aspect = shapes[0][1] / shapes[0][0]
        best = (1, 0.0, 0.0)
        for columns in [min(self._columns, count)] if self._columns else range(1, count + 1):
            rows = -(-count // columns)
            wide = (self.width() - 2 * MARGIN - (columns - 1) * GAP) / columns
            high = (self.height() - 2 * MARGIN - (rows - 1) * GAP) / rows - CAPTION
            width = max(8.0, min(wide, high * aspect))
            if width > best[1]:
                best = (columns, float(round(width)), float(round(width / aspect)))
        return best

    @property
    def count(self) -> int:
        return len(self._tiles)

    @property
    def current(self) -> int:
        return -1 if self._pick is None else self._pick[0]

    def cell_name(self, index: int) -> str:
        return self._tiles[index].title

    def cell_value(self, index: int) -> str:
        return self._tiles[index].note

    def height_for(self, width: int) -> int:
        """How high it is with all maps in one row of this width."""
        count = max(len(self._tiles), 1)
        shape = self._tiles[0].shape if self._tiles else (1, 1)
        return round((width - 2 * MARGIN - (count - 1) * GAP) / count * shape[0] / shape[1]) + CAPTION + 2 * MARGIN

    def cell(self, index: int) -> QRectF:
        """Where a map is, without its caption."""
        columns, width, height = self.grid()
        row, column = divmod(index, columns)
        return QRectF(MARGIN + column * (width + GAP), MARGIN + row * (height + CAPTION + GAP), width, height)

    def place_at(self, point: QPointF) -> tuple[int, int, int] | None:
        """(index, row, column) of the place of a map under a point."""
        for index, tile in enumerate(self._tiles):
            cell = self.cell(index)
            if tile.values is not None and cell.contains(point):
                height, width = tile.shape
                row = min(int((point.y() - cell.top()) / cell.height() * height), height - 1)
                return index, row, min(int((point.x() - cell.left()) / cell.width() * width), width - 1)
        return None

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(12))
        for index, tile in enumerate(self._tiles):
            cell = self.cell(index)
            if tile.values is None:
                draw_placeholder(painter, cell)
            else:
                self._paint_map(painter, cell, self._picture(index, tile.values, tile.top))
            picked = False
            if self._pick is not None and self._pick[0] == index:
                picked = True
                draw_outline(painter, cell, theme.color("z"))
                self._paint_pick(painter, cell, tile, *self._pick[1:])
            below = QRectF(cell.left(), cell.bottom(), cell.width(), CAPTION)
            painter.setPen(theme.color("text" if picked else "muted"))
            painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, tile.title)
            painter.setPen(theme.color("text"))
            painter.drawText(below, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, tile.note)
        if self.focus_visible and self._tiles:
            shown = self.cell(self._pick[0] if self._pick is not None else 0)
            ring(painter, shown.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN), 5)
        painter.end()

    def _paint_map(self, painter: QPainter, cell: QRectF, picture: np.ndarray) -> None:
        """Places with sharp edges that fill the cell, also where that is no whole number of pixels each."""
        ratio = self.devicePixelRatioF()
        area = picture_area(cell, picture.shape, ratio)
        width, height = round(area.width() * ratio), round(area.height() * ratio)
        if width > 0 and height > 0:
            paint_rounded(painter, area, self._cache.get(picture, width, height, False, ratio))

    def _picture(self, index: int, values: np.ndarray, top: float) -> np.ndarray:
        """The map in colours: the same array while nothing changes, so that it is scaled once."""
        key = (theme.current().name, top)
        found = self._shaded.get(index)
        if found is None or found[0] is not values or found[1] != key:
            found = self._shaded[index] = (values, key, shade(values, top))
        return found[2]

    def _paint_pick(self, painter: QPainter, cell: QRectF, tile: MapTile, row: int, column: int) -> None:
        wide, high = cell.width() / tile.shape[1], cell.height() / tile.shape[0]
        place = QRectF(cell.left() + column * wide, cell.top() + row * high, wide, high)
        small = max(0.0, 8 - min(wide, high)) / 2
        place.adjust(-small, -small, small, small)
        for colour, thickness in ((QColor(0, 0, 0, 170), 4.0), (QColor("#ffffff"), 2.0)):
            painter.setPen(QPen(colour, thickness))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(place)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.pickable and event.button() == Qt.MouseButton.LeftButton:
            self._take(self.place_at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.pickable and event.buttons() & Qt.MouseButton.LeftButton:
            self._take(self.place_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.rested.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, steps = Qt.Key(event.key()), {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0),
                                           Qt.Key.Key_Down: (1, 0)}  # fmt: skip
        if key == Qt.Key.Key_Escape and self._pick is not None:
            self.left.emit()
            return
        there = self.pickable and all(tile.values is not None for tile in self._tiles) and bool(self._tiles)
        if not there or key not in (*steps, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            super().keyPressEvent(event)
            return
        index, row, column = self._pick or (0, self._tiles[0].shape[0] // 2, self._tiles[0].shape[1] // 2)
        height, width = self._tiles[index].shape
        if key in steps:
            row, column = row + steps[key][0], column + steps[key][1]
        else:
            # The same place of the picture, a level further.
            index = min(max(index + (1 if key == Qt.Key.Key_PageDown else -1), 0), len(self._tiles) - 1)
            row, column = row * self._tiles[index].shape[0] // height, column * self._tiles[index].shape[1] // width
            height, width = self._tiles[index].shape
        self._take((index, min(max(row, 0), height - 1), min(max(column, 0), width - 1)))
        self.rested.emit()

    def _take(self, place: tuple[int, int, int] | None) -> None:
        if place is not None and place != self._pick:
            self.picked.emit(*place)
