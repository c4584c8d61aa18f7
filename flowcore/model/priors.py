"""What z is measured against.

A prior whitens the last features of a flow (``whiten``/``unwhiten``, with a log-det, like a bijection) and gives the
density of the whitened z (``log_prob``). Location-scale priors whiten fully, so that temperature is a plain factor; a
mixture leaves z as it is, and temperature scales the widths of its components.
"""
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..bijections.base import soft_clamp, sum_per_sample
from ..devices import on_host
from ..errors import ConfigError

__all__ = [
    "LearnedPrior",
    "MixturePrior",
    "StandardPrior",
    "make_prior",
    "prior_names",
    "register_prior",
    "standard_draw",
    "standard_log_prob",
]  # fmt: skip

_LOG_2PI = math.log(2 * math.pi)


def standard_log_prob(z: Tensor, kind: str) -> Tensor:
    """Elementwise log-density of the standard Gaussian or the standard logistic, same shape as ``z``."""
    if kind == "gaussian":
        return -0.5 * (z.square() + _LOG_2PI)
    return -F.softplus(z) - F.softplus(-z)


def standard_draw(rng: np.random.Generator, count: int, kind: str) -> np.ndarray:
    """``count`` independent draws, float32."""
    if kind == "gaussian":
        return rng.standard_normal(count, dtype=np.float32)
    u = rng.random(count).clip(1e-12, 1 - 1e-12)
    return (np.log(u) - np.log1p(-u)).astype(np.float32)


