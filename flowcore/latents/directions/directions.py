"""Directions in z: what the pictures of a set have in common, as one vector along which any picture can be moved.

Latents are rows (N, D) of whitened coordinates. A direction is made from two sets (the difference of their means, each coordinate
as far as it can be trusted), or as a principal axis of one set. It is measured in standard deviations of the set's projections on
it, can be limited to levels of z, and can be made orthogonal to others, so that a move along it leaves their projections as they
are. Everything is computed in float64. Knows no flow and no file: those are in :mod:`flowcore.latents.directions.files`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

import numpy as np

from ...errors import ConfigError
from ...fields import is_number

__all__ = [
    "Axis", "Bounds", "Contrast", "Direction", "Moments", "Quality", "auc", "contrast", "cosine", "cross_validated",
    "displacement", "from_sets", "orthogonal", "principal_axes", "quality_of", "standard_step", "within",
]  # fmt: skip

Bounds = Sequence[tuple[int, int]]
"""(start, stop) of each level of z, the finest first, as ``flow.levels`` has them."""

FOLDS = 5
TRUSTED_FROM = 50
"""Pictures that the smaller of two sets must have before coordinates are told apart by how far they can be trusted."""
THRESHOLD = 1.5
"""Standard errors that a coordinate's difference of means loses; what lies within is taken for chance."""
HELD_SHARE = 0.25
"""Share of a set that principal axes do not see, so that their share of the variance can be measured on it."""
HELD_FROM = 40


@dataclass(frozen=True)
class Quality:
    """How well a direction's projection tells pictures apart that it was not made from.

    ``score`` is the area under the receiver operating characteristic: the share of pairs, one picture of each set, that the
    projection puts in the right order. For a principal axis (``how`` is "variance" or "own variance") it is the axis' share of
    the variance of held-out pictures, or, where these were too few, of its own.
    """

    score: float
    low: float
    high: float
    """95 % interval; for a share of variance both are the score."""
    more: int
    less: int
    """Pictures of either set that it was measured on; of an axis, all of them and 0."""
    how: str = "held out"
    """"held out", "cross-validated", "variance" or "own variance"."""

    def to_dict(self) -> dict[str, Any]:
        return {"score": round(self.score, 6), "low": round(self.low, 6), "high": round(self.high, 6), "more": self.more,
                "less": self.less, "how": self.how}  # fmt: skip

    @classmethod
    def from_dict(cls, data: object) -> Quality:
        """Read what :meth:`to_dict` wrote; raises `ConfigError`."""
        if not isinstance(data, dict) or data.get("how") not in ("held out", "cross-validated", "variance", "own variance"):
            raise ConfigError("A direction's quality cannot be read.")
        score, low, high, more, less = (data.get(name) for name in ("score", "low", "high", "more", "less"))
        if not (_share(score) and _share(low) and _share(high)):
            raise ConfigError("A direction's quality must be shares from 0 to 1.")
        if not (_count(more) and _count(less)):
            raise ConfigError("A direction's quality must tell on how many pictures it was measured.")
        return cls(float(score), float(low), float(high), more, less, data["how"])


def _share(value: object) -> TypeGuard[float]:
    return is_number(value) and 0.0 <= value <= 1.0


def _count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= 10**12


@dataclass(frozen=True, eq=False)
class Direction:
    """A vector in the z of one model, with all that must be known to use it."""

    name: str
    vector: np.ndarray
    """(D,) float32, zero at the levels that it does not act on. Its length means nothing."""
    deviation: float
    """Standard deviation of the projections on the unit vector: the unit of an amount, in the units of z."""
    model: str = ""
    fingerprint: str = ""
    """Of the model's architecture and weights, as :func:`flowcore.latents.directions.files.fingerprint` gives it."""
    levels: tuple[int, ...] = ()
    """Levels that it acts on, 0 the finest."""
    made: dict[str, Any] = field(default_factory=dict)
    """How: ``by`` is "labels", "picks", "folders" or "axis"; the rest is for people."""
    quality: Quality | None = None

    def renamed(self, name: str) -> Direction:
        return replace(self, name=name)


# Moments and contrasts


