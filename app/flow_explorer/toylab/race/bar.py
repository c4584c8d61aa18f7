"""The row under a race: its history as a slider, all flows together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow_explorer.i18n import tr
from flow_explorer.toylab.history.history_bar import HistoryBar

if TYPE_CHECKING:
    from flow_explorer.toylab.race.link import RaceLink

__all__ = ["RaceBar"]


class RaceBar(HistoryBar):
    """Scrubs through the race without computing again; ``refresh`` is called at every frame."""

    def __init__(self, race: RaceLink) -> None:
        super().__init__(tr("History of the race"), 200)
        self._race = race
        self._mark: tuple[object, ...] | None = None
        self.went.connect(race.past.go_to)  # nothing is asked of the link before there is a race

    def refresh(self) -> None:
        """Show what there is to go back to, and where that is."""
        run, frame = self._race.run, self._race.past.frame
        mark = (id(run), run.history.version, run.least_seconds, frame)
        if mark == self._mark:
            return
        self._mark = mark
        self.now.setVisible(frame is not None)
        most = f"{run.least_seconds:,.2f}"
        words = tr("now, {n} s of training", n=most)
        if frame is not None:
            words = tr("{n} of {most} s of training", n=f"{frame.least_seconds:,.2f}", most=most)
        self.show_place(run.history.frames, frame, words)
