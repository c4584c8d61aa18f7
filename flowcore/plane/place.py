"""Where a toy run is computed: on the CPU, unless another device was measured to be faster."""
from __future__ import annotations

import time
from collections.abc import Callable, Generator

import torch

from .config import ToyConfig
from .trainer import ToyTrainer

__all__ = ["SMALL", "quicker_device"]

SMALL = 512 * 256
"""Batch times width up to which nothing is measured. A step by autograd starts 373 to 1,559 kernels on a card, each in some
microseconds whatever it computes; the CPU's hand-derived step of so few points is over by then."""
_WARM, _STEPS = 2, 3


def quicker_device(
    config: ToyConfig, device: torch.device, clock: Callable[[], float] = time.perf_counter
) -> Generator[None, None, torch.device]:
    """``device`` if a few steps of such a run took less time there than on the CPU, by ``clock``; yields after every step.

    The steps are those of trainers of their own, which are let go; the CPU takes no further one than it needs to be the faster.
    """
    cpu = torch.device("cpu")
    if device.type == "cpu" or config.batch * config.width <= SMALL:
        return cpu
    trainer = ToyTrainer(config, device)
    times = []
    for _ in range(_WARM + _STEPS):
        started = clock()
        trainer.step()  # returns the loss, and so waits for the device
        times.append(clock() - started)
        yield
    there = min(times[_WARM:])
    trainer = ToyTrainer(config, cpu)
    for _ in range(1 + _STEPS):
        started = clock()
        trainer.step()
        if clock() - started <= there:
            return cpu
        yield
    return device
