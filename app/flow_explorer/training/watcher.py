"""Follows run folders from a worker thread, so that a slow disk never holds the window still."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from flow_explorer.one_thread import OneThread
from flow_explorer.shell.log import logger
from flow_explorer.training.record import RunRecord, RunSnapshot, find_runs

__all__ = ["Watcher"]

SEEN_MS, UNSEEN_MS = 500, 3000


class Watcher(OneThread):
    """Every half second: which runs there are, and what is new in them."""

    changed = Signal(object)
    """(paths of runs that are new, gone or different)"""

    def __init__(self, folders: Callable[[], list[Path]], parent: QObject | None = None) -> None:
        """``folders`` tells, whenever it is asked, what to look into."""
        super().__init__(parent)
        self._folders = folders
        self._records: dict[Path, RunRecord] = {}  # the worker's own
        self.runs: dict[Path, RunSnapshot] = {}
        """What is known, by folder."""
        self.ready = False
        """Whether the first look is over."""
        self._polling = self._again = False
        self._acts = 0
        self._timer = QTimer(self, interval=SEEN_MS)
        self._timer.timeout.connect(self.poll)
        self.destroyed.connect(self._timer.stop)

    def watch(self, seen: bool) -> None:
        """Look often while the runs are seen, seldom otherwise, and then only while one trains."""
        if seen:
            self._timer.start(SEEN_MS)
            self.poll()
        elif any(run.is_live for run in self.runs.values()):
            self._timer.start(UNSEEN_MS)
        else:
            self._timer.stop()

    def poll(self) -> None:
        """Look now, or once more when the look that is under way is over."""
        if self._polling:
            self._again = True
            return
        self._polling, self._again = True, False
        folders = self._folders()
        # A run that is known stays known where its folder is gone, so that this can be said.
        self.run_in_thread(lambda: self._look(folders), lambda seen: self._looked(*seen), self._look_failed)

    @property
    def busy(self) -> bool:
        """Whether something that was asked for has not come."""
        return not self.ready or self._again or self._acts > 0

    def run_in_worker(self, act: Callable[[], object], done: Callable[[object], None]) -> None:
        """Do something slow with the disk, then ``done(result)`` here; an OSError is a result too."""

        def work() -> object:
            try:
                return act()
            except OSError as error:
                return error

        def finish(result: object) -> None:
            self._acts -= 1
            done(result)
            self.poll()

        self._acts += 1
        self.run_in_thread(work, finish)

    def forget(self, path: Path) -> None:
        """A run that is gone, and that the person knows to be gone."""
        if self.runs.pop(path, None) is not None:
            self.run_in_thread(lambda: self._records.pop(path, None), lambda _record: None)
            self.changed.emit({path})

    def wait(self) -> None:
        """The window closes."""
        self._timer.stop()
        super().wait()

    def _look(self, folders: list[Path]) -> tuple[dict[Path, RunSnapshot], set[Path]]:
        for path in find_runs(folders):
            self._records.setdefault(path, RunRecord(path))
        different = {path for path, record in list(self._records.items()) if record.poll()}
        for path, record in list(self._records.items()):
            was_live = self.runs[path].is_live if path in self.runs else False
            known = self.runs.get(path)
            if record.snapshot.state == "gone" and not was_live and (known is None or known.state != "gone"):
                del self._records[path]  # moved or deleted while nobody trained in it: it is simply not there
        return {path: record.snapshot for path, record in self._records.items()}, different

    def _look_failed(self, error: Exception) -> None:
        """What is known stays, and the next look is a new one."""
        logger.error("the run folders cannot be looked through", exc_info=error)
        self._looked(dict(self.runs), set())

    def _looked(self, runs: dict[Path, RunSnapshot], different: set[Path]) -> None:
        gone = set(self.runs) - set(runs)
        first, self.ready, self._polling = not self.ready, True, False
        self.runs = runs
        if different or gone or first:
            self.changed.emit(different | gone)
        if self._again:
            self.poll()
