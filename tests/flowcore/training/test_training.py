"""Training: exact resume, honest metrics, a folder that survives a kill, and skipped steps."""
from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from flowcore.errors import CheckpointError, ConfigError, DataError, NonFiniteError
from flowcore.model import checkpoint
from flowcore.model.card import read_card
from flowcore.model.priors import LearnedPrior
from flowcore.training import RunFolder, TrainConfig, architecture_for, train
from flowcore.training.loop import Trainer

ROOT = Path(__file__).parents[3]


def pictures(count: int, size: int = 8) -> SimpleNamespace:
    rng = np.random.default_rng(0)
    rows, columns = np.indices((size, size)) / size
    a, b, c = rng.random((3, count, 1, 1, 1))
    smooth = 30 + 160 * (a * rows[None, ..., None] + b * columns[None, ..., None]) / 2 + 40 * c
    return SimpleNamespace(pictures=(smooth + rng.random(smooth.shape) * 8).astype(np.uint8), labels=None)


def config(**changes) -> TrainConfig:
    base = TrainConfig(
        architecture_for("glow", "tiny", (1, 8, 8)), steps=40, batch=8, log_every=5, evaluate_every=20, checkpoint_every=10,
        warm_up=5, flip=True, name="tiny",
    )  # fmt: skip
    return dataclasses.replace(base, **changes)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "last.safetensors")


def test_a_run_leaves_what_it_promises(tmp_path):
    data, held_out = pictures(64), pictures(16)
    train(config(), data, tmp_path / "run", held_out)
    folder = RunFolder(tmp_path / "run")
    lines = folder.metrics()
    assert [line["step"] for line in lines] == [5, 10, 15, 20, 25, 30, 35, 40]
    assert all(np.isfinite(line["bpd"]) and line["seconds"] > 0 for line in lines)
    assert [line["step"] for line in lines if "held_out_bpd" in line] == [20, 40]
    assert lines[-1]["bpd"] < lines[0]["bpd"]
    assert folder.config().steps == 40
    best = read_card(tmp_path / "run")
    assert len(best["held_out"]["bpd_quantiles"]) == 201
    assert len(list(folder.samples.glob("*.png"))) == 2
    assert checkpoint.load(tmp_path / "run").flow.initialised


def test_stopping_and_resuming_is_the_same_run_bit_for_bit(tmp_path):
    data, held_out = pictures(50), pictures(16)
    train(config(), data, tmp_path / "whole", held_out)
    steps = iter(range(100))
    train(config(), data, tmp_path / "parts", held_out, should_stop=lambda: next(steps) == 12)
    assert json.loads((tmp_path / "parts" / "metrics.jsonl").read_text().splitlines()[-1])["step"] == 13
    train(config(), data, tmp_path / "parts", held_out, resume=True)
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    assert any(name.startswith("train.adam.exp_avg.") for name in whole)
    for name, tensor in whole.items():
        assert torch.equal(tensor, parts[name]), name
    assert read_card(tmp_path / "whole")["held_out"] == read_card(tmp_path / "parts")["held_out"]
    last = [RunFolder(tmp_path / name).metrics()[-1] for name in ("whole", "parts")]
    assert last[0]["held_out_bpd"] == last[1]["held_out_bpd"]


def test_every_epoch_sees_every_picture_once():
    trainer = Trainer(config(batch=8))
    seen = np.concatenate([trainer.batch_indices(step, 20) for step in range(5)])
    assert sorted(seen[:20]) == list(range(20))
    assert sorted(seen[20:]) == list(range(20))
    assert list(seen[:20]) != list(seen[20:])


def test_dequantisation_stays_within_its_bin():
    trainer, data = Trainer(config(flip=False)), pictures(20)
    x, _ = trainer.make_batch(data.pictures, None, 3)
    original = data.pictures[trainer.batch_indices(3, 20)]
    assert np.array_equal(x.floor().permute(0, 2, 3, 1).numpy().astype(np.uint8), original)
    again, _ = trainer.make_batch(data.pictures, None, 3)
    assert torch.equal(x, again)


def test_learning_rate_warms_up_and_comes_down():
    trainer = Trainer(config(steps=1000, warm_up=100, learning_rate=1e-3))
    rates = [trainer.learning_rate(step) for step in range(1000)]
    assert rates[0] == pytest.approx(1e-5, rel=0.01)
    assert max(rates) == pytest.approx(1e-3, rel=0.05)
    assert rates[-1] < 2e-5
    assert all(a >= b for a, b in zip(rates[150:], rates[151:], strict=False))


