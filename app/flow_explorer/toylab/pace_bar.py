"""The row under the panels: the training's history as a slider with now at its right end, and fast-forward's progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow_explorer.i18n import tr
from flow_explorer.toylab.history.history_bar import HistoryBar
from flow_explorer.widgets import Button, Progress

if TYPE_CHECKING:
    from flow_explorer.toylab.controller import ToyController

__all__ = ["PaceBar"]


class PaceBar(HistoryBar):
    """Scrubs through the training without computing again; ``refresh`` is called at every frame."""

    def __init__(self, controller: ToyController) -> None:
        super().__init__(tr("Training history"))
        self._controller = controller
        self.go_on = Button("", "quiet", "", "")
        self.row.insertWidget(self.row.indexOf(self.now), self.go_on)
        self.progress = Progress(tr("Fast-forward"), cancellable=True)
        self.progress.figure.hide()  # the bar is how much patience is used up, no share of the work
        self.row.addWidget(self.progress, 1)
        self._mark: tuple[object, ...] | None = None
        self.went.connect(controller.past.go_to)
        self.go_on.clicked.connect(controller.continue_from_here)
        self.progress.cancelled.connect(controller.forward.cancel)
        self.refresh()

    def refresh(self) -> None:
        """Show what there is to go back to, where that is, and how far a fast-forward has come."""
        past, forward, run = self._controller.past, self._controller.forward, self._controller.training
        history, frame = past.history, past.frame
        mark = (run.number, history.version, run.step, frame, forward.active, forward.fraction, len(history.snapshots))
        if mark == self._mark:
            return
        self._mark = mark
        active = forward.active
        for part in (self.heading, self.track, self.words):
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
        past, run = self._controller.past, self._controller.training
        frame = past.frame
        now = tr("now, step {n}", n=f"{run.step:,}")
        words = now if frame is None else tr("step {n} of {most}", n=f"{frame.step:,}", most=f"{run.step:,}")
        self.show_place(past.history.frames, frame, words)
        found = past.snapshot()
        self.go_on.setEnabled(found is not None)
        step = tr("step {n}", n=f"{found[0]:,}") if found else tr("here")
        self.go_on.setText(tr("Continue from {step}", step=step))
        self.go_on.setAccessibleName(self.go_on.text())
        self.go_on.setToolTip(
            tr("Train on from the weights kept nearest before this moment; undo brings the present training back.")
            if found else tr("No weights are kept from before this moment.")
        )  # fmt: skip
