"""The feature network: learns a data set's attributes or classes, from training pictures, and is then asked for what it sees."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from flowcore.atomic import replacing

from .networks import batches, floats, mirrored, trunk, trunk_outputs

__all__ = ["FEATURES", "FeatureNetwork", "Recipe", "accuracy", "trained"]

FEATURES = 64
"""Numbers of the penultimate layer: few enough that a thousand pictures tell their covariance well."""


@dataclass(frozen=True)
class Recipe:
    """How a network learns. What is kept of one is not taken for another's."""

    epochs: int = 12
    learning_rate: float = 2e-3
    flip: bool = False
    seed: int = 0
    version: int = 1


class FeatureNetwork(nn.Module):
    """Convolutions, ``FEATURES`` numbers of mean 0 and variance 1 on training pictures, and from them the answers, linearly.

    Args:
        shape: of the pictures, (H, W, C).
        answers: how many attributes or classes there are.
    """

    def __init__(self, shape: tuple[int, ...], answers: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            trunk(shape), nn.Dropout(0.2), nn.Linear(trunk_outputs(shape), FEATURES, bias=False),
            nn.BatchNorm1d(FEATURES, affine=False),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, answers)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.dropout(self.body(x), 0.2, self.training))

    @torch.no_grad()
    def features(self, pictures: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, C) -> float64 (N, FEATURES)."""
        self.eval()
        return torch.cat([self.body(floats(pictures[at : at + 256])) for at in range(0, len(pictures), 256)]).double().numpy()

    @torch.no_grad()
    def answers(self, pictures: np.ndarray) -> np.ndarray:
        """Logits (N, answers) of uint8 (N, H, W, C)."""
        self.eval()
        return torch.cat([self(floats(pictures[at : at + 256])) for at in range(0, len(pictures), 256)]).numpy()


def accuracy(network: FeatureNetwork, pictures: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Which share it gets right, and which share always giving the commonest answer would.

    ``targets`` are classes (N,), or whether each attribute is there (N, A), the share then being the mean over attributes.
    """
    logits = network.answers(pictures)
    if targets.ndim == 1:
        return float((logits.argmax(1) == targets).mean()), float(np.bincount(targets).max() / len(targets))
    share = targets.mean(0)
    return float(((logits > 0) == targets).mean()), float(np.maximum(share, 1 - share).mean())


def trained(
    pictures: np.ndarray, targets: np.ndarray, answers: int, recipe: Recipe, cache: Path | None = None,
    tell: Callable[[str], None] = lambda words: None,
) -> FeatureNetwork:  # fmt: skip
    """The network of these pictures uint8 (N, H, W, C) and targets, taken from the folder ``cache`` where it is there."""
    torch.manual_seed(recipe.seed)
    network = FeatureNetwork(pictures.shape[1:], answers)
    kept = None if cache is None else cache / f"features-{_fingerprint(pictures, targets, recipe)}.safetensors"
    if kept is not None and kept.is_file():
        try:
            network.load_state_dict(load_file(kept))
            return network.eval()
        except (SafetensorError, RuntimeError) as error:
            tell(f"{kept} cannot be used ({error}), so the network is trained again")
    _train(network, pictures, targets, recipe, tell)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with replacing(kept) as temporary:
            save_file(network.state_dict(), temporary)
    return network.eval()


def _train(
    network: FeatureNetwork, pictures: np.ndarray, targets: np.ndarray, recipe: Recipe, tell: Callable[[str], None]
) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=0.01)
    rng = np.random.default_rng(recipe.seed)
    steps = recipe.epochs * len(batches(rng, len(pictures)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, total_steps=steps)
    known = torch.from_numpy(targets)
    for epoch in range(recipe.epochs):
        network.train()
        losses = []
        for rows in batches(rng, len(pictures)):
            x = floats(pictures[rows])
            logits = network(mirrored(x) if recipe.flip else x)
            wanted = known[torch.from_numpy(rows)]
            if targets.ndim == 1:
                loss = F.cross_entropy(logits, wanted)
            else:
                loss = F.binary_cross_entropy_with_logits(logits, wanted.float())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        tell(f"feature network, epoch {epoch + 1} of {recipe.epochs}: loss {np.mean(losses):.4f}")


def _fingerprint(pictures: np.ndarray, targets: np.ndarray, recipe: Recipe) -> str:
    """Of all that decides what the network becomes."""
    digest = hashlib.sha256(json.dumps([asdict(recipe), pictures.shape, targets.shape, FEATURES]).encode())
    for array in (pictures, targets):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
