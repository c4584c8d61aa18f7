"""The rational-quadratic spline coupling beyond what every bijection promises: its shape, its tails, and extreme inputs."""
from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from flowcore.bijections import ChannelMask, RationalQuadraticCoupling, half
from flowcore.errors import ConfigError
from flowcore.model.networks import MLP
from flowcore.model.systems import build, spline

BOUND = 5.0


class Fixed(nn.Module):
    """A network that always gives the same row, so that a coupling is one spline of one variable."""

    def __init__(self, row: Tensor) -> None:
        super().__init__()
        self.row = nn.Parameter(row)

    def forward(self, kept: Tensor) -> Tensor:
        return self.row.to(kept.dtype).expand(len(kept), -1)


def one_spline(seed: int = 0, scale: float = 1.0, bins: int = 8) -> RationalQuadraticCoupling:
    row = scale * torch.randn(3 * bins - 1, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return RationalQuadraticCoupling(half(2), Fixed(row), bins, BOUND)


def bend(layer: RationalQuadraticCoupling, x: Tensor) -> tuple[Tensor, Tensor]:
    """g(x) and log g'(x) of a vector of numbers."""
    z, log_det = layer.encode(torch.stack([torch.zeros_like(x), x], 1))
    return z[:, 1], log_det


def unbend(layer: RationalQuadraticCoupling, y: Tensor) -> Tensor:
    return layer.decode(torch.stack([torch.zeros_like(y), y], 1))[:, 1]


def knots(layer: RationalQuadraticCoupling) -> tuple[Tensor, Tensor, Tensor]:
    x, y, slope = layer.knots(torch.zeros(1, 1, dtype=torch.float64))[0, 0].detach()
    return x, y, slope


def test_zero_outputs_make_the_identity():
    layer = RationalQuadraticCoupling(half(2), MLP(1, 23, 8))
    x = 4 * torch.randn(500, 2)
    z, log_det = layer.encode(x)
    assert (z - x).abs().max() <= 1e-6
    assert log_det.abs().max() <= 1e-5
    assert (layer.decode(x) - x).abs().max() <= 1e-6


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_it_passes_through_its_knots_with_their_derivatives(scale):
    layer = one_spline(3, scale)
    x, y, derivative = knots(layer)
    values, log_derivative = bend(layer, x[1:-1])
    assert torch.allclose(values, y[1:-1], atol=1e-12)
    assert torch.allclose(log_derivative, derivative[1:-1].log(), atol=1e-9)
    assert torch.allclose(unbend(layer, y[1:-1]), x[1:-1], atol=1e-12)
    assert x[0] == y[0] == -BOUND and x[-1] == y[-1] == BOUND and derivative[0] == derivative[-1] == 1


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_value_and_derivative_are_continuous_at_the_knots_and_at_the_tails(scale):
    layer = one_spline(5, scale)
    x, _, _ = knots(layer)
    gap = 1e-9
    below, log_below = bend(layer, x - gap)
    above, log_above = bend(layer, x + gap)
    # Between the two sides the value rises by the derivative times the gap, and nothing else.
    rise = 2 * gap * torch.maximum(log_below.exp(), log_above.exp())
    assert ((above - below) > 0).all()
    assert ((above - below) <= 2 * rise).all()
    assert torch.allclose(log_below, log_above, atol=1e-4)


@pytest.mark.parametrize(("dtype", "scale"), [(torch.float32, 1.0), (torch.float64, 1.0), (torch.float64, 30.0)])
def test_it_rises_everywhere(dtype, scale):
    for seed in range(5):
        layer = one_spline(seed, scale)
        x = torch.linspace(-1.2 * BOUND, 1.2 * BOUND, 4001, dtype=dtype)
        with torch.no_grad():
            assert (bend(layer, x)[0].diff() > 0).all()
            assert (unbend(layer, x).diff() > 0).all()


def test_the_tails_are_the_identity_to_the_bit():
    layer = one_spline(2, 3.0)
    for dtype in (torch.float32, torch.float64):
        x = torch.tensor([-1e6, -BOUND - 1e-3, -BOUND, BOUND, BOUND + 1e-3, 1e6], dtype=dtype)
        values, log_derivative = bend(layer, x)
        assert torch.equal(values, x)
        assert torch.equal(log_derivative, torch.zeros_like(x))
        assert torch.equal(unbend(layer, x), x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1.0, 1e3, 1e30])
