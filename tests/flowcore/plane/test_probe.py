"""The probe's ledger, against the flow's own likelihood, and its parallelograms, against the flow's own log-dets."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch

from flowcore.errors import ConfigError, NonFiniteError
from flowcore.model.priors import LearnedPrior
from flowcore.model.systems import build
from flowcore.plane.probe import ToyProbe, hundredths
from flowcore.plane.trainer import ToyConfig, ToyTrainer

FLOWS = ("nice", "realnvp", "glow", "spline")
POINTS = [(0.3, -0.4), (-1.7, 0.9), (3.5, 3.5), (0.0, 0.0)]


@pytest.fixture(scope="module", params=FLOWS)
def trained(request) -> ToyTrainer:
    prior = "logistic" if request.param == "nice" else "gaussian"
    trainer = ToyTrainer(ToyConfig(flow=request.param, depth=4, width=16, batch=64, prior=prior))
    trainer.step(15)
    return trainer


@pytest.mark.parametrize("point", POINTS)
def test_the_ledger_adds_up_to_log_prob(trained, point):
    found = ToyProbe(trained.average).at(point)
    log_p = float(deepcopy(trained.average).double().log_prob(torch.tensor([point], dtype=torch.float64))[0])
    assert found.log_prior + found.log_dets.sum() == pytest.approx(found.log_prob, abs=1e-12)
    assert found.log_prob == pytest.approx(log_p, abs=1e-9)
    prior, log_dets, total = found.rounded
    assert prior + log_dets.sum() == total == round(100 * found.log_prob)
    assert abs(prior / 100 - found.log_prior) < 0.01 and np.abs(log_dets / 100 - found.log_dets).max() < 0.01


@pytest.mark.parametrize("point", POINTS)
def test_the_parallelogram_s_area_is_the_determinant(trained, point):
    found = ToyProbe(trained.average).at(point)
    side = 0.2
    square = side * np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    for stage, jacobian in enumerate(found.jacobians):
        corners = square @ jacobian.T
        x, y = corners.T
        area = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
        expected = side**2 * np.exp(found.log_dets[:stage].sum())
        assert area == pytest.approx(expected, rel=1e-8)
        assert abs(found.dets[stage]) == pytest.approx(expected / side**2, rel=1e-8)


def test_jacobians_are_autograd_s_jacobian_vector_products(trained):
    probe = ToyProbe(trained.average)
    point = torch.tensor([[0.3, -0.4]], dtype=torch.float64)
    found = probe.at((0.3, -0.4))
    for axis in range(2):
        along = torch.eye(2, dtype=torch.float64)[axis : axis + 1]
        with torch.enable_grad():
            _, column = torch.autograd.functional.jvp(lambda x: probe.flow.encode(x)[0], point, along)
        assert np.allclose(found.jacobians[-1][:, axis], column[0].numpy(), rtol=1e-9)


def test_states_are_the_flow_s_and_z_leads_back(trained):
    probe = ToyProbe(trained.average)
    found = probe.at((0.5, 0.25))
    z, _ = trained.average.encode(torch.tensor([[0.5, 0.25]]))
    assert np.allclose(found.states[-1], z[0].numpy(), atol=1e-4) and found.states[0].tolist() == [0.5, 0.25]
    assert len(found.names) == len(trained.average.layers) + (trained.config.flow == "glow")
    back = probe.find(tuple(found.states[-1]))
    assert back == pytest.approx((0.5, 0.25), abs=1e-7)


def test_a_prior_that_is_learned_has_a_row():
    flow = ToyTrainer(ToyConfig(flow="glow", depth=2, width=16, batch=64)).average
    assert isinstance(flow.prior, LearnedPrior)
    with torch.no_grad():
        flow.prior.raw_log_scale.fill_(0.4)
    found = ToyProbe(flow).at((0.1, 0.2))
    assert found.names[-1] == "prior" and found.log_dets[-1] < -0.5
    assert found.log_prob == pytest.approx(float(flow.log_prob(torch.tensor([[0.1, 0.2]]))[0]), abs=1e-5)


def test_a_stage_without_a_graph_is_followed_by_differences():
    flow = ToyTrainer(ToyConfig(flow="realnvp", depth=3, width=16, batch=64)).average
    exact = ToyProbe(flow).at((0.4, -0.2))
    probe = ToyProbe(flow)
    plain = probe.flow.layers[1].encode
    probe.flow.layers[1].encode = torch.no_grad()(plain)  # as a solver that keeps no graph
    found = probe.at((0.4, -0.2))
    assert np.allclose(found.jacobians, exact.jacobians, rtol=1e-6, atol=1e-8)
    assert np.abs(found.dets) == pytest.approx(np.exp(np.cumsum([0, *found.log_dets])), rel=1e-6)


def test_newer_weights_are_followed():
    trainer = ToyTrainer(ToyConfig(depth=2, width=16, batch=64))
    probe = ToyProbe(trainer.average)
    before = probe.at((0.3, 0.1)).log_prob
    trainer.step(5)
    assert probe.at((0.3, 0.1)).log_prob == before  # it holds the weights as they were
    probe.follow(trainer.average)
    after = probe.at((0.3, 0.1)).log_prob
    assert after != before
    assert after == pytest.approx(float(trainer.average.log_prob(torch.tensor([[0.3, 0.1]]))[0]), abs=1e-5)


def test_what_cannot_be_probed_says_so(trained):
    with pytest.raises(ConfigError):
        ToyProbe(build({"system": "realnvp", "shape": [3], "depth": 2, "width": 8}))
    probe = ToyProbe(trained.average)
    with pytest.raises(NonFiniteError) as caught:
        probe.at((float("nan"), 0.0))
    assert "layer" in str(caught.value)


def test_hundredths_add_up_and_change_as_little_as_possible():
    parts, total = hundredths([0.004, 0.004, 0.004])
    assert total == 1 and sorted(parts) == [0, 0, 1]
    parts, total = hundredths([-2.345, 1.111, 0.25])
    assert parts.sum() == total == -98
    rng = np.random.default_rng(0)
    for _ in range(50):
        terms = rng.normal(size=9)
        parts, total = hundredths(terms)
        assert parts.sum() == total and np.abs(parts / 100 - terms).max() < 0.01
