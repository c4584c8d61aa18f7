"""The jobs of the facet of layers. Each yields after every layer, and sends the stages a dozen at a time."""

from __future__ import annotations

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.anatomy import Anatomy, Stage, outline
from flowcore.latents.following import Check, Held, Match, follow_job
from flowcore.model.codec import label_tensor
from flowcore.model.flow import Flow

from ..context import Context, Steps, job
from ..requests.layers import (
    Against,
    AgainstPrior,
    Checked,
    DecodeLayers,
    EncodeLayers,
    Outline,
    Place,
    Stages,
    Terms,
)

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
    flow = _model(context, request.model)
    layers = tuple(Place(layer.kind, layer.level, layer.step) for layer in outline(flow))
    context.send(Outline(layers, tuple((level.name, level.stop - level.start) for level in flow.levels)))
    yield
    waiting: list[Stage] = []
    for step in follow_job(flow, start, label_tensor(flow, [request.label])):
        if isinstance(step, Stage):
            waiting.append(step)
        if waiting and (step is not waiting[-1] or len(waiting) == CHUNK):
            yield from _send(context, waiting)
            waiting = []
        if isinstance(step, Anatomy):
            context.send(Terms(tuple(step.log_dets.tolist()), tuple(step.prior_terms.tolist()), step.log_prob, step.bpd))
        elif isinstance(step, Match):
            context.send(AgainstPrior(tuple(map(_against, step.levels)), _against(step.whole)))
        elif isinstance(step, Check):
            context.send(Checked(step.difference, done=True))
        yield


def _model(context: Context, name: str) -> Flow:
    flow = context.models.get(name).flow
    if len(flow.event_shape) != 3:
        raise ConfigError(f"'{name}' is a model of points, not of pictures; choose one that was trained on pictures.")
    return flow


def _send(context: Context, stages: list[Stage]) -> Steps:
    stages = sorted(stages, key=lambda stage: stage.index)
    log_dets = tuple(stage.log_det for stage in stages if stage.log_det is not None)
    yield from context.stream(Stages(stages[0].index, np.stack([stage.picture for stage in stages]),
                                     np.array([(stage.low, stage.high) for stage in stages]), log_dets or None))  # fmt: skip


def _against(held: Held) -> Against | None:
    if not held.standard:
        return None
    found, shell = held.found, held.found.shell
    return Against(
        np.array(found.expected), np.array(found.found), np.array(found.low), np.array(found.high), found.count, found.kind,
        found.distance, found.p_value, found.mean, found.deviation, found.kurtosis, found.prior_deviation, found.prior_kurtosis,
        (shell.norm, shell.low, shell.centre, shell.high),
    )  # fmt: skip
