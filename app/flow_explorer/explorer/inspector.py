"""The column on the right: temperature, the picture that is worked on, its figures, and where it can go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QWidget

from flow_explorer.explorer.figures import LIKELIER, TYPICALITY, bpd_tip, percent
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.samples.film_view import FilmView
from flow_explorer.explorer.state import TEMPERATURE_MAX
from flow_explorer.explorer.view_model import InspectorPicture
from flow_explorer.i18n import tr
from flow_explorer.settings import Settings
from flow_explorer.widgets import (
    Button,
    Fold,
    Heading,
    IconButton,
    Inspector,
    Label,
    PictureLabel,
    Toggle,
    ValueRow,
    ValueSlider,
)
from flowcore.model.labels import describe
from flowcore.model.temperature import Temperature, by_level, split

__all__ = ["ExplorerInspector"]


class _Large(PictureLabel):
    """As high as it is wide, whatever the column's height."""

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return width

    def sizeHint(self) -> QSize:
        return QSize(268, 268)


class _Overall(ValueSlider):
    """The temperature of all levels, the highest of them where they differ. Its reset is every level's: the card's."""

    reset_wanted = Signal()

    _levels_off = False

    def set_levels_off(self, off: bool) -> None:
        """Whether any level is off its default, though the highest may be where it was."""
        if off != self._levels_off:
            self._levels_off = off
            self._show()

    def is_off(self) -> bool:
        return self._levels_off or super().is_off()

    def reset(self) -> None:
        self.reset_wanted.emit()
        self.editing_finished.emit()
        if self.reset_button.hasFocus():
            self.track.setFocus(Qt.FocusReason.OtherFocusReason)


