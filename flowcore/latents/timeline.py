"""Paths through z beyond the walk between two latents: a point between four, and keyframes in time. Torch-free.

As in `flowcore.latents.latent`, latents are flat arrays (D,), everything is computed in float64 and returned in the latents' own
precision, and a path that is at one of its latents gives that one back bit for bit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ConfigError
from ..model.labels import Label, between
from .latent import MODES, walk

__all__ = [
    "EASINGS", "MAX_FRAMES", "PATHS", "PIXELS", "Timeline", "bilinear", "bilinear_label", "ease", "frame_times", "largest_dip",
    "pixel_blend", "sample", "sample_label",
]  # fmt: skip

EASINGS = ("linear", "ease", "hold")
"""How time passes between two keys: evenly, slow at both, or standing at the first until the second's time."""
PATHS = (*MODES, "catmull-rom")
"""What a timeline takes between its keys: a walk of `flowcore.latents.latent` piece by piece, or one smooth curve through all."""
PIXELS = "pixels"
"""The name of the walk that does not go through z: every pixel on a straight line from one picture's to the other's."""
MAX_FRAMES = 10_000


def pixel_blend(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """The picture at t of a cross-fade between two 8-bit pictures (H, W, C): each value on a straight line, rounded.

    Raises:
        ConfigError: for pictures of different sizes, or a position that is no finite number.
    """
    if np.shape(a) != np.shape(b):
        raise ConfigError("A cross-fade needs two pictures of the same size.")
    if not math.isfinite(t):
        raise ConfigError(f"A walk's position must be a finite number, not {t}.")
    mixed = (1.0 - t) * np.asarray(a, np.float64) + t * np.asarray(b, np.float64)
    return np.clip(np.floor(mixed + 0.5), 0, 255).astype(np.uint8)


def bilinear(corners: np.ndarray, x: float, y: float, norm_kept: bool = False) -> np.ndarray:
    """The latent at (x, y) between four, given as (4, D): top left, top right, bottom left, bottom right; x goes right, y down.

    z = (1 − y) ((1 − x) c₀ + x c₁) + y ((1 − x) c₂ + x c₃). With ``norm_kept`` it is scaled so that its norm is that same
    mean of the corners' norms: a mean of independent latents is shorter than any of them, so it lies where few latents do.

    Raises:
        ConfigError: where these are not four latents, or the point does not lie within them.
    """
    corners = np.asarray(corners)
    if corners.ndim != 2 or len(corners) != 4:
        raise ConfigError("A pad needs four latents of one model.")
    if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
        raise ConfigError(f"A point on the pad lies between 0 and 1 each way, not at ({x}, {y}).")
    weights = np.array([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y])
    if weights.max() == 1.0:
        return corners[int(weights.argmax())].copy()
    wide = corners.astype(np.float64)
    point = weights @ wide
    if norm_kept:
        norm, wanted = np.linalg.norm(point), weights @ np.linalg.norm(wide, axis=1)
        if norm > 1e-9 * wanted:
            point *= wanted / norm
    return point.astype(corners.dtype if corners.dtype.kind == "f" else np.float64)


def bilinear_label(labels: Sequence[Label], x: float, y: float) -> Label:
    """The label at (x, y) between four corners' labels: their weights, as those of :func:`bilinear`."""
    top_left, top_right, bottom_left, bottom_right = labels
    return between(between(top_left, top_right, x), between(bottom_left, bottom_right, x), y)


def ease(u: float, easing: str) -> float:
    """How far between two keys one is after the share u in [0, 1] of the time.

    "linear" is u, "ease" 3u² − 2u³ (slow at both ends), "hold" 0 until u = 1.

    Raises:
        ConfigError: for another easing.
    """
    u = min(max(float(u), 0.0), 1.0)
    if easing == "linear":
        return u
    if easing == "ease":
        return u * u * (3.0 - 2.0 * u)
    if easing == "hold":
        return 1.0 if u >= 1.0 else 0.0
    raise ConfigError(f"There is no easing named {easing!r}: choose one of {', '.join(EASINGS)}.")


@dataclass(frozen=True)
class Timeline:
    """When a path is at which of its keys.

    ``seconds`` are how long it takes from each key to the next, ``easings`` how time passes there. In a ``loop`` the last
    ones lead back to the first key; else those of the last key are not used. ``path`` is one of `PATHS`.
    """

    seconds: tuple[float, ...]
    easings: tuple[str, ...]
    loop: bool = False
    path: str = "linear"

    def __post_init__(self) -> None:
        if not self.seconds or len(self.seconds) != len(self.easings):
            raise ConfigError("A timeline needs at least one key, and a duration and an easing for each.")
        if not all(math.isfinite(value) and value > 0.0 for value in self.seconds):
            raise ConfigError("A key's duration must be a number of seconds above 0.")
        for easing in self.easings:
            ease(0.0, easing)
        if self.path not in PATHS:
            raise ConfigError(f"There is no path named {self.path!r}: choose one of {', '.join(PATHS)}.")

    @property
    def segments(self) -> int:
        """How many ways from key to key there are."""
        count = len(self.seconds)
        return 0 if count == 1 else count if self.loop else count - 1

    @property
    def starts(self) -> tuple[float, ...]:
        """The time of every key."""
        return tuple(itertools.accumulate(self.seconds[:-1], initial=0.0))

    @property
    def duration(self) -> float:
        """Seconds from the first key to the end: to the last key, or in a loop back to the first."""
        return sum(self.seconds[: self.segments])

    def place(self, time: float) -> tuple[int, int, float]:
        """(key, next key, how far between them, eased) at a time; a loop goes round, else the ends stand still."""
        if not math.isfinite(time):
            raise ConfigError(f"A time must be a finite number of seconds, not {time}.")
        if not self.segments:
            return 0, 0, 0.0
        count, duration = len(self.seconds), self.duration
        if self.loop:
            time %= duration
        elif time >= duration:
            return count - 1, count - 1, 0.0
        time = max(time, 0.0)
        for index, start in enumerate(self.starts[: self.segments]):
            if time < start + self.seconds[index] or index == self.segments - 1:
                share = ease((time - start) / self.seconds[index], self.easings[index])
                return index, (index + 1) % count, share
        raise AssertionError("unreachable")


def frame_times(duration: float, fps: float, loop: bool = False) -> list[float]:
    """Even times of an animation's frames, in seconds: both ends are among them, but of a loop the end is the start.

    Raises:
        ConfigError: for no frames a second, or more than `MAX_FRAMES` frames.
    """
    if not (math.isfinite(fps) and fps > 0.0 and math.isfinite(duration) and duration >= 0.0):
        raise ConfigError("An animation needs a length in seconds and a number of frames a second above 0.")
    if duration * fps > MAX_FRAMES:
        raise ConfigError(
            f"{duration * fps:,.0f} frames are more than the {MAX_FRAMES:,} of one animation: choose fewer a second."
        )
    steps = max(1, round(duration * fps)) if duration > 0.0 else 0
    if not steps:
        return [0.0]
    count = steps if loop else steps + 1
    return [duration * index / steps for index in range(count)]


def sample(keys: np.ndarray, timeline: Timeline, times: Sequence[float] | np.ndarray) -> np.ndarray:
    """The latents of a timeline at these times, in seconds: (len(times), D), from its keys' latents (K, D).

    The path "catmull-rom" is the cubic through all keys whose direction at each is that from the key before to the key
    after, over the time between them (Catmull and Rom 1974, with the keys' own times as knots); at the ends of a timeline
    that is no loop it is that of the one way there is. The others go piece by piece.

    Raises:
        ConfigError: where there are not as many latents as keys.
    """
    keys = np.asarray(keys)
    if keys.ndim != 2 or len(keys) != len(timeline.seconds):
        raise ConfigError(f"The timeline has {len(timeline.seconds)} keys, and latents of another number were given.")
    if keys.dtype.kind != "f":
        keys = keys.astype(np.float64)
    points = []
    for time in times:
        first, second, share = timeline.place(time)
        if share == 0.0 or first == second:
            points.append(keys[first])
        elif share == 1.0:
            points.append(keys[second])
        elif timeline.path == "catmull-rom":
            points.append(_cubic(keys, timeline, first, second, share).astype(keys.dtype))
        else:
            points.append(walk(keys[first], keys[second], (share,), timeline.path)[0])
    return np.stack(points) if points else np.empty((0, keys.shape[1]), keys.dtype)


def sample_label(labels: Sequence[Label], timeline: Timeline, time: float) -> Label:
    """The label at a time: on a straight line between the two keys' (a curve could leave what weights are)."""
    first, second, share = timeline.place(time)
    return between(labels[first], labels[second], share)


def _cubic(keys: np.ndarray, timeline: Timeline, first: int, second: int, u: float) -> np.ndarray:
    """Hermite's cubic between two keys, u of the way."""
    seconds = timeline.seconds[first]
    p, q = keys[first].astype(np.float64), keys[second].astype(np.float64)
    m, n = (seconds * _velocity(keys, timeline, index) for index in (first, second))
    uu, uuu = u * u, u * u * u
    return (2 * uuu - 3 * uu + 1) * p + (uuu - 2 * uu + u) * m + (3 * uu - 2 * uuu) * q + (uuu - uu) * n


def _velocity(keys: np.ndarray, timeline: Timeline, index: int) -> np.ndarray:
    """The direction in which the curve passes a key, in z a second."""
    count = len(keys)
    before, after = index - 1, index + 1
    if not timeline.loop:
        before, after = max(before, 0), min(after, count - 1)
    seconds = sum(timeline.seconds[between_ % count] for between_ in range(before, after))
    return (keys[after % count].astype(np.float64) - keys[before % count].astype(np.float64)) / seconds


def largest_dip(bpds: Sequence[float | None] | np.ndarray, least: float = 0.02) -> int | None:
    """Where a walk's likelihood dips most: the index of the inner local maximum of bits per dimension that lies farthest above
    the straight line between the ends' values; None where none lies ``least`` above it, or a value is not known.
    """
    if len(bpds) < 3 or any(bpd is None or not math.isfinite(bpd) for bpd in bpds):
        return None
    values = np.asarray(bpds, np.float64)
    above = values - np.linspace(values[0], values[-1], len(values))
    inner = np.flatnonzero((values[1:-1] >= values[:-2]) & (values[1:-1] >= values[2:])) + 1
    if not len(inner):
        return None
    best = int(inner[above[inner].argmax()])
    return best if above[best] >= least else None
