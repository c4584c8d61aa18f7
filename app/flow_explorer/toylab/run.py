"""What is known of the trainings in the window: of every flow its newest frames, its curve, its last snapshot. No Qt."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from flow_explorer.toylab.history.training_history import TrainingHistory
from flow_explorer.toylab.panels.curve import Curve
from flow_explorer.toylab.state import RESTARTING
from flow_explorer.toylab.views.gradient_curve import GradientCurve
from flowcore.plane.film_frames import CurvePoint

__all__ = ["HISTORIES_CAP", "SNAPSHOTS_CAP", "Run", "RunEntry", "Runs"]

SNAPSHOTS_CAP = 144 * 2**20
"""Bytes of weights kept of all runs that one can go back to."""
HISTORIES_CAP = 112 * 2**20
"""Bytes of frames kept of all of them."""

Config = Mapping[str, Any]


class RunEntry:
    """One flow of a run. ``arrays`` holds the newest of each kind; ``version`` counts up when one of a kind arrives, and with
    "curve" when the curve changes.

    Arrays: ``data``, ``samples``, ``prior`` (n, 2), ``grid`` (lines, k, 2), ``layers`` (K + 1, n, 2), ``heat`` and
    ``truth`` √p (k, k), ``snapshot`` bytes; ``contours`` and ``true_contours`` (n, 5), ``stretch`` (k, k) and
    ``displacement`` (K + 1, m, 2) where their views are on. Where only points are known there are ``estimate`` and
    ``estimate_contours`` in the place of the truth.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        """The run's."""
        self.curve = Curve()
        self.step = 0
        self.seconds = 0.0
        """The training time that it has had."""
        self.rate = 0.0
        self.entropy: float | None = None
        self.known = True  # whether the density itself is, not only points of it
        self.estimated_from: int | None = None  # so many points, where they are all that is known
        self.reach = 4.0
        self.nll: float | None = None
        self.standard_error: float | None = None
        self.arrays: dict[str, np.ndarray] = {}
        self.version: dict[str, int] = {}
        self.snapshot_step = 0
        self.snapshot_seconds = 0.0
        self.heat_step = -1
        self.fresh_heat = False
        """Whether the density has come since densities are looked at: an older one is of another moment."""
        self.layer_bound = 4.5
        self.gradients = GradientCurve()
        self.marked_step: int | None = None
        """A step that the curve marks: the one on screen, where that is an earlier one."""

    def inherit(self, other: RunEntry, step: int, snapshot: np.ndarray) -> None:
        """Begin where another training was at a step, with its weights and its curve up to there."""
        self.begin(step, snapshot, Curve(other.curve.until(step)))

    def begin(self, step: int, snapshot: np.ndarray, curve: Curve) -> None:
        """Be a training that was saved: with its weights, its step and its curve."""
        self.step, self.seconds = step, curve.seconds_at(step)
        self.curve = Curve(curve.points)
        self.put("snapshot", snapshot)
        self.count("curve")

    @property
    def snapshot(self) -> np.ndarray:
        """The last snapshot's bytes, none where there has been none."""
        return self.arrays.get("snapshot", np.empty(0, np.uint8))

    def is_shown(self) -> bool:
        """Whether there is a first frame, whichever views are on."""
        return "layers" in self.arrays or "samples" in self.arrays

    def put(self, name: str, array: np.ndarray) -> None:
        """Take up an array of this moment."""
        if name == "heat":
            if self.heat_step == self.step and array.size < self.arrays["heat"].size:
                return  # the finer one of this very step is on screen
            self.heat_step, self.fresh_heat = self.step, True
        elif name == "snapshot":
            self.snapshot_step, self.snapshot_seconds = self.step, self.seconds
        elif name == "layers":
            far = float(np.quantile(np.abs(array), 0.99))
            # Only ever wider: a frame that shrank and grew while it learns would look like motion of the points.
            self.layer_bound = max(self.layer_bound, min(8.0, np.ceil(far * 2) / 2))
        self.arrays[name] = array
        self.count(name)

    def measured(self, nll: float, standard_error: float) -> None:
        """Take up a loss of this moment, in nats."""
        self.nll, self.standard_error = nll, standard_error
        self.curve.add(CurvePoint(self.step, nll, standard_error, self.seconds))
        self.count("curve")

    def started(self, data: Config) -> None:
        """The engine has it. One that was taken up from a snapshot has lost what came after it."""
        entropy = data["entropy"]
        self.entropy, self.reach = None if entropy is None else float(entropy), float(data["reach"])
        self.known = bool(data.get("known", entropy is not None))
        self.curve.forget_after(self.step)
        self.gradients.forget_after(self.step)
        self.count("curve")

    def count(self, name: str) -> None:
        """Something of a kind is another."""
        self.version[name] = self.version.get(name, 0) + 1