class StandardPrior(nn.Module):
    """Independent standard Gaussians or logistics (NICE section 3.4). Nothing is learned."""

    def __init__(self, shape: tuple[int, ...], kind: str = "gaussian") -> None:
        super().__init__()
        if kind not in ("gaussian", "logistic"):
            raise ConfigError(f"A prior is 'gaussian' or 'logistic', not {kind!r}.")
        self.shape, self.kind = tuple(shape), kind
        self.num_dims = math.prod(shape)

    def whiten(self, h: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """h (N, *shape) -> z (N, *shape), log_det (N,)."""
        return h, h.new_zeros(h.shape[0])

    def unwhiten(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return z

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density of whitened z (N, *shape) -> (N,), nats."""
        return sum_per_sample(standard_log_prob(z, self.kind))

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One whitened z, flat, float32, from a numpy generator: the same on every device."""
        return standard_draw(rng, self.num_dims, self.kind)

    def draw_many(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """``count`` whitened z at once, (count, D) float32: not the numbers of as many calls of :meth:`draw`."""
        if type(self).draw is StandardPrior.draw:
            return standard_draw(rng, count * self.num_dims, self.kind).reshape(count, self.num_dims)
        return np.stack([self.draw(rng) for _ in range(count)]) if count else np.zeros((0, self.num_dims), np.float32)

    def temper(self, z: Tensor, temperature: float) -> Tensor:
        """The same z at another temperature."""
        return z * temperature

    def extra_repr(self) -> str:
        return f"shape={self.shape}, kind={self.kind!r}"


class LearnedPrior(StandardPrior):
    """Location and scale learned a channel, and a class where ``classes`` > 0 (Glow's learned prior at the top).

    With ``places`` they are learned for every place of a channel too: what stands where in aligned pictures, such as faces,
    or in a class's, is then the prior's to say. ``label`` is required where there are classes: int64 (N,), or floats
    (N, classes) that weigh the classes, for a place between them, where location and log-scale are their weighted means.
    The log-scale is softly bounded to ±``bound``.
    """

    def __init__(
        self, shape: tuple[int, ...], kind: str = "gaussian", classes: int = 0, bound: float = 2.0, places: bool = False
    ) -> None:
        super().__init__(shape, kind)
        self.classes, self.bound, self.places = classes, bound, places
        own = (max(classes, 1), *(self.shape if places else self.shape[:1]))
        self.location = nn.Parameter(torch.zeros(own))
        self.raw_log_scale = nn.Parameter(torch.zeros(own))

    def _parameters_for(self, h: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        if not self.classes:
            label = torch.zeros(h.shape[0], dtype=torch.long, device=h.device)
        elif label is None:
            raise ConfigError(f"This model is conditional: give a class from 0 to {self.classes - 1}.")
        view = h.shape if self.places else (h.shape[0], -1) + (1,) * (h.dim() - 2)
        log_scale = soft_clamp(self.raw_log_scale, self.bound)
        if label.is_floating_point():
            # Summed one by one, so that a weight of 1 gives that class's own numbers to the last bit.
            weights = label.to(self.location.dtype).view(*label.shape, *(1,) * (self.location.dim() - 1))
            return (weights * self.location).sum(1).view(view), (weights * log_scale).sum(1).view(view)
        return self.location[label].view(view), log_scale[label].view(view)

    def whiten(self, h: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        location, log_scale = self._parameters_for(h, label)
        return (h - location) * (-log_scale).exp(), -sum_per_sample(log_scale.expand_as(h))

    def unwhiten(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        location, log_scale = self._parameters_for(z, label)
        return z * log_scale.exp() + location

    def extra_repr(self) -> str:
        return super().extra_repr() + f", classes={self.classes}" + (", places=True" if self.places else "")


class MixturePrior(StandardPrior):
    """At every place a mixture of ``components`` diagonal Gaussians over the channels: π(h) = Π_ij Σ_k w_k N(h_ij; μ_k, σ_k).

    Not a location-scale family, so z is h itself. At temperature T a draw keeps its component and its distance from that
    component's mean is scaled by T; a given z is taken to belong to its likeliest component.
    """

    def __init__(self, shape: tuple[int, ...], components: int = 8, spread: float = 2.0, bound: float = 3.0) -> None:
        super().__init__(shape, "gaussian")
        if components < 1:
            raise ConfigError(f"A mixture needs at least one component, not {components}.")
        channels = shape[0]
        self.components, self.bound = components, bound
        self.weight_logits = nn.Parameter(torch.zeros(components))
        angles = torch.arange(components) * (2 * math.pi / components)
        location = torch.zeros(components, channels)
        location[:, 0] = spread * torch.cos(angles)
        if channels > 1:
            location[:, 1] = spread * torch.sin(angles)
        self.location = nn.Parameter(location)
        self.raw_log_scale = nn.Parameter(torch.full((components, channels), -0.5))

    @property
    def log_scale(self) -> Tensor:
        """Of every component in every channel: (components, channels)."""
        return soft_clamp(self.raw_log_scale, self.bound)

    def _component_log_prob(self, z: Tensor) -> Tensor:
        """(N, C, *) -> (N, components, places): log w_k + log N(z; μ_k, σ_k)."""
        z = z.flatten(2) if z.dim() > 2 else z.unsqueeze(2)
        log_scale = soft_clamp(self.raw_log_scale, self.bound)
        standard = (z.unsqueeze(1) - self.location[None, :, :, None]) * (-log_scale).exp()[None, :, :, None]
        density = (standard_log_prob(standard, "gaussian") - log_scale[None, :, :, None]).sum(2)
        return density + torch.log_softmax(self.weight_logits, 0)[None, :, None]

    def log_prob(self, z: Tensor) -> Tensor:
        return torch.logsumexp(self._component_log_prob(z), 1).sum(1)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        return self.draw_many(rng, 1)[0]

    @torch.no_grad()
    def draw_many(self, rng: np.random.Generator, count: int) -> np.ndarray:
        channels, places = self.shape[0], math.prod(self.shape[1:])
        weights = torch.softmax(on_host(self.weight_logits), 0).numpy()
        chosen = rng.choice(self.components, size=(count, places), p=weights / weights.sum())
        location = on_host(self.location).numpy()[chosen].swapaxes(1, 2)
        scale = on_host(self.log_scale).exp().numpy()[chosen].swapaxes(1, 2)
        drawn = location + scale * rng.standard_normal((count, channels, places))
        return drawn.astype(np.float32).reshape(count, self.num_dims)

    @torch.no_grad()
    def temper(self, z: Tensor, temperature: float) -> Tensor:
        if temperature == 1.0:
            return z
        centre = self.location[self._component_log_prob(z).argmax(1)]
        centre = centre.movedim(2, 1).reshape(z.shape)
        return centre + temperature * (z - centre)

    def extra_repr(self) -> str:
        return f"shape={self.shape}, components={self.components}"


_priors: dict[str, Callable[[tuple[int, ...]], StandardPrior]] = {}


def register_prior(name: str, make: Callable[[tuple[int, ...]], StandardPrior]) -> None:
    """Let every system of pictures and points take a prior of your own: ``make(shape)``, a StandardPrior or derived from it."""
    _priors[name] = make


register_prior("mixture", MixturePrior)


def prior_names() -> tuple[str, ...]:
    """What :func:`make_prior` makes."""
    return ("gaussian", "logistic", *_priors)


def make_prior(
    kind: str, shape: tuple[int, ...], classes: int = 0, learned: bool = True, places: bool = False
) -> StandardPrior:
    """'gaussian', 'logistic' (learned location and scale, by class where ``classes``), 'mixture', or a registered one."""
    if kind in _priors:
        if classes:
            raise ConfigError(f"A {kind} prior cannot be conditional on a class as well; use 'gaussian' for that.")
        return _priors[kind](shape)
    if learned or classes:
        return LearnedPrior(shape, kind, classes, places=places)
    return StandardPrior(shape, kind)
