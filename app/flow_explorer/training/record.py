"""A run folder as it is on disk, read piece by piece while somebody writes it. No Qt, no torch."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from flow_explorer.i18n import tr
from flow_explorer.training.process_record import LOG, ProcessRecord, read_process_record
from flowcore.errors import FlowError
from flowcore.model.card import read_card
from flowcore.model.precision import PRECISIONS
from flowcore.one_line import one_line
from flowcore.regular import open_regular, read_regular

__all__ = ["Checkpoint", "RunRecord", "RunSnapshot", "find_runs", "is_run"]

RECENT_LINES = 10
"""Over so many lines of metrics the pace is measured."""
_LOG_TAIL = 8192
_MOST_CONFIG = 4 * 2**20
_MOST_METRICS = 256 * 2**20
"""Bytes that are looked at: a million lines."""
_PIECE = 8 * 2**20
_MOST = 2**53
_FIGURES = ("bpd", "seconds", "held_out_bpd", "learning_rate", "skipped")
"""What is kept of a line beside its step."""


@dataclass(frozen=True)
class Checkpoint:
    """A file of weights in a run folder; ``step`` is None where its card cannot be read."""

    path: Path
    step: int | None

    @property
    def name(self) -> str:
        """ "best", "last", …"""
        return self.path.stem


def _empty() -> np.ndarray:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class RunSnapshot:
    """Everything that the window shows of a run, at one moment.

    ``state`` is "starting", "running", "paused" (saved, and no process), "done", "failed" (``sentence`` says why) or
    "gone" (the folder is no longer there). Arrays have one entry a logged step.
    """

    path: Path
    name: str = ""
    system: str = ""
    shape: tuple[int, ...] = ()
    data: str = ""
    """Where the pictures are, "" where that is not known."""
    data_name: str = ""
    by_class: bool = False
    precision: str = ""
    """What its coupling networks train in, "" where that is not known."""
    total_steps: int = 0
    batch: int = 0
    steps: np.ndarray = field(default_factory=_empty)
    bpd: np.ndarray = field(default_factory=_empty)
    seconds: np.ndarray = field(default_factory=_empty)
    held_steps: np.ndarray = field(default_factory=_empty)
    held_seconds: np.ndarray = field(default_factory=_empty)
    held_bpd: np.ndarray = field(default_factory=_empty)
    learning_rate: float | None = None
    skipped: int = 0
    state: str = "paused"
    sentence: str = ""
    status: str = ""
    """What the process said last, while it starts."""
    presence: ProcessRecord | None = None
    sheets: tuple[tuple[int, Path], ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    notice: str = ""
    """What went wrong just now and was survived, as the process says it."""
    free_bytes: int | None = None
    checkpoint_bytes: int = 0
    began: bool = False
    """Whether there is a configuration, so that it can go on."""
    when: float = 0.0
    """When something last began or was written, in seconds since 1970."""

    @property
    def step(self) -> int:
        """The last logged step."""
        return int(self.steps[-1]) if len(self.steps) else 0

    @property
    def is_live(self) -> bool:
        """Whether a process is at work."""
        return self.state in ("starting", "running")

    @property
    def can_resume(self) -> bool:
        """Whether it can go on from where it was saved."""
        return self.began and self.state in ("paused", "failed")

    @property
    def best(self) -> float | None:
        """The lowest held-out bpd, or None where none was measured."""
        return float(self.held_bpd.min()) if len(self.held_bpd) else None

    @property
    def best_step(self) -> int | None:
        """Where that was."""
        return int(self.held_steps[self.held_bpd.argmin()]) if len(self.held_bpd) else None

    @property
    def steps_a_second(self) -> float | None:
        """The pace over the last lines."""
        steps, seconds = self.steps[-RECENT_LINES:], self.seconds[-RECENT_LINES:]
        if len(steps) < 2 or not seconds[-1] > seconds[0]:
            return None
        return float((steps[-1] - steps[0]) / (seconds[-1] - seconds[0]))

    @property
    def pictures_a_second(self) -> float | None:
        """The same in pictures."""
        pace = self.steps_a_second
        return None if pace is None else pace * self.batch

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at that pace."""
        pace = self.steps_a_second
        return None if not pace else max(0, self.total_steps - self.step) / pace


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run, or one that is about to begin."""
    try:
        return any((folder / name).is_file() for name in ("config.json", "process.json"))
    except OSError:  # it may not be looked into
        return False


def find_runs(folders: list[Path]) -> list[Path]:
    """The runs in these folders, each of which is a run or holds some; the same run is named once."""
    found: dict[Path, None] = {}
    for folder in folders:
        if is_run(folder):
            found[folder] = None
            continue
        try:
            entries = sorted(folder.iterdir())
        except (OSError, ValueError):
            continue
        for entry in entries:
            if not entry.name.startswith(".") and is_run(entry):
                found[entry] = None
    return list(found)


class RunRecord:
    """Follows one folder: ``poll`` reads what is new since the last time, ``snapshot`` tells how it stands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._config: dict[str, Any] = {}
        self._stamps: dict[str, Any] = {}
        self._offset = 0
        self._lines: list[dict[str, Any]] = []
        self._cards: dict[Path, tuple[tuple[int, int], int | None]] = {}
        self._sheets: tuple[tuple[int, Path], ...] = ()
        self._there = False
        self._snapshot = RunSnapshot(path, name=path.name, state="gone")
        self._mark: tuple[Any, ...] | None = None

    @property
    def snapshot(self) -> RunSnapshot:
        """How it stood at the last ``poll``."""
        return self._snapshot

    def poll(self) -> bool:
        """Read what is new; whether anything is. A folder that breaks this is told as one that cannot be read."""
        try:
            return self._poll()
        except Exception as error:  # whatever it is, the other runs are still to be seen
            mark = (type(error), str(error))
            different, self._mark = mark != self._mark, mark
            why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            sentence = tr("The run folder {path} cannot be read ({why}).", path=self.path, why=why)
            self._snapshot = RunSnapshot(self.path, name=self.path.name, state="failed", sentence=one_line(sentence))
            return different

    def _poll(self) -> bool:
        there = _is_there(self.path)
        if there:
            self._read_config()
            self._read_metrics()
        presence = read_process_record(self.path) if there else None
        live = presence is not None and presence.is_live
        sheets, checkpoints, size = self._files() if there else ((), (), 0)
        log = self._log_tail() if there and presence is not None and not presence.outcome else ""
        mark = (there, self._stamps.get("config.json"), self._stamps.get("metrics.jsonl"), presence, live, sheets,
                checkpoints, log)  # fmt: skip
        if mark == self._mark:
            return False
        self._mark, self._there = mark, there
        self._snapshot = self._make(presence, live, sheets, checkpoints, size, log)
        return True

    # Reading

    def _changed(self, name: str) -> bool | None:
        """Whether a file is another than at the last look; None where there is none."""
        try:
            status = (self.path / name).stat()
        except OSError:
            self._stamps.pop(name, None)
            return None
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if self._stamps.get(name) == stamp:
            return False
        self._stamps[name] = stamp
        return True

    def _read_config(self) -> None:
        if not self._changed("config.json"):
            return
        try:
            values = json.loads(read_regular(self.path / "config.json", _MOST_CONFIG))
        except (OSError, ValueError, RecursionError):
            return
        self._config = values if isinstance(values, dict) else {}

    def _read_metrics(self) -> None:
        before = self._stamps.get("metrics.jsonl")
        changed = self._changed("metrics.jsonl")
        if changed is None:
            self._lines, self._offset = [], 0
        if not changed:
            return
        now = self._stamps["metrics.jsonl"]
        if before is None or now[2] != before[2] or now[1] < self._offset:
            self._lines, self._offset = [], 0  # replaced: a run that goes on has dropped what it does again
        try:
            with os.fdopen(open_regular(self.path / "metrics.jsonl"), "rb") as file:
                file.seek(self._offset)
                while self._offset < _MOST_METRICS and (piece := file.read(_PIECE)):
                    whole = piece[: piece.rfind(b"\n") + 1]
                    if not whole and len(piece) == _PIECE:
                        whole = piece  # no line of ours
                    self._offset += len(whole)
                    self._lines += filter(None, map(_figures, whole.split(b"\n")))
                    file.seek(self._offset)
                    if len(piece) < _PIECE:
                        break
        except OSError:
            return

    def _files(self) -> tuple[tuple[tuple[int, Path], ...], tuple[Checkpoint, ...], int]:
        checkpoints, size = [], 0
        changed = self._changed("samples")  # a folder changes when a file comes or goes
        if changed or changed is None:
            self._sheets = self._list_sheets()
        for path in [*_listed(self.path, "*.safetensors"), *_listed(self.path / "checkpoints", "*.safetensors")]:
            if path.name.startswith("."):
                continue
            try:
                status = path.stat()
            except OSError:
                continue
            stamp = (status.st_mtime_ns, status.st_size)
            if self._cards.get(path, (None,))[0] != stamp:
                self._cards[path] = (stamp, _step_of(path))
            checkpoints.append(Checkpoint(path, self._cards[path][1]))
            size = max(size, status.st_size)
        order = {"best": 0, "last": 1}
        checkpoints.sort(key=lambda c: (order.get(c.name, 2), -(c.step or 0), c.name))
        return self._sheets, tuple(checkpoints), size

    def _list_sheets(self) -> tuple[tuple[int, Path], ...]:
        sheets = []
        for path in _listed(self.path / "samples", "*.png"):
            number = re.search(r"[0-9]{1,15}", path.stem)
            if number and not path.name.startswith("."):
                sheets.append((int(number[0]), path))
        return tuple(sorted(sheets))

    def _log_tail(self) -> str:
        try:
            with os.fdopen(open_regular(self.path / LOG), "rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - _LOG_TAIL))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    # Telling

    def _make(
        self, presence: ProcessRecord | None, live: bool, sheets: Any, checkpoints: Any, size: int, log: str
    ) -> RunSnapshot:
        config, lines = self._config, self._lines
        architecture, data = _dict(config.get("architecture")), _dict(config.get("data"))
        told = [line for line in lines if _number(line.get("bpd")) is not None]
        held = [line for line in lines if _number(line.get("held_out_bpd")) is not None]
        state, sentence = self._state(presence, live, log, len(lines))
        shape = architecture.get("shape")
        try:
            free = shutil.disk_usage(self.path).free if self._there else None
        except OSError:
            free = None
        return RunSnapshot(
            path=self.path,
            name=one_line(config.get("title") or config.get("name") or self.path.name, 200),
            system=one_line(architecture.get("system", ""), 80),
            shape=tuple(shape) if isinstance(shape, list) and _is_shape(shape) else (),
            data=presence.data if presence is not None and presence.data else _data_of(config.get("command")),
            data_name=one_line(data.get("name") or "", 200),
            by_class=bool(architecture.get("num_classes") or architecture.get("classes")),
            precision=_precision_of(config),
            total_steps=_whole(config.get("steps")),
            batch=_whole(config.get("batch")),
            steps=_column(told, "step"), bpd=_column(told, "bpd"), seconds=_column(told, "seconds"),
            held_steps=_column(held, "step"), held_seconds=_column(held, "seconds"),
            held_bpd=_column(held, "held_out_bpd"),
            learning_rate=_number(lines[-1].get("learning_rate")) if lines else None,
            skipped=_whole(lines[-1].get("skipped")) if lines else 0,
            state=state, sentence=one_line(sentence), status=_last_line(log) if state == "starting" else "",
            notice=_last_line(log) if live and "tries again" in _last_line(log) else "",
            presence=presence, sheets=sheets, checkpoints=checkpoints, free_bytes=free, checkpoint_bytes=size,
            began=bool(config), when=presence.since if presence is not None else self._last_change(),
        )  # fmt: skip

    def _last_change(self) -> float:
        stamp = self._stamps.get("metrics.jsonl") or self._stamps.get("config.json")
        return stamp[0] / 1e9 if stamp else 0.0

    def _state(self, presence: ProcessRecord | None, live: bool, log: str, lines: int) -> tuple[str, str]:
        if not self._there:
            words = "The folder {path} is gone: what was saved in it went with it, and its training ends."
            return "gone", tr(words, path=self.path)
        stamp = self._stamps.get("metrics.jsonl")
        fresh = stamp is not None and presence is not None and stamp[0] / 1e9 >= presence.since
        if live:
            return ("running" if fresh else "starting"), ""
        step = self._lines[-1]["step"] if lines else 0
        if self._config and step >= _whole(self._config.get("steps")):
            return "done", ""
        if presence is not None and presence.outcome == "failed":
            return "failed", presence.sentence
        if not self._config:
            return "failed", (not fresh and _sentence(log)) or tr("It ended before its first step.")
        if presence is None or presence.outcome:
            return "paused", ""
        said = _traceback(log) or (not fresh and _sentence(log))
        if said:
            return "failed", said
        words = tr("Its process ended without a word, as it does when it is killed or memory runs out.")
        if any((self.path / name).is_file() for name in ("last.safetensors", "best.safetensors")):
            words += " " + tr("It can go on from its last checkpoint.")
        return "failed", words


def _step_of(path: Path) -> int | None:
    try:
        step = read_card(path).get("steps")
    except FlowError:
        return None
    return step if _is_count(step) else None


def _whole(value: Any) -> int:
    return value if _is_count(value) else 0


def _is_count(value: Any) -> bool:
    """A whole number of a size that steps and pictures have."""
    return type(value) is int and 0 <= value <= _MOST


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 3 and all(type(side) is int and 0 < side <= 10**5 for side in value)


def _number(value: Any) -> float | None:
    known = type(value) in (int, float) and abs(value) <= _MOST  # which NaN is not
    return float(value) if known else None


def _figures(line: bytes) -> dict[str, Any] | None:
    """What is shown of a line of metrics; None where it is none."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or not _is_count(values.get("step")):
        return None
    return {"step": values["step"], **{name: values[name] for name in _FIGURES if _number(values.get(name)) is not None}}


def _is_there(folder: Path) -> bool:
    """Whether there is such a folder. Raises OSError where that may not be known."""
    try:
        return stat.S_ISDIR(folder.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _listed(folder: Path, pattern: str) -> list[Path]:
    """The folder's files of a name, sorted; none where it cannot be listed."""
    try:
        return sorted(path for path in folder.iterdir() if path.match(pattern))
    except OSError:
        return []


def _column(lines: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([_number(line.get(name)) or 0.0 for line in lines], dtype=np.float64)


def _precision_of(config: dict[str, Any]) -> str:
    found = config.get("precision")
    if "reduced_precision" in config:  # a run from before there was a choice
        found = "bfloat16" if config["reduced_precision"] else "float32"
    return found if found in PRECISIONS else ""


def _data_of(command: Any) -> str:
    """Where the pictures of a run were that another program started: from its command."""
    import shlex

    try:
        words = shlex.split(command) if isinstance(command, str) and len(command) < 20_000 else []
        return words[words.index("--data") + 1]
    except (ValueError, IndexError):
        return ""


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return one_line(lines[-1].removeprefix("flow-explorer: ")) if lines else ""


def _sentence(log: str) -> str:
    """The sentence that the command line ended with, "" where it did not end with one."""
    last = next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "")
    # On the way, and no reason to end.
    told = (" is left out: ", "the data is too small", "This device (", "The data has changed", "left no word: waiting")
    if not last.startswith("flow-explorer") or any(words in last for words in told):
        return ""
    return last.partition(": ")[2]


def _traceback(log: str) -> str:
    if "Traceback (most recent call last)" not in log:
        return ""
    return tr("The training stopped by an error of the program: {error}", error=_last_line(log))
