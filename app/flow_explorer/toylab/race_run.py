"""What is known of one race in the window: everybody's newest frames, times, steps and curves. No Qt."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from flow_explorer.toylab.history.training_history import TrainingHistory

__all__ = ["HISTORIES_CAP", "RaceRun", "RaceRuns"]

MAX_CURVE = 2000
HISTORIES_CAP = 48 * 2**20
"""Bytes of frames kept of all races that one can go back to; of each at most what a single training's may take."""


class RaceRun:
    """One race. ``arrays`` holds the newest of each kind, with the racer's number at the end (``samples0``, ``heat2``);
    ``version`` counts up when one arrives, and with "curve" when a measurement does. ``truth`` √p (k, k), or ``estimate`` where
    only points are known, sets the colours' scale.

    ``curves`` has a list of (seconds, nll) a racer; ``nll`` and ``standard_error`` the newest, in nats.
    """

    def __init__(self, number: int, racers: Any = None) -> None:
        self.number, self.racers = number, racers
        self.entropy: float | None = None
        self.reach = 4.0
        self.seconds: list[float] = []
        self.steps: list[int] = []
        self.longest_turn = 0.0
        self.nll: list[float] = []
        self.standard_error: list[float] = []
        self.leader: int | None = None
        self.curves: list[list[tuple[float, float]]] = []
        self.arrays: dict[str, np.ndarray] = {}
        self.version: dict[str, int] = {}
        self.snapshots = np.empty(0, np.uint8)
        self.lengths: tuple[int, ...] = ()
        self.snapshot_seconds: tuple[float, ...] = ()
        self.history = TrainingHistory()
        self.fresh_heats: set[str] = set()
        """The names of densities that came since densities are looked at: an older one is of another moment."""
        self.marked_seconds: float | None = None
        """A time that the curves mark: the one on screen, where that is an earlier one."""

    @property
    def least_seconds(self) -> float:
        """The training time that every racer has had."""
        return min(self.seconds, default=0.0)

    def take(self, kind: str, data: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Take up an answer of the engine."""
        if kind == "snapshot":
            self.snapshots = arrays["snapshots"]
            self.lengths, self.snapshot_seconds = tuple(data["lengths"]), tuple(data["seconds"])
        self.seconds, self.steps = [float(value) for value in data["seconds"]], [int(value) for value in data["steps"]]
        self.longest_turn = float(data["longest_turn"])
        if kind == "snapshot":
            return
        if kind == "start":
            entropy = data["entropy"]
            self.entropy, self.reach = None if entropy is None else float(entropy), float(data["reach"])
            self.curves = self.curves or [[] for _ in self.seconds]
            for curve, seconds in zip(self.curves, self.seconds, strict=True):
                # A race that was taken up from a snapshot has lost what came after it.
                while curve and curve[-1][0] > seconds + 1e-9:
                    curve.pop()
            self._count("curve")
        if kind == "truth":
            arrays = {"truth": arrays["heat"]} if "heat" in arrays else {}
        for name, array in arrays.items():
            self.arrays[name] = array
            self._count(name)
            if name.startswith("heat"):
                self.fresh_heats.add(name)
        if "nll" in data:
            self._measured(data)

    def is_shown(self) -> bool:
        """Whether there is a first frame of everybody."""
        return bool(self.seconds) and all(f"samples{index}" in self.arrays for index in range(len(self.seconds)))

    def _count(self, name: str) -> None:
        self.version[name] = self.version.get(name, 0) + 1

    def _measured(self, data: dict[str, Any]) -> None:
        self.nll, self.standard_error = list(data["nll"]), list(data["standard_error"])
        self.leader = data["leader"]
        self.curves = self.curves or [[] for _ in self.nll]
        for curve, seconds, nll in zip(self.curves, data["curve_seconds"], self.nll, strict=True):
            if curve and curve[-1][0] == seconds:
                curve[-1] = (seconds, nll)
            else:
                curve.append((seconds, nll))
            if len(curve) > MAX_CURVE:
                curve[: MAX_CURVE // 2] = curve[: MAX_CURVE // 2 : 2]
        self._count("curve")


class RaceRuns:
    """The races of this session by number, those last used; so many bytes of snapshots are kept, and of frames.

    A race that is too long ago first loses the frames to scrub through, then its weights.
    """

    def __init__(self, limit: int = 48 * 2**20) -> None:
        self._runs: OrderedDict[int, RaceRun] = OrderedDict()
        self._limit = limit

    def get(self, number: int, racers: Any = None) -> RaceRun:
        """The race of that number and (where they are given) with those racers, a new one where there is none."""
        known = self._runs.get(number)
        if known is None or (racers is not None and racers != known.racers):
            # Numbers count within a session; one that was opened may bring its own.
            self._runs[number] = RaceRun(number, racers)
        self._runs.move_to_end(number)
        size = sum(run.snapshots.nbytes for run in self._runs.values())
        while size > self._limit and len(self._runs) > 1:
            size -= self._runs.popitem(last=False)[1].snapshots.nbytes
        size = self.history_bytes
        for run in list(self._runs.values())[:-1]:
            if size > HISTORIES_CAP:
                size -= run.history.nbytes
                run.history = TrainingHistory()
        return self._runs[number]

    @property
    def history_bytes(self) -> int:
        """What the frames of all races take."""
        return sum(run.history.nbytes for run in self._runs.values())

    def __contains__(self, number: int) -> bool:
        return number in self._runs
