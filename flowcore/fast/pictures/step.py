"""One step of Glow (activation normalisation, 1×1 convolution, coupling), seen as one: what it holds, and its passes.

The definition is the three layers; here the same numbers come with fewer passes over memory. The features stay
(N, H, W, C), so that a channel mix is one matrix product and the halves are views of it, and the network's activations
are kept in the precision that it computes in.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...bijections import ActNorm, AdditiveCoupling, AffineCoupling, Bijection, ChannelMask
from ...model.networks import ConvNetwork
from ...modules import bias_of
from .fold import Mixer, alike, folds, parameters

__all__ = ["GlowStep", "NetworkWeights", "StepCache"]

_convolution_backward = torch.ops.aten.convolution_backward
_threshold_backward = torch.ops.aten.threshold_backward.grad_input


@dataclass(frozen=True)
class NetworkWeights:
    """A coupling network's weights in the precision that it computes in, channels last, and its pass without autograd."""

    first: tuple[Tensor, Tensor]
    middle: tuple[Tensor, Tensor]
    last: tuple[Tensor, Tensor]
    gain: Tensor | None
    """Of the result; None where the last weights hold it already."""
    input_bound: float
    place: Tensor | None = None
    """Of the first hidden layer, (1, width, H, W); None where all places are alike."""

    @classmethod
    def of(cls, net: ConvNetwork, dtype: torch.dtype, folded: bool) -> NetworkWeights:
        """As they are now; ``folded``: copies of them, the gain in the last ones."""

        def ready(layer: nn.Conv2d, gain: float = 1.0) -> tuple[Tensor, Tensor]:
            weight, bias = ((p.detach() * gain if folded else p.detach()) for p in (layer.weight, bias_of(layer)))
            return weight.to(dtype, memory_format=torch.channels_last), bias.to(dtype)

        own = net.last.weight
        gain = None if folded else torch.full((1,), net.last.gain, dtype=own.dtype, device=own.device)
        place = net.place
        if place is not None:
            place = place.detach()[None].to(dtype).contiguous(memory_format=torch.channels_last)
        return cls(ready(net.first), ready(net.middle), ready(net.last, net.last.gain), gain, net.input_bound, place)

    def run(self, kept: Tensor, keep: bool = False) -> tuple[Tensor, Tensor, tuple[Tensor, ...], Tensor | None]:
        """kept (N, H, W, C') -> log-scale and shift before the clamp in the features' precision, the input, and, to ``keep``, the
        hidden layers and the slope of the input's bound."""
        dtype, slope, hidden = kept.dtype, None, ()
        if self.input_bound:
            squashed = (kept / self.input_bound).tanh_()
            slope = 1 - squashed.square() if keep else None
            kept = squashed.mul_(self.input_bound)
        x = kept.to(self.first[0].dtype, memory_format=torch.contiguous_format)
        h = F.conv2d(x.permute(0, 3, 1, 2), *self.first, padding=1)
        h = (h if self.place is None else h.add_(self.place)).relu_()
        if keep:
            hidden = (h,)
        h = F.conv2d(h, *self.middle).relu_()
        if keep:
            hidden = (*hidden, h)
        out = F.conv2d(h, *self.last, padding=1).permute(0, 2, 3, 1)
        return out.to(dtype) if self.gain is None else out * self.gain, x, hidden, slope


@dataclass
class StepCache:
    """What a step's pass leaves for its backward pass: tensors (N, H, W, ·) of its share of the batch."""

    x: Tensor
    changed: Tensor
    squashed: Tensor | None
    """tanh of the log-scale's raw value; None where the coupling is additive."""
    scale: Tensor | None
    network_input: Tensor
    hidden: tuple[Tensor, ...]
    slope: Tensor | None
    """Of the soft bound on the network's input; None where there is none."""


