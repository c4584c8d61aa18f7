"""A picture through a flow layer by layer: what is left of it after each, and what each adds to its likelihood.

log p(x) = Σ log |det ∂h_i/∂h_(i−1)| + Σ log π(eps of a level): every term apart, in float64, so that the sum can be checked.
"""
from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..bijections import Equalise, Flatten, Logit, Rescale, Squeeze, VariationalDequantisation
from ..devices import on_host
from ..errors import ConfigError, NonFiniteError
from ..model.codec import double_of, to_pixels
from ..model.flow import Flow
from ..model.priors import standard_log_prob
from ..work import finish
from .layout import LatentLayout

__all__ = ["Layer", "LayerTrace", "Stage", "decode_stages", "encode_stages", "largest_difference", "layer_trace", "outline"]

FIRST = ("dequantise", "equalise", "rescale", "logit", "flatten")
"""What stands before the first level."""
APART = ("squeeze", "haar", "split", "diagonal")
"""Layers that belong to a level, but to none of its steps."""
CUT = 0.5
"""Percent of a stage's values at either end that may be shown as black or white."""


@dataclass(frozen=True)
class Layer:
    """One layer's place in the whole."""

    kind: str
    """"pixels" for the picture itself, "prior" for the last whitening, else the layer's own ``kind``."""
    name: str
    """As the flow's own errors call it."""
    level: int
    """From 1, the finest; 0 before the first level."""
    step: int
    """Within its level, from 1: Glow's actnorm, 1×1 convolution and coupling are one step. 0 for what is in none."""


