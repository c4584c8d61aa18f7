"""A training as a film: pictures after chosen steps, while a run learns or from the same run trained anew from its seed."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch

from ..errors import ConfigError
from ..model.card import SYSTEM_NAMES
from .config import ToyConfig
from .film_frames import CurvePoint, FilmFrame, Scene, frame_steps
from .frames import ToyFrames, cells
from .schedule import Schedule
from .trainer import ToyTrainer

__all__ = ["QUICK_HELD_OUT", "Recorder", "about", "check_schedule", "measure", "retrace", "scene", "shoot"]

Result = TypeVar("Result")

QUICK_HELD_OUT = 2048
"""Held-out points for a moment of a curve."""
RESOLUTION = 96
_CHUNK = 4096
_PIECE = 1024  # of the density itself, which is many Gaussians


def about(config: ToyConfig) -> str:
    """What learns, in words."""
    name = SYSTEM_NAMES.get(config.flow, config.flow.capitalize())
    if config.flow == "continuous":
        return f"{name}, width {config.width}"
    edited = getattr(config, "layers", None)
    return f"{name}, {config.depth if edited is None else len(edited)} layers of {config.width}"


def scene(trainer: ToyTrainer, frames: ToyFrames | None = None) -> Scene:
    """What stays the same while this run learns."""
    return _result(_scene(trainer, frames or ToyFrames(trainer)))


def _scene(trainer: ToyTrainer, frames: ToyFrames) -> Generator[None, None, Scene]:
    density = trainer.density
    if not density.known:
        estimate = _smoothed(frames.data, density.bounds)
        return Scene(density.title, about(trainer.config), estimate, frames.data, density.bounds[1], None)
    places, parts = cells(density.bounds, RESOLUTION).astype(np.float64), []
    for start in range(0, len(places), _PIECE):
        parts.append(np.exp(0.5 * density.log_prob(places[start : start + _PIECE])))
        yield
    truth = np.concatenate(parts).astype(np.float32).reshape(RESOLUTION, RESOLUTION)
    entropy = density.entropy
    known = entropy if entropy is not None and math.isfinite(entropy) else None
    return Scene(density.title, about(trainer.config), truth, frames.data, density.bounds[1], known)


def _smoothed(points: np.ndarray, bounds: tuple[float, float, float, float]) -> np.ndarray:
    """√p of points (n, 2) counted in cells and blurred by a bell of two cells: (RESOLUTION, RESOLUTION), row 0 lowest."""
    x_min, x_max, y_min, y_max = bounds
    counts, _, _ = np.histogram2d(points[:, 1], points[:, 0], RESOLUTION, ((y_min, y_max), (x_min, x_max)))
    bell = np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2)
    for axis in (0, 1):
        counts = np.apply_along_axis(np.convolve, axis, counts, bell / bell.sum(), "same")
    cell = (x_max - x_min) * (y_max - y_min) / RESOLUTION**2
    return np.sqrt(counts / (max(1, len(points)) * cell)).astype(np.float32)


def shoot(trainer: ToyTrainer, frames: ToyFrames, seconds: float = math.nan) -> Generator[None, None, FilmFrame]:
    """The run as it is now, a piece at a time: yields after each, returns the shot. ``seconds`` is what training has taken."""
    samples, grid = frames.samples_and_grid()
    yield
    prior = frames.prior()
    yield
    parts = []
    for start in range(0, RESOLUTION**2, getattr(frames, "chunk", _CHUNK)):
        parts.append(frames.heat_part(RESOLUTION, start))
        yield
    heat = np.concatenate(parts).reshape(RESOLUTION, RESOLUTION)
    point = yield from measure(trainer, seconds)
    return FilmFrame(samples, prior, grid, heat, point)


def measure(trainer: ToyTrainer, seconds: float = math.nan) -> Generator[None, None, CurvePoint]:
    """The run's place on its curve, a piece at a time. ``learning_rate`` is that of the next step."""
    loss = yield from trainer.held_out_steps(QUICK_HELD_OUT)
    return CurvePoint(trainer.step_count, loss.nll, loss.standard_error, seconds, trainer.learning_rate())


def check_schedule(schedule: Schedule) -> None:
    """Raises ConfigError, in a sentence, where a run cannot be trained again from its seed."""
    if schedule.inherited:
        raise ConfigError(
            "This training began with weights that an earlier one had learned, so its seed alone does not make it again: "
            "reset it, let it learn, and then this works."
        )


def retrace(
    config: ToyConfig, schedule: Schedule, at: Sequence[int], device: str | torch.device = "cpu"
) -> Generator[Scene | FilmFrame | None, None, ToyTrainer]:
    """Train the same run again from its seed, by its course, exactly as it went the first time on the same device.

    Yields None after every few milliseconds of work, the scene before all shots, and a shot after each of the steps ``at``
    (rising). Returns the trainer after the last of them.

    Raises:
        ConfigError: for a run that its seed does not decide.
        NonFiniteError: if training breaks down.
    """
    check_schedule(schedule)
    trainer = ToyTrainer(replace(config, **schedule.at(0)), device)
    yield None
    frames = ToyFrames(trainer)
    yield None
    fixed = yield from _scene(trainer, frames)
    yield fixed
    for step in at:
        while trainer.step_count < step:
            trainer.adjust(**schedule.at(trainer.step_count))
            trainer.step()
            yield None
        shot = yield from shoot(trainer, frames)
        yield shot
    return trainer


class Recorder:
    """Takes the shots of a film and the points of a curve of a run of so many ``steps`` while it learns: call it with the
    trainer, and the seconds that training has taken, before the first step and after every one.

    ``frames`` shots and ``points`` points at most, both dense at the start.
    """

    def __init__(self, steps: int, frames: int = 0, points: int = 0) -> None:
        self._shots = set(frame_steps(steps, frames)) if frames else set()
        self._points = set(frame_steps(steps, points)) if points else set()
        self._frames: ToyFrames | None = None
        self.scene: Scene | None = None
        self.shots: list[FilmFrame] = []
        self.curve: list[CurvePoint] = []

    def __call__(self, trainer: ToyTrainer, seconds: float) -> None:
        """Take what is due after this step."""
        step = trainer.step_count
        if step in self._shots:
            if self._frames is None:
                self._frames = ToyFrames(trainer)
                self.scene = scene(trainer, self._frames)
            shot = _result(shoot(trainer, self._frames, seconds))
            self.shots.append(shot)
        if step in self._points:
            self.curve.append(shot.point if step in self._shots else _result(measure(trainer, seconds)))


def _result(work: Generator[None, None, Result]) -> Result:
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value
