"""The toy lab's jobs for what is kept: a training filmed anew, a saved one checked."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from flowcore.errors import CheckpointError
from flowcore.plane.film import retrace
from flowcore.plane.film_frames import FilmFrame, Scene
from flowcore.plane.frames import ToyFrames
from flowcore.plane.schedule import Schedule
from flowcore.plane.snapshot import unpack
from flowcore.plane.trainer import ToyConfig, ToyTrainer

from ..context import JobContext, Steps, job
from ..requests.toykeep import CheckToy, FilmToy
from .toy_session import place_for, threads_for

__all__: list[str] = []

TELL_S = 0.1


@job(FilmToy.kind, grad=True)
def film_toy(context: JobContext, request: FilmToy) -> Steps:
    """See `FilmToy`."""
    config = ToyConfig.from_dict(request.config)
    schedule = Schedule.from_list(request.schedule, request.inherited)
    context.use_threads(threads_for((config,)))
    yield
    work = retrace(config, schedule, request.steps, (yield from place_for(context, config)))
    taken, told = 0, time.monotonic()
    for item in work:
        if isinstance(item, Scene):
            about = {"title": item.title, "about": item.about, "reach": item.reach, "entropy": item.entropy}
            yield from context.stream("scene", about, {"truth": item.truth, "data": item.data})
        elif isinstance(item, FilmFrame):
            taken += 1
            point = {
                "step": item.point.step, "nll": item.point.nll, "standard_error": item.point.standard_error,
                "learning_rate": item.point.learning_rate,
            }  # fmt: skip
            arrays = {"samples": item.samples, "prior": item.prior, "grid": item.grid, "heat": item.heat}
            yield from context.stream("shot", point, arrays, done=taken == len(request.steps))
        now = time.monotonic()
        if now - told > TELL_S and taken < len(request.steps):
            told = now
            # The last step is what training comes to; frames of a short run take longer than its steps.
            last = max(1, request.steps[-1])
            here = request.steps[taken - 1] if taken else 0
            context.progress(0.5 * here / last + 0.5 * taken / len(request.steps))
        yield


@job(CheckToy.kind)
def check_toy(context: JobContext, request: CheckToy) -> Steps:
    """See `CheckToy`."""
    wanted, data = ToyConfig.from_dict(request.config), request.snapshot.tobytes()
    config, step, _ = unpack(data)
    if replace(config, **wanted.live, horizon=wanted.horizon, field=wanted.field) != wanted:
        raise CheckpointError("The weights in this file are not of the flow that its settings say.")
    yield
    trainer = ToyTrainer.from_snapshot(data)
    yield
    if not np.isfinite(ToyFrames(trainer).samples()).all():
        raise CheckpointError("The weights in this file give no finite samples, so there is nothing to continue.")
    yield
    context.send(request.kind, {"step": step}, done=True)
    yield
