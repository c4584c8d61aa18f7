"""What a training looked like at earlier steps: frames kept small, thinned evenly, under a limit in bytes. No Qt.

Points are kept as 16-bit whole numbers, a 1,024th of a unit apart within ±32; a density as 8-bit ones between 0 and its own
highest value. So a frame of a flow of eight layers takes some 35 kB, and the whole history of a training, however long,
at most ``CAP``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from flow_explorer.toylab.run import Run

__all__ = ["CAP", "SNAPSHOTS_CAP", "Frame", "TrainingHistory", "pack"]

CAP = 24 * 2**20
"""Bytes of frames kept of one training."""
SNAPSHOTS_CAP = 16 * 2**20
"""Bytes of weights kept of one training, to go on from."""

_SCALE = 1024.0
_HEATS = ("heat",)
_POINTS = ("samples", "prior", "grid", "layers", "contours", "displacement", "outline")
_FIELDS = ("stretch",)


def pack(arrays: Mapping[str, np.ndarray]) -> dict[str, tuple[np.ndarray, float]]:
    """Arrays by name, small, each with what its whole numbers are to be multiplied by; unknown names are left out.

    A flow's number may follow the name: ``samples2`` is packed as samples are.
    """
    packed: dict[str, tuple[np.ndarray, float]] = {}
    for name, array in arrays.items():
        kind = name.rstrip("0123456789")
        if kind in _POINTS:
            limited = np.clip(np.nan_to_num(array, posinf=32.0, neginf=-32.0) * _SCALE, -32767, 32767)
            packed[name] = np.rint(limited).astype(np.int16), 1 / _SCALE
        elif kind in _FIELDS and array.size:
            packed[name] = np.rint(np.clip(_coarse(array) * _SCALE, -32767, 32767)).astype(np.int16), 1 / _SCALE
        elif kind in _HEATS and array.size:
            top = float(array.max()) or 1.0
            packed[name] = np.rint(_coarse(array) * (255 / top)).astype(np.uint8), top / 255
    return packed


@dataclass(frozen=True, eq=False)
class Frame:
    """One moment of all flows of a run, packed; the arrays of a flow have its number at the end of their names.

    Of each flow: its steps, seconds of training, losses (None where none was measured yet) with their standard errors, and how
    far its layers' panel reached. ``leader`` is who led.
    """

    steps: tuple[int, ...]
    seconds: tuple[float, ...]
    losses: tuple[float | None, ...]
    errors: tuple[float | None, ...]
    layer_bounds: tuple[float, ...]
    leader: int | None
    packed: dict[str, tuple[np.ndarray, float]] = field(repr=False)

    @classmethod
    def of(cls, run: Run, heats: bool = True) -> Frame:
        """The run as it is now, with its densities (those that are of this moment) or without; arrays of other names are left
        out."""
        arrays = {
            f"{name}{number}": array for number, entry in enumerate(run.entries) for name, array in entry.arrays.items()
            if name not in _HEATS or (heats and entry.fresh_heat)
        }  # fmt: skip
        entries = run.entries
        return cls(
            tuple(run.steps), tuple(run.seconds), tuple(entry.nll for entry in entries),
            tuple(entry.standard_error for entry in entries), tuple(entry.layer_bound for entry in entries), run.leader,
            pack(arrays),
        )  # fmt: skip

    @property
    def step(self) -> int:
        """The steps of all together, which order the moments."""
        return sum(self.steps)

    @property
    def least_seconds(self) -> float:
        """The training time that every flow had had."""
        return min(self.seconds)

    @property
    def nbytes(self) -> int:
        """What it takes."""
        return sum(array.nbytes for array, _ in self.packed.values()) + 256

    def arrays(self) -> dict[str, np.ndarray]:
        """What there was to see, float32."""
        return {name: array.astype(np.float32) * np.float32(scale) for name, (array, scale) in self.packed.items()}


def _coarse(heat: np.ndarray, side: int = 64) -> np.ndarray:
    """A fine density as means of its cells, (64, 64) where that is possible."""
    factor = heat.shape[0] // side
    if factor < 2 or heat.shape != (side * factor, side * factor):
        return heat
    return heat.reshape(side, factor, side, factor).mean((1, 3))


class TrainingHistory:
    """Frames of one training in the order of their steps.

    Every ``stride``-th frame that is offered is kept. When the limit is reached every other one is dropped and the stride
    doubled, so that what is kept always lies evenly over all that was offered, the first among it.
    """

    def __init__(self, cap: int = CAP, snapshots_cap: int = SNAPSHOTS_CAP) -> None:
        self._cap, self._snapshots_cap = cap, snapshots_cap
        self.frames: list[Frame] = []
        self.snapshots: list[tuple[int, np.ndarray]] = []
        self.stride = self._snapshot_stride = 1
        self._offered = self._snapshots_offered = 0
        self.version = 0
        self._bytes = self._snapshot_bytes = 0

    @property
    def nbytes(self) -> int:
        """What all of it takes."""
        return self._bytes + self._snapshot_bytes

    def offer(self, frame: Frame) -> bool:
        """Take up the next frame, if its turn has come; whether it was kept. A step at or before the last one is not."""
        if self.frames and frame.step <= self.frames[-1].step:
            return False
        self._offered += 1
        if (self._offered - 1) % self.stride:
            return False
        self.frames.append(frame)
        self._bytes += frame.nbytes
        self.version += 1
        while self._bytes > self._cap and len(self.frames) > 1:
            self.frames = self.frames[::2]
            self.stride *= 2
            self._bytes = sum(kept.nbytes for kept in self.frames)
        return True

    def offer_snapshot(self, step: int, snapshot: np.ndarray) -> bool:
        """Take up weights to go on from; as with frames, evenly thinned under a limit of their own."""
        if not snapshot.size or (self.snapshots and step <= self.snapshots[-1][0]):
            return False
        self._snapshots_offered += 1
        if (self._snapshots_offered - 1) % self._snapshot_stride:
            return False
        self.snapshots.append((step, snapshot))
        self._snapshot_bytes += snapshot.nbytes
        while self._snapshot_bytes > self._snapshots_cap and len(self.snapshots) > 1:
            self.snapshots = self.snapshots[::2]
            self._snapshot_stride *= 2
            self._snapshot_bytes = sum(kept.nbytes for _, kept in self.snapshots)
        return True

    def forget_after(self, step: int) -> None:
        """The training was taken up at ``step`` again: what came after it is lost."""
        frames = [frame for frame in self.frames if frame.step <= step]
        if len(frames) < len(self.frames):
            self.frames = frames
            self._bytes = sum(frame.nbytes for frame in frames)
            self._offered = (len(frames) - 1) * self.stride + 1 if frames else 0
            self.version += 1
        kept = [(at, snapshot) for at, snapshot in self.snapshots if at <= step]
        if len(kept) < len(self.snapshots):
            self.snapshots = kept
            self._snapshot_bytes = sum(snapshot.nbytes for _, snapshot in kept)
            self._snapshots_offered = (len(kept) - 1) * self._snapshot_stride + 1 if kept else 0

    def snapshot_at(self, step: int) -> tuple[int, np.ndarray] | None:
        """The last weights kept at or before ``step``, and their step; None where there are none."""
        index = bisect_right(self.snapshots, step, key=lambda pair: pair[0]) - 1
        return self.snapshots[index] if index >= 0 else None
