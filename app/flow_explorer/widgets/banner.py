"""A line under the top bar that says what went wrong, or what just happened, and what would help."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from flow_explorer import icons, theme
from flow_explorer.i18n import tr
from flow_explorer.widgets.button import Button, IconButton
from flow_explorer.widgets.fold import Label
from flowcore.one_line import one_line

KINDS = {"error": ("warning", "warning"), "notice": ("accent", "info"), "good": ("good", "check")}


class Banner(QWidget):
    """A sentence with an optional "Copy details", an optional act, and a close button.

    Errors stay until they are closed; notices and good news go by themselves after ``linger_ms``.
    """

    closed = Signal()

    def __init__(self, linger_ms: int = 8000, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._details = ""
        self._act: Callable[[], object] | None = None
        self.kind = "notice"
        self.label = Label("", wrap=True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.act_button = Button("", "plain")
        self.details_button = Button(tr("Copy details"), "quiet", icon="copy")
        self.close_button = IconButton("close", tr("Close this message"), size=28, icon_size=14)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(44, 6, 8, 6)
        layout.setSpacing(8)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.act_button)
        layout.addWidget(self.details_button)
        layout.addWidget(self.close_button)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._timer = QTimer(self, singleShot=True, interval=linger_ms)
        self._timer.timeout.connect(self.close_message)
        self.close_button.clicked.connect(self.close_message)
        self.details_button.clicked.connect(self._copy)
        self.act_button.clicked.connect(self._run_act)
        theme.changed.connect(self.update)
        self.hide()

    def show_message(
        self, sentence: str, details: str = "", kind: str = "error", act: tuple[str, Callable[[], object]] | None = None
    ) -> None:
        """Show ``sentence``; ``details`` is what "Copy details" copies, ``act`` a (text, function) that would help.

        A sentence that is too long for a banner is cut in its middle, and is then among the details.
        """
        if kind not in KINDS:
            raise ValueError(f"banner kind {kind!r} is none of {', '.join(KINDS)}")
        shown = one_line(sentence)
        if len(shown) < len(sentence) and "…" in shown:
            details = f"{sentence}\n\n{details}" if details else sentence
        self.kind, self._details = kind, details
        self._act = act[1] if act else None
        self.label.setText(shown)
        self.setAccessibleName(shown)
        self.details_button.setText(tr("Copy details"))
        self.details_button.setVisible(bool(details))
        self.act_button.setVisible(act is not None)
        if act:
            self.act_button.setText(act[0])
            self.act_button.updateGeometry()
        self._timer.stop()
        if kind != "error" and not act:
            self._timer.start()
        self.show()
        self.update()

    @property
    def sentence(self) -> str:
        """The sentence that is shown, "" when there is none."""
        return self.label.text() if not self.isHidden() else ""

    @property
    def details(self) -> str:
        """What "Copy details" copies."""
        return self._details

    def close_message(self) -> None:
        """Take the message away."""
        self._timer.stop()
        if not self.isHidden():
            self.hide()
            self.closed.emit()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.label.text()}\n\n{self._details}")
        self.details_button.setText(tr("Copied"))
        self.details_button.updateGeometry()

    def _run_act(self) -> None:
        act = self._act
        self.close_message()
        if act is not None:
            act()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        tones = theme.current()
        tone, icon = KINDS[self.kind]
        ink = getattr(tones, tone)
        painter.fillRect(self.rect(), QColor(theme.mix(tones.surface, ink, 0.13 if tones.dark else 0.09)))
        painter.fillRect(QRectF(0, self.height() - 1, self.width(), 1), QColor(tones.line))
        icons.paint(painter, icon, QRectF(16, round(self.height() / 2 - 9), 18, 18), ink)
