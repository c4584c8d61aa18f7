"""One table of every layer, in every variant, with an input of its kind: new layers join here and get every test."""
from __future__ import annotations

from collections.abc import Callable

import torch

from flowcore import bijections as b
from flowcore.model.networks import MLP, ConvNetwork, PlacedNetwork, ResidualNetwork


def _mlp(mask, factor):
    return MLP(mask.kept_channels, factor * mask.changed_channels, 16)


def _conv(mask, factor):
    return ConvNetwork(mask.kept_channels, factor * mask.changed_channels, 8)


def _residual(mask, factor):
    return ResidualNetwork(mask.kept_channels, factor * mask.changed_channels, 8, 1)


def _affine(mask, network=_conv):
    return b.AffineCoupling(mask, network(mask, 2))


def _spline(mask, network=_mlp, bins=8):
    return b.RationalQuadraticCoupling(mask, network(mask, 3 * bins - 1), bins)


def _additive(mask, network=_conv):
    return b.AdditiveCoupling(mask, network(mask, 1))


PICTURE, GREY, VECTOR, POINT = (3, 4, 6), (1, 4, 4), (5,), (2,)

CASES: dict[str, tuple[Callable[[], b.Bijection], tuple[int, ...]]] = {
    "actnorm-picture": (lambda: b.ActNorm(3), PICTURE),
    "actnorm-vector": (lambda: b.ActNorm(5), VECTOR),
    "affine-half": (lambda: _affine(b.half(4)), (4, 4, 4)),
    "affine-half-flipped": (lambda: _affine(b.half(4, flip=True)), (4, 4, 4)),
    "affine-half-odd": (lambda: _affine(b.half(3)), PICTURE),
    "affine-half-odd-flipped": (lambda: _affine(b.half(3, flip=True)), PICTURE),
    "affine-placed": (lambda: b.AffineCoupling(b.half(4), ConvNetwork(2, 4, 8, 2.0, (4, 4))), (4, 4, 4)),
    "affine-checkerboard": (lambda: _affine(b.CheckerboardMask(3), _residual), PICTURE),
    "affine-checkerboard-flipped": (lambda: _affine(b.CheckerboardMask(1, flip=True), _residual), GREY),
    "affine-channels": (lambda: _affine(b.ChannelMask(4, [0, 2])), (4, 4, 4)),
    "affine-cycle-0": (lambda: _affine(b.channel_cycle(0)), PICTURE),
    "affine-cycle-1": (lambda: _affine(b.channel_cycle(1)), PICTURE),
    "affine-cycle-2": (lambda: _affine(b.channel_cycle(5)), PICTURE),
    "affine-points": (lambda: _affine(b.half(2), _mlp), POINT),
    "affine-vector": (lambda: _affine(b.half(5, flip=True), _mlp), VECTOR),
    "additive-picture": (lambda: _additive(b.half(4)), (4, 4, 4)),
    "additive-checkerboard": (lambda: _additive(b.CheckerboardMask(3)), PICTURE),
    "additive-points": (lambda: _additive(b.half(2, flip=True), _mlp), POINT),
    "chain": (lambda: b.Chain([b.ActNorm(2), b.LULinear(2), _affine(b.half(2), _mlp)]), POINT),
    "dequantisation": (lambda: b.VariationalDequantisation(ConvNetwork(1, 2, 8)), GREY),
    "diagonal": (lambda: b.DiagonalScale(VECTOR), VECTOR),
    "householder-picture": (lambda: b.Householder(3), PICTURE),
    "householder-points": (lambda: b.Householder(2), POINT),
    "equalise": (lambda: b.Equalise(3), PICTURE),
    "flatten": (lambda: b.Flatten(PICTURE), PICTURE),
    "haar": (lambda: b.HaarSqueeze(), PICTURE),
    "linear-picture": (lambda: b.InvertibleLinear(3), PICTURE),
    "linear-vector": (lambda: b.InvertibleLinear(5), VECTOR),
    "logit": (lambda: b.Logit(0.05), GREY),
    "lu-picture": (lambda: b.LULinear(3), PICTURE),
    "lu-principal": (lambda: b.LULinear(3, principal=True), PICTURE),
    "lu-vector": (lambda: b.LULinear(5), VECTOR),
    "permutation": (lambda: b.Permutation([2, 0, 1]), PICTURE),
    "permutation-reverse": (lambda: b.Permutation.reverse(5), VECTOR),
    "rescale": (lambda: b.Rescale(256.0, -0.5), PICTURE),
    "rotation": (lambda: b.Rotation(), POINT),
    "split": (lambda: b.Split(4), (4, 4, 4)),
    "split-network": (lambda: b.Split(4, network=ConvNetwork(2, 4, 8)), (4, 4, 4)),
    "split-bounded": (lambda: b.Split(4, network=ConvNetwork(2, 4, 8, input_bound=2.0)), (4, 4, 4)),
    "split-placed": (lambda: b.Split(4, network=PlacedNetwork(2, 4, 8, 1, (4, 4), 2.0)), (4, 4, 4)),
    "split-odd": (lambda: b.Split(3), PICTURE),
    "split-unconditional": (lambda: b.Split(4, conditional=False), (4, 4, 4)),
    "spline-points": (lambda: _spline(b.half(2)), POINT),
    "spline-points-flipped": (lambda: _spline(b.half(2, flip=True), bins=4), POINT),
    "spline-vector": (lambda: _spline(b.ChannelMask(5, [1, 3])), VECTOR),
    "spline-channels": (lambda: _spline(b.half(4), _conv, 5), (4, 4, 4)),
    "spline-checkerboard": (lambda: _spline(b.CheckerboardMask(3), _residual, 3), PICTURE),
    "squeeze": (lambda: b.Squeeze(), PICTURE),
}


def make(name: str, count: int = 4, dtype: torch.dtype = torch.float64) -> tuple[b.Bijection, torch.Tensor]:
    """The layer with weights moved away from where they start, by as much as training does, and an input of ``count``."""
    torch.manual_seed(sum(name.encode()))
    factory, shape = CASES[name]
    layer = factory().double()
    x = torch.randn(count, *shape, dtype=torch.float64)
    if name == "logit":
        x = torch.rand(count, *shape, dtype=torch.float64)
    if name in ("rescale", "dequantisation", "equalise"):
        x = 256 * torch.rand(count, *shape, dtype=torch.float64)
    layer.initialise(torch.randn(64, *shape, dtype=torch.float64) * 2 + 1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.15 * torch.randn_like(parameter))
    return layer.to(dtype), x.to(dtype)
