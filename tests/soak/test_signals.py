"""Signals and rivals at random moments of a training by the command: one process at a time, and what was said to be saved is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flow_explorer.training.process_record import end_now, read_process_record, request_stop
from flowcore.folder_lock import is_locked
from flowcore.model.card import read_card
from flowcore.training import RunFolder
from flowcore.training.trainer import Trainer

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("FLOW_EXPLORER_SOAK_ROUNDS", "40"))
SEED = int(os.environ.get("FLOW_EXPLORER_SOAK_SEED", "0")) or int(time.time())
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129, "SIGKILL": -9, "stop": 0, "now": 137}


def start(*arguments: object) -> subprocess.Popen:
    paths = os.pathsep.join([str(ROOT / "app"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-m", "flow_explorer", "train", *map(str, arguments)]
    heard = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 - a suite in the background ignores it
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heard)


@pytest.mark.timeout(7200)
@pytest.mark.skipif(os.name != "posix", reason="signals are another thing on Windows")
def test_any_end_at_any_moment(tmp_path):
    print(f"seed {SEED}")
    rng, run, step = np.random.default_rng(SEED), RunFolder(tmp_path / "run"), 0
    (tmp_path / "pictures").mkdir()
    for number in range(40):
        pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{number}.png")
    tiny = ("--data", tmp_path / "pictures", "--out", run.path, "--device", "cpu", "--steps", 10**8)
    new = ("--size", 16, "--architecture", "glow", "--preset", "tiny", "--batch", 8, "--checkpoint-every", 7)
    for _ in range(ROUNDS):
        begun = run.config_path.exists()
        process = start(*tiny, *(["--resume"] if begun else new))
        deadline, wait = time.monotonic() + 120, rng.random() < 0.7
        mark = run.metrics_path.stat().st_mtime_ns if run.metrics_path.exists() else 0
        while wait and time.monotonic() < deadline and process.poll() is None:
            if run.metrics_path.exists() and run.metrics_path.stat().st_mtime_ns != mark:
                break
            time.sleep(0.02)
        rival = None
        if is_locked(run.path) and rng.random() < 0.5:
            rival = start(*tiny, "--resume")
            assert rival.wait(120) == 2 and "already: wait until it has ended" in rival.communicate()[1]
        time.sleep(rng.uniform(0, 3.0))
        how = str(rng.choice(list(CODES)))
        assert process.poll() is None, process.communicate()
        if how in ("stop", "now"):
            (request_stop if how == "stop" else end_now)(run.path)
            if not is_locked(run.path):  # it has not begun, and takes such a wish for one of before
                process.kill()
        else:
            for _ in range(2 if how == "SIGHUP" else 1):
                process.send_signal(getattr(signal, how))
        words = process.communicate(timeout=120)[1]
        assert "Traceback" not in words or "KeyboardInterrupt" in words, words
        assert not is_locked(run.path)
        if "and saved in" in words:
            assert process.returncode == CODES[how]
            assert run.metrics()[-1]["step"] == read_card(run.last)["steps"]
            assert read_process_record(run.path).outcome == "stopped"
        if run.last.exists():
            trainer = Trainer(run.config())
            trainer.resume(run)
            assert trainer.step == read_card(run.last)["steps"] >= step
            step = trainer.step
    assert step > 0