class GlowStep:
    """Views of the three layers of a step, which own the weights; given are three that :meth:`matches`."""

    def __init__(self, layers: Sequence[Bijection]) -> None:
        actnorm, mixer, coupling = layers
        assert isinstance(actnorm, ActNorm) and isinstance(mixer, Mixer)
        assert isinstance(coupling, AffineCoupling | AdditiveCoupling) and isinstance(coupling.network, ConvNetwork)
        self.actnorm, self.mixer, self.coupling = actnorm, mixer, coupling
        self.network = coupling.network
        self.kept = coupling.mask.kept_channels
        self.changed = coupling.mask.changed_channels
        self.bound: float | None = coupling.bound if isinstance(coupling, AffineCoupling) else None
        self.folded = parameters(actnorm, mixer)
        net = self.network
        self.convolutions = [p for layer in (net.first, net.middle, net.last) for p in (layer.weight, bias_of(layer))]
        self.places: list[Tensor] = [] if net.place is None else [net.place]

    @property
    def parameters(self) -> list[Tensor]:
        """All weights, the folded layers' first."""
        return self.folded + self.convolutions + self.places

    @staticmethod
    def matches(layers: Sequence[Bijection]) -> bool:
        """Whether these three layers are a step that this file knows."""
        if len(layers) != 3 or not folds(*layers[:2]) or not isinstance(layers[2], AffineCoupling | AdditiveCoupling):
            return False
        mask, network = layers[2].mask, layers[2].network
        kept_first = isinstance(mask, ChannelMask) and mask.kept_first
        return kept_first and type(network) is ConvNetwork

    def like(self, other: GlowStep) -> bool:
        """Whether the two can be run together: same sizes, same kinds."""
        sizes = [p.shape for p in self.parameters] == [p.shape for p in other.parameters]
        bounds = (self.bound, self.network.input_bound) == (other.bound, other.network.input_bound)
        return sizes and bounds and alike((self.actnorm, self.mixer), (other.actnorm, other.mixer))

    # -- the network --------------------------------------------------------------------------------------------

    @property
    def precision(self) -> torch.dtype:
        """What the network computes in."""
        net = self.network
        return torch.bfloat16 if net.reduced and net.training else net.first.weight.dtype

    def weights(self) -> NetworkWeights:
        """The network's weights as they are now."""
        return NetworkWeights.of(self.network, self.precision, folded=False)

    @staticmethod
    def _run_backward(net: NetworkWeights, kept: StepCache, g_out: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The gradient of the network's input (N, H, W, C') and those of its parameters, in the network's precision."""
        dtype, width = net.first[0].dtype, len(net.first[1])
        h1, h2 = kept.hidden
        assert net.gain is not None  # it is folded into the weights of passes without gradients alone
        g_out = torch.mul(g_out, net.gain, out=torch.empty_like(g_out, dtype=dtype)).permute(0, 3, 1, 2)
        g_h2, g_last, g_last_bias = _convolution_backward(
            g_out, h2, net.last[0], [len(net.last[1])], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [True, True, True]
        )
        g_h2 = _threshold_backward(g_h2, h2, 0, grad_input=g_h2).permute(0, 2, 3, 1).reshape(-1, width)
        g_middle, g_middle_bias = g_h2.t() @ h1.permute(0, 2, 3, 1).reshape(-1, width), g_h2.sum(0)
        g_h1 = (g_h2 @ net.middle[0][:, :, 0, 0]).view(h1.shape[0], *h1.shape[2:], width).permute(0, 3, 1, 2)
        g_h1 = _threshold_backward(g_h1, h1, 0, grad_input=g_h1)
        g_x, g_first, g_first_bias = _convolution_backward(
            g_h1, kept.network_input.permute(0, 3, 1, 2), net.first[0], [width],
            [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [True, True, True],
        )  # fmt: skip
        gradients = [g_first, g_first_bias, g_middle[:, :, None, None], g_middle_bias, g_last, g_last_bias]
        if net.place is not None:
            gradients.append(g_h1.sum(0))
        g_x = g_x.permute(0, 2, 3, 1)
        return g_x if kept.slope is None else g_x * kept.slope, gradients

    # -- the step -----------------------------------------------------------------------------------------------

    def forward(
        self, net: NetworkWeights, matrix: Tensor, offset: Tensor, x: Tensor, keep: bool
    ) -> tuple[Tensor, Tensor | None, StepCache | None]:
        """x (N, H, W, C) -> z, the coupling's log-det (N,) or None where it is 0, and what the backward pass needs."""
        z = F.linear(x, matrix, offset)
        out, network_input, hidden, slope = net.run(z[..., : self.kept], keep)
        half = z[..., self.kept :]
        changed = half.clone() if keep else half
        squashed = scale = term = None
        if self.bound is None:
            half.add_(out)
        else:
            squashed, log_scale = self._log_scale(out, self.bound)
            term = log_scale.flatten(1).sum(1)
            scale = log_scale.exp()
            torch.addcmul(out[..., self.changed :], changed, scale, out=half)
        return z, term, StepCache(x, changed, squashed, scale, network_input, hidden, slope) if keep else None

    def _log_scale(self, out: Tensor, bound: float) -> tuple[Tensor, Tensor]:
        """tanh of the raw log-scale, and the log-scale: the same where the bound is 1."""
        raw = out[..., : self.changed]
        if bound == 1.0:
            squashed = raw.tanh()
            return squashed, squashed
        squashed = (raw / bound).tanh_()
        return squashed, squashed * bound

    def invert(self, net: NetworkWeights, inverse: Tensor, offset: Tensor, z: Tensor) -> StepCache:
        """What :meth:`forward` keeps, from its result z (N, H, W, C), which is overwritten; x = inverse · y + offset."""
        out, network_input, hidden, slope = net.run(z[..., : self.kept], True)
        half = z[..., self.kept :]
        squashed = scale = None
        if self.bound is None:
            half.sub_(out)
        else:
            squashed, log_scale = self._log_scale(out, self.bound)
            scale = log_scale.exp()
            half.sub_(out[..., self.changed :]).div_(scale)
        return StepCache(F.linear(z, inverse, offset), half, squashed, scale, network_input, hidden, slope)

    def backward(
        self, net: NetworkWeights, matrix: Tensor, kept: StepCache, g_z: Tensor, g_log_det: Tensor, wants_x: bool
    ) -> tuple[Tensor | None, Tensor, Tensor, list[Tensor]]:
        """Gradients of x (None if not wanted), the matrix, its offset, and the network's parameters in its own precision."""
        g_changed = g_z[..., self.kept :]
        if kept.squashed is None or kept.scale is None:
            g_out, g_through = g_changed, g_changed
        else:
            g_through = kept.scale * g_changed
            g_log_scale = (g_through * kept.changed).add_(g_log_det.view(-1, 1, 1, 1))
            # The slope of the soft clamp.
            g_raw = g_log_scale.addcmul_(g_log_scale, kept.squashed.square(), value=-1)
            g_out = torch.cat([g_raw, g_changed], -1)
        g_kept, gradients = self._run_backward(net, kept, g_out)
        g_y = torch.cat([g_z[..., : self.kept] + g_kept, g_through], -1)
        flat = g_y.view(-1, g_y.shape[-1])
        g_matrix = flat.t() @ kept.x.view(flat.shape)
        return g_y @ matrix if wants_x else None, g_matrix, flat.sum(0), gradients
