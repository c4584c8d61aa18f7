"""The jobs of the facet of layers. Each yields after every layer, and sends the stages a dozen at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.anatomy import Anatomy, Stage, decode_stages, encode_stages, largest_difference, outline
from flowcore.latents.qq import Against, against_prior
from flowcore.model.codec import label_tensor
from flowcore.model.flow import Flow
from flowcore.model.priors import MixturePrior

from ..context import Context, Steps, job
from ..requests.layers import DecodeLayers, EncodeLayers

__all__ = ["CHUNK"]

CHUNK = 12
"""Stages in one answer: few enough that the first are soon there."""
KEPT_BYTES = 256 * 2**20
"""Of stages that are kept for the check of the way back; of a very large model, not every one."""


@job(EncodeLayers.kind)
def encode_layers(context: Context, request: EncodeLayers) -> Steps:
    """See `EncodeLayers`."""
    flow, kind = _model(context, request.model), request.kind
    label = label_tensor(flow, [request.label])
    _outline(context, kind, flow)
    yield
    kept: dict[int, Stage] = {}
    found = yield from _sent(context, kind, encode_stages(flow, request.picture, label), kept, _stride(flow))
    yield from _terms(context, kind, flow, found, found.z)
    difference = 0.0
    for stage in decode_stages(flow, found.z, label):
        if stage.index in kept:
            difference = max(difference, largest_difference(kept[stage.index], stage))
        yield
    context.send(kind, {"part": "check", "difference": difference}, done=True)


@job(DecodeLayers.kind)
def decode_layers(context: Context, request: DecodeLayers) -> Steps:
    """See `DecodeLayers`."""
    flow, kind = _model(context, request.model), request.kind
    label = label_tensor(flow, [request.label])
    _outline(context, kind, flow)
    yield
    kept: dict[int, Stage] = {}
    pixels = yield from _sent(context, kind, decode_stages(flow, request.z, label), kept, _stride(flow))
    difference = 0.0
    again = encode_stages(flow, pixels, label)
    while True:
        try:
            stage = next(again)
        except StopIteration as stop:
            found = stop.value
            break
        if stage.index in kept:
            difference = max(difference, largest_difference(kept[stage.index], stage))
        yield
    yield from _terms(context, kind, flow, found, request.z)
    context.send(kind, {"part": "check", "difference": difference}, done=True)


def _model(context: Context, name: str) -> Flow:
    flow = context.models.get(name).flow
    if len(flow.event_shape) != 3:
        raise ConfigError(f"'{name}' is a model of points, not of pictures; choose one that was trained on pictures.")
    return flow


def _outline(context: Context, kind: str, flow: Flow) -> None:
    layers = [[layer.kind, layer.level, layer.step] for layer in outline(flow)]
    levels = [[level.name, level.stop - level.start] for level in flow.levels]
    context.send(kind, {"part": "outline", "layers": layers, "levels": levels})


def _stride(flow: Flow) -> int:
    """Every how manieth stage is kept."""
    return -(-len(flow.layers) * flow.num_dims * 8 // KEPT_BYTES) or 1


def _sent(context: Context, kind: str, work: Iterator[Stage], kept: dict[int, Stage], stride: int) -> Any:
    """Send stages as they come, and keep every `stride`-th; returns what `work` does."""
    waiting: list[Stage] = []
    while True:
        try:
            stage = next(work)
        except StopIteration as stop:
            if waiting:
                yield from _send(context, kind, waiting)
            return stop.value
        if stage.index % stride == 0:
            kept[stage.index] = stage
        waiting.append(stage)
        if len(waiting) == CHUNK:
            yield from _send(context, kind, waiting)
            waiting = []
        yield


def _send(context: Context, kind: str, stages: list[Stage]) -> Steps:
    stages = sorted(stages, key=lambda stage: stage.index)
    data: dict[str, Any] = {"part": "stages", "first": stages[0].index, "count": len(stages)}
    if stages[0].log_det is not None:
        data["log_dets"] = [stage.log_det for stage in stages]
    arrays = {
        "pictures": np.stack([stage.picture for stage in stages]),
        "ranges": np.array([(stage.low, stage.high) for stage in stages]),
    }
    yield from context.stream(kind, data, arrays)


def _terms(context: Context, kind: str, flow: Flow, found: Anatomy, z: np.ndarray) -> Steps:
    """The sums, and z against its prior."""
    context.send(kind, {
        "part": "terms", "log_dets": found.log_dets.tolist(), "prior": found.prior_terms.tolist(),
        "log_prob": found.log_prob, "bpd": found.bpd,
    })  # fmt: skip
    yield
    mixture = isinstance(flow.prior, MixturePrior)
    levels: list[dict | None] = []
    arrays: dict[str, np.ndarray] = {}
    for number, level in enumerate(flow.levels):
        if mixture and number == len(flow.levels) - 1:
            levels.append(None)
            continue
        levels.append(_against(against_prior(z[level.start : level.stop], flow.prior.kind), str(number), arrays))
        yield
    whole = None if mixture else _against(against_prior(z, flow.prior.kind), "all", arrays)
    context.send(kind, {"part": "prior", "levels": levels, "all": whole}, arrays)
    yield


def _against(found: Against, name: str, arrays: dict[str, np.ndarray]) -> dict:
    for part in ("expected", "found", "low", "high"):
        arrays[f"{part}.{name}"] = np.array(getattr(found, part))
    shell = found.shell
    return {
        "count": found.count, "kind": found.kind, "distance": found.distance, "p_value": found.p_value, "mean": found.mean,
        "deviation": found.deviation, "kurtosis": found.kurtosis, "prior_deviation": found.prior_deviation,
        "prior_kurtosis": found.prior_kurtosis, "shell": [shell.norm, shell.low, shell.centre, shell.high],
    }  # fmt: skip
