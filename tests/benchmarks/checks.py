"""Both sides compute the same kind of thing: held before anything is timed, and a failure keeps the row from being measured."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .peers import GlowSize, Model

__all__ = ["SMALL_GLOW", "check", "same_function"]

SMALL_GLOW = GlowSize((3, 8, 8), levels=2, steps=2, width=8)

_ROUND_TRIP = 1e-3  # of the picture's or point's own size, in float32
_LOG_DET = 1e-6  # relative, in float64


def check(model: Model, small: Model, x: Tensor, small_x: Tensor, networks: int | None = None) -> list[str]:
    """What is wrong with a model, in words; an empty list where nothing is.

    ``model`` is the one to be timed and ``x`` its batch; ``small`` is made of the same parts, few and narrow enough to take
    its whole Jacobian in float64; ``networks`` is how many parameters the couplings' networks must have.
    """
    wrong = []
    if networks is not None and model.network_parameter_count != networks:
        wrong.append(f"its networks have {model.network_parameter_count:,} parameters, not {networks:,}")
    wrong += _shapes_and_round_trip(model, x)
    return wrong + _log_det(small, small_x)


@torch.no_grad()
def _shapes_and_round_trip(model: Model, x: Tensor) -> list[str]:
    model.module.eval()
    z, log_det = model.encode(x)
    back, drawn, log_prob = model.decode(z), model.sample(2), model.log_prob(x)
    dims = x[0].numel()
    wrong = []
    for name, tensor, shape in [
        ("z", z.flatten(1), (len(x), dims)), ("log-det", log_det, (len(x),)), ("log-density", log_prob, (len(x),)),
        ("decoded x", back, tuple(x.shape)), ("sample", drawn, (2, *x.shape[1:])),
    ]:  # fmt: skip
        if tuple(tensor.shape) != shape:
            wrong.append(f"{name} has shape {tuple(tensor.shape)}, not {shape}")
        elif not torch.isfinite(tensor).all():
            wrong.append(f"{name} is not finite")
    if not wrong:
        error = float((back - x).abs().max() / x.abs().max())
        if error > _ROUND_TRIP:
            wrong.append(f"decode(encode(x)) is off by {error:.1e} of the largest value")
    return wrong


def _log_det(model: Model, x: Tensor) -> list[str]:
    """The log-det of each sample, and the log-density that follows, against the whole Jacobian by autograd, in float64."""
    model.module.double().eval()
    x = x.double()
    with torch.no_grad():
        (z, log_det), log_prob = model.encode(x), model.log_prob(x)
    wrong = []
    for number in range(len(x)):
        jacobian = torch.autograd.functional.jacobian(
            lambda row, shape=x[:1].shape: model.encode(row.view(shape))[0].flatten(), x[number].flatten()
        )
        exact = torch.linalg.slogdet(jacobian.detach())[1]
        error = float((log_det[number] - exact).abs() / exact.abs().clamp_min(1.0))
        if error > _LOG_DET:
            wrong.append(f"log-det of sample {number} is {float(log_det[number]):.6f}, autograd says {float(exact):.6f}")
    with torch.no_grad():
        error = float((log_prob - model.base(z) - log_det).abs().max())
    if error > 1e-6 * float(log_det.abs().max().clamp_min(1.0)):
        wrong.append(f"log-density is off by {error:.1e} from prior and log-det")
    return wrong


def same_function(ours: Callable[[], Tensor], plain: Callable[[], Tensor]) -> float:
    """The largest difference between two results, relative to the largest value of the second."""
    with torch.no_grad():
        a, b = ours(), plain()
        return float((a - b).abs().max() / b.abs().max())
