"""Any layers one after another as a single node of the autograd graph, each thread with its share of the batch.

Every thread has a graph of its own share; the backward pass goes through all of them at once and adds up what they say of
the parameters.
"""
from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ...bijections import Bijection
from ..threads import in_threads, shares

__all__ = ["encode_shared"]


def encode_shared(layers: Sequence[Bijection], x: Tensor, log_det: Tensor) -> tuple[Tensor, Tensor]:
    """What encoding by all ``layers`` gives, their log-dets added to ``log_det`` (N,); differentiable."""
    parameters = [p for layer in layers for p in layer.parameters() if p.requires_grad]
    return _Shared.apply(x, log_det, layers, *parameters)


class _Shared(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, log_det: Tensor, layers: Sequence[Bijection], *parameters: nn.Parameter):
        parts = shares(x)
        wants_x = ctx.needs_input_grad[0]

        def share(number: int) -> tuple[Tensor, Tensor, Tensor]:
            with torch.enable_grad():
                given = x[parts[number]].detach().requires_grad_(wants_x)
                h, total = given, given.new_zeros(given.shape[0])
                for layer in layers:
                    h, term = layer.encode(h)
                    total = total + term
            return given, h, total

        ctx.graphs, ctx.parts, ctx.parameters = in_threads(share, len(parts)), parts, parameters
        z, total = (torch.cat([graph[at].detach() for graph in ctx.graphs]) for at in (1, 2))
        return z, log_det + total

    @staticmethod
    @once_differentiable
    def backward(ctx, g_z: Tensor, g_log_det: Tensor):
        graphs, parts, parameters = ctx.graphs, ctx.parts, ctx.parameters
        del ctx.graphs
        wants_x = ctx.needs_input_grad[0]

        def share(number: int) -> Sequence[Tensor | None]:
            given, h, total = graphs[number]
            wanted = [*([given] if wants_x else []), *parameters]
            pairs = [(h, g_z[parts[number]]), (total, g_log_det[parts[number]])]
            pairs = [(output, g) for output, g in pairs if output.requires_grad]
            if not pairs or not wanted:
                return [None] * len(wanted)
            outputs, gradients = zip(*pairs, strict=True)
            return torch.autograd.grad(outputs, wanted, gradients, allow_unused=True)

        done = [list(found) for found in in_threads(share, len(parts))]
        g_x = torch.cat([_first(found) for found in done]) if wants_x else None
        return g_x, g_log_det, None, *(_sum(column) for column in zip(*done, strict=True))


def _first(gradients: list[Tensor | None]) -> Tensor:
    """That of x, taken out: there is one, since x goes through every layer."""
    found = gradients.pop(0)
    assert found is not None
    return found


def _sum(gradients: Sequence[Tensor | None]) -> Tensor | None:
    found = [g for g in gradients if g is not None]
    return sum(found[1:], start=found[0]) if found else None
