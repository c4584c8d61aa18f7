"""What lies in the current folder is not run, however the command is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# All that the program imports of the standard library but what `python -m` itself needs first.
NAMES = (
    "json", "argparse", "pathlib", "typing", "dataclasses", "re", "signal", "socket", "tempfile", "shutil", "string",
    "numpy", "torch", "flowcore", "PIL", "safetensors", "platformdirs", "rich", "__future__",
)  # fmt: skip


@pytest.fixture
def trap(tmp_path):
    """A folder whose modules leave a mark when they are run."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r} + ' ')\n")
    return folder


def started(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """The program, as it is imported here, from that folder."""
    paths = os.pathsep.join([str(ROOT / "app"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def marks(folder: Path) -> str:
    found = folder.parent / "ran"
    return found.read_text() if found.exists() else ""


def test_python_m_runs_nothing_of_the_current_folder(trap):
    for arguments in (["-m", "flow_explorer", "--help"], ["-m", "flow_explorer", "models"],
                      ["-m", "flow_explorer.training.look", "nothing"]):  # fmt: skip
        ran = started(trap, *arguments)
        assert ran.returncode == 0 or "look" in arguments[1], ran.stderr
        assert "Traceback" not in ran.stderr and marks(trap) == ""
    # The trap is one: Python's own way of starting a module falls into it.
    started(trap, "-m", "json.tool", "--help")
    assert marks(trap).strip()


def test_torchrun_runs_nothing_of_the_current_folder(trap):
    """As the documents say it; torchrun is started from its own script, which has no current folder in its path."""
    torchrun = "import sys; sys.path[:] = [p for p in sys.path if p]; from torch.distributed.run import main; main()"
    ran = started(trap, "-c", torchrun, "--standalone", "--nproc-per-node", "1", "-m", "flow_explorer", "models", "--json")
    assert ran.returncode == 0, ran.stderr
    assert marks(trap) == "" and '"name"' in ran.stdout
