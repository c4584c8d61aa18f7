"""One of a few (``Segmented``), one of many (``Choice``), yes or no (``Toggle``)."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QComboBox, QGridLayout, QSizePolicy, QWidget

from flow_explorer import icons, theme
from flow_explorer.widgets.button import HEIGHT, RADIUS, _Painted
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flow_explorer.widgets.plain import plain


class _Segment(_Painted):
    """One option of a ``Segmented``: filled with the accent while it is the chosen one."""

    def __init__(self, text: str, tooltip: str, compact: bool) -> None:
        super().__init__(text, None)
        self._compact = compact
        self.setCheckable(True)
        self.setToolTip(plain(tooltip))
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.MinimumExpanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self.font()).horizontalAdvance(self.text()) + (12 if self._compact else 22)
        return QSize(round(width + 0.5), HEIGHT - (4 if self._compact else 0))

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        kind = "primary" if self.isChecked() else "plain"
        self._background(painter, kind)
        painter.setPen(QColor(self._ink(kind)))
        painter.setFont(self.font())
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, self.text())


class Segmented(QWidget):
    """A row (or rows) of options of which exactly one is chosen; arrow keys move the choice.

    ``options`` are (key, text) or (key, text, tooltip) tuples. ``chosen(key)`` is emitted for acts of the
    person only, never by ``set_current``.
    """

    chosen = Signal(str)

    def __init__(
        self, options: Sequence[tuple[str, ...]], name: str = "", columns: int = 0, compact: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._keys = [option[0] for option in options]
        self._group = QButtonGroup(self)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        columns = columns or len(options)
        for index, (_key, text, *rest) in enumerate(options):
            segment = _Segment(text, rest[0] if rest else "", compact)
            self._group.addButton(segment, index)
            # The last fills its row.
            span = columns - index % columns if index == len(options) - 1 else 1
            layout.addWidget(segment, index // columns, index % columns, 1, span)
        self._group.buttonToggled.connect(lambda _button, on: on and self._let_tab_in())
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(lambda index: self.chosen.emit(self._keys[index]))

    def _let_tab_in(self) -> None:
        """Tab enters at the chosen option; Qt lets it in where the keyboard was last, or at the first."""
        for segment in self._group.buttons():
            segment.setFocusPolicy(Qt.FocusPolicy.TabFocus if segment.isChecked() else Qt.FocusPolicy.NoFocus)

    def current(self) -> str:
        """The key of the chosen option."""
        return self._keys[self._group.checkedId()]

    def set_current(self, key: str) -> None:
        """Choose ``key`` without telling anybody; raises ValueError for a key that is not there."""
        self._group.button(self._keys.index(key)).setChecked(True)

    def button(self, key: str) -> QAbstractButton:
        """The button of ``key`` (to disable it, or to click it in a test)."""
        return self._group.button(self._keys.index(key))


class Choice(KeyboardFocus, QComboBox):
    """A drop-down list painted like our buttons; ``chosen(key)`` for acts of the person only."""

    chosen = Signal(str)

    def __init__(
        self, options: Sequence[tuple[str, str]] = (), name: str = "", tooltip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(plain(tooltip))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setMaxVisibleItems(16)
        self.set_options(options)
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))
        theme.changed.connect(self.update)

    def set_options(self, options: Sequence[tuple[str, str]]) -> None:
        """Replace the (key, text) options, keeping the chosen key where it is still there."""
        before = self.current()
        self.clear()
        for key, text in options:
            self.addItem(text, key)
        if before is not None and self.findData(before) >= 0:
            self.setCurrentIndex(self.findData(before))

    def current(self) -> str | None:
        """The key of the chosen option, None where there are none."""
        return self.currentData()

    def set_current(self, key: str) -> None:
        """Choose ``key`` without telling anybody; raises ValueError for a key that is not there."""
        index = self.findData(key)
        if index < 0:
            raise ValueError(f"no option {key!r}")
        self.setCurrentIndex(index)

    def set_offered(self, key: str, offered: bool) -> None:
        """Whether the option ``key`` can be chosen; one that cannot stays in the list, greyed."""
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        model.item(self.findData(key)).setEnabled(offered)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # scrolling the inspector must not change what is chosen

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self.font())
        widest = max((metrics.horizontalAdvance(self.itemText(i)) for i in range(self.count())), default=40)
        return QSize(round(widest + 44), HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), 64), HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        painter.setPen(Qt.PenStyle.NoPen)
        hover = self.underMouse() and self.isEnabled()
        painter.setBrush(QColor(tones.hover if hover else tones.raised))
        painter.drawRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), RADIUS - 1)
        area = QRectF(12, 0, self.width() - 12 - 30, self.height())
        text = QFontMetricsF(self.font()).elidedText(self.currentText(), Qt.TextElideMode.ElideRight, area.width() + 1)
        painter.setFont(self.font())
        painter.setPen(QColor(tones.text if self.isEnabled() else tones.faint))
        painter.drawText(area.adjusted(0, 0, 1, 0), Qt.AlignmentFlag.AlignVCenter, text)
        chevron = QRectF(self.width() - 27, round(self.height() / 2 - 8), 16, 16)
        icons.paint(painter, "chevron-down", chevron, tones.muted if self.isEnabled() else tones.faint)


class Toggle(KeyboardFocus, QAbstractButton):
    """A switch with its words on the left; ``toggled(bool)`` as of any checkable button."""

    def __init__(self, text: str, tooltip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setAccessibleName(text)
        self.setToolTip(plain(tooltip))
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._place = 0.0
        self._motion = QVariantAnimation(self)
        self._motion.setDuration(120)
        self._motion.valueChanged.connect(self._move)
        self.toggled.connect(self._slide)
        theme.changed.connect(self.update)

    def _move(self, value: float) -> None:
        self._place = float(value)
        self.update()

    def _slide(self, on: bool) -> None:
        self._motion.stop()
        if not (self.isVisible() and theme.animations_enabled()):
            self._move(float(on))
            return
        self._motion.setStartValue(self._place)
        self._motion.setEndValue(float(on))
        self._motion.start()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self.font()).horizontalAdvance(self.text())
        return QSize(round(width + 12 + 32), 24)

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        painter.setFont(self.font())
        painter.setPen(QColor(tones.text if self.isEnabled() else tones.faint))
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignVCenter, self.text())
        slot = QRectF(self.width() - 32, (self.height() - 18) / 2, 32, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        on = tones.accent if self.isEnabled() else tones.faint
        painter.setBrush(QColor(theme.mix(tones.track, on, self._place)))
        painter.drawRoundedRect(slot, 9, 9)
        painter.setBrush(QColor("#ffffff"))
        painter.drawEllipse(QRectF(slot.left() + 2 + 14 * self._place, slot.top() + 2, 14, 14))
        if self.focus_visible:
            ring(painter, slot.adjusted(-1, -1, 1, 1), 9)
