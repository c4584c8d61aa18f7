"""A step of Glow made ready for encoding and decoding without gradients: all that depends on the weights alone."""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .fold import fold
from .step import GlowStep, NetworkWeights

__all__ = ["StepWeights"]


@dataclass(frozen=True)
class StepWeights:
    """Both directions of one step as few products: features are (N, H, W, C), and :meth:`decode` overwrites them."""

    kept: int
    bound: float | None
    matrix: Tensor
    offset: Tensor
    inverse_across: Tensor
    """A⁻¹ as the right factor of a product: transposed."""
    inverse_offset: Tensor
    log_det: Tensor
    network: NetworkWeights

    @classmethod
    @torch.no_grad()
    def of(cls, step: GlowStep, precision: torch.dtype | None = None) -> StepWeights:
        """From the step's weights; the network in ``precision`` (that of the weights if None), the rest in the weights' own."""
        own = step.network.first.weight
        made = fold([step.actnorm], [step.mixer], precise=True)
        matrix, shift = made.matrix[0], made.offset[0]
        inverse = torch.linalg.inv(matrix)
        return cls(
            step.kept, step.bound, matrix.to(own), shift.to(own), inverse.t().contiguous().to(own),
            -(inverse @ shift).to(own), made.log_det[0].to(own),
            NetworkWeights.of(step.network, precision or own.dtype, folded=True),
        )  # fmt: skip

    def _scale_and_shift(self, kept: Tensor) -> tuple[Tensor | None, Tensor]:
        out = self.network.run(kept)[0]
        if self.bound is None:
            return None, out
        raw, shift = out.chunk(2, -1)
        # Calls, not arithmetic, are what a single picture costs: none that change nothing.
        log_scale = raw.tanh() if self.bound == 1.0 else torch.tanh(raw * (1 / self.bound)).mul_(self.bound)
        return log_scale, shift

    def encode(self, x: Tensor, log_det: Tensor) -> tuple[Tensor, Tensor]:
        """(N, H, W, C), (N,) -> the same."""
        y = F.linear(x, self.matrix, self.offset)
        kept, changed = y.split((self.kept, y.shape[-1] - self.kept), -1)
        log_scale, shift = self._scale_and_shift(kept)
        log_det = log_det + x.shape[1] * x.shape[2] * self.log_det
        if log_scale is None:
            changed.add_(shift)
            return y, log_det
        log_det += log_scale.flatten(1).sum(1)
        changed.mul_(log_scale.exp_()).add_(shift)
        return y, log_det

    def decode(self, z: Tensor) -> Tensor:
        """(N, H, W, C) -> the same; ``z`` is overwritten."""
        kept, changed = z.split((self.kept, z.shape[-1] - self.kept), -1)
        log_scale, shift = self._scale_and_shift(kept)
        changed.sub_(shift)
        if log_scale is not None:
            changed.div_(log_scale.exp_())
        n, height, width, channels = z.shape
        return torch.addmm(self.inverse_offset, z.view(-1, channels), self.inverse_across).view(n, height, width, channels)