def test_nothing_is_infinite_on_any_input_or_output_of_the_network(dtype, scale):
    x = torch.tensor([0.0, 1e-30, 1.0, -3.0, 5.0, -5.0, 4.9999995, 1e6, -1e6, 1e18], dtype=dtype)
    for seed in range(5):
        layer = one_spline(seed, scale).to(dtype)
        row = layer.network.row
        assert isinstance(row, torch.nn.Parameter)
        row.data[:2] = 0.0
        inputs = x.clone().requires_grad_()
        values, log_derivative = bend(layer, inputs)
        back = unbend(layer, inputs)
        (values.sum() + log_derivative.sum() + back.sum()).backward()
        for result in (values, log_derivative, back, inputs.grad, row.grad):
            assert result is not None and torch.isfinite(result).all()
        assert (values.abs() <= x.abs().clamp_min(BOUND)).all()
        if dtype == torch.float64:
            assert (unbend(layer, values) - x).abs().max() <= 1e-6


def test_slopes_and_derivatives_keep_their_bounds():
    layer = one_spline(1, 1e6)
    x, y, derivative = knots(layer)
    low = 2 * BOUND * layer.min_bin
    assert x.diff().min() >= 0.999 * low and y.diff().min() >= 0.999 * low
    assert derivative.min() >= 0.999 * layer.min_derivative and derivative.max() <= 1.001 / layer.min_derivative


def test_every_changed_number_has_a_spline_of_its_own():
    mask = ChannelMask(3, [1])
    row = torch.randn(2 * 23, dtype=torch.float64)
    both = RationalQuadraticCoupling(mask, Fixed(row), 8, BOUND)
    x = 2 * torch.randn(50, 3, dtype=torch.float64)
    z, log_det = both.encode(x)
    total = torch.zeros_like(log_det)
    for channel, part in ((0, row[:23]), (2, row[23:])):
        alone = RationalQuadraticCoupling(half(2), Fixed(part), 8, BOUND)
        expected, term = bend(alone, x[:, channel])
        assert torch.allclose(z[:, channel], expected, atol=1e-13)
        total = total + term
    assert torch.equal(z[:, 1], x[:, 1])
    assert torch.allclose(log_det, total, atol=1e-12)


def test_it_is_the_function_that_nflows_computes():
    nflows = pytest.importorskip("nflows.transforms.splines.rational_quadratic")
    generator = torch.Generator().manual_seed(7)
    rows = torch.randn(400, 23, dtype=torch.float64, generator=generator)
    x = 6 * torch.rand(400, dtype=torch.float64, generator=generator) * 2 - 6

    class Rows(nn.Module):
        def forward(self, kept: Tensor) -> Tensor:
            return rows

    layer = RationalQuadraticCoupling(half(2), Rows(), 8, BOUND)
    # Widths and heights are parametrised alike. Theirs is a softplus of the derivative above a minimum, ours bounded from
    # both sides; at the tails theirs is 1 as well.
    derivative = layer.knots(torch.zeros(400, 1, dtype=torch.float64))[:, 0, 2, 1:-1]
    minimum = 1e-3
    raw = torch.log(torch.expm1(derivative - minimum))
    for inverse in (False, True):
        expected, log_derivative = nflows.unconstrained_rational_quadratic_spline(
            x, rows[:, :8], rows[:, 8:16], raw, inverse=inverse, tails="linear", tail_bound=BOUND,
            min_bin_width=layer.min_bin, min_bin_height=layer.min_bin, min_derivative=minimum,
        )  # fmt: skip
        if inverse:
            assert torch.allclose(unbend(layer, x), expected, atol=1e-9)
        else:
            values, actual = bend(layer, x)
            assert torch.allclose(values, expected, atol=1e-9)
            assert torch.allclose(actual, log_derivative, atol=1e-7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(bins=1), "at least 2 bins"),
        (dict(bound=0.0), "bound"),
        (dict(bound=math.nan), "bound"),
        (dict(bound=math.inf), "bound"),
        (dict(min_bin=0.2), "smallest bin"),
        (dict(min_bin=0.0), "smallest bin"),
        (dict(min_derivative=1.0), "smallest derivative"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(change, words):
    with pytest.raises(ConfigError, match=words):
        RationalQuadraticCoupling(half(2), MLP(1, 23, 8), **change)


@pytest.mark.parametrize(
    "change", [dict(shape=[3, 8, 8]), dict(bins=1), dict(bins=65), dict(bins=0), dict(bound=-1.0), dict(bound="5"), dict(tail=1)]
)
def test_a_spline_flow_that_cannot_be_built_is_refused(change):
    with pytest.raises(ConfigError):
        build({"system": "spline", "shape": [2], **change}, meta=True)


def test_a_spline_flow_is_built_from_its_own_description():
    flow = spline([2], depth=3, width=8, bins=5, bound=4.0)
    assert [layer.bins for layer in flow.layers] == [5, 5, 5]
    again = build(flow.architecture, meta=True)
    assert again.architecture == flow.architecture
    assert {name: value.shape for name, value in again.state_dict().items()} == {
        name: value.shape for name, value in flow.state_dict().items()
    }
