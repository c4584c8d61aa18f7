"""Run folders with anything in them: each is shown as what can be read of it, and none hides the others."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from flow_explorer.training.findings import findings
from flow_explorer.training.record import RunRecord, find_runs
from flow_explorer.training.watcher import Watcher
from tests.app.training.run_folders import write_run

HUGE = 10**400
CONFIGS = [
    "", "{", "[]", "null", "3", '"text"', "[" * 100_000, "\x00" * 100, '{"steps": NaN}',
    json.dumps({"version": 99, "steps": 10, "later": {"a": 1}}),
    json.dumps({"steps": HUGE, "batch": -HUGE, "name": ["x"], "title": {"a": 1}, "architecture": {"shape": [HUGE, "x", None]}}),
    json.dumps({"steps": 1e400, "architecture": {"system": ["glow"], "shape": "3"}, "data": {"name": 7}, "command": 5}),
    json.dumps({"steps": True, "name": "a\n\x1b[2J" * 10_000, "command": "'" * 100_000, "precision": {}}),
    json.dumps({"architecture": {"system": "glow", "shape": [3, -1, 10**9]}, "data": [], "classes": 3}),
]  # fmt: skip
LINES = [
    '{"step": "text", "bpd": 3.0}', '{"step": 1e400, "bpd": 3.0}', f'{{"step": {HUGE}, "bpd": 3.0}}',
    '{"step": true, "bpd": 1}',
    '{"step": -5, "bpd": 1}', '{"step": 20, "bpd": NaN}', f'{{"step": 30, "bpd": {HUGE}, "seconds": {HUGE}, "skipped": {HUGE}}}',
    '{"step": 40, "bpd": "x", "held_out_bpd": [], "learning_rate": {}, "skipped": "many"}', "[" * 50_000, "not json", "\x00\xff",
    "", '{"step": null}', "null", "{}", '{"step": 50, "bpd": -Infinity, "held_out_bpd": Infinity}',
]  # fmt: skip


def read(folder: Path):
    """How a run stands, with all that the window asks of it."""
    record = RunRecord(folder)
    record.poll()
    run = record.snapshot
    assert "\n" not in run.name + run.sentence + run.notice + run.data_name and "\x1b" not in run.name
    assert np.isfinite(run.bpd).all() and np.isfinite(run.steps).all() and np.isfinite(run.held_bpd).all()
    for told in (run.step, run.best, run.best_step, run.pictures_a_second, run.seconds_left, run.can_resume, findings(run)):
        repr(told)
    return run


@pytest.mark.parametrize("text", CONFIGS)
def test_any_configuration_is_shown(tmp_path, text):
    folder = write_run(tmp_path / "run")
    (folder / "config.json").write_text(text)
    assert read(folder).step == 100


@pytest.mark.parametrize("line", LINES)
def test_any_line_of_metrics_is_passed_over_or_shown(tmp_path, line):
    folder = write_run(tmp_path / "run", logged=3)
    (folder / "metrics.jsonl").write_bytes(line.encode("latin-1") + b"\n" + (folder / "metrics.jsonl").read_bytes())
    run = read(folder)
    assert run.step == 30 and len(run.bpd) == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "process.json", "train.log", "train.lock", "last.safetensors"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "nowhere", "device"])
def test_what_is_no_file_is_not_waited_for(tmp_path, name, kind):
    folder = write_run(tmp_path / "run", logged=3)
    path = folder / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to({"loop": name, "nowhere": "absent", "device": "/dev/zero"}[kind])
    done = threading.Thread(target=lambda: read(folder), daemon=True)
    done.start()
    done.join(20)
    assert not done.is_alive()


def test_huge_files_are_not_read_whole(tmp_path):
    folder = write_run(tmp_path / "run", logged=3)
    for name in ("config.json", "process.json", "metrics.jsonl", "train.log"):
        with open(folder / name, "ab") as file:
            file.truncate(3 * 2**30)  # holes: nothing on the disk
    assert read(folder).step == 30


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_said_or_left_out(tmp_path):
    closed, other = write_run(tmp_path / "runs" / "a"), write_run(tmp_path / "runs" / "b")
    record = RunRecord(closed)
    record.poll()
    closed.chmod(0)
    try:
        assert other in find_runs([tmp_path / "runs"])
        record.poll()
    finally:
        closed.chmod(0o755)


def test_a_folder_that_fails_in_any_way_is_said_and_hides_no_other(qtbot, tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        write_run(tmp_path / name)
    usual = RunRecord._read_metrics

    def broken(self: RunRecord) -> None:
        if self.path.name == "b":
            raise PermissionError(13, "Permission denied")
        usual(self)

    monkeypatch.setattr(RunRecord, "_read_metrics", broken)
    watcher = Watcher(lambda: [tmp_path])
    try:
        watcher.poll()
        qtbot.waitUntil(lambda: len(watcher.runs) == 3, timeout=10_000)
        assert [run.state for run in watcher.runs.values()] == ["done", "failed", "done"]
        assert "cannot be read (Permission denied)" in watcher.runs[tmp_path / "b"].sentence
        monkeypatch.setattr(RunRecord, "_read_metrics", usual)
        watcher.poll()
        qtbot.waitUntil(lambda: watcher.runs[tmp_path / "b"].state == "done", timeout=10_000)
        # Whatever goes wrong beside them, the next look comes.
        monkeypatch.setattr("flow_explorer.training.watcher.find_runs", lambda _folders: 1 / 0)
        watcher.poll()
        qtbot.waitUntil(lambda: not watcher._polling, timeout=10_000)
        assert len(watcher.runs) == 3
        monkeypatch.undo()
        shutil.rmtree(tmp_path / "a")
        watcher.poll()
        qtbot.waitUntil(lambda: len(watcher.runs) == 2, timeout=10_000)
    finally:
        watcher.wait()


def test_one_odd_entry_of_a_folder_of_runs_hides_no_other(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        write_run(tmp_path / name)
    usual = Path.is_file

    def is_file(self: Path) -> bool:
        if self.parent.name == "b":
            raise PermissionError(13, "Permission denied", str(self))
        return usual(self)

    monkeypatch.setattr(Path, "is_file", is_file)
    assert [path.name for path in find_runs([tmp_path, tmp_path / "b"])] == ["a", "c"]
