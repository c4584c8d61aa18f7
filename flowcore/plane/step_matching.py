"""One training step of a continuous flow in its stages: times, velocities, gradient, update. Looked at on a copy."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from ..devices import on_host
from .continuous import ContinuousFlow, matching_targets, runge_kutta
from .frames import ToyFrames
from .trainer import CLIP_NORM, ToyTrainer

__all__ = ["MatchingInDetail", "matching_step"]

_SOLVER_STEPS = 8
"""Of the samples before and after: both are off by as little, and what is shown is how they move."""


@dataclass(frozen=True, eq=False)
class MatchingInDetail:
    """What the next step of a continuous flow's training does; float32 arrays.

    Of n points spread evenly over the step's batch: ``noise`` and ``data`` (n, 2), the ends of their straight paths, ``times``
    (n,) in between and ``place`` (n, 2) then; ``wanted`` (n, 2), the path's velocity, and ``field`` (n, 2), the field's own
    there. ``loss`` is the mean of |field − wanted|² over all ``batch`` points (Lipman et al. 2023, eq. 23), ``wanted_square``
    and ``field_square`` the means of the two velocities' own squares. ``norms`` (3,): the length of the loss's gradient by the
    weights of each of the field's layers, ``norm`` by all; ``scale`` is what the step multiplies it by (below 1 where it is
    clipped). ``before`` and ``after`` (k, 2): the same noise followed through the field before and after.
    """

    trained_by: ClassVar[str] = "matching"

    step: int
    loss: float
    batch: int
    wanted_square: float
    field_square: float
    earliest: float
    latest: float
    learning_rate: float
    norm: float
    scale: float
    norms: np.ndarray
    noise: np.ndarray
    data: np.ndarray
    times: np.ndarray
    place: np.ndarray
    wanted: np.ndarray
    field: np.ndarray
    before: np.ndarray
    after: np.ndarray


def matching_step(trainer: ToyTrainer, points: int) -> MatchingInDetail:
    """What the trainer's next step does, at most ``points`` points of it shown; the trainer takes it.

    Raises:
        NonFiniteError: if training breaks down at this step.
    """
    flow, matching, seed = trainer.flow, trainer._matching, trainer.config.seed
    assert isinstance(flow, ContinuousFlow) and matching is not None  # no other flow is trained by matching
    x = trainer._batch().contiguous()
    noise, t = matching.draw(x, seed, trainer.step_count)
    place, wanted = matching_targets(x, noise, t)
    eps = ToyFrames(trainer)._eps[:points]  # the noise of the samples on screen
    with torch.no_grad():
        field = flow.field.velocity(place, t)
        before = runge_kutta(flow.field, eps, 0.0, 1.0, _SOLVER_STEPS)[0]
    with torch.enable_grad():
        loss = trainer._gradients(x)
    layers = [layer for layer in flow.field.modules() if isinstance(layer, torch.nn.Linear)]  # from (x, t) to v
    squares = [sum(float(on_host(p.grad).square().sum()) for p in layer.parameters() if p.grad is not None) for layer in layers]
    norm = float(torch.linalg.vector_norm(trainer._flat.gradient))
    rate = trainer.learning_rate()
    trainer.step()
    with torch.no_grad():
        after = runge_kutta(flow.field, eps, 0.0, 1.0, _SOLVER_STEPS)[0]
    # The times of a batch are in order: its first points alone would all be at the beginnings of their paths.
    shown = torch.from_numpy(np.linspace(0, len(x) - 1, min(points, len(x))).round().astype(np.int64)).to(x.device)
    parts = [part.detach()[shown].to("cpu", torch.float32).numpy() for part in (noise, x, t[:, 0], place, wanted, field)]
    ends = [part.detach().to("cpu", torch.float32).numpy() for part in (before, after)]
    return MatchingInDetail(
        trainer.step_count, loss, len(x), _square(wanted), _square(field), float(t.min()), float(t.max()), rate, norm,
        min(1.0, CLIP_NORM / max(norm, 1e-12)), np.sqrt(np.asarray(squares)).astype(np.float32), *parts, *ends,
    )  # fmt: skip


def _square(vectors: torch.Tensor) -> float:
    return float(on_host(vectors.detach()).square().sum(1).mean())
