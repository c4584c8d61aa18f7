"""A coupling layer on four numbers: two are copied, two are scaled and shifted by what the copied two say.

The network is a small fixed one, so that a person always meets the same layer: nothing here is learned.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["BOUND", "LAYERS", "NETWORKS", "Passed", "couple", "passes", "stack"]

BOUND = 1.0
"""log β lies between ± so much, as in flowcore's own layers."""

# A hidden layer of three tanh units, then log β (two, before the bound) and γ (two). One network for each layer.
NETWORKS = (
    {
        "hidden": np.array([[1.1, -0.6], [0.5, 0.9], [-0.8, 0.7]]), "hidden_bias": np.array([0.1, -0.2, 0.3]),
        "last": np.array([[0.8, 0.3, -0.5], [-0.4, 0.9, 0.2], [0.9, -0.7, 0.4], [0.2, 0.8, -0.9]]),
        "last_bias": np.array([0.1, -0.1, 0.2, 0.0]),
    },
    {
        "hidden": np.array([[-0.7, 0.9], [1.0, 0.4], [0.3, -1.1]]), "hidden_bias": np.array([0.0, 0.2, -0.1]),
        "last": np.array([[-0.6, 0.7, 0.4], [0.8, 0.2, -0.7], [0.5, 0.9, -0.3], [-0.8, 0.4, 0.6]]),
        "last_bias": np.array([0.0, 0.15, -0.1, 0.1]),
    },
)  # fmt: skip

LAYERS = {"one": (False,), "same": (False, False), "swap": (False, True)}
"""The stacks of the figure: for each layer whether it copies the second half (and transforms the first)."""


@dataclass(frozen=True)
class Passed:
    """One coupling layer at one point: what went in and came out, β and γ, and the Jacobian ∂z/∂x, row by row (4, 4).

    ``copied`` and ``changed`` are the indices of the two halves; β and γ belong to ``changed`` in order.
    """

    x: np.ndarray
    z: np.ndarray
    copied: tuple[int, int]
    changed: tuple[int, int]
    beta: np.ndarray
    gamma: np.ndarray
    jacobian: np.ndarray

    @property
    def diagonal(self) -> np.ndarray:
        """The Jacobian's diagonal: 1 where copied, β where changed."""
        return np.diagonal(self.jacobian)

    @property
    def det(self) -> float:
        """The product of the diagonal, since the Jacobian is triangular (copied half first)."""
        return float(self.diagonal.prod())

    @property
    def log_det(self) -> float:
        """Σ log β in nats."""
        return float(np.log(self.beta).sum())


def couple(x: ArrayLike, layer: int = 0, flip: bool = False) -> Passed:
    """Encode four numbers by a layer with the network ``layer``; ``flip`` copies the second half."""
    x = np.asarray(x, float)
    copied, changed = ((2, 3), (0, 1)) if flip else ((0, 1), (2, 3))
    net = NETWORKS[layer]
    kept = x[list(copied)]
    hidden = np.tanh(net["hidden"] @ kept + net["hidden_bias"])
    hidden_slope = (1 - hidden**2)[:, None] * net["hidden"]  # (3, 2), by the kept numbers
    raw = net["last"] @ hidden + net["last_bias"]
    raw_slope = net["last"] @ hidden_slope  # (4, 2)
    bounded = np.tanh(raw[:2] / BOUND)
    beta, gamma = np.exp(BOUND * bounded), raw[2:]
    z = x.copy()
    z[list(changed)] = x[list(changed)] * beta + gamma
    # ∂z_i/∂kept: the product rule on x_i β_i + γ_i.
    log_beta_slope = (1 - bounded**2)[:, None] * raw_slope[:2]
    below = (x[list(changed)] * beta)[:, None] * log_beta_slope + raw_slope[2:]
    jacobian = np.eye(4)
    jacobian[np.ix_(changed, copied)] = below
    jacobian[changed, changed] = beta
    return Passed(x, z, copied, changed, beta, gamma, jacobian)


def passes(x: ArrayLike, layers: str) -> list[Passed]:
    """The layers of a stack ("one", "same" or "swap") one after another, from x to z."""
    found, here = [], np.asarray(x, float)
    for index, flip in enumerate(LAYERS[layers]):
        found.append(couple(here, index, flip))
        here = found[-1].z
    return found


def stack(steps: Sequence[Passed]) -> tuple[np.ndarray, float]:
    """The Jacobian of all layers together, (4, 4), and log |det| as the sum of the layers' own."""
    jacobian = np.eye(4)
    for step in steps:
        jacobian = step.jacobian @ jacobian
    return jacobian, sum(step.log_det for step in steps)
