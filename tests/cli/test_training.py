"""train, resume and evaluate, with the tiny preset."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from flowcore.model import checkpoint

TINY = ("--architecture", "glow", "--preset", "tiny", "--batch", 8, "--seed", 1, "--device", "cpu")


def metrics(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("system", ["glow-plus", "glow", "realnvp", "nice"])
def test_a_run_folder_holds_what_it_should_and_serves_as_a_model(cli, picture_folder, tmp_path, system):
    run = tmp_path / "run"
    ran = cli("train", "--data", picture_folder, "--architecture", system, "--preset", "tiny", "--size", 16, "--batch", 8,
              "--steps", 12, "--out", run, "--device", "cpu", "--json")  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.json["step"] == 12 and np.isfinite(ran.json["bpd"])
    config = json.loads((run / "config.json").read_text())
    assert config["steps"] == 12 and config["architecture"]["system"] == system
    assert config["architecture"]["shape"] == [3, 16, 16]
    lines = metrics(run)
    assert lines[-1]["step"] == 12 and {"seconds", "loss", "bpd", "held_out_bpd"} <= set(lines[-1])
    assert (run / "last.safetensors").is_file() and (run / "best.safetensors").is_file()
    assert list((run / "samples").glob("*.png"))

    sheet = tmp_path / "sheet.png"
    assert cli("sample", "--model", run, "--count", 4, "--out", sheet, "--device", "cpu").code == 0
    row = cli("evaluate", "--model", run, "--data", picture_folder, "--split", "test", "--json").json
    assert row["count"] == 20 and 0 < row["bpd"] < 30 and row["standard_error"] > 0
    assert {"bpd", "standard_error", "entropy", "count", "seconds"} <= set(row)


def test_stopping_at_20_and_resuming_is_40_steps_bit_for_bit(cli, picture_folder, tmp_path):
    from safetensors.torch import load_file

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    common = ("--data", picture_folder, "--size", 16, "--evaluate-every", 10, "--flip", *TINY)
    assert cli("train", *common, "--steps", 40, "--out", whole).code == 0
    assert cli("train", *common, "--steps", 40, "--stop-at", 20, "--out", broken).code == 0
    assert metrics(broken)[-1]["step"] == 20
    assert json.loads((broken / "config.json").read_text())["steps"] == 40
    assert cli("train", "--data", picture_folder, "--resume", "--out", broken, "--device", "cpu").code == 0
    one, other = load_file(whole / "last.safetensors"), load_file(broken / "last.safetensors")
    assert one.keys() == other.keys() and any(name.startswith("train.adam.") for name in one)
    for name, tensor in one.items():
        assert np.array_equal(tensor.numpy(), other[name].numpy()), name
    assert metrics(broken)[-1]["step"] == 40
    assert metrics(broken)[-1]["held_out_bpd"] == metrics(whole)[-1]["held_out_bpd"]


@pytest.mark.parametrize("kind", ["folder", "zip", "npz"])
def test_a_jittered_run_resumes_bit_for_bit(cli, refused, picture_folder, tmp_path, kind):
    from PIL import Image
    from safetensors.torch import load_file

    files = sorted(picture_folder.rglob("*.png"))
    data = {"folder": picture_folder, "zip": tmp_path / "data.zip", "npz": tmp_path / "data.npz"}[kind]
    if kind == "zip":
        with zipfile.ZipFile(data, "w") as archive:
            for file in files:
                archive.write(file, file.relative_to(picture_folder).as_posix())
    elif kind == "npz":
        np.savez(data, x=np.stack([np.asarray(Image.open(file)) for file in files]))
    common = ("train", "--data", data, "--size", 8, *TINY)
    whole, broken, without = (tmp_path / name for name in ("whole", "broken", "without"))
    assert cli(*common, "--jitter", "--steps", 8, "--out", whole).code == 0
    assert cli(*common, "--jitter", "--steps", 8, "--stop-at", 3, "--out", broken).code == 0
    assert cli("train", "--data", data, "--resume", "--out", broken, "--device", "cpu").code == 0
    assert cli(*common, "--steps", 8, "--out", without).code == 0
    one, other, plain = (load_file(run / "last.safetensors") for run in (whole, broken, without))
    assert all(np.array_equal(tensor.numpy(), other[name].numpy()) for name, tensor in one.items())
    assert not all(np.array_equal(tensor.numpy(), plain[name].numpy()) for name, tensor in one.items())
    assert [json.loads((run / "config.json").read_text())["jitter"] for run in (whole, without)] == [True, False]
    assert "begun without --jitter" in refused(*common, "--resume", "--jitter", "--out", without)


def test_a_preset_can_be_changed_setting_by_setting(cli, refused, picture_folder, tmp_path):
    run = tmp_path / "run"
    common = ("train", "--data", picture_folder, "--size", 16, "--preset", "tiny", "--batch", 8, "--steps", 1)
    assert cli(*common, "--out", run, "--set", "width=24", "--set", "equalise=false", "--set", "levels=3").code == 0
    architecture = json.loads((run / "config.json").read_text())["architecture"]
    assert (architecture["width"], architecture["equalise"], architecture["levels"]) == (24, False, 3)
    wrong = {
        "width": "NAME=VALUE", "wisdom=7": "no setting 'wisdom'", "width=wide": "cannot be 'wide'", "width=-3": "cannot be -3",
        "levels=many": "cannot be 'many'", "shape=[2]": "other",
    }  # fmt: skip
    for setting, words in wrong.items():
        assert words in refused(*common, "--out", tmp_path / "no", "--set", setting)
    assert not (tmp_path / "no").exists()


def test_a_run_can_begin_with_the_weights_of_another(cli, refused, picture_folder, tmp_path):
    from safetensors.torch import load_file

    first, second = tmp_path / "first", tmp_path / "second"
    common = ("--data", picture_folder, "--batch", 8, "--seed", 2, "--device", "cpu")
    assert cli("train", *common, "--preset", "tiny", "--size", 16, "--steps", 12, "--out", first).code == 0
    # One step of a rate that is next to nothing leaves the weights where they were: those of the first run's average.
    ran = cli("train", *common, "--from", first, "--steps", 1, "--learning-rate", 1e-8, "--out", second)
    assert ran.code == 0, ran.err
    one, other = load_file(first / "best.safetensors"), load_file(second / "last.safetensors")
    for name, tensor in one.items():
        assert np.allclose(tensor.numpy(), other[f"train.raw.{name}"].numpy() if f"train.raw.{name}" in other
                           else other[name].numpy(), atol=1e-6), name  # fmt: skip
    third = tmp_path / "third"
    begun = ("train", *common, "--from", first, "--out", third)
    assert "leave --architecture and --preset away" in refused(*begun, "--preset", "tiny")
    assert "leave sizes away" in refused(*begun, "--set", "width=8")
    assert "give --size" in refused(*begun, "--size", 8)
    assert "checkpoint" in refused("train", *common, "--from", tmp_path, "--out", third)
    assert not third.exists()
    # What no weight depends on can be changed.
    assert cli(*begun, "--set", "input_bound=3", "--steps", 1).code == 0
    assert checkpoint.load(third).flow.architecture["input_bound"] == 3


def test_noise_can_be_learned_by_a_model_that_began_with_uniform_noise(cli, refused, picture_folder, tmp_path):
    """The layer in front starts as the identity: the model says of a picture what it said before."""
    first, second = tmp_path / "first", tmp_path / "second"
    common = ("--data", picture_folder, "--batch", 8, "--device", "cpu")
    uniform = ("--preset", "tiny", "--set", "dequantisation=uniform")
    begun = cli("train", *common, *uniform, "--size", 16, "--steps", 8, "--out", first)
    assert begun.code == 0, begun.err
    learned = ("train", *common, "--from", first, "--set", "dequantisation=variational", "--out", second)
    assert cli(*learned, "--steps", 1, "--learning-rate", 1e-8).code == 0
    before, after = checkpoint.load(first).flow, checkpoint.load(second).flow
    assert len(after.layers) == len(before.layers) + 1
    x = torch.rand(4, *before.event_shape) * 256
    with torch.no_grad():
        assert torch.allclose(after.log_prob(x), before.log_prob(x), rtol=1e-4)
    back = ("train", *common, "--from", second, "--set", "dequantisation=uniform", "--out", tmp_path / "third")
    assert "leave sizes away" in refused(*back)


def test_precision_is_asked_for_recorded_and_changed_on_resuming(cli, picture_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    run = tmp_path / "run"
    common = ("train", "--data", picture_folder, "--size", 16, *TINY, "--out", run)

    def held() -> str:
        return json.loads((run / "config.json").read_text())["precision"]

    assert cli(*common, "--steps", 8, "--stop-at", 2).code == 0 and held() == "float32"
    same = cli(*common, "--stop-at", 4, "--resume", "--precision", "float32")
    assert same.code == 0 and held() == "float32" and "goes on in" not in same.err
    other = cli(*common, "--stop-at", 6, "--resume", "--precision", "bfloat16")
    assert other.code == 0 and held() == "bfloat16"
    assert "was in float32 and goes on in bfloat16" in other.err and "imitate bfloat16" in other.err
    assert cli(*common, "--resume", "--precision", "auto").code == 0 and held() == "float32"
    wrong = cli(*common, "--precision", "float16")
    assert wrong.code == 2 and "float16" in wrong.err


def test_fewer_steps_than_the_runs_stop_there_and_leave_the_horizon(cli, picture_folder, tmp_path):
    run = tmp_path / "run"
    common = ("--data", picture_folder, "--size", 16, *TINY)
    assert cli("train", *common, "--steps", 20, "--stop-at", 5, "--out", run).code == 0
    again = cli("train", *common, "--stop-at", 5, "--resume", "--out", run)
    assert again.code == 0 and "has its 5 steps already; a larger --stop-at goes on" in again.err
    assert cli("train", *common, "--steps", 10, "--resume", "--out", run).code == 0
    assert metrics(run)[-1]["step"] == 10
    assert json.loads((run / "config.json").read_text())["steps"] == 20


def test_more_steps_move_the_horizon_of_a_finished_run(cli, picture_folder, tmp_path):
    run = tmp_path / "run"
    common = ("--data", picture_folder, "--size", 16, *TINY, "--out", run)
    assert cli("train", *common, "--steps", 4).code == 0
    again = cli("train", *common, "--steps", 4, "--resume")
    assert again.code == 0 and "has its 4 steps already" in again.err
    more = cli("train", *common, "--steps", 8, "--resume")
    assert more.code == 0 and "horizon moves from 4 to 8" in more.err
    assert metrics(run)[-1]["step"] == 8
    assert json.loads((run / "config.json").read_text())["steps"] == 8


def test_what_a_run_cannot_do_is_said_in_a_sentence(refused, cli, picture_folder, tmp_path):
    run = tmp_path / "run"
    common = ("train", "--data", picture_folder, "--size", 16, "--preset", "tiny", "--batch", 8)
    assert "no run to resume" in refused(*common, "--resume", "--out", run)
    assert not run.exists()
    assert cli(*common, "--steps", 2, "--out", run).code == 0
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert "--resume" in refused(*common, "--out", run)
    assert "glow" in refused(*common, "--out", run, "--resume", "--architecture", "nice")
    assert "8 pictures a step" in refused("train", "--data", picture_folder, "--out", run, "--resume", "--batch", 4)
    assert "16×16" in refused("train", "--data", picture_folder, "--out", run, "--resume", "--size", 32)
    assert "even" in refused("train", "--data", picture_folder, "--size", 15, "--preset", "tiny", "--out", tmp_path / "odd")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "odd").exists()


def test_data_that_cannot_be_used(refused, picture_folder, tmp_path, model):
    missing = tmp_path / "nowhere"
    out = tmp_path / "run"
    assert str(missing) in refused("train", "--data", missing, "--out", out, "--preset", "tiny")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "empty" in refused("train", "--data", empty, "--out", out, "--preset", "tiny")
    text = tmp_path / "data.npz"
    text.write_text("these are no pictures")
    assert "data.npz" in refused("evaluate", "--model", model, "--data", text)
    import pickle

    pickled = tmp_path / "objects.npz"
    pickled.write_bytes(pickle.dumps([1, 2, 3]))
    assert "objects.npz" in refused("evaluate", "--model", model, "--data", pickled)
    assert not out.exists()


def test_npz_and_grey_data_are_trained_on_as_they_are(cli, tmp_path):
    data, run = tmp_path / "data.npz", tmp_path / "run"
    rng = np.random.default_rng(0)
    np.savez(data, images=rng.integers(0, 256, (60, 12, 12), dtype=np.uint8))
    ran = cli("train", "--data", data, "--preset", "tiny", "--architecture", "nice", "--steps", 3, "--batch", 8,
              "--out", run)  # fmt: skip
    assert ran.code == 0, ran.err
    assert json.loads((run / "config.json").read_text())["architecture"]["shape"] == [1, 12, 12]


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing on Windows")
@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_saves_and_stops_and_the_run_goes_on_later(cli, picture_folder, tmp_path, number, code):
    run = tmp_path / "run"
    common = [str(part) for part in ("--data", picture_folder, "--size", 16, *TINY, "--out", run)]
    process = subprocess.Popen(
        [sys.executable, "-m", "flow_explorer", "train", *common, "--steps", "100000"], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (run / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(getattr(signal, number))
    if number == "SIGHUP":  # the shell and the system both tell of a terminal that is gone
        time.sleep(0.05)
        process.send_signal(signal.SIGHUP)
    _, words = process.communicate(timeout=60)
    assert process.returncode == code, words
    assert "saved" in words and "Traceback" not in words
    step = metrics(run)[-1]["step"]
    assert cli("train", *common, "--steps", step + 3, "--resume").code == 0
    assert metrics(run)[-1]["step"] == step + 3
