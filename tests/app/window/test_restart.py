"""A window that was killed and started again: what could be undone, piles, the map and the toy lab's training are there."""

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
from PIL import Image

from flow_explorer.child_process import python_path
from tests.app.window.test_keep import first_session

DRIVER = Path(__file__).resolve().parent / "driver_restart.py"


def start(home: Path, *arguments: object) -> subprocess.Popen:
    environment = {**os.environ, "FLOW_EXPLORER_HOME": str(home), "PYTHONPATH": python_path(), "QT_QPA_PLATFORM": "offscreen",
                   "OMP_NUM_THREADS": "1"}  # fmt: skip
    return subprocess.Popen([sys.executable, str(DRIVER), *map(str, arguments)], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


@pytest.fixture
def piles(tmp_path):
    rng = np.random.default_rng(0)
    for which, bright in (("a", 60), ("b", 200)):
        (tmp_path / "piles" / which).mkdir(parents=True)
        for number in range(6):
            pixels = (rng.integers(0, 50, (16, 16, 3)) + bright).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "piles" / which / f"{number}.png")
    return tmp_path / "piles"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGHUP"])
def test_everything_comes_back(home, tmp_path, piles, how):
    first_session(home, tmp_path)
    process = start(home, "work", piles)
    path = home / "state" / "session.json"
    try:
        line = process.stdout.readline()
        assert line, process.communicate()
        before = json.loads(line)
        deadline = time.monotonic() + 30
        while how == "SIGKILL" and time.monotonic() < deadline:  # a second after the last act everything is on disk
            runs = json.loads(path.read_text())["workspaces"].get("toylab", {}).get("runs") or [{"entries": [{}]}]
            if _is_kept(home, runs, before):
                break
            time.sleep(0.05)
    finally:
        process.send_signal(getattr(signal, how))
        process.communicate(timeout=60)
    assert before["step"] >= 40 and before["translated"] and before["map"][0] == 6 and len(before["piles"]["A"]) == 6
    assert before["undo"] and before["redo"] and len(before["explorer"]) > 6
    again = start(home, "see", piles)
    out, errors = again.communicate(timeout=120)
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) == 2, errors
    after, stepped = lines
    for moments in (before["explorer"], after["explorer"]):
        moments[next(place for place, moment in enumerate(moments) if moment[2])][1].pop("facet", None)
    for name in ("toylab", "undo", "redo", "piles", "translated", "map", "step", "snapshot", "curve"):
        assert after[name] == before[name], name
    assert [moment[0] for moment in after["explorer"]] == [moment[0] for moment in before["explorer"]]
    assert after["explorer"] == before["explorer"]
    assert stepped["step"] == before["step"] + 1, "it trains on from there"
    assert ("did not close properly" in " ".join(after["said"])) == (how == "SIGKILL")


def _is_kept(home: Path, runs: list, before: dict) -> bool:
    import hashlib

    files = home / "state" / "toylab"
    keys = [entry.get("key", "") for run in runs for entry in run["entries"]]
    return any((files / key).is_file() and hashlib.sha256((files / key).read_bytes()).hexdigest() == before["snapshot"]
               for key in keys if key)  # fmt: skip
