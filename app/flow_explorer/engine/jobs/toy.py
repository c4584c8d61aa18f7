"""The toy lab's job: a run of one flow, or of several in turn, that trains while it plays and shows what it can meanwhile."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from flowcore.errors import CheckpointError
from flowcore.model import checkpoint
from flowcore.plane.frames import cells
from flowcore.plane.race import SLICE_S
from flowcore.plane.targets import targets as toy_targets
from flowcore.plane.targets.points import PointsDensity
from flowcore.plane.trainer import ToyConfig, ToyTrainer
from flowcore.plane.views import density_contours

from ..context import JobContext, Steps, job
from ..devices import release_memory
from ..requests.toy import RunToy, SaveToy
from .pace import fast_forward
from .toy_pace import Pace
from .toy_session import SESSION, Session, place_for, threads_for
from .toy_showing import fine_maps, gradient_data, measure, quick_maps, run_points

__all__ = ["RACE_REST_RESOLUTION", "RESOLUTION", "REST_RESOLUTION"]

RESOLUTION = 64
REST_RESOLUTION, RACE_REST_RESOLUTION = 256, 128
TRUTH_RESOLUTION = 128
MOST_TRUTHS = 64
"""How many densities' pictures are kept: a slider that is dragged makes a new one at every step."""
RATE_OVER_S = 0.5

_TRUTH = "toy.truth"

T = TypeVar("T")


@job(RunToy.kind, grad=True)
def run_toy(context: JobContext, request: RunToy) -> Steps:
    """See `RunToy`."""
    session = None
    while True:
        newer = context.take()
        request = newer if isinstance(newer, RunToy) else request
        configs = tuple(ToyConfig.from_dict(entry) for entry in request.entries)
        context.use_threads(threads_for(configs))
        yield
        known: Session | None = context.shared.get(SESSION)
        if known is None or not known.is_of(request.run, configs, context.device):
            moves = known is not None and known.chosen != context.device
            session = known = yield from _open(context, request, configs)
            if moves and session is not None:
                release_memory()
            if session is None:
                continue
            is_new = True
        else:
            is_new, session = session is None, known
        session.adjust(configs)
        if is_new:
            yield from _send_start(context, session)
        yield from (fast_forward(context, session) if request.forward else _train(context, session, request))
        if not context.newer and session.chosen == context.device:
            yield from _rest(context, session, request.views)
            if not context.newer:
                return


def _open(context: JobContext, request: RunToy, configs: tuple[ToyConfig, ...]) -> Generator[None, None, Session | None]:
    """Another run, or the same one on another device; None where something newer is asked for meanwhile."""
    before: Session | None = context.shared.get(SESSION)
    parts, seconds, kept = request.parts, list(request.seconds), None
    if before is not None and before.is_of(request.run, configs):
        parts, seconds = list(before.snapshots().values()), before.seconds
    elif before is not None:
        if (before.run, len(before.entries)) != (request.run, len(configs)):
            # What is left may be come back to: its very last state goes to the window.
            context.send("snapshot", before.stamp(), before.snapshots())
        if not before.is_race and len(configs) == 1 and before.run in request.kept_from:
            kept = before.trainer
    trainers, chosen = [], context.device
    for number, config in enumerate(configs):
        if number:
            yield
        place = yield from place_for(context, config)
        if number and context.newer:
            return None
        trainers.append(_taken_up(parts[number], config, place) if parts else ToyTrainer(config, place, kept=kept))
    session = context.shared[SESSION] = Session(request.run, configs, trainers, seconds if parts else (), chosen)
    yield
    return session


def _taken_up(snapshot: np.ndarray, config: ToyConfig, place: torch.device) -> ToyTrainer:
    """A training where its snapshot was taken. Which field a continuous flow has is the training's own: see `ToyConfig`."""
    trainer = ToyTrainer.from_snapshot(snapshot.tobytes(), place)
    if trainer.config.architecture != replace(config, field=trainer.config.field).architecture:
        raise CheckpointError("The weights of this training are not of the flow that its settings say.")
    return trainer


def _train(context: JobContext, session: Session, request: RunToy) -> Steps:
    """Train until the goal, or until a newer request has come or another device is chosen; frames in between."""
    race, now = session.race, time.perf_counter()
    pace, next_turn = Pace(now, session.rates), now
    turn = SLICE_S if session.is_race and request.share >= 1 else 0.0
    mark = (now, sum(session.steps))
    while not context.newer and session.chosen == context.device and (request.playing or session.progress < request.goal):
        started = time.perf_counter()
        if started < next_turn:
            # A slow training leaves time to spare: frames are owed nothing until the next step.
            yield min(next_turn - started, 0.05)
            continue
        race.turn(turn)
        now = time.perf_counter()
        pace.spent(training=now - started)
        if request.speed:
            next_turn = max(next_turn + 1 / request.speed, now - 0.1)
        elif request.share < 1:
            next_turn = now + (now - started) * (1 / request.share - 1)
        if now - mark[0] > RATE_OVER_S:
            count = sum(session.steps)
            session.rate, mark = (count - mark[1]) / (now - mark[0]), (now, count)
        yield
        if context.newer:
            return
        yield from _show(context, session, pace, request.views)


