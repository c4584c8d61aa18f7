"""A race: several flows learn the same points, and none gets more time than another.

What is shared is *training time*: the processor time that the training thread itself spends in steps, on one thread. Time
that another program takes away, and time that goes into frames and measurements, counts for nobody.
"""
from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from ..errors import ConfigError
from .trainer import Loss, ToyTrainer

__all__ = ["MAX_RACERS", "MEASURED", "SLICE_S", "Race", "Racer", "leader"]

MAX_RACERS = 4
SLICE_S = 0.01
"""Seconds of training that a racer gets at a time; it is not interrupted within a step, so a turn lasts one step at least."""
MEASURED = 2048
"""Held-out points that a racer is measured on between turns, the same for all."""
_MAX_CURVE = 2000


@dataclass
class Racer:
    """One of the flows, what it has used, and its curve."""

    trainer: ToyTrainer
    seconds: float = 0.0
    """Training time used so far."""
    loss: Loss | None = None
    curve: list[tuple[float, int, float]] = field(default_factory=list)
    """(seconds, step, nll in nats) of every measurement, thinned where it is long."""

    def measured(self, seconds: float, step: int, loss: Loss) -> None:
        """Take up a measurement that was begun at (seconds, step)."""
        self.loss = loss
        self.curve.append((seconds, step, loss.nll))
        if len(self.curve) > _MAX_CURVE:
            self.curve[: _MAX_CURVE // 2] = self.curve[: _MAX_CURVE // 2 : 2]


class Race:
    """Up to four trainers; ``turn`` lets the one that has had the least train for a slice.

    Hence the times of any two differ by no more than the longest turn, at any moment. The points and the seed are the
    trainers' own: give all the same.

    Raises:
        ConfigError: for no trainer, more than four, or trainers that learn different points.
    """

    def __init__(self, trainers: Sequence[ToyTrainer], clock: Callable[[], float] = time.thread_time) -> None:
        if not 1 <= len(trainers) <= MAX_RACERS:
            raise ConfigError(f"A race is of one to {MAX_RACERS} flows, not {len(trainers)}.")
        if len({_points_of(trainer) for trainer in trainers}) > 1:
            raise ConfigError("In a race all flows learn the same points: one target, one seed and one batch.")
        self.racers = [Racer(trainer) for trainer in trainers]
        self.longest_turn = 0.0
        """Seconds; no two racers' times differ by more than this."""
        self._clock = clock

    @property
    def seconds(self) -> float:
        """The training time that every racer has had at least."""
        return min(racer.seconds for racer in self.racers)

    def turn(self, seconds: float = SLICE_S) -> Racer:
        """Let the racer with the least training time train for about ``seconds``, one step at least.

        Raises:
            NonFiniteError: if its training breaks down.
        """
        racer = min(self.racers, key=lambda racer: racer.seconds)
        began = self._clock()
        used = 0.0
        try:
            while True:
                racer.trainer.step()
                now = self._clock() - began
                used = max(now, math.nextafter(used, math.inf))
                if used >= seconds:
                    break
        finally:
            racer.seconds += used
            self.longest_turn = max(self.longest_turn, used)
        return racer

    def measure(self, racer: Racer, count: int = MEASURED) -> Generator[None, None, None]:
        """Measure a racer on held-out points, a piece at a time; its time stands still meanwhile."""
        seconds, step = racer.seconds, racer.trainer.step_count
        loss = yield from racer.trainer.held_out_steps(count)
        racer.measured(seconds, step, loss)


def _points_of(trainer: ToyTrainer) -> str:
    """What decides the points that a trainer learns from."""
    config = trainer.config.to_dict()
    return json.dumps([config.get(name) for name in ("density", "target", "seed", "batch")], sort_keys=True)


def leader(losses: Sequence[Loss | None]) -> int | None:
    """Which loss is below every other by more than chance explains, None where none is.

    By more than twice the standard error of the difference, √(σ₁² + σ₂²). The racers are measured on the same points, so
    their errors go together and the true one is smaller: what is said to lead leads.
    """
    known = [loss for loss in losses if loss is not None]
    if len(losses) < 2 or len(known) < len(losses):
        return None
    best = min(range(len(known)), key=lambda index: known[index].nll)
    for index, other in enumerate(known):
        gap = other.nll - known[best].nll
        error = math.hypot(other.standard_error, known[best].standard_error)
        if index != best and not gap > 2.0 * error:
            return None
    return best
