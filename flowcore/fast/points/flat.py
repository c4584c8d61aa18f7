"""All parameters of a module in one tensor, so that an optimiser, a norm or an average is one call and not one each."""
from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["FlatAdam", "FlatParameters"]

_ALIGNMENT = 64
"""Bytes. A parameter starts on a cache line, as one with memory of its own would."""


class FlatParameters:
    """The parameters of ``module`` as views of one vector, ``values``, and their gradients of another, ``gradient``.

    Names, shapes and values stay as they were, so the module works on as before: state dict, autograd (which adds into
    ``gradient``), `load_state_dict`. A deep copy of the module has parameters of its own again. What moves the
    parameters away (``module.to(…)``) breaks the tie, which :meth:`check` reports; then make another one.

    Between two parameters there may be a few numbers of padding, always 0 in both vectors.

    Raises:
        ValueError: if the parameters differ in dtype or device.
    """

    def __init__(self, module: nn.Module) -> None:
        named = list(module.named_parameters())
        if len({(parameter.dtype, parameter.device) for _, parameter in named}) > 1:
            raise ValueError("The parameters must share one dtype and one device to be laid out flat.")
        like = named[0][1] if named else torch.empty(0)
        unit = max(1, _ALIGNMENT // like.element_size())
        self.places: list[tuple[int, torch.Size]] = []
        total = 0
        for _, parameter in named:
            self.places.append((total, parameter.shape))
            total += -(-parameter.numel() // unit) * unit
        self.values = torch.zeros(total, dtype=like.dtype, device=like.device)
        self.gradient = torch.zeros_like(self.values)
        self.names = [name for name, _ in named]
        views, gradients = self.split(self.values), self.split(self.gradient)
        replaced: dict[int, nn.Parameter] = {}
        for (_, old), view, gradient in zip(named, views, gradients, strict=True):
            view.copy_(old.detach())
            # A parameter made of a view shares its version counter: what is cached by version sees changes of `values`.
            new = nn.Parameter(view, requires_grad=old.requires_grad)
            if old.requires_grad:
                new.grad = gradient
            replaced[id(old)] = new
        for child in module.modules():
            for name, parameter in child._parameters.items():
                if parameter is not None:
                    child._parameters[name] = replaced[id(parameter)]
        self.parameters = list(replaced.values())
        self._gradients = {id(p): gradient for p, gradient in zip(self.parameters, gradients, strict=True)}

    def split(self, vector: Tensor) -> list[Tensor]:
        """The parts of a vector laid out like ``values`` that belong to the parameters: views, in their shapes."""
        return [vector[start : start + shape.numel()].view(shape) for start, shape in self.places]

    def gradient_of(self, parameter: Tensor) -> Tensor:
        """The view of ``gradient`` that belongs to a parameter."""
        return self._gradients[id(parameter)]

    def clear_gradient(self) -> None:
        """Set the gradient to zero, and tie it to the parameters again should somebody have taken it away."""
        self.gradient.zero_()
        for parameter in self.parameters:
            if parameter.requires_grad:
                parameter.grad = self._gradients[id(parameter)]

    def check(self) -> None:
        """Raise RuntimeError if the module's parameters are no longer views of ``values``."""
        base = self.values.data_ptr()
        size = self.values.element_size()
        for parameter, (start, _) in zip(self.parameters, self.places, strict=True):
            if parameter.data_ptr() != base + start * size:
                raise RuntimeError(
                    "The module was moved or its parameters replaced since they were laid out flat; lay them out again."
                )


class FlatAdam:
    """Adam (Kingma & Ba 2015, algorithm 1) on one vector; the same numbers as `torch.optim.Adam` on its parts.

    ``step`` scales the gradient down to the norm ``clip`` first where it is longer.
    """

    def __init__(self, flat: FlatParameters, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8) -> None:
        self.flat, self.betas, self.eps = flat, betas, eps
        self.count = 0
        self.exp_avg = torch.zeros_like(flat.values)
        self.exp_avg_sq = torch.zeros_like(flat.values)
        self._denominator = torch.empty_like(flat.values)

    @torch.no_grad()
    def step(self, learning_rate: float, clip: float | None = None) -> float:
        """Take a step; returns the norm of the gradient. One that is not finite changes nothing."""
        gradient, (first, second) = self.flat.gradient, self.betas
        norm = float(torch.dot(gradient, gradient)) ** 0.5
        if not norm < float("inf"):
            return norm
        if clip is not None and norm > clip:
            gradient.mul_(clip / (norm + 1e-6))
        self.count += 1
        self.exp_avg.lerp_(gradient, 1.0 - first)
        self.exp_avg_sq.mul_(second).addcmul_(gradient, gradient, value=1.0 - second)
        correction = (1.0 - second**self.count) ** 0.5
        torch.sqrt(self.exp_avg_sq, out=self._denominator).add_(self.eps * correction)
        size = learning_rate * correction / (1.0 - first**self.count)
        self.flat.values.addcdiv_(self.exp_avg, self._denominator, value=-size)
        return norm
