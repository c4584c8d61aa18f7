"""What is known of one training in the window: its newest frames, its curve, its last snapshot. No Qt."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from flow_explorer.toylab.panels.curve import Curve
from flow_explorer.toylab.views.gradient_curve import GradientCurve

__all__ = ["Run", "Runs"]

MAX_CURVE = 4000


class Run:
    """One training. ``arrays`` holds the newest of each kind; ``version`` counts up when one of a kind arrives.

    Arrays: ``data``, ``samples``, ``prior`` (n, 2), ``grid`` (lines, k, 2), ``layers`` (K + 1, n, 2), ``heat`` and
    ``truth`` √p (k, k), ``snapshot`` bytes; ``contours`` and ``true_contours`` (n, 5), ``stretch`` (k, k) and
    ``displacement`` (K + 1, m, 2) where their views are on. Where only points are known there are ``estimate`` and
    ``estimate_contours`` in the place of the truth.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.curve = Curve()
        self.step = 0
        self.rate = 0.0
        self.entropy: float | None = None
        self.known = True  # whether the density itself is, not only points of it
        self.estimated_from: int | None = None  # so many points, where they are all that is known
        self.reach = 4.0
        self.nll: float | None = None
        self.standard_error: float | None = None
        self.arrays: dict[str, np.ndarray] = {}
        self.version: dict[str, int] = {}
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.snapshot_step = 0
        self.heat_step = -1
        self.layer_bound = 4.5
        self.gradients = GradientCurve()
        self.marked_step: int | None = None
        """A step that the curve marks: the one on screen, where that is an earlier one."""

    def inherit(self, other: Run, step: int, snapshot: np.ndarray) -> None:
        """Begin where another training was at a step, with its weights and its curve up to there."""
        self.steps = [at for at in other.steps if at <= step]
        self.losses = other.losses[: len(self.steps)]
        self.curve = Curve(other.curve.until(step))
        self.take("snapshot", {"step": step}, {"snapshot": snapshot})

    def take(self, kind: str, data: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Take up an answer of the engine."""
        self.step = int(data["step"])
        self.rate = float(data.get("rate", self.rate))
        self.curve.take(kind, data)
        if kind == "start":
            entropy = data["entropy"]
            self.entropy, self.reach = None if entropy is None else float(entropy), float(data["reach"])
            self.known = bool(data.get("known", entropy is not None))
            self._forget_after(self.step)
        if kind == "estimate":
            self.estimated_from = int(data["points"])
        if kind == "truth":
            arrays = {("truth" if name == "heat" else name): array for name, array in arrays.items()}
        for name, array in arrays.items():
            if name == "heat":
                if self.heat_step == self.step and array.size < self.arrays["heat"].size:
                    continue  # the finer one of this very step is on screen
                self.heat_step = self.step
            self._put(name, array)
        if "snapshot" in arrays:
            self.snapshot_step = self.step
        if "layers" in arrays:
            far = float(np.quantile(np.abs(arrays["layers"]), 0.99))
            # Only ever wider: a frame that shrank and grew while it learns would look like motion of the points.
            self.layer_bound = max(self.layer_bound, min(8.0, np.ceil(far * 2) / 2))
        if "gradient_norms" in data:
            self.gradients.add(self.step, data["gradient_names"], data["gradient_norms"])
        if "nll" in data:
            self._add_loss(self.step, float(data["nll"]))
            self.nll, self.standard_error = float(data["nll"]), float(data["standard_error"])

    def begin(self, step: int, snapshot: np.ndarray, curve: Curve) -> None:
        """Be a training that was saved: with its weights, its step and its curve."""
        self.step = self.snapshot_step = step
        self._put("snapshot", snapshot)
        self.curve = Curve(curve.points)
        self.steps = [point.step for point in curve.points]
        self.losses = [point.nll for point in curve.points]
        self.version["curve"] = self.version.get("curve", 0) + 1

    @property
    def snapshot(self) -> np.ndarray:
        """The last snapshot's bytes, none where there has been none."""
        return self.arrays.get("snapshot", np.empty(0, np.uint8))

    def is_shown(self) -> bool:
        """Whether there is a first frame, whichever views are on."""
        return "layers" in self.arrays or "samples" in self.arrays

    def _put(self, name: str, array: np.ndarray) -> None:
        self.arrays[name] = array
        self.version[name] = self.version.get(name, 0) + 1

    def _add_loss(self, step: int, nll: float) -> None:
        if self.steps and step == self.steps[-1]:
            self.losses[-1] = nll
        else:
            self.steps.append(step)
            self.losses.append(nll)
        if len(self.steps) > MAX_CURVE:
            # Every other point of what is long past.
            half = MAX_CURVE // 2
            self.steps[:half], self.losses[:half] = self.steps[:half:2], self.losses[:half:2]
        self.version["curve"] = self.version.get("curve", 0) + 1

    def _forget_after(self, step: int) -> None:
        """A training that was taken up from a snapshot has lost what came after it."""
        while self.steps and self.steps[-1] > step:
            self.steps.pop()
            self.losses.pop()
        self.gradients.forget_after(step)
        self.version["curve"] = self.version.get("curve", 0) + 1


class Runs:
    """The trainings of this session by number, those last used; so many bytes of snapshots are kept."""

    def __init__(self, limit: int = 96 * 2**20) -> None:
        self._runs: OrderedDict[int, Run] = OrderedDict()
        self._limit = limit

    def get(self, number: int) -> Run:
        """The training of that number, a new one where there is none."""
        if number not in self._runs:
            self._runs[number] = Run(number)
        self._runs.move_to_end(number)
        self._trim()
        return self._runs[number]

    def __contains__(self, number: int) -> bool:
        return number in self._runs

    def _trim(self) -> None:
        size = sum(run.snapshot.nbytes for run in self._runs.values())
        while size > self._limit and len(self._runs) > 1:
            _, oldest = self._runs.popitem(last=False)
            size -= oldest.snapshot.nbytes
