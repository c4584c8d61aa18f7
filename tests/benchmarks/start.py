"""How soon the command line answers."""

from __future__ import annotations

import subprocess
import sys

from .measure import ROOT, interleave
from .report import Claim, Section, Table, number

__all__ = ["measure"]


def measure(run) -> Section:
    """Group "start"."""
    section = Section("start", "Start of the command line")
    commands = {
        "python -c ''": [sys.executable, "-c", ""],
        "flow-explorer --help": [sys.executable, "-m", "flow_explorer", "--help"],
        "flow-explorer models": [sys.executable, "-m", "flow_explorer", "models"],
    }
    acts = {
        name: lambda command=command: subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        for name, command in commands.items()
    }
    table = Table("Milliseconds", ["until it has answered"])
    figures = interleave(acts, 3 if run.quick else 7, 15.0, warm_up=1)
    for name, figure in figures.items():
        table.put(name, table.works[0], figure)
    section.tables.append(table)
    bare, answer = figures["python -c ''"].median, figures["flow-explorer models"].median
    section.claims.append(
        Claim(
            "command line: the list of models, above Python's own start", answer - bare, 500.0, True, unit="ms",
            ours=f"{number(answer)} ms",
        )  # fmt: skip
    )
    return section