class Run:
    """One training of the flows that ``configs`` describe: of one, or of several that race."""

    def __init__(self, number: int, configs: Sequence[Config] = ({},)) -> None:
        self.number, self.configs = number, configs
        self.entries = [RunEntry(number) for _ in configs]
        self.longest_turn = 0.0
        self.leader: int | None = None
        self.history = TrainingHistory()
        self.marked_seconds: float | None = None
        """A time that the curves of a race mark: the one on screen, where that is an earlier one."""

    @property
    def is_race(self) -> bool:
        """Several flows train in turn."""
        return len(self.entries) > 1

    @property
    def step(self) -> int:
        """The steps of all together, which order its moments."""
        return sum(self.steps)

    @property
    def steps(self) -> list[int]:
        """Of each."""
        return [entry.step for entry in self.entries]

    @property
    def seconds(self) -> list[float]:
        """The training time that each has had."""
        return [entry.seconds for entry in self.entries]

    @property
    def least_seconds(self) -> float:
        """The training time that every flow has had."""
        return min(self.seconds)

    @property
    def progress(self) -> float:
        """How far it is, as `RunToy.goal` counts."""
        return self.least_seconds if self.is_race else self.step

    @property
    def kept_progress(self) -> float:
        """How far it was at its last snapshots."""
        return min(entry.snapshot_seconds for entry in self.entries) if self.is_race else self.entries[0].snapshot_step

    def is_of(self, configs: Sequence[Config]) -> bool:
        """Whether these are its flows; live settings may differ."""
        pairs = zip(self.configs, configs, strict=True)
        return self.configs is configs or all(one.get(name) == other.get(name) for one, other in pairs for name in RESTARTING)

    def is_shown(self) -> bool:
        """Whether there is a first frame of every flow."""
        return all(entry.is_shown() for entry in self.entries)

    def take(self, kind: str, data: Config, arrays: Mapping[str, np.ndarray]) -> None:
        """Take up an answer of the engine to `RunToy`."""
        self.longest_turn = float(data.get("longest_turn", self.longest_turn))
        for entry, step, seconds in zip(self.entries, data["steps"], data["seconds"], strict=True):
            entry.step, entry.seconds, entry.rate = int(step), float(seconds), float(data.get("rate", entry.rate))
            if kind == "start":
                entry.started(data)
            elif kind == "estimate":
                entry.estimated_from = int(data["points"])
        for name, array in arrays.items():
            kind_of_array = name.rstrip("0123456789")
            for entry in self._named(name[len(kind_of_array) :]):
                entry.put(kind_of_array, array)
        if "nll" in data:
            self.leader = data["leader"]
            for entry, nll, error in zip(self.entries, data["nll"], data["standard_error"], strict=True):
                entry.measured(float(nll), float(error))
        if "gradient_norms" in data:
            entry = self.entries[data["entry"]]
            entry.gradients.add(entry.step, data["gradient_names"], data["gradient_norms"])

    def _named(self, number: str) -> Sequence[RunEntry]:
        """Whose an array is: the entry's of that number, and what bears none is the same for all."""
        return [self.entries[int(number)]] if number else self.entries

    def forget_heats(self) -> None:
        """Its densities are of an earlier moment: they stay on screen until others come, and are not recorded."""
        for entry in self.entries:
            entry.fresh_heat = False

    def weights(self) -> dict[str, Any]:
        """The fields of a request that begins with the last snapshots, nothing where there are none."""
        parts = [entry.snapshot for entry in self.entries]
        if not all(part.size for part in parts):
            return {}
        return {
            "snapshots": parts[0] if len(parts) == 1 else np.concatenate(parts), "lengths": tuple(part.size for part in parts),
            "seconds": tuple(entry.snapshot_seconds for entry in self.entries),
        }  # fmt: skip

    def version_of(self, name: str) -> int:
        """Counts up with every array of a kind that arrives for any of its flows."""
        return sum(entry.version.get(name, 0) for entry in self.entries)

    @property
    def weight_bytes(self) -> int:
        """What its snapshots take."""
        return sum(entry.snapshot.nbytes for entry in self.entries)


class Runs:
    """The runs of this session, those last used; so many bytes of snapshots are kept, and of frames.

    A run that is too long ago first loses the frames to scrub through, then its weights.
    """

    def __init__(self, limit: int = SNAPSHOTS_CAP, histories: int = HISTORIES_CAP) -> None:
        self._runs: OrderedDict[tuple[int, int], Run] = OrderedDict()  # by number and how many flows
        self._limit, self._histories = limit, histories

    def get(self, number: int, configs: Sequence[Config]) -> Run:
        """The run of that number with these flows, a new one where there is none."""
        key = number, len(configs)
        known = self._runs.get(key)
        if known is None or not known.is_of(configs):
            # Numbers count within a session; one that was opened may bring its own.
            self._runs[key] = Run(number, configs)
        run = self._runs[key]
        run.configs = configs
        self._runs.move_to_end(key)
        self._trim()
        return run

    def latest(self) -> list[Run]:
        """All of them, those used last first."""
        return list(reversed(self._runs.values()))

    def find(self, number: int, count: int) -> Run | None:
        """The run of that number with so many flows, if there is one."""
        return self._runs.get((number, count))

    def _trim(self) -> None:
        size = sum(run.weight_bytes for run in self._runs.values())
        while size > self._limit and len(self._runs) > 1:
            size -= self._runs.popitem(last=False)[1].weight_bytes
        size = self.history_bytes
        for run in list(self._runs.values())[:-1]:
            if size > self._histories:
                size -= run.history.nbytes
                run.history = TrainingHistory()

    @property
    def history_bytes(self) -> int:
        """What the frames of all runs take."""
        return sum(run.history.nbytes for run in self._runs.values())
