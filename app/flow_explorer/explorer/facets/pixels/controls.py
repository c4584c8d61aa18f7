"""Pixels' part of the column on the right: how far one looks and how strongly, or brush, colours and plausibility."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QColorDialog, QHBoxLayout, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.pixels.state import BRUSH_MAX, PixelsState
from flow_explorer.i18n import tr
from flow_explorer.widgets import Button, Choice, Heading, IconButton, Label, ValueRow, ValueSlider
from flowcore.pictures.painting import palette

__all__ = ["Controls"]

COLOURS = 6
Colour = tuple[int, int, int]


class ColourButton(IconButton):
    """A disc of a colour; the one that is painted with has a ring."""

    def __init__(self, name: str, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__("picture", name, size=28, checkable=True, tooltip=tooltip, parent=parent)
        self.colour: Colour = (255, 255, 255)

    def set_colour(self, colour: Colour) -> None:
        if colour != self.colour:
            self.colour = colour
            self.setAccessibleDescription(QColor(*colour).name())
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(28, 28)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._background(painter, "quiet")
        painter.setBrush(QColor(*self.colour))
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawEllipse(QRectF(self.rect()).adjusted(6, 6, -6, -6))
        if self.isChecked():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.drawEllipse(QRectF(self.rect()).adjusted(3, 3, -3, -3))
        painter.end()


class LookControls(QWidget):
    """The size of what moves, and of a z that is picked which of its numbers, and how strongly it is shown."""

    reach_changed = Signal(float)
    """In pixels."""
    opacity_changed = Signal(float)
    channel_chosen = Signal(int)
    back_wanted = Signal()
    rested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.reach = ValueSlider(tr("Region"), 0.0, 16.0, 0.0, step=0.5, decimals=1, unit=tr("px"), tooltip=tr(
            "How far around the pixel its neighbours change together with it; 0 is the pixel alone.\n"
            "v is 1 within this radius, 0 elsewhere"))  # fmt: skip
        self.place = Label("", "muted", wrap=True)
        self.channel = Choice(name=tr("Which numbers of this place"),
                              tooltip=tr("All numbers of z at this place, or one of them.\n√Σ (∂x/∂z)² over them"))
        self.opacity = ValueSlider(tr("Opacity"), 0.0, 1.0, 0.8, step=0.01, decimals=2, tone="z",
                                   tooltip=tr("How strongly the pixels that this z moves are laid over the picture"))
        self.back = Button(tr("Back to the pixel"), tooltip=tr("Show again which z the pixel moves (Esc)"))
        self.hint = Label(tr("Click a place in a map to see which pixels that z moves"), "muted", wrap=True)
        for part in (self.reach, self.hint, self.place, self.channel, self.opacity, self.back):
            column.addWidget(part)
        self.reach.value_changed.connect(self.reach_changed)
        self.opacity.value_changed.connect(self.opacity_changed)
        for slider in (self.reach, self.opacity):
            slider.editing_finished.connect(self.rested)
        self.channel.chosen.connect(lambda key: self.channel_chosen.emit(int(key)))
        self.back.clicked.connect(self.back_wanted)

    def show_look(self, state: PixelsState, side: int, place: str, channels: int) -> None:
        """`side` is the picture's longer one; `place` says which z is picked, "" for none, of how many numbers."""
        reach = round(state.reach * side, 1)
        if reach != self.reach.value():
            self.reach.set_value(reach)
        if state.opacity != self.opacity.value():
            self.opacity.set_value(state.opacity)
        picked = bool(place)
        self.reach.setVisible(not picked)
        self.hint.setVisible(not picked)
        self.place.setText(place)
        for part in (self.place, self.channel, self.opacity, self.back):
            part.setVisible(picked)
        self.channel.setVisible(channels > 1)
        if not picked:
            return
        if self.channel.count() != channels + 1:
            numbers = [(str(number), tr("Number {number}", number=number + 1)) for number in range(channels)]
            self.channel.set_options([("-1", tr("All {count} numbers of this place", count=channels)), *numbers])
        self.channel.set_current(str(state.place.channel if state.place is not None and state.place.channel < channels else -1))


