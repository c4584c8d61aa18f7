"""Training on a density of the plane: what it promises to a caller, an interruption and a snapshot."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from flowcore.errors import CheckpointError, ConfigError, NonFiniteError
from flowcore.model import checkpoint
from flowcore.model.networks import MLP
from flowcore.pictures.images import read_picture
from flowcore.plane import snapshot as toy_snapshot
from flowcore.plane.trainer import ToyConfig, ToyTrainer, run

SMALL = ToyConfig(depth=4, width=16, batch=128)


pytestmark = pytest.mark.usefixtures("one_thread")


def weights(trainer: ToyTrainer) -> dict[str, torch.Tensor]:
    return {**trainer.flow.state_dict(), **{f"average {k}": v for k, v in trainer.average.state_dict().items()}}


def same(first: ToyTrainer, second: ToyTrainer) -> bool:
    a, b = weights(first), weights(second)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("flow", ["nice", "realnvp", "glow", "spline", "continuous"])
def test_continues_exactly_from_a_snapshot(flow):
    straight = ToyTrainer(replace(SMALL, flow=flow))
    straight.step(12)
    first = ToyTrainer(replace(SMALL, flow=flow))
    first.step(5)
    second = ToyTrainer.from_snapshot(first.snapshot())
    second.step(7)
    assert second.step_count == 12
    assert same(straight, second)
    assert straight.snapshot() == second.snapshot()


def test_what_is_looked_at_does_not_change_the_training():
    from flowcore.plane.frames import ToyFrames

    plain, watched = ToyTrainer(SMALL), ToyTrainer(SMALL)
    plain.step(6)
    for _ in range(6):
        frames = ToyFrames(watched)
        frames.samples(), frames.heat(16), frames.layers()
        watched.held_out(500)
        watched.snapshot()
        watched.step()
    assert same(plain, watched)


def test_building_leaves_the_global_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    ToyTrainer(SMALL).step()
    assert torch.equal(torch.rand(4), expected)


def test_seeds_differ_and_repeat():
    one, again, other = (ToyTrainer(replace(SMALL, seed=seed)) for seed in (1, 1, 2))
    for trainer in (one, again, other):
        trainer.step(2)
    assert same(one, again) and not same(one, other)


def test_learning_rate_and_batch_change_while_it_runs():
    trainer = ToyTrainer(SMALL)
    trainer.step(60)
    assert trainer.learning_rate() == pytest.approx(SMALL.learning_rate)
    trainer.adjust(learning_rate=1e-5, batch=32)
    before = {name: value.detach().clone() for name, value in trainer.flow.named_parameters()}
    trainer.step()
    assert trainer.step_count == 61 and trainer.config.batch == 32
    moved = max(float((value - before[name]).detach().abs().max()) for name, value in trainer.flow.named_parameters())
    assert 0 < moved < 5e-5


def test_schedule_warms_up_and_falls_to_nothing():
    trainer = ToyTrainer(replace(SMALL, horizon=100))
    assert trainer.learning_rate() == pytest.approx(SMALL.learning_rate / 50)
    trainer.step_count = 99
    assert trainer.learning_rate() < 0.001 * SMALL.learning_rate


def test_held_out_loss_is_what_its_definition_says():
    trainer = ToyTrainer(SMALL)
    trainer.step(150)
    loss = trainer.held_out()
    points = trainer.density.sample(100_000, np.random.default_rng(99))
    with torch.no_grad():
        plain = -trainer.average.log_prob(torch.from_numpy(points.astype(np.float32))).double()
    spread = float(plain.std()) / math.sqrt(len(plain))
    assert loss.count == 10_000
    assert abs(loss.nll - float(plain.mean())) < 4 * (spread + loss.standard_error)
    assert trainer.density.entropy is not None and loss.nll > trainer.density.entropy
    assert 0 < loss.standard_error < 0.02


def test_a_gaussian_is_learned_to_its_entropy():
    result = run("gaussian", "glow", steps=300, depth=2, width=16, batch=256)
    assert result["nll"] - result["entropy"] < 0.02
    assert result["count"] == 10_000 and result["seconds"] > 0


def test_run_reports_progress_and_writes_its_picture(tmp_path):
    seen = []
    out = tmp_path / "moons.png"
    result = run("two-moons", "nice", 5, depth=2, width=8, batch=32, out=out, on_progress=lambda *a: seen.append(a))
    assert seen[-1][:2] == (5, 5) and math.isfinite(seen[-1][2])
    assert set(result) >= {"nll", "standard_error", "entropy", "count", "seconds"}
    picture = read_picture(out)
    assert picture.pixels.shape[1] > 4 * picture.pixels.shape[0] / 2
    assert len(np.unique(picture.pixels.reshape(-1, 4), axis=0)) > 500


def test_the_same_run_gives_the_same_figure():
    first, second = (run("rings", "realnvp", 8, seed=4, depth=2, width=8, batch=32) for _ in range(2))
    assert first["nll"] == second["nll"]


@pytest.mark.parametrize(
    "changes",
    [
        {"density": "three-moons"}, {"flow": "planar"}, {"depth": 0}, {"bins": 1}, {"depth": True}, {"width": 1.5}, {"batch": 1},
        {"learning_rate": math.nan}, {"learning_rate": 0.0}, {"learning_rate": "fast"}, {"prior": "cauchy"}, {"horizon": 0},
        {"seed": -1},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused_in_a_sentence(changes):
    with pytest.raises(ConfigError) as caught:
        ToyConfig(**changes)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_config_round_trip_and_unknown_name():
    config = replace(SMALL, horizon=7)
    assert ToyConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ConfigError, match="bogus"):
        ToyConfig.from_dict({"bogus": 1})


def test_damaged_and_foreign_snapshots_change_nothing():
    trainer = ToyTrainer(SMALL)
    trainer.step(2)
    good = trainer.snapshot()
    wider = ToyTrainer(replace(SMALL, width=8)).snapshot()
    pickled = b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94."
    for bad in (b"", b"text", good[:100], good[: len(good) // 2], wider, pickled):
        with pytest.raises(CheckpointError):
            trainer.restore(bad)
    assert trainer.snapshot() == good


def test_snapshot_with_a_value_that_is_not_finite_is_refused():
    trainer = ToyTrainer(SMALL)
    groups = {"raw": trainer.flow.state_dict(), "average": trainer.average.state_dict(), "exp_avg": {}, "exp_avg_sq": {}}
    name = next(name for name, value in groups["raw"].items() if value.is_floating_point())
    groups["raw"] = {**groups["raw"], name: torch.full_like(groups["raw"][name], math.inf)}
    with pytest.raises(CheckpointError):
        trainer.restore(toy_snapshot.pack(SMALL, 1, groups))


def test_a_broken_step_is_named_and_the_weights_stay():
    trainer = ToyTrainer(SMALL)
    trainer.step()
    before = {name: value.clone() for name, value in weights(trainer).items()}
    trainer.draw = lambda count, *key: torch.full((count, 2), math.nan)
    trainer._block = None
    with pytest.raises(NonFiniteError, match="step 2"):
        trainer.step()
    assert trainer.step_count == 1
    assert all(torch.equal(value, before[name]) for name, value in weights(trainer).items())


def test_the_model_is_kept_as_a_checkpoint(tmp_path):
    trainer = ToyTrainer(SMALL)
    trainer.step(3)
    checkpoint.save(tmp_path / "toy.safetensors", trainer.average, trainer.card())
    loaded = checkpoint.load(tmp_path / "toy.safetensors")
    points = trainer.draw(50, 9)
    with torch.no_grad():
        assert torch.equal(loaded.flow.log_prob(points), trainer.average.log_prob(points))
    assert loaded.card["system"] == "realnvp" and loaded.card["steps"] == 3


def test_two_moons_by_the_default_recipe_within_a_tenth_of_a_nat_in_a_minute():
    started = time.process_time()
    result = run("two-moons", steps=450)
    assert result["nll"] - result["entropy"] < 0.1 - 2 * result["standard_error"]
    assert time.process_time() - started < 60.0


def test_averaging_acts_while_the_run_goes_on_and_its_course_says_when():
    trainer = ToyTrainer(ToyConfig(depth=2, width=8, batch=16))
    trainer.step(3)
    raw, average = (next(flow.parameters()) for flow in (trainer.flow, trainer.average))
    assert not torch.equal(raw, average)
    trainer.adjust(averaging=0.0)
    trainer.step()
    assert torch.equal(raw, average)
    assert trainer.course.changes == ((0, 4e-3, 16), (3, 4e-3, 16, 0.0)) and trainer.course.at(2)["averaging"] == 0.99
    assert ToyTrainer.from_snapshot(trainer.snapshot()).course == trainer.course


@pytest.mark.parametrize("changes", [{}, {"flow": "nice"}, {"flow": "spline"}, {"flow": "glow"}, {"prior": "ring"}])
def test_the_activation_is_the_networks(changes):
    for name, function in (("silu", torch.nn.functional.silu), ("tanh", torch.tanh), ("relu", torch.nn.functional.relu)):
        flow = ToyTrainer(ToyConfig(depth=2, width=8, batch=16, activation=name, **changes)).flow
        assert {module.activation for module in flow.modules() if isinstance(module, MLP)} == {function}
