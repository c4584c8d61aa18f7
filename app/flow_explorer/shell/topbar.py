"""The top bar: the name, the workspace's own part, the device, undo, redo, save, and the inspector's switch."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QStackedWidget, QWidget

from flow_explorer import theme
from flow_explorer.engine.client import EngineClient
from flow_explorer.i18n import tr
from flow_explorer.shell.device_chip import DeviceChip
from flow_explorer.widgets.button import Button, IconButton
from flow_explorer.widgets.fold import Label

HEIGHT = 48


class _Slot(QStackedWidget):
    """Shows the front workspace's part of the bar and is as wide as that part alone."""

    def sizeHint(self) -> QSize:
        shown = self.currentWidget()
        return shown.sizeHint() if shown is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        shown = self.currentWidget()
        return shown.minimumSizeHint() if shown is not None else super().minimumSizeHint()


class TopBar(QWidget):
    """Holds the controls; what they do is the window's matter."""

    def __init__(self, engine: EngineClient, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        self.name = Label("Flow Explorer", "name")
        self.slot = _Slot()
        self.slot.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.device = DeviceChip(engine)
        self.undo = IconButton("undo", tr("Undo"))
        self.redo = IconButton("redo", tr("Redo"))
        self.history = IconButton("history", tr("History"))
        self.history.set_name(tr("History"), tr("Every act so far, to return to") + "  (Ctrl+H)")
        self.save = Button(tr("Save…"))
        self.save.setMenu(QMenu(self.save))
        self.sidebar = IconButton("sidebar", tr("Hide the inspector"))
        self.sidebar.muted = True
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 0, 12, 1)
        layout.setSpacing(8)
        layout.addWidget(self.name)
        layout.addSpacing(12)
        layout.addWidget(self.slot)
        layout.addWidget(self.device)
        layout.addStretch(1)
        layout.addWidget(self.undo)
        layout.addWidget(self.redo)
        layout.addWidget(self.history)
        layout.addSpacing(4)
        layout.addWidget(self.save)
        layout.addWidget(self.sidebar)
        theme.changed.connect(self.update)

    def show_part(self, part: QWidget | None) -> None:
        """Bring a workspace's part to the front of the slot."""
        self.slot.setVisible(part is not None)
        if part is not None:
            if self.slot.indexOf(part) < 0:
                self.slot.addWidget(part)
            self.slot.setCurrentWidget(part)
            self.slot.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("surface"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("line"))
