"""The Levels view's job: variations of a picture that keep a part of its z."""

from __future__ import annotations

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.resample import BEYOND, mixed
from flowcore.model.codec import decode_job, label_tensor

from ..context import Context, Steps, job
from ..requests.levels import Variations, VariationsPart
from .explorer import bits, chunks, picture_model

__all__: list[str] = []

@job(Variations.kind)
def variations(context: Context, request: Variations) -> Steps:
    """See `Variations`."""
    flow = picture_model(context, request.model).flow
    if len(request.z) != flow.num_dims:
        raise ConfigError("This picture's z is of another model.")
    levels = [(level.start, level.stop, level.shape) for level in flow.levels]
    _, height, width = flow.event_shape
    other = request.other if len(request.other) else None
    region = request.region > 0 if request.region.any() else None
    for start, stop in chunks(flow, request.count):
        drawn = flow.sample(stop - start, request.temperature, request.seed, BEYOND + request.first + start).cpu().numpy()
        yield
        rows = np.stack(
            [mixed(request.z, row, other, levels, request.actions, (height, width), region, request.lock) for row in drawn]
        )
        label = label_tensor(flow, [request.label] * len(rows))
        pictures = yield from decode_job(flow, rows, label)
        bpd = yield from bits(flow, pictures, rows.dtype, label)
        yield from context.stream(VariationsPart(request.first + start, pictures, rows, tuple(bpd), done=stop == request.count))
