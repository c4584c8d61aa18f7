"""What the engine's tests share: where they are, how their engines are run, whether a process lives."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = {"PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"}


def is_alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc/self").exists()
    return text.rpartition(")")[2].split()[0] != "Z"
