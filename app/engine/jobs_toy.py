"""The toy lab's job: one run that trains while it plays, and shows what it can without slowing the training."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from flowcore import checkpoint
from flowcore.densities import get
from flowcore.toy import Loss, ToyConfig, ToyTrainer
from flowcore.toy_frames import CHUNK, ToyFrames, cells

from .context import Context, Steps, job
from .requests_toy import RunToy, SaveToy

__all__ = ["Pace", "REST_RESOLUTION", "RESOLUTION", "Session"]

RESOLUTION = 64
REST_RESOLUTION = 256
TRUTH_RESOLUTION = 128
QUICK_HELD_OUT = 2048

SHOWING_SHARE = 0.2
"""Of the time, what may go into frames."""
FRAMES_AT_LEAST, FRAMES_AT_MOST = 22.0, 60.0
HEATS_AT_LEAST, HEATS_AT_MOST = 5.5, 10.0
LOSSES_A_SECOND = 4.0
SNAPSHOT_EVERY_S = 1.0

_ONE_THREAD_BELOW = 512 * 256
"""Batch times width up to which a second thread costs more than it brings."""

_SESSION, _TRUTH = "toy.session", "toy.truth"


class Pace:
    """Decides when to show: a share of the time, within limits a second. Times in seconds."""

    def __init__(self, now: float) -> None:
        self.training = self.showing = 0.0
        self._last = {"points": now - 1.0, "heat": now - 1.0, "loss": now - 1.0, "snapshot": now}

    def spent(self, training: float = 0.0, showing: float = 0.0) -> None:
        """Account for work done; what is a second ago counts little."""
        self.training = self.training * 0.99 + training
        self.showing = self.showing * 0.99 + showing

    def has_room(self) -> bool:
        """Frames have had less than their share of late."""
        return self.showing < SHOWING_SHARE * (self.training + self.showing)

    def is_due(self, what: str, now: float) -> bool:
        """Whether the next frame of a kind is to be made now."""
        waited = now - self._last[what]
        if what == "snapshot":
            return waited >= SNAPSHOT_EVERY_S
        if what == "loss":
            return waited >= 1 / LOSSES_A_SECOND
        least, most = (FRAMES_AT_LEAST, FRAMES_AT_MOST) if what == "points" else (HEATS_AT_LEAST, HEATS_AT_MOST)
        return waited >= (1 / most if self.has_room() else 1 / least)

    def made(self, what: str, now: float) -> None:
        """A frame of a kind was made."""
        self._last[what] = now


class Session:
    """A run that outlives the job: what `RunToy.run` numbers."""

    def __init__(self, run: int, trainer: ToyTrainer) -> None:
        self.run, self.trainer = run, trainer
        self.frames = ToyFrames(trainer)
        self.loss: Loss | None = None
        self.rate = 0.0
        self.seconds = 0.0
        self.odd = False

    def stamp(self) -> dict[str, object]:
        """What every answer carries."""
        return {"run": self.run, "step": self.trainer.step_count, "seconds": round(self.seconds, 4)}


@job(RunToy.kind, grad=True)
def run_toy(context: Context, request: RunToy) -> Steps:
    """See `RunToy`."""
    session = None
    while True:
        request = context.take() or request
        wanted = ToyConfig.from_dict(request.config)
        if not _is_current(context, request, wanted):
            with _threads(wanted):
                session = _open(context, request, wanted)
            yield
        elif session is None:
            session = context.shared[_SESSION]
        else:
            session.trainer.adjust(wanted.learning_rate, wanted.batch)
            yield from _train(context, session, request)
            if not context.newer:
                yield from _rest(context, session)
                if not context.newer:
                    return
            continue
        session.trainer.adjust(wanted.learning_rate, wanted.batch)
        _send_start(context, session)
        yield
        yield from _send_truth(context, session)


def _is_current(context: Context, request: RunToy, wanted: ToyConfig) -> bool:
    """Whether the session at hand is the run that is asked for, on the device that is chosen."""
    session = context.shared.get(_SESSION)
    if session is None or session.run != request.run or session.trainer.device.type != context.device.type:
        return False
    return session.trainer.config.architecture == wanted.architecture


def _open(context: Context, request: RunToy, wanted: ToyConfig) -> Session:
    """Another run, or the same one on another device."""
    before = context.shared.get(_SESSION)
    data = request.snapshot.tobytes()
    if before is not None and before.run == request.run and before.trainer.config.architecture == wanted.architecture:
        data = before.trainer.snapshot()
    elif before is not None:
        # What is left may be come back to: its very last state goes to the window.
        last = np.frombuffer(before.trainer.snapshot(), np.uint8)
        context.send("snapshot", before.stamp(), {"snapshot": last})
    if data:
        trainer = ToyTrainer.from_snapshot(data, context.device)
    else:
        trainer = ToyTrainer(wanted, context.device)
    session = context.shared[_SESSION] = Session(request.run, trainer)
    return session


def _train(context: Context, session: Session, request: RunToy) -> Steps:
    """Train until the goal, or until a newer request has come; frames in between."""
    trainer = session.trainer
    now = time.perf_counter()
    pace, next_step = Pace(now), now
    mark = (now, trainer.step_count)
    while not context.newer and (request.playing or trainer.step_count < request.goal):
        started = time.perf_counter()
        if started >= next_step:
            with _threads(trainer.config):
                trainer.step()
            now = time.perf_counter()
            pace.spent(training=now - started)
            session.seconds += now - started
            if request.speed:
                next_step = max(next_step + 1 / request.speed, now - 0.1)
            if now - mark[0] > 0.5:
                session.rate = (trainer.step_count - mark[1]) / (now - mark[0])
                mark = (now, trainer.step_count)
            yield
            if context.newer:
                return
            yield from _show(context, session, pace)
        else:
            # Slow motion leaves time to spare: frames are owed nothing until the next step.
            yield min(next_step - started, 0.05)


def _show(context: Context, session: Session, pace: Pace) -> Steps:
    """The frames that are due now."""
    trainer, frames = session.trainer, session.frames
    started = time.perf_counter()
    if pace.is_due("points", started) and context.can_stream:
        with _threads(trainer.config):
            session.odd = not session.odd
            if session.odd:
                arrays = {"samples": frames.samples(), "prior": frames.prior()}
            else:
                arrays = dict(zip(("samples", "grid"), frames.samples_and_grid(), strict=True))
        context.try_stream("points", {**session.stamp(), "rate": session.rate}, arrays)
        pace.made("points", started)
        pace.spent(showing=time.perf_counter() - started)
        yield
    started = time.perf_counter()
    if pace.is_due("heat", started) and context.can_stream:
        data = session.stamp()
        with _threads(trainer.config):
            arrays = {"heat": frames.heat(RESOLUTION)}
        pace.spent(showing=time.perf_counter() - started)
        yield
        again = time.perf_counter()
        with _threads(trainer.config):
            arrays["layers"] = frames.layers()
        if pace.is_due("loss", again):
            session.loss = yield from _measure(session, QUICK_HELD_OUT)
            pace.made("loss", again)
            data |= {"nll": session.loss.nll, "standard_error": session.loss.standard_error}
        context.try_stream("heat", data, arrays)
        pace.made("heat", started)
        pace.spent(showing=time.perf_counter() - again)
        yield
    if pace.is_due("snapshot", started) and context.can_stream:
        snapshot = trainer.snapshot()
        context.try_stream("snapshot", session.stamp(), {"snapshot": np.frombuffer(snapshot, np.uint8)})
        pace.made("snapshot", started)
        yield


def _measure(session: Session, count: int) -> Generator[None, None, Loss]:
    steps = session.trainer.held_out_steps(count)
    while True:
        with _threads(session.trainer.config):
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value
        yield


def _rest(context: Context, session: Session) -> Steps:
    """All there is to see of a run that stands still. Given up as soon as something newer is asked for."""
    trainer, frames = session.trainer, session.frames
    with _threads(trainer.config):
        samples, grid = frames.samples_and_grid()
    yield
    with _threads(trainer.config):
        prior, layers = frames.prior(), frames.layers()
    quick = frames.heat(RESOLUTION)
    snapshot = np.frombuffer(trainer.snapshot(), np.uint8)
    points = {"samples": samples, "grid": grid, "prior": prior}
    context.send("points", {**session.stamp(), "rate": session.rate}, points)
    context.send("heat", session.stamp(), {"heat": quick, "layers": layers})
    context.send("snapshot", session.stamp(), {"snapshot": snapshot})
    yield
    parts = []
    for start in range(0, REST_RESOLUTION**2, CHUNK):
        if context.newer:
            return
        with _threads(trainer.config):
            parts.append(frames.heat_part(REST_RESOLUTION, start))
        yield
    session.loss = yield from _measure(session, QUICK_HELD_OUT)
    if context.newer:
        return
    heat = np.concatenate(parts).reshape(REST_RESOLUTION, REST_RESOLUTION)
    loss = {"nll": session.loss.nll, "standard_error": session.loss.standard_error}
    arrays = {**points, "heat": heat, "layers": layers}
    context.send("rest", {**session.stamp(), **loss, "rate": session.rate}, arrays, done=True)


def _send_start(context: Context, session: Session) -> None:
    trainer = session.trainer
    data = {
        **session.stamp(),
        "config": trainer.config.to_dict(),
        "entropy": trainer.density.entropy,
        "reach": trainer.density.bounds[1],
    }
    context.send("start", data, {"data": session.frames.data})


def _send_truth(context: Context, session: Session) -> Steps:
    """The density itself, computed once a density, a piece at a time."""
    known: dict[str, np.ndarray] = context.shared.setdefault(_TRUTH, {})
    density = get(session.trainer.config.density)
    if density.name not in known:
        places = cells(density.bounds, TRUTH_RESOLUTION).astype(np.float64)
        parts = []
        for start in range(0, len(places), 1024):
            parts.append(np.exp(0.5 * density.log_prob(places[start : start + 1024])).astype(np.float32))
            yield
        known[density.name] = np.concatenate(parts).reshape(TRUTH_RESOLUTION, TRUTH_RESOLUTION)
    context.send("truth", session.stamp(), {"heat": known[density.name]})
    yield


@contextmanager
def _threads(config: ToyConfig) -> Generator[None, None, None]:
    """One thread for small networks. Never hold it over a job's yield: the other jobs want theirs."""
    before = torch.get_num_threads()
    if before == 1 or config.batch * config.width > _ONE_THREAD_BELOW:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@job(SaveToy.kind)
def save_toy(context: Context, request: SaveToy) -> Steps:
    """See `SaveToy`."""
    trainer = ToyTrainer.from_snapshot(request.snapshot.tobytes())
    yield
    checkpoint.save(Path(request.path), trainer.average, trainer.card())
    context.send(request.kind, {"path": request.path}, done=True)
    yield
