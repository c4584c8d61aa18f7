"""The race's job: several trainings in turn, each with the same training time, and what there is to see of them."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import numpy as np

from flowcore.plane.frames import CHUNK, ToyFrames
from flowcore.plane.race import SLICE_S, Race, leader
from flowcore.plane.trainer import ToyConfig, ToyTrainer

from ..context import Context, Steps, job
from ..requests.race import RunRace
from .toy import _send_truth as send_truth

__all__ = ["RESOLUTION", "REST_RESOLUTION", "Session"]

RESOLUTION = 64
REST_RESOLUTION = 128
LOSSES_A_SECOND = 2.0
SNAPSHOT_EVERY_S = 3.0
POINTS_A_SECOND, HEATS_A_SECOND = 24.0, 5.0
SHOWING_SHARE = 0.3
"""Of the time, what may go into showing; training time is shared out among the racers by itself."""

_SESSION = "race.session"


class Session:
    """A race that outlives the job: what `RunRace.race` numbers."""

    def __init__(self, request: RunRace, race: Race) -> None:
        self.number, self.racers, self.race = request.race, request.racers, race
        self.frames = [ToyFrames(racer.trainer) for racer in race.racers]

    def is_of(self, request: RunRace) -> bool:
        """Whether it is the race that is asked for."""
        return (self.number, self.racers) == (request.race, request.racers)

    @property
    def trainers(self) -> list[ToyTrainer]:
        """One for each racer."""
        return [racer.trainer for racer in self.race.racers]

    @property
    def trainer(self) -> ToyTrainer:
        """Any of them: what they learn is the same."""
        return self.race.racers[0].trainer

    def stamp(self) -> dict[str, Any]:
        """What every answer carries."""
        return {
            "race": self.number, "seconds": [racer.seconds for racer in self.race.racers],
            "steps": [trainer.step_count for trainer in self.trainers], "longest_turn": self.race.longest_turn,
        }  # fmt: skip

    def losses(self) -> dict[str, Any]:
        """The newest measurements, and who leads."""
        racers = self.race.racers
        if any(racer.loss is None for racer in racers):
            return {}
        return {
            "nll": [racer.loss.nll for racer in racers],
            "standard_error": [racer.loss.standard_error for racer in racers],
            "curve_seconds": [racer.curve[-1][0] for racer in racers],
            "leader": leader([racer.loss for racer in racers]),
        }

    def packed(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Every racer's snapshot in one array, and the lengths."""
        parts = [np.frombuffer(trainer.snapshot(), np.uint8) for trainer in self.trainers]
        return {"lengths": [part.size for part in parts]}, {"snapshots": np.concatenate(parts)}


@job(RunRace.kind, grad=True)
def run_race(context: Context, request: RunRace) -> Steps:
    """See `RunRace`."""
    context.use_threads(1)  # the time of one thread is what the racers share
    yield
    session = None
    while True:
        request = context.take() or request
        if session is None or not _is_current(context, session, request):
            session = context.shared.get(_SESSION)
            if session is None or not _is_current(context, session, request):
                session = yield from _open(context, request)
                if session is None:
                    continue
            yield from _send_start(context, session)
        if context.newer:
            continue
        yield from _train(context, session, request)
        if not context.newer:
            yield from _rest(context, session, request)
            if not context.newer:
                return


def _is_current(context: Context, session: Session, request: RunRace) -> bool:
    return session.is_of(request) and session.trainers[0].device.type == context.device.type


def _open(context: Context, request: RunRace) -> Steps:
    """Another race, or the same one on another device; None where something newer is asked for meanwhile."""
    before: Session | None = context.shared.pop(_SESSION, None)
    if before is not None:
        # What is left may be come back to: its very last state goes to the window.
        about, arrays = before.packed()
        context.send("snapshot", {**before.stamp(), **about}, arrays)
        yield
    seconds, data = list(request.seconds), request.snapshots
    if before is not None and before.is_of(request):
        seconds, data = before.stamp()["seconds"], arrays["snapshots"]
        parts = np.split(data, np.cumsum(about["lengths"])[:-1])
    else:
        parts = np.split(data, np.cumsum(request.lengths)[:-1]) if data.size else []
    trainers = []
    for index, config in enumerate(request.racers):
        if parts:
            trainers.append(ToyTrainer.from_snapshot(parts[index].tobytes(), context.device))
        else:
            trainers.append(ToyTrainer(ToyConfig.from_dict(config), context.device))
        yield
        if context.newer:
            return None
    race = Race(trainers)
    for racer, used in zip(race.racers, seconds if parts else [0.0] * len(trainers), strict=True):
        racer.seconds = used
    session = context.shared[_SESSION] = Session(request, race)
    return session


