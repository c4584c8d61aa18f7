"""The toy lab's probe: one point through the run that is there, between two of its steps."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TypeVar

import numpy as np

from flowcore.errors import NonFiniteError
from flowcore.plane.probe import Probe, ToyProbe

from ..context import JobContext, Steps, job
from ..requests.toy_views import PROBE_REACH, ProbeToy
from .toy_session import SESSION, Session

__all__ = ["strip_positions"]

TURN_S = 0.008
"""What a turn takes at least, if there is so much to do; a job yields after 15 ms at the most."""

_PROBE = "toy.probe"
_Found = TypeVar("_Found")


@job(ProbeToy.kind)
def probe_toy(context: JobContext, request: ProbeToy) -> Steps:
    """See `ProbeToy`."""
    session: Session | None = context.shared.get(SESSION)
    if session is None or session.is_race or session.run != request.run:
        context.send("absent", {"run": request.run}, done=True)
        return
    step = session.trainer.step_count
    point, found = yield from _timed(session, _follow(context, session, request))
    prior, log_dets, total = found.rounded
    data = {
        "run": session.run, "step": step, "x": list(point), "names": list(found.names), "log_dets": found.log_dets.tolist(),
        "log_prior": found.log_prior, "log_prob": found.log_prob, "rounded": [prior, *log_dets.tolist()], "total": total,
        "positions": strip_positions(list(found.names), session.entries[0].frames.layer_starts()),
    }  # fmt: skip
    context.send("probe", data, {"states": found.states, "jacobians": found.jacobians}, done=True)
    yield


def _follow(context: JobContext, session: Session, request: ProbeToy) -> Generator[None, None, tuple[tuple[float, float], Probe]]:
    trainer, step = session.trainer, session.trainer.step_count
    known = context.on_device.get(_PROBE)
    if known is None or known[0] is not trainer:
        known = context.on_device[_PROBE] = trainer, step, ToyProbe(trainer.average)
        yield
    elif known[1] != step:
        known[2].follow(trainer.average)
        known = context.on_device[_PROBE] = trainer, step, known[2]
        yield
    probe = known[2]
    point = request.point
    if request.side == "z":
        point = probe.find(point)
        if not max(map(abs, point)) <= PROBE_REACH:
            raise NonFiniteError("The flow sends this z too far out to be followed.", "sum")
        yield
    return point, (yield from probe.steps(point))


def _timed(session: Session, work: Generator[None, None, _Found]) -> Generator[None, None, _Found]:
    """The same work in longer turns; its time is taken off what the run may spend on frames.

    Between two turns a step of training may come, and a stage alone takes less than a millisecond.
    """
    while True:
        started = time.perf_counter()
        try:
            while time.perf_counter() - started < TURN_S:
                next(work)
        except StopIteration as stop:
            return stop.value
        finally:
            session.beside += time.perf_counter() - started
        yield


def strip_positions(names: list[str], starts: list[str]) -> list[float]:
    """Where the states before each of the stages ``names``, and after the last, stand on a strip of K = len(starts) layers.

    K is x and 0 is z; ``starts`` are the stages that a layer begins with. What lies between two layers is spaced evenly.
    """
    where, count = {name: number for number, name in enumerate(names)}, len(starts)
    known = [(where[name], float(count - number)) for number, name in enumerate(starts) if name in where]
    if not known:  # stages of which no layer is known to begin with: all spaced evenly
        known.append((0, float(max(1, count))))
    known.append((len(names), 0.0))
    stages, places = zip(*known, strict=True)
    return np.interp(np.arange(len(names) + 1), stages, places).tolist()
