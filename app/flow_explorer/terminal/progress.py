"""Progress of long work, on stderr: a bar in a terminal, a line now and then in a log."""

from __future__ import annotations

import contextlib
import sys
import time
from types import TracebackType
from typing import Any

from flow_explorer.terminal.output import say
from flowcore.one_line import one_line

__all__ = ["TerminalProgress"]

LINE_SECONDS = 10.0  # between lines where stderr is no terminal
BAR_AFTER_SECONDS = 0.3  # shorter work shows nothing


class TerminalProgress:
    """`with Progress("Sampling", total) as progress: progress.update(done)`; shows nothing for quick work."""

    def __init__(self, title: str, total: int, unit: str = "", enabled: bool = True) -> None:
        self.title, self.total, self.unit, self.enabled = one_line(title, 60), total, unit, enabled
        self._terminal = sys.stderr.isatty()
        self._started = self._last_line = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            with contextlib.suppress(OSError):  # the terminal is gone, and the work is done all the same
                self._bar.stop()

    def update(self, done: int, note: str = "") -> None:
        """So much of the total is done; `note` holds live figures."""
        if not self.enabled:
            return
        now = time.monotonic()
        if self._terminal:
            with contextlib.suppress(OSError):
                if self._bar is None and now - self._started > BAR_AFTER_SECONDS:
                    self._open_bar()
                if self._bar is not None:
                    self._bar.update(self._task, completed=done, note=note)
        elif now - self._last_line > LINE_SECONDS:
            self._last_line = now
            unit = f" {self.unit}" if self.unit else ""
            say(f"{self.title}: {done:,} of {self.total:,}{unit}{', ' + note if note else ''}")

    def of(self, done: int, total: int) -> None:
        """The same for work that finds its total on the way."""
        if total != self.total:
            self.total = total
            if self._bar is not None:
                with contextlib.suppress(OSError):
                    self._bar.update(self._task, total=total)
        self.update(done)

    def _open_bar(self) -> None:
        # rich takes 50 ms to import, so quick commands go without.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}", markup=False),  # a name may hold [brackets]
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(self.title, total=self.total, note="")
        self._bar.start()
