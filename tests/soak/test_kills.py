"""Fifty times kill -9 at random moments, of one process and of two: always resumable, at most the steps since a checkpoint."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from flowcore.model import checkpoint
from flowcore.model.card import read_card
from flowcore.training import RunFolder
from flowcore.training.trainer import Trainer

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location(
    "process_worker", ROOT / "tests" / "flowcore" / "training" / "process_worker.py"
)
assert _spec is not None and _spec.loader is not None
worker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(worker)

EVERY = 3  # steps between checkpoints: the process is writing one about half of the time
SEED = int(os.environ.get("FLOW_EXPLORER_SOAK_SEED", "0")) or int(time.time())

RUN = """
import dataclasses, sys
from pathlib import Path
sys.path.insert(0, "tests/flowcore/training")
import process_worker as worker
from flowcore.training import Processes, train
folder = Path(sys.argv[1])
config = worker.config(steps=10**6, log_every=1, evaluate_every=7, checkpoint_every=int(sys.argv[2]))
train(config, worker.pictures(50), folder, worker.pictures(16), resume=folder.exists() and (folder / "config.json").exists(),
      processes=Processes.join(), on_notice=print)
"""


def start(folder: Path, count: int) -> list[subprocess.Popen]:
    return worker.launch(["-c", RUN, folder, EVERY], count)


def check(folder: RunFolder, before: int) -> int:
    """The run can be resumed and lost at most the steps since its last checkpoint; the step that it is at."""
    if not folder.config_path.exists():
        return 0  # killed before there was a run
    steps = [line["step"] for line in folder.metrics()]
    assert steps == sorted(set(steps))
    logged = steps[-1] if steps else 0
    if not folder.last.exists():
        assert before == 0 and logged <= EVERY
        return 0
    resumed = Trainer(folder.config())
    resumed.resume(folder)
    assert resumed.step == read_card(folder.last)["steps"] >= before
    assert resumed.step % EVERY == 0 and logged <= resumed.step + EVERY
    if folder.best.exists():
        assert checkpoint.load(folder.best).flow.initialised
    return resumed.step


@pytest.mark.timeout(3600)
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is another thing on Windows")
def test_fifty_kills_of_one_process(tmp_path):
    rng, folder, step, alive = np.random.default_rng(SEED), RunFolder(tmp_path / "run"), 0, 0
    print(f"seed {SEED}")
    for attempt in range(50):
        (process,) = start(folder.path, 1)
        # Most while it trains, some while it starts or resumes.
        if attempt % 5:
            mark = folder.metrics_path.stat().st_mtime_ns if folder.metrics_path.exists() else 0
            deadline = time.monotonic() + 120
            while process.poll() is None and time.monotonic() < deadline:
                if folder.metrics_path.exists() and folder.metrics_path.stat().st_mtime_ns != mark:
                    break
                time.sleep(0.01)
        time.sleep(rng.uniform(0, 1.5 if attempt % 5 else 4.0))
        assert process.poll() is None, process.communicate()
        process.kill()
        process.communicate()
        reached = check(folder, step)
        alive += reached > step
        step = reached
    print(f"50 kills, {step:,} steps, {alive} times further than before")
    assert alive > 25


@pytest.mark.timeout(3600)
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is another thing on Windows")
def test_ten_kills_of_one_of_two_processes(tmp_path):
    rng, folder, step = np.random.default_rng(SEED + 1), RunFolder(tmp_path / "run"), 0
    for _ in range(10):
        mark = folder.metrics_path.stat().st_mtime_ns if folder.metrics_path.exists() else 0
        both = start(folder.path, 2)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and all(process.poll() is None for process in both):
            if folder.metrics_path.exists() and folder.metrics_path.stat().st_mtime_ns != mark:
                break
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 2.0))
        killed = int(rng.integers(2))
        both[killed].send_signal(signal.SIGKILL)
        words = [process.communicate(timeout=60)[1] for process in both]
        assert both[killed].returncode == -signal.SIGKILL, words
        assert both[1 - killed].returncode == 1 and "ProcessError" in words[1 - killed], words
        if folder.last.exists():  # else the writer was killed before its first checkpoint
            resumed = Trainer(folder.config())
            resumed.resume(folder)
            assert resumed.step >= step
            step = resumed.step
    assert step > 10
