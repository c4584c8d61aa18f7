"""What a process that we start needs in order to find our packages, wherever they were imported from."""

from __future__ import annotations

import os
from pathlib import Path

import flowcore

__all__ = ["python_path"]


def python_path(inherited: str = "") -> str:
    """A PYTHONPATH with the folders that hold our two packages first, then what was ``inherited``."""
    folders = [str(Path(__file__).resolve().parents[1]), str(Path(flowcore.__file__).resolve().parents[1])]
    return os.pathsep.join(dict.fromkeys([*folders, *filter(None, inherited.split(os.pathsep))]))
