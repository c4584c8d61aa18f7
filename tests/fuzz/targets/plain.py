"""What flowcore reads as JSON: architectures, targets of the plane, the settings of a toy run, a run's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import flowcore
from flowcore import plain_json
from flowcore.latents.as_json import latent_from_dict, latent_to_dict
from flowcore.plane.config import ToyConfig
from flowcore.plane.schedule import Schedule
from flowcore.plane.targets import targets
from flowcore.plane.targets.formula import from_formula
from flowcore.plane.targets.grid import from_grid
from flowcore.plane.targets.points import from_points
from flowcore.training.run_folder import RunFolder
from tests.fuzz.harness import Target
from tests.fuzz.mutate import json_text

from ._files import by, written
from .weights import SMALL


def _json(*values: object) -> list[bytes]:
    return [json.dumps(value).encode() for value in values]


def _value(path: Path) -> Any:
    """What a file holds; of one that is no JSON there is nothing to give a reader."""
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None


def _targets() -> list[bytes]:
    table = b"x,y\n" + b"".join(f"{i % 7},{i % 5}\n".encode() for i in range(30))
    points: list[dict] = []
    by(lambda path: (path.write_bytes(table), points.append(from_points(path, 0, 1, 0))), ".csv")
    drawn = np.zeros((128, 128), np.uint8)
    drawn[20:40, 30:60] = 200
    return _json(["grid", from_grid(drawn, "Mine")], ["points", points[0]], ["formula", from_formula("exp(-x^2-y^2)")],
                 ["two-moons", {"kind": "parameters", "noise": 0.1}])  # fmt: skip


def _target(path: Path) -> None:
    value = _value(path)
    density, target = value if isinstance(value, list) and len(value) == 2 else ("grid", value)
    targets.make(target, density).sample(10, np.random.default_rng(0))


def _folder(name: str):
    """A run folder around one file."""

    def read(path: Path) -> None:
        place = path.parent / name
        path.rename(place)
        try:
            folder = RunFolder(path.parent)
            folder.metrics() if name == "metrics.jsonl" else folder.config()
        finally:
            place.rename(path)

    return read


def _latent() -> list[bytes]:
    return _json(latent_to_dict(np.arange(6, dtype=np.float32)))


TARGETS = [
    Target("architecture", ".json", lambda: _json(*SMALL), lambda path: flowcore.build(_value(path)), json_text),
    Target("toy-config", ".json", lambda: _json(ToyConfig().to_dict()),
           lambda path: ToyConfig.from_dict(_value(path)), json_text),
    Target("toy-schedule", ".json", lambda: _json(Schedule.begin(4e-3, 512).changed(10, 1e-3, 512).to_list()),
           lambda path: Schedule.from_list(_value(path)), json_text),
    Target("toy-target", ".json", _targets, _target, json_text),
    Target("latent-json", ".json", _latent, lambda path: latent_from_dict(_value(path)), json_text),
    Target("run-config", ".json", written("runs/glow/config.json", "runs/realnvp/config.json"),
           _folder("config.json"), json_text),
    Target("run-metrics", ".jsonl", written("runs/glow/metrics.jsonl"), _folder("metrics.jsonl"), bears_all=True),
    Target("plain-json", ".json", lambda: _json(*SMALL), lambda path: plain_json.loads(path.read_bytes()), json_text,
           (ValueError,)),
]  # fmt: skip
