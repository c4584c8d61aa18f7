"""Beside the map: the picked picture's nearest neighbours, who is unusual, and who was left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.map.data import MapData
from flow_explorer.explorer.paint import PictureCache, draw_outline, draw_picture
from flow_explorer.i18n import plural, tr
from flow_explorer.widgets import Fold, Heading, Label
from flow_explorer.widgets.cells import CellView
from flow_explorer.widgets.focus import ACTIVATION_KEYS, ring
from flow_explorer.widgets.plain import plain

__all__ = ["MapRow", "MapSide"]

COLUMNS = 4
GAP = 8
CAPTION = 18
MARGIN = 2
UNUSUAL = 8
LEFT_OUT = 12


class MapRow(CellView):
    """Up to eight small pictures with a figure each; `picked(row)` of the map when one is clicked or chosen by a key."""

    kept_keys = (Qt.Key.Key_Left, Qt.Key.Key_Right, *ACTIVATION_KEYS)
    caption = CAPTION

    picked = Signal(int)

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(plain(tip))
        self._items: list[tuple[int, np.ndarray, str, str]] = []
        self._place = 0
        self._cache = PictureCache()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.paint_with(self)

    def show_items(self, items: Sequence[tuple[int, np.ndarray, str, str]]) -> None:
        """(row of the map, picture, figure, name) each."""
        self._items = list(items)
        self._place = min(self._place, max(0, len(self._items) - 1))
        self.setAccessibleDescription(", ".join(f"{name} {figure}" for _, _, figure, name in self._items))
        self.updateGeometry()
        self.update()

    @property
    def rows(self) -> list[int]:
        return [row for row, *_ in self._items]

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        lines = max(1, -(-len(self._items) // COLUMNS))
        return round(lines * (self._side(width) + CAPTION) + 2 * MARGIN)

    def sizeHint(self) -> QSize:
        return QSize(268, self.heightForWidth(268))

    minimumSizeHint = sizeHint

    @staticmethod
    def _side(width: int) -> float:
        return (width - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS

    def cell(self, place: int) -> QRectF:
        """Where a picture is, without its figure."""
        side = self._side(self.width())
        line, column = divmod(place, COLUMNS)
        return QRectF(MARGIN + column * (side + GAP), MARGIN + line * (side + CAPTION), side, side)

    @property
    def count(self) -> int:
        return len(self._items)

    @property
    def columns(self) -> int:
        return COLUMNS

    @property
    def current(self) -> int:
        return self._place

    def cell_name(self, index: int) -> str:
        return self._items[index][3]

    def cell_value(self, index: int) -> str:
        return self._items[index][2]

    def event(self, event) -> bool:
        if isinstance(event, QHelpEvent):
            place = self.index_at(QPointF(event.pos()))
            if place >= 0:
                QToolTip.showText(event.globalPos(), plain(self._items[place][3]), self)
                return True
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(11))
        for place, (_, picture, figure, _name) in enumerate(self._items):
            rect = self.cell(place)
            tall, wide = picture.shape[:2]
            if tall != wide:
                factor = rect.width() / max(tall, wide)
                rect = QRectF(rect.center().x() - wide * factor / 2, rect.center().y() - tall * factor / 2, wide * factor,
                              tall * factor)  # fmt: skip
            draw_picture(painter, rect, picture, self._cache)
            if self.focus_visible and place == self._place:
                draw_outline(painter, rect, theme.color("accent"))
            painter.setPen(theme.color("muted"))
            below = self.cell(place)
            below = QRectF(below.left(), below.bottom(), below.width(), CAPTION)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, figure)
        if self.focus_visible and not self._items:
            ring(painter, QRectF(self.rect()), 5)
        painter.end()

    def choose(self, index: int) -> None:
        self._place = index
        self.picked.emit(self._items[index][0])

    def go_to(self, index: int) -> None:
        self._place = index
        self.tell_reader()
        self.update()

    def activate(self, index: int) -> None:
        self.choose(index)


class MapSide(QWidget):
    """The part of the inspector that the map brings."""

    picked = Signal(int)

    def __init__(self, settings=None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.near_heading = Heading(tr("Nearest neighbours"))
        self.near = MapRow(tr("Nearest neighbours"),
                        tr("The pictures whose z are nearest to the picked one's, and how far they are.\n"
                           "|z − z′| in 50 principal coordinates"))  # fmt: skip
        self.nothing = Label(tr("Click a picture on the map to see what the model takes for alike"), "muted", wrap=True)
        self.error = Label("", "warning", wrap=True)
        self.error.hide()
        self.unusual_fold = Fold(tr("Unusual"), False, settings, "map.unusual")
        self.unusual = MapRow(tr("Unusual pictures"),
                           tr("Pictures that are much more, or much less, likely than the others, with their bits per "
                              "dimension.\n|0.6745 (bpd − median)| > 3.5 MAD"))  # fmt: skip
        self.unusual_fold.add(self.unusual)
        self.left_fold = Fold(tr("Left out"), False, settings, "map.left_out")
        self.left = Label("", "small", wrap=True)
        self.left_fold.add(self.left)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for part in (self.near_heading, self.near, self.nothing, self.error, self.unusual_fold, self.left_fold):
            column.addWidget(part)
        self.near.picked.connect(self.picked)
        self.unusual.picked.connect(self.picked)

    def show_picked(self, data: MapData, selected: int, error: str) -> None:
        """The neighbours of a picture; -1 for none."""
        near = []
        if 0 <= selected < len(data.neighbours):
            near = [(int(row), picture, f"{distance:.1f}", data.names[int(row)])
                    for row, distance in zip(data.neighbours[selected], data.distances[selected], strict=True)
                    if (picture := data.picture(int(row))) is not None]  # fmt: skip
        self.near.show_items(near)
        self.near.setVisible(bool(near))
        waiting = 0 <= selected < data.count and not near and not data.complete
        self.nothing.setText(tr("The neighbours are known once all pictures are encoded") if waiting else
                             tr("Click a picture on the map to see what the model takes for alike"))  # fmt: skip
        self.nothing.setVisible(not near)
        self.error.setText(error)
        self.error.setVisible(bool(error))

    def show_data(self, data: MapData) -> None:
        """Who is unusual, and who was left out, once all is there."""
        rows = data.unusual() if data.complete else np.empty(0, np.int64)
        self.unusual_fold.setVisible(len(rows) > 0)
        self.unusual.show_items([(int(row), picture, f"{data.bpd[row]:.2f}", data.names[int(row)])
                                 for row in rows[:UNUSUAL]
                                 if (picture := data.picture(int(row))) is not None])  # fmt: skip
        self.left_fold.setVisible(data.skipped_count > 0)
        lines = [sentence for _, sentence in data.skipped[:LEFT_OUT]]
        more = data.skipped_count - len(lines)
        if more > 0:
            lines.append(plural(more, "and {count} more", "and {count} more"))
        self.left.setText("\n".join(lines))
