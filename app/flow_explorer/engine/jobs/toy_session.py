"""A run of the toy lab in the engine: the trainers of its flows, and what of each is shown."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from flowcore.plane.frames import ToyFrames
from flowcore.plane.place import quicker_device
from flowcore.plane.race import Race, Racer, leader
from flowcore.plane.trainer import ToyConfig, ToyTrainer
from flowcore.plane.views import ToyViews

from ..context import JobContext
from .toy_pace import Rates, rates_of

__all__ = ["SESSION", "Entry", "Session", "place_for", "threads_for"]

SESSION = "toy.session"
"""Under which name the engine's jobs share it."""

_PLACES = "toy.places"

_ONE_THREAD_BELOW = 512 * 256
"""Batch times width up to which a second thread costs more than it brings."""


def threads_for(configs: Sequence[ToyConfig]) -> int:
    """On how many threads a run's work is done, 0 for all. The time of one thread is what flows that race share."""
    return 1 if len(configs) > 1 or configs[0].batch * configs[0].width <= _ONE_THREAD_BELOW else 0


def place_for(context: JobContext, config: ToyConfig) -> Generator[None, None, torch.device]:
    """Where a flow of this run is quicker: on the CPU or on the engine's device. Measured once for each kind and batch."""
    known: dict[str, torch.device] = context.on_device.setdefault(_PLACES, {})
    key = json.dumps([config.architecture, config.batch], sort_keys=True)
    if key not in known:
        device = context.device
        found = yield from quicker_device(config, device)
        if context.device != device:
            return (yield from place_for(context, config))
        known[key] = found
    return known[key]


class Entry:
    """One flow of a run."""

    def __init__(self, number: int, racer: Racer) -> None:
        self.number, self.racer, self.trainer = number, racer, racer.trainer
        self.frames = ToyFrames(self.trainer)
        self.more = ToyViews(self.frames)

    def named(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Arrays by the names that they have in an answer."""
        return {f"{name}{self.number}": array for name, array in arrays.items()}


class Session:
    """A run that outlives the job: what `RunToy.run` numbers, of flows that `configs` describe and that had used `seconds`."""

    def __init__(
        self, run: int, configs: tuple[ToyConfig, ...], trainers: Sequence[ToyTrainer], seconds: Sequence[float] = (),
        chosen: torch.device | None = None,
    ) -> None:
        self.run, self.configs = run, configs
        self.chosen = chosen or trainers[0].device
        """The engine's device when it was made; its flows are there, or where they are quicker: see `place_for`."""
        self.is_race = len(trainers) > 1
        # Alone the time is the clock's, so that a flow on several threads is not thought slower than it is.
        self.race = Race(trainers, time.thread_time if self.is_race else time.perf_counter)
        for racer, used in zip(self.race.racers, seconds, strict=False):
            racer.seconds = used
        self.entries = [Entry(number, racer) for number, racer in enumerate(self.race.racers)]
        self.rate = 0.0
        """Steps a second, of all together."""
        self.turn = self._mapped = -1
        self.beside = 0.0
        """Seconds that another job has spent on showing this run, not yet accounted for."""

    def is_of(self, run: int, configs: Sequence[ToyConfig], device: torch.device | None = None) -> bool:
        """Whether it is the run that is asked for (and was made for that device); live settings may differ."""
        if self.run != run or len(self.configs) != len(configs):
            return False
        if device is not None and self.chosen != device:
            return False
        return all(replace(mine, **theirs.live) == theirs for mine, theirs in zip(self.configs, configs, strict=True))

    def adjust(self, configs: Sequence[ToyConfig]) -> None:
        """Take up live settings."""
        for entry, config in zip(self.entries, configs, strict=True):
            entry.trainer.adjust(**config.live)

    @property
    def trainer(self) -> ToyTrainer:
        """The first flow's; what all of them learn is the same."""
        return self.entries[0].trainer

    @property
    def seconds(self) -> list[float]:
        """The training time of each."""
        return [entry.racer.seconds for entry in self.entries]

    @property
    def steps(self) -> list[int]:
        """The steps of each."""
        return [entry.trainer.step_count for entry in self.entries]

    @property
    def progress(self) -> float:
        """How far it is, as `RunToy.goal` counts."""
        return self.race.seconds if self.is_race else self.trainer.step_count

    @property
    def rates(self) -> Rates:
        """How often it is shown."""
        return rates_of([config.flow for config in self.configs])

    def stamp(self) -> dict[str, Any]:
        """What every answer carries."""
        return {"run": self.run, "steps": self.steps, "seconds": self.seconds, "longest_turn": self.race.longest_turn,
                "rate": self.rate}  # fmt: skip

    def losses(self) -> dict[str, Any]:
        """The newest measurements, and who leads; nothing before all were measured."""
        losses = [entry.racer.loss for entry in self.entries]
        known = [loss for loss in losses if loss is not None]
        if len(known) < len(losses):
            return {}
        return {"nll": [loss.nll for loss in known], "standard_error": [loss.standard_error for loss in known],
                "leader": leader(known)}  # fmt: skip

    def snapshots(self) -> dict[str, np.ndarray]:
        """Every flow's as bytes, in their order, by its name in an answer."""
        return {f"snapshot{entry.number}": np.frombuffer(entry.trainer.snapshot(), np.uint8) for entry in self.entries}

    def has_maps(self, views: Sequence[str]) -> bool:
        """Whether there is more to show than points: of a flow alone there are always its layers."""
        return not self.is_race or "density" in views

    def next_entry(self) -> Entry:
        """The entry whose maps are due: one after the other."""
        self._mapped = (self._mapped + 1) % len(self.entries)
        return self.entries[self._mapped]
