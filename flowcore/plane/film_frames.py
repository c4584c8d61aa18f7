"""Moments of a toy run as arrays, when to take them, and its curve as a table. No torch: the window draws them too."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["COLUMNS", "CurvePoint", "FilmFrame", "Scene", "curve_csv", "frame_steps"]


@dataclass(frozen=True)
class CurvePoint:
    """The held-out loss after ``step`` steps: nats, its standard error, the seconds trained, the learning rate of the step."""

    step: int
    nll: float
    standard_error: float
    seconds: float = math.nan
    learning_rate: float = math.nan


@dataclass(frozen=True, eq=False)
class Scene:
    """What stays the same while a run learns: words, the density itself, and the fixed data.

    ``truth`` is √p (k, k) from the lowest row, of points alone a smoothed count, ``data`` (n, 2), ``reach`` half the side of
    the square that is shown; ``entropy`` in nats, None where nobody knows it.
    """

    title: str
    about: str
    truth: np.ndarray
    data: np.ndarray
    reach: float
    entropy: float | None


@dataclass(frozen=True, eq=False)
class FilmFrame:
    """A run at one moment: ``samples`` (n, 2), ``prior`` (m, 2) where f sends the data, ``grid`` (lines, k, 2), ``heat`` √q
    (k, k) from the lowest row, and its place on the curve."""

    samples: np.ndarray
    prior: np.ndarray
    grid: np.ndarray
    heat: np.ndarray
    point: CurvePoint
    fields: dict[str, np.ndarray] = field(default_factory=dict)


def frame_steps(steps: int, frames: int) -> list[int]:
    """After which steps to take at most ``frames`` pictures of a run of ``steps``: the first, the last, and between them
    dense at the start, where most happens (the square of an even spacing). Rising, without one twice.

    Raises:
        ValueError: for fewer than no steps, or than one frame.
    """
    if steps < 0 or frames < 1:
        raise ValueError(f"{frames} pictures of {steps} steps make no animation")
    if frames == 1 or steps == 0:
        return [steps]
    found: list[int] = []
    for index in range(frames):
        wanted = round(steps * (index / (frames - 1)) ** 2)
        found.append(max(wanted, found[-1] + 1) if found else wanted)
    return sorted({min(step, steps) for step in found})


COLUMNS = ("step", "seconds", "held_out_nll", "standard_error", "entropy", "learning_rate")
"""Of a curve as CSV: nats, seconds of training."""


def curve_csv(points: Iterable[CurvePoint], entropy: float | None) -> str:
    """A curve as CSV with a line of names; a number that is not known is left out, the rest are exact."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for point in points:
        row: Sequence[float | None] = (point.seconds, point.nll, point.standard_error, entropy, point.learning_rate)
        writer.writerow([point.step, *(_text(value) for value in row)])
    return out.getvalue()


def _text(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else repr(float(value))
