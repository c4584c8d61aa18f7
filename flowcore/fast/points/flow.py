"""A flow of points without autograd: loss, gradients, densities and both directions by hand-derived kernels.

Every number is the plain :class:`~flowcore.model.flow.Flow`'s, to rounding; it works on the very same module, whose parameters
are laid out flat (:mod:`flowcore.fast.points.flat`). On a processor a small flow's time goes into memory traffic and into
starting operations, not into arithmetic: so no graph is built, nothing is allocated, points lie as columns, and many of them are
passed on in pieces that stay in the processor's cache. What a layer has to offer is told in
:mod:`flowcore.fast.points.kernels`; layers that have no kernel go through autograd, alone.
"""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ...errors import ConfigError
from ...model.flow import Flow, Step
from ..threads import in_threads, threads
from . import couplings, linear, priors, spline  # noqa: F401 - their kernels register themselves
from .flat import FlatParameters
from .kernels import AutogradKernel, KernelContext, kernel_for, prior_kernel_for

__all__ = ["CHUNK", "TRAINING_CHUNK", "PointsFlow"]

CHUNK = 8192
"""Points encoded or decoded together."""
TRAINING_CHUNK = 8192
"""Points whose activations are kept at a time; a larger batch adds the gradients of its pieces up."""
_PASSES = 12


class _Pass:
    """All kernels of a flow, bound to a number of points."""

    def __init__(self, flow: Flow, n: int, keep: bool, flat: FlatParameters) -> None:
        context = KernelContext(flow.num_dims, n, flat.values.dtype, keep, flat.gradient_of if keep else None)
        self.kernels = [kernel_for(layer, context) for layer in flow.layers]
        self.prior = prior_kernel_for(flow.prior, context)
        self.h = context.own(flow.num_dims, n)
        self.log_det = context.own(n)
        self._values, self._version = flat.values, -1

    def prepare(self) -> None:
        """Follow the parameters, if they changed."""
        if self._version != self._values._version:
            self._version = self._values._version
            for kernel in self.kernels:
                kernel.prepare()
            self.prior.prepare()

    def encode(self, h: Tensor) -> Tensor:
        """h (D, N) -> z (D, N); leaves the log-det in ``log_det``."""
        self.prepare()
        log_det = self.log_det.zero_()
        for kernel in self.kernels:
            h = kernel.encode(h, log_det)
        return self.prior.encode(h, log_det)

    def decode(self, z: Tensor) -> Tensor:
        self.prepare()
        z = self.prior.decode(z)
        for kernel in reversed(self.kernels):
            z = kernel.decode(z)
        return z

    def backward(self, weight: float) -> None:
        """Write the gradient of weight · Σ log p of what :meth:`encode` and the prior's ``log_prob`` saw last."""
        gradient = self.prior.backward(weight)
        for kernel in reversed(self.kernels):
            gradient = kernel.backward(gradient, weight)


