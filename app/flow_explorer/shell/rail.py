"""The narrow rail on the left: one button a workspace, and the application's menu at its foot."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QVBoxLayout, QWidget

from flow_explorer import icons, theme
from flow_explorer.i18n import tr
from flow_explorer.widgets.button import IconButton, _Painted
from flow_explorer.widgets.focus import ring
from flow_explorer.workspace import Entry

WIDTH = 76


class RailButton(_Painted):
    """A workspace's icon over its name."""

    def __init__(self, entry: Entry, key: str) -> None:
        super().__init__(tr(entry.title), None)
        self.icon_name = entry.icon
        self.setCheckable(True)
        self.setFixedSize(60, 56)
        self.setFont(theme.font(theme.SMALL_PIXELS))
        self.setAccessibleName(tr(entry.title))
        self.setToolTip(f"{tr(entry.title)}  ({key})")

    def sizeHint(self) -> QSize:
        return QSize(60, 56)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        area = QRectF(self.rect())
        if self.isChecked() or self.underMouse() or self.isDown():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tones.pressed if self.isDown() else tones.raised))
            painter.drawRoundedRect(area, 8, 8)
        if self.focus_visible:
            ring(painter, area, 7)
        ink = tones.text if self.isChecked() or self.underMouse() else tones.muted
        icons.paint(painter, self.icon_name, QRectF((self.width() - 20) / 2, 9, 20, 20), ink)
        painter.setPen(QColor(ink))
        painter.setFont(self.font())
        painter.drawText(QRectF(0, 32, self.width(), 16), Qt.AlignmentFlag.AlignCenter, self.text())


class Rail(QWidget):
    """The workspaces there are; ``chosen(id)`` when the person picks one."""

    chosen = Signal(str)

    def __init__(self, entries: Sequence[Entry], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(tr("Workspaces"))
        self._group = QButtonGroup(self)
        self._buttons: list[RailButton] = []
        self._ids = [entry.id for entry in entries]
        self.menu_button = IconButton("menu", tr("Menu: appearance, shortcuts, about"), size=40, icon_size=20)
        self.menu_button.muted = True
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(4)
        for index, entry in enumerate(entries):
            button = RailButton(entry, str(index + 1))
            self._group.addButton(button, index)
            self._buttons.append(button)
            layout.addWidget(button)
        layout.addStretch(1)
        layout.addWidget(self.menu_button, 0, Qt.AlignmentFlag.AlignHCenter)
        self._group.idClicked.connect(lambda index: self.chosen.emit(self._ids[index]))
        theme.changed.connect(self.update)

    def set_current(self, id: str) -> None:
        """Show which workspace is in front."""
        self.button(id).setChecked(True)

    def button(self, id: str) -> RailButton:
        """The button of a workspace."""
        return self._buttons[self._ids.index(id)]

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("surface"))
        painter.fillRect(self.width() - 1, 0, 1, self.height(), theme.color("line"))
