"""Directions from pictures: a data set is encoded batch by batch, and what is kept of it does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ...errors import ConfigError, NonFiniteError
from ...fast import accelerate
from ...model.codec import class_log_probs_job, double_of, label_tensor, to_pixels
from ...model.flow import Flow
from ...model.labels import Label, single
from ...work import finish
from .directions import (
    Axis,
    Direction,
    Moments,
    Quality,
    contrast,
    from_sets,
    orthogonal,
    principal_axes,
    quality_of,
    unit,
    within,
)
from .files import fingerprint

__all__ = ["HELD_MAX", "axes_of", "bounds_of", "from_labels", "latents", "latents_job", "of_sets"]

HELD_MAX = 2000
"""Latents that are kept to measure on: 2,000 of 64×64 in colour are 100 MB."""
BATCH = 64


def bounds_of(flow: Flow) -> list[tuple[int, int]]:
    """(start, stop) of each level of a flow's z, the finest first."""
    return [(level.start, level.stop) for level in flow.levels]


def latents_job(flow: Flow, pictures: np.ndarray, labels: Sequence[Label] = ()) -> Generator[None, None, np.ndarray]:
    """uint8 (N, H, W, C) -> z (N, D) float32 at the bin centres, yielding after every layer.

    A picture without a finite z gives a row of NaN. A conditional flow takes each under its label, or, without any, under the
    class that it is likeliest under.
    """
    if not len(pictures):
        return np.zeros((0, flow.num_dims), np.float32)
    if flow.num_classes and not labels:
        found = []
        for picture in pictures:
            found.append(single(int((yield from class_log_probs_job(flow, picture)).argmax())))
        labels = found
    try:
        z = yield from _encode(flow, pictures, labels)
    except NonFiniteError:
        z = None
    if z is not None and np.isfinite(z).all():
        return z
    rows = np.full((len(pictures), flow.num_dims), np.nan, np.float32)
    for index, picture in enumerate(pictures):
        for model in (flow, double_of(flow)):
            try:
                row = (yield from _encode(model, picture[None], labels[index : index + 1]))[0]
            except NonFiniteError:
                continue
            if np.isfinite(row).all():
                rows[index] = row
                break
    return rows


def _encode(model: Flow, pictures: np.ndarray, labels: Sequence[Label]) -> Generator[None, None, np.ndarray]:
    label = label_tensor(model, list(labels)) if model.num_classes else None
    with torch.no_grad():
        z, _ = yield from accelerate(model).encode_steps(to_pixels(pictures, model), label)
    return z.float().cpu().numpy()


def latents(flow: Flow, pictures: Any, labels: np.ndarray | None = None, batch: int = BATCH,
            on_progress: Callable[[int, int], None] | None = None) -> Generator[tuple[slice, np.ndarray], None, None]:
    """(rows, z of these rows) of a set of pictures (an array, or one that is read as it is used), batch by batch.

    ``labels`` are classes of a conditional flow, (N,).
    """
    for start in range(0, len(pictures), batch):
        rows = slice(start, min(start + batch, len(pictures)))
        own = [single(int(number)) for number in labels[rows]] if labels is not None and flow.num_classes else []
        z = finish(latents_job(flow, np.asarray(pictures[rows]), own))
        if on_progress is not None:
            on_progress(rows.stop, len(pictures))
        yield rows, z