class Moments:
    """Count, mean and spread of latents that come in batches (Chan, Golub and LeVeque 1983, eq. 1.5): the rows are not kept."""

    def __init__(self, dims: int) -> None:
        self.count = 0
        self.mean = np.zeros(dims)
        self._squares = np.zeros(dims)

    def add(self, rows: np.ndarray) -> Moments:
        """Take in rows (n, D); returns itself."""
        rows = np.asarray(rows, np.float64)
        if not len(rows):
            return self
        mean = rows.mean(0)
        squares = ((rows - mean) ** 2).sum(0)
        total = self.count + len(rows)
        offset = mean - self.mean
        self._squares += squares + offset**2 * (self.count * len(rows) / total)
        self.mean = self.mean + offset * (len(rows) / total)
        self.count = total
        return self

    @property
    def squares(self) -> np.ndarray:
        """Sum of squared distances from the mean, (D,)."""
        return self._squares


@dataclass(frozen=True, eq=False)
class Contrast:
    """A vector from the one set's mean towards the other's, and the point half way between them."""

    vector: np.ndarray
    middle: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Projections (N,) on the unit vector, from the middle."""
        return (np.asarray(rows, np.float64) - self.middle) @ unit(self.vector)


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector at length 1, float64. Raises `ConfigError` for one that has no length."""
    vector = np.asarray(vector, np.float64)
    length = np.linalg.norm(vector)
    if not (np.isfinite(length) and length > 0):
        raise ConfigError("This direction has no length: the two sets do not differ in the levels that are left of it.")
    return vector / length


def contrast(more: Moments, less: Moments, threshold: float | None = None) -> Contrast:
    """The difference of two sets' means, coordinate by coordinate as far as it can be trusted.

    A coordinate's difference loses ``threshold`` of its standard errors, and what is then left of it counts (the nearest shrunken
    centroids of Tibshirani et al. 2002, PNAS 99): in thousands of coordinates chance alone adds up to more than the label does.
    None takes `THRESHOLD` for sets of `TRUSTED_FROM` pictures and more; smaller ones say nothing about single coordinates, and
    their difference is taken as it is.

    Raises:
        ConfigError: for an empty set, or sets that do not differ.
    """
    if not more.count or not less.count:
        raise ConfigError(f"A direction needs pictures on both sides: there are {more.count} of more and {less.count} of less.")
    if threshold is None:
        threshold = THRESHOLD if min(more.count, less.count) >= TRUSTED_FROM else 0.0
    difference = more.mean - less.mean
    if threshold:
        pooled = (more.squares + less.squares) / max(more.count + less.count - 2, 1)
        error = np.sqrt(pooled * (1 / more.count + 1 / less.count))
        difference = np.sign(difference) * np.maximum(np.abs(difference) - threshold * error, 0.0)
    unit(difference)
    return Contrast(difference, (more.mean + less.mean) / 2)


# Levels, and being orthogonal to others


def within(vector: np.ndarray, bounds: Bounds, levels: Sequence[int] | None) -> np.ndarray:
    """The vector with zeros outside ``levels`` (numbers, 0 the finest; None for all), float64.

    Raises:
        ConfigError: for a level that there is not.
    """
    vector = np.array(vector, np.float64)
    if levels is None:
        return vector
    wrong = [level for level in levels if not 0 <= level < len(bounds)]
    if wrong:
        raise ConfigError(f"There is no level {wrong[0] + 1}: this model has levels 1 to {len(bounds)}.")
    for number, (start, stop) in enumerate(bounds):
        if number not in levels:
            vector[..., start:stop] = 0.0
    return vector


