"""The right half of a slot: its name, figures and acts; or, while cropping, zoom, turn and background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QHBoxLayout, QMenu, QStackedLayout, QVBoxLayout, QWidget

from flow_explorer.explorer.examples import examples_menu
from flow_explorer.explorer.figures import LIKELIER, TYPICALITY, bpd_tip, percent
from flow_explorer.explorer.slots.crop_editor import ZOOM_MAX, ZOOM_MIN
from flow_explorer.explorer.state import Slot
from flow_explorer.explorer.swatch import Swatch
from flow_explorer.explorer.view_model import SlotView
from flow_explorer.i18n import tr
from flow_explorer.widgets import Button, Choice, IconButton, Label, ValueRow, ValueSlider
from flow_explorer.widgets.elided import ElidedLabel
from flow_explorer.widgets.plain import plain
from flowcore.model.labels import describe, single
from flowcore.pictures.crop import Crop, crop_corners
from flowcore.pictures.images import Picture

__all__ = ["SlotStats"]

BETWEEN = "between"
"""The key of a place between classes, which a frame of a walk may be of."""
HIGH = 200
"""From this height on, the notice stands above the class."""
LOW = 165
"""Below this height there is no line for the class alone."""
LOWEST = 132
"""Below this height the lines stand closer, so that the class beside the buttons is not cut."""
SPACING = 5
WIDE = 236
"""From this width on, the figures are said in full."""


class SlotStats(QWidget):
    """Shows the figures of a slot; `editing` turns it into the crop's controls."""

    cleared = Signal()
    pick_wanted = Signal()
    chosen = Signal(str)
    crop_changed = Signal(Crop)
    rested = Signal()
    editing_changed = Signal(bool)
    eyes_wanted = Signal(bool)
    """Mark the two eyes, or do not any more."""
    class_chosen = Signal(object)
    """The label to encode under; () for the likeliest."""

    def __init__(self, which: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.which = which
        self.editing = False
        self._slot = Slot()
        self._view = SlotView()
        self._problem = self._sees = ""
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._make_figures())
        self._stack.addWidget(self._make_crop())

    def _make_figures(self) -> QWidget:
        page = QWidget()
        letter = Label(self.which, self.which.lower())
        font = letter.font()
        font.setBold(True)
        letter.setFont(font)
        self.name = ElidedLabel("muted")
        self.clear_button = IconButton("close", tr("Clear {slot}", slot=self.which), size=28, icon_size=16,
                                       tooltip=tr("Clear {slot} (Delete)", slot=self.which))
        self.clear_button.muted = True
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(letter)
        head.addWidget(self.name, 1)
        head.addWidget(self.clear_button)
        self.crop_button = Button(tr("Crop"), "plain", icon="crop",
                                  tooltip=tr("Move, zoom or turn what the model sees"))
        self.crop_button.setAccessibleName(tr("Crop {slot}", slot=self.which))
        self.more_button = IconButton("more", tr("More for {slot}", slot=self.which),
                                      tooltip=tr("Choose another picture, or an example"))
        foot = QHBoxLayout()
        foot.setSpacing(4)
        foot.addWidget(self.crop_button)
        foot.addWidget(self.more_button)
        self.of_class = Choice([], name=tr("Class of {slot}", slot=self.which),
                               tooltip=tr("The class that the picture is encoded under: the one under which it is likeliest,\n"
                                          "or one of yours. Every class gives every byte back."))  # fmt: skip
        self.of_class.hide()
        self._options: list[tuple[str, str]] = []
        foot.addStretch(1)
        self._foot = foot
        self.bpd = ValueRow(tr("Bits per dimension"), tooltip=bpd_tip())
        self.likelier = ValueRow(tr("Likelier than"), tooltip=tr(LIKELIER))
        self.typicality = ValueRow(tr("Typicality"), tooltip=tr(TYPICALITY))
        self.error = Label("", "warning", wrap=True)
        self.notice = Label("", "small", wrap=True)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        column.addLayout(head)
        for part in (self.bpd, self.likelier, self.typicality, self.error, self.notice, self.of_class):
            column.addWidget(part)
        column.addStretch(1)
        column.addLayout(foot)
        self._column = column

        menu = QMenu(self)
        menu.addAction(tr("Choose a picture…"), self.pick_wanted.emit)
        menu.addMenu(examples_menu(menu, self.chosen.emit))
        self.more_button.clicked.connect(
            lambda: menu.popup(self.more_button.mapToGlobal(self.more_button.rect().bottomLeft())))
        self.of_class.chosen.connect(self._choose_class)
        self.crop_button.clicked.connect(lambda: self.set_editing(True))
        self.clear_button.clicked.connect(self.cleared)
        return page

    def _make_crop(self) -> QWidget:
        page = QWidget()
        self.zoom = ValueSlider(tr("Zoom"), ZOOM_MIN, ZOOM_MAX, 1.0, decimals=2, unit="×", logarithmic=True,
                                tooltip=tr("How much of the picture the model sees"), tone=self.which.lower())
        self.turn = ValueSlider(tr("Turn"), -180, 180, 0, step=1, decimals=1, unit="°",
                                tooltip=tr("Turns the picture about the middle of the crop"), tone=self.which.lower())
        self.background = Swatch(tr("Background"), tr("The colour that shows through, and beyond the picture's edge"))
        self.reset_button = Button(tr("Reset"), "quiet", tooltip=tr("The largest centred square, not turned"))
        self.done_button = Button(tr("Done"), "plain")
        row = QHBoxLayout()
        row.setSpacing(4)
        self.eyes_button = IconButton("eyes", tr("Mark the eyes"), checkable=True, tooltip=tr(
            "Drag two dots onto the eyes: the picture is turned, zoomed and moved so that they come where this model's faces "
            "have them.\nWithout it walks between faces look bad."))  # fmt: skip
        self.eyes_button.hide()
        row.addWidget(self.eyes_button)
        row.addWidget(self.background)
        row.addStretch(1)
        row.addWidget(self.reset_button)
        row.addWidget(self.done_button)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.zoom)
        column.addWidget(self.turn)
        column.addStretch(1)
        column.addLayout(row)
        self.zoom.value_changed.connect(lambda value: self._change(zoom=value))
        # The crop's angle turns the model's window; the picture is seen to turn the other way.
        self.turn.value_changed.connect(lambda value: self._change(angle=-value))
        for slider in (self.zoom, self.turn):
            slider.editing_finished.connect(self.rested)
        self.background.clicked.connect(self._pick_background)
        self.reset_button.clicked.connect(self._reset)
        self.done_button.clicked.connect(lambda: self.set_editing(False))
        self.eyes_button.toggled.connect(self.eyes_wanted)
        return page

    # What is shown

    def show_well(
        self, slot: Slot, view: SlotView, picture: Picture | None, sees: str, classes: Sequence[str] = ()
    ) -> None:
        if slot != self._slot:
            self._problem = ""
        self._slot, self._view, self._sees = slot, view, sees
        self.name.setText(slot.name)
        notes = " ".join(picture.notes) if picture is not None else ""
        self.name.setToolTip(plain("\n".join(part for part in (slot.name, notes) if part)))
        self.zoom.set_value(slot.crop.zoom)
        self.turn.set_value(-slot.crop.angle)
        self.background.set_colour(slot.crop.background)
        self.background.setVisible(picture is not None and _background_shows(picture, slot.crop))
        self._show_class(classes)
        self._show_figures()

    def _show_class(self, classes: Sequence[str]) -> None:
        """The class that its z is of, and the others that it could be encoded under."""
        self.of_class.setVisible(bool(classes))
        if not classes:
            return
        found, chosen = self._view.label, self._view.chosen
        # The likeliest has an entry of its own, which says what it turned out to be.
        likeliest = tr("Likeliest") if chosen or not found else tr("{name}, likeliest", name=describe(found, classes))
        options = [("", likeliest), *((str(number), name) for number, name in enumerate(classes))]
        if len(chosen) > 1:
            options.append((BETWEEN, describe(chosen, classes)))
        if options != self._options:
            self._options = options
            self.of_class.set_options(options)
        self.of_class.set_current(BETWEEN if len(chosen) > 1 else str(chosen[0][0]) if chosen else "")

    def _choose_class(self, key: str) -> None:
        if key != BETWEEN:
            self.class_chosen.emit(single(int(key)) if key else ())

    def show_problem(self, sentence: str) -> None:
        self._problem = sentence
        self._show_figures()

    def _show_figures(self) -> None:
        view, figures = self._view, self._view.figures
        error = self._problem or view.error
        wide = self.width() >= WIDE
        self.error.setVisible(bool(error))
        self.error.setText(error)
        for row in (self.bpd, self.likelier, self.typicality):
            row.setVisible(not error)
        self.bpd.set_value("…" if figures.bpd is None else f"{figures.bpd:.2f}")
        if figures.likelier_than is None:
            self.likelier.set_value("…" if figures.bpd is None else tr("not known"))
        else:
            shown = percent(figures.likelier_than)
            self.likelier.set_value(tr("{percent} of held-out", percent=shown) if wide else shown)
        self.typicality.set_value("…" if figures.bpd is None else percent(figures.typicality))
        self.notice.setText(self._sees)
        # Beside the class there is room for it in a high well alone.
        classes = not self.of_class.isHidden()
        self.notice.setVisible(not error and (not classes or self.height() >= HIGH))
        self._place_class(low=classes and self.height() < LOW)
        self._column.setSpacing(2 if classes and self.height() < LOWEST else SPACING)

    def _place_class(self, low: bool) -> None:
        """The class stands under the figures; in a low well beside the buttons, where the crop's shows its icon alone."""
        if low == (self._foot.indexOf(self.of_class) >= 0):
            return
        (self._column if low else self._foot).removeWidget(self.of_class)
        self.crop_button.setText("" if low else tr("Crop"))
        if low:
            self._foot.insertWidget(self._foot.count() - 1, self.of_class, 1000)
        else:
            self._column.insertWidget(self._column.indexOf(self.notice) + 1, self.of_class)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._show_figures()

    # Cropping

    def set_editing(self, editing: bool) -> None:
        """Show the crop's controls, or the figures."""
        if editing == self.editing:
            return
        self.editing = editing
        if not editing:
            self.eyes_button.setChecked(False)
        self._stack.setCurrentIndex(1 if editing else 0)
        self.editing_changed.emit(editing)
        if self.isVisible():
            (self.zoom if editing else self.crop_button).setFocus(Qt.FocusReason.OtherFocusReason)

    def _change(self, **changes: float | str) -> None:
        if not self._slot.empty:
            self.crop_changed.emit(replace(self._slot.crop, **changes))

    def _reset(self) -> None:
        if not self._slot.empty:
            self.crop_changed.emit(Crop(background=self._slot.crop.background))
            self.rested.emit()

    def _pick_background(self) -> None:
        dialog = QColorDialog(QColor(self._slot.crop.background), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.currentColorChanged.connect(lambda colour: self._change(background=colour.name()))
        dialog.finished.connect(lambda _result: self.rested.emit())
        dialog.open()


def _background_shows(picture: Picture, crop: Crop) -> bool:
    """Whether any of the background can be seen: transparency, or a crop that reaches over an edge."""
    if not picture.opaque:
        return True
    corners = crop_corners(picture, crop)
    return bool((corners < -1e-6).any() or (corners > (picture.width + 1e-6, picture.height + 1e-6)).any())
