"""FrEIA (Ardizzone et al. 2022): AllInOneBlocks for pictures, GLOWCouplingBlocks for points."""

from __future__ import annotations

import math

import FrEIA.framework as ff
import FrEIA.modules as fm
import numpy as np
import torch
from torch import Tensor, nn

from .base import PIXEL_SCALE, Model, conv_network, gaussian_log_prob, mlp

__all__ = ["glow", "toy"]


def glow(size) -> Model:
    """Not a true Glow: an AllInOneBlock has a global affine map for ActNorm, and a fixed rotation for the 1×1 convolution.

    One ActNorm a level stands before them.
    """
    networks: list[nn.Module] = []

    def network(in_channels: int, out_channels: int) -> nn.Module:
        networks.append(conv_network(in_channels, out_channels, size.width))
        return networks[-1]

    np.random.seed(0)  # noqa: NPY002  (its rotations come from scipy, which draws from here)
    nodes = [ff.InputNode(*size.shape, name="picture")]
    outputs, shapes = [], []
    channels, height, width = size.shape
    for level in range(size.levels):
        nodes.append(ff.Node(nodes[-1] if level == 0 else (nodes[-1], 0), fm.IRevNetDownsampling, {}))
        channels, height, width = 4 * channels, height // 2, width // 2
        # With nothing that standardises its input it learns far less in the first minutes, at hardly less cost.
        nodes.append(ff.Node(nodes[-1], fm.ActNorm, {}))
        for _ in range(size.steps):
            nodes.append(ff.Node(nodes[-1], fm.AllInOneBlock, {"subnet_constructor": network, "permute_soft": True}))
        if level < size.levels - 1:
            nodes.append(ff.Node(nodes[-1], fm.Split, {}))
            channels //= 2
            outputs.append(ff.OutputNode((nodes[-1], 1)))
            shapes.append((channels, height, width))
    outputs.append(ff.OutputNode(nodes[-1]))
    shapes.append((channels, height, width))
    network_of_flows = ff.GraphINN(nodes + outputs)
    sizes = [math.prod(shape) for shape in shapes]
    log_pixel = math.log(PIXEL_SCALE) * math.prod(size.shape)

    def encode(x: Tensor) -> tuple[Tensor, Tensor]:
        parts, log_det = network_of_flows(x * (1 / PIXEL_SCALE) - 0.5)
        parts = parts if isinstance(parts, tuple) else (parts,)
        return torch.cat([part.flatten(1) for part in parts], 1), log_det - log_pixel

    def decode(z: Tensor) -> Tensor:
        parts = [part.reshape(-1, *shape) for part, shape in zip(z.split(sizes, 1), shapes, strict=True)]
        return (network_of_flows(parts, rev=True, jac=False)[0] + 0.5) * PIXEL_SCALE

    def log_prob(x: Tensor) -> Tensor:
        z, log_det = encode(x)
        return gaussian_log_prob(z) + log_det

    def sample(count: int) -> Tensor:
        return decode(torch.randn(count, sum(sizes)))

    return Model(
        "FrEIA", network_of_flows, log_prob, encode, decode, gaussian_log_prob, sample, lambda: networks,
        note="an ActNorm a level only, fixed rotations in place of 1×1 convolutions, no learned priors: not a true Glow",
    )  # fmt: skip


def toy(coupling: str, depth: int, width: int) -> Model:
    """depth / 2 GLOWCouplingBlocks, each of which is two couplings."""
    if coupling != "affine":
        raise ValueError("FrEIA's release has no splines")
    networks: list[nn.Module] = []

    def network(in_features: int, out_features: int) -> nn.Module:
        networks.append(mlp(in_features, out_features, width))
        return networks[-1]

    inn = ff.SequenceINN(2)
    for _ in range(depth // 2):
        inn.append(fm.GLOWCouplingBlock, subnet_constructor=network, clamp=2.0)

    def log_prob(x: Tensor) -> Tensor:
        z, log_det = inn(x)
        return gaussian_log_prob(z) + log_det

    def decode(z: Tensor) -> Tensor:
        return inn(z, rev=True, jac=False)[0]

    return Model(
        "FrEIA", inn, log_prob, inn, decode, gaussian_log_prob, lambda count: decode(torch.randn(count, 2)), lambda: networks
    )
