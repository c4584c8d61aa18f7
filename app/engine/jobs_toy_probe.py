"""The toy lab's probe: one point through the run that is there, between two of its steps."""

from __future__ import annotations

import numpy as np

from flowcore.errors import NonFiniteError
from flowcore.toy_probe import ToyProbe

from .context import Context, Steps, job
from .jobs_toy import SESSION, Session
from .requests_toy_views import PROBE_REACH, ProbeToy

__all__ = ["strip_positions"]

_PROBE = "toy.probe"


@job(ProbeToy.kind)
def probe_toy(context: Context, request: ProbeToy) -> Steps:
    """See `ProbeToy`."""
    session: Session | None = context.shared.get(SESSION)
    if session is None or session.run != request.run:
        context.send("absent", {"run": request.run}, done=True)
        return
    stamp = session.stamp()
    mark = (session.trainer, stamp["step"])
    known = context.shared.get(_PROBE)
    if known is None or known[0] != mark:
        known = context.shared[_PROBE] = mark, ToyProbe(session.trainer.average)
        yield
    probe = known[1]
    point = request.point
    if request.side == "z":
        point = probe.find(point)
        if not max(map(abs, point)) <= PROBE_REACH:
            raise NonFiniteError("The flow sends this z too far out to be followed.", "sum")
        yield
    found = yield from probe.steps(point)
    prior, log_dets, total = found.rounded
    data = {
        **stamp, "x": list(point), "names": list(found.names), "log_dets": found.log_dets.tolist(),
        "log_prior": found.log_prior, "log_prob": found.log_prob, "rounded": [prior, *log_dets.tolist()], "total": total,
        "positions": strip_positions(list(found.names), session.frames.layer_starts()),
    }  # fmt: skip
    context.send("probe", data, {"states": found.states, "jacobians": found.jacobians}, done=True)
    yield


def strip_positions(names: list[str], starts: list[str]) -> list[float]:
    """Where the states before each of the stages ``names``, and after the last, stand on a strip of K = len(starts) layers.

    K is x and 0 is z; ``starts`` are the stages that a layer begins with. What lies between two layers is spaced evenly.
    """
    where, count = {name: number for number, name in enumerate(names)}, len(starts)
    known = [(where[name], float(count - number)) for number, name in enumerate(starts) if name in where]
    known.append((len(names), 0.0))
    stages, places = zip(*known, strict=True)
    return np.interp(np.arange(len(names) + 1), stages, places).tolist()
