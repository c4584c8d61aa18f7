"""The facet's canvas: the stage large, its facts and the likelihood's terms beside it, the scrubber below; or z and its prior."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from flow_explorer.explorer.facets.layers.names import place_name, title
from flow_explorer.explorer.facets.layers.prior_view import COLUMN, PriorView, scrolled
from flow_explorer.explorer.facets.layers.scrubber import Scrubber
from flow_explorer.explorer.facets.layers.shell_view import Norms
from flow_explorer.explorer.facets.layers.stage_view import StageView
from flow_explorer.explorer.facets.layers.terms_view import TermsView
from flow_explorer.explorer.facets.layers.view_model import LayersView
from flow_explorer.i18n import tr
from flow_explorer.widgets import (
    Button,
    EmptyState,
    Heading,
    IconButton,
    Label,
    PictureLabel,
    Segmented,
    Spinner,
    ValueRow,
)

__all__ = ["LayersPanel"]

ITSELF, LOW_ITSELF = 92, 56
"""The picture itself, beside its stages; in a low window."""
LOW = 440
"""A stage below this height leaves the column of facts little room."""
SCRUBBER = 136
WIDEST = 440
"""The column of facts, where there is room beside the stage."""
SAME = 1e-6
"""Of the range shown: what the eye, and a byte, can never tell."""
KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown)  # fmt: skip


class LayersPanel(QWidget):
    """Shows a `LayersView`; every act leaves as a signal."""

    part_chosen = Signal(str)
    way_chosen = Signal(str)
    moved = Signal(int)
    rested = Signal()
    play_wanted = Signal()
    level_picked = Signal(int)
    stop_wanted = Signal()
    """Cancel, or go on where that was done."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = LayersView()
        self._at = 0.0
        self.part = Segmented(
            [("layers", tr("Layers"), tr("Every layer's features as a picture, and what each adds to the likelihood")),
             ("prior", tr("Against the prior"), tr("How its z compares with draws of the prior"))],
            name=tr("What is shown of the layers"), compact=True)  # fmt: skip
        self.way = Segmented(
            [("encode", tr("From its pixels"), tr(
                "The picture's bytes on their way to z: the terms add up to the bits per dimension that are shown everywhere.\n"
                "z = f(x), x at the middle of each byte's bin")),
             ("decode", tr("From its z"), tr(
                "The z that the picture was made from on its way back: the same stages, but for what rounding to bytes changes.\n"
                "x = f⁻¹(z), before it is rounded"))],
            name=tr("Which way the picture is followed"), compact=True)  # fmt: skip
        self.spinner = Spinner(14)
        self.status = Label("", "muted")
        self.stop = Button("", "quiet")
        for waiting in (self.spinner, self.status, self.stop):
            waiting.hide()
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.part)
        for waiting in (self.spinner, self.status, self.stop):
            head.addWidget(waiting)
        head.addStretch(1)
        head.addWidget(self.way)

        self.empty = EmptyState("")
        self.stage = StageView()
        self.scrubber = Scrubber()
        self.prior = PriorView()
        self.pages = QStackedWidget()
        for page in (self._make_layers(), self.prior, self.empty):
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self.pages, 1)

        self.part.chosen.connect(self.part_chosen)
        self.way.chosen.connect(self.way_chosen)
        self.scrubber.moved.connect(self.moved)
        self.scrubber.rested.connect(self.rested)
        self.scrubber.play_wanted.connect(self.play_wanted)
        self.play.clicked.connect(self.play_wanted)
        self.stop.clicked.connect(self.stop_wanted)
        self.prior.level_picked.connect(self.level_picked)
        self.stage.pressed.connect(lambda: self.scrubber.track.setFocus(Qt.FocusReason.MouseFocusReason))

    def _make_layers(self) -> QWidget:
        self.itself = PictureLabel(tr("The picture itself"))
        self.itself.setToolTip(tr("The picture itself, to compare; drag it anywhere a picture is taken."))
        self.name = Label("", "strong", wrap=True)
        self.place = Label("", "muted")
        self.range = Label("", "muted", wrap=True)
        self.range.setToolTip(tr("Which values are black and which are white: fixed while they are still grey levels,\n"
                                 "then all but half a percent at either end"))  # fmt: skip
        facts = QVBoxLayout()
        facts.setSpacing(2)
        for part in (self.name, self.place, self.range):
            facts.addWidget(part)
        facts.addStretch(1)
        beside = QHBoxLayout()
        beside.setSpacing(12)
        beside.addWidget(self.itself, 0, Qt.AlignmentFlag.AlignTop)
        beside.addLayout(facts, 1)
        self.terms = TermsView()
        self.check = ValueRow(tr("The way back"), tooltip=tr(
            "Decoding runs through the same stages backwards. How far a value of any stage is off at most,\n"
            "as a share of the range that is shown: max |h − h′| / range"))  # fmt: skip
        self.held_out = ValueRow(tr("Held-out pictures"), tooltip=tr(
            "Bits per dimension of pictures kept back from training, from the card: the middle, and where 95 % lie."))
        self.note = Label("", "small", wrap=True)
        content = QWidget()
        right = QVBoxLayout(content)
        right.setContentsMargins(0, 0, 8, 0)
        right.setSpacing(4)
        right.addLayout(beside)
        right.addSpacing(6)
        right.addWidget(Heading(tr("What the likelihood is made of")))
        right.addWidget(self.terms)
        right.addWidget(self.held_out)
        right.addWidget(self.check)
        right.addWidget(self.note)
        right.addStretch(1)

        upper = QHBoxLayout()
        upper.setSpacing(24)
        upper.addWidget(self.stage, 1)
        self.facts = scrolled(content)
        upper.addWidget(self.facts)
        self.play = IconButton("play", tr("Play from pixels to noise"), tooltip=tr("Play from pixels to noise (Space)"))
        self.scrubber.setFixedHeight(SCRUBBER)
        lower = QHBoxLayout()
        lower.setSpacing(8)
        beside_track = QVBoxLayout()
        beside_track.addStretch(1)
        beside_track.addWidget(self.play)
        beside_track.addSpacing(16)
        lower.addLayout(beside_track)
        lower.addWidget(self.scrubber, 1)
        lower.setContentsMargins(0, 0, 0, 0)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(upper, 1)
        column.addLayout(lower)
        return page

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What the stage leaves beside it goes to the column of facts."""
        super().resizeEvent(event)
        height = self.pages.height() - SCRUBBER - 12
        self.facts.setFixedWidth(min(max(self.pages.width() - 24 - height, COLUMN), WIDEST))
        side = LOW_ITSELF if height < LOW else ITSELF
        self.itself.setFixedSize(side, side)
        self.terms.set_low(height < LOW)

    def set_drag_data(self, drag_data: Callable[[], QMimeData | None]) -> None:
        self.itself.drag_data = drag_data

    def set_smooth(self, smooth: bool) -> None:
        self.stage.set_smooth(smooth)
        self.itself.set_smooth(smooth)

    # What is shown

    def show_empty(self, sentence: str, tone: str = "muted") -> None:
        """Nothing to follow: say what goes here, or what went wrong."""
        self.empty.set_sentence(sentence, tone)
        self.pages.setCurrentIndex(2)

    def show_view(self, view: LayersView, part: str, way: str, level: int, itself: np.ndarray | None, held_out: str,
                  held_out_norms: Sequence[Norms] | None) -> None:  # fmt: skip
        """Show what has come. `held_out`, `held_out_norms`: what the card says of other pictures, where it does."""
        self._view = view
        self.part.set_current(part)
        self.way.set_current(way)
        self.pages.setCurrentIndex(0 if part == "layers" else 1)
        self.itself.set_array(itself)
        self.scrubber.show_view(view)
        self.terms.show_view(view)
        self.held_out.set_value(held_out)
        self.held_out.setVisible(bool(held_out))
        self.check.setVisible(view.count > 0)
        self.check.set_value(*_checked(view.difference))
        self.note.setText(tr("These are the terms of the decoded values before they are rounded to bytes, so the sum is "
                             "not quite that of the picture.") if way == "decode" else "")  # fmt: skip
        self.note.setVisible(way == "decode")
        self.prior.show_view(view, level, held_out_norms)
        self.show_position(self._at)

    def show_position(self, at: float) -> None:
        """Show a stage, or a place between two."""
        view = self._view
        self._at = min(max(at, 0.0), float(max(view.count - 1, 0)))
        before = int(self._at)
        after = min(before + 1, max(view.count - 1, 0))
        self.scrubber.show_position(self._at)
        if not view.count:
            self.stage.show_stage(None)
            for label in (self.name, self.place, self.range):
                label.setText("")
            return
        self.stage.show_stage(view.pictures[before], view.pictures[after], self._at - before)
        nearest = view.stage(round(self._at))
        self.name.setText(title(view.places[nearest]))
        self.place.setText(place_name(view.places, nearest))
        ends = view.ranges[nearest]
        self.range.setText("" if ends is None else tr("black {low}, white {high}", low=_end(ends[0]), high=_end(ends[1])))
        self.stage.setAccessibleDescription(f"{self.name.text()}, {self.place.text()}, {self.range.text()}")

    def show_playing(self, playing: bool, way: str) -> None:
        there = tr("Play from noise to pixels") if way == "decode" else tr("Play from pixels to noise")
        words = tr("Stay here") if playing else there
        self.play.set_icon("pause" if playing else "play")
        self.play.set_name(words, tr("{act} (Space)", act=words))

    def show_busy(self, busy: bool, long: bool = False, stopped: bool = False) -> None:
        """That it is being worked on, how far it is, and, when it takes `long`, a way to end it; or, when `stopped`, to go on."""
        fresh, count = sum(self._view.fresh), self._view.count
        self.spinner.setVisible(busy)
        self.status.setText(tr("Stopped") if stopped else tr("{fresh} of {count} stages", fresh=fresh, count=count)
                            if fresh < count else tr("Checking the way back"))  # fmt: skip
        self.status.setVisible(stopped or (busy and count > 0))
        self.stop.setText(tr("Go on") if stopped else tr("Cancel"))
        self.stop.setVisible(stopped or (busy and long))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space and the keys of the slider work wherever the focus is in here, unless what has it wants them itself."""
        if event.key() in KEYS and self.pages.currentIndex() == 0 and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.scrubber.track.keyPressEvent(event)
        else:
            super().keyPressEvent(event)


def _end(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _checked(difference: float | None) -> tuple[str, str]:
    """What is said of the way back, and in which tone."""
    if difference is None:
        return "…", ""
    if difference < SAME:
        return tr("the same stages"), "good"
    return tr("off by {share} of the range", share=f"{difference:.1e}"), "warning"
