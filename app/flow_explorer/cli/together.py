"""What several processes of one training have to agree on, on the command line; and the signals that end it."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flow_explorer.cli.output import say

if TYPE_CHECKING:
    from flowcore.training import Processes, TrainConfig

__all__ = ["EXIT_CODES", "agreed", "join", "one_voice", "signals"]

TWICE_SECONDS = 5.0  # of several processes: torchrun and who started it may both hand on the same signal

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}  # 128 + the signal, as the shell counts


def join(args: argparse.Namespace) -> tuple[str, Processes]:
    """The device, "" where it is yet to be chosen, and the processes that train together, which are mostly this one."""
    from flowcore.training.processes import Processes, are_launched, local_device

    if not are_launched():
        return "", Processes()
    from flow_explorer.cli.device import choose_device

    device = local_device(choose_device(args.device))
    return device, Processes.join(device)


@contextmanager
def one_voice(processes: Processes) -> Iterator[None]:
    """While inside, the writer alone speaks to the person; an error is still everybody's to tell."""
    if processes.writer:
        yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stderr(nowhere):
        yield


def agreed(processes: Processes, find: Callable[[], TrainConfig | None]) -> TrainConfig | None:
    """The configuration that the writer finds, in all processes."""
    if processes.count == 1:
        return find()
    from flowcore.training import TrainConfig

    found = find() if processes.writer else None
    values = processes.tell(None if found is None else found.to_dict())
    return None if values is None else TrainConfig.from_dict(values)


@contextmanager
def signals(processes: Processes) -> Iterator[list[int]]:
    """While inside, the first Ctrl-C or SIGTERM is only noted, so that the step can finish and be saved."""
    caught: list[int] = []
    when = 0.0
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return

    def note(number: int, frame: object) -> None:
        nonlocal when
        now = time.monotonic()
        if caught:
            if processes.count > 1 and now - when < TWICE_SECONDS:
                return
            raise KeyboardInterrupt
        when = now
        caught.append(number)
        say("flow-explorer: stopping after this step, and saving (once more to stop at once).")

    before = {number: signal.signal(number, note) for number in EXIT_CODES}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
