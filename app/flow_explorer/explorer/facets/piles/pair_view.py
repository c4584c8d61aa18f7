"""One pair large: the original, its translation, and the proof; below, the place for any further picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QMimeData, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.piles.dropping import is_picture
from flow_explorer.explorer.facets.piles.links import One
from flow_explorer.explorer.figures import bpd_tip
from flow_explorer.i18n import tr
from flow_explorer.widgets import Button, IconButton, Label, PictureLabel, ValueRow
from flow_explorer.widgets.dropping import DropTarget
from flow_explorer.widgets.elided import ElidedLabel
from flow_explorer.widgets.focus import ACTIVATION_KEYS, KeyboardFocus, ring

__all__ = ["FurtherZone", "PairView", "error_words"]

RADIUS = 8
CYCLE_BOUND = 1e-3
"""What comes back further from the original than this share of the range is told as a warning."""


def error_words(error: float) -> str:
    """A cycle error as a share of the range, to one digit: "0.0002 of the range"."""
    if error < 1e-6:
        return tr("less than 0.000001 of the range")
    digits = max(4, min(6, 1 - int(np.floor(np.log10(error))) - 1))
    return tr("{share} of the range", share=f"{error:.{digits}f}")


class PairView(QWidget):
    """Shows one original and its `One`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel("heading")
        self.original = PictureLabel(tr("The original"))
        self.translation = PictureLabel(tr("Its translation"), interactive=True)
        self.translation.setToolTip(tr("Drag it to a well, or out of the window."))
        for picture in (self.original, self.translation):
            picture.setMinimumSize(64, 64)
        self.cycle = ValueRow(tr("Taken back"), tooltip=tr(
            "The largest difference between the original and its translation taken back, in floating point.\n"
            "max |f⁻¹(T⁻¹(T(f(x)))) − x| / 256"))  # fmt: skip
        self.bits = ValueRow(tr("Bits"), tooltip=tr("Bits per dimension, of the original and of its translation.") + "\n"
                             + bpd_tip())  # fmt: skip
        self.problem = Label("", "warning", wrap=True)
        self.problem.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for part in (self.title, self.original, self.translation, self.problem, self.cycle, self.bits):
            layout.addWidget(part)
        layout.addStretch(1)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        # Two squares as wide as the column, or as high as its height leaves them.
        rest = sum(part.sizeHint().height() for part in (self.title, self.cycle, self.bits)) + 5 * 6
        for picture in (self.original, self.translation):
            picture.setFixedHeight(max(64, min(self.width(), (self.height() - rest) // 2)))

    def set_drag_data(self, drag_data: Callable[[], QMimeData | None]) -> None:
        """What leaves when the translation is dragged out."""
        self.translation.drag_data = drag_data

    def set_smooth(self, smooth: bool) -> None:
        self.original.set_smooth(smooth)
        self.translation.set_smooth(smooth)

    def show_pair(self, title: str, original: np.ndarray | None, one: One | None, problem: str = "") -> None:
        """`problem` is why there is no translation."""
        self.title.setText(title)
        self.original.set_array(original)
        self.translation.set_array(None if one is None or problem else one.picture)
        self.original.setAccessibleDescription(title)
        self.translation.setAccessibleDescription(title)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        there = one is not None and not problem
        waiting = "…" if there else "–"
        if one is None or not there or one.cycle_error is None:
            self.cycle.set_value(waiting)
            self.bits.set_value(waiting)
            return
        self.cycle.set_value(error_words(one.cycle_error), "warning" if one.cycle_error > CYCLE_BOUND else "")
        words = " → ".join("–" if value is None else f"{value:.2f}" for value in (one.bpd_before, one.bpd_after))
        self.bits.set_value(words + " " + tr("bpd"))


class FurtherZone(KeyboardFocus, DropTarget):
    """Where any further picture is dropped, to be translated the same way."""

    dropped = Signal(QMimeData)
    pick_wanted = Signal()
    picked = Signal()
    cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chosen = self._there = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("A further picture"))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(92)
        self.setToolTip(tr("Any picture is translated the same way: drop one here, or a sample."))
        self.words = Label("", "muted", wrap=True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pick = Button(tr("Choose a picture…"), "quiet", tooltip=tr("A picture file to translate"))
        self.thumbnail = PictureLabel(tr("The further picture"))
        self.thumbnail.setFixedSize(64, 64)
        self.thumbnail.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.name = ElidedLabel()
        self.clear = IconButton("close", tr("Take the further picture away"), size=28, icon_size=16)
        self.clear.muted = True
        self._invitation = QWidget()
        self._invitation.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        column = QVBoxLayout(self._invitation)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addStretch(1)
        column.addWidget(self.words)
        column.addWidget(self.pick, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self.thumbnail)
        layout.addWidget(self.name, 1)
        layout.addWidget(self.clear)
        layout.addWidget(self._invitation, 1)
        self.pick.clicked.connect(self.pick_wanted)
        self.clear.clicked.connect(self.cleared)
        theme.paint_with(self)
        self.show_picture(None, "", False)

    def show_picture(self, picture: np.ndarray | None, name: str, chosen: bool, problem: str = "") -> None:
        """The picture as the model sees it, or None for an empty place."""
        self._there, self._chosen = picture is not None, chosen
        self.thumbnail.set_array(picture)
        self.name.setText(name)
        for part in (self.thumbnail, self.name, self.clear):
            part.setVisible(self._there)
        self._invitation.setVisible(not self._there)
        self.words.setText(problem or tr("Drop any further picture here"))
        self.words.set_tone("warning" if problem else "muted")
        self.pick.setVisible(not problem)
        self.setAccessibleDescription(name)
        self.update()

    def mousePressEvent(self, event) -> None:
        if self._there and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit()

    def keyPressEvent(self, event) -> None:
        if self._there and event.key() in ACTIVATION_KEYS:
            self.picked.emit()
        elif self._there and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.cleared.emit()
        else:
            super().keyPressEvent(event)

    def takes(self, mime: QMimeData) -> bool:
        return is_picture(mime)

    def take(self, mime: QMimeData) -> None:
        self.dropped.emit(mime)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        colour = theme.color("accent") if self.hovering or self._chosen else QColor(theme.current().faint)
        style = Qt.PenStyle.SolidLine if self._there else Qt.PenStyle.DashLine
        painter.setPen(QPen(colour, 2 if self.hovering or self._chosen else 1, style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area, RADIUS, RADIUS)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), RADIUS)
        painter.end()
