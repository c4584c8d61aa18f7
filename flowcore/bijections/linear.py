"""Invertible 1×1 convolutions, plain and LU (Kingma & Dhariwal 2018, Glow, section 3.2)."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..devices import has_float64, to_float64
from ..errors import NonFiniteError
from .base import Bijection, soft_clamp, soft_clamp_inverse

__all__ = ["ChannelLinear", "InvertibleLinear", "LULinear"]


def _random_rotation(channels: int) -> Tensor:
    """A random orthogonal matrix with determinant +1: log-det starts at 0. On the meta device a shape alone."""
    if torch.get_default_device().type == "meta":
        return torch.empty(channels, channels, dtype=torch.float64)
    q, _ = torch.linalg.qr(torch.randn(channels, channels, dtype=torch.float64, device="cpu"))
    if torch.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return q


def _inverse(weight: Tensor) -> Tensor:
    """W⁻¹ (C, C), computed in float64. Raises `NonFiniteError` where there is none."""
    try:
        return torch.linalg.inv(to_float64(weight)).to(weight)
    except torch.linalg.LinAlgError:  # pyright: ignore[reportPrivateImportUsage]  # documented, and not in __all__
        raise NonFiniteError("A 1×1 convolution of this model has no inverse, so nothing can be decoded.") from None


class ChannelLinear(Bijection):
    """z[:, :, i, j] = W x[:, :, i, j]; log-det = H·W·log|det W|. Shapes (N, C, H, W) or (N, C)."""

    kind = "linear"
    channels: int

    def weight(self) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define weight")

    def log_abs_det(self) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define log_abs_det")

    def __init__(self) -> None:
        super().__init__()
        self._cache: tuple[tuple, Tensor] | None = None

    @staticmethod
    def _apply_matrix(matrix: Tensor, x: Tensor) -> Tensor:
        if x.dim() == 2:
            return x @ matrix.t()
        return F.conv2d(x, matrix[:, :, None, None])

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        places = x[0, 0].numel()
        return self._apply_matrix(self.weight(), x), self.constant_log_det(x, places * self.log_abs_det())

    def decode(self, z: Tensor) -> Tensor:
        return self._apply_matrix(self.inverse_weight(), z)

    def inverse_weight(self) -> Tensor:
        """W⁻¹, computed in float64 and kept until a parameter changes (by value, device or dtype)."""
        if self._cache is not None and torch.compiler.is_compiling():
            return self._cache[1]  # of a flow that is exported, whose weights stay
        parameters = tuple(self.parameters())
        key = tuple((p.data_ptr(), p._version, p.dtype, p.device) for p in parameters)
        if torch.is_grad_enabled() and any(p.requires_grad for p in parameters):
            return _inverse(self.weight())
        if self._cache is None or self._cache[0] != key:
            with torch.inference_mode(False), torch.no_grad():  # kept beyond the call that asked for it
                self._cache = (key, _inverse(self.weight()))
        return self._cache[1]

    def extra_repr(self) -> str:
        return f"channels={self.channels}"


class InvertibleLinear(ChannelLinear):
    """W itself is the parameter, a random rotation at first; log|det W| by a factorisation at each step."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.matrix = nn.Parameter(_random_rotation(channels).to(torch.get_default_dtype()))

    def weight(self) -> Tensor:
        return self.matrix

    def log_abs_det(self) -> Tensor:
        found = torch.linalg.slogdet(to_float64(self.matrix))[1]
        return found if has_float64(self.matrix.device) else found.to(self.matrix)


class LULinear(ChannelLinear):
    """W = P · L · (U + diag(sign · exp(s))), so that log|det W| = Σ s (Glow, equation 10).

    P is a fixed permutation and the signs are fixed; L is unit lower triangular, U strictly upper triangular, both
    masked at use, so that W and its log-det cannot part. s is softly bounded to ±``bound``. W starts as a random rotation,
    or with ``principal`` as the principal axes of the first batch, the widest first.
    """

    permutation: Tensor
    sign: Tensor

    def __init__(self, channels: int, bound: float = 3.0, principal: bool = False) -> None:
        super().__init__()
        self.channels, self.bound, self.principal = channels, bound, principal
        dtype = torch.get_default_dtype()
        self.lower = nn.Parameter(torch.zeros(channels, channels, dtype=dtype))
        self.upper = nn.Parameter(torch.zeros(channels, channels, dtype=dtype))
        self.raw_log_diagonal = nn.Parameter(torch.zeros(channels, dtype=dtype))
        self.register_buffer("permutation", torch.zeros(channels, channels, dtype=dtype))
        self.register_buffer("sign", torch.ones(channels, dtype=dtype))
        rotation = _random_rotation(channels)
        if not rotation.is_meta:
            self._set(rotation)

    @torch.no_grad()
    def _set(self, weight: Tensor) -> None:
        """Let W be ``weight`` (C, C)."""
        permutation, lower, upper = torch.linalg.lu(weight)
        diagonal = upper.diagonal()
        self.permutation.copy_(permutation)
        self.lower.copy_(lower.tril(-1))
        self.upper.copy_(upper.triu(1))
        self.raw_log_diagonal.copy_(soft_clamp_inverse(diagonal.abs().log(), self.bound))
        self.sign.copy_(diagonal.sign())

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        if not self.principal:
            return
        flat = to_float64(x.transpose(0, 1).flatten(1))
        flat = flat - flat.mean(1, keepdim=True)
        axes = torch.linalg.eigh(flat @ flat.t() / flat.shape[1])[1].flip(1)
        # An axis may point either way: the way in which its largest part is positive, so that equal pictures give equal axes.
        axes = axes * axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()
        self._set(axes.t())

    @property
    def log_diagonal(self) -> Tensor:
        return soft_clamp(self.raw_log_diagonal, self.bound)

    def weight(self) -> Tensor:
        identity = torch.eye(self.channels, dtype=self.lower.dtype, device=self.lower.device)
        upper = self.upper.triu(1) + torch.diag(self.sign * self.log_diagonal.exp())
        return self.permutation @ (self.lower.tril(-1) + identity) @ upper

    def log_abs_det(self) -> Tensor:
        return self.log_diagonal.sum()
