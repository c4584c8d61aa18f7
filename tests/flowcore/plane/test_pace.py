"""The rule that ends a fast-forward, and a step's stages against the step itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from flowcore.errors import CheckpointError, ConfigError
from flowcore.plane.continuous import ContinuousFlow
from flowcore.plane.convergence import Standstill
from flowcore.plane.frames import ToyFrames
from flowcore.plane.step import POINTS, StepInDetail, next_step
from flowcore.plane.step_matching import MatchingInDetail
from flowcore.plane.trainer import ToyConfig, ToyTrainer


def measure(rule, curve, every=100):
    """The step at which the rule stops on a curve of losses, None if it does not."""
    return next((step for step in range(0, every * len(curve), every) if rule.measured(step, curve[step // every])), None)


def test_a_curve_that_falls_goes_on_and_a_flat_one_stops_after_the_patience():
    falling = [3.0 - 0.01 * i for i in range(100)]
    assert measure(Standstill(0.005, 1500, 10**6), falling) is None
    assert measure(Standstill(0.005, 1500, 10**6), falling + [2.01] * 50) == 9900 + 1500


def test_small_gains_that_add_up_within_the_patience_are_progress():
    slow = [3.0 - 0.0007 * i for i in range(200)]  # 0.0105 in 1,500 steps
    assert measure(Standstill(0.005, 1500, 10**6), slow) is None
    too_slow = [3.0 - 0.0003 * i for i in range(200)]  # 0.0045 in 1,500 steps
    assert measure(Standstill(0.005, 1500, 10**6), too_slow) == 1500


def test_noise_upwards_is_no_progress_and_there_is_a_last_step():
    noisy = [2.0 + 0.1 * (i % 2) for i in range(100)]
    assert measure(Standstill(0.005, 1500, 10**6), noisy) == 1500
    rule = Standstill(0.005, 1500, 4000)
    assert measure(rule, [3.0 - 0.01 * i for i in range(100)]) == 4000
    rule = Standstill(0.005, 1000)
    rule.measured(200, 2.0)
    rule.measured(700, 2.0)
    assert rule.fraction == 0.5 and rule.quiet == 500
    with pytest.raises(ConfigError):
        Standstill(gain=0)


@pytest.mark.parametrize("flow", ["nice", "realnvp", "glow", "spline"])
def test_the_stages_are_those_of_the_step_that_is_taken(flow):
    trainer = ToyTrainer(ToyConfig(flow=flow, depth=4, width=16, batch=64))
    trainer.step(3)
    data = trainer.snapshot()
    detail = next_step(data)
    assert trainer.snapshot() == data  # the training was not touched
    assert isinstance(detail, StepInDetail)
    assert detail.loss == pytest.approx(detail.prior_term + detail.log_det_term, abs=1e-4)
    assert detail.path.shape == (5, 64, 2) and detail.norms.shape == (4,) and detail.step == 4
    x = trainer._batch()
    z, _ = trainer.flow.encode(x)
    assert np.allclose(detail.path[0], x[:POINTS]) and np.allclose(detail.path[-1], z[:POINTS].detach(), atol=1e-4)
    loss = trainer.step()
    assert loss == pytest.approx(detail.loss, abs=1e-5)
    assert detail.norm == pytest.approx(float(torch.linalg.vector_norm(trainer._flat.gradient)) / detail.scale, rel=1e-2)
    eps = trainer.flow.sample(POINTS, seed=2**32)
    with torch.no_grad():
        assert np.allclose(trainer.flow.decode(eps).numpy(), detail.after, atol=1e-5)
    assert np.abs(detail.after - detail.before).max() > 1e-4


@pytest.mark.parametrize("prior", ["gaussian", "ring"])
def test_a_continuous_flow_s_stages_are_those_of_the_step_that_is_taken(prior):
    trainer = ToyTrainer(ToyConfig(flow="continuous", depth=4, width=16, batch=600, prior=prior))
    trainer.step(3)
    data = trainer.snapshot()
    detail = next_step(data)
    assert trainer.snapshot() == data and detail.trained_by == "matching"  # the training was not touched
    assert isinstance(detail, MatchingInDetail) and isinstance(trainer.flow, ContinuousFlow)
    x = trainer._batch()
    noise, t = trainer._matching.draw(x, trainer.config.seed, 3)
    # The points shown lie on their straight paths, times from the first to the last of the batch, evenly.
    assert detail.place.shape == (POINTS, 2) and detail.batch == 600
    assert np.allclose(detail.place, (1 - detail.times[:, None]) * detail.noise + detail.times[:, None] * detail.data, atol=5e-3)
    assert np.allclose(detail.wanted, detail.data - detail.noise, atol=5e-3)
    assert detail.times[0] == detail.earliest < 0.05 and detail.times[-1] == detail.latest > 0.99
    assert set(map(tuple, detail.data)) <= set(map(tuple, x.numpy())) and set(map(tuple, detail.noise)) <= set(
        map(tuple, noise.numpy())
    )
    with torch.no_grad():
        field = trainer.flow.field.velocity(torch.from_numpy(detail.place), torch.from_numpy(detail.times)[:, None])
        place = (1 - t) * noise + t * x
        whole = trainer.flow.field.velocity(place, t)
    assert np.allclose(detail.field, field.numpy(), atol=1e-5)
    assert detail.loss == pytest.approx(float((whole - (x - noise)).square().sum(1).mean()), rel=5e-3)
    assert detail.wanted_square == pytest.approx(float((x - noise).square().sum(1).mean()), rel=5e-3)
    assert detail.norm == pytest.approx(float(np.sqrt((detail.norms.astype(float) ** 2).sum())), rel=1e-4)
    assert detail.learning_rate == pytest.approx(trainer.learning_rate())
    assert trainer.step() == pytest.approx(detail.loss, abs=1e-5) and detail.step == trainer.step_count
    used = float(torch.linalg.vector_norm(trainer._flat.gradient))
    assert used == pytest.approx(detail.norm * detail.scale, rel=1e-2)
    eps = torch.from_numpy(ToyFrames(trainer)._eps[:POINTS].numpy())
    with torch.no_grad():
        assert np.allclose(trainer.flow.decode(eps).numpy(), detail.after, atol=0.02)
    assert np.abs(detail.after - detail.before).max() > 1e-4


def test_a_step_with_other_settings_and_a_broken_snapshot():
    trainer = ToyTrainer(ToyConfig(depth=2, width=8, batch=64))
    detail = next_step(trainer.snapshot(), learning_rate=1e-3, batch=32)
    assert isinstance(detail, StepInDetail)
    assert detail.learning_rate == pytest.approx(1e-3 / 50) and detail.path.shape[1] == 32
    with pytest.raises(CheckpointError):
        next_step(b"no snapshot")
