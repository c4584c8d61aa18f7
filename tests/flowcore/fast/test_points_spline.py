"""The spline coupling by hand against the plain layer and autograd."""
from __future__ import annotations

import pytest
import torch

from flowcore.bijections import ChannelMask, CheckerboardMask, RationalQuadraticCoupling
from flowcore.fast.points.flat import FlatParameters
from flowcore.fast.points.flow import PointsFlow
from flowcore.fast.points.kernels import AutogradKernel, Context, kernel_for
from flowcore.fast.points.spline import SplineKernel
from flowcore.model.networks import MLP, ConvNetwork
from flowcore.model.systems import spline

CASES = {
    "points": (2, [0], 8),
    "points-flipped": (2, [1], 8),
    "many-bins": (2, [0], 20),
    "two-bins": (2, [1], 2),
    "vector-apart": (5, [1, 3], 8),
    "vector-half": (5, [0, 1, 2], 5),
}


def coupling(name: str, dtype: torch.dtype, scale: float = 0.3) -> tuple[RationalQuadraticCoupling, torch.Tensor]:
    """A layer as training leaves it, and points of which some lie beyond the bound or on it."""
    torch.manual_seed(sum(name.encode()))
    dims, kept, bins = CASES[name]
    layer = RationalQuadraticCoupling(
        ChannelMask(dims, kept), MLP(len(kept), (3 * bins - 1) * (dims - len(kept)), 16), bins, 4.0
    )
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(scale * torch.randn_like(parameter))
    x = 2.5 * torch.randn(64, dims)
    x[0], x[1], x[2], x[3] = 4.0, -4.0, 50.0, -1e4
    return layer.to(dtype), x.to(dtype)


def error(actual: torch.Tensor, expected: torch.Tensor) -> float:
    return ((actual - expected).abs().max() / expected.abs().max()).item()


def bound_to(layer: RationalQuadraticCoupling, n: int, flat: FlatParameters | None = None) -> SplineKernel:
    gradient_of = flat.gradient_of if flat else None
    assert isinstance(layer.mask, ChannelMask)
    dims, dtype = layer.mask.channels, next(layer.parameters()).dtype
    kernel = kernel_for(layer, Context(dims, n, dtype, flat is not None, gradient_of))
    assert type(kernel) is SplineKernel
    kernel.prepare()
    return kernel


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-5)])
@pytest.mark.parametrize("name", CASES)
@torch.no_grad()
def test_both_directions_are_the_plain_layers(name, dtype, tolerance):
    # In single precision a steep spline loses digits, in its own way on each path.
    layer, x = coupling(name, dtype, 0.3 if dtype == torch.float64 else 0.1)
    kernel = bound_to(layer, len(x))
    log_det = torch.ones(len(x), dtype=dtype)
    z = kernel.encode(x.t().contiguous(), log_det).t().clone()
    expected, term = layer.encode(x)
    # Relative to a point itself, since one of them is far out.
    assert ((z - expected).abs() / expected.abs().clamp_min(1)).max() <= tolerance
    assert error(log_det - 1, term) <= 5 * tolerance
    back = kernel.decode(expected.t().contiguous()).t()
    plain = layer.decode(expected)
    assert ((back - plain).abs() / plain.abs().clamp_min(1)).max() <= 50 * tolerance
    if dtype == torch.float64:
        assert ((back - x).abs() / x.abs().clamp_min(1)).max() <= 1e-8


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 1e-4)])
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_autograds(name, dtype, tolerance):
    layer, x = coupling(name, dtype)
    x[3] = 6.0
    weights = torch.randn(x.shape, dtype=dtype)
    flat = FlatParameters(layer)
    leaf = x.clone().requires_grad_()
    flat.clear_gradient()
    z, term = layer.encode(leaf)
    ((z * weights).sum() - 0.37 * term.sum()).backward()
    expected = flat.gradient.clone()
    flat.gradient.fill_(7.0)  # it is to be written, not added to
    with torch.no_grad():
        kernel = bound_to(layer, len(x), flat)
        columns = x.t().contiguous()
        for _ in range(2):
            kernel.encode(columns, torch.zeros(len(x), dtype=dtype))
            d_x = kernel.backward(weights.t().contiguous(), -0.37).t()
            assert torch.equal(columns.t(), x)
            # On the bound itself the function has one slope and the two paths take it from different sides.
            assert error(d_x[2:], leaf.grad[2:]) <= tolerance
            for got, wanted in zip(flat.split(flat.gradient), flat.split(expected), strict=True):
                assert error(got, wanted) <= tolerance


def test_a_whole_flow_needs_no_autograd():
    torch.manual_seed(0)
    flow = spline([2], depth=4, width=16)
    x = torch.randn(300, 2) * 1.5
    flow.initialise(x)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    flow.double().eval()
    x = x.double()
    fast = PointsFlow(flow)
    assert fast.by_autograd == []
    fast.flat.clear_gradient()
    expected = -flow.log_prob(x).mean()
    expected.backward()
    gradient = fast.flat.gradient.clone()
    assert abs(fast.loss_and_gradients(x) - expected.item()) <= 1e-12
    assert error(fast.flat.gradient, gradient) <= 1e-9
    with torch.no_grad():
        z = flow.encode(x)[0]
        assert error(fast.log_prob(x), flow.log_prob(x)) <= 1e-12
        assert error(fast.decode(z), x) <= 1e-9
        for ours, theirs in zip(fast.decode_steps(z), flow.decode_steps(z), strict=True):
            assert ours.name == theirs.name
            assert error(ours.h, theirs.h) <= 1e-9


@torch.no_grad()
def test_nothing_is_infinite_on_extreme_points():
    layer, _ = coupling("points", torch.float32, 3.0)
    flat = FlatParameters(layer)
    x = torch.tensor([[0.0, 1e6], [1e6, 0.0], [-1e6, -1e6], [4.0, 4.0], [0.0, -4.0], [3.9999998, 3.9999998]])
    kernel = bound_to(layer, len(x), flat)
    log_det = torch.zeros(len(x))
    z = kernel.encode(x.t().contiguous(), log_det).clone()
    d_x = kernel.backward(torch.ones(2, len(x)), -1.0)
    for result in (z, log_det, d_x, flat.gradient, bound_to(layer, len(x)).decode(z.clone())):
        assert torch.isfinite(result).all()
    assert torch.equal(z[:, 0], x[0]) and torch.equal(z[:, 2], x[2])


def test_what_it_cannot_do_goes_by_autograd():
    picture = RationalQuadraticCoupling(CheckerboardMask(1), ConvNetwork(1, 23, 4))
    assert type(kernel_for(picture, Context(2, 4, torch.float32, False))) is AutogradKernel
