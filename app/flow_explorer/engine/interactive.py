"""How one picture keeps up with a hand that drags: one thread, and several of its many short layers a turn of the loop."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TypeVar

import numpy as np
import torch

from flowcore.model.flow import Flow

from .context import JobContext
from .devices import fast_bfloat16

__all__ = ["batched", "prioritise_interactive", "quick_draft"]

TURN_S = 0.005

ONE_THREAD_DIMS = 3 * 64 * 64
"""A single picture of this size or smaller is computed on one thread: its kernels gain little from a second, and on two cores
waiting for that one doubles the time as soon as anybody else computes (a walk at 60 Hz: 79 ms behind the hand, with one 49)."""

T = TypeVar("T")


def quick_draft(flow: Flow, z: np.ndarray) -> bool:
    """Whether a draft of this z is drawn faster than the picture itself, so that it is worth drawing first."""
    return z.dtype == np.float32 and fast_bfloat16(flow.device)


def prioritise_interactive(context: JobContext, flow: Flow, alone: bool = True) -> None:
    """For the rest of this job; see `ONE_THREAD_DIMS`. `alone`: it has its turns at a stretch until its first answer."""
    if alone:
        context.keep_turns()
    if flow.device.type == "cpu" and flow.num_dims <= ONE_THREAD_DIMS:
        context.use_threads(1)


def batched(steps: Generator[None, None, T]) -> Generator[None, None, T]:
    """The same steps, several a turn and without autograd's bookkeeping: many of a single picture's layers take a third of a
    millisecond, and the loop's turns and that would be a tenth of the whole."""
    while True:
        end = time.monotonic() + TURN_S
        try:
            with torch.inference_mode():
                while time.monotonic() < end:
                    next(steps)
        except StopIteration as last:
            return last.value
        yield
