"""Typed values: the flat figure at the right of a slider, and a whole number in a field of its own."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QKeyEvent, QKeySequence, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QSpinBox, QWidget

from flow_explorer import theme
from flow_explorer.widgets.plain import plain

_MARGIN = 6


def _wants_the_windows_undo(event: QEvent, edited: bool) -> bool:
    """Whether ``event`` is Ctrl+Z (or redo) in a field with nothing typed to take back: the window's history's turn."""
    if edited or event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    return event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo)


class ValueText(QLineEdit):
    """A figure that looks like text until it is pointed at, and is typed over when clicked.

    ``typed(text)`` on Enter or when the focus leaves after an edit; Escape gives the old figure back.
    """

    typed = Signal(str)

    def __init__(self, text: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._shown = text
        self.setAccessibleName(name)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setTextMargins(0, 0, -5, 0)  # Qt's own margins, and the cursor's place
        self.textEdited.connect(self._fit)
        self.editingFinished.connect(self._finish)
        theme.changed.connect(self._style)
        self._style()
        self._fit()

    def set_shown(self, text: str) -> None:
        """Show ``text``; an edit under way is not disturbed."""
        self._shown = text
        if not (self.hasFocus() and self.isModified()) and text != self.text():
            self.setText(text)
            self._fit()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self.font()).horizontalAdvance(self.text()) + 2 * _MARGIN + 5
        return QSize(round(max(36, min(width, 140))), 24)

    minimumSizeHint = sizeHint

    def event(self, event: QEvent) -> bool:
        if _wants_the_windows_undo(event, self.isModified()):
            event.ignore()
            return False
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.selectAll()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if not self.isModified() and not self.hasSelectedText():
            self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setText(self._shown)
            self._fit()
            self.clearFocus()
            return
        super().keyPressEvent(event)

    def _finish(self) -> None:
        if self.isModified():
            self.setModified(False)
            self.typed.emit(self.text())
            self.setText(self._shown)
            self._fit()

    def _fit(self, *_unused: object) -> None:
        self.setFixedWidth(self.sizeHint().width())

    def _style(self) -> None:
        tones = theme.current()
        # At rest the figure ends where the track below it ends; while it is typed over it stands in a box.
        self.setStyleSheet(
            f"QLineEdit {{ background: transparent; border: 1px solid transparent; border-radius: 5px;"
            f" padding: 0 0 0 {_MARGIN}px; color: {tones.text}; }}"
            f"QLineEdit:hover:!focus {{ color: {tones.link}; }}"
            f"QLineEdit:focus {{ background: {tones.raised}; border-color: {tones.accent};"
            f" padding: 0 {_MARGIN}px 0 0; }}"
        )


class NumberField(QSpinBox):
    """A whole number that is typed or stepped by arrow keys (a seed). ``value_changed(int)`` for acts of the person."""

    value_changed = Signal(int)

    def __init__(
        self, name: str, minimum: int = 0, maximum: int = 2**31 - 1, value: int = 0, prefix: str = "",
        tooltip: str = "", width: int = 0, parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(plain(tooltip))
        self.setRange(minimum, maximum)
        self.setPrefix(prefix)
        self.setValue(value)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(32)
        self.lineEdit().setTextMargins(8, 0, 8, 0)
        if width:
            self.setFixedWidth(width)
        self._told = value
        self.valueChanged.connect(self._tell)

    def set_value(self, value: int) -> None:
        """Show ``value`` without emitting anything."""
        self._told = value
        self.setValue(value)

    def _tell(self, value: int) -> None:
        if value != self._told:
            self._told = value
            self.value_changed.emit(value)

    def event(self, event: QEvent) -> bool:
        if _wants_the_windows_undo(event, self.lineEdit().isModified()):
            event.ignore()
            return False
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
