"""Far from the data: what a continuous flow says of points that its training never saw; and fields of earlier runs."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from flowcore.fast.points.continuous import ContinuousPasses
from flowcore.fast.points.flat import FlatParameters
from flowcore.model import checkpoint
from flowcore.model.systems import build
from flowcore.modules import bias_of
from flowcore.plane.continuous import TOLERANCE, ContinuousFlow, runge_kutta
from flowcore.plane.course import snapshot_config
from flowcore.plane.trainer import ToyConfig, ToyTrainer
from flowcore.plane.velocity import DATA_WIDTH, PlainField, WaveField, drift, late_clock

pytestmark = pytest.mark.usefixtures("one_thread")

FAR = torch.tensor([[4.0, 4.0], [-6.0, 0.0], [0.0, -8.0], [20.0, 20.0], [-100.0, 30.0], [0.0, 1000.0]])


@pytest.fixture(scope="module")
def trained() -> ToyTrainer:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    trainer = ToyTrainer(ToyConfig(density="two-spirals", flow="continuous", width=32, learning_rate=1e-2, horizon=1500))
    trainer.step(1500)
    torch.set_num_threads(before)
    return trainer


def test_the_drift_is_the_field_between_two_gaussians():
    # x_t of noise and independent data of that width: v(x, t) = E[data − noise | x] = x · cov(data − noise, x_t) / var(x_t).
    for t in (0.0, 0.3, 0.9, 1.0):
        variance = (1 - t) ** 2 + (DATA_WIDTH * t) ** 2
        assert drift(t) == pytest.approx((t * DATA_WIDTH**2 - (1 - t)) / variance, abs=1e-12)
    z = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    x, log_det = runge_kutta(WaveField(4).double(), z, 0.0, 1.0, 64)  # a fresh network says nothing yet
    assert torch.allclose(x, DATA_WIDTH * z, atol=1e-5)
    assert log_det.item() == pytest.approx(2 * math.log(DATA_WIDTH), abs=1e-5)


def test_the_late_clock_runs_from_end_to_end_and_is_slowest_at_the_data():
    assert late_clock(0.0) == pytest.approx(-1.0) and late_clock(1.0) == pytest.approx(1.0)
    times = torch.linspace(0, 1, 21, dtype=torch.float64)
    ticks = late_clock(times)
    assert torch.all(ticks.diff() > 0) and torch.all(ticks.diff().diff() > 0)
    assert ticks[7].item() == pytest.approx(late_clock(times[7].item()), abs=1e-12)


def test_a_far_points_log_density_is_finite_moderate_and_integrated_within_the_tolerance(trained):
    with torch.no_grad():
        found = trained.exact.log_prob(FAR).double()
        # Of a Gaussian as wide as the data, give or take what a bounded correction can do.
        far = -0.5 * (FAR.double() / DATA_WIDTH).square().sum(1)
        assert torch.isfinite(found).all()
        assert torch.all(found < -5) and torch.all(found > 1.5 * far - 60), found
        flow, x = copy.deepcopy(trained.average).double(), FAR[:3].double()
        z, log_det = runge_kutta(flow.field, x, 1.0, 0.0, 256)
        exact = log_det + flow.base_log_prob(z)
    assert float((found[:3] - exact).abs().max()) < TOLERANCE


def test_no_weights_carry_a_point_off():
    """The field is a Gaussian's and a correction of at most |c| + Σ |C|: with any weights a path stays within its reach."""
    torch.manual_seed(0)
    flow = build({"system": "continuous", "shape": [2], "width": 16, "field": "waves"})
    assert isinstance(flow, ContinuousFlow)
    flow.initialise(FAR)
    with torch.no_grad():
        for parameter in flow.field.parameters():
            parameter.normal_(std=2.0)
        passes = ContinuousPasses(flow, FlatParameters(flow), 32)
        x = torch.randn(500, 2) * 3
        z, log_det = passes.encode(x)
        hidden, last = flow.field.hidden[0], flow.field.last
        bound = (hidden.weight.abs().sum(1) + bias_of(hidden).abs()) @ last.weight.abs().t() + bias_of(last).abs()
        # |dz/dt| ≤ |g| |z| + bound backwards in time (Grönwall); |g| integrates to less than 1.5.
        assert float(z.norm(dim=1).max()) < math.exp(1.5) * (float(x.norm(dim=1).max()) + float(bound.norm()))
        assert torch.isfinite(log_det).all()


def _without(values: dict, name: str) -> dict:
    return {key: value for key, value in values.items() if key != name}


def test_snapshots_and_checkpoints_from_before_the_choice_give_what_they_gave(tmp_path, monkeypatch):
    before = ToyTrainer(ToyConfig(flow="continuous", width=16, depth=3, field="plain"))
    before.step(5)
    with monkeypatch.context() as first:
        first.setattr(ToyConfig, "to_dict", lambda self, whole=ToyConfig.to_dict: _without(whole(self), "field"))
        data = before.snapshot()
    trainer = ToyTrainer.from_snapshot(data)
    assert trainer.config == before.config and snapshot_config(data)["field"] == "plain"
    assert isinstance(trainer.flow.field, PlainField)
    x = before.draw(50, 1)
    assert torch.equal(trainer.exact.log_prob(x), before.exact.log_prob(x))
    assert trainer.step(3) == before.step(3)  # and go on as they would have
    # A checkpoint's architecture did not name the field either.
    architecture = _without(trainer.flow.architecture, "field")
    flow = build(architecture)
    flow.load_state_dict(trainer.average.state_dict())
    flow.architecture = architecture
    checkpoint.save(tmp_path / "old.safetensors", flow.eval(), {"name": "old"})
    loaded = checkpoint.load(tmp_path / "old.safetensors").flow
    with torch.no_grad():
        assert torch.equal(loaded.log_prob(x), trainer.average.log_prob(x))


def test_new_runs_have_waves():
    trainer = ToyTrainer(ToyConfig.from_dict({"flow": "continuous", "width": 8}))
    assert isinstance(trainer.flow.field, WaveField)
    again = ToyTrainer.from_snapshot(trainer.snapshot())
    assert isinstance(again.flow.field, WaveField) and again.config == trainer.config