class ExplorerInspector(Inspector):
    """Shows a `InspectorPicture`; every act leaves as a signal."""

    temperature_changed = Signal(float)
    level_temperature_changed = Signal(int, float)
    """(level, counted from the finest; its temperature)"""
    temperature_reset = Signal()
    rested = Signal()
    send_wanted = Signal(str)
    save_wanted = Signal(int)
    copy_wanted = Signal()
    whole_pixels_changed = Signal(bool)

    def __init__(self, settings: Settings, parent=None) -> None:
        super().__init__(parent)
        self._shown: np.ndarray | None = None
        self._facet_part: QWidget | None = None
        self._facet = False
        self.temperature = _Overall(
            tr("Temperature"), 0.0, TEMPERATURE_MAX, 0.7, step=0.01, decimals=2,
            tooltip=tr("How far from the middle of the prior the samples are drawn: low is plain and safe, "
                       "1 is what the model learnt.\nThe same z, scaled: z = T ε. Where levels differ this is the highest "
                       "of them, and all are scaled together."),
        )  # fmt: skip
        self.temperature.reset_wanted.connect(self.temperature_reset)
        self.temperature.value_changed.connect(self.temperature_changed)
        self.temperature.editing_finished.connect(self.rested)
        self.add(self.temperature)
        self.per_level = Fold(tr("Per level"), False, settings, "explorer.levels")
        self.add(self.per_level)
        self.levels: list[ValueSlider] = []
        """The finest level's first, as the state has them; shown from coarse to fine."""
        self._default: tuple[float, ...] = ()
        self._show_levels(1)

        self.every_temperature = Fold(tr("Every temperature"), False, settings, "explorer.film")
        self.film = FilmView()
        self.film_empty = Label(tr("Click a sample to see its z at every temperature"), "muted", wrap=True)
        self.film_empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.every_temperature.add(self.film)
        self.every_temperature.add(self.film_empty)
        self.add(self.every_temperature)
        self.film.picked.connect(self.temperature_changed)
        self.film.rested.connect(self.rested)

        self.title = Heading("")
        self.add(self.title, space=8)
        self.picture = _Large(tr("The picture that is worked on"), interactive=True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.picture.setSizePolicy(policy)
        self.picture.setFixedHeight(267)
        self.picture.setToolTip(tr("Drag it to A, to B, or out of the window."))
        self.add(self.picture)
        self.nothing = Label(tr("Click a sample to see it large"), "muted", wrap=True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.add(self.nothing)

        self.kind = ValueRow(tr("Class"), tooltip=tr("The class that this z is decoded under; on a walk between two classes\n"
                                                     "the prior goes evenly from the one's to the other's."))  # fmt: skip
        self.kind.value.setWordWrap(True)  # between four classes it is a long line
        self.kind.hide()
        self.add(self.kind)
        self._classes: list[str] = []
        self.bpd = ValueRow(tr("Bits per dimension"), tooltip=bpd_tip())
        self.likelier = ValueRow(tr("Likelier than"), tooltip=tr(LIKELIER))
        self.typicality = ValueRow(tr("Typicality"), tooltip=tr(TYPICALITY))
        for row in (self.bpd, self.likelier, self.typicality):
            self.add(row)

        self.send_heading = Heading(tr("Send this picture to"))
        self.add(self.send_heading, space=8)
        self.send_a = Button("A", tooltip=tr("Put this picture, with its z, in A"))
        self.send_b = Button("B", tooltip=tr("Put this picture, with its z, in B"))
        self.send_a.setAccessibleName(tr("Send to A"))
        self.send_b.setAccessibleName(tr("Send to B"))
        self.save = Button(tr("Save PNG"), tooltip=tr("Save this picture with its recipe inside"))
        menu = QMenu(self.save)
        menu.addAction(tr("As it is"), lambda: self.save_wanted.emit(1))
        menu.addAction(tr("Enlarged 8 times"), lambda: self.save_wanted.emit(8))
        self.save.setMenu(menu)
        self.copy = IconButton("copy", tr("Copy this picture"), tooltip=tr("Copy this picture (Ctrl+C)"))
        row = QHBoxLayout()
        row.setSpacing(6)
        for part in (self.send_a, self.send_b, self.save, self.copy):
            row.addWidget(part)
        row.addStretch(1)
        self.add(row)
        self.send_a.clicked.connect(lambda: self.send_wanted.emit("A"))
        self.send_b.clicked.connect(lambda: self.send_wanted.emit("B"))
        self.copy.clicked.connect(self.copy_wanted)

        self.add_stretch()
        self.about = Fold(tr("About this model"), False, settings, "explorer.model")
        self.about_rows = {name: ValueRow(label) for name, label in (
            ("licence", tr("Licence")), ("bpd", tr("Test bits per dimension")), ("parameters", tr("Parameters")),
        )}  # fmt: skip
        self.about_data = Label("", "muted", wrap=True)
        self.about.add(self.about_data)
        for value in self.about_rows.values():
            value.value.setWordWrap(True)
            self.about.add(value)
        self.about_note = Label("", "small", wrap=True)
        self.about.add(self.about_note)
        self.add(self.about, space=8)
        self.whole_pixels = Toggle(tr("Show whole pixels"), tr("Enlarge by whole pixels instead of smoothly (P)"))
        self.whole_pixels.toggled.connect(self.whole_pixels_changed)
        self.add(self.whole_pixels)

    def show_facet(self, facet: bool, part: QWidget | None) -> None:
        """While a facet is in front its own part, if it has one, stands where the temperature is."""
        if part is not self._facet_part:
            if self._facet_part is not None:
                self._facet_part.hide()
            if part is not None:
                if self.body.indexOf(part) < 0:
                    self.body.insertWidget(0, part)
                part.show()
            self._facet_part = part
        for own in (self.temperature, self.every_temperature):
            own.setVisible(not facet)
        self.per_level.setVisible(not facet and len(self.levels) > 1)
        self._facet = facet

    def set_drag_data(self, drag_data: Callable[[], QMimeData | None]) -> None:
        self.picture.drag_data = drag_data

    def show_film(self, frames: Sequence[np.ndarray | None], temperatures: Sequence[Temperature], temperature: float,
                  selected: bool, error: str) -> None:
        """The selected sample's z at every temperature; without one, a word on what would be here."""
        self.film.setVisible(selected and not error)
        self.film_empty.setVisible(not selected or bool(error))
        self.film_empty.setText(error or tr("Click a sample to see its z at every temperature"))
        self.film_empty.set_tone("warning" if error else "muted")
        self.film.show_frames(frames, temperatures, temperature)

    def set_smooth(self, smooth: bool) -> None:
        self.picture.set_smooth(smooth)
        self.film.smooth = smooth
        self.film.update()
        self.whole_pixels.blockSignals(True)
        self.whole_pixels.setChecked(not smooth)
        self.whole_pixels.blockSignals(False)

    def show_temperature(self, temperature: Temperature) -> None:
        """Show what is drawn at: one temperature, or each level's own and the highest of them."""
        value, differing = split(temperature)
        self.temperature.set_label(tr("Temperature, at most") if differing else tr("Temperature"))
        if value != self.temperature.value():
            self.temperature.set_value(value)
        levels = by_level(temperature, len(self.levels))
        self.temperature.set_levels_off(levels != self._default)
        for slider, own in zip(self.levels, levels, strict=True):
            if own != slider.value():
                slider.set_value(own)
        # In the order of the sliders, so that the numbers can be read while they are folded away.
        told = " · ".join(f"{own:.2f}" for own in reversed(levels))
        self.per_level.set_title(tr("Per level: {temperatures}", temperatures=told) if differing else tr("Per level"))

    def _show_levels(self, count: int) -> None:
        """As many sliders as the model has levels; one level alone needs none."""
        self.per_level.setVisible(count > 1 and not self._facet)
        if count == len(self.levels):
            return
        for slider in self.levels:
            slider.setParent(None)
            slider.deleteLater()
        names = {0: tr("Coarse"), count - 1: tr("Fine"), **({1: tr("Middle")} if count == 3 else {})}
        shown = []
        for place in range(count):
            slider = ValueSlider(
                names.get(place, tr("Level {number}", number=place + 1)), 0.0, TEMPERATURE_MAX,
                self.temperature.value(), step=0.01, decimals=2,
                tooltip=tr("The temperature of this level alone; the temperature above scales all of them together.\n"
                           "The same z, scaled level by level: z = T ε"),
            )  # fmt: skip
            level = count - 1 - place
            slider.value_changed.connect(lambda value, level=level: self.level_temperature_changed.emit(level, value))
            slider.editing_finished.connect(self.rested)
            shown.append(self.per_level.add(slider))
        self.levels = shown[::-1]

    def show_large(self, shown: InspectorPicture, sendable: bool) -> None:
        """Show the picture; `sendable` is whether its z is known, so that it can go to a slot or a file."""
        there = shown.picture is not None
        self.title.setText(shown.title or tr("This picture"))
        if shown.picture is not self._shown:
            self._shown = shown.picture
            self.picture.set_array(shown.picture)
        self.picture.setVisible(there)
        self.nothing.setVisible(not there)
        self.nothing.setText(shown.note or tr("Click a sample to see it large"))
        self.picture.setAccessibleDescription(shown.title)
        figures = shown.figures
        for row in (self.bpd, self.likelier, self.typicality, self.send_heading, self.send_a, self.send_b, self.save,
                    self.copy):
            row.setVisible(there)
        self.kind.set_value(describe(shown.label, self._classes))
        self.kind.setVisible(there and bool(shown.label))
        self.bpd.set_value("…" if figures.bpd is None else f"{figures.bpd:.2f}")
        known = figures.likelier_than is not None
        self.likelier.set_value("…" if figures.bpd is None else
                                tr("{percent} of held-out pictures", percent=percent(figures.likelier_than)) if known
                                else tr("not known"))  # fmt: skip
        self.typicality.set_value("…" if figures.bpd is None else percent(figures.typicality))
        for button in (self.send_a, self.send_b, self.save, self.copy):
            button.setEnabled(sendable)

    def show_model(self, model: Model | None) -> None:
        """What the card says."""
        self.about.setVisible(model is not None)
        for part in (self.temperature, self.per_level, self.every_temperature):
            part.setEnabled(model is not None)
        if model is None:
            return
        self._classes = model.classes
        self.temperature.set_default(split(model.default_temperature)[0])
        self._show_levels(model.levels)
        self._default = by_level(model.default_temperature, model.levels)
        for slider, own in zip(self.levels, self._default, strict=True):
            slider.set_default(own)
        card, data = model.card, model.data
        bpd = card.get("bpd")
        error = card.get("bpd_standard_error")
        text = "" if not isinstance(bpd, int | float) else f"{bpd:.3f}"
        if text and isinstance(error, int | float):
            text += f" ± {error:.3f}"
        parameters = card.get("parameters")
        values = {
            "licence": model.licence, "bpd": text,
            "parameters": f"{parameters:,}" if isinstance(parameters, int) else "",
        }  # fmt: skip
        name = str(data.get("name") or "")
        self.about_data.setText(tr("Trained on {data}", data=name))
        self.about_data.setVisible(bool(name))
        for name, row in self.about_rows.items():
            row.set_value(values[name])
            row.setVisible(bool(values[name]))
        notes = [str(data.get(name)) for name in ("credit", "note") if data.get(name)]
        self.about_note.setText("\n".join(notes))
        self.about_note.setVisible(bool(notes))
