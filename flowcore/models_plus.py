"""Glow with what later work showed: beside the three systems, which stay as their papers have them."""
from __future__ import annotations

from collections.abc import Sequence

from .bijections import (
    ActNorm,
    AffineCoupling,
    Bijection,
    Equalise,
    LULinear,
    Rescale,
    Split,
    Squeeze,
    VariationalDequantisation,
    half,
)
from .errors import ConfigError
from .flow import Flow
from .networks import ConvNetwork
from .priors import make_prior

__all__ = ["glow_plus"]

SCALE_BOUND = 1.0
DEQUANTISATION_WIDTH = 32


def glow_plus(
    shape: Sequence[int],
    levels: int = 3,
    steps: int = 8,
    width: int = 128,
    equalise: bool = True,
    dequantisation: str = "variational",
    split_width: int = 64,
    input_bound: float = 0.0,
    prior: str = "gaussian",
    classes: int = 0,
) -> Flow:
    """Glow's architecture (``levels`` × (squeeze, ``steps`` × (actnorm, 1×1 convolution, affine coupling), split)), with

    - ``equalise``: grey levels get room as they occur, before anything else;
    - ``dequantisation``: 'variational' (Ho et al. 2019, Flow++, section 3.1), or 'uniform' as in Glow;
    - ``split_width``: of a hidden layer in the splits' priors, 0 for Glow's one convolution;
    - ``input_bound``: what networks see of a value is softly bounded to ± so much, 0 for no bound. Then no sample runs away;
    - a prior of the last level that is learned for every place, and by class where ``classes``.

    Pictures (C, H, W) alone, H and W divisible by 2^levels. docs/glow-plus.md has what each is worth at equal time.
    """
    shape = tuple(shape)
    if len(shape) != 3:
        raise ConfigError("glow-plus is for pictures, of shape [channels, height, width]; for points use 'glow' or 'spline'.")
    if dequantisation not in ("variational", "uniform"):
        raise ConfigError(f"glow-plus: dequantisation is 'variational' or 'uniform', not {dequantisation!r}.")
    channels, height, side = shape
    if height % 2**levels or side % 2**levels:
        raise ConfigError(f"The picture's size must be a multiple of {2**levels} for so many levels, not {height}×{side}.")

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
            mask = half(channels)
            network = ConvNetwork(mask.kept_channels, 2 * mask.changed_channels, width, input_bound)
            layers += [ActNorm(channels), LULinear(channels), AffineCoupling(mask, network, SCALE_BOUND)]
        if level < levels - 1:
            kept, out = channels // 2, channels - channels // 2
            layers.append(Split(channels, network=ConvNetwork(kept, 2 * out, split_width, input_bound) if split_width else None))
            split_shapes.append((out, height, side))
            channels = kept
    architecture = dict(
        system="glow-plus", shape=list(shape), levels=levels, steps=steps, width=width, equalise=equalise,
        dequantisation=dequantisation, split_width=split_width, input_bound=input_bound, prior=prior, classes=classes,
    )  # fmt: skip
    top = make_prior(prior, (channels, height, side), classes, places=True)
    return Flow(layers, top, shape, architecture, split_shapes)
