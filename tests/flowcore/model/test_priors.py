"""Priors integrate to one, draw what they measure, and whiten exactly."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from flowcore.errors import ConfigError
from flowcore.model.priors import LearnedPrior, MixturePrior, StandardPrior, make_prior


def moved(prior):
    torch.manual_seed(3)
    with torch.no_grad():
        for p in prior.parameters():
            p.add_(0.4 * torch.randn_like(p))
    return prior.double()


CASES = {
    "gaussian": lambda: StandardPrior((1,)),
    "logistic": lambda: StandardPrior((1,), "logistic"),
    "learned-gaussian": lambda: LearnedPrior((1,)),
    "learned-logistic": lambda: LearnedPrior((1,), "logistic"),
    "classes": lambda: LearnedPrior((1,), "gaussian", classes=4),
    "places": lambda: LearnedPrior((1,), "gaussian", places=True),
    "mixture": lambda: MixturePrior((1,), components=5),
}


@pytest.mark.parametrize("name", CASES)
def test_density_integrates_to_one_for_every_class(name):
    prior = moved(CASES[name]())
    h = torch.linspace(-80, 80, 64_001, dtype=torch.float64).unsqueeze(1)
    for label in range(max(1, getattr(prior, "classes", 0))):
        z, log_det = prior.whiten(h, torch.full((len(h),), label))
        mass = torch.trapezoid((prior.log_prob(z) + log_det).exp(), h[:, 0])
        assert abs(mass.item() - 1) < 1e-6


def test_two_dimensional_mixture_integrates_to_one():
    prior = moved(MixturePrior((2,), components=6))
    grid = torch.linspace(-12, 12, 600, dtype=torch.float64)
    points = torch.stack(torch.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
    assert abs((prior.log_prob(points).exp().sum() * (grid[1] - grid[0]) ** 2).item() - 1) < 1e-5


@pytest.mark.parametrize("name", CASES)
def test_draws_follow_the_density(name):
    prior = moved(CASES[name]())
    if getattr(prior, "classes", 0):
        prior = moved(LearnedPrior((1,)))
    rng = np.random.default_rng(0)
    draws = np.sort(np.concatenate([prior.draw(rng) for _ in range(4000)])).astype(float)
    h = torch.linspace(-60, 60, 40_001, dtype=torch.float64).unsqueeze(1)
    density = prior.log_prob(h).exp().detach().numpy()
    distribution = np.interp(draws, h[:, 0].numpy(), np.cumsum(density) * 0.003)
    # Kolmogorov-Smirnov: 1.95 / sqrt(n) is passed with probability 0.001 by draws from the right density.
    assert np.abs(distribution - (np.arange(4000) + 0.5) / 4000).max() < 1.95 / np.sqrt(4000)


@pytest.mark.parametrize("places", [False, True])
@pytest.mark.parametrize("shape", [(4,), (3, 4, 2)])
def test_whitening_is_undone_and_its_log_det_is_right(shape, places):
    prior = moved(LearnedPrior(shape, classes=3, places=places))
    h = torch.randn(2, *shape, dtype=torch.float64)
    label = torch.tensor([2, 0])
    z, log_det = prior.whiten(h, label)
    assert torch.allclose(prior.unwhiten(z, label), h, atol=1e-12)
    dims = h[0].numel()
    jacobian = torch.autograd.functional.jacobian(lambda v: prior.whiten(v, label[:1])[0], h[:1]).reshape(dims, dims)
    assert torch.allclose(torch.linalg.slogdet(jacobian)[1], log_det[0], atol=1e-10)
    weights = torch.nn.functional.one_hot(label, 3).double()
    assert torch.equal(prior.whiten(h, weights)[0], z)


def test_temperature_scales_the_widths_of_a_mixture():
    prior = moved(MixturePrior((2, 3, 3), components=4))
    rng = np.random.default_rng(1)
    z = torch.from_numpy(np.stack([prior.draw(rng) for _ in range(5)])).double().view(5, 2, 3, 3)
    frozen = prior.temper(z, 0.0).movedim(1, -1).reshape(-1, 2)
    nearest = (frozen[:, None] - prior.location[None]).abs().sum(2).min(1).values
    assert nearest.max() < 1e-12
    half_way = prior.temper(z, 0.5)
    assert torch.allclose(half_way, (z + prior.temper(z, 0.0)) / 2)


def test_choices_that_cannot_be():
    with pytest.raises(ConfigError):
        make_prior("mixture", (2,), classes=3)
    with pytest.raises(ConfigError):
        StandardPrior((2,), "cauchy")
    with pytest.raises(ConfigError):
        MixturePrior((2,), components=0)
