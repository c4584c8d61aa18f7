"""The toy lab's pace: a step in its stages, and training without frames until it stands still."""

from __future__ import annotations

import time
from dataclasses import fields
from typing import Any

import numpy as np

from flowcore.plane.convergence import EarlyStopping
from flowcore.plane.step import next_step

from ..context import JobContext, Steps, job
from ..requests.pace import StepInStages
from .toy_session import Session

__all__ = ["MEASURE_EVERY_S", "fast_forward"]

MEASURE_EVERY_S = 0.5
SNAPSHOT_EVERY_S = 2.0
_TURN_S = 0.012


@job(StepInStages.kind, grad=True)
def step_in_stages(context: JobContext, request: StepInStages) -> Steps:
    """See `StepInStages`."""
    detail = next_step(request.snapshot.tobytes(), **request.live)
    yield
    data: dict[str, Any] = {"trained_by": detail.trained_by}
    arrays: dict[str, np.ndarray] = {}
    for field in fields(detail):
        value = getattr(detail, field.name)
        (arrays if isinstance(value, np.ndarray) else data)[field.name] = value
    context.send(request.kind, data, arrays, done=True)


def fast_forward(context: JobContext, session: Session) -> Steps:
    """Train a run of one flow without frames until its held-out loss stands still, or a newer request has come, or another
    device is chosen.

    Answers "forward" `{nll, standard_error, leader, fraction, quiet}` at each measurement. The loss is that of the averaged
    weights, on the same points each time.
    """
    trainer, racer, rule = session.trainer, session.entries[0].racer, EarlyStopping()
    began, since = time.perf_counter(), trainer.step_count
    measured, kept = began - MEASURE_EVERY_S, began
    while not context.newer and session.chosen == context.device:
        now = time.perf_counter()
        if now - measured >= MEASURE_EVERY_S:
            measured = now
            yield from session.race.measure(racer)
            session.rate = (trainer.step_count - since) / max(1e-9, now - began)
            losses = session.losses()
            done = rule.measured(trainer.step_count, losses["nll"][0])
            context.send("forward", {**session.stamp(), **losses, "fraction": rule.fraction, "quiet": rule.quiet})
            if done:
                return
            if now - kept >= SNAPSHOT_EVERY_S and context.can_stream:
                kept = now
                context.try_stream("snapshot", session.stamp(), session.snapshots())
                yield
        session.race.turn(_TURN_S)
        yield
