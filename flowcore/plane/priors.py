"""Priors of the plane: beside the standard ones a mixture of Gaussians and a ring, each exactly measured and drawn."""
from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ..bijections.base import soft_clamp_inverse
from ..devices import on_host
from ..errors import ConfigError
from ..model.priors import LearnedPrior, MixturePrior, StandardPrior, standard_draw
from .prior_shapes import MIXTURE_SPREAD, PLANE_PRIORS, RING_RADIUS, RING_WIDTH, mixture_width

__all__ = ["PLANE_PRIORS", "RingPrior", "draw_points", "moves", "plane_prior", "replace_noise", "start_noise"]

_LOG_2PI = math.log(2 * math.pi)
_TINY = 1e-24
"""Under a root, so that its slope is 0 and not NaN in the very middle of the ring."""


class RingPrior(StandardPrior):
    """A circle of ``radius``, blurred by a round Gaussian of standard deviation ``width``. Nothing is learned.

    Rice's density spread over all angles: π(z) = exp(−(ρ² + r²)/2s²) · I₀(ρr/s²) / (2πs²), ρ = |z|. Temperature scales the
    distance from the circle: at 0 every draw lies on it.
    """

    def __init__(self, radius: float = RING_RADIUS, width: float = RING_WIDTH) -> None:
        super().__init__((2,), "gaussian")
        if not (math.isfinite(radius) and math.isfinite(width) and radius > 0 and width > 0):
            raise ConfigError(f"A ring has a radius and a width above 0, not {radius} and {width}.")
        self.radius, self.width = radius, width

    def log_prob(self, z: Tensor) -> Tensor:
        rho = torch.sqrt(z.square().sum(1) + _TINY)
        # i0e(a) = I₀(a)·exp(−a): with the −a taken into the square, nothing overflows however far out z is.
        bessel = torch.log(torch.special.i0e(rho * (self.radius / self.width**2)))
        return bessel - 0.5 * ((rho - self.radius) / self.width).square() - (_LOG_2PI + 2 * math.log(self.width))

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        return draw_points(self, rng, 1)[0]

    def draw_many(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return draw_points(self, rng, count)

    def temper(self, z: Tensor, temperature: float) -> Tensor:
        if temperature == 1.0:
            return z
        rho = torch.sqrt(z.square().sum(1, keepdim=True) + _TINY)
        # The middle has no nearest point of the circle: any will do there.
        nearest = torch.where(rho > 1e-6, z / rho, z.new_tensor([1.0, 0.0])) * self.radius
        return nearest + temperature * (z - nearest)

    def extra_repr(self) -> str:
        return f"radius={self.radius}, width={self.width}"


def plane_prior(kind: str, components: int = 8, learned: bool = False) -> StandardPrior:
    """A prior of the plane: 'gaussian', 'logistic', 'mixture' (of ``components`` round Gaussians on a circle) or 'ring'.

    ``learned``: the Gaussian's or the logistic's location and scale, or the mixture's centres, widths and weights, are
    trained with the flow. A ring is never learned.

    Raises:
        ConfigError: for another kind, or a number of components out of range.
    """
    if kind in ("gaussian", "logistic"):
        return LearnedPrior((2,), kind) if learned else StandardPrior((2,), kind)
    if kind == "ring":
        return RingPrior()
    if kind != "mixture":
        raise ConfigError(f"A prior of the plane is one of {', '.join(PLANE_PRIORS)}, not {kind!r}.")
    prior = MixturePrior((2,), components, MIXTURE_SPREAD if components > 1 else 0.0)
    with torch.no_grad():
        width = torch.full_like(prior.raw_log_scale, mixture_width(components)).log()
        prior.raw_log_scale.copy_(soft_clamp_inverse(width, prior.bound))
    return prior.requires_grad_(learned)


def moves(prior: StandardPrior) -> bool:
    """Whether training moves the very density of z (a learned mixture), so that a draw of z is one of a moment only."""
    return isinstance(prior, MixturePrior) and any(parameter.requires_grad for parameter in prior.parameters())


def start_noise(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """What decides ``count`` draws of a mixture whatever its parameters: (count,) uniform and (count, 2) Gaussian numbers."""
    return rng.random(count), rng.standard_normal((count, 2))


@torch.no_grad()
def replace_noise(prior: MixturePrior, noise: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The draws of a mixture of the plane that :func:`start_noise` decides: (count, 2) float32. They follow its parameters."""
    uniform, normal = noise
    weights = torch.softmax(on_host(prior.weight_logits), 0).numpy()
    chosen = np.searchsorted(np.cumsum(weights)[:-1], uniform, side="right")
    location = on_host(prior.location).numpy()
    scale = on_host(prior.log_scale).exp().numpy()
    return (location[chosen] + scale[chosen] * normal).astype(np.float32)


def draw_points(prior: StandardPrior, rng: np.random.Generator, count: int) -> np.ndarray:
    """``count`` independent whitened z of a prior of the plane at once: (count, 2) float32."""
    if isinstance(prior, MixturePrior):
        return replace_noise(prior, start_noise(rng, count))
    if isinstance(prior, RingPrior):
        angle = rng.uniform(0, 2 * math.pi, count)
        circle = prior.radius * np.column_stack([np.cos(angle), np.sin(angle)])
        return (circle + prior.width * rng.standard_normal((count, 2))).astype(np.float32)
    return standard_draw(rng, 2 * count, prior.kind).reshape(count, 2)
