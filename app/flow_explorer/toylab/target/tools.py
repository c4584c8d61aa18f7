"""The tools to draw with, as a column of buttons of which one is down, each with its key."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from flow_explorer import icons, theme
from flow_explorer.i18n import tr
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flow_explorer.widgets.plain import plain

__all__ = ["KEYS", "ToolColumn"]

KEYS = {"pen": "P", "air": "A", "eraser": "E", "magnet": "M"}
_ICONS = {"pen": "pen", "air": "spray", "eraser": "eraser", "magnet": "magnet"}


def _words() -> dict[str, tuple[str, str]]:
    return {
        "pen": (tr("Pen"), tr("Draws lines of full ink.")),
        "air": (tr("Air brush"), tr("Sprays softly: the longer it stays, the more ink there is.")),
        "eraser": (tr("Eraser"), tr("Takes ink away.")),
        "magnet": (tr("Magnet"), tr("Pulls the ink around it towards the pointer; none is lost.")),
    }


class _Tool(KeyboardFocus, QPushButton):
    def __init__(self, name: str, text: str, words: str) -> None:
        super().__init__(text)
        self.name = name
        self.setCheckable(True)
        self.setAccessibleName(text)
        self.setToolTip(plain(f"{words}\n{KEYS[name]}"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(160, 36)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones, area = theme.current(), QRectF(self.rect())
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tones.accent if self.isChecked() else tones.hover))
            painter.drawRoundedRect(area, 7, 7)
        ink = tones.accent_text if self.isChecked() else tones.text
        icons.paint(painter, _ICONS[self.name], QRectF(10, round(self.height() / 2 - 10), 20, 20), ink)
        painter.setPen(QColor(ink))
        painter.drawText(area.adjusted(40, 0, -30, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.setPen(QColor(ink if self.isChecked() else tones.muted))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(area.adjusted(0, 0, -12, 0), right, KEYS[self.name])
        if self.focus_visible:
            ring(painter, area.adjusted(2, 2, -2, -2), 5, theme.color("accent_text") if self.isChecked() else None)


class ToolColumn(QWidget):
    """``chosen(name)`` by the person, one of "pen", "air", "eraser", "magnet"."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Tool"))
        self.buttons: dict[str, _Tool] = {}
        group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for name, (text, words) in _words().items():
            button = self.buttons[name] = _Tool(name, text, words)
            group.addButton(button)
            layout.addWidget(button)
            button.clicked.connect(lambda _on, name=name: self.chosen.emit(name))
        self.buttons["pen"].setChecked(True)

    def set_current(self, name: str) -> None:
        """Show a tool as chosen without telling anybody."""
        self.buttons[name].setChecked(True)

    def current(self) -> str:
        """The chosen tool."""
        return next(name for name, button in self.buttons.items() if button.isChecked())
