"""The first steps: a small card over the canvas that goes for good when it is understood."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app import theme
from app.i18n import tr
from app.widgets.button import Button
from app.widgets.fold import Label

WIDTH = 360
_SHADOW = 12
_MARGIN = 16


class HintCard(QWidget):
    """Floats at the lower right of ``host``. ``words`` may have several lines: each becomes a numbered step."""

    def __init__(
        self, words: str, understood: Callable[[], object], show_keys: Callable[[], object], host: QWidget
    ) -> None:
        super().__init__(host)
        self._understood = understood
        self.setAccessibleName(tr("First steps"))
        lines = [line.strip() for line in words.splitlines() if line.strip()]
        layout = QVBoxLayout(self)
        edge = _SHADOW + 20
        layout.setContentsMargins(edge, edge - 4, edge, edge)
        layout.setSpacing(10)
        layout.addWidget(Label(tr("First steps"), "strong"))
        for number, line in enumerate(lines, 1):
            row = QHBoxLayout()
            row.setSpacing(10)
            if len(lines) > 1:
                row.addWidget(_Number(number), 0, Qt.AlignmentFlag.AlignTop)
            row.addWidget(Label(line, wrap=True), 1)
            layout.addLayout(row)
        layout.addSpacing(4)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        self.keys_button = Button(tr("Show the keys"), "quiet", icon="keyboard")
        self.done_button = Button(tr("Got it"), "primary")
        buttons.addWidget(self.keys_button)
        buttons.addStretch(1)
        buttons.addWidget(self.done_button)
        layout.addLayout(buttons)
        self.keys_button.clicked.connect(lambda _checked=False: show_keys())
        self.done_button.clicked.connect(self.dismiss)
        self.setFixedWidth(WIDTH + 2 * _SHADOW)
        host.installEventFilter(self)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.show()
        self._place()

    def dismiss(self) -> None:
        """Understood: never shown again by itself."""
        self._understood()
        self.close()

    def _place(self) -> None:
        host = self.parentWidget()
        height = self.layout().heightForWidth(self.width()) if self.layout().hasHeightForWidth() else -1
        self.resize(self.width(), height if height > 0 else self.sizeHint().height())
        inset = _MARGIN - _SHADOW
        self.move(host.width() - self.width() - inset, host.height() - self.height() - inset)
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if watched is self.parentWidget() and event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._place()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        card = QRectF(self.rect()).adjusted(_SHADOW, _SHADOW, -_SHADOW, -_SHADOW)
        painter.setPen(Qt.PenStyle.NoPen)
        for spread in range(_SHADOW, 0, -2):
            painter.setBrush(QColor(0, 0, 0, 12 if tones.dark else 6))
            painter.drawRoundedRect(card.adjusted(-spread, -spread + 3, spread, spread + 3), 10 + spread, 10 +
            spread)
        painter.setPen(QPen(QColor(tones.line), 1))
        painter.setBrush(QColor(tones.surface))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)


class _Number(QWidget):
    """A step's number in a disc of the accent."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.setFont(theme.font(theme.SMALL_PIXELS, bold=True))
        self.setFixedSize(20, 20)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        painter.drawEllipse(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        painter.setPen(theme.color("accent_text"))
        painter.setFont(self.font())
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, str(self._number))
