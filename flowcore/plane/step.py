"""One training step in its stages: forward, log-det, gradient, update. Looked at on a copy, so the training is not touched.

A continuous flow learns by matching: its stages are those of :mod:`flowcore.plane.step_matching`.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ..devices import on_host
from .frames import ToyFrames
from .step_matching import MatchingInDetail, matching_step
from .trainer import CLIP_NORM, ToyTrainer

__all__ = ["POINTS", "StepInDetail", "next_step"]

POINTS = 400


@dataclass(frozen=True, eq=False)
class StepInDetail:
    """What the next step of a training does; float32 arrays, numbers in nats.

    ``loss`` = ``prior_term`` + ``log_det_term``: the means of −log π(z) and of −log |det ∂f/∂x| over the step's batch.
    ``path`` (K + 1, n, 2): the batch's first points on their way from x to z. ``norms`` (K,): the length of the loss's
    gradient by the weights of each layer, and ``norm`` by all; ``scale`` is what the step multiplies it by (below 1 where
    it is clipped). ``before`` and ``after`` (n, 2): the same noise decoded by the weights before and after.
    """

    trained_by: ClassVar[str] = "likelihood"

    step: int
    loss: float
    prior_term: float
    log_det_term: float
    learning_rate: float
    norm: float
    scale: float
    norms: np.ndarray
    path: np.ndarray
    before: np.ndarray
    after: np.ndarray


def next_step(data: bytes, **live: Any) -> StepInDetail | MatchingInDetail:
    """What the step after a snapshot will do, taken on a copy; the step itself, taken later with the same ``live`` settings, is
    the very same.

    Raises:
        CheckpointError: if the bytes are no snapshot.
        NonFiniteError: if training breaks down at this step.
    """
    trainer = ToyTrainer.from_snapshot(data)
    trainer.adjust(**live)
    if trainer.config.flow == "continuous":
        return matching_step(trainer, POINTS)
    flow = trainer.flow
    x = trainer._batch().contiguous()
    eps = ToyFrames(trainer)._eps[:POINTS]  # the noise of the samples on screen
    with torch.no_grad():
        z, log_det = flow.encode(x)
        prior_term, log_det_term = -flow.base_log_prob(z).mean().item(), -log_det.mean().item()
        path = _path(trainer, x[:POINTS], z[:POINTS])
        before = flow.decode(eps)
    with torch.enable_grad():
        loss = trainer._gradients(x)
    norms = _norms(trainer)
    norm = float(torch.linalg.vector_norm(trainer._flat.gradient))
    rate = trainer.learning_rate()
    trainer.step()
    with torch.no_grad():
        after = flow.decode(eps)
    return StepInDetail(
        trainer.step_count, loss, prior_term, log_det_term, rate, norm, min(1.0, CLIP_NORM / max(norm, 1e-12)), norms,
        path, _numpy(before), _numpy(after),
    )  # fmt: skip


def _groups(trainer: ToyTrainer) -> list[list]:
    """The layers, so many together as make one of the toy lab's layers; what is left over goes with the last."""
    layers = list(trainer.flow.layers)
    depth = min(getattr(trainer.config, "stages", trainer.config.depth), len(layers))
    size = len(layers) // depth
    groups = [layers[start * size : (start + 1) * size] for start in range(depth)]
    groups[-1] += layers[depth * size :]
    return groups


def _path(trainer: ToyTrainer, x: Tensor, z: Tensor) -> np.ndarray:
    states, h = [x], x
    for group in _groups(trainer):
        for layer in group:
            h, _ = layer.encode(h)
        states.append(h)
    return _numpy(torch.stack([*states[:-1], z]))  # a learned prior's own whitening goes with the last


def _norms(trainer: ToyTrainer) -> np.ndarray:
    norms = []
    for group in _groups(trainer):
        gradients = [parameter.grad for layer in group for parameter in layer.parameters() if parameter.grad is not None]
        norms.append(float(torch.sqrt(sum((on_host(g).square().sum() for g in gradients), torch.zeros((), dtype=torch.float64)))))
    return np.asarray(norms, np.float32)


def _numpy(values: Tensor) -> np.ndarray:
    return values.detach().to("cpu", torch.float32).contiguous().numpy()
