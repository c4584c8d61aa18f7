"""How a toy run trains and shows a continuous flow: by flow matching, and by as many steps as a picture needs."""
from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..fast.points.continuous import ContinuousPasses, MatchingLearner
from ..fast.points.flat import FlatParameters
from ..model.passes import SteppedPasses
from .continuous import STEPS, ContinuousFlow
from .priors import draw_points

__all__ = ["MEASURED_STEPS", "SHOWN_STEPS", "Matching", "passes", "piece"]

SHOWN_STEPS = 4
"""Of a frame: 95 sample points of 100 are within a few hundredths of their places then, √p within two grey levels on average."""
MEASURED_STEPS = 12
"""Of the held-out losses of a curve and of the density at rest: a mean log-density is within 3e-3 nat then. A card's figures
are measured by the flow's own steps."""
_NOISE_KEY = 3


def passes(flow: ContinuousFlow, flat: FlatParameters, fast: bool) -> tuple[SteppedPasses, SteppedPasses, SteppedPasses]:
    """What shows the flow, what measures it, and what is exact to its tolerance."""
    if not fast:
        return flow, flow, flow
    shown, measured, exact = (ContinuousPasses(flow, flat, steps) for steps in (SHOWN_STEPS, MEASURED_STEPS, STEPS))
    return shown, measured, exact


def piece(width: int) -> int:
    """How many points' densities are measured between two yields: about 10 ms of work."""
    return max(64, min(1024, 2**15 // width))


class Matching:
    """The loss of flow matching of a run's step. Noise and times are decided by (seed, step, batch size) alone."""

    def __init__(self, flow: ContinuousFlow, flat: FlatParameters, fast: bool) -> None:
        self.flow, self.flat = flow, flat
        self._learner = MatchingLearner(flow, flat) if fast else None

    def loss_and_gradients(self, x: Tensor, seed: int, step: int) -> float:
        """The loss on data x (N, 2); its gradient is left in the flat vector."""
        noise, t = self.draw(x, seed, step)
        if self._learner is not None:
            return self._learner.loss_and_gradients(x, noise, t)
        self.flat.clear_gradient()
        loss = self.flow.matching_loss(x, noise, t)
        loss.backward()
        return loss.item()

    def draw(self, x: Tensor, seed: int, step: int) -> tuple[Tensor, Tensor]:
        """Noise (N, 2) of the prior and times (N, 1) of density 2t, one in each of N parts of equal mass, which calms the loss.

        Which times are drawn does not change the best field. Late ones are where the narrow parts of the data take shape:
        drawn evenly, they left a gap a quarter larger on two moons and the checkerboard.
        """
        rng = np.random.default_rng([seed, _NOISE_KEY, step, len(x)])
        noise = draw_points(self.flow.prior, rng, len(x))
        t = np.sqrt((np.arange(len(x)) + rng.random(len(x))) / len(x)).astype(np.float32)[:, None]
        return torch.from_numpy(noise).to(x.device), torch.from_numpy(t).to(x.device)

    def solver(self, flow: ContinuousFlow, x: Tensor) -> dict:
        """What a card tells of how ``flow`` is integrated, and how far log p of points x (N, 2) is from a finer integral."""
        return {"method": "Runge-Kutta 4", "steps": STEPS, "log_prob_error": flow.log_prob_error(x)}
