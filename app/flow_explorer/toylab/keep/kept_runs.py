"""The window's trainings in its session: of each flow the last snapshot, as a file, and the curve up to there.

So a training stands after a restart where its last snapshot was taken, and undo goes back to those before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from flow_explorer.i18n import tr
from flow_explorer.shell.content_files import ContentFiles
from flow_explorer.shell.kept_files import KEY, named
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.panels.curve import Curve
from flow_explorer.toylab.race.entries import racers
from flow_explorer.toylab.run import Run, RunEntry
from flow_explorer.toylab.state import ToyState
from flowcore.errors import ConfigError, FlowError
from flowcore.fields import is_number
from flowcore.plane.schedule import snapshot_step

__all__ = ["MOST_BYTES", "KeptRuns"]

MOST_BYTES = 48 * 2**20
"""Of all snapshots beside the present training's, those that were on screen last first."""
MOST_RUNS = 64


class KeptRuns:
    """Writes and reads them for one window."""

    def __init__(self, controller: ToyController, folder: Path) -> None:
        self._controller, self._files, self._home = controller, ContentFiles(folder), folder.parent
        self._keys: dict[int, tuple[np.ndarray, str]] = {}  # by id; the array is held so that the id stays its own
        self._before: set[str] = set()
        self.written: list[dict[str, Any]] = []
        """What the session is to say of them."""

    def write(self) -> None:
        """Put the snapshots on disk. Raises OSError where one cannot be written."""
        runs, snapshots = [], {}
        room = MOST_BYTES
        for run in self._last_first():
            if len(runs) >= MOST_RUNS or (runs and run.weight_bytes > room):
                break
            room -= run.weight_bytes
            arrays = {self._key(entry.snapshot): entry.snapshot for entry in run.entries}
            snapshots |= arrays
            runs.append({"run": run.number, "entries": [_entry(entry, self._key(entry.snapshot)) for entry in run.entries]})
        self._keys = {id(array): (array, key) for key, array in snapshots.items()}
        self._files.write(set(snapshots), lambda key: snapshots[key].tobytes())
        self._remove_former(set(snapshots))
        self.written = runs

    def _last_first(self) -> list[Run]:
        """Those with weights, the present training's first."""
        controller = self._controller
        present = (controller.run, controller.runs.find(controller.state.run, 1))
        runs = sorted(controller.runs.latest(), key=lambda run: run not in present)
        return [run for run in runs if all(entry.snapshot.size for entry in run.entries)]

    def _key(self, array: np.ndarray) -> str:
        known = self._keys.get(id(array))
        if known is None or known[0] is not array:
            self._keys[id(array)] = known = array, "t" + hashlib.sha256(array.tobytes()).hexdigest()[:32]
        return known[1]

    def _remove_former(self, keys: set[str]) -> None:
        """A training that goes on leaves a snapshot behind every few seconds: those that no session names go."""
        former = self._before - keys
        if former:
            names = named(self._home)
            if names is not None:
                self._files.remove(former - names)
                former &= names
        self._before = former | keys

    def read(self, written: object, states: Sequence[ToyState]) -> list[str]:
        """Take up what `write` wrote, for the trainings that these states name; returns what is to be said."""
        if written is None:
            return []
        if not isinstance(written, list) or len(written) > MOST_RUNS:
            return [tr("The toy lab's trainings could not be read.")]
        known = {}
        for part in written:
            if isinstance(part, dict) and type(part.get("run")) is int and isinstance(part.get("entries"), list):
                known[part["run"], len(part["entries"])] = part["entries"]
        lost = len(written) - len(known)
        wanted: dict[tuple[int, int], tuple] = {}
        for state in states:
            configs = tuple(racers(state.config(), state.rivals))
            wanted.setdefault((state.run, 1), configs[:1])
            wanted.setdefault((state.race, len(configs)), configs)
        # The present one's last, so that it is the last to be forgotten.
        for place, configs in reversed(wanted.items()):
            if place in known:
                try:
                    self._take_up(self._controller.runs.get(place[0], configs), known[place])
                except FlowError:
                    lost += 1
        return [tr("A training of the toy lab could not be found again: it begins anew.")] if lost else []

    def _take_up(self, run: Run, entries: list[Any]) -> None:
        read = [self._read_entry(entry) for entry in entries]
        for entry, (step, seconds, snapshot, curve) in zip(run.entries, read, strict=True):
            entry.begin(step, snapshot, curve)
            entry.seconds = entry.snapshot_seconds = seconds

    def _read_entry(self, entry: Any) -> tuple[int, float, np.ndarray, Curve]:
        broken = ConfigError(tr("A training of the toy lab is damaged."))
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str) or not KEY.fullmatch(entry["key"]):
            raise broken
        data, seconds = self._files.read(entry["key"]), entry.get("seconds")
        if data is None or "t" + hashlib.sha256(data).hexdigest()[:32] != entry["key"]:
            raise broken
        if not is_number(seconds) or not 0 <= seconds <= 1e9:
            raise broken
        return snapshot_step(data), float(seconds), np.frombuffer(data, np.uint8), Curve.from_list(entry.get("curve"))


def _entry(entry: RunEntry, key: str) -> dict[str, Any]:
    return {"key": key, "seconds": entry.snapshot_seconds, "curve": entry.curve.to_list(entry.snapshot_step)}