def _show(context: JobContext, session: Session, pace: Pace, views: tuple[str, ...]) -> Steps:
    """The frames that are due now."""
    if session.beside:
        pace.spent(showing=session.beside)
        session.beside = 0.0
    started = time.perf_counter()
    if pace.is_due("points", started) and context.can_stream:
        session.turn += 1
        arrays = yield from _in_turns(run_points(session, views, session.turn), pace)
        context.try_stream("points", session.stamp(), arrays)
        pace.made("points", started)
        yield
    started = time.perf_counter()
    if pace.is_due("loss", started) and context.can_stream:
        yield from _in_turns(measure(session), pace)
        context.try_stream("loss", session.stamp() | session.losses())
        pace.made("loss", started)
    started = time.perf_counter()
    if session.has_maps(views) and pace.is_due("heat", started) and context.can_stream:
        entry = session.next_entry()
        data = {**session.stamp(), "entry": entry.number, **gradient_data(entry.more)}
        arrays = yield from _in_turns(quick_maps(entry.frames, entry.more, views, RESOLUTION, not session.is_race), pace)
        context.try_stream("heat", data, entry.named(arrays))
        pace.made("heat", started)
        yield
    if pace.is_due("snapshot", started) and context.can_stream:
        context.try_stream("snapshot", session.stamp(), session.snapshots())
        pace.made("snapshot", started)
        yield


def _in_turns(work: Generator[None, None, T], pace: Pace | None = None) -> Generator[None, None, T]:
    """Do work a piece at a time, accounting for it; gives what it returns."""
    while True:
        started = time.perf_counter()
        try:
            next(work)
        except StopIteration as stop:
            return stop.value
        finally:
            if pace is not None:
                pace.spent(showing=time.perf_counter() - started)
        yield


def _rest(context: JobContext, session: Session, views: tuple[str, ...]) -> Steps:
    """All there is to see of a run that stands still. Given up as soon as something newer is asked for."""
    context.send("snapshot", session.stamp(), session.snapshots())
    points = yield from _in_turns(run_points(session, views))
    yield
    context.send("points", session.stamp(), points)
    for entry in session.entries if session.has_maps(views) else ():
        coarse = {"density"}.intersection(views)
        quick = yield from _in_turns(quick_maps(entry.frames, entry.more, coarse, RESOLUTION, not session.is_race))
        context.send("heat", {**session.stamp(), "entry": entry.number}, entry.named(quick))
        yield
    for entry in session.entries if session.has_maps(views) else ():
        resolution = RACE_REST_RESOLUTION if session.is_race else REST_RESOLUTION
        fine = yield from _in_turns(_until_newer(context, fine_maps(entry.frames, entry.more, views, resolution)))
        if context.newer:
            return
        data = {**session.stamp(), "entry": entry.number, **gradient_data(entry.more)}
        context.send("heat", data, entry.named(fine))
    yield from _in_turns(measure(session))
    if not context.newer:
        context.send("rest", session.stamp() | session.losses(), done=True)


def _until_newer(
    context: JobContext, work: Generator[None, None, dict[str, np.ndarray]]
) -> Generator[None, None, dict[str, np.ndarray]]:
    """The same work, given up (with nothing) once something newer is asked for."""
    while not context.newer:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value
        yield
    return {}


def _send_start(context: JobContext, session: Session) -> Steps:
    density = session.trainer.density
    yield from density.measure()
    data = {**session.stamp(), "entropy": density.entropy, "known": density.known, "reach": density.bounds[1]}
    context.send("start", data, {"data": session.entries[0].frames.data})
    yield
    yield from _send_truth(context, session) if density.known else _send_estimate(context, session)


def _send_truth(context: JobContext, session: Session) -> Steps:
    """The density itself, computed once a density, a piece at a time."""
    known: dict[str, np.ndarray] = context.shared.setdefault(_TRUTH, {})
    density, key = session.trainer.density, toy_targets.key(session.trainer.config.target, session.trainer.config.density)
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
    context.send("truth", session.stamp(), {"truth": known[key], "true_contours": lines})
    yield


def _send_estimate(context: JobContext, session: Session) -> Steps:
    """What points alone let one guess of their density: to look at, and not a truth."""
    density = session.trainer.density
    assert isinstance(density, PointsDensity)  # every other one is known
    estimate = yield from density.estimated()
    yield
    places = cells(density.bounds, TRUTH_RESOLUTION).astype(np.float64)
    heat = np.sqrt(estimate.density(places)).astype(np.float32).reshape(TRUTH_RESOLUTION, TRUTH_RESOLUTION)
    arrays = {"estimate": heat, "estimate_contours": density_contours(heat, density.bounds)}
    context.send("estimate", {**session.stamp(), "points": estimate.count}, arrays)
    yield


@job(SaveToy.kind)
def save_toy(context: JobContext, request: SaveToy) -> Steps:
    """See `SaveToy`."""
    trainer = ToyTrainer.from_snapshot(request.snapshot.tobytes())
    yield
    checkpoint.save(Path(request.path), trainer.average, trainer.card())
    context.send(request.kind, {"path": request.path}, done=True)
    yield