def test_a_gradient_that_is_not_finite_is_skipped(tmp_path, monkeypatch):
    calls = []
    real = Trainer.make_batch

    def poisoned(self, *args):
        x, label = real(self, *args)
        calls.append(self.step)
        return (x * float("nan") if self.step in (7, 8) else x), label

    monkeypatch.setattr(Trainer, "make_batch", poisoned)
    trainer = train(config(), pictures(40), tmp_path / "run")
    assert trainer.skipped == 2
    assert all(torch.isfinite(p).all() for p in trainer.flow.parameters())
    assert RunFolder(tmp_path / "run").metrics()[-1]["skipped"] == 2

    monkeypatch.setattr(Trainer, "make_batch", lambda self, *args: (real(self, *args)[0] * float("nan"), None))
    with pytest.raises(NonFiniteError, match="lower the learning rate"):
        train(config(steps=500), pictures(40), tmp_path / "diverged")


def test_class_conditional_training_uses_the_labels(tmp_path):
    data = pictures(40)
    data.labels = np.arange(40) % 2
    architecture = architecture_for("glow", "tiny", (1, 8, 8), classes=2)
    trainer = train(config(architecture=architecture), data, tmp_path / "run", data)
    prior = trainer.flow.prior
    assert isinstance(prior, LearnedPrior) and (prior.location[0] != prior.location[1]).any()


@pytest.mark.parametrize("system", ["nice", "realnvp", "glow"])
def test_every_system_learns(tmp_path, system):
    data = pictures(64)
    train(config(architecture=architecture_for(system, "tiny", (1, 8, 8)), steps=60), data, tmp_path / "run", data)
    lines = RunFolder(tmp_path / "run").metrics()
    assert lines[-1]["bpd"] < lines[0]["bpd"] - 0.2


def test_what_cannot_be_trained_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="at least 1"):
        config(steps=0)
    with pytest.raises(ConfigError, match="positive"):
        config(learning_rate=float("nan"))
    with pytest.raises(DataError, match="8×8×1"):
        train(config(), pictures(8, size=16), tmp_path / "run")
    with pytest.raises(CheckpointError, match="no run to resume"):
        train(config(), pictures(8), tmp_path / "nothing", resume=True)
    train(config(steps=2), pictures(8), tmp_path / "twice")
    with pytest.raises(ConfigError, match="--resume"):
        train(config(steps=2), pictures(8), tmp_path / "twice")
    (tmp_path / "twice" / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="config.json"):
        train(config(), pictures(8), tmp_path / "twice", resume=True)
    with pytest.raises(ConfigError, match="even"):
        architecture_for("glow", "small", (1, 7, 7))


def test_averaged_weights_are_kept_every_so_many_steps(tmp_path):
    data, held_out = pictures(64), pictures(16)
    train(config(keep_every=15), data, tmp_path / "run", held_out)
    folder = RunFolder(tmp_path / "run")
    assert sorted(path.name for path in folder.path.glob("step-*")) == ["step-000015.safetensors", "step-000030.safetensors"]
    train(config(), data, tmp_path / "plain", held_out)
    assert not list((tmp_path / "plain").glob("step-*"))
    kept = checkpoint.load(folder.kept(30))
    assert kept.card["steps"] == 30 and kept.flow.initialised
    assert folder.kept(30).stat().st_size < folder.last.stat().st_size / 2
    # Keeping changes nothing of the run, and a run that was stopped in between keeps the same.
    for name, tensor in weights(tmp_path / "run").items():
        assert torch.equal(tensor, weights(tmp_path / "plain")[name]), name
    steps = iter(range(100))
    train(config(keep_every=15), data, tmp_path / "parts", held_out, should_stop=lambda: next(steps) == 21)
    train(config(keep_every=15), data, tmp_path / "parts", held_out, resume=True)
    other = checkpoint.load(RunFolder(tmp_path / "parts").kept(30)).flow.state_dict()
    for name, tensor in kept.flow.state_dict().items():
        assert torch.equal(tensor, other[name]), name


def test_kept_weights_are_those_of_the_best_checkpoint_at_its_step(tmp_path):
    train(config(keep_every=20), pictures(64), tmp_path / "run", pictures(16))
    folder = RunFolder(tmp_path / "run")
    best = checkpoint.load(folder.best)
    kept = checkpoint.load(folder.kept(best.card["steps"])).flow.state_dict()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in best.flow.state_dict().items())


def test_what_a_kill_left_of_a_kept_checkpoint_is_tidied_away(tmp_path):
    train(config(steps=10, keep_every=5), pictures(32), tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    part = folder.path / ".step-000005.safetensors.1.part"
    part.write_bytes(b"half")
    folder.tidy()
    assert not part.exists() and folder.kept(5).is_file()


def test_keeping_is_a_whole_number_of_steps():
    for wrong in (-1, 1.5, "often"):
        with pytest.raises(ConfigError, match="keep every"):
            config(keep_every=wrong)
    old = config().to_dict()
    del old["keep_every"]
    assert TrainConfig.from_dict(old).keep_every == 0
