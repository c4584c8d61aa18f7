"""The toy lab's job: one run that trains while it plays, and shows what it can without slowing the training."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from flowcore.model import checkpoint
from flowcore.plane.frames import ToyFrames, cells
from flowcore.plane.targets import targets as toy_targets
from flowcore.plane.trainer import Loss, ToyConfig, ToyTrainer
from flowcore.plane.views import ToyViews, density_contours

from ..context import Context, Steps, job
from ..requests.toy import RunToy, SaveToy
from .pace import fast_forward
from .toy_showing import fine_maps, gradient_data, point_arrays, quick_maps

__all__ = ["Pace", "REST_RESOLUTION", "RESOLUTION", "SESSION", "Session"]

RESOLUTION = 64
REST_RESOLUTION = 256
TRUTH_RESOLUTION = 128
MOST_TRUTHS = 64
"""How many densities' pictures are kept: a slider that is dragged makes a new one at every step."""
QUICK_HELD_OUT = 2048

SHOWING_SHARE = 0.12
"""Of the time, what may go into frames."""
FRAMES_AT_LEAST, FRAMES_AT_MOST = 34.0, 60.0
HEATS_AT_LEAST, HEATS_AT_MOST = 5.5, 10.0
LOSSES_A_SECOND = 2.0
CONTINUOUS_LOSSES_A_SECOND = 1.5
"""An integral for every held-out point takes ten times as long as a few layers do."""
SNAPSHOT_EVERY_S = 1.0

_ONE_THREAD_BELOW = 512 * 256
"""Batch times width up to which a second thread costs more than it brings."""

SESSION, _TRUTH = "toy.session", "toy.truth"


class Pace:
    """Decides when to show: a share of the time, within limits a second. Times in seconds."""

    def __init__(self, now: float, losses_a_second: float = LOSSES_A_SECOND) -> None:
        self.training = self.showing = 0.0
        self.losses_a_second = losses_a_second
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
            return waited >= 1 / self.losses_a_second
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
        self.more = ToyViews(self.frames)
        self.loss: Loss | None = None
        self.rate = 0.0
        self.seconds = 0.0
        self.turn = -1
        self.beside = 0.0  # seconds that another job has spent on showing this run, not yet accounted for

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
            session = context.shared[SESSION]
        else:
            session.trainer.adjust(**wanted.live)
            yield from (fast_forward(context, session, _threads) if request.forward else _train(context, session, request))
            if not context.newer:
                yield from _rest(context, session, request.views)
                if not context.newer:
                    return
            continue
        session.trainer.adjust(**wanted.live)
        yield from session.trainer.density.measure()
        _send_start(context, session)
        yield
        yield from _send_truth(context, session)


def _is_current(context: Context, request: RunToy, wanted: ToyConfig) -> bool:
    """Whether the session at hand is the run that is asked for, on the device that is chosen."""
    session = context.shared.get(SESSION)
    if session is None or session.run != request.run or session.trainer.device.type != context.device.type:
        return False
    return _is_of(session.trainer, wanted)


def _is_of(trainer: ToyTrainer, wanted: ToyConfig) -> bool:
    """Whether it trains the flow that is asked for. Which field a continuous one has is the run's own matter: see `ToyConfig`."""
    return trainer.config.architecture == replace(wanted, field=trainer.config.field).architecture


def _open(context: Context, request: RunToy, wanted: ToyConfig) -> Session:
    """Another run, or the same one on another device."""
    before = context.shared.get(SESSION)
    data = request.snapshot.tobytes()
    if before is not None and before.run == request.run and _is_of(before.trainer, wanted):
        data = before.trainer.snapshot()
    elif before is not None:
        # What is left may be come back to: its very last state goes to the window.
        last = np.frombuffer(before.trainer.snapshot(), np.uint8)
        context.send("snapshot", before.stamp(), {"snapshot": last})
    if data:
        trainer = ToyTrainer.from_snapshot(data, context.device)
    else:
        kept = before.trainer if before is not None and before.run in request.kept_from else None
        trainer = ToyTrainer(wanted, context.device, kept=kept)
    session = context.shared[SESSION] = Session(request.run, trainer)
    return session


def _train(context: Context, session: Session, request: RunToy) -> Steps:
    """Train until the goal, or until a newer request has come; frames in between."""
    trainer = session.trainer
    now = time.perf_counter()
    losses = CONTINUOUS_LOSSES_A_SECOND if trainer.config.flow == "continuous" else LOSSES_A_SECOND
    pace, next_step = Pace(now, losses), now
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
            yield from _show(context, session, pace, request.views)
        else:
            # Slow motion leaves time to spare: frames are owed nothing until the next step.
            yield min(next_step - started, 0.05)


