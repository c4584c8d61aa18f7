"""A sheet over the toy lab's canvas, in which a target is made: a card with a title, its content, and two buttons."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.target_worker import Worker
from flow_explorer.widgets import Button, Label
from flow_explorer.widgets.plain import plain

__all__ = ["TargetSheet", "framed"]

_MARGIN = 24
_RADIUS = 12
_PLAIN, _LARGEST = 760, 1.7
"""In a canvas higher than so many pixels the card grows with it, up to so many times its size: a drawing wants room."""


def framed(plot: QWidget) -> QFrame:
    """A plot in a hairline: on the sheet, white paper would have no edge."""
    frame = QFrame()
    frame.setProperty("surface", "card")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(1, 1, 1, 1)
    layout.addWidget(plot)
    return frame


class TargetSheet(QWidget):
    """Covers its parent while it is open; the column on the right stays in reach. ``used(target)`` at "Use".

    Keys stay in the sheet while it has the focus: Escape leaves it, Tab goes round in it, and none of them plays or
    resets the training behind it. Put the content into ``body``; the focus goes to ``first``.
    """

    used = Signal(object)
    left = Signal()

    def __init__(self, title: str, parent: QWidget, width: int, height: int) -> None:
        super().__init__(parent)
        self._canvas = parent
        self._size = QSize(width, height)
        self.worker: Worker | None = None
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.card = QWidget(self)
        self.first: QWidget = self.card
        self.title = Label(title, "title")
        self.body = QVBoxLayout()
        self.body.setSpacing(12)
        self.sentence = Label("", "warning", wrap=True)
        self.sentence.setMinimumWidth(0)
        self.cancel = Button(tr("Cancel"), "plain", "", tr("Leave the target as it is.") + "\n" + tr("Escape"))
        self.use = Button(tr("Use"), "primary")
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.sentence, 1)
        foot.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignBottom)
        foot.addWidget(self.use, 0, Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self.card)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(self.title)
        layout.addLayout(self.body, 1)
        layout.addLayout(foot)
        self.cancel.clicked.connect(self.leave)
        self.use.clicked.connect(self.take)
        theme.changed.connect(self.update)
        self.allow()
        parent.installEventFilter(self)
        self.hide()

    # For the kinds to say

    def target(self) -> dict | None:
        """What "Use" is to use, or None where there is nothing yet."""
        raise TypeError(f"{type(self).__name__} does not define target")

    def width_at(self, height: int) -> int:
        """How wide the card would be at a height: what it is higher than planned, the square plot in it is wider, too."""
        return self._size.width() + max(0, height - self._size.height())

    def say(self, sentence: str, tone: str = "warning") -> None:
        """Say below the content what is wrong, or a remark; "" for nothing."""
        self.sentence.setText(sentence)
        self.sentence.set_tone(tone)

    def allow(self, reason: str = "") -> None:
        """Whether "Use" can be pressed: it can where there is no ``reason`` against it, which its tooltip says."""
        self.use.setEnabled(not reason)
        self.use.setToolTip(plain(reason or tr("Train on this from now on; undo brings the old target back.")))

    # Life

    def open_sheet(self) -> None:
        """Show the sheet over the canvas."""
        self._fit()
        self.show()
        self.raise_()
        self.first.setFocus(Qt.FocusReason.PopupFocusReason)

    def take(self) -> None:
        """Use what is here, and close; nothing happens where there is nothing to use."""
        target = self.target() if self.use.isEnabled() else None
        if target is not None:
            self.close_sheet()
            self.used.emit(target)

    def leave(self) -> None:
        """Close, and change nothing."""
        self.close_sheet()
        self.left.emit()

    def close_sheet(self) -> None:
        """Hide; the keys go to the window again."""
        window = self.window()
        self.hide()
        window.setFocus(Qt.FocusReason.OtherFocusReason)

    # Keys

    def event(self, event: QEvent) -> bool:
        overrides = event.type() == QEvent.Type.ShortcutOverride and self.isVisible()
        if overrides and isinstance(event, QKeyEvent) and self._keeps(event):
            event.accept()
            return True
        return super().event(event)

    def _keeps(self, event: QKeyEvent) -> bool:
        """Keys of the window that mean something else here."""
        undo, redo = QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo
        again = QKeySequence(event.keyCombination()) in (QKeySequence("Ctrl+Y"), QKeySequence("Ctrl+Shift+Z"))
        return event.matches(undo) or event.matches(redo) or again

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focus = QApplication.focusWidget()
            focus.click() if isinstance(focus, Button) else self.take()
        event.accept()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes round in the sheet."""
        inside, here = [], self.nextInFocusChain()
        while here is not None and here is not self:
            takes = bool(here.focusPolicy() & Qt.FocusPolicy.TabFocus)
            if takes and self.isAncestorOf(here) and here.isVisible() and here.isEnabled() and here.focusProxy() is None:
                inside.append(here)
            here = here.nextInFocusChain()
        if not inside:
            return False
        now = QApplication.focusWidget()
        index = inside.index(now) if now in inside else (-1 if forward else 0)
        reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
        inside[(index + (1 if forward else -1)) % len(inside)].setFocus(reason)
        return True

    # Looks

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._canvas and self.isVisible():
            self._fit()
        return False

    def _fit(self) -> None:
        room = self._canvas.size()
        self.setGeometry(0, 0, room.width(), room.height())
        grown = self._size.height() * min(_LARGEST, room.height() / _PLAIN) if room.height() > _PLAIN else self._size.height()
        height = min(round(grown), room.height() - 2 * 16)
        width = min(self.width_at(height), room.width() - 2 * _MARGIN)
        self.card.setGeometry((room.width() - width) // 2, (room.height() - height) // 2, width, height)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()  # not to the panels behind

    mouseReleaseEvent = mouseMoveEvent = mouseDoubleClickEvent = mousePressEvent

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        painter.fillRect(self.rect(), QColor(0, 0, 0, 130 if tones.dark else 70))
        painter.setPen(QPen(QColor(tones.line), 1))
        painter.setBrush(QColor(tones.surface))
        painter.drawRoundedRect(QRectF(self.card.geometry()).adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
