"""ActNorm and the 1×1 convolution after it as one affine map of the channels, for several steps at once.

W(s ∘ (x + b)) = A x + c with A = W · diag(s) and c = W(s ∘ b): one product where there were two passes. All matrices of a
run of steps are made together, and the gradients are written out: these are dozens of kernels on tiny matrices, which one
by one would cost more than the matrices' use.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...bijections import ActNorm, InvertibleLinear, LULinear, Permutation
from ...bijections.base import soft_clamp
from ...devices import to_float64

__all__ = ["Fold", "Mixer", "alike", "fold", "fold_backward", "folds", "parameters"]

Mixer = LULinear | InvertibleLinear | Permutation

_OWN = {LULinear: ("lower", "upper", "raw_log_diagonal"), InvertibleLinear: ("matrix",), Permutation: ()}


@dataclass(frozen=True)
class Fold:
    """z = A x + c on the channels for each of K steps, log |det A|, and what the backward pass needs again."""

    matrix: Tensor
    """A, (K, C, C)."""
    offset: Tensor
    """c, (K, C)."""
    log_det: Tensor
    """log |det A|, (K,): of one place."""
    bias: Tensor
    log_scale: Tensor
    scale: Tensor
    weight: Tensor
    """W alone, (K, C, C)."""
    lower: Tensor | None = None
    """P·L of an LU layer."""
    upper: Tensor | None = None
    log_diagonal: Tensor | None = None


def folds(actnorm: nn.Module, mixer: nn.Module) -> bool:
    """Whether the two can be folded."""
    return type(actnorm) is ActNorm and type(mixer) in _OWN


def alike(a: tuple[ActNorm, Mixer], b: tuple[ActNorm, Mixer]) -> bool:
    """Whether two pairs can be folded together."""
    bounds = a[0].bound == b[0].bound and getattr(a[1], "bound", None) == getattr(b[1], "bound", None)
    return type(a[1]) is type(b[1]) and a[0].channels == b[0].channels and bounds


def parameters(actnorm: ActNorm, mixer: Mixer) -> list[Tensor]:
    """In the order in which :func:`fold_backward` returns gradients."""
    return [actnorm.bias, actnorm.raw_log_scale, *(getattr(mixer, name) for name in _OWN[type(mixer)])]


def fold(actnorms: Sequence[ActNorm], mixers: Sequence[Mixer], precise: bool = False) -> Fold:
    """K pairs as K affine maps, with ``precise`` in float64, on the CPU where the parameters' device has none."""

    def stack(layers: Sequence[nn.Module], name: str) -> Tensor:
        stacked = torch.stack(_each(layers, name))
        return to_float64(stacked) if precise else stacked

    mixer = mixers[0]
    bias = stack(actnorms, "bias")
    log_scale = soft_clamp(stack(actnorms, "raw_log_scale"), actnorms[0].bound)
    scale, log_det = log_scale.exp(), log_scale.sum(1)
    lower = upper = log_diagonal = None
    if isinstance(mixer, LULinear):
        log_diagonal = soft_clamp(stack(mixers, "raw_log_diagonal"), mixer.bound)
        lower = stack(mixers, "lower").tril(-1)
        lower.diagonal(dim1=1, dim2=2).fill_(1.0)
        upper = stack(mixers, "upper").triu(1)
        upper.diagonal(dim1=1, dim2=2).copy_(stack(mixers, "sign") * log_diagonal.exp())
        lower = stack(mixers, "permutation") @ lower
        weight = lower @ upper
        log_det = log_det + log_diagonal.sum(1)
    elif isinstance(mixer, InvertibleLinear):
        weight = stack(mixers, "matrix")
        log_det = log_det + torch.linalg.slogdet(to_float64(weight))[1].to(weight)
    else:
        identity = torch.eye(bias.shape[1], dtype=bias.dtype, device=bias.device)
        weight = torch.stack([identity[order.to(bias.device)] for order in _each(mixers, "order")])
    offset = (weight @ (scale * bias)[:, :, None])[:, :, 0]
    return Fold(weight * scale[:, None, :], offset, log_det, bias, log_scale, scale, weight, lower, upper, log_diagonal)


def fold_backward(
    actnorms: Sequence[ActNorm], mixers: Sequence[Mixer], made: Fold, g_matrix: Tensor, g_offset: Tensor, g_log_det: Tensor
) -> list[list[Tensor]]:
    """For each pair the gradients of its :func:`parameters`, given those of A (K, C, C), c (K, C) and log |det A| (a scalar)."""
    scale, weight, mixer = made.scale, made.weight, mixers[0]
    pulled = (weight.transpose(1, 2) @ g_offset[:, :, None])[:, :, 0]
    g_bias = scale * pulled
    g_log_scale = ((g_matrix * weight).sum(1) + made.bias * pulled) * scale + g_log_det
    gradients = [g_bias, g_log_scale * _slope(made.log_scale, actnorms[0].bound)]
    g_weight = torch.baddbmm(g_matrix * scale[:, None, :], g_offset[:, :, None], (scale * made.bias)[:, None, :])
    if isinstance(mixer, LULinear):
        assert made.lower is not None and made.upper is not None and made.log_diagonal is not None
        permutation = torch.stack(_each(mixers, "permutation"))
        g_lower = permutation.transpose(1, 2) @ g_weight @ made.upper.transpose(1, 2)
        g_upper = made.lower.transpose(1, 2) @ g_weight
        g_diagonal = (g_upper * made.upper).diagonal(dim1=1, dim2=2) + g_log_det
        gradients += [g_lower.tril(-1), g_upper.triu(1), g_diagonal * _slope(made.log_diagonal, mixer.bound)]
    elif isinstance(mixer, InvertibleLinear):
        gradients.append(g_weight + g_log_det * torch.linalg.inv(to_float64(weight)).transpose(1, 2).to(weight))
    # Each parameter's gradient is memory of its own: autograd keeps it as it is, and a view would keep all of them.
    return [[g.clone() for g in own] for own in zip(*gradients, strict=True)]


def _each(layers: Sequence[nn.Module], name: str) -> list[Tensor]:
    """The tensors of that name, layer by layer."""
    return [getattr(layer, name) for layer in layers]


def _slope(bounded: Tensor, bound: float) -> Tensor:
    """The derivative of the soft clamp, where its value is ``bounded``."""
    return 1 - (bounded / bound).square()
