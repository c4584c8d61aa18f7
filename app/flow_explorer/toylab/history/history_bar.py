"""A training's history as a slider with now at its right end: what a single training and a race have in common."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from flow_explorer.i18n import tr
from flow_explorer.toylab.history.training_history import CAP, Frame
from flow_explorer.widgets import Button, Label
from flow_explorer.widgets.reading import enlarge
from flow_explorer.widgets.slider import Track

__all__ = ["HistoryBar"]


class HistoryBar(QWidget):
    """A track over the kept frames, words, and the way back to now. It only tells; whoever owns it shows the frame."""

    went = Signal(object)
    """The frame that the person moved to; None for now."""

    def __init__(self, name: str, words_width: int = 160) -> None:
        super().__init__()
        self.track = Track()
        self.track.setAccessibleName(name)
        self.track.setToolTip(
            tr("Drag back to see the training as it was; nothing is computed again, and training may go on.")
            + "\n" + tr("Up to {n} MB are kept, thinned evenly where it is long.", n=CAP // 2**20)
        )
        self.heading = Label(tr("History"), "muted")
        self.heading.setToolTip(self.track.toolTip())
        self.heading.setBuddy(self.track)
        self.words = Label("", "muted")
        self._words_width = words_width
        self.words.setFixedWidth(words_width)  # live figures must not lay the row out anew
        self.words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.now = Button(tr("Back to now"), "plain", "", tr("Show the training as it is at present."))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(36)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(12)
        self.row.addWidget(self.heading)
        self.row.addWidget(self.track, 1)
        self.row.addWidget(self.words)
        self.row.addWidget(self.now)
        self._frames: Sequence[Frame] = ()
        self.track.moved.connect(self._moved)
        self.now.clicked.connect(lambda: self.went.emit(None))

    def set_unit(self, unit: float) -> None:
        """Write so many times as large as usual."""
        for label in (self.heading, self.words):
            enlarge(label, unit)
        self.words.setFixedWidth(round(self._words_width * unit))

    def show_place(self, frames: Sequence[Frame], frame: Frame | None, words: str) -> None:
        """What there is to go back to, which of it is on screen (None: now), and where that is in words."""
        self._frames = tuple(frames)
        self.track.setEnabled(bool(frames))
        self.track.setRange(0, max(1, len(frames)))
        if frame is None:
            self.track.setValue(self.track.maximum())
        elif not self.track.isSliderDown():
            self.track.setValue(min(range(len(frames)), key=lambda i: abs(frames[i].step - frame.step), default=0))
        self.words.setText(words)
        self.track.setAccessibleDescription(words)

    def _moved(self, position: int) -> None:
        self.went.emit(self._frames[position] if position < len(self._frames) else None)
