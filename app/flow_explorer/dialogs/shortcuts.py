"""The sheet of keys: what every key does, those of the workspace in front first."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.dialogs.sheet import Sheet
from flow_explorer.i18n import tr
from flow_explorer.widgets.fold import Heading, Label
from flow_explorer.workspace import Command, Entry


class KeyCap(QWidget):
    """A key, drawn as one: "Ctrl" "Z" for "Ctrl+Z"."""

    def __init__(self, keys: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        native = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText) or keys
        self.parts = native.split("+") if len(native) > 1 and not native.endswith("+") else [native]
        self.setFont(theme.font(12))
        self.setAccessibleName(native)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def _widths(self) -> list[float]:
        metrics = QFontMetricsF(self.font())
        return [max(24.0, metrics.horizontalAdvance(part) + 14) for part in self.parts]

    def sizeHint(self) -> QSize:
        return QSize(round(sum(self._widths()) + 4 * (len(self.parts) - 1)), 24)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        tones = theme.current()
        left = 0.0
        for part, width in zip(self.parts, self._widths(), strict=True):
            area = QRectF(left + 0.5, 0.5, width - 1, 23)
            painter.setPen(QColor(tones.line))
            painter.setBrush(QColor(tones.raised))
            painter.drawRoundedRect(area, 5, 5)
            painter.setPen(QColor(tones.text))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, part)
            left += width + 4


class ShortcutsSheet(Sheet):
    """Lists the commands of the workspace in front, then those of the window."""

    def __init__(
        self, title: str, commands: Sequence[Command], entries: Sequence[Entry], parent: QWidget | None = None
    ) -> None:
        super().__init__(tr("Keyboard shortcuts"), parent, 520, 640)
        self.rows: list[tuple[str, tuple[str, ...]]] = []
        if commands:
            self._group(title, [(command.text, command.keys) for command in commands])
        self._group(
            tr("Everywhere"),
            [
                *((tr("Go to {name}", name=tr(e.title)), (str(i + 1),)) for i, e in enumerate(entries)),
                (tr("Undo"), ("Ctrl+Z",)),
                (tr("Redo"), ("Ctrl+Shift+Z", "Ctrl+Y")),
                (tr("History, to return to any act"), ("Ctrl+H",)),
                (tr("Save"), ("Ctrl+S",)),
                (tr("Save the session as a file"), ("Ctrl+Shift+S",)),
                (tr("Open a session"), ("Ctrl+Shift+O",)),
                (tr("Next control, previous control"), ("Tab", "Shift+Tab")),
                (tr("Step a slider; ten steps"), ("Left", "Shift+Left")),
                (tr("A slider's smallest, largest value"), ("Home", "End")),
                (tr("Hide or show the inspector"), ("Ctrl+\\",)),
                (tr("This sheet"), ("F1", "?")),
                (tr("Quit"), ("Ctrl+Q",)),
            ],
        )
        self.body.addStretch(1)

    def _group(self, title: str, rows: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        if self.rows:
            self.body.addSpacing(16)
        self.body.addWidget(Heading(title))
        for text, keys in rows:
            line = QHBoxLayout()
            line.setSpacing(12)
            line.addWidget(Label(text), 1)
            for index, key in enumerate(keys):
                if index:
                    line.addWidget(Label(tr("or"), "muted"))
                line.addWidget(KeyCap(key))
            self.body.addLayout(line)
            self.rows.append((text, tuple(keys)))
