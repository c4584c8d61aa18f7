"""normflows (Stimper et al. 2023), put together as in its own examples."""

from __future__ import annotations

import math
from typing import Any

import normflows as nf
import torch
from normflows.flows.neural_spline.coupling import PiecewiseRationalQuadraticCoupling
from torch import Tensor, nn

from .base import BINS, PIXEL_SCALE, TAIL, Model, gaussian_log_prob, mlp

__all__ = ["glow", "toy"]


class _Pixels(nf.flows.Flow):
    """Pictures in [0, 256) to [-0.5, 0.5)."""

    def forward(self, z: Tensor):
        return (z + 0.5) * PIXEL_SCALE, z.new_full((len(z),), math.log(PIXEL_SCALE) * z[0].numel())

    def inverse(self, z: Tensor):
        return z * (1 / PIXEL_SCALE) - 0.5, z.new_full((len(z),), -math.log(PIXEL_SCALE) * z[0].numel())


def glow(size) -> Model:
    """Its MultiscaleFlow of GlowBlocks, LU 1×1 convolutions, a learned Gaussian a level."""
    channels, height, width = size.shape
    bases, merges, flows = [], [], []
    for level in range(size.levels):  # coarsest first
        scale = 2 ** (size.levels - level)
        factor = 2 ** (size.levels + 1 - level)
        blocks = [nf.flows.GlowBlock(channels * factor, size.width) for _ in range(size.steps)]
        flows.append([*blocks, nf.flows.Squeeze()])
        places = (height // scale, width // scale)
        if level > 0:
            merges.append(nf.flows.Merge())
            bases.append(nf.distributions.GlowBase((channels * factor // 2, *places)))
        else:
            bases.append(nf.distributions.GlowBase((channels * factor, *places)))
    model = nf.MultiscaleFlow(bases, flows, merges, transform=_Pixels(), class_cond=False)
    shapes = [base.shape for base in bases]
    sizes = [math.prod(shape) for shape in shapes]

    def encode(x: Tensor) -> tuple[Tensor, Tensor]:
        parts, log_det = model.inverse_and_log_det(x)
        return torch.cat([part.flatten(1) for part in parts], 1), log_det

    def decode(z: Tensor) -> Tensor:
        parts = [part.reshape(-1, *shape) for part, shape in zip(z.split(sizes, 1), shapes, strict=True)]
        return model.forward_and_log_det(parts)[0]

    def base(z: Tensor) -> Tensor:
        parts = zip(z.split(sizes, 1), shapes, bases, strict=True)
        return torch.stack([prior.log_prob(part.reshape(-1, *shape)) for part, shape, prior in parts]).sum(0)

    return Model(
        "normflows", model, lambda x: model.log_prob(x, None), encode, decode, base,
        lambda count: model.sample(count)[0],
        lambda: [m for m in model.modules() if isinstance(m, nf.nets.ConvNet2d)],
        note="no conditional prior at the splits; sampling computes log q as well",
    )  # fmt: skip


class _Reversed(nf.flows.Flow):
    """A coupling from data to noise as normflows wants it, from noise to data (as its own spline wrapper does)."""

    def __init__(self, coupling: Any) -> None:
        super().__init__()
        self.coupling = coupling

    def forward(self, z: Tensor):
        z, log_det = self.coupling.inverse(z)
        return z, log_det.view(-1)

    def inverse(self, z: Tensor):
        z, log_det = self.coupling(z)
        return z, log_det.view(-1)


def toy(coupling: str, depth: int, width: int) -> Model:
    """AffineCouplingBlock and a swap, or its rational-quadratic couplings with alternating masks."""
    flows = []
    networks = []

    def network(in_features: int, out_features: int) -> nn.Module:
        networks.append(mlp(in_features, out_features, width))
        return networks[-1]

    for step in range(depth):
        if coupling == "affine":
            flows += [nf.flows.AffineCouplingBlock(network(1, 2), scale_map="exp"), nf.flows.Permute(2, mode="swap")]
        else:
            mask = torch.tensor([step % 2, 1 - step % 2])
            flows.append(
                _Reversed(PiecewiseRationalQuadraticCoupling(mask, network, num_bins=BINS, tails="linear", tail_bound=TAIL))
            )
    model = nf.NormalizingFlow(nf.distributions.DiagGaussian(2, trainable=False), flows)
    return Model(
        "normflows", model, model.log_prob, model.inverse_and_log_det, model.forward, gaussian_log_prob,
        lambda count: model.sample(count)[0], lambda: networks,
    )  # fmt: skip