class PaintControls(QWidget):
    """Brush, colours, eraser; how plausible; what came of it."""

    brush_changed = Signal(float)
    """Its radius as a share of the picture."""
    colour_chosen = Signal(object)
    erasing_chosen = Signal()
    amount_changed = Signal(float)
    clear_wanted = Signal()
    rested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.brush = ValueSlider(tr("Brush"), 1.0, 100 * BRUSH_MAX, 4.0, step=0.5, decimals=1, unit="%", tooltip=tr(
            "The brush's radius, in percent of the picture's longer side"))  # fmt: skip
        column.addWidget(self.brush)
        colours = QHBoxLayout()
        colours.setSpacing(2)
        self.palette_buttons = [ColourButton(tr("Colour {number} of the picture", number=number + 1),
                                             tr("Paint with this colour of the picture")) for number in range(COLOURS)]
        self.other_colour = ColourButton(tr("Another colour"), tr("Choose any colour to paint with"))
        self.eraser = Button(tr("Eraser"), "plain", tooltip=tr("Take the original back where you paint"))
        self.eraser.setCheckable(True)
        for button in (*self.palette_buttons, self.other_colour):
            colours.addWidget(button)
        colours.addStretch(1)
        column.addLayout(colours)
        tools = QHBoxLayout()
        tools.setSpacing(8)
        self.clear = Button(tr("Take all strokes off"), tooltip=tr("The picture as it was; Undo brings the strokes back"))
        tools.addWidget(self.eraser)
        tools.addWidget(self.clear)
        tools.addStretch(1)
        column.addLayout(tools)
        column.addWidget(Heading(tr("Make it plausible")))
        self.amount = ValueSlider(tr("Amount"), 0.0, 1.0, 1.0, step=0.01, decimals=2, tone="z", tooltip=tr(
            "Shrink only what the stroke made untypical: 0 is what you painted, exactly.\n"
            "Δz beyond ±1.5 standard deviations is taken back by this share"))  # fmt: skip
        column.addWidget(self.amount)
        self.kept = ValueRow(tr("Kept of the stroke"), tooltip=tr(
            "How much of the stroke's change is still there where you painted, in percent.\n"
            "1 − Σ|plausible − painted| / Σ|painted − before|"))  # fmt: skip
        self.outside = ValueRow(tr("Changed elsewhere"), tooltip=tr(
            "How far the rest of the picture has moved, mean of its pixels, in grey levels of 256.\n"
            "mean |plausible − painted| outside the stroke"))  # fmt: skip
        column.addWidget(self.kept)
        column.addWidget(self.outside)
        self._palette_of: np.ndarray | None = None
        self._colour: Colour = (0, 0, 0)
        self.brush.value_changed.connect(lambda value: self.brush_changed.emit(value / 100))
        self.amount.value_changed.connect(self.amount_changed)
        for slider in (self.brush, self.amount):
            slider.editing_finished.connect(self.rested)
        for button in self.palette_buttons:
            button.clicked.connect(lambda _checked=False, button=button: self.colour_chosen.emit(button.colour))
        self.other_colour.clicked.connect(self._ask_colour)
        self.eraser.clicked.connect(self.erasing_chosen)
        self.clear.clicked.connect(self.clear_wanted)

    def show_paint(
        self, state: PixelsState, picture: np.ndarray | None, strokes: int, kept: float | None, outside: float
    ) -> None:
        """The brush, the colours of `picture`, and what the plausible picture keeps (None while it is not known)."""
        if picture is not None and picture is not self._palette_of:
            self._palette_of = picture
            found = palette(picture, COLOURS)
            for button, colour in zip(self.palette_buttons, found, strict=False):
                button.set_colour(colour)
            for number, button in enumerate(self.palette_buttons):
                button.setVisible(number < len(found))
        brush = round(100 * state.brush, 1)
        if brush != self.brush.value():
            self.brush.set_value(brush)
        if state.amount != self.amount.value():
            self.amount.set_value(state.amount)
        self._colour = state.colour
        self.other_colour.set_colour(state.colour)
        same = (button for button in self.palette_buttons if button.colour == state.colour and not button.isHidden())
        chosen = None if state.erasing else next(same, self.other_colour)
        for button in (*self.palette_buttons, self.other_colour):
            button.setChecked(button is chosen)
        self.eraser.setChecked(state.erasing)
        self.eraser.kind = "primary" if state.erasing else "plain"
        self.eraser.update()
        self.clear.setEnabled(strokes > 0)
        self.amount.setEnabled(strokes > 0)
        self.kept.set_value("–" if not strokes else "…" if kept is None else f"{100 * kept:.0f} %")
        self.outside.set_value("–" if not strokes else "…" if kept is None else tr("{value} grey levels", value=f"{outside:.1f}"))

    def _ask_colour(self) -> None:
        dialog = QColorDialog(QColor(*self._colour), self.window())
        dialog.setWindowTitle(tr("Choose a colour to paint with"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(lambda colour: self.colour_chosen.emit((colour.red(), colour.green(), colour.blue())))
        # Closed without a choice, the button must not look chosen.
        dialog.finished.connect(
            lambda _result: self.other_colour.setChecked(not any(b.isChecked() for b in self.palette_buttons))
        )
        dialog.open()


class Controls(QWidget):
    """Both halves; the one of the mode is seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.look, self.paint = LookControls(), PaintControls()
        column.addWidget(self.look)
        column.addWidget(self.paint)
        self.show_mode("look")

    def show_mode(self, mode: str) -> None:
        self.look.setVisible(mode == "look")
        self.paint.setVisible(mode == "paint")