def _show(context: Context, session: Session, pace: Pace, views: tuple[str, ...]) -> Steps:
    """The frames that are due now."""
    trainer, frames = session.trainer, session.frames
    if session.beside:
        pace.spent(showing=session.beside)
        session.beside = 0.0
    started = time.perf_counter()
    if pace.is_due("points", started) and context.can_stream:
        with _threads(trainer.config):
            session.turn += 1
            arrays = point_arrays(frames, views, session.turn)
        context.try_stream("points", {**session.stamp(), "rate": session.rate}, arrays)
        pace.made("points", started)
        pace.spent(showing=time.perf_counter() - started)
        yield
    started = time.perf_counter()
    if pace.is_due("heat", started) and context.can_stream:
        with _threads(trainer.config):  # a second thread, waited for, takes longer than all of this
            data = session.stamp() | gradient_data(session.more)
        arrays = yield from _in_turns(session, quick_maps(frames, session.more, views, RESOLUTION), pace)
        arrays |= _outline(frames)
        again = time.perf_counter()
        if pace.is_due("loss", again):
            session.loss = yield from _measure(session, QUICK_HELD_OUT)
            pace.made("loss", again)
            data |= {"nll": session.loss.nll, "standard_error": session.loss.standard_error}
        context.try_stream("heat", data, arrays)
        pace.made("heat", started)
        pace.spent(showing=time.perf_counter() - again)
        yield
    if pace.is_due("snapshot", started) and context.can_stream:
        with _threads(trainer.config):
            snapshot = trainer.snapshot()
        context.try_stream("snapshot", session.stamp(), {"snapshot": np.frombuffer(snapshot, np.uint8)})
        pace.made("snapshot", started)
        yield


def _in_turns(session: Session, work: Generator[None, None, dict[str, np.ndarray]], pace: Pace | None = None) -> Steps:
    """Do work a piece at a time, with the run's threads, accounting for it; gives what it returns."""
    while True:
        started = time.perf_counter()
        with _threads(session.trainer.config):
            try:
                next(work)
            except StopIteration as stop:
                return stop.value
            finally:
                if pace is not None:
                    pace.spent(showing=time.perf_counter() - started)
        yield


def _outline(frames: ToyFrames) -> dict[str, np.ndarray]:
    found = frames.outline()
    return {} if found is None else {"outline": found}


def _measure(session: Session, count: int) -> Generator[None, None, Loss]:
    steps = session.trainer.held_out_steps(count)
    while True:
        with _threads(session.trainer.config):
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value
        yield


def _rest(context: Context, session: Session, views: tuple[str, ...]) -> Steps:
    """All there is to see of a run that stands still. Given up as soon as something newer is asked for."""
    trainer, frames = session.trainer, session.frames
    with _threads(trainer.config):
        points = point_arrays(frames, views)
    yield
    with _threads(trainer.config):
        outline = _outline(frames)
    quick = yield from _in_turns(session, quick_maps(frames, session.more, {"density"}.intersection(views), RESOLUTION))
    snapshot = np.frombuffer(trainer.snapshot(), np.uint8)
    context.send("points", {**session.stamp(), "rate": session.rate}, points)
    context.send("heat", session.stamp(), {**quick, **outline})
    context.send("snapshot", session.stamp(), {"snapshot": snapshot})
    yield
    maps = fine_maps(frames, session.more, views, REST_RESOLUTION)
    fine = yield from _in_turns(session, _until_newer(context, maps))
    if context.newer:
        return
    session.loss = yield from _measure(session, QUICK_HELD_OUT)
    if context.newer:
        return
    loss = {"nll": session.loss.nll, "standard_error": session.loss.standard_error}
    data = {**session.stamp(), **loss, "rate": session.rate} | gradient_data(session.more)
    context.send("rest", data, {**points, **fine, **outline, "layers": quick["layers"]}, done=True)


def _until_newer(
    context: Context, work: Generator[None, None, dict[str, np.ndarray]]
) -> Generator[None, None, dict[str, np.ndarray]]:
    """The same work, given up (with nothing) once something newer is asked for."""
    while not context.newer:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value
        yield
    return {}


def _send_start(context: Context, session: Session) -> None:
    trainer = session.trainer
    data = {
        **session.stamp(),
        "config": trainer.config.to_dict(),
        "entropy": trainer.density.entropy,
        "known": trainer.density.known,
        "reach": trainer.density.bounds[1],
    }
    context.send("start", data, {"data": session.frames.data})


def _send_truth(context: Context, session: Session) -> Steps:
    """The density itself, computed once a density, a piece at a time."""
    known: dict[str, np.ndarray] = context.shared.setdefault(_TRUTH, {})
    density, key = session.trainer.density, toy_targets.key(session.trainer.config.target, session.trainer.config.density)
    if not density.known:
        yield from _send_estimate(context, session)
        return
    if key not in known:
        if len(known) > MOST_TRUTHS:
            known.clear()
        places = cells(density.bounds, TRUTH_RESOLUTION).astype(np.float64)
        parts = []
        for start in range(0, len(places), 1024):
            parts.append(np.exp(0.5 * density.log_prob(places[start : start + 1024])).astype(np.float32))
            yield
        known[key] = np.concatenate(parts).reshape(TRUTH_RESOLUTION, TRUTH_RESOLUTION)
        yield
    lines = density_contours(known[key], density.bounds)
    context.send("truth", session.stamp(), {"heat": known[key], "true_contours": lines})
    yield


def _send_estimate(context: Context, session: Session) -> Steps:
    """What points alone let one guess of their density: to look at, and not a truth."""
    density = session.trainer.density
    estimate = yield from density.estimated()
    yield
    places = cells(density.bounds, TRUTH_RESOLUTION).astype(np.float64)
    heat = np.sqrt(estimate.density(places)).astype(np.float32).reshape(TRUTH_RESOLUTION, TRUTH_RESOLUTION)
    arrays = {"estimate": heat, "estimate_contours": density_contours(heat, density.bounds)}
    context.send("estimate", {**session.stamp(), "points": estimate.count}, arrays)
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
