"""z against its prior: quantiles, bands, tests and shells, against tables, closed forms and simulation."""
from __future__ import annotations

import math

import numpy as np
import pytest

from flowcore.errors import DataError
from flowcore.latents.qq import against_prior, shell
from flowcore.model import card
from flowcore.model.distributions import (
    beta_quantiles,
    cdf,
    kolmogorov_p_value,
    norm_interval,
    order_band,
    quantiles,
)


def draws(kind: str, count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(count) if kind == "gaussian" else rng.logistic(size=count)


@pytest.mark.parametrize("kind", ["gaussian", "logistic"])
def test_distribution_and_quantiles_are_inverse(kind):
    x = np.linspace(-5, 5, 41)
    np.testing.assert_allclose(quantiles(cdf(x, kind), kind), x, atol=1e-8)
    assert cdf(np.array([0.0]), kind) == 0.5


def test_known_values():
    assert cdf(np.array([1.959963985]), "gaussian")[0] == pytest.approx(0.975, abs=1e-10)
    assert cdf(np.array([-8.0]), "gaussian")[0] == pytest.approx(6.22096057e-16, rel=1e-6)  # no 1 − 1 in the tail
    # The uppermost five and one percent of Kolmogorov's distribution.
    for x, p in ((1.35810, 0.05), (1.62762, 0.01), (0.82757, 0.5)):
        assert kolmogorov_p_value(x / 1e4, 10**8) == pytest.approx(p, abs=2e-4)
    assert kolmogorov_p_value(1e-3, 100) == 1.0 and kolmogorov_p_value(0.9, 1000) < 1e-12


def test_beta_quantiles_against_closed_forms():
    n = np.array([1.0, 7.0, 500.0, 1e5])
    for share in (0.025, 0.5, 0.975):
        np.testing.assert_allclose(beta_quantiles(np.ones(4), n, share), -np.expm1(np.log1p(-share) / n), rtol=1e-8)
        np.testing.assert_allclose(beta_quantiles(n, np.ones(4), share), share ** (1 / n), rtol=1e-8)
        (x,) = beta_quantiles(np.array([2.0]), np.array([2.0]), share)
        assert 3 * x**2 - 2 * x**3 == pytest.approx(share, abs=1e-10)
    (median,) = beta_quantiles(np.array([4000.0]), np.array([4000.0]), 0.5)
    assert median == pytest.approx(0.5, abs=1e-9)


def test_chi_quantiles_against_tables():
    for count, low, median, high, error in ((3, 0.2158, 2.366, 9.348, 0.1), (10, 3.247, 9.342, 20.483, 5e-3),
                                            (100, 74.222, 99.334, 129.561, 2e-4)):  # fmt: skip
        np.testing.assert_allclose(norm_interval(count, "gaussian"), np.sqrt([low, median, high]), rtol=error)


@pytest.mark.parametrize("kind", ["gaussian", "logistic"])
def test_bands_p_values_and_shells_hold_what_they_promise(kind):
    count, repeats = 60, 600
    found = [against_prior(draws(kind, count, seed), kind) for seed in range(repeats)]
    inside = np.array([(one.low <= one.found) & (one.found <= one.high) for one in found])
    error = 3.5 * math.sqrt(0.95 * 0.05 / repeats)
    assert np.abs(inside.mean(0) - 0.95).max() < error + 0.01
    assert np.mean([one.p_value < 0.05 for one in found]) == pytest.approx(0.05, abs=0.03)
    assert np.mean([one.p_value < 0.5 for one in found]) == pytest.approx(0.5, abs=0.07)
    assert np.mean([one.shell.low <= one.shell.norm <= one.shell.high for one in found]) == pytest.approx(0.95, abs=error + 0.01)
    assert np.mean([one.shell.norm < one.shell.centre for one in found]) == pytest.approx(0.5, abs=0.08)


def test_figures_of_a_sample():
    z = draws("gaussian", 4000, 1)
    found = against_prior(0.7 * z + 0.1)
    assert (found.count, len(found.found), found.kind) == (4000, 101, "gaussian")
    assert found.mean == pytest.approx(0.1, abs=0.05) and found.deviation == pytest.approx(0.7, abs=0.03)
    assert found.kurtosis == pytest.approx(0.0, abs=0.3) and found.p_value < 1e-6
    middle = slice(20, 81)
    np.testing.assert_allclose(found.found[middle], 0.7 * found.expected[middle] + 0.1, atol=0.08)
    assert found.shell.norm < found.shell.low
    # The distance, by looking at every place where it may be largest.
    small = against_prior(z[:50])
    ordered, model = np.sort(z[:50]), cdf(np.sort(z[:50]), "gaussian")
    steps = [abs((ordered <= x).mean() - p) for x, p in zip(ordered, model, strict=True)]
    steps += [abs((ordered < x).mean() - p) for x, p in zip(ordered, model, strict=True)]
    assert small.distance == pytest.approx(max(steps), abs=1e-12)
    assert against_prior(draws("logistic", 20_000, 2), "logistic").kurtosis == pytest.approx(1.2, abs=0.25)


def test_band_is_symmetric_and_widens_in_the_tails():
    expected, low, high = order_band(500, 101, "gaussian")
    np.testing.assert_allclose(low, -high[::-1])
    assert (low < expected).all() and (expected < high).all()
    assert high[-1] - low[-1] > 4 * (high[50] - low[50])


def test_what_makes_no_sense_is_refused_and_what_is_odd_is_not():
    with pytest.raises(DataError):
        against_prior(np.array([1.0]))
    with pytest.raises(DataError):
        against_prior(np.array([1.0, np.nan]))
    flat = against_prior(np.zeros(16))
    assert (flat.kurtosis, flat.deviation, flat.shell.norm) == (0.0, 0.0, 0.0) and flat.distance == 0.5
    assert np.isfinite(against_prior(np.array([1e300, -1e300, 0.0])).kurtosis)
    assert shell(np.array([3.0, 4.0])).norm == 5.0


def test_a_card_tells_norms_only_where_they_are_known():
    rows = [[1.0, 2.0, 3.0], [2.0, 2.5, 3.0], [3.0, 4.0, 5.0]]
    assert card.held_out_norms({"held_out": {"norm_quantiles": rows}}, 2) == [tuple(row) for row in rows]
    for broken in (rows[:2], "x", [[1, 2], *rows[1:]], [[3, 2, 1], *rows[1:]], [[1, math.nan, 3], *rows[1:]]):
        assert card.held_out_norms({"held_out": {"norm_quantiles": broken}}, 2) is None
    assert card.held_out_norms({}, 2) is None and card.held_out_norms({"held_out": 3}, 2) is None
    quantile = {"held_out": {"bpd_quantiles": [k / 20 for k in range(201)]}}
    assert card.held_out_bpd(quantile) == pytest.approx((0.25, 5.0, 9.75)) and card.held_out_bpd({}) is None


def test_training_measures_the_norms_of_held_out_pictures():
    import torch

    from flowcore.model.codec import to_pixels
    from flowcore.model.evaluation import bits_per_picture, held_out_summary
    from flowcore.model.systems import build

    torch.manual_seed(0)
    flow = build(dict(system="glow", shape=[1, 8, 8], levels=2, steps=1, width=8, classes=2))
    flow.initialise(torch.rand(8, 1, 8, 8) * 255)
    flow.eval()
    pictures = np.random.default_rng(0).integers(0, 256, (150, 8, 8, 1), dtype=np.uint8)
    labels = np.arange(150) % 2
    summary = held_out_summary(flow, pictures, labels)
    with torch.no_grad():
        z, _ = flow.encode(to_pixels(pictures, flow), torch.from_numpy(labels))
    first = flow.levels[0]
    expected = [np.quantile(part.norm(dim=1).numpy(), card.NORM_SHARES) for part in (z[:, first.start : first.stop], z)]
    np.testing.assert_allclose(summary["norm_quantiles"][0], expected[0], atol=2e-3)
    np.testing.assert_allclose(summary["norm_quantiles"][2], expected[1], atol=2e-3)
    assert card.held_out_norms({"held_out": summary}, 2) is not None
    quantiles_found = np.quantile(bits_per_picture(flow, pictures, labels), np.linspace(0, 1, card.QUANTILES))
    np.testing.assert_allclose(summary["bpd_quantiles"], quantiles_found, atol=1e-4)
