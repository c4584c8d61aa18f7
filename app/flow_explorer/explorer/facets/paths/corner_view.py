"""A corner of the pad: a small slot that takes a dropped, pasted or picked picture."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QMimeData, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetricsF,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from flow_explorer import icons, theme
from flow_explorer.explorer.moving.drag_drop import can_read
from flow_explorer.explorer.paint import PictureCache, draw_picture
from flow_explorer.i18n import tr
from flow_explorer.widgets.dropping import DropTarget
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flow_explorer.widgets.plain import plain
from flow_explorer.widgets.sameness import same

__all__ = ["CAPTION", "CornerView"]

CAPTION = 20
RADIUS = 6


class CornerView(KeyboardFocus, DropTarget):
    """Shows one corner's picture; every act leaves as a signal."""

    dropped = Signal(QMimeData)
    menu_wanted = Signal(QPoint)
    """The global position for a menu of what can go here."""
    paste_wanted = Signal()
    cleared = Signal()
    dragged = Signal()
    """The picture is pulled out."""

    def __init__(self, place: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._place = place
        self._picture: np.ndarray | None = None
        self._name = self._error = ""
        self._busy = False
        self._shown: list = []
        self._pressed: QPoint | None = None
        self._cache = PictureCache()
        self.smooth = True
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.paint_with(self)
        self.show_picture(None, "", False, "")

    def sizeHint(self) -> QSize:
        return QSize(112, 112 + CAPTION)

    def show_picture(self, picture: np.ndarray | None, name: str, busy: bool, error: str) -> None:
        """What is there, None for nothing; `busy` while it is encoded."""
        shown = [picture, name, busy, error]
        if same(self._shown, shown):
            return
        self._shown = shown
        self._picture, self._name, self._busy, self._error = picture, name, busy, error
        said = error or name or tr("empty")
        self.setAccessibleName(tr("Corner {place}: {name}", place=self._place, name=said))
        tip = tr("Drop a picture here, paste one, or click for what else can go here.")
        self.setToolTip(plain(f"{self._place}: {said}\n{tip}"))
        self.update()

    @property
    def error(self) -> str:
        """The sentence that stands here, if any."""
        return self._error

    def box(self) -> QRectF:
        """Where the picture is."""
        return QRectF(0, 0, self.width(), self.height() - CAPTION).adjusted(1.5, 1.5, -1.5, -1.5)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones, box = theme.current(), self.box()
        if self._picture is None:
            painter.setBrush(QColor(theme.mix(tones.window, tones.z, 0.16 if self.hovering else 0.0)))
            painter.setPen(QPen(QColor(tones.z if self.hovering else tones.faint), 1.5, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(box, RADIUS, RADIUS)
            icons.paint(painter, "plus", QRectF(box.center().x() - 10, box.center().y() - 10, 20, 20), tones.muted)
        else:
            draw_picture(painter, box, self._picture, self._cache, self.smooth)
            if self.hovering:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(tones.z), 3))
                painter.drawRoundedRect(box, RADIUS, RADIUS)
        words = self._error or (tr("encoding…") if self._busy else self._name or tr("Drop a picture"))
        painter.setFont(theme.font(theme.SMALL_PIXELS))
        painter.setPen(QColor(tones.warning_text if self._error else tones.muted))
        line = QRectF(0, self.height() - CAPTION, self.width(), CAPTION)
        shown = QFontMetricsF(painter.font()).elidedText(words, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, shown)
        if self.focus_visible:
            ring(painter, box, RADIUS)
        painter.end()

    # Mouse and keyboard

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or self._picture is None:
            return
        if (event.position().toPoint() - self._pressed).manhattanLength() >= QApplication.startDragDistance():
            self._pressed = None
            self.dragged.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._pressed is not None:
            self._pressed = None
            self.menu_wanted.emit(self._menu_place())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        self.menu_wanted.emit(self._menu_place() if keyboard else event.globalPos())

    def _menu_place(self) -> QPoint:
        return self.mapToGlobal(self.box().bottomLeft().toPoint())

    def event(self, event: QEvent) -> bool:
        # The window pastes into A or B unless this corner, which has the focus, says that it does.
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
            return super().event(event)
        if event.matches(QKeySequence.StandardKey.Paste):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste_wanted.emit()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.cleared.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.menu_wanted.emit(self._menu_place())
        else:
            super().keyPressEvent(event)

    # Drops

    def takes(self, mime: QMimeData) -> bool:
        return can_read(mime)

    def take(self, mime: QMimeData) -> None:
        self.dropped.emit(mime)
