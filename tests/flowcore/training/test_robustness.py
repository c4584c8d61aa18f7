"""A run that cannot be broken: killed, without disk or folder, with NaN in a batch or in the held-out pictures."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.utils._python_dispatch import TorchDispatchMode

from flowcore.errors import CheckpointError, DataError
from flowcore.model.card import read_card
from flowcore.training import RunFolder, TrainConfig, architecture_for, train
from flowcore.training.record import Record
from flowcore.training.trainer import Trainer

ROOT = Path(__file__).parents[3]


pytestmark = pytest.mark.usefixtures("one_thread")


def pictures(count: int, size: int = 8) -> SimpleNamespace:
    rng = np.random.default_rng(0)
    base = rng.integers(40, 200, (count, 1, 1, 1)) + 20 * np.indices((size, size)).sum(0)[None, ..., None] / size
    return SimpleNamespace(pictures=(base + rng.random((count, size, size, 1)) * 8).astype(np.uint8), labels=None)


def config(**changes) -> TrainConfig:
    base = TrainConfig(
        architecture_for("glow", "tiny", (1, 8, 8)), steps=40, batch=8, log_every=5, evaluate_every=20, checkpoint_every=10,
        warm_up=5, name="tiny",
    )  # fmt: skip
    return dataclasses.replace(base, **changes)


def assert_same_weights(one: Path, other: Path) -> None:
    a, b = load_file(one / "last.safetensors"), load_file(other / "last.safetensors")
    assert a.keys() == b.keys()
    for name, tensor in a.items():
        assert torch.equal(tensor, b[name]), name


# -- the end of the process ---------------------------------------------------------------------------------------------


def test_killed_at_random_moments_a_run_is_always_resumed(tmp_path):
    np.savez(tmp_path / "data.npz", x=pictures(40).pictures)
    every = 2
    command = [
        sys.executable, "-m", "flow_explorer", "train", "--data", str(tmp_path / "data.npz"), "--architecture", "glow",
        "--preset", "tiny", "--steps", "100000", "--batch", "4", "--checkpoint-every", str(every), "--out",
        str(tmp_path / "run"),
    ]  # fmt: skip
    folder, rng, reached = RunFolder(tmp_path / "run"), np.random.default_rng(), 0
    for attempt in range(3):
        extra = ["--resume"] if attempt else []
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command + extra, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, **quiet)
        before = folder.last.stat().st_mtime_ns if attempt else 0
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if folder.last.exists() and folder.last.stat().st_mtime_ns != before:
                break
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        _, words = process.communicate()
        assert process.returncode == -signal.SIGKILL, words
        step = read_card(folder.last)["steps"]
        assert step > reached and step % every == 0
        assert max((line["step"] for line in folder.metrics()), default=0) <= step + every
        reached = step
    resumed = Trainer(folder.config())
    resumed.resume(folder)
    assert resumed.step == reached
    # What the kill left half-written is cleared away, and the run goes on.
    (folder.path / ".last.safetensors.0123456789ab.part").write_bytes(b"half")
    (folder.path / "notes.part").write_text("mine")
    train(folder.config(), pictures(40), folder.path, resume=True, should_stop=lambda: True)
    assert read_card(folder.last)["steps"] == reached + 1
    names = {path.name for path in folder.path.iterdir()}
    assert not any(name.startswith(".last") for name in names) and "notes.part" in names


def test_a_torn_last_line_is_passed_over_and_mended(tmp_path):
    steps = iter(range(100))
    train(config(), pictures(40), tmp_path / "run", should_stop=lambda: next(steps) == 19)
    folder = RunFolder(tmp_path / "run")
    with open(folder.metrics_path, "ab") as file:
        file.write(b'12\n{"step": 25, "bpd": 3.1, "skip\xff\x00')
    assert [line["step"] for line in folder.metrics()] == [5, 10, 15, 20]
    train(config(), pictures(40), folder.path, resume=True)
    lines = folder.metrics_path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [5, 10, 15, 20, 25, 30, 35, 40]


# -- the disk -----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="the system's own limit on files stands for a full disk")
def test_a_full_disk_is_said_and_the_run_goes_on(tmp_path):
    """The system itself refuses the bytes, in the middle of the file, while the limit is set."""
    import resource

    folder, said, steps = RunFolder(tmp_path / "run"), [], []
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    untouched = {}

    def stop() -> bool:
        steps.append(len(steps) + 1)
        if steps[-1] == 14:
            untouched[14] = folder.last.read_bytes(), folder.metrics_path.read_bytes()
            # Less than a checkpoint, and than a line more of metrics.
            resource.setrlimit(resource.RLIMIT_FSIZE, (folder.metrics_path.stat().st_size + 20, limits[1]))
        if steps[-1] == 24:
            assert (folder.last.read_bytes(), folder.metrics_path.read_bytes()) == untouched[14]
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        return False

    data, held_out = pictures(40), pictures(16)
    try:
        trainer = train(config(), data, folder.path, held_out, should_stop=stop, on_notice=said.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert trainer.step == 40
    assert [line["step"] for line in folder.metrics()] == [5, 10, 15, 20, 25, 30, 35, 40]
    assert sum("metrics cannot be written" in sentence for sentence in said) == 1
    checkpoints = [sentence for sentence in said if "last.safetensors" in sentence]
    assert len(checkpoints) == 1 and "whole" in checkpoints[0] and "tries again" in checkpoints[0]
    assert any("best.safetensors" in sentence for sentence in said)
    assert all("\n" not in sentence and sentence.endswith(".") for sentence in said)
    # Not the least of it changed the run, and nothing half-written is left.
    train(config(), data, tmp_path / "plain", held_out)
    assert_same_weights(folder.path, tmp_path / "plain")
    assert not list(folder.path.glob(".*.part"))
    assert read_card(folder.best)["steps"] == 40


@pytest.mark.skipif(os.name != "posix", reason="the system's own limit on files stands for a full disk")
def test_a_disk_that_stays_full_ends_in_a_sentence_with_the_checkpoint_before_it(tmp_path):
    import resource

    folder, limits = RunFolder(tmp_path / "run"), resource.getrlimit(resource.RLIMIT_FSIZE)

    def stop() -> bool:
        if folder.last.exists():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        return False

    try:
        with pytest.raises(CheckpointError, match=r"last\.safetensors' cannot be written"):
            train(config(), pictures(40), folder.path, should_stop=stop)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert read_card(folder.last)["steps"] == 10
    assert train(config(), pictures(40), folder.path, resume=True).step == 40


@pytest.mark.parametrize("when", [11, 19])
def test_a_run_folder_deleted_while_training_stops_it_and_is_not_made_again(tmp_path, when):
    folder, steps = tmp_path / "run", iter(range(1, 1000))

    def stop() -> bool:
        if next(steps) == when:
            shutil.rmtree(folder)
        return False

    with pytest.raises(DataError, match="was deleted or moved away, so the training stopped at step (15|20)"):
        train(config(), pictures(40), folder, pictures(16), should_stop=stop)
    assert not folder.exists()


# -- values that are not finite -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("poisoned_steps", [(7, 8), (0, 1)])
def test_nan_in_a_batch_is_skipped_counted_and_said(tmp_path, monkeypatch, poisoned_steps):
    real, said, seen = Trainer.make_batch, [], []

    def poisoned(self, pictures, labels, step, *rest):
        x, label = real(self, pictures, labels, step, *rest)
        if step in poisoned_steps:
            x[1, 0, 2, 3] = math.nan
        return x, label

    monkeypatch.setattr(Trainer, "make_batch", poisoned)
    trainer = train(config(), pictures(40), tmp_path / "run", on_notice=said.append, on_progress=seen.append)
    assert trainer.skipped == 2 and seen[-1].skipped == 2 and trainer.step == 40
    assert all(torch.isfinite(p).all() for p in (*trainer.flow.parameters(), *trainer.average.parameters()))
    assert said == [f"2 steps up to step {5 if poisoned_steps[0] == 0 else 10} had a gradient that is not finite and "
                    "changed nothing."]  # fmt: skip
    lines = RunFolder(tmp_path / "run").metrics()
    assert lines[-1]["skipped"] == 2 and lines[-1]["bpd"] < 8
    assert all(line["bpd"] is not None for line in lines)  # the mean of the steps that were finite
    resumed = Trainer(config())
    resumed.resume(RunFolder(tmp_path / "run"))
    assert resumed.skipped == 2


def test_held_out_pictures_that_come_out_not_finite_do_not_end_a_run(tmp_path, monkeypatch):
    real, said = Record.evaluate, []

    def poisoned(self):
        if self.trainer.step != 20:
            return real(self)
        weight = next(self.trainer.average.parameters())
        before = weight.clone()
        weight.fill_(math.nan)
        held_out = real(self)
        weight.copy_(before)
        return held_out

    monkeypatch.setattr(Record, "evaluate", poisoned)
    train(config(evaluate_every=10), pictures(40), tmp_path / "run", pictures(16), on_notice=said.append)
    lines = RunFolder(tmp_path / "run").metrics()
    assert [line["step"] for line in lines if "held_out_bpd" in line] == [10, 30, 40]
    assert len(said) == 1 and "Step 20" in said[0] and "not finite" in said[0]
    assert all(math.isfinite(line["held_out_bpd"]) for line in lines if "held_out_bpd" in line)
    assert read_card(tmp_path / "run" / "best.safetensors")["steps"] in (10, 30, 40)


# -- the update ---------------------------------------------------------------------------------------------------------


def test_the_update_is_clipped_adam_with_a_moving_average():
    """Held against the optimiser's and the clipping's own functions, one after the other."""
    data = pictures(40)
    trainer = Trainer(config(precision="float32", clip_norm=0.05))
    trainer.initialise(data.pictures, None)
    plain = Trainer(config(precision="float32"))
    plain.flow.load_state_dict(trainer.flow.state_dict())
    adam = torch.optim.AdamW(plain.parameters, betas=(0.9, 0.99), weight_decay=0.0, fused=False, foreach=False)
    average = [p.detach().clone() for p in plain.parameters]
    norms = []
    for step in range(6):
        batch = trainer.make_batch(data.pictures, None, step)
        _, norm = trainer.train_step(*batch)
        plain.gradients(*batch)
        norms.append(float(torch.nn.utils.clip_grad_norm_(plain.parameters, 0.05)))
        assert float(norm) == pytest.approx(norms[-1], rel=1e-5)
        adam.param_groups[0]["lr"] = trainer.learning_rate(step)
        adam.step()
        decay = min(0.999, (1 + step) / (10 + step))
        average = [decay * a + (1 - decay) * p.detach() for a, p in zip(average, plain.parameters, strict=True)]
    assert max(norms) > 0.05
    for p, expected in zip(trainer.parameters, plain.parameters, strict=True):
        torch.testing.assert_close(p, expected, rtol=1e-4, atol=1e-6)
    for p, expected in zip(trainer.average.parameters(), average, strict=True):
        torch.testing.assert_close(p, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("as_on", ["cpu", "cuda"])
def test_a_gradient_that_is_not_finite_changes_nothing_at_all(as_on):
    trainer, data = Trainer(config(precision="float32")), pictures(40)
    trainer.initialise(data.pictures, None)
    trainer.train_step(*trainer.make_batch(data.pictures, None, 0))
    before = {name: tensor.clone() for name, tensor in trainer.training_tensors().items()}
    average = [p.clone() for p in trainer.average.parameters()]
    trainer.gradients(*trainer.make_batch(data.pictures, None, 1))
    trainer.parameters[3].grad[0] = math.inf
    trainer.device = torch.device(as_on)  # how the update goes about it; the tensors stay where they are
    trainer._update()
    assert trainer.skipped == 1
    for name, tensor in trainer.training_tensors().items():
        assert torch.equal(tensor, before[name]), name
    assert all(torch.equal(a, b) for a, b in zip(trainer.average.parameters(), average, strict=True))


def test_on_a_gpu_no_part_of_an_update_waits_for_it():
    """What copies a value to the host does so by `_local_scalar_dense`; and both ways give the same average."""

    class Waits(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            self.count += "_local_scalar_dense" in str(function)
            return function(*args, **(kwargs or {}))

    data, averages, counts = pictures(40), [], []
    for as_on in ("cpu", "cuda"):
        trainer = Trainer(config(precision="float32"))
        trainer.initialise(data.pictures, None)
        trainer.gradients(*trainer.make_batch(data.pictures, None, 0))
        trainer.device = torch.device(as_on)
        with Waits() as waits:
            trainer._update()
        counts.append(waits.count)
        averages.append([p.clone() for p in trainer.average.parameters()])
    assert counts == [1, 0]
    for a, b in zip(*averages, strict=True):
        torch.testing.assert_close(a, b)


# -- what is random -----------------------------------------------------------------------------------------------------


def test_evaluation_has_its_own_generator(tmp_path):
    """How often it is evaluated, on what, and what else draws meanwhile, is nothing to the run."""
    train(config(evaluate_every=3, log_every=1), pictures(40), tmp_path / "often", pictures(16))

    def draw() -> bool:
        torch.rand(7)
        np.random.random(3)  # noqa: NPY002 - the generator that all share
        return False

    train(config(evaluate_every=40), pictures(40), tmp_path / "never", should_stop=draw)
    often, never = (load_file(tmp_path / name / "last.safetensors") for name in ("often", "never"))
    assert all(torch.equal(tensor, never[name]) for name, tensor in often.items())


def test_the_horizon_is_the_configurations_wherever_a_run_is_stopped(tmp_path):
    steps = iter(range(1, 1000))
    train(config(), pictures(40), tmp_path / "run", should_stop=lambda: next(steps) == 20)
    assert RunFolder(tmp_path / "run").config().steps == 40
    # What is asked for on resuming does not move it: the run's own configuration decides.
    train(config(steps=1000, learning_rate=1.0), pictures(40), tmp_path / "run", resume=True)
    train(config(), pictures(40), tmp_path / "whole")
    assert_same_weights(tmp_path / "run", tmp_path / "whole")
    rates = [[line["learning_rate"] for line in RunFolder(tmp_path / name).metrics()] for name in ("run", "whole")]
    assert rates[0] == rates[1]
