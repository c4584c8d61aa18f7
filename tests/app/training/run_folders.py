"""Run folders as a training writes them, without one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image


def write_run(folder: Path, name: str = "Shapes", system: str = "glow", steps: int = 100, logged: int = 10, **more) -> Path:
    """A run with ``logged`` lines of metrics, an evaluation every other one, and two sheets."""
    (folder / "samples").mkdir(parents=True)
    architecture = {"system": system, "shape": [3, 8, 8], "levels": 1}
    config = {"version": 1, "architecture": architecture, "steps": steps, "batch": 4, "name": name, "title": "",
              "command": "flow-explorer train --data '/some/my pictures' --out x", "data": {"name": "my pictures"}}  # fmt: skip
    (folder / "config.json").write_text(json.dumps({**config, **more}))
    lines = [line_of(10 * (i + 1), 6.0 - 0.1 * i, 6.2 - 0.1 * i if i % 2 else None) for i in range(logged)]
    (folder / "metrics.jsonl").write_text("".join(lines))
    for number in (20, 40):
        pixels = np.full((32, 32, 3), number, np.uint8)
        Image.fromarray(pixels).save(folder / "samples" / f"{number:07d}.png")
    return folder


def line_of(step: int, bpd: float | None, held: float | None = None, skipped: int = 0) -> str:
    """A line of metrics."""
    line = {"step": step, "seconds": step / 5, "bpd": bpd, "loss": bpd, "learning_rate": 1e-3, "skipped": skipped}
    return json.dumps({**line, **({} if held is None else {"held_out_bpd": held})}) + "\n"
