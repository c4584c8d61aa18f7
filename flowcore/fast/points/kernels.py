"""What a hand-derived layer of a flow of points has to be: the contract of :class:`PointsFlow`'s parts.

Points lie as columns: ``h`` is (D, N), contiguous, so that a dimension of all points is one row, a network's layer is
``W @ h + b`` and nothing is ever transposed. A *kernel* is one layer bound to a number of points ``n``, with every tensor
that it will ever write made beforehand. Its verbs, always called under no_grad:

``prepare()``
    compute what follows from the parameters alone (a matrix and its inverse, an exponential of a scale).
    Called once before a pass whenever parameters may have changed; most kernels have nothing to do.
``encode(x, log_det) -> z``
    z (D, N); adds this layer's log-det to ``log_det`` (N,) in place. With ``keep``, x must be left as it is (the kernel
    may keep a reference: it stays untouched until ``backward``), and so must whatever else ``backward`` is to read.
    z is the kernel's own tensor; without ``keep`` it may also be x itself, changed in place.
``decode(z) -> x``
    the inverse. x is the kernel's own tensor, or z changed in place.
``backward(dz, d_log_det) -> dx``
    after ``encode`` of a kernel made with ``keep``: given ∂L/∂z (D, N) and ∂L/∂log_det, *one number for all points*
    (a mean loss weighs every point alike), return ∂L/∂x, and *write* (not add) the gradient of every parameter into
    ``self.gradient_of(parameter)``. ``dz`` may be changed in place and returned.

A prior's kernel, a :class:`PriorKernel`, has ``prepare``, ``encode`` (its whitening) and ``decode`` in the same way, further
``log_prob(z) -> (N,)`` and ``backward(d_log_prob) -> dh``, the gradient through both its density and its whitening;
``d_log_prob`` is one number.

To add a kind of layer: a subclass of :class:`Kernel` in a file of its own, ``register(TheLayer, TheKernel)`` at its end (of a
prior, ``register_prior``), and an import of that file in ``flow.py``. ``Kernel.accepts(layer)`` may decline single layers. What
is not registered, or declined, goes by :class:`AutogradKernel`: plain autograd around the layer itself, on the same parameters.

Memory comes from ``self.own(*shape)``, which no other kernel touches, or ``self.scratch(name, *shape)``: with ``keep``
it too is the kernel's own; without, all kernels that ask for the same name and shape share it, so that a pass
over many layers stays in the processor's cache. ``self.passing(name, *shape)`` is shared always: for what is used up before
a verb returns. Results (z, x, dx) must be ``own``, or what came in, changed in place.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from ...bijections import Bijection
from ...model.priors import StandardPrior

__all__ = [
    "AutogradKernel", "AutogradPriorKernel", "Context", "Kernel", "PriorKernel", "kernel_for", "prior_kernel_for", "register",
    "register_prior",
]  # fmt: skip


class Context:
    """What the kernels of one pass share: how many points, of what type, and where memory and gradients are."""

    def __init__(
        self, dims: int, n: int, dtype: torch.dtype, keep: bool, gradient_of: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        self.dims, self.n, self.dtype, self.keep = dims, n, dtype, keep
        self._gradient_of = gradient_of
        self._shared: dict[tuple, Tensor] = {}

    def gradient_of(self, parameter: Tensor) -> Tensor:
        if self._gradient_of is None:
            raise RuntimeError("This pass was made without gradients.")
        return self._gradient_of(parameter)

    def own(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=self.dtype)

    def scratch(self, name: str, *shape: int) -> Tensor:
        return self.own(*shape) if self.keep else self.passing(name, *shape)

    def passing(self, name: str, *shape: int) -> Tensor:
        if (name, shape) not in self._shared:
            self._shared[name, shape] = self.own(*shape)
        return self._shared[name, shape]


class _Bound:
    """What the kernels of layers and of priors have in common."""

    @classmethod
    def accepts(cls, layer: nn.Module) -> bool:
        return True

    def __init__(self, layer: nn.Module, context: Context) -> None:
        self.layer, self.context = layer, context
        self.n, self.dims, self.keep = context.n, context.dims, context.keep
        self.own, self.scratch, self.passing = context.own, context.scratch, context.passing
        self.gradient_of = context.gradient_of

    def prepare(self) -> None:
        pass

    def encode(self, x: Tensor, log_det: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define encode")

    def decode(self, z: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define decode")


class Kernel(_Bound):
    """A layer bound to a pass; see the module's docstring for what each verb promises."""

    def backward(self, dz: Tensor, d_log_det: float) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define backward")


