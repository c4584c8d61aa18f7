"""Invertible backpropagation through any bijection: its input is computed again from its output, not kept."""
from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ...bijections import Bijection
from .run import ReversibleOutput

__all__ = ["encode_reversibly"]


def encode_reversibly(layer: Bijection, x: Tensor, log_det: Tensor, tape: ReversibleOutput) -> tuple[Tensor, Tensor]:
    """``layer.encode(x)`` with its log-det added to ``log_det``; differentiable, and keeps nothing.

    The layers of one tape must follow each other without another node between them. The backward pass costs one decode
    and one more encode of each (Gomez et al. 2017, The Reversible Residual Network, algorithm 1).
    """
    return _Reversible.apply(x, log_det, layer, tape, *layer.parameters())


class _Reversible(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, log_det: Tensor, layer: Bijection, tape: ReversibleOutput, *_: Tensor):
        z, term = layer.encode(x)
        tape.value = z
        ctx.layer, ctx.tape = layer, tape
        return z, log_det + term

    @staticmethod
    @once_differentiable
    def backward(ctx, g_z: Tensor, g_log_det: Tensor):
        x = ctx.layer.decode(ctx.tape.value)
        ctx.tape.value = x
        parameters = list(ctx.layer.parameters())
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            z, term = ctx.layer.encode(x)
            wanted = [x, *(p for p in parameters if p.requires_grad)]
            outputs, given = [z], [g_z]
            if term.requires_grad:
                outputs, given = [z, term], [g_z, g_log_det]
            found = iter(torch.autograd.grad(outputs, wanted, given, allow_unused=True))
        g_x = next(found)
        return g_x, g_log_det, None, None, *(next(found) if p.requires_grad else None for p in parameters)
