"""The history as a list that one can return to: a thumbnail, the words and the time of every act, the newest first."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from flow_explorer import theme
from flow_explorer.history import History, Moment
from flow_explorer.i18n import tr
from flow_explorer.widgets import EmptyState
from flow_explorer.widgets.button import IconButton
from flow_explorer.widgets.fold import Label, Separator
from flow_explorer.workspace import INSPECTOR_WIDTH

__all__ = ["HistoryPanel"]

ROW = 56
SIDE = 40
Index = QModelIndex | QPersistentModelIndex
Thumbnail = Callable[[int], QImage | None]


class _Moments(QAbstractListModel):
    """The moments, the newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[Moment[Any]] = []
        self.thumbnail: Thumbnail = lambda _serial: None

    def show(self, moments: list[Moment[Any]]) -> None:
        self.beginResetModel()
        self.moments = moments[::-1]
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.moments)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self.moments):
            return None
        moment = self.moments[index.row()]
        words, when = words_of(moment), time_of(moment)
        if role == Qt.ItemDataRole.DisplayRole:
            return words
        if role == Qt.ItemDataRole.UserRole:
            return moment
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return tr("{words}, {time}, now here", words=words, time=when) if moment.present else f"{words}, {when}"
        return None


def words_of(moment: Moment[Any]) -> str:
    """What was done."""
    return moment.label or tr("As it was at first")


def time_of(moment: Moment[Any]) -> str:
    """When that was, by the clock of the place."""
    return time.strftime("%H:%M:%S", time.localtime(moment.when))


class _Row(QStyledItemDelegate):
    """Paints one moment."""

    def __init__(self, model: _Moments) -> None:
        super().__init__()
        self._model = model

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(INSPECTOR_WIDTH - 24, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        moment = index.data(Qt.ItemDataRole.UserRole)
        view = option.widget if isinstance(option.widget, _List) else None
        focused = view is not None and view.hasFocus() and view.currentIndex() == index
        hovered = view is not None and view.hovered == index.row()
        present = next((row for row, each in enumerate(self._model.moments) if each.present), 0)
        undone = index.row() < present
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(4, 2, -4, -2)
        painter.setPen(Qt.PenStyle.NoPen)
        if moment.present or hovered:
            painter.setBrush(theme.color("raised" if moment.present else "hover"))
            painter.drawRoundedRect(area, 7, 7)
        place = QRectF(area.left() + 8, area.center().y() - SIDE / 2, SIDE, SIDE)
        image = self._model.thumbnail(moment.serial)
        painter.setOpacity(0.55 if undone else 1.0)
        if image is None:
            painter.setBrush(theme.color("raised"))
            painter.drawRoundedRect(place, 3, 3)
        else:
            scale = min(SIDE / image.width(), SIDE / image.height())
            size = (image.width() * scale, image.height() * scale)
            fitted = QRectF(place.center().x() - size[0] / 2, place.center().y() - size[1] / 2, *size)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(fitted, image)
        text = area.adjusted(8 + SIDE + 12, 0, -8, 0)
        painter.setFont(theme.font(bold=moment.present))
        painter.setPen(theme.color("text"))
        words = painter.fontMetrics().elidedText(words_of(moment), Qt.TextElideMode.ElideRight, round(text.width()))
        upper = QRectF(text.left(), text.center().y() - 18, text.width(), 18)
        painter.drawText(upper, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        painter.setFont(theme.font(12))
        painter.setPen(theme.color("muted"))
        below = time_of(moment) if not moment.present else tr("{time} · now here", time=time_of(moment))
        lower = QRectF(text.left(), text.center().y() + 1, text.width(), 16)
        painter.drawText(lower, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, below)
        painter.setOpacity(1.0)
        if moment.present:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawRoundedRect(QRectF(area.left(), area.top() + 12, 3, area.height() - 24), 1.5, 1.5)
        if view is not None and focused and view.keyboard:
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)
        painter.restore()


class _List(QListView):
    """The rows; Enter or a click goes there, arrows only look."""

    chosen = Signal(int)

    def __init__(self, model: _Moments) -> None:
        super().__init__()
        self.hovered = -1
        self.keyboard = False
        self._row = _Row(model)
        self.setModel(model)
        self.setItemDelegate(self._row)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setAccessibleName(tr("History, the newest first"))
        self.viewport().setAutoFillBackground(False)
        self.clicked.connect(self._choose)
        self.entered.connect(self._hover)

    def _choose(self, index: QModelIndex) -> None:
        moment = index.data(Qt.ItemDataRole.UserRole)
        if moment is not None:
            self.chosen.emit(moment.serial)

    def _hover(self, index: QModelIndex) -> None:
        self.hovered = index.row()
        self.viewport().update()

    def leaveEvent(self, event) -> None:
        self.hovered = -1
        self.viewport().update()
        super().leaveEvent(event)

    def mousePressEvent(self, event) -> None:
        self.keyboard = False
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.keyboard = True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose(self.currentIndex())
        else:
            super().keyPressEvent(event)
        self.viewport().update()


class HistoryPanel(QWidget):
    """Stands over the window's right edge while one looks for a moment; Escape and the cross close it."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history: History[Any] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self.setFixedWidth(INSPECTOR_WIDTH)
        self.setAccessibleName(tr("History"))
        self.model = _Moments()
        self.list = _List(self.model)
        self.list.chosen.connect(self._go)
        self.empty = EmptyState(tr("Nothing has been done yet: every act will stand here, to return to."), icon="history")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.list)
        self.close_button = IconButton("close", tr("Close"), size=32, icon_size=16)
        self.close_button.clicked.connect(self.hide_panel)
        head = QHBoxLayout()
        head.setContentsMargins(16, 8, 8, 8)
        head.addWidget(Label(tr("History"), "title"), 1)
        head.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 0, 0, 4)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(Separator())
        layout.addWidget(self._pages, 1)
        theme.paint_with(self)
        self.hide()

    def show_history(self, history: History[Any] | None, thumbnail: Thumbnail) -> None:
        """List another history."""
        self._unsubscribe()
        self._history = history
        self.model.thumbnail = thumbnail
        self._unsubscribe = history.subscribe(lambda _state: self.refresh()) if history is not None else (lambda: None)
        self.refresh()

    def refresh(self) -> None:
        """The history has changed. Costs nothing while nobody looks."""
        if not self.isVisible():
            return
        moments = self._history.moments() if self._history is not None else []
        place = self.list.verticalScrollBar().value()
        grown = len(moments) > self.model.rowCount()
        self.model.show(moments)
        self._pages.setCurrentIndex(1 if len(moments) > 1 else 0)
        row = next((row for row, moment in enumerate(self.model.moments) if moment.present), 0)
        self.list.setCurrentIndex(self.model.index(row))
        if not grown:
            self.list.verticalScrollBar().setValue(place)
        self.list.scrollTo(self.model.index(row))

    def thumbnail_changed(self, _serial: int) -> None:
        """One of the pictures has come."""
        if self.isVisible():
            self.list.viewport().update()

    def show_panel(self) -> None:
        """Come to the front, over the parent's right edge below the top bar."""
        self.show()
        self.raise_()
        self.refresh()
        self.list.setFocus() if self._pages.currentIndex() else self.close_button.setFocus()

    def hide_panel(self) -> None:
        """Go away."""
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide_panel()
        else:
            super().keyPressEvent(event)

    def _go(self, serial: int) -> None:
        if self._history is not None:
            self._history.go(serial)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("surface"))
        painter.fillRect(0, 0, 1, self.height(), theme.color("line"))
