"""Glow plus: what it adds to Glow keeps every promise, and is worth something."""

from __future__ import annotations

import pytest
import torch

from flowcore.bijections import VariationalDequantisation, dequantise
from flowcore.errors import ConfigError
from flowcore.model.codec import encode_picture
from flowcore.model.networks import ConvNetwork
from flowcore.model.systems import build

SMALL = {"system": "glow-plus", "shape": [1, 8, 8], "levels": 2, "steps": 2, "width": 16, "split_width": 8}


def layer(spread: float = 0.0, dtype: torch.dtype = torch.float64) -> VariationalDequantisation:
    """One whose network says anything, ``spread`` far from where it starts."""
    torch.manual_seed(0)
    made = VariationalDequantisation(ConvNetwork(1, 2, 8)).to(dtype)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(spread * torch.randn_like(parameter))
    return made


def test_it_starts_as_uniform_noise():
    x = 256 * torch.rand(4, 1, 8, 8, dtype=torch.float64)
    z, log_det = layer().encode(x)
    assert (z - x).abs().max() < 1e-9
    assert log_det.abs().max() < 1e-9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("spread", [0.1, 10.0])
def test_no_value_leaves_its_bin(spread, dtype):
    levels = torch.arange(-3, 260, dtype=dtype)[:256].view(1, 1, 16, 16)
    noise = torch.tensor([0.0, 1e-7, 0.01, 0.5, 0.99, 1 - 1e-7], dtype=dtype).view(-1, 1, 1, 1)
    x = dequantise(levels, noise)
    made = layer(spread, dtype)
    with torch.no_grad():
        z, log_det = made.encode(x)
        assert torch.equal(z.floor(), x.floor())
        assert torch.equal(made.decode(x).floor(), x.floor())
    assert torch.isfinite(log_det).all()


@pytest.mark.parametrize("spread", [0.1, 10.0])
def test_the_middle_of_a_bin_keeps_away_from_its_edges(spread):
    levels = torch.randint(0, 256, (8, 1, 8, 8)).double()
    with torch.no_grad():
        z, _ = layer(spread).encode(levels + 0.5)
    assert ((z - levels) > 0.25).all() and ((z - levels) < 0.75).all()


def test_any_place_in_a_bin_has_an_inverse_that_double_precision_can_follow():
    """Also where a trained network's narrow noise hardly ever is: translated pictures have values there."""
    torch.manual_seed(1)
    levels = torch.randint(0, 256, (8, 1, 8, 8)).double()
    y = levels + torch.rand_like(levels)
    made = layer(10.0)
    with torch.no_grad():
        x = made.decode(y)
        assert (made.encode(x)[0] - y).abs().max() < 1e-6
        assert made._noise(levels)[1].min() < -1.9


def test_noise_is_never_rounded_up_into_the_next_bin():
    levels = torch.full((10_000,), 255.0)
    noise = torch.full((10_000,), 1 - 2.0**-24)
    assert (levels + noise == 256).all()
    assert (dequantise(levels, noise) < 256).all()


@pytest.mark.parametrize("change", [{}, {"equalise": False, "split_width": 0}, {"dequantisation": "uniform"}], ids=str)
def test_any_picture_comes_back_byte_for_byte(change):
    torch.manual_seed(0)
    flow = build({**SMALL, **change}).eval()
    x = 256 * torch.rand(32, 1, 8, 8)
    flow.initialise(x)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    ugly = {
        "noise": torch.randint(0, 256, (8, 8)), "black": torch.zeros(8, 8), "white": torch.full((8, 8), 255),
        "checkerboard": (rows + columns) % 2 * 255, "stripes": rows % 2 * 255,
    }  # fmt: skip
    for name, picture in ugly.items():
        encoded = encode_picture(flow, picture.to(torch.uint8).numpy()[:, :, None])
        assert encoded.differing == 0, name


def test_what_is_flat_costs_a_quarter_of_a_bit_less():
    """A value that never changes: uniform noise has to be bent into a Gaussian, which costs ½ log₂(2πe/12) = 0.2546 bits."""

    def learned(dequantisation: str) -> float:
        torch.manual_seed(0)
        flow = build({**SMALL, "levels": 1, "steps": 1, "dequantisation": dequantisation})
        levels = torch.full((64, 1, 8, 8), 128.0)
        flow.initialise(dequantise(levels, torch.rand_like(levels)))
        optimiser = torch.optim.Adam(flow.parameters(), lr=1e-2)
        bits = []
        for _ in range(300):
            optimiser.zero_grad()
            loss = flow.bits_per_dim(flow.log_prob(dequantise(levels, torch.rand_like(levels)))).mean()
            loss.backward()
            optimiser.step()
            bits.append(loss.item())
        return sum(bits[-50:]) / 50

    uniform, variational = learned("uniform"), learned("variational")
    assert 0.2 < uniform < 0.35
    assert -0.001 < variational < uniform - 0.1  # a bound: never below 0 bits but by chance


def test_nonsense_is_refused_in_a_sentence():
    for change, words in (({"dequantisation": "none"}, "dequantisation"), ({"shape": [5]}, "pictures")):
        with pytest.raises(ConfigError, match=words):
            build({**SMALL, **change})
    with pytest.raises(ConfigError, match="multiple of 4"):
        build({**SMALL, "shape": [1, 6, 6]})


def test_a_bound_on_what_networks_see_keeps_far_samples_near():
    """The same weights, with and without: a z that no picture has begets a far smaller picture."""
    farthest = {}
    for bound in (0.0, 4.0):
        torch.manual_seed(3)
        flow = build({**SMALL, "steps": 6, "equalise": False, "dequantisation": "uniform", "input_bound": bound}).double()
        flow.initialise(256 * torch.rand(64, 1, 8, 8, dtype=torch.float64))
        with torch.no_grad():
            for parameter in flow.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
            z = 30 * torch.randn(16, flow.num_dims, dtype=torch.float64)
            farthest[bound] = flow.eval().decode(z).abs().max().item()
    assert farthest[4.0] < 0.2 * farthest[0.0]


def test_a_networks_bound_is_a_positive_number():
    for bound in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ConfigError, match="bound"):
            build({**SMALL, "input_bound": bound})
