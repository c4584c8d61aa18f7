"""NICE, RealNVP, Glow and spline flows, each written as its paper's architecture table."""
from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from contextlib import ExitStack

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ..bijections import (
    ActNorm,
    AdditiveCoupling,
    AffineCoupling,
    Bijection,
    ChannelMask,
    CheckerboardMask,
    DiagonalScale,
    Flatten,
    InvertibleLinear,
    Logit,
    LULinear,
    Mask,
    Permutation,
    RationalQuadraticCoupling,
    Rescale,
    Split,
    Squeeze,
    channel_cycle,
    half,
)
from ..errors import ConfigError
from ..fields import shown
from .flow import Flow
from .models_plus import glow_plus
from .networks import MLP, ConvNetwork, ResidualNetwork
from .priors import make_prior, prior_names
from .registry import find_system, register_system, system_names
from .room import Room, at_most

__all__ = ["build", "glow", "nice", "realnvp", "spline"]

SCALE_BOUND = 1.0
"""Of a coupling's log-scale. Many couplings together still scale by orders of magnitude; one alone cannot blow up."""
POINT_SCALE_BOUND = 2.0


def nice(
    shape: Sequence[int],
    depth: int = 4,
    width: int = 1000,
    hidden: int = 5,
    prior: str = "logistic",
    activation: str = "relu",
) -> Flow:
    """NICE (Dinh et al. 2014, section 3): ``depth`` additive couplings on odd and even dimensions, one diagonal scaling.

    ``shape`` is (C, H, W) or (D,). Volume is preserved up to the scaling; the prior is factorial.
    """
    shape = tuple(shape)
    num_dims = math.prod(shape)
    layers: list[Bijection] = [Rescale(256.0, -0.5), Flatten(shape)] if len(shape) == 3 else []
    for step in range(depth):
        mask = ChannelMask(num_dims, range(step % 2, num_dims, 2))
        network = MLP(mask.kept_channels, mask.changed_channels, width, hidden, activation)
        layers.append(AdditiveCoupling(mask, network))
    layers.append(DiagonalScale((num_dims,)))
    architecture = dict(
        system="nice", shape=list(shape), depth=depth, width=width, hidden=hidden, prior=prior, activation=activation
    )
    return Flow(layers, make_prior(prior, (num_dims,), learned=False), shape, architecture)


def realnvp(
    shape: Sequence[int],
    levels: int = 3,
    width: int = 64,
    blocks: int = 2,
    depth: int = 8,
    hidden: int = 2,
    masks: str = "checkerboard",
    conditional: bool = False,
    prior: str = "gaussian",
    classes: int = 0,
    activation: str = "silu",
) -> Flow:
    """RealNVP (Dinh et al. 2017, sections 3 and 4.1): affine couplings; checkerboard, squeeze, channel masks; multi-scale.

    Pictures (C, H, W): at each of ``levels`` scales three checkerboard couplings, a squeeze, three channel couplings, and
    half of the channels factored out; four checkerboard couplings at the last. ``masks="cycle"`` (three channels) puts
    the three-way channel cycle in place of the first scale's checkerboards. ``conditional`` lets each split's prior
    depend on the features left behind. Activation normalisation stands where the paper normalises by batch, so that no
    sample depends on another. Points (D,): ``depth`` couplings of ``width``, the halves swapped from one to the next.
    """
    shape = tuple(shape)
    architecture = dict(
        system="realnvp", shape=list(shape), levels=levels, width=width, blocks=blocks, depth=depth, hidden=hidden,
        masks=masks, conditional=conditional, prior=prior, classes=classes, activation=activation,
    )  # fmt: skip
    layers: list[Bijection]
    split_shapes: list[tuple[int, ...]] = []
    if len(shape) == 1:
        layers = [
            AffineCoupling(mask, MLP(mask.kept_channels, 2 * mask.changed_channels, width, hidden, activation), POINT_SCALE_BOUND)
            for mask in (half(shape[0], flip=step % 2 == 1) for step in range(depth))
        ]
        return Flow(layers, make_prior(prior, shape, classes, learned=False), shape, architecture)

    channels, height, side = shape
    _check_divisible(height, side, 2 ** (levels - 1))
    if masks not in ("checkerboard", "cycle") or (masks == "cycle" and channels != 3):
        raise ConfigError(f"RealNVP's masks are 'checkerboard', or 'cycle' for 3 channels; not {shown(masks)} for {channels}.")

    def coupling(mask: Mask) -> list[Bijection]:
        network = ResidualNetwork(mask.kept_channels, 2 * mask.changed_channels, width, blocks)
        channels = mask.channels if isinstance(mask, ChannelMask) else mask.kept_channels
        return [AffineCoupling(mask, network, SCALE_BOUND), ActNorm(channels)]

    layers = [Rescale(256.0, 0.0), Logit(0.05)]
    for level in range(levels):
        last = level == levels - 1
        for step in range(4 if last else 3):
            cycle = masks == "cycle" and level == 0
            layers += coupling(channel_cycle(step) if cycle else CheckerboardMask(channels, flip=step % 2 == 1))
        if last:
            break
        layers.append(Squeeze())
        channels, height, side = 4 * channels, height // 2, side // 2
        for step in range(3):
            layers += coupling(half(channels, flip=step % 2 == 0))
        layers.append(split := Split(channels, conditional))
        split_shapes.append((split.out_channels, height, side))
        channels = split.kept_channels
    return Flow(layers, make_prior(prior, (channels, height, side), classes, learned=False), shape, architecture, split_shapes)


