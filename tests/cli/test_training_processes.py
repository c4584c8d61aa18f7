"""`train` by several processes: torchrun, a signal to one of them, and the end of one of them."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowcore.model.card import read_card

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location(
    "process_worker", ROOT / "tests" / "flowcore" / "training" / "process_worker.py"
)
assert _spec is not None and _spec.loader is not None
worker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(worker)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are another thing on Windows")


def command(pictures: Path, run: Path, *more: object) -> list[str]:
    options = ("--data", pictures, "--size", 16, "--preset", "tiny", "--batch", 9, "--steps", 100000, "--device", "cpu",
               "--checkpoint-every", 20, "--out", run, *more)  # fmt: skip
    return ["-m", "flow_explorer", "train", *map(str, options)]


def logged(run: Path) -> int:
    """The last step that the metrics tell of; 0 where there are none."""
    try:
        return json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["step"]
    except (FileNotFoundError, IndexError):
        return 0


def wait_until(run: Path, step: int) -> None:
    deadline = time.monotonic() + 120
    while logged(run) < step and time.monotonic() < deadline:
        time.sleep(0.05)
    assert logged(run) >= step


def ended(processes: list[subprocess.Popen]) -> list[str]:
    try:
        return [process.communicate(timeout=60)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()


def test_a_signal_to_one_of_two_processes_saves_and_stops_both(cli, picture_folder, tmp_path):
    run = tmp_path / "run"
    both = worker.launch(command(picture_folder, run), 2)
    wait_until(run, 10)
    both[1].send_signal(signal.SIGTERM)
    words = ended(both)
    assert [process.returncode for process in both] == [143, 143], words
    step = read_card(run / "last.safetensors")["steps"]
    assert words[0].splitlines()[-1].startswith(f"Stopped after step {step:,} and saved in ")
    assert words[1] == ""
    assert logged(run) == step
    # One process goes on where the two stopped.
    ran = cli("train", "--data", picture_folder, "--resume", "--stop-at", step + 2, "--out", run, "--device", "cpu")
    assert ran.code == 0, ran.err
    assert logged(run) == step + 2


@pytest.mark.parametrize("killed", [0, 1])
def test_a_process_that_dies_ends_the_other_with_a_sentence(picture_folder, tmp_path, killed):
    run = tmp_path / "run"
    both = worker.launch(command(picture_folder, run), 2)
    wait_until(run, 30)
    both[killed].send_signal(signal.SIGKILL)
    began = time.monotonic()
    words = ended(both)
    assert time.monotonic() - began < 30
    left = 1 - killed
    assert both[left].returncode == 2
    sentence = words[left].splitlines()[-1]
    assert sentence.startswith("flow-explorer: Another process of this run ended") and "Traceback" not in words[left]
    step = read_card(run / "last.safetensors")["steps"]
    assert step >= 20 and (step % 20 == 0 if killed == 0 else step >= logged(run))  # the writer saved what there was


def test_torchrun_goes_on_with_a_run_and_hands_on_a_signal(cli, picture_folder, tmp_path):
    run = tmp_path / "run"
    short = ("--data", picture_folder, "--size", 16, "--preset", "tiny", "--batch", 9, "--steps", 1000, "--device", "cpu")
    assert cli("train", *short, "--stop-at", 4, "--out", run).code == 0
    arguments = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
                 *command(picture_folder, run, "--resume")]  # fmt: skip
    agent = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    wait_until(run, 10)
    agent.send_signal(signal.SIGTERM)
    (words,) = ended([agent])
    step = read_card(run / "last.safetensors")["steps"]
    assert f"Stopped after step {step:,} and saved in" in words
    assert logged(run) == step > 4


def test_what_one_process_refuses_all_refuse(picture_folder, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text("{}")
    both = worker.launch(command(picture_folder, run), 2)
    words = ended(both)
    assert [process.returncode for process in both] == [2, 2]
    assert "already holds a run" in words[0].splitlines()[-1]
    assert "Traceback" not in words[0] + words[1]
