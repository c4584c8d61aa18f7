"""The continuous flow: its divergence, its training and its integrals against autograd and finer steps."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from flowcore.errors import ConfigError, NonFiniteError, UntrainedError
from flowcore.fast.points.continuous import PIECE, ContinuousPasses, MatchingLearner
from flowcore.fast.points.flat import FlatParameters
from flowcore.model import checkpoint
from flowcore.model.systems import build
from flowcore.modules import bias_of
from flowcore.plane.continuous import STEPS, TOLERANCE, ContinuousFlow, runge_kutta
from flowcore.plane.frames import ToyFrames
from flowcore.plane.matching import MEASURED_STEPS, SHOWN_STEPS
from flowcore.plane.prior_shapes import PLANE_PRIORS
from flowcore.plane.trainer import FLOWS, ToyConfig, ToyTrainer
from flowcore.plane.velocity import VelocityField, make_field

pytestmark = pytest.mark.usefixtures("one_thread")

CONFIG = ToyConfig(flow="continuous", width=32, batch=256, depth=5)


@pytest.fixture(scope="module")
def trained() -> ToyTrainer:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    trainer = ToyTrainer(CONFIG)
    trainer.step(400)
    torch.set_num_threads(before)
    return trainer


@pytest.fixture
def points(trained) -> torch.Tensor:
    return trained.draw(400, 9)


KINDS = ("waves", "plain")


def random_field(kind: str, width: int = 7) -> VelocityField:
    torch.manual_seed(0)
    field = make_field(kind, width).double()
    with torch.no_grad():
        field.last.weight.normal_()
        bias_of(field.last).normal_()
    return field


@pytest.mark.parametrize("kind", KINDS)
def test_the_divergence_is_the_trace_of_autograds_jacobian(kind):
    field = random_field(kind)
    x = torch.randn(20, 2, dtype=torch.float64)
    v, divergence = field.velocity_and_divergence(x, 0.3)
    assert torch.allclose(v, field.velocity(x, 0.3), atol=1e-13)
    for row in range(len(x)):
        jacobian = torch.autograd.functional.jacobian(lambda h: field.velocity(h, 0.3)[0], x[row : row + 1])[:, 0]
        assert divergence[row].item() == pytest.approx(jacobian.trace().item(), abs=1e-12)
    times = torch.full((20, 1), 0.3, dtype=torch.float64)  # a time for each point, as in training
    for mine, other in zip(field.velocity_and_divergence(x, times), (v, divergence), strict=True):
        assert torch.allclose(mine, other, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_log_det_is_the_jacobians_and_falls_with_the_fourth_power_of_the_step(kind):
    field = random_field(kind)
    x = torch.randn(6, 2, dtype=torch.float64)
    for row in range(2):
        jacobian = torch.autograd.functional.jacobian(lambda h: runge_kutta(field, h, 1.0, 0.0, 48)[0][0], x[row : row + 1])
        log_det = runge_kutta(field, x[row : row + 1], 1.0, 0.0, 48)[1]
        assert torch.linalg.slogdet(jacobian[:, 0])[1].item() == pytest.approx(log_det.item(), abs=1e-3)
    with torch.no_grad():
        exact, log_det = runge_kutta(field, x, 1.0, 0.0, 256)
        errors = [float((runge_kutta(field, x, 1.0, 0.0, n)[1] - log_det).abs().max()) for n in (16, 32, 64)]
        assert errors[0] / errors[1] > 10 and errors[1] / errors[2] > 10
        assert torch.allclose(runge_kutta(field, exact, 0.0, 1.0, 256)[0], x, atol=1e-6)


@pytest.mark.parametrize(("prior", "kind"), [*((prior, "waves") for prior in PLANE_PRIORS), ("gaussian", "plain")])
def test_the_gradient_of_flow_matching_is_autograds(prior, kind):
    torch.manual_seed(0)
    flow = build(replace(CONFIG, prior=prior, field=kind).architecture).double()
    assert isinstance(flow, ContinuousFlow)
    with torch.no_grad():
        flow.field.last.weight.normal_()
    plain = copy.deepcopy(flow)
    learner = MatchingLearner(flow, FlatParameters(flow))
    x, noise, t = torch.randn(64, 2).double(), torch.randn(64, 2).double(), torch.rand(64, 1).double()
    loss = plain.matching_loss(x, noise, t)
    loss.backward()
    for _ in range(2):  # nothing is left over from one call to the next
        assert learner.loss_and_gradients(x, noise, t) == pytest.approx(loss.item(), rel=1e-12)
    for mine, other in zip(flow.field.parameters(), plain.field.parameters(), strict=True):
        assert mine.grad is not None and other.grad is not None and torch.allclose(mine.grad, other.grad, atol=1e-10)


def test_log_prob_is_within_its_tolerance_of_finer_steps(trained, points):
    flow = copy.deepcopy(trained.average).double()
    x = points.double()
    z, log_det, terms = x, torch.zeros(len(x), dtype=torch.float64), []
    for stage in flow.layers:
        z, term = runge_kutta(flow.field, z, stage.start, stage.stop, 40)
        log_det, terms = log_det + term, [*terms, term]
    exact = flow.base_log_prob(z) + log_det
    with torch.no_grad():
        assert float((flow.log_prob(x) - exact).abs().max()) < TOLERANCE
        assert float((trained.average.log_prob(points).double() - exact).abs().max()) < TOLERANCE
        assert trained.average.log_prob_error(points) < TOLERANCE
        # The ledger: the stages' log-dets and the prior's add up to log p.
        steps = list(flow.encode_steps(x))
        assert torch.allclose(sum(step.log_det for step in steps) + flow.base_log_prob(steps[-1].h), flow.log_prob(x), atol=1e-9)
        for steps, worst, mean in ((SHOWN_STEPS, 0.2, 0.02), (MEASURED_STEPS, 0.02, 2e-3), (STEPS, TOLERANCE, 1e-4)):
            found = ContinuousPasses(trained.average, trained._flat_average, steps).log_prob(points).double() - exact
            assert float(found.abs().max()) < worst and abs(float(found.mean())) < mean


def test_decode_undoes_encode_within_the_tolerance(trained, points):
    with torch.no_grad():
        flow = trained.average
        assert float((flow.decode(flow.encode(points)[0]) - points).abs().max()) < TOLERANCE
        z = flow.sample(300, seed=3)
        assert float((flow.encode(flow.decode(z))[0] - z).abs().max()) < 5 * TOLERANCE
    measured = trained.measured
    assert float((measured.decode(measured.encode(points)[0]) - points).abs().max()) < 10 * TOLERANCE


def test_the_passes_are_the_flow_to_rounding(trained):
    flow = trained.average
    assert sum(stage.steps for stage in flow.layers) == 35 >= STEPS
    passes = ContinuousPasses(flow, trained._flat_average, 35)
    x = trained.draw(PIECE + 37, 9)
    with torch.no_grad():
        z, log_det = flow.encode(x)
        mine, term = passes.encode(x)
        assert torch.allclose(mine, z, atol=1e-4) and torch.allclose(term, log_det, atol=1e-4)
        assert torch.allclose(passes.encode_points(x), mine, atol=1e-5)
        assert torch.allclose(passes.decode(z), flow.decode(z), atol=1e-4)
        assert torch.allclose(passes.log_prob(x), flow.log_prob(x), atol=1e-4)
        wanted = list(flow.decode_steps(z))
        for step, other in zip(passes.decode_steps(z), wanted, strict=True):
            assert step.name == other.name and torch.allclose(step.h, other.h, atol=1e-4)
        # No point depends on its batch.
        assert torch.allclose(passes.log_prob(x[:3]), passes.log_prob(x)[:3], atol=1e-6)


def test_it_learns_and_the_run_without_hand_derivation_is_the_same(trained):
    assert trained.held_out(2048).nll < ToyTrainer(CONFIG).held_out(2048).nll - 0.3
    by_hand, by_autograd = ToyTrainer(CONFIG), ToyTrainer(CONFIG, fast=False)
    for trainer in (by_hand, by_autograd):
        trainer.step(5)
    for mine, other in zip(by_hand.flow.parameters(), by_autograd.flow.parameters(), strict=True):
        assert torch.allclose(mine, other, atol=1e-5)


def test_layers_are_a_smooth_path(trained):
    frames = ToyFrames(trained)
    layers = frames.layers()
    assert layers.shape == (CONFIG.depth + 1, 500, 2)
    assert np.abs(layers[-1] - frames.samples()[:500]).max() < 0.1
    assert np.abs(frames.prior() - trained.average.encode(frames._data)[0].detach().numpy()).max() < 0.1
    # Smooth: no stretch of time holds more than its share, twice over, of any point's way.
    stretches = np.linalg.norm(np.diff(layers, axis=0), axis=2)
    assert np.quantile(stretches.max(0) / stretches.sum(0), 0.9) < 2.2 / CONFIG.depth


def test_checkpoint_and_card_tell_the_solver(trained, points, tmp_path):
    checkpoint.save(tmp_path / "field.safetensors", trained.average, trained.card())
    loaded = checkpoint.load(tmp_path / "field.safetensors")
    with torch.no_grad():
        assert torch.equal(loaded.flow.log_prob(points), trained.average.log_prob(points))
    solver = loaded.card["solver"]
    assert loaded.card["system"] == "continuous" and solver["steps"] == STEPS and solver["log_prob_error"] < TOLERANCE
    assert sum(1 for name in loaded.flow.state_dict() if name.startswith("field.")) == 6
    assert len(list(loaded.flow.layers.parameters())) == 0  # the stages share the one field


def test_what_cannot_be_done_is_said(trained, points):
    fresh = build(CONFIG.architecture)
    assert isinstance(fresh, ContinuousFlow)
    passes = ContinuousPasses(fresh, FlatParameters(fresh), 4)
    with pytest.raises(UntrainedError):
        passes.decode(points)
    with pytest.raises(ConfigError):
        passes.encode(torch.zeros(3, 3))
    with pytest.raises(ConfigError, match="waves, plain"):
        replace(CONFIG, field="magnetic")
    with pytest.raises(ConfigError, match="plain, waves"):
        build({**CONFIG.architecture, "field": "magnetic"})
    with pytest.raises(NonFiniteError, match="ContinuousStage"):
        trained.shown.log_prob(torch.full((2, 2), torch.inf))
    for shape in ([3], [1, 8, 8]):
        with pytest.raises(ConfigError):
            build({"system": "continuous", "shape": shape})


@pytest.mark.parametrize("prior", PLANE_PRIORS)
@pytest.mark.parametrize("flow", FLOWS)
def test_every_flow_with_every_prior_is_finite_and_integrates_to_one(flow, prior):
    config = ToyConfig(density="gaussian", flow=flow, prior=prior, depth=2, width=8, batch=128, learned=True, components=3)
    trainer = ToyTrainer(config)
    trainer.step(20)
    reach, count = (20.0, 250) if prior == "logistic" else (9.0, 180)
    axis = (np.arange(count, dtype=np.float32) + 0.5) * (2 * reach / count) - reach
    places = torch.from_numpy(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2))
    mass = float(trainer.measured.log_prob(places).double().exp().sum()) * (2 * reach / count) ** 2
    assert mass == pytest.approx(1.0, abs=5e-3)
    frames = ToyFrames(trainer)
    samples, grid = frames.samples_and_grid()
    assert all(np.isfinite(part).all() for part in (samples, grid, frames.prior(), frames.heat(16), frames.layers()))
    assert np.isfinite(trainer.held_out(500).nll)
    # What is learned of a prior shows where it is; nothing else has an outline of its own.
    learns = prior == "mixture" and flow != "continuous"
    assert (frames.outline() is not None) == learns
