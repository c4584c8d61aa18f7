"""Pixels' jobs: derivatives along directions, and what painting does to z. Each yields after every layer."""

from __future__ import annotations

import hashlib
import importlib
import threading
import weakref
from collections.abc import Generator
from contextlib import suppress

import numpy as np
import torch

from flowcore.errors import NonFiniteError
from flowcore.latents.plausible import blend, change_maps, kept_of, more_plausible, soft_border
from flowcore.latents.sensitivity import map_shape, moved_by_job, reached_by_job, region
from flowcore.model.codec import Encoded, class_log_probs_job, decode_job, encode_job, label_tensor
from flowcore.model.flow import Flow
from flowcore.model.labels import Label, single

from ..context import Context, Steps, job
from ..requests.pixels import (
    Change,
    MovedByPixel,
    MovedMaps,
    PixelsMoved,
    Plausible,
    PlausibleDraft,
    ReachedMap,
    Repaint,
)
from .explorer import _finite, picture_model

__all__: list[str] = []

_ENCODED = "pixels.encoded"
ENCODED_KEPT = 6
"""Pictures whose z is kept: a slider that makes a painting plausible encodes neither picture again."""


@job(MovedByPixel.kind)
def moved_by_pixel(context: Context, request: MovedByPixel) -> Steps:
    """See `MovedByPixel`."""
    yield from _derivatives_ready()
    flow = picture_model(context, request.model).flow
    label = yield from _label_of(flow, request.picture, request.label)
    height, width = request.picture.shape[:2]
    where = region(height, width, request.row, request.column, request.radius)
    moved = yield from moved_by_job(flow, request.picture, where, label_tensor(flow, [label]))
    sizes = tuple(map_shape(flow, level) for level in flow.levels)
    context.send(MovedMaps(tuple(moved.maps), tuple(moved.shares), sizes, done=True))


@job(PixelsMoved.kind)
def pixels_moved(context: Context, request: PixelsMoved) -> Steps:
    """See `PixelsMoved`."""
    yield from _derivatives_ready()
    flow = picture_model(context, request.model).flow
    steps = reached_by_job(flow, request.z, request.level, request.row, request.column,
                           None if request.channel < 0 else request.channel, label_tensor(flow, [request.label]))  # fmt: skip
    while True:
        try:
            known = next(steps)
        except StopIteration as stop:
            found = stop.value
            break
        if known is not None:
            context.try_stream(ReachedMap(known.fraction, known.map))
        yield
    context.send(ReachedMap(1.0, found.map, done=True))


@job(Repaint.kind)
def repaint(context: Context, request: Repaint) -> Steps:
    """See `Repaint`."""
    flow = picture_model(context, request.model).flow
    # The painted picture is taken under the class of the one that it was painted on.
    label = yield from _label_of(flow, request.before, request.label)
    before = yield from _encoded(context, flow, request.model, request.before, label)
    painted = yield from _encoded(context, flow, request.model, request.painted, label)
    changes = change_maps(flow, before.z, painted.z)
    channels = tuple(map_shape(flow, level)[0] for level in flow.levels)
    context.send(Change(_finite(before.bpd), _finite(painted.bpd), tuple(changes), channels))
    yield
    where = request.where > 0
    wanted = more_plausible(before.z, painted.z, request.amount)
    if np.array_equal(wanted, painted.z):
        made = painted
    else:
        (decoded,) = yield from decode_job(flow, wanted[None], label_tensor(flow, [label]))
        picture = blend(decoded, request.painted, soft_border(where))
        # The picture as soon as it is there: its z and its figures cost an encoding.
        context.send(PlausibleDraft(picture))
        yield
        made = yield from _encoded(context, flow, request.model, picture, label)
    kept = kept_of(request.before, request.painted, made.picture, where)
    left = tuple(change_maps(flow, before.z, made.z))
    context.send(Plausible(made.picture, made.z, _finite(made.bpd), kept.share, kept.inside, kept.outside, left, done=True))


def _label_of(flow: Flow, picture: np.ndarray, label: Label) -> Generator[None, None, Label]:
    """The label asked for; where a conditional model is given none, the class under which the picture is likeliest."""
    if not flow.num_classes or label:
        return label
    return single(int((yield from class_log_probs_job(flow, picture)).argmax()))


def _encoded(
    context: Context, flow: Flow, model: str, picture: np.ndarray, label: Label
) -> Generator[None, None, Encoded]:
    """A picture's z, kept from the last time where it is the same picture under the same weights."""
    kept: dict[tuple, tuple[weakref.ref[Flow], Encoded]] = context.shared.setdefault(_ENCODED, {})
    key = (model, label, picture.shape, hashlib.sha256(picture.tobytes()).hexdigest())
    found = kept.pop(key, None)
    if found is None or found[0]() is not flow:
        encoded = yield from encode_job(flow, picture, label_tensor(flow, [label]))
        if not np.isfinite(encoded.z).all():
            raise NonFiniteError("This picture has no finite z under this model.")
        found = (weakref.ref(flow), encoded)
    kept[key] = found
    while len(kept) > ENCODED_KEPT:
        kept.pop(next(iter(kept)))
    return found[1]


def _derivatives_ready() -> Steps:
    """Wait, letting other jobs work, until torch has loaded what it derives forward with: seconds, the first time."""
    global _loading
    if _loading is None:
        _loading = threading.Thread(target=_load, daemon=True, name="derivatives")
        _loading.start()
    while _loading.is_alive():
        yield 0.02


_loading: threading.Thread | None = None


def _load() -> None:
    # The first dual number imports it anyway, and would hold everything up meanwhile.
    with suppress(ImportError), torch.no_grad():
        importlib.import_module("torch._decomp.decompositions_for_jvp")
