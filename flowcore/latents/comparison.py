"""Two models side by side: what each makes of a picture, whether a z of one means anything to the other, who finds data likelier.

What a model "keeps" of a picture in its coarse levels is seen by drawing the finest anew: what is still there was in the others.
"""
from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from ..errors import ConfigError, NonFiniteError
from ..model.codec import class_log_probs_job, decode_job, encode_job, label_tensor
from ..model.flow import Flow
from ..model.labels import Label, single
from ..model.priors import MixturePrior
from ..model.temperature import Temperature
from .anatomy import Anatomy, encode_stages, outline
from .resample import BEYOND, mixed

__all__ = ["Paired", "Reading", "Shares", "paired", "read_job", "shares", "why_not_exchanged"]


@dataclass(frozen=True, eq=False)
class Reading:
    """What one model makes of a picture."""

    bpd: float
    """At the bin centres."""
    z: np.ndarray
    """(D,), float32, or float64 where the round trip needs it."""
    label: Label
    """The class that it was read under; () for a model without classes."""
    redrawn: np.ndarray
    """uint8 (H, W, C): the picture with its finest levels drawn anew."""
    drawn: int
    """How many levels those are: of a model with fewer, all but its coarsest."""


@dataclass(frozen=True)
class Shares:
    """Where the bits per dimension come from; all of them add up to bpd."""

    before: float
    """What stands before the first level: above all the change of unit, 8 bits a dimension."""
    levels: tuple[float, ...]
    """Each level's layers and prior, the finest first."""


def read_job(
    flow: Flow, picture: np.ndarray, label: Label = (), drawn: int = 1, seed: int = 0, temperature: Temperature = 0.7
) -> Generator[Reading | Shares | None, None, None]:
    """A picture uint8 (H, W, C) as a flow sees it: yields its `Reading`, then its `Shares`, and None after every layer.

    The finest ``drawn`` levels are drawn by (seed, `temperature`), the same z for every model of the same levels. Without a
    ``label`` a conditional flow reads the picture under the class where it is likeliest.

    Raises:
        ConfigError: if the picture is not of the flow's size, or temperature is given for another number of levels.
        NonFiniteError: naming the layer, if a value is not finite.
    """
    if flow.num_classes and not label:
        label = single(int((yield from class_log_probs_job(flow, picture)).argmax()))
    label = label if flow.num_classes else ()
    tensor = label_tensor(flow, [label])
    encoded = yield from encode_job(flow, picture, tensor)
    drawn = max(0, min(drawn, len(flow.levels) - 1))
    redrawn = encoded.picture
    if drawn:
        fresh = flow.sample(1, temperature, seed, BEYOND)[0].cpu().numpy()
        yield
        places = [(level.start, level.stop, level.shape) for level in flow.levels]
        actions = ("draw",) * drawn + ("keep",) * (len(places) - drawn)
        _, height, width = flow.event_shape
        z = mixed(encoded.z, fresh, None, places, actions, (height, width))
        redrawn = (yield from decode_job(flow, z[None], tensor))[0]
    yield Reading(encoded.bpd, encoded.z, label, redrawn, drawn)
    stages = encode_stages(flow, picture, tensor)
    while True:
        try:
            next(stages)
        except StopIteration as stop:
            yield shares(flow, stop.value)
            return
        yield


def shares(flow: Flow, found: Anatomy) -> Shares:
    """The terms of a picture's likelihood by level, in bits per dimension."""
    nats = [0.0] * (len(flow.levels) + 1)
    for layer, log_det in zip(outline(flow), found.log_dets.tolist(), strict=True):
        nats[min(layer.level, len(flow.levels))] += log_det
    for number, term in enumerate(found.prior_terms.tolist(), 1):
        nats[number] += term
    before, *levels = [-value / (flow.num_dims * math.log(2)) for value in nats]
    return Shares(before, tuple(levels))


def why_not_exchanged(one: Flow, other: Flow) -> str:
    """Why a z of one flow cannot be decoded by the other, in a sentence; "" where it can.

    It can where the levels have the same shapes, the same prior, and as many classes: whitened, z then means in both how far
    from the prior's middle each number lies.
    """
    first, second = ([tuple(level.shape) for level in flow.levels] for flow in (one, other))
    so = "so a z of the one means nothing to the other."
    if len(first) != len(second):
        return f"The number of levels of z differs, {len(first)} here and {len(second)} there, {so}"
    for number, (shape, there) in enumerate(zip(first, second, strict=True), 1):
        if shape != there:
            sizes = ["×".join(map(str, each)) for each in (shape, there)]
            return f"Level {number} of z has {sizes[0]} numbers here and {sizes[1]} there, {so}"
    kinds = [(flow.prior.kind, isinstance(flow.prior, MixturePrior)) for flow in (one, other)]
    if kinds[0] != kinds[1]:
        return f"The priors are of different kinds, {so}"
    if one.num_classes != other.num_classes:
        return f"One knows {one.num_classes or 'no'} classes and the other {other.num_classes or 'none'}, {so}"
    return ""


@dataclass(frozen=True)
class Paired:
    """Two models' bits per dimension on the same pictures."""

    bpd: tuple[float, float]
    """The means."""
    difference: float
    """The second's less the first's: above 0 where the first finds the pictures likelier."""
    standard_error: float | None
    """Of the difference, from the pictures' own differences; None of a single picture, which tells none."""
    count: int


def paired(first: np.ndarray, second: np.ndarray) -> Paired:
    """Compare bits per dimension (N,) of the same pictures under two models, picture by picture.

    What makes a picture easy or hard for both cancels, so that the difference is known far better than either mean.

    Raises:
        ConfigError: without pictures, or for two numbers of them.
        NonFiniteError: if one has no finite figure.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ConfigError("Two models are compared on the same pictures, and on one at least.")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise NonFiniteError("The likelihood of one of these pictures is not a finite number, so there is no mean to compare.")
    apart = second - first
    error = float(apart.std(ddof=1) / math.sqrt(len(apart))) if len(apart) > 1 else None
    return Paired((float(first.mean()), float(second.mean())), float(apart.mean()), error, len(apart))
