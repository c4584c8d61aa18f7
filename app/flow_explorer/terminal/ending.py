"""The signals that end a command: Ctrl-C, SIGTERM, and the end of the terminal that it was started from.

One that ends unwinds, so that no half-written file is left behind; a training takes note, finishes its step and saves. Where
a closed terminal is to be outlived (nohup), SIGHUP is ignored from the start, and stays so.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from flow_explorer.terminal.output import say

__all__ = ["EXIT_CODES", "HANGUP", "Ended", "noting", "unwinding"]

HANGUP = getattr(signal, "SIGHUP", None) or getattr(signal, "SIGBREAK", None)
"""The terminal is gone; on Windows its window was closed."""
EXIT_CODES = {int(number): 128 + number for number in (signal.SIGINT, signal.SIGTERM, HANGUP) if number is not None}
"""As the shell counts."""
TWICE_SECONDS = 5.0
"""Within which a second signal may be the same: torchrun and who started it may both hand it on."""


class Ended(KeyboardInterrupt):
    """A signal ended the command; ``number`` says which."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    @property
    def name(self) -> str:
        """As it is known: SIGTERM."""
        return signal.Signals(self.number).name


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _heard(*numbers: int | None) -> list[int]:
    """Those of the signals that are not to be ignored. Ctrl-C is heard in the background too, where the shell ignores it."""
    known = [number for number in numbers if number is not None]
    return [number for number in known if number != HANGUP or signal.getsignal(number) != signal.SIG_IGN]


def _restore(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        if number == HANGUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # the terminal is gone, and may be told of again while the process ends
        signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: of another language


@contextmanager
def unwinding() -> Iterator[None]:
    """While inside, SIGTERM and a closed terminal raise `Ended`. The same signal again ends the process as it is."""

    def end(number: int, frame: FrameType | None) -> None:
        # A closed terminal is told of twice, by the shell and by the system.
        signal.signal(number, signal.SIG_IGN if number == HANGUP else signal.SIG_DFL)
        raise Ended(number)

    if not _in_main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in _heard(signal.SIGTERM, HANGUP)}
    try:
        yield
    finally:
        _restore(before)


@contextmanager
def noting(several: bool = False) -> Iterator[list[int]]:
    """While inside, the first Ctrl-C, SIGTERM or end of the terminal is only noted, so that a step can finish and be saved.

    A second Ctrl-C or SIGTERM raises KeyboardInterrupt; of ``several`` processes not at once, since both torchrun and who
    started it may hand on the same signal. The end of the terminal is told of more than once, and often followed by another
    signal, so it never counts as a second.
    """
    caught: list[int] = []
    when = 0.0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal when
        now = time.monotonic()
        if caught and number == HANGUP:
            return
        if caught and caught[-1] != HANGUP:
            if several and now - when < TWICE_SECONDS:
                return
            raise KeyboardInterrupt
        when = now
        caught.append(number)
        if len(caught) == 1:
            say("flow-explorer: stopping after this step, and saving (once more to stop at once).")

    if not _in_main_thread():
        yield caught
        return
    before = {number: signal.signal(number, note) for number in _heard(signal.SIGINT, signal.SIGTERM, HANGUP)}
    try:
        yield caught
    finally:
        if HANGUP is not None and HANGUP in caught:
            signal.signal(HANGUP, signal.SIG_IGN)
        _restore(before)
