"""Steps of Glow one after another as a single node of the autograd graph, each thread with its share of the batch.

With a tape the backward pass keeps no activations: it computes each step's input from its output, which is what a step is
for, so that nothing grows with depth (Gomez et al. 2017, The Reversible Residual Network, section 3).
"""
from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ...devices import to_float64
from ..threads import in_threads, shares
from .fold import Fold, fold, fold_backward
from .step import GlowStep, NetworkWeights, StepCache

__all__ = ["LONGEST", "GlowRun", "ReversibleOutput"]

LONGEST = 8
"""Steps in a run. Their gradients and matrices are held together, so without a bound they would grow with depth."""


class ReversibleOutput:
    """The features at the end of what has run so far of a chain: all that invertible backpropagation keeps of it."""

    def __init__(self) -> None:
        self.value: Tensor | None = None


class GlowRun:
    """A few alike steps. Shapes: features (N, H, W, C), log-det (N,)."""

    def __init__(self, steps: Sequence[GlowStep]) -> None:
        self.steps = list(steps)
        self.parameters: list[Tensor] = [p for step in self.steps for p in step.parameters]

    def encode(self, x: Tensor, log_det: Tensor, tape: ReversibleOutput | None) -> tuple[Tensor, Tensor]:
        """(N, H, W, C), (N,) -> the same, differentiable; with a tape, by invertible backpropagation."""
        return _Run.apply(x, log_det, self, tape, *self.parameters)

    def fold(self) -> Fold:
        """The channel maps of all steps."""
        return fold([step.actnorm for step in self.steps], [step.mixer for step in self.steps])

    def weights(self, threads: int) -> list[NetworkWeights]:
        """The networks' weights of all steps, made ready by so many threads."""
        ready = in_threads(lambda number: [step.weights() for step in self.steps[number::threads]], threads)
        return [ready[i % threads][i // threads] for i in range(len(self.steps))]


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, log_det: Tensor, run: GlowRun, tape: ReversibleOutput | None, *_: nn.Parameter):
        made, parts = run.fold(), shares(x)
        nets = run.weights(len(parts))
        maps = list(zip(made.matrix.unbind(), made.offset.unbind(), strict=True))

        def share(number: int) -> tuple[Tensor, Tensor, list[StepCache | None]]:
            h, total, kept = x[parts[number]], log_det[parts[number]], []
            for step, net, (matrix, offset) in zip(run.steps, nets, maps, strict=True):
                h, term, left = step.forward(net, matrix, offset, h, keep=tape is None)
                total = total if term is None else total + term
                kept.append(left)
            return h, total, kept

        done = in_threads(share, len(parts))
        z = torch.cat([h for h, _, _ in done]) if len(done) > 1 else done[0][0]
        total = torch.cat([total for _, total, _ in done]) if len(done) > 1 else done[0][1]
        ctx.run, ctx.tape, ctx.parts = run, tape, parts
        if tape is None:
            ctx.left = made, nets, [kept for _, _, kept in done]
        else:
            tape.value = z.detach()
        return z, total + x.shape[1] * x.shape[2] * made.log_det.sum()

    @staticmethod
    @once_differentiable
    def backward(ctx, g_z: Tensor, g_log_det: Tensor):
        run, tape, parts = ctx.run, ctx.tape, ctx.parts
        if tape is None:
            made, nets, kept = ctx.left
            del ctx.left
        else:
            made, nets = run.fold(), run.weights(len(parts))
            inverse = torch.linalg.inv(to_float64(made.matrix))
            offsets = -(inverse @ to_float64(made.offset)[:, :, None])[:, :, 0]
            inverse, offsets = inverse.to(made.matrix), offsets.to(made.matrix)
        wants_x = ctx.needs_input_grad[0]

        def share(number: int):
            g, g_ld, gradients = g_z[parts[number]], g_log_det[parts[number]], []
            h = None if tape is None else tape.value[parts[number]].clone()
            for i in reversed(range(len(run.steps))):
                step, net = run.steps[i], nets[i]
                if tape is None:
                    left = kept[number].pop()
                else:
                    left = step.invert(net, inverse[i], offsets[i], h)
                    h = left.x
                g, *own = step.backward(net, made.matrix[i], left, g, g_ld, wants_x or i > 0)
                gradients.append(own)
            return g, h, gradients[::-1]

        done = in_threads(share, len(parts))
        if tape is not None:
            starts = [h for _, h, _ in done if h is not None]
            tape.value = torch.cat(starts) if len(starts) > 1 else starts[0]
        g_x = None if not wants_x else torch.cat([g for g, _, _ in done]) if len(done) > 1 else done[0][0]
        everywhere = [gradients for _, _, gradients in done]

        def add_up(number: int) -> None:
            for i in range(number, len(run.steps), len(parts)):
                everywhere[0][i] = _sum_of([gradients[i] for gradients in everywhere], made.matrix.dtype)

        in_threads(add_up, len(parts))
        first = everywhere[0]
        g_matrix = torch.stack([g for g, _, _ in first])
        g_offset = torch.stack([g for _, g, _ in first])
        actnorms, mixers = [step.actnorm for step in run.steps], [step.mixer for step in run.steps]
        places = g_z.shape[1] * g_z.shape[2]
        folded = fold_backward(actnorms, mixers, made, g_matrix, g_offset, places * g_log_det.sum())
        gradients = [g for own, (_, _, network) in zip(folded, first, strict=True) for g in (*own, *network)]
        return g_x, g_log_det, None, None, *gradients


def _sum_of(shares: list[tuple[Tensor, Tensor, list[Tensor]]], dtype: torch.dtype) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The gradients of one step, summed over the shares of the batch, in the parameters' precision."""
    (g_matrix, g_offset, own), *others = shares
    own = [g.to(dtype, memory_format=torch.contiguous_format) for g in own]
    for other_matrix, other_offset, other in others:
        g_matrix.add_(other_matrix)
        g_offset.add_(other_offset)
        for total, g in zip(own, other, strict=True):
            total.add_(g)
    return g_matrix, g_offset, own
