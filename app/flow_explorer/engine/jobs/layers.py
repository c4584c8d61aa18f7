"""The jobs of the facet of layers. Each yields after every layer, and sends the stages a dozen at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.anatomy import Anatomy, Stage, outline
from flowcore.latents.following import Check, Held, Match, follow_job
from flowcore.model.codec import label_tensor
from flowcore.model.flow import Flow

from ..context import Context, Steps, job
from ..requests.layers import DecodeLayers, EncodeLayers

__all__ = ["CHUNK"]

CHUNK = 12
"""Stages in one answer: few enough that the first are soon there."""


@job(EncodeLayers.kind)
def encode_layers(context: Context, request: EncodeLayers) -> Steps:
    """See `EncodeLayers`."""
    yield from _follow(context, request, request.picture)


@job(DecodeLayers.kind)
def decode_layers(context: Context, request: DecodeLayers) -> Steps:
    """See `DecodeLayers`."""
    yield from _follow(context, request, request.z)


def _follow(context: Context, request: EncodeLayers | DecodeLayers, start: np.ndarray) -> Steps:
    """Send what comes; stages a dozen at a time, and what is left of them as soon as something else follows."""
    flow, kind = _model(context, request.model), request.kind
    _outline(context, kind, flow)
    yield
    waiting: list[Stage] = []
    for step in follow_job(flow, start, label_tensor(flow, [request.label])):
        if isinstance(step, Stage):
            waiting.append(step)
        if waiting and (step is not waiting[-1] or len(waiting) == CHUNK):
            yield from _send(context, kind, waiting)
            waiting = []
        if isinstance(step, Anatomy):
            context.send(kind, {"part": "terms", "log_dets": step.log_dets.tolist(), "prior": step.prior_terms.tolist(),
                                "log_prob": step.log_prob, "bpd": step.bpd})  # fmt: skip
        elif isinstance(step, Match):
            arrays: dict[str, np.ndarray] = {}
            levels = [_against(held, str(number), arrays) for number, held in enumerate(step.levels)]
            context.send(kind, {"part": "prior", "levels": levels, "all": _against(step.whole, "all", arrays)}, arrays)
        elif isinstance(step, Check):
            context.send(kind, {"part": "check", "difference": step.difference}, done=True)
        yield


def _model(context: Context, name: str) -> Flow:
    flow = context.models.get(name).flow
    if len(flow.event_shape) != 3:
        raise ConfigError(f"'{name}' is a model of points, not of pictures; choose one that was trained on pictures.")
    return flow


def _outline(context: Context, kind: str, flow: Flow) -> None:
    layers = [[layer.kind, layer.level, layer.step] for layer in outline(flow)]
    levels = [[level.name, level.stop - level.start] for level in flow.levels]
    context.send(kind, {"part": "outline", "layers": layers, "levels": levels})


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


def _against(held: Held, name: str, arrays: dict[str, np.ndarray]) -> dict | None:
    if not held.standard:
        return None
    found = held.found
    for part in ("expected", "found", "low", "high"):
        arrays[f"{part}.{name}"] = np.array(getattr(found, part))
    shell = found.shell
    return {
        "count": found.count, "kind": found.kind, "distance": found.distance, "p_value": found.p_value, "mean": found.mean,
        "deviation": found.deviation, "kurtosis": found.kurtosis, "prior_deviation": found.prior_deviation,
        "prior_kurtosis": found.prior_kurtosis, "shell": [shell.norm, shell.low, shell.centre, shell.high],
    }  # fmt: skip
