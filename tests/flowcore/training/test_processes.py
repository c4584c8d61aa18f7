"""Several processes that train one flow: the joined batch's gradient, and a run that any number of them can go on with."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from flowcore.errors import ConfigError
from flowcore.training import Processes, RunFolder
from flowcore.training.noise import dequantisation_noise, flips
from flowcore.training.trainer import Trainer

WORKER = Path(__file__).with_name("process_worker.py")
_spec = importlib.util.spec_from_file_location("process_worker", WORKER)
assert _spec is not None and _spec.loader is not None
worker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(worker)


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """What two processes left behind, of which one had begun the run `continued`."""
    folder = tmp_path_factory.mktemp("two")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        worker.run_to(folder / "continued", 10, Processes(), resume=False)
        ran = worker.launch([WORKER, folder], 2)
        words = [process.communicate(timeout=120)[1] for process in ran]
        assert [process.returncode for process in ran] == [0, 0], "\n".join(words)
        worker.run_to(folder / "continued", 30, Processes(), resume=True)
        worker.run_to(folder / "whole", 30, Processes(), resume=False)
    finally:
        torch.set_num_threads(before)
    return folder


@pytest.mark.parametrize("name", worker.CASES)
def test_gradients_of_two_processes_are_those_of_the_joined_batch(two, name):
    alone = worker.gradients(name, Processes())
    first, second = (load_file(two / f"{name}.{rank}") for rank in range(2))
    assert alone.keys() == first.keys() and len(alone) > 4
    for key, expected in alone.items():
        assert torch.equal(first[key], second[key]), key
        scale = float(expected.abs().max())
        assert scale > 0, key
        assert float((first[key] - expected).abs().max()) <= 1e-10 * scale, key


def test_a_run_continued_by_one_two_and_one_processes_is_the_run_of_one(two):
    whole, continued = (load_file(two / name / "last.safetensors") for name in ("whole", "continued"))
    assert whole.keys() == continued.keys()
    assert any(name.startswith("train.adam.exp_avg_sq.") for name in whole)
    for name, tensor in whole.items():
        torch.testing.assert_close(continued[name], tensor, rtol=1e-3, atol=1e-5, msg=name)
    lines, expected = (RunFolder(two / name).metrics() for name in ("continued", "whole"))
    assert [line["step"] for line in lines] == [line["step"] for line in expected] == [5, 10, 15, 20, 25, 30]
    for line, other in zip(lines, expected, strict=True):
        assert line["bpd"] == pytest.approx(other["bpd"], rel=1e-5)
        assert line["gradient_norm"] == pytest.approx(other["gradient_norm"], rel=1e-3)
        assert ("held_out_bpd" in line) == (line["step"] % 10 == 0)
        assert line.get("held_out_bpd", 0.0) == pytest.approx(other.get("held_out_bpd", 0.0), rel=1e-5)


def test_two_processes_resume_bit_for_bit(two):
    whole, parts = (load_file(two / name / "last.safetensors") for name in ("whole-of-two", "parts-of-two"))
    assert whole.keys() == parts.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, parts[name]), name


def test_one_writer(two):
    """Each step is logged once, and what stopped both was saved once."""
    assert [line["step"] for line in RunFolder(two / "stopped").metrics()] == [5, 7]
    trainer = Trainer(worker.config())
    trainer.resume(RunFolder(two / "stopped"))
    assert trainer.step == 7 and trainer.flow.initialised


def test_noise_and_flips_belong_to_a_row():
    shape, whole = (3, 5, 5), slice(0, 40)
    noise, turned = dequantisation_noise(7, 3, whole, shape), flips(7, 3, whole)
    parts = [slice(0, 1), slice(1, 17), slice(17, 40)]
    assert np.array_equal(noise, np.concatenate([dequantisation_noise(7, 3, rows, shape) for rows in parts]))
    assert np.array_equal(turned, np.concatenate([flips(7, 3, rows) for rows in parts]))
    assert len(np.unique(noise)) > 0.999 * noise.size and noise.min() >= 0 and noise.max() < 1
    many = dequantisation_noise(0, 0, slice(0, 400), (256,))
    counts = np.histogram(many, 64, (0, 1))[0]
    chi_square = ((counts - many.size / 64) ** 2 / (many.size / 64)).sum()
    assert 20 < chi_square < 130  # 63 degrees of freedom
    assert abs(np.corrcoef(many[:-1].ravel(), many[1:].ravel())[0, 1]) < 0.02
    for other in (dequantisation_noise(8, 3, whole, shape), dequantisation_noise(7, 4, whole, shape)):
        assert abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1]) < 0.1
    assert 0.4 < np.mean([flips(0, step, slice(0, 50)).mean() for step in range(20)]) < 0.6


def test_training_noise_is_not_that_of_the_evaluation():
    from flowcore.model.evaluation import _noise

    evaluated = _noise(0, 0, 0, (64, 8, 8, 1)).numpy()
    trained = np.concatenate([dequantisation_noise(0, step, slice(0, 4), (1, 8, 8)) for step in range(64)])
    assert not np.isin(trained, evaluated).mean() > 0.01


def test_a_batch_smaller_than_the_processes_is_a_sentence():
    many = Processes()
    many.count = 20
    with pytest.raises(ConfigError, match="13 pictures a step are too few for 20 processes"):
        Trainer(worker.config(), processes=many)


def test_processes_that_cannot_be_found_are_a_sentence(monkeypatch):
    from datetime import timedelta

    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=r"could not find each other at 127\.0\.0\.1:1"):
        Processes.join(patience=timedelta(seconds=1))
