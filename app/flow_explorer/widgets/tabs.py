"""Views of one place as words in a row: the chosen one in full ink, the others muted."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.widgets.button import _Painted
from flow_explorer.widgets.focus import ring
from flow_explorer.widgets.plain import plain

__all__ = ["Tabs"]

HEIGHT = 28
PAD = 8


class _Tab(_Painted):
    def __init__(self, text: str, tooltip: str) -> None:
        super().__init__(text, None)
        self.setCheckable(True)
        self.setToolTip(plain(tooltip))
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def _strong(self) -> QFont:
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def sizeHint(self) -> QSize:
        # As wide as its chosen state, so that choosing one moves no other.
        return QSize(round(QFontMetricsF(self._strong()).horizontalAdvance(self.text()) + 2 * PAD + 0.5), HEIGHT)

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones, area = theme.current(), QRectF(self.rect())
        if self.focus_visible:
            ring(painter, area, 5)
        bright = self.isChecked() or self.underMouse()
        painter.setPen(QColor(tones.text if bright else tones.muted))
        painter.setFont(self._strong() if self.isChecked() else self.font())
        painter.drawText(area.adjusted(0, 0, 0, -4), Qt.AlignmentFlag.AlignCenter, self.text())
        if self.isChecked():
            line = QRectF(PAD, self.height() - 3, self.width() - 2 * PAD, 2)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tones.accent))
            painter.drawRoundedRect(line, 1, 1)


class Tabs(QWidget):
    """``options`` are (key, text, tooltip); ``chosen(key)`` is for acts of the person only; arrow keys move the choice."""

    chosen = Signal(str)

    def __init__(self, options: Sequence[tuple[str, str, str]], name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._keys = [key for key, _, _ in options]
        self._group = QButtonGroup(self)
        self._tabs: list[_Tab] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for index, (_key, text, tooltip) in enumerate(options):
            tab = _Tab(text, tooltip)
            self._group.addButton(tab, index)
            self._tabs.append(tab)
            row.addWidget(tab)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(lambda index: self.chosen.emit(self._keys[index]))

    def current(self) -> str:
        """The key of the chosen one."""
        return self._keys[self._group.checkedId()]

    def set_current(self, key: str) -> None:
        """Choose ``key`` without telling anybody; raises ValueError for a key that is not there."""
        self._group.button(self._keys.index(key)).setChecked(True)

    def button(self, key: str) -> _Tab:
        """The button of ``key``."""
        return self._tabs[self._keys.index(key)]
