"""The second wall, at the end of a session through every workspace: the window's process never loads torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from flow_explorer.child_process import python_path
from flow_explorer.shell.session import VERSION

ROOT = Path(__file__).resolve().parents[3]
DRIVER = Path(__file__).resolve().parent / "driver_session.py"


def small_model(folder: Path) -> Path:
    """A checkpoint of a small Glow, not trained but initialised."""
    import torch

    from flowcore.model import checkpoint
    from flowcore.model.systems import glow

    flow = glow((3, 16, 16), levels=2, steps=1, width=8)
    flow.initialise(torch.rand(16, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 255)
    card = {
        "name": "small", "title": "Small", "system": "glow", "architecture": flow.architecture, "size": [16, 16],
        "channels": 3, "held_out": {"bpd_quantiles": [k / 20 for k in range(201)], "count": 201},
        "default_temperature": 0.7, "default_seed": 0,
    }  # fmt: skip
    path = folder / "small.safetensors"
    checkpoint.save(path, flow.eval(), card)
    return path


def pictures(path: Path) -> Path:
    """Something to train on."""
    rng = np.random.default_rng(0)
    np.savez(path, x=rng.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8), y=np.arange(40) % 2)
    return path


def test_the_window_never_loads_torch(home, tmp_path):
    from flow_explorer.explorer.state import ExplorerState

    state = ExplorerState(model=str(small_model(tmp_path))).to_dict()
    session = home / "state" / "session.json"
    session.parent.mkdir(parents=True)
    form = {"data": str(pictures(tmp_path / "pictures.npz")), "preset": "tiny", "size": 16, "steps": 12}
    states = {"explorer": state, "training": {"form": form, "page": "new"}}
    session.write_text(json.dumps({"version": VERSION, "running": None, "workspaces": states}))
    environment = {
        **os.environ, "FLOW_EXPLORER_HOME": str(home), "PYTHONPATH": python_path(), "QT_QPA_PLATFORM": "offscreen",
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(DRIVER)], capture_output=True, text=True, env=environment, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["workspaces"] == ["explorer", "toylab", "theory", "training"] and seen["states"] == sorted(seen["workspaces"])
    assert seen["plotting_before"] == {"explorer": False, "toylab": False, "theory": True, "training": True}
    assert seen["training"] == "done"
    assert seen["problems"] == [] and seen["error"] == ""
    assert all(seen["idle"]), seen["idle"]
    assert seen["torch"] == []
    warnings = [line for line in (home / "state/log/flow-explorer.log").read_text().splitlines()
                if "WARNING Qt" in line and "does not support" not in line]  # fmt: skip
    assert warnings == []
