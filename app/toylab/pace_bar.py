"""The row under the panels: the training's history as a slider with now at its right end, and fast-forward's progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.i18n import tr
from app.toylab.training_history import CAP
from app.widgets import Button, Label, Progress
from app.widgets.slider import Track

if TYPE_CHECKING:
    from app.toylab.controller import ToyController

__all__ = ["PaceBar"]


class PaceBar(QWidget):
    """Scrubs through the training without computing again; ``refresh`` is called at every frame."""

    def __init__(self, controller: ToyController) -> None:
        super().__init__()
        self._controller = controller
        self.track = Track()
        self.track.setAccessibleName(tr("Training history"))
        self.track.setToolTip(
            tr("Drag back to see the training as it was; nothing is computed again, and training may go on.")
            + "\n" + tr("Up to {n} MB are kept, thinned evenly where it is long.", n=CAP // 2**20)
        )
        self.words = Label("", "muted")
        self.words.setFixedWidth(160)  # live figures must not lay the row out anew
        self.words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.go_on = Button("", "quiet", "", "")
        self.now = Button(tr("Back to now"), "plain", "", tr("Show the training as it is at present."))
        self.progress = Progress(tr("Fast-forward"), cancellable=True)
        self.progress.figure.hide()  # the bar is how much patience is used up, no share of the work
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(36)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.track, 1)
        layout.addWidget(self.words)
        layout.addWidget(self.go_on)
        layout.addWidget(self.now)
        layout.addWidget(self.progress, 1)
        self._steps: list[int] = []
        self._mark: tuple[object, ...] | None = None
        self.track.moved.connect(self._moved)
        self.now.clicked.connect(controller.past.back_to_now)
        self.go_on.clicked.connect(controller.past.continue_from_here)
        self.progress.cancelled.connect(controller.forward.cancel)
        self.refresh()

    def refresh(self) -> None:
        """Show what there is to go back to, where that is, and how far a fast-forward has come."""
        past, forward, run = self._controller.past, self._controller.forward, self._controller.run
        history, frame = past.history, past.frame
        mark = (run.number, history.version, run.step, frame, forward.active, forward.fraction, len(history.snapshots))
        if mark == self._mark:
            return
        self._mark = mark
        active = forward.active
        for part in (self.track, self.words):
            part.setVisible(not active)
        for part in (self.go_on, self.now):
            part.setVisible(frame is not None and not active)
        self.progress.setVisible(active)
        if active:
            loss = f" · {run.nll:.3f} nat" if run.nll is not None else ""
            self.progress.set_progress(
                forward.fraction, tr("Fast-forward · step {n}", n=f"{run.step:,}") + loss
                + " · " + tr("no progress for {n} steps", n=f"{forward.quiet:,}"),
            )  # fmt: skip
            return
        self._show_place()

    def _show_place(self) -> None:
        past, run = self._controller.past, self._controller.run
        frame = past.frame
        self._steps = [kept.step for kept in past.history.frames]
        self.track.setEnabled(bool(self._steps))
        self.track.setRange(0, max(1, len(self._steps)))
        if frame is None:
            self.track.setValue(self.track.maximum())
            words = tr("now, step {n}", n=f"{run.step:,}")
        else:
            if not self.track.isSliderDown():
                self.track.setValue(min(range(len(self._steps)), key=lambda i: abs(self._steps[i] - frame.step), default=0))
            words = tr("step {n} of {most}", n=f"{frame.step:,}", most=f"{run.step:,}")
        self.words.setText(words)
        self.track.setAccessibleDescription(words)
        found = past.snapshot()
        self.go_on.setEnabled(found is not None)
        step = tr("step {n}", n=f"{found[0]:,}") if found else tr("here")
        self.go_on.setText(tr("Continue from {step}", step=step))
        self.go_on.setAccessibleName(self.go_on.text())
        self.go_on.setToolTip(
            tr("Train on from the weights kept nearest before this moment; undo brings the present training back.")
            if found else tr("No weights are kept from before this moment.")
        )  # fmt: skip

    def _moved(self, position: int) -> None:
        frames = self._controller.past.history.frames
        if position >= len(frames):
            self._controller.past.back_to_now()
        else:
            self._controller.past.go(frames[position])
