"""The map that spreads pixel values out: what it makes of a histogram, and that it loses no byte."""

from __future__ import annotations

import pytest
import torch

from flowcore.bijections import Equalise
from flowcore.errors import ConfigError


def fitted(dtype: torch.dtype = torch.float64) -> tuple[Equalise, torch.Tensor]:
    """A map made from pictures of which half is black, and the pictures."""
    torch.manual_seed(0)
    levels = torch.randint(1, 256, (64, 2, 8, 8)) * (torch.rand(64, 2, 8, 8) < 0.5)
    x = levels.to(dtype) + torch.rand(64, 2, 8, 8, dtype=dtype) * 0.999
    layer = Equalise(2).to(dtype)
    layer.initialise(x)
    return layer, x


def test_it_starts_as_the_identity():
    x = 300 * torch.rand(4, 3, 5, 5, dtype=torch.float64) - 20
    z, log_det = Equalise(3).double().encode(x)
    assert torch.allclose(z, x) and log_det.abs().max() < 1e-9


def test_a_level_that_fills_half_of_the_pictures_gets_its_share_of_the_range():
    layer, x = fitted()
    z, _ = layer.encode(torch.tensor([0.0, 1.0, 255.999999], dtype=torch.float64).view(1, 1, 1, 3).expand(1, 2, 1, 3))
    first = (z[..., 1] - z[..., 0]) / 256
    assert ((first - (1 - layer.floor) / 2).abs() < 0.03).all()
    assert (z[..., 2] > 255.9).all()
    values = layer.encode(x)[0].flatten().sort().values
    # With the share of it that is uniform, the result is nearer to a uniform than the pictures were.
    even = torch.linspace(0, 256, len(values), dtype=torch.float64)
    assert (values - even).abs().max() < 0.4 * (x.flatten().sort().values - even).abs().max()


def test_pictures_without_a_crowded_level_are_left_as_they_are():
    x = 256 * torch.rand(64, 3, 8, 8, dtype=torch.float64).pow(1.2)  # darker than even, and no level fills a sixteenth
    layer = Equalise(3).double()
    layer.initialise(x.clamp(max=255.9))
    assert torch.allclose(layer.encode(x)[0], x, atol=1e-3)


def test_without_a_crowded_level_nothing_is_computed_and_that_ends_with_other_counts():
    x = 300 * torch.rand(4, 3, 5, 5) - 20
    layer = Equalise(3)
    assert layer.even and layer.encode(x)[0] is x and layer.decode(x) is x
    layer.log_counts[1, 7] = 5.0  # in place: found anew by its version
    assert not layer.even
    z, log_det = layer.encode(x)
    assert torch.allclose(z[:, 0], x[:, 0], atol=1e-3)
    assert (z[:, 1] - x[:, 1]).abs().max() > 1 and log_det.abs().max() > 1
    assert torch.allclose(layer.decode(z), x, atol=1e-3)


def test_values_outside_the_range_of_a_byte_are_left_alone():
    layer, _ = fitted()
    x = torch.tensor([-300.0, -0.5, 256.0, 900.0], dtype=torch.float64).view(1, 1, 2, 2).expand(1, 2, 2, 2)
    z, log_det = layer.encode(x)
    assert torch.equal(z, x) and torch.equal(layer.decode(x), x) and log_det.abs().max() == 0


@pytest.mark.parametrize("half", [False, True])
def test_every_byte_comes_back_in_single_precision(half):
    layer, _ = fitted(torch.float32)
    if half:  # as weights that ship are kept
        layer.log_counts.copy_(layer.log_counts.half())
    x = torch.arange(256.0).view(1, 1, 16, 16).expand(1, 2, 16, 16) + 0.5
    z, log_det = layer.encode(x)
    assert (layer.decode(z) - x).abs().max() < 1e-3
    assert torch.isfinite(log_det).all()


def test_a_floor_that_leaves_no_inverse_is_refused():
    for floor in (0.0, -1.0, 1.5):
        with pytest.raises(ConfigError, match="slope"):
            Equalise(1, floor)
