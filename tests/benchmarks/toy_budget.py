"""A toy run that lasts an equal time whatever else the machine does: the time is counted in processor time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import torch

from flowcore.plane.trainer import ToyConfig, ToyTrainer

__all__ = ["Trained", "train"]

PROBE = (20, 60)
"""Steps that are passed over, and steps that are timed, to tell how many fit."""
_SHARE = 0.97


@dataclass(frozen=True)
class Trained:
    """A trainer at its end, with what its steps took: seconds of the processor, and of the clock on the wall."""

    trainer: ToyTrainer
    processor: float
    wall: float


def train(config: ToyConfig, seconds: float) -> Trained:
    """Train for so many seconds of one thread; the learning rate falls to nothing by then.

    The steps are those that a few timed ones promise, so (configuration, horizon, steps) say the run again exactly.

    Raises:
        NonFiniteError: if training breaks down.
    """
    torch.set_num_threads(1)
    probe = ToyTrainer(config)
    probe.step(PROBE[0])
    began = time.process_time()
    probe.step(PROBE[1])
    steps = max(1, math.floor(_SHARE * seconds * PROBE[1] / (time.process_time() - began)))
    trainer = ToyTrainer(replace(config, horizon=steps))
    began, wall = time.process_time(), time.perf_counter()
    while trainer.step_count < steps and time.process_time() - began < seconds:
        trainer.step()
    return Trained(trainer, time.process_time() - began, time.perf_counter() - wall)
