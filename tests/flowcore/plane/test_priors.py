"""The priors of the plane integrate to one, draw what they measure, and look as their outlines say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from flowcore.errors import ConfigError
from flowcore.model.priors import MixturePrior
from flowcore.plane.prior_shapes import MASSES, RING_RADIUS, outline
from flowcore.plane.priors import RingPrior, draw_points, moves, plane_prior, replace_noise, start_noise

CASES = {
    "gaussian": lambda: plane_prior("gaussian"),
    "logistic": lambda: plane_prior("logistic"),
    "mixture": lambda: plane_prior("mixture"),
    "mixture of one": lambda: plane_prior("mixture", 1),
    "mixture of five, learned": lambda: plane_prior("mixture", 5, True),
    "ring": lambda: plane_prior("ring"),
    "thin ring": lambda: RingPrior(1.0, 0.1),
}


def grid(reach: float, count: int) -> tuple[torch.Tensor, float]:
    axis = (torch.arange(count, dtype=torch.float64) + 0.5) * (2 * reach / count) - reach
    return torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2), (2 * reach / count) ** 2


@pytest.mark.parametrize("name", CASES)
def test_density_integrates_to_one(name):
    points, cell = grid(24.0 if name == "logistic" else 8.0, 400)
    with torch.no_grad():
        mass = float(CASES[name]().double().log_prob(points).exp().sum()) * cell
    assert mass == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_draws_follow_the_density(name):
    prior = CASES[name]()
    draws = torch.from_numpy(draw_points(prior, np.random.default_rng(0), 40_000)).double()
    assert draws.shape == (40_000, 2)
    edges = torch.linspace(-4, 4, 9, dtype=torch.float64)
    points, cell = grid(4.0, 256)
    with torch.no_grad():
        mass = prior.double().log_prob(points).exp().reshape(8, 32, 8, 32).sum((1, 3)) * cell
    found = torch.from_numpy(np.histogram2d(*draws.numpy().T, bins=[edges.numpy()] * 2)[0])
    # Every one of the 64 counts within five standard deviations of its expectation.
    assert float(((found - 40_000 * mass).abs() - 5 * (40_000 * mass).sqrt()).max()) < 1.0


@pytest.mark.parametrize("name", CASES)
def test_one_draw_is_of_the_same_density(name):
    prior = CASES[name]()
    rng = np.random.default_rng(1)
    ones = np.stack([prior.draw(rng) for _ in range(1500)])
    many = draw_points(prior, np.random.default_rng(2), 20_000)
    for measure in (lambda z: z[:, 0], lambda z: np.hypot(*z.T)):
        a, b = np.sort(measure(ones)), np.sort(measure(many))
        # Kolmogorov-Smirnov with two samples: 1.95 / sqrt(n) is passed with probability 0.001.
        assert np.abs(np.searchsorted(b, a) / len(b) - (np.arange(1500) + 0.5) / 1500).max() < 1.95 / np.sqrt(1400)


@pytest.mark.parametrize("name", ["mixture", "ring", "thin ring"])
def test_slopes_are_autograds_and_finite_in_the_middle(name):
    prior = CASES[name]().double()
    z = torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(prior.log_prob, (z,))
    middle = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    prior.log_prob(middle).sum().backward()
    assert float(middle.grad.abs().max()) < 1e-6
    far = prior.float().log_prob(torch.tensor([[1e4, -1e4]]))
    assert torch.isfinite(far).all()


def test_temperature_draws_towards_the_ring_and_the_centres():
    ring = RingPrior()
    z = torch.from_numpy(draw_points(ring, np.random.default_rng(0), 100))
    assert torch.allclose(ring.temper(z, 0.0).norm(dim=1), torch.full((100,), RING_RADIUS))
    assert torch.equal(ring.temper(z, 1.0), z)
    gap, half = z.norm(dim=1) - RING_RADIUS, ring.temper(z, 0.5).norm(dim=1) - RING_RADIUS
    assert torch.allclose(half, gap / 2, atol=1e-5)
    assert torch.isfinite(ring.temper(torch.zeros(1, 2), 0.5)).all()


def test_the_draws_of_a_learned_mixture_follow_it():
    prior = plane_prior("mixture", 4, True)
    assert isinstance(prior, MixturePrior)
    noise = start_noise(np.random.default_rng(0), 50)
    before = replace_noise(prior, noise)
    with torch.no_grad():
        prior.location.add_(torch.tensor([1.0, -2.0]))
    assert np.allclose(replace_noise(prior, noise), before + np.array([1.0, -2.0], np.float32), atol=1e-6)
    assert moves(prior) and not moves(plane_prior("mixture", 4)) and not moves(plane_prior("gaussian", learned=True))


@pytest.mark.parametrize("kind", ["gaussian", "logistic"])
def test_outlines_are_level_lines_that_hold_as_much_as_they_say(kind):
    prior = plane_prior(kind).double()
    points, cell = grid(16.0, 800)
    heights, masses = prior.log_prob(points), prior.log_prob(points).exp() * cell
    for line, mass in zip(outline(kind), MASSES, strict=False):
        level = prior.log_prob(torch.from_numpy(line))
        assert float(level.max() - level.min()) < 1e-9
        assert float(masses[heights > level.mean()].sum()) == pytest.approx(mass, abs=2e-3)


def test_outlines_of_mixture_and_ring_lie_about_their_heights():
    for count in (1, 3, 8, 32):
        lines, prior = outline("mixture", count), plane_prior("mixture", count)
        assert lines.shape[0] == 2 * count and isinstance(prior, MixturePrior)
        centres = lines[:count, :-1].mean(1)
        assert np.allclose(np.sort(centres, 0), np.sort(prior.location.numpy(), 0), atol=1e-6)
    assert np.allclose(np.hypot(*outline("ring")[1].T), RING_RADIUS)


@pytest.mark.parametrize("values", [("cauchy",), ("mixture", 0)])
def test_what_is_no_prior_is_refused(values):
    with pytest.raises(ConfigError):
        plane_prior(*values)
    with pytest.raises(ConfigError):
        outline("cauchy")
