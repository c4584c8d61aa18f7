"""nflows (Durkan et al. 2020): its parts, with the caches that it offers for evaluation."""

from __future__ import annotations

import math

import torch
from nflows import distributions, flows, transforms
from torch import Tensor, nn

from .base import BINS, PIXEL_SCALE, TAIL, Model, conv_network, gaussian_log_prob, mlp

__all__ = ["glow", "toy"]


def glow(size) -> Model:
    """ActNorm, OneByOneConvolution (LU, its inverse cached in evaluation) and AffineCouplingTransform, multi-scale."""
    channels, height, width = size.shape
    networks: list[nn.Module] = []

    def network(in_channels: int, out_channels: int) -> nn.Module:
        networks.append(conv_network(in_channels, out_channels, size.width))
        return networks[-1]

    shape = (channels, height, width)
    multiscale = transforms.MultiscaleCompositeTransform(size.levels)
    for _ in range(size.levels):
        squeeze = transforms.SqueezeTransform()
        shape = squeeze.get_output_shape(*shape)
        steps: list[nn.Module] = [squeeze]
        for _ in range(size.steps):
            mask = torch.cat([torch.zeros(shape[0] // 2), torch.ones(shape[0] - shape[0] // 2)])
            steps += [
                transforms.ActNorm(shape[0]),
                transforms.OneByOneConvolution(shape[0], using_cache=True),
                transforms.AffineCouplingTransform(mask, network),
            ]
        shape = multiscale.add_transform(transforms.CompositeTransform(steps), shape)
    pixels = transforms.AffineScalarTransform(shift=-0.5, scale=1 / PIXEL_SCALE)
    transform = transforms.CompositeTransform([pixels, multiscale])
    flow = flows.Flow(transform, distributions.StandardNormal([math.prod(size.shape)]))
    return Model(
        "nflows", flow, flow.log_prob, flow._transform, lambda z: flow._transform.inverse(z)[0], gaussian_log_prob,
        flow.sample, lambda: networks, note="no learned priors",
    )  # fmt: skip


def toy(coupling: str, depth: int, width: int) -> Model:
    """AffineCouplingTransform or PiecewiseRationalQuadraticCouplingTransform with alternating masks."""
    networks: list[nn.Module] = []

    def network(in_features: int, out_features: int) -> nn.Module:
        networks.append(mlp(in_features, out_features, width))
        return networks[-1]

    def layer(step: int) -> nn.Module:
        mask = torch.tensor([step % 2, 1 - step % 2])
        if coupling == "affine":
            return transforms.AffineCouplingTransform(mask, network)
        return transforms.PiecewiseRationalQuadraticCouplingTransform(
            mask, network, num_bins=BINS, tails="linear", tail_bound=TAIL
        )

    layers = [layer(step) for step in range(depth)]
    if coupling == "affine":
        # Its affine scales are at most 1.001: with nothing that expands it stays 0.4 nat above two moons' entropy.
        layers.append(transforms.ActNorm(2))
    transform = transforms.CompositeTransform(layers)
    flow = flows.Flow(transform, distributions.StandardNormal([2]))

    def encode(x: Tensor) -> tuple[Tensor, Tensor]:
        return flow._transform(x)

    return Model(
        "nflows", flow, flow.log_prob, encode, lambda z: flow._transform.inverse(z)[0], gaussian_log_prob, flow.sample,
        lambda: networks, note="an ActNorm at the end, as its affine couplings cannot expand" if coupling == "affine" else "",
    )  # fmt: skip
