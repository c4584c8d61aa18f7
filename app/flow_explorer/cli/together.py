"""What several processes of one training have to agree on, on the command line."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from flowcore.training import Processes, TrainConfig

__all__ = ["agreed", "join", "one_voice"]


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


@overload
def agreed(processes: Processes, find: Callable[[], TrainConfig]) -> TrainConfig: ...
@overload
def agreed(processes: Processes, find: Callable[[], TrainConfig | None]) -> TrainConfig | None: ...


def agreed(processes: Processes, find: Callable[[], TrainConfig | None]) -> TrainConfig | None:
    """The configuration that the writer finds, in all processes."""
    if processes.count == 1:
        return find()
    from flowcore.training import TrainConfig

    found = find() if processes.writer else None
    values = processes.tell(None if found is None else found.to_dict())
    return None if values is None else TrainConfig.from_dict(values)
