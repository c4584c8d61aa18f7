"""Any picture of pile A as its counterpart in pile B, and back: encode, change what must change, decode.

Three ways to say what must change: an affine map of z (:mod:`flowcore.transport`), the class of a conditional flow, and a second
flow that shares the first one's prior. Each is a bijection of pictures, since a flow is one in both directions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from .codec import double_of, from_pixels, label_tensor, to_pixels
from .errors import ConfigError, NonFiniteError
from .fast import accelerate
from .flow import Flow
from .labels import Label, between
from .transport import AffineMap

__all__ = ["ByClass", "ByMap", "ByPair", "Translated", "Translation", "encode_pile", "translate"]

CYCLE_BOUND = 1e-3
"""Share of the range by which a picture may differ after A → B → A in float32; where it is more, float64 is taken."""


class Translation(Protocol):
    """x (N, C, H, W) in pixel units, floats, at a strength: 0 leaves a picture as it is, 1 is the whole way."""

    def there(self, x: Tensor, strength: float) -> Tensor:
        """A's picture as B's."""

    def back(self, y: Tensor, strength: float) -> Tensor:
        """What :meth:`there` made ``y`` of."""


@dataclass(frozen=True)
class ByMap:
    """z is moved by an affine map. A conditional flow's pictures are taken under ``label``."""

    flow: Flow
    change: AffineMap
    label: Label = ()

    def there(self, x: Tensor, strength: float) -> Tensor:
        return self._through(x, lambda z: self.change.apply(z, strength))

    def back(self, y: Tensor, strength: float) -> Tensor:
        return self._through(y, lambda z: self.change.invert(z, strength))

    def _through(self, x: Tensor, change: Callable[[np.ndarray], np.ndarray]) -> Tensor:
        model = _like(self.flow, x)
        label = _labels(model, self.label, len(x))
        z = accelerate(model).encode(x, label)[0]
        moved = torch.from_numpy(change(z.double().cpu().numpy())).to(z.device, z.dtype)
        return accelerate(model).decode(moved, label)


@dataclass(frozen=True)
class ByClass:
    """Encoded under one class of a conditional flow, decoded under another; between them at a strength below 1."""

    flow: Flow
    a: Label
    b: Label

    def there(self, x: Tensor, strength: float) -> Tensor:
        return self._through(x, self.a, between(self.a, self.b, strength))

    def back(self, y: Tensor, strength: float) -> Tensor:
        return self._through(y, between(self.a, self.b, strength), self.a)

    def _through(self, x: Tensor, under: Label, as_if: Label) -> Tensor:
        model = _like(self.flow, x)
        z = accelerate(model).encode(x, _labels(model, under, len(x)))[0]
        return accelerate(model).decode(z, _labels(model, as_if, len(x)))


@dataclass(frozen=True)
class ByPair:
    """Encoded by pile A's flow, decoded by pile B's. There is no way in between: its strength is 1.

    Raises:
        ConfigError: for flows whose z is not of the same shape, level by level, or for another strength.
    """

    flow_a: Flow
    flow_b: Flow

    def __post_init__(self) -> None:
        if [level.shape for level in self.flow_a.levels] != [level.shape for level in self.flow_b.levels]:
            raise ConfigError("The two flows of a pair must share one prior: their z has levels of different shapes.")

    def there(self, x: Tensor, strength: float) -> Tensor:
        return self._through(x, self.flow_a, self.flow_b, strength)

    def back(self, y: Tensor, strength: float) -> Tensor:
        return self._through(y, self.flow_b, self.flow_a, strength)

    @staticmethod
    def _through(x: Tensor, first: Flow, second: Flow, strength: float) -> Tensor:
        if strength != 1.0:
            raise ConfigError(f"Between the two flows of a pair there is no way: the strength is 1, not {strength:g}.")
        return accelerate(_like(second, x)).decode(accelerate(_like(first, x)).encode(x)[0])


def _like(flow: Flow, x: Tensor) -> Flow:
    return double_of(flow) if x.dtype == torch.float64 else flow


def _labels(flow: Flow, label: Label, count: int) -> Tensor | None:
    return label_tensor(flow, [label] * count) if flow.num_classes else None


@dataclass(frozen=True)
class Translated:
    """A picture's counterpart, with the proof that it is one."""

    picture: np.ndarray
    """uint8 (H, W, C)."""
    cycle_error: float
    """Largest difference after A → B → A in floating point, as a share of the range of 256 levels."""
    precise: bool
    """Whether float32 was not enough, so that float64 was taken."""


@torch.no_grad()
def encode_pile(
    flow: Flow, pictures: np.ndarray, label: Label = (), batch: int = 64, on_progress: Callable[[int, int], None] | None = None
) -> np.ndarray:
    """uint8 (N, H, W, C) -> z (N, D) float32 at the bin centres, for maps between piles.

    Raises:
        NonFiniteError: where a picture has no finite z.
    """
    rows = []
    for start in range(0, len(pictures), batch):
        x = to_pixels(pictures[start : start + batch], flow)
        rows.append(accelerate(flow).encode(x, _labels(flow, label, len(x)))[0].float().cpu().numpy())
        if on_progress is not None:
            on_progress(start + len(x), len(pictures))
    return np.concatenate(rows) if rows else np.zeros((0, flow.num_dims), np.float32)


@torch.no_grad()
def translate(flow: Flow, way: Translation, picture: np.ndarray, strength: float = 1.0) -> Translated:
    """One picture uint8 (H, W, C), as ``flow`` sees it, taken there and, to prove it, back again.

    Raises:
        NonFiniteError: if it cannot be followed in float64 either.
    """
    result = None
    for model in (flow, double_of(flow)):
        x = to_pixels(picture[None], model)
        try:
            y = way.there(x, strength)
            error = (way.back(y, strength) - x).abs().max().item() / 256
        except NonFiniteError:
            if model.dtype == torch.float64:
                raise
            continue
        if result is None or error < result.cycle_error:
            result = Translated(from_pixels(y)[0], error, model.dtype == torch.float64)
        if result.cycle_error <= CYCLE_BOUND:
            break
    return result
