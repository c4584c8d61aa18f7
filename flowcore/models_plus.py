"""Glow with what later work showed: beside the three systems, which stay as their papers have them."""
from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from .bijections import (
    ActNorm,
    AffineCoupling,
    Bijection,
    Equalise,
    LULinear,
    Mask,
    RationalQuadraticCoupling,
    Rescale,
    Split,
    Squeeze,
    VariationalDequantisation,
    half,
)
from .errors import ConfigError
from .flow import Flow
from .networks import ConvNetwork, GatedNetwork
from .priors import make_prior

__all__ = ["glow_plus"]

SCALE_BOUND = 1.0
DEQUANTISATION_WIDTH = 32


def glow_plus(
    shape: Sequence[int],
    levels: int = 3,
    steps: int = 8,
    width: int = 128,
    network: str = "conv",
    blocks: int = 1,
    attention: int = 0,
    coupling: str = "affine",
    bins: int = 4,
    dequantisation: str = "variational",
    equalise: bool = True,
    bound: float = 1.0,
    split_width: int = 64,
    prior: str = "gaussian",
    classes: int = 0,
) -> Flow:
    """Glow's architecture (``levels`` × (squeeze, ``steps`` × (actnorm, 1×1 convolution, coupling), split)), with

    - ``dequantisation``: 'variational' (Ho et al. 2019, Flow++, section 3.1), or 'uniform' as in Glow;
    - ``network`` of the couplings: Glow's 'conv', or 'gated' or 'depthwise' residual ``blocks`` (Flow++, section 3.3), with
      self-attention where a side is at most ``attention``;
    - ``coupling``: 'affine', or 'spline' with ``bins`` (Durkan et al. 2019);
    - ``split_width``: of a hidden layer in the splits' priors, 0 for Glow's one convolution;
    - a prior of the last level that is learned for every place, and by class where ``classes``.

    Pictures (C, H, W) alone, H and W divisible by 2^levels. docs/glow-plus.md has what each is worth at equal time.
    """
    shape = tuple(shape)
    if len(shape) != 3:
        raise ConfigError("glow-plus is for pictures, of shape [channels, height, width]; for points use 'glow' or 'spline'.")
    _check("network", network, ("conv", "gated", "depthwise"))
    _check("coupling", coupling, ("affine", "spline"))
    _check("dequantisation", dequantisation, ("variational", "uniform"))
    channels, height, side = shape
    if height % 2**levels or side % 2**levels:
        raise ConfigError(f"The picture's size must be a multiple of {2**levels} for so many levels, not {height}×{side}.")

    def make_network(mask: Mask, outputs: int, side: int) -> nn.Module:
        if network == "conv":
            return ConvNetwork(mask.kept_channels, outputs, width)
        kernel, depthwise = (5, True) if network == "depthwise" else (3, False)
        return GatedNetwork(mask.kept_channels, outputs, width, blocks, kernel, depthwise, attention=side <= attention)

    def step_of_flow(channels: int, side: int) -> list[Bijection]:
        mask = half(channels)
        if coupling == "affine":
            layer = AffineCoupling(mask, make_network(mask, 2 * mask.changed_channels, side), bound)
        else:
            outputs = (3 * bins - 1) * mask.changed_channels
            layer = RationalQuadraticCoupling(mask, make_network(mask, outputs, side), bins, bound=4.0)
        return [ActNorm(channels), LULinear(channels), layer]

    layers: list[Bijection] = []
    if dequantisation == "variational":
        layers.append(VariationalDequantisation(ConvNetwork(channels, 2 * channels, DEQUANTISATION_WIDTH)))
    if equalise:
        layers.append(Equalise(channels))
    layers.append(Rescale(256.0, -0.5))
    split_shapes = []
    for level in range(levels):
        layers.append(Squeeze())
        channels, height, side = 4 * channels, height // 2, side // 2
        for _ in range(steps):
            layers += step_of_flow(channels, max(height, side))
        if level < levels - 1:
            kept, out = channels // 2, channels - channels // 2
            hidden = ConvNetwork(kept, 2 * out, split_width) if split_width else None
            layers.append(Split(channels, network=hidden))
            split_shapes.append((out, height, side))
            channels = kept
    architecture = dict(
        system="glow-plus", shape=list(shape), levels=levels, steps=steps, width=width, network=network, blocks=blocks,
        attention=attention, coupling=coupling, bins=bins, dequantisation=dequantisation,
        equalise=equalise, bound=bound, split_width=split_width,
        prior=prior, classes=classes,
    )  # fmt: skip
    top = make_prior(prior, (channels, height, side), classes, places=True)
    return Flow(layers, top, shape, architecture, split_shapes)


def _check(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ConfigError(f"glow-plus: {name} is {', '.join(map(repr, allowed[:-1]))} or {allowed[-1]!r}, not {value!r}.")