class PriorKernel(_Bound):
    """A prior bound to a pass; see the module's docstring for what each verb promises."""

    def log_prob(self, z: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define log_prob")

    def backward(self, d_log_prob: float) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define backward")


class AutogradKernel(Kernel):
    """Any layer, by the layer itself and autograd."""

    layer: Bijection

    def encode(self, x: Tensor, log_det: Tensor) -> Tensor:
        if not self.keep:
            z, term = self.layer.encode(x.t())
            log_det.add_(term)
            return z.t().contiguous()
        with torch.enable_grad():
            self._x = x.t().detach().requires_grad_()
            self._z, self._term = self.layer.encode(self._x)
        log_det.add_(self._term.detach())
        return self._z.detach().t().contiguous()

    def decode(self, z: Tensor) -> Tensor:
        return self.layer.decode(z.t()).t().contiguous()

    def backward(self, dz: Tensor, d_log_det: float) -> Tensor:
        outputs, upstream = [self._z], [dz.t()]
        if self._term.requires_grad:
            outputs.append(self._term)
            upstream.append(torch.full_like(self._term, d_log_det))
        return _pull_back(self, self.layer, outputs, upstream, self._x)


class AutogradPriorKernel(PriorKernel):
    """Any prior, by the prior itself and autograd."""

    layer: StandardPrior

    def encode(self, x: Tensor, log_det: Tensor) -> Tensor:
        with torch.set_grad_enabled(self.keep):
            self._x = x.t().detach().requires_grad_(self.keep)
            self._z, self._term = self.layer.whiten(self._x)
        log_det.add_(self._term.detach())
        return self._z.detach().t().contiguous()

    def decode(self, z: Tensor) -> Tensor:
        return self.layer.unwhiten(z.t()).t().contiguous()

    def log_prob(self, z: Tensor) -> Tensor:
        if not self.keep:
            return self.layer.log_prob(z.t())
        with torch.enable_grad():
            self._log_prob = self.layer.log_prob(self._z)
        return self._log_prob.detach()

    def backward(self, d_log_prob: float) -> Tensor:
        outputs = [part for part in (self._log_prob, self._term) if part.requires_grad]
        upstream = [torch.full_like(part, d_log_prob) for part in outputs]
        return _pull_back(self, self.layer, outputs, upstream, self._x)


def _pull_back(kernel: _Bound, module: nn.Module, outputs: list[Tensor], upstream: list[Tensor], x: Tensor) -> Tensor:
    parameters = [p for p in module.parameters() if p.requires_grad]
    found = torch.autograd.grad(outputs, [x, *parameters], upstream, allow_unused=True)
    for parameter, gradient in zip(parameters, found[1:], strict=True):
        place = kernel.gradient_of(parameter)
        if gradient is None:
            place.zero_()
        else:
            place.copy_(gradient)
    return torch.zeros_like(x).t() if found[0] is None else found[0].t().contiguous()


_KERNELS: dict[type, type[Kernel]] = {}
_PRIOR_KERNELS: dict[type, type[PriorKernel]] = {}


def register(layer: type, kernel: type[Kernel]) -> None:
    """Let layers of exactly this type be computed by ``kernel``."""
    _KERNELS[layer] = kernel


def register_prior(prior: type, kernel: type[PriorKernel]) -> None:
    """Let priors of exactly this type be computed by ``kernel``."""
    _PRIOR_KERNELS[prior] = kernel


K = TypeVar("K", bound=_Bound)


def _chosen(layer: nn.Module, kernels: dict[type, type[K]], other: type[K]) -> type[K]:
    kernel = kernels.get(type(layer))
    return kernel if kernel is not None and kernel.accepts(layer) else other


def kernel_for(layer: nn.Module, context: Context) -> Kernel:
    """The kernel of a layer in a pass."""
    return _chosen(layer, _KERNELS, AutogradKernel)(layer, context)


def prior_kernel_for(prior: nn.Module, context: Context) -> PriorKernel:
    """The kernel of a prior in a pass."""
    return _chosen(prior, _PRIOR_KERNELS, AutogradPriorKernel)(prior, context)
