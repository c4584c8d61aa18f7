"""The device: chosen, and left for the CPU where its memory runs out."""

from __future__ import annotations

import pytest
import torch

from flow_explorer.cli.device import OutOfMemoryError, choose_device, run_on
from flowcore.errors import ConfigError


def test_auto_takes_the_cpu_where_there_is_nothing_else(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"


def test_mps_is_left_out_until_it_is_asked_for(monkeypatch):
    monkeypatch.delenv("FLOW_EXPLORER_MPS", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto") == "cpu"
    with pytest.raises(ConfigError, match="FLOW_EXPLORER_MPS=1"):
        choose_device("mps")
    monkeypatch.setenv("FLOW_EXPLORER_MPS", "1")
    assert choose_device("mps") == choose_device("auto") == "mps"


def test_auto_prefers_cuda_and_leaves_mps_out_of_exact_work(monkeypatch):
    monkeypatch.setenv("FLOW_EXPLORER_MPS", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto") == "mps"
    assert choose_device("auto", exact=True) == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto", exact=True) == "cuda"


def test_float32_stays_float32():
    choose_device("cpu")
    assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize("name", ["cuda", "mps", "cuda:3"])
def test_a_device_that_is_not_there_is_an_error_with_a_way_out(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="--device cpu works"):
        choose_device(name)


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("MPS backend out of memory"),
     RuntimeError("CUDA error: out of memory")],
)  # fmt: skip
def test_out_of_memory_goes_on_with_the_cpu_and_says_so(capsys, error):
    asked = []

    def job(device: str) -> str:
        asked.append(device)
        if device != "cpu":
            raise error
        return "done"

    assert run_on("cuda", job) == "done"
    assert asked == ["cuda", "cpu"]
    assert "out of memory" in capsys.readouterr().err


def test_mps_without_float64_goes_on_with_the_cpu(capsys):
    def job(device: str) -> str:
        if device == "mps":
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64.")
        return device

    assert run_on("mps", job) == "cpu"
    assert "float64" in capsys.readouterr().err


def test_out_of_memory_on_the_cpu_is_a_sentence():
    def job(device: str) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")

    with pytest.raises(OutOfMemoryError, match="not enough memory"):
        run_on("cpu", job)


def test_other_errors_are_not_swallowed():
    def job(device: str) -> None:
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="multiplied"):
        run_on("cuda", job)


def test_a_training_that_runs_out_of_memory_goes_on_from_its_run_folder(cli, picture_folder, tmp_path, monkeypatch):
    import flowcore.training as training

    real, devices = training.train, []

    def fails_on_cuda(config, data, run_folder, validation=None, *, device, **options):
        devices.append(device)
        if device == "cuda":
            real(config, data, run_folder, validation, device="cpu", **{**options, "should_stop": lambda: True})
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(config, data, run_folder, validation, device=device, **options)

    monkeypatch.setattr(training, "train", fails_on_cuda)
    monkeypatch.setattr("flow_explorer.cli.device.choose_device", lambda *_, **__: "cuda")
    ran = cli("train", "--data", picture_folder, "--size", 16, "--preset", "tiny", "--steps", 4, "--batch", 8,
              "--out", tmp_path / "run", "--json")  # fmt: skip
    assert ran.code == 0 and devices == ["cuda", "cpu"]
    assert "going on with the CPU" in ran.err and ran.json["step"] == 4