class PointsFlow:
    """The fast path of ``flow``, a flow of points (N, D) on the CPU without a condition.

    It holds no weights: those of the module are used as they are at each call. ``flat`` is their flat layout, made here
    where it is not given.

    Raises:
        ConfigError: if the flow is not one of points, is conditional, or is not on the CPU.
    """

    def __init__(self, flow: Flow, flat: FlatParameters | None = None) -> None:
        if len(flow.event_shape) != 1 or flow.num_classes or flow.device.type != "cpu":
            raise ConfigError("The fast path of points is for flows of points without classes, on the CPU.")
        self.flow = flow
        self.flat = flat or FlatParameters(flow)
        self._passes: OrderedDict[tuple[int, bool, int], _Pass] = OrderedDict()
        self._sum = torch.zeros_like(self.flat.values)

    @property
    def by_autograd(self) -> list[str]:
        """The names of the layers that have no kernel of their own."""
        kernels = self._pass(1, False).kernels
        names = (name for name, _ in self.flow.named_layers())
        return [name for name, kernel in zip(names, kernels, strict=True) if isinstance(kernel, AutogradKernel)]

    def _pass(self, n: int, keep: bool, thread: int = 0) -> _Pass:
        """The pass of so many points; its tensors are one thread's at a time."""
        key = n, keep, thread
        found = self._passes.get(key)
        if found is None:
            with torch.inference_mode(False), torch.no_grad():  # what one call makes, others will write to
                found = self._passes[key] = _Pass(self.flow, n, keep, self.flat)
            # More than a call needs at once are kept: one may not be thrown away while it runs.
            if len(self._passes) > _PASSES + 2 * threads():
                self._passes.popitem(last=False)
        else:
            self._passes.move_to_end(key)
        return found

    # -- training -----------------------------------------------------------------------------------------------

    @torch.no_grad()
    def loss_and_gradients(self, x: Tensor) -> float:
        """−mean log p(x) in nats of x (N, D); its gradient is left in ``flat.gradient``.

        x is best the transpose of a contiguous (D, N), which is then used as it is.
        """
        self._check(x)
        self.flat.check()
        self.flow.expect_learning()
        columns, count = x.t(), len(x)
        if count <= TRAINING_CHUNK:
            return self._piece(columns.contiguous(), count)
        self._sum.zero_()
        loss = 0.0
        for piece in columns.split(TRAINING_CHUNK, 1):
            loss += self._piece(piece.contiguous(), count)
            self._sum.add_(self.flat.gradient)
        self.flat.gradient.copy_(self._sum)
        return loss

    def _piece(self, columns: Tensor, count: int) -> float:
        run = self._pass(columns.shape[1], True)
        z = run.encode(columns)
        log_prob = run.prior.log_prob(z)
        loss = -float(run.log_det.add_(log_prob).sum()) / count
        run.backward(-1.0 / count)
        return loss

    # -- the passes ---------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, D) -> z (N, D), log_det (N,) in nats; raises as :meth:`Flow.encode` does."""
        self._check(x)
        z, log_det = torch.empty(x.shape, dtype=x.dtype), x.new_empty(len(x))

        def piece(run: _Pass, place: slice) -> None:
            z[place] = run.encode(run.h).t()
            log_det[place] = run.log_det

        self._in_pieces(x, piece)
        self._blame(self.flow.encode, x, z, log_det)
        return z, log_det

    @torch.no_grad()
    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) (N,) in nats of x (N, D); raises as :meth:`Flow.log_prob` does."""
        self._check(x)
        result = x.new_empty(len(x))

        def piece(run: _Pass, place: slice) -> None:
            torch.add(run.prior.log_prob(run.encode(run.h)), run.log_det, out=result[place])

        self._in_pieces(x, piece)
        self._blame(self.flow.encode, x, result)
        return result

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """z (N, D) -> x (N, D); raises as :meth:`Flow.decode` does."""
        self.flow.check_decodable(z)
        x = torch.empty(z.shape, dtype=z.dtype)

        def piece(run: _Pass, place: slice) -> None:
            x[place] = run.decode(run.h).t()

        self._in_pieces(z, piece)
        self._blame(self.flow.decode, z, x)
        return x

    @torch.no_grad()
    def decode_steps(self, z: Tensor) -> Iterator[Step]:
        """The states that :meth:`Flow.decode_steps` yields: after the prior and after every layer, (N, D) each."""
        self.flow.check_decodable(z)
        self.flat.check()
        run = self._pass(len(z), False)
        run.prepare()
        h = run.prior.decode(run.h.copy_(z.t()))
        yield Step("prior", h.t().contiguous(), None)
        names = [name for name, _ in self.flow.named_layers()]
        for name, kernel in zip(reversed(names), reversed(run.kernels), strict=True):
            h = kernel.decode(h)
            yield Step(name, h.t().contiguous(), None)

    def _in_pieces(self, points: Tensor, work: Callable[[_Pass, slice], None]) -> None:
        """``work`` on every piece, with its place: the pass's ``h`` holds its points as columns. Threads take them in turn."""
        self.flat.check()
        starts = range(0, len(points), CHUNK)
        workers = max(1, min(threads(), len(starts)))
        if len(starts) < 2 * workers:
            workers = 1  # two pieces do not repay waking a thread
        places = [slice(start, min(start + CHUNK, len(points))) for start in starts]
        passes = [{p.stop - p.start for p in places[number::workers]} for number in range(workers)]
        made = [{n: self._pass(n, False, number) for n in sizes} for number, sizes in enumerate(passes)]
        for runs in made:
            for run in runs.values():
                run.prepare()

        def share(number: int) -> None:
            for place in places[number::workers]:
                run = made[number][place.stop - place.start]
                run.h.copy_(points[place].t())
                work(run, place)

        in_threads(share, workers)

    # -- the rest -----------------------------------------------------------------------------------------------

    def _check(self, x: Tensor) -> None:
        if x.dim() != 2 or x.shape[1] != self.flow.num_dims:
            self.flow.check_event(x)

    def _blame(self, plain, given: Tensor, *results: Tensor) -> None:
        """Where a result is not finite, let the plain path say which layer gave it."""
        if not all(bool(torch.isfinite(result).all()) for result in results):
            plain(given)
