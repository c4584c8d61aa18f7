"""Glow with what later work showed: beside the three systems, which stay as their papers have them."""
from __future__ import annotations

from collections.abc import Sequence

from ..bijections import (
    ActNorm,
    AffineCoupling,
    Bijection,
    Equalise,
    HaarSqueeze,
    LULinear,
    Rescale,
    Split,
    Squeeze,
    VariationalDequantisation,
    half,
)
from ..errors import ConfigError
from ..fields import shown
from .flow import Flow
from .networks import ConvNetwork, PlacedNetwork
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
    growth: float = 1.0,
    squeeze: str = "blocks",
    axes: str = "random",
    split_blocks: int = 0,
    places: bool = False,
    prior: str = "gaussian",
    classes: int = 0,
) -> Flow:
    """Glow's architecture (``levels`` × (squeeze, ``steps`` × (actnorm, 1×1 convolution, affine coupling), split)), with

    - ``equalise``: grey levels get room as they occur, before anything else;
    - ``dequantisation``: 'variational' (Ho et al. 2019, Flow++, section 3.1), or 'uniform' as in Glow;
    - ``split_width``: of a hidden layer in the splits' priors, 0 for Glow's one convolution;
    - ``split_blocks``: so many residual blocks in place of that layer, and a bias for every place;
    - ``growth``: of the width from a level to the next coarser one, rounded to multiples of 32;
    - ``squeeze``: 'blocks' as in Glow, or 'haar' for means and differences of the blocks;
    - ``axes``: the first 1×1 convolution of the first level ('principal'), or of every level ('principal-all'), starts at the
      principal axes of the first batch in place of a 'random' rotation;
    - ``places``: a bias for every place in the couplings' networks, so that they know where they are;
    - ``input_bound``: what networks see of a value is softly bounded to ± so much, 0 for no bound. Then no sample runs away;
    - a prior of the last level that is learned for every place, and by class where ``classes``.

    Pictures (C, H, W) alone, H and W divisible by 2^levels. docs/glow-plus.md has what each is worth at equal time.
    """
    shape = tuple(shape)
    if len(shape) != 3:
        raise ConfigError("glow-plus is for pictures, of shape [channels, height, width]; for points use 'glow' or 'spline'.")
    if dequantisation not in ("variational", "uniform"):
        raise ConfigError(f"glow-plus: dequantisation is 'variational' or 'uniform', not {shown(dequantisation)}.")
    if squeeze not in ("blocks", "haar"):
        raise ConfigError(f"glow-plus: squeeze is 'blocks' or 'haar', not {shown(squeeze)}.")
    if axes not in ("random", "principal", "principal-all"):
        raise ConfigError(f"glow-plus: axes is 'random', 'principal' or 'principal-all', not {shown(axes)}.")
    if not 1 <= growth <= 4:
        raise ConfigError(f"glow-plus: growth is from 1 to 4, not {growth}.")
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
        layers.append(HaarSqueeze() if squeeze == "haar" else Squeeze())
        channels, height, side = 4 * channels, height // 2, side // 2
        own_width, here = width_of(level, width, growth), (height, side) if places else None
        for step in range(steps):
            mask = half(channels)
            network = ConvNetwork(mask.kept_channels, 2 * mask.changed_channels, own_width, input_bound, here)
            principal = step == 0 and (axes == "principal-all" or (axes == "principal" and level == 0))
            mixer = LULinear(channels, principal=principal)
            layers += [ActNorm(channels), mixer, AffineCoupling(mask, network, SCALE_BOUND)]
        if level < levels - 1:
            kept, out = channels // 2, channels - channels // 2
            network = None
            if split_blocks and split_width:
                network = PlacedNetwork(kept, 2 * out, split_width, split_blocks, (height, side), input_bound)
            elif split_width:
                network = ConvNetwork(kept, 2 * out, split_width, input_bound)
            layers.append(Split(channels, network=network))
            split_shapes.append((out, height, side))
            channels = kept
    architecture = dict(
        system="glow-plus", shape=list(shape), levels=levels, steps=steps, width=width, equalise=equalise,
        dequantisation=dequantisation, split_width=split_width, input_bound=input_bound, growth=growth, squeeze=squeeze,
        axes=axes, split_blocks=split_blocks, places=places, prior=prior, classes=classes,
    )  # fmt: skip
    top = make_prior(prior, (channels, height, side), classes, places=True)
    return Flow(layers, top, shape, architecture, split_shapes)


def width_of(level: int, width: int, growth: float) -> int:
    """How wide the networks of a level are, 0 being the finest."""
    return width if growth == 1 else max(width, 32 * round(width * growth**level / 32))
