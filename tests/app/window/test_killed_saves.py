"""A window killed in the middle of a save: the session on disk is whole, and every picture that it names is there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from flow_explorer.child_process import python_path
from flow_explorer.explorer.store import Store
from flow_explorer.explorer.store_files import StoreFiles

DRIVER = Path(__file__).resolve().parent / "driver_saves.py"
ROUNDS = 3


def kill_at_random_moments(home: Path, rounds: int, seed: int) -> None:
    """Two windows side by side, each killed at some moment of its saves, and the next ones on what they left."""
    rng = np.random.default_rng(seed)
    environment = {**os.environ, "FLOW_EXPLORER_HOME": str(home), "PYTHONPATH": python_path(), "OMP_NUM_THREADS": "1"}
    state, last = home / "state", {}
    home.mkdir(exist_ok=True)
    for turn in range(rounds):
        words = [home / f"said-{turn}-{which}" for which in (0, 1)]
        windows = []
        for which, said in enumerate(words):
            with open(said, "w") as out:
                command = [sys.executable, str(DRIVER), str(seed + 2 * turn + which)]
                windows.append(subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.PIPE, text=True))
        while not all(said.read_text().count("\n") for said in words) and all(window.poll() is None for window in windows):
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.2))
        for window, said in zip(windows, words, strict=True):
            window.send_signal(signal.SIGKILL)
            _, errors = window.communicate(timeout=60)
            assert window.returncode == -signal.SIGKILL, errors
            number, name = said.read_text().rpartition("\n")[0].split("\n")[-1].split()
            last[name] = int(number)
        assert set(last) == {"session.json", "session-2.json"}, "each has one of its own"
        for name, number in last.items():
            kept = json.loads((state / name).read_text())["workspaces"]["explorer"]
            assert kept["number"] in (number, number + 1), "what was said to be saved is"
            assert StoreFiles(state / "explorer").read(Store(), set(kept["keys"])) == set(kept["keys"])
            last[name] = kept["number"]
    assert not list(state.glob("session-kept*"))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_what_is_on_disk_is_whole_whenever_it_is_killed(home):
    kill_at_random_moments(home, ROUNDS, seed=0)
