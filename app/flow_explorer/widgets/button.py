"""Buttons: with words, with an icon alone, and the chip that shows a choice in two tones."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QPushButton, QSizePolicy, QWidget

from flow_explorer import icons, theme
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flow_explorer.widgets.plain import plain

KINDS = ("primary", "plain", "quiet", "danger")
HEIGHT = 32
RADIUS = 7


class _Painted(KeyboardFocus, QPushButton):
    """What the buttons share: hover and press tones, and the ring."""

    def __init__(self, text: str, parent: QWidget | None) -> None:
        super().__init__(text, parent)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        # Not by a click: Space after "New samples" must play the walk, not press the button again.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def _surface(self, kind: str) -> str | None:
        tones = theme.current()
        down = self.isDown() or (self.menu() is not None and self.menu().isVisible())
        hover = self.underMouse() and self.isEnabled()
        if kind == "primary":
            if not self.isEnabled():
                return tones.raised
            return theme.mix(tones.accent, "#000000", 0.14) if down else tones.accent_hover if hover else tones.accent
        if down:
            return tones.pressed
        if hover:
            return tones.hover
        return None if kind == "quiet" else tones.raised

    def _ink(self, kind: str) -> str:
        tones = theme.current()
        if not self.isEnabled():
            return tones.faint
        return {"primary": tones.accent_text, "danger": tones.warning_text}.get(kind, tones.text)

    def _background(self, painter: QPainter, kind: str, radius: float = RADIUS) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill = self._surface(kind)
        area = QRectF(self.rect())
        if fill is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(fill))
            painter.drawRoundedRect(area, radius, radius)
        if self.focus_visible:
            if kind == "primary":
                ring(painter, area.adjusted(2, 2, -2, -2), radius - 2, theme.color("accent_text"))
            else:
                ring(painter, area, radius - 1)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.EnabledChange):
            self.updateGeometry()
        super().changeEvent(event)


class Button(_Painted):
    """A push button with words, an optional icon, and a chevron when it has a menu.

    ``kind`` is "primary" (one a view: the act one came for), "plain", "quiet" (no surface until pointed at)
    or "danger".
    """

    def __init__(
        self, text: str, kind: str = "plain", icon: str = "", tooltip: str = "", parent: QWidget | None = None
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"button kind {kind!r} is none of {', '.join(KINDS)}")
        super().__init__(text, parent)
        self.kind = kind
        self.icon_name = icon
        self.setToolTip(plain(tooltip))

    def set_icon(self, name: str) -> None:
        """Show another icon ("" for none)."""
        if name != self.icon_name:
            self.icon_name = name
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self.font()).horizontalAdvance(_plain(self.text())) + 26
        width += (18 + (6 if self.text() else -10)) if self.icon_name else 0
        width += 16 if self.menu() is not None else 0
        return QSize(round(width + 0.5), HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._background(painter, self.kind)
        ink = self._ink(self.kind)
        content = self.sizeHint().width() - 26
        left = (self.width() - content) / 2
        middle = self.height() / 2
        if self.icon_name:
            icons.paint(painter, self.icon_name, QRectF(round(left - 1), round(middle - 9), 18, 18), ink)
            left += 18 + (6 if self.text() else 0)
        painter.setPen(QColor(ink))
        painter.setFont(self.font())
        width = QFontMetricsF(self.font()).horizontalAdvance(_plain(self.text()))
        area = QRectF(left, 0, max(width + 1, 0), self.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextHideMnemonic, self.text())
        if self.menu() is not None:
            icons.paint(painter, "chevron-down", QRectF(self.width() - 26, round(middle - 8), 16, 16), ink)


class IconButton(_Painted):
    """A square button with an icon alone; ``name`` is what a screen reader says and the tooltip's first line."""

    def __init__(
        self, icon: str, name: str, size: int = HEIGHT, icon_size: int = 18, checkable: bool = False,
        tooltip: str = "", parent: QWidget | None = None,
    ) -> None:
        super().__init__("", parent)
        self.icon_name = icon
        self._size, self._icon_size = size, icon_size
        self.muted = False
        self.setCheckable(checkable)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_name(name, tooltip)

    def set_icon(self, name: str) -> None:
        """Show another icon."""
        if name != self.icon_name:
            self.icon_name = name
            self.update()

    def set_name(self, name: str, tooltip: str = "") -> None:
        """Change the accessible name, and the tooltip (by default the same words)."""
        self.setAccessibleName(name)
        self.setToolTip(plain(tooltip or name))

    def sizeHint(self) -> QSize:
        return QSize(self._size, self._size)

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._background(painter, "plain" if self.isChecked() else "quiet", min(RADIUS, self._size / 4))
        side = self._icon_size
        area = QRectF(round((self.width() - side) / 2), round((self.height() - side) / 2), side, side)
        tones = theme.current()
        if not self.isEnabled():
            ink = tones.faint
        elif self.isChecked():
            ink = tones.link
        else:
            ink = tones.muted if self.muted and not self.underMouse() else tones.text
        icons.paint(painter, self.icon_name, area, ink)