def _send_start(context: Context, session: Session) -> Steps:
    trainer = session.trainers[0]
    yield from trainer.density.measure()
    entropy, reach = trainer.density.entropy, trainer.density.bounds[1]
    context.send("start", {**session.stamp(), "entropy": entropy, "reach": reach}, {"data": session.frames[0].data})
    yield
    yield from _send_points(context, session, must=True)
    yield from send_truth(context, session)


def _train(context: Context, session: Session, request: RunRace) -> Steps:
    """Turns until the goal, or until a newer request has come; frames in between."""
    race = session.race
    last = {"points": 0.0, "heat": 0.0, "loss": time.perf_counter(), "snapshot": time.perf_counter()}
    training = showing = 0.0
    next_heat = 0
    while not context.newer and (request.playing or race.seconds < request.goal):
        began = time.perf_counter()
        race.turn(SLICE_S if request.share >= 1 else 0.0)
        now = time.perf_counter()
        training = 0.98 * training + now - began
        yield (now - began) * (1 / request.share - 1) if request.share < 1 else None
        if context.newer:
            return
        now = time.perf_counter()
        # Frames have their share; below a third of their rate they come whatever they cost.
        has_room = showing < SHOWING_SHARE * (training + showing)
        slower = 1.0 if has_room else 3.0
        if now - last["points"] >= slower / POINTS_A_SECOND and context.can_stream:
            last["points"] = now
            yield from _send_points(context, session)
        if request.density and now - last["heat"] >= slower / HEATS_A_SECOND / len(session.frames) and context.can_stream:
            last["heat"] = now
            next_heat = (next_heat + 1) % len(session.frames)
            stamp = session.stamp()
            heat = yield from _heat(session.frames[next_heat], RESOLUTION)
            context.try_stream("heat", stamp, {f"heat{next_heat}": heat})
        if now - last["loss"] >= slower / LOSSES_A_SECOND:
            last["loss"] = now
            yield from _measure(session)
            context.try_stream("loss", {**session.stamp(), **session.losses()})
        if now - last["snapshot"] >= SNAPSHOT_EVERY_S and context.can_stream:
            last["snapshot"] = now
            about, arrays = session.packed()
            context.try_stream("snapshot", {**session.stamp(), **about}, arrays)
            yield
        showing = 0.98 * showing + time.perf_counter() - now


def _send_points(context: Context, session: Session, must: bool = False) -> Steps:
    stamp, arrays = session.stamp(), {}
    for index, frames in enumerate(session.frames):
        arrays[f"samples{index}"] = frames.samples()
        yield
    if must:
        context.send("points", stamp, arrays)
    else:
        context.try_stream("points", stamp, arrays)
    yield


def _measure(session: Session) -> Steps:
    for racer in session.race.racers:
        yield from session.race.measure(racer)


def _rest(context: Context, session: Session, request: RunRace) -> Steps:
    """All there is to see of a race that stands still. Given up as soon as something newer is asked for."""
    about, arrays = session.packed()
    context.send("snapshot", {**session.stamp(), **about}, arrays, done=not request.seen)
    if not request.seen:
        return
    yield from _send_points(context, session, must=True)
    found: dict[str, np.ndarray] = {}
    for index, frames in enumerate(session.frames):
        if context.newer:
            return
        if request.density:
            found[f"heat{index}"] = yield from _heat(frames, REST_RESOLUTION)
    yield from _measure(session)
    if not context.newer:
        context.send("rest", {**session.stamp(), **session.losses()}, found, done=True)


def _heat(frames: ToyFrames, resolution: int) -> Generator[None, None, np.ndarray]:
    """√q of a racer, with a yield between parts that take their time."""
    parts, chunk = [], getattr(frames, "chunk", CHUNK)
    for start in range(0, resolution**2, chunk):
        if parts:
            yield
        parts.append(frames.heat_part(resolution, start))
    yield
    return np.concatenate(parts).reshape(resolution, resolution)
