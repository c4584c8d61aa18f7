"""Ours: the plain path, and the fast ones over the same weights."""

from __future__ import annotations

from flowcore.model.flow import Flow
from flowcore.model.networks import CouplingNetwork, set_reduced_precision
from flowcore.model.systems import build

from .base import BINS, Model

__all__ = ["fast_at_hand", "faster", "flow_of", "glow", "toy"]


def _model(flow, note: str = "") -> Model:
    return Model(
        "flowcore", flow, flow.log_prob, flow.encode, flow.decode, flow.base_log_prob,
        lambda count: flow.decode(flow.sample(count)),
        lambda: [m for m in flow.modules() if isinstance(m, CouplingNetwork)],
        prepare=flow.initialise, note=note,
    )  # fmt: skip


def glow(size) -> Model:
    """The plain path: the definition."""
    return _model(
        build({"system": "glow", "shape": list(size.shape), "levels": size.levels, "steps": size.steps, "width": size.width})
    )


def toy(coupling: str, depth: int, width: int) -> Model:
    """The toy lab's RealNVP, or its spline flow, as the plain path computes it."""
    from flowcore.plane.trainer import ToyConfig

    flow = "realnvp" if coupling == "affine" else "spline"
    return _model(build(ToyConfig(flow=flow, depth=depth, width=width, bins=BINS).architecture))


def flow_of(model: Model) -> Flow:
    """The flow under one of our models."""
    assert isinstance(model.module, Flow)
    return model.module


def fast_at_hand() -> bool:
    """Whether this flowcore has a fast path for pictures."""
    try:
        from flowcore.fast import accelerate  # noqa: F401
    except ImportError:
        return False
    return True


def faster(plain: Model, memory: str = "store", reduced: bool = False) -> Model:
    """The fast path over the weights of ``plain``: ``memory`` is "store" or "invert"; ``reduced``: bf16 in the networks.

    ``reduced`` is a switch on the flow itself: set it again with :func:`flowcore.model.networks.set_reduced_precision` before a
    measurement where several of these share one flow.
    """
    from flowcore.fast import accelerate, sharing

    flow = flow_of(plain)
    fast = accelerate(flow)
    fast.memory = memory
    set_reduced_precision(flow, reduced)
    return Model(
        "flowcore", flow, fast.log_prob, fast.encode, fast.decode, flow.base_log_prob,
        lambda count: fast.decode(flow.sample(count)), plain._networks, prepare=flow.initialise,
        around=sharing,
    )  # fmt: skip