class ChipButton(_Painted):
    """What is chosen, in two tones, with an optional dot: "Faces  Glow 32×32 · 3.89 bpd ⌄", "● CPU, 2 threads"."""

    def __init__(self, text: str = "", secondary: str = "", parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._text, self._secondary = text, secondary
        self._dot: str | None = None
        self._dot_phase = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._name()

    def set_texts(self, text: str, secondary: str = "") -> None:
        """Show ``text`` and, muted and elided first, ``secondary``."""
        if (text, secondary) != (self._text, self._secondary):
            self._text, self._secondary = text, secondary
            self._name()
            self.updateGeometry()
            self.update()

    def set_dot(self, tone: str | None, phase: float = 1.0) -> None:
        """Show a dot in the theme's colour ``tone`` (None: no dot); ``phase`` 0..1 is its opacity, for a pulse."""
        if (tone is None) != (self._dot is None):
            self.updateGeometry()
        if tone != self._dot or phase != self._dot_phase:
            self._dot, self._dot_phase = tone, phase
            self.update()

    @property
    def dot(self) -> str | None:
        """The theme colour of the dot."""
        return self._dot

    @property
    def texts(self) -> tuple[str, str]:
        """The two texts shown."""
        return self._text, self._secondary

    def _name(self) -> None:
        self.setAccessibleName(f"{self._text} {self._secondary}".strip())

    def _widths(self) -> tuple[float, float]:
        metrics = QFontMetricsF(self.font())
        gap = 10 if self._secondary else 0
        return metrics.horizontalAdvance(self._text), metrics.horizontalAdvance(self._secondary) + gap

    def _extra(self) -> float:
        return 24 + (18 if self._dot else 0) + (20 if self.menu() is not None else 0)

    def sizeHint(self) -> QSize:
        first, second = self._widths()
        return QSize(round(first + second + self._extra() + 1.5), HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(round(min(self._widths()[0], 160) + self._extra() + 1.5), HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._background(painter, "plain")
        tones = theme.current()
        left, middle = 12.0, self.height() / 2
        if self._dot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(self._dot, 0.35 + 0.65 * self._dot_phase))
            painter.drawEllipse(QPointF(left + 4, middle), 4, 4)
            left += 18
        right = self.width() - 12.0 - (20 if self.menu() is not None else 0)
        metrics = QFontMetricsF(self.font())
        painter.setFont(self.font())
        first = metrics.elidedText(self._text, Qt.TextElideMode.ElideRight, right - left)
        painter.setPen(QColor(tones.text if self.isEnabled() else tones.faint))
        painter.drawText(QRectF(left, 0, right - left, self.height()), Qt.AlignmentFlag.AlignVCenter, first)
        left += metrics.horizontalAdvance(first) + 10
        if self._secondary and right - left > 24:
            second = metrics.elidedText(self._secondary, Qt.TextElideMode.ElideRight, right - left + 0.5)
            painter.setPen(QColor(tones.muted if self.isEnabled() else tones.faint))
            painter.drawText(QRectF(left, 0, right - left + 1, self.height()), Qt.AlignmentFlag.AlignVCenter,
            second)
        if self.menu() is not None:
            icons.paint(painter, "chevron-down", QRectF(self.width() - 28, round(middle - 8), 16, 16),
            tones.muted)


def _plain(text: str) -> str:
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def click(button: QAbstractButton) -> None:
    """Press ``button`` as the keyboard would, with its feedback."""
    button.animateClick()
