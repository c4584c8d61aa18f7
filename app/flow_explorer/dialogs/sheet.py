"""What the dialogs share: a rounded card over the dimmed window, a title line, calm scrollable content."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.widgets.button import IconButton
from flow_explorer.widgets.fold import Label, Separator

RADIUS = 12


def _dimming() -> int:
    """How opaque the black over the window is, of 255."""
    return 130 if theme.current().dark else 70


class _Scrim(QWidget):
    """Dims the window behind a sheet."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setGeometry(window.rect())
        window.installEventFilter(self)
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._window:
            self.setGeometry(self._window.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), QColor(0, 0, 0, _dimming()))


class Sheet(QDialog):
    """A window-modal dialog; add content to ``body``. Escape and the cross close it, and it is deleted then."""

    def __init__(self, title: str, parent: QWidget | None = None, width: int = 560, height: int = 520) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        head = QHBoxLayout()
        head.setContentsMargins(24, 16, 12, 12)
        head.addWidget(Label(title, "title"), 1)
        close = IconButton("close", tr("Close"), size=32, icon_size=16)
        close.clicked.connect(self.accept)
        head.addWidget(close)
        inner = QWidget()
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(24, 16, 24, 24)
        self.body.setSpacing(8)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setWidget(inner)
        self.scroll_area.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, RADIUS // 2)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(Separator())
        layout.addWidget(self.scroll_area, 1)
        room = parent.size() if parent is not None else self.size()
        self.resize(min(width, max(320, room.width() - 64)), min(height, max(240, room.height() - 64)))
        self.scroll_area.setFocus()
        self._scrim = _Scrim(parent.window()) if parent is not None else None
        self.finished.connect(self._undim)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        parent = self.parentWidget()
        if parent is not None:
            window = parent.window()
            free = window.rect().center() - self.rect().center()
            self.move(window.mapToGlobal(QPoint(0, 0)) + free)

    def _undim(self, _result: int) -> None:
        if self._scrim is not None:
            self._scrim.deleteLater()
            self._scrim = None

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        # The corners in the dimmed window's colour: a translucent dialog has black ones without a compositor.
        painter.fillRect(self.rect(), QColor(theme.mix(tones.window, "#000000", _dimming() / 255)))
        painter.setPen(QPen(QColor(tones.line), 1))
        painter.setBrush(QColor(tones.surface))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
