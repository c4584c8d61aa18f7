"""The toy lab's pace: a step in its stages, and training without frames until it stands still."""

from __future__ import annotations

import time
from dataclasses import fields
from typing import Any

import numpy as np

from flowcore.plane.convergence import Standstill
from flowcore.plane.step import next_step

from ..context import Context, Steps, job
from ..requests.pace import StepInStages

__all__ = ["MEASURE_EVERY_S", "fast_forward"]

MEASURE_EVERY_S = 0.5
SNAPSHOT_EVERY_S = 2.0
FORWARD_HELD_OUT = 2048
_TURN_S = 0.012


@job(StepInStages.kind, grad=True)
def step_in_stages(context: Context, request: StepInStages) -> Steps:
    """See `StepInStages`."""
    detail = next_step(request.snapshot.tobytes(), **request.live)
    yield
    data: dict[str, Any] = {"trained_by": detail.trained_by}
    arrays: dict[str, np.ndarray] = {}
    for field in fields(detail):
        value = getattr(detail, field.name)
        (arrays if isinstance(value, np.ndarray) else data)[field.name] = value
    context.send(request.kind, data, arrays, done=True)


def fast_forward(context: Context, session: Any, threads: Any) -> Steps:
    """Train a run's session without frames until its held-out loss stands still, or a newer request has come.

    Answers "forward" `{nll, standard_error, fraction, quiet}` at each measurement; `threads(config)` is how its steps are
    run. The loss is that of the averaged weights, on the same points each time.
    """
    trainer, rule = session.trainer, Standstill()
    began, since = time.perf_counter(), trainer.step_count
    measured, kept = began - MEASURE_EVERY_S, began
    while not context.newer:
        now = time.perf_counter()
        if now - measured >= MEASURE_EVERY_S:
            measured = now
            steps = trainer.held_out_steps(FORWARD_HELD_OUT)
            while True:
                with threads(trainer.config):
                    try:
                        next(steps)
                    except StopIteration as stop:
                        session.loss = stop.value
                        break
                yield
            session.rate = (trainer.step_count - since) / max(1e-9, now - began)
            done = rule.measured(trainer.step_count, session.loss.nll)
            data = {"nll": session.loss.nll, "standard_error": session.loss.standard_error, "rate": session.rate}
            context.send("forward", {**session.stamp(), **data, "fraction": rule.fraction, "quiet": rule.quiet})
            if done:
                return
            if now - kept >= SNAPSHOT_EVERY_S and context.can_stream:
                kept = now
                snapshot = np.frombuffer(trainer.snapshot(), np.uint8)
                context.try_stream("snapshot", session.stamp(), {"snapshot": snapshot})
                yield
        began_turn = time.perf_counter()
        end = began_turn + _TURN_S
        with threads(trainer.config):
            trainer.step()
            while time.perf_counter() < end and not context.newer:
                trainer.step()
        session.seconds += time.perf_counter() - began_turn
        yield