def glow(
    shape: Sequence[int],
    levels: int = 3,
    steps: int = 8,
    width: int = 128,
    coupling: str = "affine",
    permutation: str = "lu",
    depth: int = 8,
    hidden: int = 2,
    prior: str = "gaussian",
    classes: int = 0,
    activation: str = "silu",
) -> Flow:
    """Glow (Kingma & Dhariwal 2018, section 3): ``levels`` × (squeeze, ``steps`` × (actnorm, 1×1 convolution, coupling), split).

    Pictures (C, H, W), H and W divisible by 2^levels. ``permutation`` is 'lu', 'plain' or 'reverse'; ``coupling`` 'affine'
    or 'additive'. Every split has a learned, conditional prior; the last level's is learned, by class where ``classes``.
    Points (D,): ``depth`` steps of ``width``, no squeeze.
    """
    shape = tuple(shape)
    architecture = dict(
        system="glow", shape=list(shape), levels=levels, steps=steps, width=width, coupling=coupling,
        permutation=permutation, depth=depth, hidden=hidden, prior=prior, classes=classes, activation=activation,
    )  # fmt: skip
    if coupling not in ("affine", "additive"):
        raise ConfigError(f"Glow's coupling is 'affine' or 'additive', not {shown(coupling)}.")
    if permutation not in ("lu", "plain", "reverse"):
        raise ConfigError(f"Glow's permutation is 'lu', 'plain' or 'reverse', not {shown(permutation)}.")
    mixers = {"lu": LULinear, "plain": InvertibleLinear, "reverse": Permutation.reverse}

    bound = POINT_SCALE_BOUND if len(shape) == 1 else SCALE_BOUND

    def step_of_flow(channels: int) -> list[Bijection]:
        mask = half(channels)
        outputs = mask.changed_channels * (2 if coupling == "affine" else 1)
        if len(shape) == 1:
            network = MLP(mask.kept_channels, outputs, width, hidden, activation)
        else:
            network = ConvNetwork(mask.kept_channels, outputs, width)
        layer = AffineCoupling(mask, network, bound) if coupling == "affine" else AdditiveCoupling(mask, network)
        return [ActNorm(channels), mixers[permutation](channels), layer]

    layers: list[Bijection]
    split_shapes: list[tuple[int, ...]] = []
    if len(shape) == 1:
        layers = [layer for _ in range(depth) for layer in step_of_flow(shape[0])]
        return Flow(layers, make_prior(prior, shape, classes), shape, architecture)

    channels, height, side = shape
    _check_divisible(height, side, 2**levels)
    layers = [Rescale(256.0, -0.5)]
    for level in range(levels):
        layers.append(Squeeze())
        channels, height, side = 4 * channels, height // 2, side // 2
        for _ in range(steps):
            layers += step_of_flow(channels)
        if level < levels - 1:
            layers.append(split := Split(channels))
            split_shapes.append((split.out_channels, height, side))
            channels = split.kept_channels
    return Flow(layers, make_prior(prior, (channels, height, side), classes), shape, architecture, split_shapes)


def spline(
    shape: Sequence[int],
    depth: int = 8,
    width: int = 64,
    hidden: int = 2,
    bins: int = 8,
    bound: float = 5.0,
    prior: str = "gaussian",
    activation: str = "silu",
) -> Flow:
    """A neural spline flow (Durkan et al. 2019, section 3): ``depth`` rational-quadratic couplings, the halves swapped.

    Points (D,) alone. Each coupling bends [-``bound``, ``bound``] in ``bins`` pieces and leaves what lies outside as it is, so
    the data should lie mostly inside.
    """
    shape = tuple(shape)
    if len(shape) != 1:
        raise ConfigError("A spline flow is for points, of shape [dimensions]; for pictures use 'glow', 'realnvp' or 'nice'.")
    layers: list[Bijection] = []
    for step in range(depth):
        mask = half(shape[0], flip=step % 2 == 1)
        network = MLP(mask.kept_channels, (3 * bins - 1) * mask.changed_channels, width, hidden, activation)
        layers.append(RationalQuadraticCoupling(mask, network, bins, bound))
    architecture = dict(
        system="spline", shape=list(shape), depth=depth, width=width, hidden=hidden, bins=bins, bound=bound, prior=prior,
        activation=activation,
    )  # fmt: skip
    return Flow(layers, make_prior(prior, shape, learned=False), shape, architecture)


