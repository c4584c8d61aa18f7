"""What every bijection promises, asked of every one of them."""
from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from bijection_cases import CASES, make

from flowcore import bijections
from flowcore.bijections.base import soft_clamp, soft_clamp_inverse
from flowcore.errors import ConfigError

DEVICES = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])


def relative_error(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).abs().max() / b.abs().max().clamp_min(1)).item()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", CASES)
def test_decode_inverts_encode(name, device):
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-11)):
        layer, x = make(name, dtype=dtype)
        layer, x = layer.to(device), x.to(device)
        with torch.no_grad():
            z, log_det = layer.encode(x)
            assert log_det.shape == (len(x),)
            assert log_det.dtype == z.dtype == dtype
            assert relative_error(layer.decode(z), x) <= tolerance
            assert relative_error(layer.encode(layer.decode(z))[0], z) <= tolerance


@pytest.mark.parametrize("name", CASES)
def test_log_det_is_that_of_the_jacobian(name):
    layer, x = make(name, count=2)
    for row in x.unsqueeze(1):
        dims = row.numel()
        jacobian = torch.autograd.functional.jacobian(lambda v: layer.encode(v)[0], row).reshape(dims, dims)
        expected = torch.linalg.slogdet(jacobian)[1]
        actual = layer.encode(row)[1][0]
        assert (actual - expected).abs() <= 1e-8 * expected.abs().clamp_min(1)


@pytest.mark.parametrize("name", CASES)
def test_log_det_of_the_inverse_is_the_negative(name):
    layer, x = make(name, count=1)
    z, log_det = layer.encode(x)
    dims = x.numel()
    jacobian = torch.autograd.functional.jacobian(layer.decode, z.detach()).reshape(dims, dims)
    assert (torch.linalg.slogdet(jacobian)[1] + log_det[0]).abs() <= 1e-8 * log_det.abs().max().clamp_min(1)


@pytest.mark.parametrize("name", CASES)
def test_samples_do_not_touch_each_other(name):
    layer, x = make(name, count=5)
    z, log_det = layer.encode(x)
    for i in range(len(x)):
        alone, alone_log_det = layer.encode(x[i : i + 1])
        assert torch.allclose(alone[0], z[i], atol=1e-12)
        assert torch.allclose(alone_log_det[0], log_det[i], atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_every_parameter_gets_a_gradient(name):
    layer, x = make(name)
    z, log_det = layer.encode(x)
    loss = (z**3).sum() + (log_det**2).sum()
    if not any(p.requires_grad for p in layer.parameters()):
        assert not list(layer.parameters())
        return
    loss.backward()
    for parameter_name, parameter in layer.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all()
        assert (parameter.grad != 0).any(), parameter_name


@pytest.mark.parametrize("name", CASES)
def test_state_comes_back(name):
    layer, x = make(name)
    fresh = CASES[name][0]().double()
    fresh.load_state_dict(copy.deepcopy(layer.state_dict()))
    assert torch.equal(fresh.encode(x)[0], layer.encode(x)[0])
    z = layer.encode(x)[0]
    assert torch.equal(fresh.decode(z), layer.decode(z))


@pytest.mark.parametrize("name", CASES)
def test_the_input_is_left_alone(name):
    layer, x = make(name)
    before = x.clone()
    layer.encode(x)
    assert torch.equal(x, before)


def test_actnorm_sets_itself_once_and_remembers():
    layer = bijections.ActNorm(3)
    first = torch.randn(32, 3, 4, 4) * torch.tensor([0.1, 1.0, 9.0]).view(1, 3, 1, 1) + 5
    layer.initialise(first)
    z, _ = layer.encode(first)
    assert z.mean((0, 2, 3)).abs().max() < 1e-4
    assert (z.std((0, 2, 3)) - 1).abs().max() < 1e-2
    loaded = bijections.ActNorm(3)
    loaded.load_state_dict(layer.state_dict())
    before = loaded.encode(first)[0]
    loaded.initialise(first * 100)
    assert torch.equal(loaded.encode(first)[0], before)
    learned = bijections.ActNorm(3)
    with torch.no_grad():
        learned.bias[1] = 0.5  # as an optimiser's step leaves it
    learned.initialise(first)
    assert learned.bias.tolist() == [0.0, 0.5, 0.0]


def test_the_cached_inverse_follows_the_weights():
    layer = bijections.LULinear(4)
    x = torch.randn(3, 4)
    with torch.no_grad():
        layer.decode(x)
        layer.lower.add_(0.3)
        assert torch.allclose(layer.decode(layer.encode(x)[0]), x, atol=1e-5)
        layer.load_state_dict(bijections.LULinear(4).state_dict())
        assert torch.allclose(layer.decode(layer.encode(x)[0]), x, atol=1e-5)


def test_scales_stay_within_their_bound():
    raw = torch.tensor([-1e9, -1.0, 0.0, 1.0, 1e9])
    assert soft_clamp(raw, 2.0).abs().max() <= 2.0
    values = torch.linspace(-1.9, 1.9, 11, dtype=torch.float64)
    assert torch.allclose(soft_clamp(soft_clamp_inverse(values, 2.0), 2.0), values)


def test_a_coupling_starts_as_the_identity():
    layer, x = CASES["affine-half"][0](), torch.randn(2, 4, 4, 4)
    z, log_det = layer.encode(x)
    assert torch.equal(z, x)
    assert torch.equal(log_det, torch.zeros(2))


def test_nonsense_is_refused_in_a_sentence():
    with pytest.raises(ConfigError, match="even height"):
        bijections.Squeeze().encode(torch.zeros(1, 1, 3, 4))
    with pytest.raises(ConfigError, match="permutation"):
        bijections.Permutation([0, 0, 1])
    with pytest.raises(ConfigError, match="at least"):
        bijections.ChannelMask(3, [0, 1, 2])
    with pytest.raises(ConfigError, match="checkerboard"):
        bijections.half(1)
