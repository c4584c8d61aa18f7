"""Work on a file beside the window: a table of a million rows must not hold it still."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from flow_explorer.i18n import tr
from flow_explorer.one_thread import OneThread
from flowcore.errors import FlowError

__all__ = ["SMALL_BYTES", "Worker"]

SMALL_BYTES = 300_000
"""A file up to this size is read in a few milliseconds."""


class Worker(OneThread):
    """`run` works on another thread and calls back here with (result, ""), or (None, a sentence).

    The newest alone counts: what an earlier `run` finds is not delivered any more.
    """

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return self.awaited > 0

    def read(self, path: str, work: Callable[[], Any], done: Callable[[Any, str], None]) -> None:
        """The same for work on a file, and at once where the file is small."""
        try:
            size = os.stat(path).st_size
        except OSError:
            size = 0  # `work` finds the words for that
        if size <= SMALL_BYTES:
            self.abandon()
            done(*_outcome(work))
        else:
            self.run(work, done)

    def run(self, work: Callable[[], Any], done: Callable[[Any, str], None]) -> None:
        """Do `work`, a function without Qt, then call `done`."""
        self.abandon()
        self.run_in_thread(lambda: _outcome(work), lambda outcome: done(*outcome))


def _outcome(work: Callable[[], Any]) -> tuple[Any, str]:
    try:
        return work(), ""
    except FlowError as error:
        return None, str(error)
    except MemoryError:
        return None, tr("That needs more memory than is free.")
    except Exception:  # a file from anywhere: whatever goes wrong on the other thread, somebody here waits for an answer
        logging.getLogger("flow-explorer").exception("a target could not be read")
        return None, tr("That could not be read; the log says more.")
