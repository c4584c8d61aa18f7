"""A flow of the plane from a list of its layers, each chosen by itself."""
from __future__ import annotations

import torch
from torch import nn

from ..bijections import (
    ActNorm,
    AdditiveCoupling,
    AffineCoupling,
    Bijection,
    ChannelMask,
    DiagonalScale,
    InvertibleLinear,
    LULinear,
    Permutation,
    RationalQuadraticCoupling,
    Rotation,
)
from ..errors import ConfigError
from ..model.flow import Flow
from ..model.networks import MLP
from ..model.registry import register_system
from .layers import AXES, LayerSpec, layers_of
from .prior_shapes import MAX_COMPONENTS, PLANE_PRIORS
from .priors import plane_prior

__all__ = ["STACK_SCALE_BOUND", "keep_layers", "stack"]

STACK_SCALE_BOUND = 2.0
"""Of an affine coupling's log-scale."""
_EMPTY: list = []
_MOST = 256


def stack(
    shape: tuple[int, ...],
    layers: list = _EMPTY,
    width: int = 64,
    hidden: int = 2,
    bins: int = 16,
    bound: float = 4.5,
    prior: str = "gaussian",
    components: int = 8,
    learned: bool = False,
    activation: str = "silu",
) -> Flow:
    """A flow of points (2,) from ``layers``, dictionaries as :attr:`flowcore.plane.layers.LayerSpec.architecture` gives them.

    In the order of encoding. A frozen layer's parameters ask for no gradient. The prior is
    :func:`flowcore.plane.priors.plane_prior`'s.

    Raises:
        ConfigError: for another shape, or a list that is none.
    """
    if tuple(shape) != (2,):
        raise ConfigError("A flow from a list of layers is for points of the plane, of shape [2].")
    specs = layers_of(layers, _MOST)
    made = [_layer(spec, width, hidden, bins, bound, activation) for spec in specs]
    architecture = dict(
        system="stack", shape=[2], layers=[spec.architecture for spec in specs], width=width, hidden=hidden, bins=bins,
        bound=bound, prior=prior, components=components, learned=learned, activation=activation,
    )  # fmt: skip
    return Flow(made, plane_prior(prior, components, learned), (2,), architecture)


def _layer(spec: LayerSpec, width: int, hidden: int, bins: int, bound: float, activation: str) -> Bijection:
    if spec.is_coupling:
        mask = ChannelMask(2, [AXES.index(spec.copies)])
        outputs = {"additive": 1, "affine": 2, "spline": 3 * bins - 1}[spec.kind]
        network = MLP(1, outputs, width, hidden, activation)
        if spec.kind == "additive":
            layer: Bijection = AdditiveCoupling(mask, network)
        elif spec.kind == "affine":
            layer = AffineCoupling(mask, network, STACK_SCALE_BOUND)
        else:
            layer = RationalQuadraticCoupling(mask, network, bins, bound)
    elif spec.kind == "scale":
        layer = DiagonalScale((2,))
    elif spec.kind == "swap":
        layer = Permutation.reverse(2)
    elif spec.kind == "rotation":
        layer = Rotation()
    else:
        layer = {"lu": LULinear, "linear": InvertibleLinear, "actnorm": ActNorm}[spec.kind](2)
    return layer.requires_grad_(not spec.frozen)


@torch.no_grad()
def keep_layers(flow: Flow, specs: tuple[LayerSpec, ...], source: Flow, source_specs: tuple[LayerSpec, ...]) -> list[int]:
    """Give the layers of ``flow`` the weights of those of ``source`` that have the same id, where kind and shapes agree.

    The prior's are taken too, where it is of the same kind. Both flows are made of exactly the layers that
    their specs say. Returns the ids of the layers that were kept.
    """
    known = {spec.id: (spec, layer) for spec, layer in zip(source_specs, source.layers, strict=True)}
    kept = []
    for spec, layer in zip(specs, flow.layers, strict=True):
        before = known.get(spec.id)
        if before is None or before[0].kind != spec.kind:
            continue
        if _take_up(layer, before[1]):
            kept.append(spec.id)
    if type(flow.prior) is type(source.prior):
        _take_up(flow.prior, source.prior)
    return kept


def _take_up(module: nn.Module, source: nn.Module) -> bool:
    state = source.state_dict()
    fits = {name: value.shape for name, value in module.state_dict().items()} == {n: v.shape for n, v in state.items()}
    if fits:
        module.load_state_dict(state)
    return fits


register_system("stack", stack, PLANE_PRIORS, {"components": MAX_COMPONENTS})