@dataclass(frozen=True, eq=False)
class Stage:
    """What is left after a layer, as a picture."""

    index: int
    """In `outline`; 0 are the pixels themselves."""
    values: np.ndarray
    """float64 (H, W, C): every number of the features, and of the eps that have left already, at its place."""
    low: float
    high: float
    """The values that are shown black and white: fixed while they are still grey levels, then nearly all of them."""
    log_det: float | None
    """Of this layer alone, nats; None on the way back, which has none."""

    @property
    def picture(self) -> np.ndarray:
        """For the eye: uint8 (H, W, C), values beyond ``low`` and ``high`` cut off."""
        scaled = (self.values - self.low) * (256.0 / (self.high - self.low))
        return np.clip(np.floor(scaled), 0, 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """What a picture's likelihood is made of."""

    log_dets: np.ndarray
    """(stages,) float64, nats: one a layer of `outline`, 0 for the pixels."""
    prior_terms: np.ndarray
    """(levels,) float64, nats: log π of each level's eps, finest first."""
    z: np.ndarray
    """(D,) float64, whitened."""

    @property
    def log_prob(self) -> float:
        """log p(x), nats: the sum of all terms."""
        return math.fsum([*self.log_dets, *self.prior_terms])

    @property
    def bpd(self) -> float:
        """The same in bits per dimension."""
        return -self.log_prob / (self.z.size * math.log(2))


def outline(flow: Flow) -> list[Layer]:
    """The stages of a flow by name: the pixels, then one a layer, then the prior's whitening."""
    found = [Layer("pixels", "pixels", 0, 0)]
    level, step, seen = 0, 0, set()
    for name, layer in flow.named_layers():
        kind = layer.kind
        if level == 0 and kind not in FIRST:
            level = 1
        apart = kind in APART or kind in FIRST
        if apart:
            seen = set()
        elif not seen or kind in seen:
            step, seen = step + 1, {kind}
        else:
            seen.add(kind)
        found.append(Layer(kind, name, level, 0 if apart else step))
        if kind == "split":
            level, step, seen = level + 1, 0, set()
    found.append(Layer("prior", "prior", max(level, 1), 0))
    return found


class _Painter:
    """Makes stages of a flow's features."""

    def __init__(self, flow: Flow) -> None:
        self._layout = LatentLayout(flow)
        self._ranges: list[tuple[float, float] | None] = [(0.0, 256.0)]
        for layer in flow.layers:
            before = self._ranges[-1]
            if before is not None and isinstance(layer, (Rescale, Logit)):
                ends = layer.encode(torch.tensor([before], dtype=torch.float64, device=flow.device))[0][0].tolist()
                self._ranges.append((ends[0], ends[1]))
            elif isinstance(layer, (VariationalDequantisation, Equalise, Squeeze, Flatten)):
                self._ranges.append(before)
            else:
                self._ranges.append(None)
        self._ranges.append(None)

    def stage(self, index: int, name: str, h: Tensor, factored: Sequence[Tensor], log_det: Tensor | None, act: str) -> Stage:
        if not torch.isfinite(h).all() or (log_det is not None and not torch.isfinite(log_det).all()):
            raise NonFiniteError(f"While {act}, layer '{name}' gave a value that is not finite.", name)
        values = self._layout.arrange(h, factored, index)[0].permute(1, 2, 0)
        values = on_host(values).numpy()
        fixed = self._ranges[index]
        low, high = fixed if fixed is not None else np.percentile(values, (CUT, 100 - CUT)).tolist()
        if high - low < 1e-9 * max(1.0, abs(low), abs(high)):  # a picture of one value is grey, neither black nor white
            low, high = low - 0.5, high + 0.5
        return Stage(index, np.ascontiguousarray(values), low, high, None if log_det is None else log_det.item())


@torch.no_grad()
def encode_stages(flow: Flow, picture: np.ndarray, label: Tensor | None = None) -> Generator[Stage, None, LayerTrace]:
    """A picture on its way to z, layer by layer: yields a :class:`Stage` for each of `outline`, returns the :class:`LayerTrace`.

    ``picture`` is 8-bit (H, W, C), taken at its bin centres as everywhere, or float64 (H, W, C) in pixel units: a decoded
    picture before it is rounded. All is computed in float64, whatever the flow's own precision.

    Raises:
        ConfigError: if the picture is not of the flow's size.
        NonFiniteError: naming the layer, if a value is not finite.
    """
    model = double_of(flow)
    painter, layers = _Painter(model), outline(model)
    label = None if label is None else label.to(model.device)
    x = _values(picture, model)
    yield painter.stage(0, layers[0].name, x, [], x.new_zeros(1), "encoding")
    log_dets = [0.0]
    for number, step in enumerate(model.encode_steps(x, label), 1):
        assert step.log_det is not None  # on the way to z every layer has one
        log_dets.append(step.log_det.item())
        yield painter.stage(number, step.name, step.h, step.factored, step.log_det, "encoding")
    factored, whitened = step.factored, step.h
    terms = [standard_log_prob(eps, model.prior.kind).sum().item() for eps in factored]
    z = model.gather([*factored, whitened])[0]
    return LayerTrace(np.array(log_dets), np.array([*terms, model.prior.log_prob(whitened).item()]), z.cpu().numpy())


@torch.no_grad()
def decode_stages(flow: Flow, z: np.ndarray, label: Tensor | None = None) -> Generator[Stage, None, np.ndarray]:
    """z (D,) on its way back to pixels: yields the same stages from the last to the first, returns the pixels.

    They are float64 (H, W, C) in pixel units, before rounding: what `encode_stages` can be given for this z's own terms.

    Raises:
        ConfigError, UntrainedError: as decoding does.
        NonFiniteError: naming the layer, if a value is not finite.
    """
    model = double_of(flow)
    painter, layers = _Painter(model), outline(model)
    label = None if label is None else label.to(model.device)
    flat = torch.from_numpy(np.array(z, dtype=np.float64)[None]).to(model.device)
    model.check_decodable(flat)
    *factored, top = model.parts(flat)
    last = len(layers) - 1
    yield painter.stage(last, "prior", top, factored, None, "decoding")
    for number, step in zip(range(last - 1, -1, -1), model.decode_steps(flat, label), strict=True):
        yield painter.stage(number, step.name, step.h, step.factored, None, "decoding")
    return step.h[0].permute(1, 2, 0).cpu().numpy()


def layer_trace(flow: Flow, picture: np.ndarray, label: Tensor | None = None) -> LayerTrace:
    """:func:`encode_stages` in one go, for the terms alone."""
    return finish(encode_stages(flow, picture, label))


def largest_difference(one: Stage, other: Stage) -> float:
    """How far two pictures of one stage are apart at most, as a share of the range that is shown."""
    return float(np.abs(one.values - other.values).max() / (one.high - one.low))


def _values(picture: np.ndarray, model: Flow) -> Tensor:
    """(H, W, C) -> (1, C, H, W) in pixel units, float64; bytes go to their bin centres."""
    array = np.asarray(picture)
    if array.dtype == np.uint8:
        return to_pixels(array[None], model)
    channels, height, width = model.event_shape if len(model.event_shape) == 3 else (0, 0, 0)
    if array.shape != (height, width, channels):
        raise ConfigError(f"This model sees pictures of {width}×{height}; it was given an array of shape {array.shape}.")
    return torch.from_numpy(np.array(array, dtype=np.float64)).to(model.device).permute(2, 0, 1)[None]