for _name, _make in {"nice": nice, "realnvp": realnvp, "glow": glow, "glow-plus": glow_plus, "spline": spline}.items():
    register_system(_name, _make)

_LIMITS = {
    "levels": 10, "steps": 256, "depth": 256, "width": 4096, "blocks": 64, "hidden": 64, "bins": 64, "classes": 100_000,
    "split_width": 4096, "split_blocks": 64,
}  # fmt: skip

MOST_DIMS = 2**22
"""Of z, and so of a picture: four times a million, 1,182 × 1,182 pixels in colour."""

_MAY_BE_NONE = ("classes", "split_width", "split_blocks")


class _Unfilled(TorchFunctionMode):
    """Leaves out the random filling of weights that are about to be read from a file, or that have no memory.

    On the meta device alone, filling would import torch's compiler: a second of work for nothing.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in (Tensor.normal_, Tensor.uniform_):
            return args[0]
        if func in (torch.linalg.qr, torch.linalg.lu):  # a random rotation, and its factors
            identity = torch.eye(args[0].shape[-1], dtype=args[0].dtype, device=args[0].device)
            return (identity,) * (2 if func is torch.linalg.qr else 3)
        return func(*args, **(kwargs or {}))


def build(architecture: object, meta: bool = False, fill: bool = True, room: Room | None = None) -> Flow:
    """A flow from its description: ``{"system": "glow", "shape": [3, 32, 32], ...}``; missing keys take their defaults.

    With ``meta`` nothing is allocated: the shapes alone, to hold a checkpoint against before trusting it. Without
    ``fill`` the weights are not initialised: all of them are going to be loaded. With ``room`` no more is made than fits.

    Raises:
        ConfigError: on an unknown system, an unknown key, a value of the wrong kind or beyond reason.
    """
    if not isinstance(architecture, dict):
        raise ConfigError("A model's architecture must be a table of names and values.")
    options = dict(architecture)
    system = options.pop("system", None)
    found = find_system(system)
    if found is None:
        raise ConfigError(f"Unknown system {shown(system)}; Flow Explorer knows {', '.join(system_names())}.")
    signature, limits = inspect.signature(found.make).parameters, {**_LIMITS, **found.limits}
    shape = options.pop("shape", None)
    if not (isinstance(shape, (list, tuple)) and len(shape) in (1, 3) and all(_is_count(s, 4096) for s in shape)):
        raise ConfigError(f"A model's shape must be [channels, height, width] or [dimensions], not {shown(shape)}.")
    if math.prod(shape) > MOST_DIMS:
        raise ConfigError(f"A model's z has at most {MOST_DIMS:,} numbers, not {math.prod(shape):,}.")
    if len(shape) == 1 and shape[0] < 2:
        raise ConfigError("A flow of points needs at least two dimensions.")
    for name, value in options.items():
        if name not in signature:
            raise ConfigError(f"{system} has no setting {shown(name)}; it has {', '.join(signature)}.")
        default = signature[name].default
        if type(default) is float and type(value) is int and abs(value) < 2**53:
            value = options[name] = float(value)
        finite = type(value) is not float or math.isfinite(value)
        if type(value) is not type(default) or not finite or (name in limits and not 0 <= value <= limits[name]):
            raise ConfigError(f"{system}: {name} cannot be {shown(value)}.")
        if name in limits and name not in _MAY_BE_NONE and value < 1:
            raise ConfigError(f"{system}: {name} must be at least 1, not {value}.")
        if name == "prior" and value not in (priors := found.priors or prior_names()):
            raise ConfigError(f"{system}: prior is one of {', '.join(priors)}, not {shown(value)}.")
        if name == "activation" and value not in ("silu", "relu", "tanh"):
            raise ConfigError(f"{system}: activation is 'silu', 'relu' or 'tanh', not {shown(value)}.")
    with ExitStack() as making:
        making.enter_context(torch.device("meta" if meta else "cpu"))
        if meta or not fill:
            making.enter_context(_Unfilled())
        if room is not None:
            making.enter_context(at_most(room))
        return found.make(shape, **options)


def _is_count(value: object, limit: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= limit


def _check_divisible(height: int, width: int, factor: int) -> None:
    if height % factor or width % factor:
        raise ConfigError(f"The picture's size must be a multiple of {factor} for so many levels, not {height}×{width}.")
