"""The Compare view's jobs. The model of a side is held, beside those that the engine keeps, until `Release`."""

from __future__ import annotations

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.comparison import Reading, read_job, why_not_exchanged
from flowcore.model.checkpoint import Loaded
from flowcore.model.codec import decode_job, label_tensor

from ..context import Context, Steps, job
from ..requests.compare import (
    SIDES,
    ComparePage,
    DecodeSame,
    Exchange,
    Exchanged,
    PictureRead,
    ReadPicture,
    Release,
    Released,
    Shares,
)
from ..requests.explorer import BitsAt, OnePicture
from .explorer import bits, picture_model, sample_page

__all__: list[str] = []


@job(ReadPicture.kind)
def read_picture(context: Context, request: ReadPicture) -> Steps:
    """See `ReadPicture`."""
    flow = _model(context, request.side, request.model).flow
    yield
    steps = read_job(flow, request.picture, request.label, request.drawn, request.seed, request.temperature)
    for step in steps:
        if isinstance(step, Reading):
            if not np.isfinite(step.bpd):
                raise ConfigError("The likelihood of this picture under this model is not a finite number.")
            context.send(PictureRead(step.bpd, step.z, step.label, step.redrawn, step.drawn))
        elif step is not None:
            context.send(Shares(step.before, tuple(step.levels), done=True))
        yield


@job(DecodeSame.kind)
def decode_same(context: Context, request: DecodeSame) -> Steps:
    """See `DecodeSame`."""
    flow = _model(context, request.side, request.model).flow
    if len(request.z) != flow.num_dims:
        raise ConfigError("This z is of a model whose pictures are of another size.")
    yield
    label = label_tensor(flow, [request.label])
    pictures = yield from decode_job(flow, request.z[None], label)
    context.send(OnePicture(pictures[0]))
    yield
    (bpd,) = yield from bits(flow, pictures, request.z.dtype, label)
    context.send(BitsAt(bpd, done=True))


@job(ComparePage.kind)
def compare_page(context: Context, request: ComparePage) -> Steps:
    """See `ComparePage`."""
    _model(context, request.side, request.model)
    yield from sample_page(context, request)


@job(Exchange.kind)
def exchange(context: Context, request: Exchange) -> Steps:
    """See `Exchange`."""
    flows = [_model(context, side, getattr(request, side)).flow for side in SIDES]
    yield
    context.send(Exchanged(why_not_exchanged(flows[0], flows[1]), done=True))


@job(Release.kind)
def release(context: Context, request: Release) -> Steps:
    """See `Release`."""
    for side in SIDES:
        context.models.release(f"compare.{side}")
    context.send(Released(done=True))
    yield


def _model(context: Context, side: str, name: str) -> Loaded:
    """The model of a side, held for it. Raises `CheckpointError`, `ConfigError`."""
    context.models.get(name, hold=f"compare.{side}")
    return picture_model(context, name)
