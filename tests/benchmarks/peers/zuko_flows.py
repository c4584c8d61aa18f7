"""zuko (Rozet et al. 2022): coupling transforms built anew at each call, as it does."""

from __future__ import annotations

import zuko
from torch import Tensor, nn

from .base import BINS, Model, gaussian_log_prob

__all__ = ["toy"]


def toy(coupling: str, depth: int, width: int) -> Model:
    """Its NICE class (affine couplings, as in RealNVP), or the same with MonotonicRQSTransform."""
    options = {}
    if coupling == "spline":
        options = {"univariate": zuko.transforms.MonotonicRQSTransform, "shapes": [(BINS,), (BINS,), (BINS - 1,)]}
    flow = zuko.flows.NICE(2, transforms=depth, hidden_features=(width, width), activation=nn.SiLU, **options)
    networks = [transform.hyper for transform in flow.transform.transforms]
    for network in networks:
        nn.init.zeros_(network[-1].weight)
        nn.init.zeros_(network[-1].bias)

    def encode(x: Tensor) -> tuple[Tensor, Tensor]:
        return flow().transform.call_and_ladj(x)

    return Model(
        "zuko", flow, lambda x: flow().log_prob(x), encode, lambda z: flow().transform.inv(z), gaussian_log_prob,
        lambda count: flow().sample((count,)), lambda: networks,
    )  # fmt: skip