def orthogonal(vector: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """What is left of a vector without its parts along others, by modified Gram and Schmidt, twice for round-off; float64.

    It is zero, to round-off, where the vector lies in the others' span.
    """
    rest = np.array(vector, np.float64)
    basis: list[np.ndarray] = []
    for other in others:
        other = np.array(other, np.float64)
        length = _norm(other)
        for _ in range(2):
            for base in basis:
                other -= _dot(base, other) * base
        left = _norm(other)
        if left > 1e-9 * length:
            basis.append(other / left)
    before = _norm(rest)
    for _ in range(2):
        for base in basis:
            rest -= _dot(base, rest) * base
    return rest if _norm(rest) > 1e-9 * before else np.zeros_like(rest)


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    # Not by BLAS, whose threads on a busy machine wait longer for each other than the sum takes: a slider is being dragged.
    return float((a * b).sum())


def _norm(vector: np.ndarray) -> float:
    return math.sqrt(_dot(vector, vector))


def standard_step(direction: Direction, bounds: Bounds, levels: Sequence[int] | None = None,
                  without: Sequence[Direction] = ()) -> np.ndarray:
    """What one standard deviation along a direction adds to z, (D,) float64.

    Limited to ``levels`` it is that part of the whole step, so that the steps of single levels add up to it. Orthogonal to
    ``without``, taken in the same levels, it leaves those directions' projections unchanged; its length shrinks by what it loses.
    """
    vectors = [within(each.vector, bounds, levels) for each in (direction, *without)]
    return direction.deviation * orthogonal(vectors[0] / _norm(direction.vector.astype(np.float64)), vectors[1:])


def displacement(steps: Sequence[tuple[np.ndarray, float]], dims: int) -> np.ndarray:
    """Steps (D,) times their amounts, added up; (D,) float64."""
    total = np.zeros(dims)
    for step, amount in steps:
        total += amount * step
    return total


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """The cosine of the angle between two directions' vectors."""
    return float(unit(a) @ unit(b))


# Quality


def auc(more: np.ndarray, less: np.ndarray) -> tuple[float, float, float]:
    """Area under the ROC of scores (m,) and (n,), ties half, and its 95 % interval: (area, low, high).

    The interval is Newcombe's method 5 (Statistics in Medicine 25, 2006), Wilson's for a share carried over: the areas θ that are
    within 1.96 of their *own* standard errors of the one observed. It stays inside 0 to 1 and does not shrink to a point at 1.

    Raises:
        ConfigError: for an empty side or scores that are not finite.
    """
    more, less = np.asarray(more, np.float64), np.sort(np.asarray(less, np.float64))
    if not len(more) or not len(less):
        raise ConfigError("An area under the curve needs scores on both sides.")
    if not (np.isfinite(more).all() and np.isfinite(less).all()):
        raise ConfigError("Some of these projections are not finite numbers.")
    below = np.searchsorted(less, more, "left") + np.searchsorted(less, more, "right")
    area = float(below.mean() / (2 * len(less)))
    m, n = len(more), len(less)

    def beyond(theta: float) -> bool:
        half = (m + n) / 2 - 1
        variance = theta * (1 - theta) / (m * n) * (1 + half * (1 - theta) / (2 - theta) + half * theta / (1 + theta))
        return abs(theta - area) > 1.959964 * math.sqrt(variance)

    def edge(outside: float, inside: float) -> float:
        if not beyond(outside):
            return outside
        for _ in range(60):
            middle = (outside + inside) / 2
            outside, inside = (middle, inside) if beyond(middle) else (outside, middle)
        return inside

    # At 0 and 1 the variance is 0, so that the bound itself is never "within": one starts a hair inside.
    return area, edge(1e-12, area) if area > 1e-12 else 0.0, edge(1 - 1e-12, area) if area < 1 - 1e-12 else 1.0


def quality_of(more: np.ndarray, less: np.ndarray, how: str = "held out") -> Quality:
    """:func:`auc` of projections as a :class:`Quality`."""
    return Quality(*auc(more, less), len(more), len(less), how)


def cross_validated(more: np.ndarray, less: np.ndarray, threshold: float | None = None) -> Quality | None:
    """Quality of the contrast of two sets (N, D), (M, D), each fold scored by the contrast of the other folds.

    None where a side has fewer than three pictures.
    """
    folds = min(FOLDS, len(more), len(less))
    if folds < 3:
        return None
    rng = np.random.default_rng(0)
    parts = [np.array_split(rng.permutation(len(rows)), folds) for rows in (more, less)]
    scores: tuple[list, list] = ([], [])
    for fold in range(folds):
        kept = [np.delete(rows, part[fold], 0) for rows, part in zip((more, less), parts, strict=True)]
        try:
            above, below = (Moments(rows.shape[1]).add(rows) for rows in kept)
            found = contrast(above, below, threshold)
        except ConfigError:
            return None
        for own, rows, part in zip(scores, (more, less), parts, strict=True):
            own.append(found.scores(rows[part[fold]]))
    return quality_of(np.concatenate(scores[0]), np.concatenate(scores[1]), "cross-validated")


def from_sets(name: str, more: np.ndarray, less: np.ndarray, bounds: Bounds, levels: Sequence[int] | None = None,
              without: Sequence[Direction] = (), made: dict[str, Any] | None = None) -> Direction:
    """A direction from the pictures of "less" (M, D) to those of "more" (N, D), its quality cross-validated.

    The amount's unit is the standard deviation of these pictures' own projections.

    Raises:
        ConfigError: for an empty set, sets of different models, or sets that do not differ.
    """
    more, less = (np.asarray(rows, np.float64) for rows in (more, less))
    if more.ndim != 2 or less.ndim != 2 or more.shape[1] != less.shape[1] or more.shape[1] != bounds[-1][1]:
        raise ConfigError("Both sets of a direction must be latents of this model.")
    if not (np.isfinite(more).all() and np.isfinite(less).all()):
        raise ConfigError("Some of these latents hold numbers that are not finite.")
    # Whatever the direction must not see is taken out of the rows first: then the folds do not see it either.
    others = [within(other.vector, bounds, levels) for other in without]
    more, less = (_without(within(rows, bounds, levels), others) for rows in (more, less))
    if np.linalg.norm(more.mean(0) - less.mean(0)) < 1e-6:
        raise ConfigError("The two sets do not differ on average, so there is no direction from one to the other.")
    found = contrast(Moments(bounds[-1][1]).add(more), Moments(bounds[-1][1]).add(less))
    vector = orthogonal(found.vector, others).astype(np.float32)
    projections = np.concatenate([more, less]) @ unit(vector)
    return Direction(
        name, vector, _deviation(projections), levels=tuple(range(len(bounds)) if levels is None else sorted(set(levels))),
        made={**(made or {}), "more": len(more), "less": len(less), "without": [other.name for other in without]},
        quality=cross_validated(more, less),
    )  # fmt: skip


def _without(rows: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """Rows (N, D) without their parts in the others' span."""
    if not others:
        return rows
    basis = np.linalg.svd(np.stack([unit(other) for other in others]), full_matrices=False)
    kept = basis[2][basis[1] > 1e-9]
    return rows - (rows @ kept.T) @ kept


def _deviation(projections: np.ndarray) -> float:
    value = float(np.std(projections, ddof=1)) if len(projections) > 1 else 0.0
    if not value > 0:
        raise ConfigError("These pictures do not differ along the direction, so it has no unit.")
    return value


# Principal axes


@dataclass(frozen=True, eq=False)
class Axis:
    """One principal axis of a set."""

    vector: np.ndarray
    deviation: float
    share: float
    """Of the variance, in held-out rows where ``held`` is above 0."""
    held: int


def principal_axes(rows: np.ndarray, count: int) -> list[Axis]:
    """The ``count`` axes along which a set (N, D) varies most, the first the longest. At most N − 1 there are.

    Of 40 rows and more a quarter is held out, and each axis' share of the variance is that of these. Signs are such that the row
    farthest out lies on the positive side.

    Raises:
        ConfigError: for fewer than three rows, or rows that do not vary.
    """
    rows = np.asarray(rows, np.float64)
    if len(rows) < 3:
        raise ConfigError(f"Principal axes need at least three pictures; there {'is' if len(rows) == 1 else 'are'} {len(rows)}.")
    order = np.random.default_rng(0).permutation(len(rows))
    held = order[: int(HELD_SHARE * len(rows))] if len(rows) >= HELD_FROM else order[:0]
    seen = np.delete(rows, held, 0)
    centre = seen.mean(0)
    offsets = seen - centre
    # The Gram matrix is as large as the set, the covariance as large as z.
    values, vectors = np.linalg.eigh(offsets @ offsets.T)
    total = float(values.clip(0).sum())
    if not (np.isfinite(total) and total > 0):
        raise ConfigError("These pictures do not differ, so they have no principal axes.")
    away = rows[held] - centre if len(held) else offsets
    variance = float((away**2).sum())
    axes = []
    for index in range(len(values) - 1, max(len(values) - 1 - count, 0), -1):
        if values[index] <= 1e-12 * total:
            break
        vector = unit(vectors[:, index] @ offsets)
        own = offsets @ vector
        vector = -vector if own[np.abs(own).argmax()] < 0 else vector
        share = float(((away @ vector) ** 2).sum() / variance) if variance > 0 else 0.0
        axes.append(Axis(vector.astype(np.float32), _deviation(own), share, len(held)))
    return axes
