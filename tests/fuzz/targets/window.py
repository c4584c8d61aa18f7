"""What the window reads: sessions, states, trainings of the toy lab, settings, a run's folder, what the engine says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flow_explorer.engine.protocol import FrameReader, ProtocolError, encode_frame
from flow_explorer.explorer.moving.recipes import read_recipe
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.explorer.store import Store
from flow_explorer.settings import Settings
from flow_explorer.shell import session_file
from flow_explorer.theory.state import TheoryState
from flow_explorer.toylab.keep import training_file
from flow_explorer.toylab.state import ToyState
from flow_explorer.training.record import RunRecord
from flow_explorer.training.state import TrainingState
from flowcore import plain_json
from flowcore.errors import ConfigError
from flowcore.pictures import recipe
from tests.fuzz.harness import Target
from tests.fuzz.mutate import json_text, mutated

from ._files import WRITTEN, picture, written


def _session(path: Path) -> None:
    for name, part in session_file.read(path).workspaces.items():
        if name in _STATES:
            _STATES[name](part)


_STATES = {
    "explorer": lambda part: ExplorerState.from_dict(part.get("state", part)),
    "toylab": lambda part: ToyState.from_dict(part.get("state", part)),
    "theory": lambda part: TheoryState.from_dict(part.get("state", part)),
}


def _state(cls: Any):
    def read(path: Path) -> None:
        values = _value(path)
        if not isinstance(values, dict):
            raise ConfigError("No state.")  # every caller looks for this first
        again = cls.from_dict(values)
        json.dumps(again.to_dict(), allow_nan=False)  # what was taken can be kept

    return read


def _value(path: Path) -> Any:
    try:
        return plain_json.loads(path.read_bytes())
    except ValueError:
        return None


def _json(*values: object) -> list[bytes]:
    return [json.dumps(value).encode() for value in values]


def _explorer_states() -> list[bytes]:
    kept = json.loads((WRITTEN / "session" / "session.json").read_bytes())["workspaces"]["explorer"]
    return _json(ExplorerState().to_dict(), kept)


def _recipes() -> list[bytes]:
    return _json(*(recipe.extract(WRITTEN / name) for name in ("page-mnist.png", "strip-window-mnist.png")))


def _recipe(path: Path) -> None:
    read_recipe(recipe.validate(_value(path)), Store())


def _settings(path: Path) -> None:
    settings = Settings(path)
    for name, default in (("theme", "dark"), ("window.geometry", ""), ("toy.pace", 1.0)):
        assert isinstance(settings.get(name, default), type(default))


def _record(path: Path) -> None:
    record = RunRecord(path.parent)
    record.poll()
    snapshot = record.snapshot
    assert isinstance(snapshot.name, str) and len(snapshot.sentence) < 400


def _metrics(path: Path) -> None:
    place = path.parent / "metrics.jsonl"
    path.rename(place)
    try:
        _record(place)
    finally:
        place.rename(path)


def _frames() -> list[bytes]:
    arrays = {"picture": picture(), "z": picture()[0, 0] / 2.0}
    return [encode_frame({"id": 3, "type": "part", "seed": 0.5, "names": ["a"]}, arrays)]


def _feed(path: Path) -> None:
    reader, data = FrameReader(), path.read_bytes()
    for at in range(0, len(data), 50):
        reader.feed(data[at : at + 50])


def _frame(rng, data, others=()):
    """The header changed as JSON, its length kept true."""
    length = int.from_bytes(data[:4], "big")
    if rng.random() < 0.3:
        return mutated(rng, data, others)
    header = json_text(rng, data[4 : 4 + length])
    return len(header).to_bytes(4, "big") + header + data[4 + length :]


TARGETS = [
    Target("session", ".flowsession", written("walk-faces.flowsession", "samples-mnist.flowsession"), _session, json_text),
    Target("training-file", ".flowtoy", written("toy.flowtoy"), training_file.read, json_text),
    Target("explorer-state", ".json", _explorer_states, _state(ExplorerState), json_text),
    Target("toy-state", ".json", lambda: _json(ToyState().to_dict()), _state(ToyState), json_text),
    Target("theory-state", ".json", lambda: _json(TheoryState().to_dict()), _state(TheoryState), json_text),
    Target("training-state", ".json", lambda: _json(TrainingState().to_dict()), _state(TrainingState), json_text),
    Target("explorer-recipe", ".json", _recipes, _recipe, json_text),
    Target("settings", ".json", lambda: _json({"version": 1, "values": {"theme": "dark", "toy.pace": 1.0}}), _settings, json_text,
           bears_all=True),
    Target("run-shown", ".jsonl", written("runs/glow/metrics.jsonl"), _metrics, bears_all=True),
    Target("engine-frames", ".bin", _frames, _feed, _frame, (ProtocolError,)),
]  # fmt: skip
