"""One picture, or one z, through a flow: its stages, its terms, its z against the prior, and the proof of the way back."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ..model.flow import Flow
from ..model.priors import MixturePrior
from .layer_trace import LayerTrace, Stage, decode_stages, encode_stages, largest_difference
from .qq import Against, against_prior

__all__ = ["Check", "LevelMatch", "Match", "follow_job"]

KEPT_BYTES = 256 * 2**20
"""Of stages that are kept for the check of the way back; of a very large model, not every one."""


@dataclass(frozen=True, eq=False)
class LevelMatch:
    """Some of z against the prior."""

    found: Against
    standard: bool
    """Whether the prior is a standard distribution there: a mixture leaves the last level's z as it is."""


@dataclass(frozen=True, eq=False)
class Match:
    """z against the prior, a level each, the finest first, and all of it."""

    levels: list[LevelMatch]
    whole: LevelMatch


@dataclass(frozen=True)
class Check:
    """How far the stages of the way back are from those of the way there, as a share of the range shown."""

    difference: float


def follow_job(
    flow: Flow, start: np.ndarray, label: Tensor | None = None, check: bool = True
) -> Generator[Stage | LayerTrace | Match | Check | None, None, None]:
    """A picture uint8 (H, W, C) to z, or a z (D,) to pixels: yields each `Stage`, the `LayerTrace`, the `Match`, and the `Check`.

    Of a z the terms are those of its pixels before they are rounded. Without ``check`` a picture is not taken back.
    """
    kept: dict[int, Stage] = {}
    stride = (-(-len(flow.layers) * flow.num_dims * 8 // KEPT_BYTES) or 1) if check else 0
    if start.ndim > 1:
        found = yield from _keeping(encode_stages(flow, start, label), kept, stride)
        yield found
        yield from _match(flow, found.z)
        if check:
            _, difference = yield from _comparing(decode_stages(flow, found.z, label), kept)
            yield Check(difference)
        return
    pixels = yield from _keeping(decode_stages(flow, start, label), kept, stride)
    found, difference = yield from _comparing(encode_stages(flow, pixels, label), kept)
    yield found
    yield from _match(flow, start)
    yield Check(difference)


def _keeping(stages: Generator[Stage, None, Any], kept: dict[int, Stage], stride: int) -> Generator[Stage, None, Any]:
    """The same, with every ``stride``-th kept; none for 0."""
    while True:
        try:
            stage = next(stages)
        except StopIteration as stop:
            return stop.value
        if stride and stage.index % stride == 0:
            kept[stage.index] = stage
        yield stage


def _comparing(stages: Generator[Stage, None, Any], kept: dict[int, Stage]) -> Generator[None, None, tuple[Any, float]]:
    """What the stages return, and how far they are from those that were kept."""
    difference = 0.0
    while True:
        try:
            stage = next(stages)
        except StopIteration as stop:
            return stop.value, difference
        if stage.index in kept:
            difference = max(difference, largest_difference(kept[stage.index], stage))
        yield


def _match(flow: Flow, z: np.ndarray) -> Generator[Match | None, None, None]:
    kind, last, mixture = flow.prior.kind, len(flow.levels) - 1, isinstance(flow.prior, MixturePrior)
    levels = []
    for number, level in enumerate(flow.levels):
        levels.append(LevelMatch(against_prior(z[level.start : level.stop], kind), not (mixture and number == last)))
        yield
    yield Match(levels, LevelMatch(against_prior(z, kind), not mixture))