def from_labels(
    flow: Flow, pictures: Any, attributes: np.ndarray, names: Sequence[str], held: np.ndarray, *, model: str = "",
    levels: Sequence[int] | None = None, without: Sequence[Direction] = (), labels: np.ndarray | None = None,
    counted: np.ndarray | None = None, made: dict[str, Any] | None = None, batch: int = BATCH,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Direction]:  # fmt: skip
    """A direction for each attribute, (N, A) of bool, from the pictures without it to those with it, in one pass.

    Pictures that are ``held`` (bool, (N,)) are not made from but measured on: the quality, and the standard deviation that is the
    unit. Of more than `HELD_MAX` of them the first are taken. ``counted``, (N, A) of bool, leaves out pictures that say nothing
    of an attribute; by default none is left out.

    Raises:
        ConfigError: where a side has no picture, or the two do not differ.
    """
    attributes = np.asarray(attributes, bool).reshape(len(pictures), -1)
    counted = np.ones_like(attributes) if counted is None else np.asarray(counted, bool).reshape(attributes.shape)
    bounds = bounds_of(flow)
    sides = [(Moments(flow.num_dims), Moments(flow.num_dims)) for _ in names]
    kept, kept_rows, count = [], [], 0
    for rows, z in latents(flow, pictures, labels, batch, on_progress):
        there = np.isfinite(z).all(1)
        own = held[rows]
        for column, (more, less) in enumerate(sides):
            is_so, counts = attributes[rows, column], there & ~own & counted[rows, column]
            more.add(z[counts & is_so])
            less.add(z[counts & ~is_so])
        measured = np.flatnonzero(there & own)[: HELD_MAX - count]
        kept.append(z[measured])
        kept_rows.append(measured + rows.start)
        count += len(measured)
    held_z, held_rows = np.concatenate(kept), np.concatenate(kept_rows)
    others = [within(other.vector, bounds, levels) for other in without]
    mark = fingerprint(flow)
    result = []
    for column, (name, (more, less)) in enumerate(zip(names, sides, strict=True)):
        if not more.count or not less.count:
            raise ConfigError(f"{name} tells no pictures apart: {more.count:,} have it, {less.count:,} do not.")
        vector = orthogonal(within(contrast(more, less).vector, bounds, levels), others)
        counts = counted[held_rows, column]
        scores, is_so = held_z[counts].astype(np.float64) @ unit(vector), attributes[held_rows[counts], column]
        deviation = float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0
        if not deviation > 0:
            raise ConfigError(f"{name} cannot be measured: at least two pictures must be held out, and differ.")
        quality: Quality | None = quality_of(scores[is_so], scores[~is_so]) if is_so.any() and not is_so.all() else None
        result.append(Direction(
            name, vector.astype(np.float32), deviation, model, mark,
            tuple(range(len(bounds)) if levels is None else sorted(set(levels))),
            {"by": "labels", "attribute": name, "more": more.count, "less": less.count,
             "without": [other.name for other in without], **(made or {})}, quality,
        ))  # fmt: skip
    return result


def of_sets(
    flow: Flow, more: np.ndarray, less: np.ndarray, name: str, *, model: str = "", levels: Sequence[int] | None = None,
    without: Sequence[Direction] = (), made: dict[str, Any] | None = None, mark: str = "",
) -> Direction:  # fmt: skip
    """The direction from latents ``less`` (M, D) to ``more`` (N, D); ``mark`` is the flow's fingerprint where it is known.

    Raises:
        ConfigError: for an empty side, or sides that do not differ.
    """
    found = from_sets(name, more, less, bounds_of(flow), levels, without, made)
    return replace(found, model=model, fingerprint=mark or fingerprint(flow))


def axes_of(
    flow: Flow, z: np.ndarray, count: int, name: str, *, model: str = "", levels: Sequence[int] | None = None,
    without: Sequence[Direction] = (), made: dict[str, Any] | None = None, mark: str = "",
) -> list[Direction]:  # fmt: skip
    """The principal axes of latents (N, D) as directions, "name, axis 1" and so on.

    Raises:
        ConfigError: for fewer than three latents, or latents that do not vary.
    """
    bounds = bounds_of(flow)
    rows = within(z[np.isfinite(z).all(1)], bounds, levels)
    others = [within(other.vector, bounds, levels) for other in without]
    if others:
        basis = [unit(orthogonal(other, others[:index])) for index, other in enumerate(others)
                 if orthogonal(other, others[:index]).any()]  # fmt: skip
        rows = rows - (rows @ np.stack(basis).T) @ np.stack(basis)
    axes: list[Axis] = principal_axes(rows, count)
    mark = mark or fingerprint(flow)
    acts_on = tuple(range(len(bounds)) if levels is None else sorted(set(levels)))
    return [
        Direction(f"{name}, axis {number}", axis.vector, axis.deviation, model, mark, acts_on,
                  {"by": "axis", "axis": number, "more": len(rows), "less": 0,
                   "without": [other.name for other in without], **(made or {})},
                  Quality(axis.share, axis.share, axis.share, axis.held or len(rows), 0,
                          "variance" if axis.held else "own variance"))
        for number, axis in enumerate(axes, 1)
    ]  # fmt: skip
