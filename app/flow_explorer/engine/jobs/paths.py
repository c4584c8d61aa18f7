"""The paths' jobs: walks side by side, a pad, keyframes. Each yields after every layer."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from flowcore.latents.latent import walk
from flowcore.latents.timeline import PIXELS, bilinear, bilinear_label, pixel_blend, sample, sample_label
from flowcore.model.codec import decode_job, encode_job, label_tensor
from flowcore.model.flow import Flow
from flowcore.model.labels import Label, between

from ..context import Context, Steps, job
from ..hand import follow_the_hand, in_strides
from ..requests.explorer import BitsAt, FramesPart, PictureAt
from ..requests.paths import (
    PadAt,
    PadGrid,
    PathPart,
    PathRows,
    PathsAt,
    PicturesAt,
    TimelineAt,
    TimelineExport,
    TimelineFrames,
    TimelinePart,
    WaysBits,
)
from .explorer import _finite, bits, chunks, picture_model

__all__: list[str] = []


@job(PathRows.kind)
def path_rows(context: Context, request: PathRows) -> Steps:
    """See `PathRows`."""
    flow = picture_model(context, request.model).flow
    for start, stop in chunks(flow, len(request.ts)):
        ts = request.ts[start:stop]
        label = label_tensor(flow, [between(request.label_a, request.label_b, t) for t in ts])
        for way in request.ways:
            z = walk(request.a, request.b, ts, "linear" if way == PIXELS else way)
            if way == PIXELS:
                pictures = np.stack([pixel_blend(request.picture_a, request.picture_b, t) for t in ts])
            else:
                pictures = yield from decode_job(flow, z, label)
            bpd = yield from bits(flow, pictures, z.dtype, label)
            done = stop == len(request.ts) and way == request.ways[-1]
            yield from context.stream(PathPart(start, pictures, tuple(bpd), way=way, done=done))


@job(PathsAt.kind)
def paths_at(context: Context, request: PathsAt) -> Steps:
    """See `PathsAt`."""
    flow = picture_model(context, request.model).flow
    t, through = request.t, [way for way in request.ways if way != PIXELS]
    one = between(request.label_a, request.label_b, t)
    label = label_tensor(flow, [one] * len(through))
    z = np.concatenate([walk(request.a, request.b, (t,), way) for way in through]) if through else request.a[None][:0]
    decoded = iter((yield from in_strides(decode_job(flow, z, label))) if through else ())
    blend = pixel_blend(request.picture_a, request.picture_b, t)
    pictures = np.stack([blend if way == PIXELS else next(decoded) for way in request.ways])
    context.send(PicturesAt(pictures, z))
    yield
    bpd = yield from bits(flow, pictures, z.dtype, label_tensor(flow, [one] * len(pictures)))
    z_pixels = None
    if PIXELS in request.ways:
        z_pixels = (yield from encode_job(flow, blend, label_tensor(flow, [one]))).z
    context.send(WaysBits(tuple(bpd), z_pixels, done=True))


@job(PadGrid.kind)
def pad_grid(context: Context, request: PadGrid) -> Steps:
    """See `PadGrid`."""
    flow = picture_model(context, request.model).flow
    last = request.side - 1
    points = [(column / last, row / last) for row in range(request.side) for column in range(request.side)]
    for start, stop in chunks(flow, len(points)):
        z = np.stack([bilinear(request.corners, x, y, request.norm_kept) for x, y in points[start:stop]])
        label = label_tensor(flow, [bilinear_label(request.labels, x, y) for x, y in points[start:stop]])
        pictures = yield from decode_job(flow, z, label)
        yield from context.stream(FramesPart(start, pictures, done=stop == len(points)))


@job(PadAt.kind)
def pad_at(context: Context, request: PadAt) -> Steps:
    """See `PadAt`."""
    flow = picture_model(context, request.model).flow
    z = bilinear(request.corners, request.x, request.y, request.norm_kept)
    label = bilinear_label(request.labels, request.x, request.y)
    yield from _one(context, flow, z, label)


@job(TimelineAt.kind)
def timeline_at(context: Context, request: TimelineAt) -> Steps:
    """See `TimelineAt`."""
    flow = picture_model(context, request.model).flow
    timeline = request.timeline()
    z = sample(request.keys, timeline, (request.time,))[0]
    label = sample_label(request.labels, timeline, request.time)
    yield from _one(context, flow, z, label)


@job(TimelineFrames.kind)
def timeline_frames(context: Context, request: TimelineFrames) -> Steps:
    """See `TimelineFrames`."""
    flow = picture_model(context, request.model).flow
    timeline, order = request.timeline(), spread(len(request.times))
    for start, stop in chunks(flow, len(order)):
        indices = order[start:stop]
        times = [request.times[index] for index in indices]
        label = label_tensor(flow, [sample_label(request.labels, timeline, time) for time in times])
        pictures = yield from decode_job(flow, sample(request.keys, timeline, times), label)
        context.progress(stop / len(order))
        yield from context.stream(TimelinePart(tuple(indices), pictures, done=stop == len(order)))


@job(TimelineExport.kind)
def timeline_export(context: Context, request: TimelineExport) -> Steps:
    """See `TimelineExport`."""
    yield from timeline_frames(context, request)


def spread(count: int) -> list[int]:
    """All indices below `count`, every eighth first, then what halves the gaps: an animation that can be looked at early."""
    order: list[int] = []
    for step in (8, 4, 2, 1):
        seen = set(order)
        order += [index for index in range(0, count, step) if index not in seen]
    return order


def _one(context: Context, flow: Flow, z: np.ndarray, label: Label) -> Generator[None, None, None]:
    """One picture with its z, then its bits per dimension."""
    tensor = label_tensor(flow, [label])
    follow_the_hand(context, flow)
    pictures = yield from in_strides(decode_job(flow, z[None], tensor))
    context.send(PictureAt(pictures[0], z))
    yield
    (bpd,) = yield from bits(flow, pictures, z.dtype, tensor)
    context.send(BitsAt(_finite(bpd), done=True))
