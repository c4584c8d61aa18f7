"""The training workspace's plain parts: what was chosen, run folders as they are read, what their figures say. No Qt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow_explorer.cli.parser import build_parser
from flow_explorer.training.findings import findings, overfitting_since, smoothed, thinned, time_words
from flow_explorer.training.process_record import LOG, ProcessRecord, write_process_record
from flow_explorer.training.record import RunRecord, RunSnapshot, find_runs
from flow_explorer.training.state import Form, TrainingState, default_name, free_folder, runs_folder
from flowcore.errors import ConfigError
from flowcore.folder_lock import FolderLock
from tests.app.training.run_folders import line_of, write_run


def snapshot(folder) -> RunSnapshot:
    record = RunRecord(folder)
    record.poll()
    return record.snapshot


def test_a_state_comes_back_from_json():
    form = Form("/pictures", "nice", "tiny", 16, 50, True, "invert", "a name", "/runs", "float32", True)
    state = TrainingState(form, "new", ("/a", "/b"), ("/c",), True, 0.9, True)
    assert TrainingState.from_dict(json.loads(json.dumps(state.to_dict()))) == state
    assert TrainingState.from_dict({"form": {"unknown": 1}, "later": 2}) == TrainingState()


@pytest.mark.parametrize(
    "values",
    [{"page": "x"}, {"smoothing": 2}, {"selected": [1]}, {"form": {"steps": 0}}, {"form": {"system": "x"}},
     {"form": {"size": True}}, {"form": {"data": 3}}, {"form": 3}, {"form": {"conditional": "yes"}},
     {"form": {"precision": "float64"}}, {"form": {"precision": None}}, {"form": {"jitter": 1}}, {"form": {"jitter": "yes"}}],
)  # fmt: skip
def test_a_damaged_state_is_refused_in_a_sentence(values):
    with pytest.raises(ConfigError):
        TrainingState.from_dict(values)


def test_a_form_is_what_the_command_line_takes():
    form = Form("my pictures", "realnvp", "tiny", 16, 50, True, "invert", "a name", precision="bfloat16", jitter=True)
    args = build_parser().parse_args(["train", *form.arguments(), "--out", "run"])
    assert (args.data, args.architecture, args.preset, args.size, args.steps) == ("my pictures", "realnvp", "tiny", 16, 50)
    assert args.conditional and args.memory == "invert" and args.name == "a name" and args.precision == "bfloat16" and args.jitter
    plain = build_parser().parse_args(["train", *Form("x").arguments(), "--out", "run"])
    assert plain.precision == "auto" and not plain.jitter
    assert build_parser().parse_args(["train", *Form("x", size=0).arguments(), "--out", "run"]).size is None


def test_another_preset_brings_its_steps_and_names_are_free(home):
    form = Form().changed("preset", "tiny")
    assert form.steps == 200 and form.changed("steps", 7).changed("preset", "tiny").steps == 7
    assert default_name(replace(form, data="/x/my pictures")) == "my pictures Glow plus"
    first = replace(form, data="/x/my pictures").target()
    assert first == runs_folder() / "my-pictures-glow-plus" and home in first.parents
    first.mkdir(parents=True)
    assert free_folder(first.parent, "My Pictures: Glow plus").name == "my-pictures-glow-plus-2"
    assert free_folder(first.parent, "../..").name == "run"


def test_a_run_is_read_piece_by_piece(tmp_path):
    folder = write_run(tmp_path / "run")
    record = RunRecord(folder)
    assert record.poll() and not record.poll()
    run = record.snapshot
    assert (run.name, run.system, run.shape, run.data) == ("Shapes", "glow", (3, 8, 8), "/some/my pictures")
    assert run.step == 100 and run.best == pytest.approx(5.3) and run.best_step == 100 and run.state == "done"
    assert run.steps_a_second == pytest.approx(5.0) and run.pictures_a_second == pytest.approx(20.0)
    assert [step for step, _ in run.sheets] == [20, 40]
    with open(folder / "metrics.jsonl", "a") as file:
        file.write(line_of(110, None, skipped=1) + line_of(120, 4.0) + '{"step": 130, "bp')
    assert record.poll() and record.snapshot.step == 120 and record.snapshot.skipped == 0
    shutil.copy(run.sheets[0][1], folder / "samples" / "0000060.png")
    assert record.poll() and [step for step, _ in record.snapshot.sheets] == [20, 40, 60]
    with open(folder / "metrics.jsonl", "a") as file:
        file.write('d": 3.5, "seconds": 26.0, "skipped": 2}\nnot json\n[]\n')
    assert record.poll() and record.snapshot.step == 130 and record.snapshot.skipped == 2


@pytest.mark.parametrize(
    ("said", "wanted"),
    [({"precision": "float32"}, "float32"), ({"reduced_precision": True}, "bfloat16"), ({"reduced_precision": False}, "float32"),
     ({}, ""), ({"precision": 16}, ""), ({"precision": []}, "")],
)  # fmt: skip
def test_a_run_tells_what_it_trains_in(tmp_path, said, wanted):
    assert snapshot(write_run(tmp_path / "run", **said)).precision == wanted


def test_a_resumed_run_drops_what_is_done_again(tmp_path):
    folder = write_run(tmp_path / "run", logged=6)
    record = RunRecord(folder)
    record.poll()
    kept = (folder / "metrics.jsonl").read_text().splitlines(keepends=True)[:3]
    (folder / "new").write_text("".join(kept))
    os.replace(folder / "new", folder / "metrics.jsonl")
    assert record.poll() and record.snapshot.step == 30


def test_how_a_run_stands(tmp_path):
    folder = write_run(tmp_path / "run", logged=5)
    assert snapshot(folder).state == "paused" and snapshot(folder).can_resume
    me = ProcessRecord(os.getpid(), "here", since=0.0)
    write_process_record(folder, me)
    with FolderLock(folder):
        run = snapshot(folder)
        assert run.state == "running" and run.seconds_left == pytest.approx(10.0)
        write_process_record(folder, replace(me, since=time.time() + 60))
        (folder / LOG).write_text("Reading pictures: 10 of 20\n")
        assert snapshot(folder).state == "starting" and snapshot(folder).status == "Reading pictures: 10 of 20"
    write_process_record(folder, replace(me, outcome="stopped"))
    assert snapshot(folder).state == "paused"
    write_process_record(folder, replace(me, outcome="failed", sentence="The disk is full."))
    assert (snapshot(folder).state, snapshot(folder).sentence) == ("failed", "The disk is full.")
    record = RunRecord(folder)
    record.poll()
    shutil.rmtree(folder)
    assert record.poll() and record.snapshot.state == "gone" and str(folder) in record.snapshot.sentence


def test_a_process_that_died_is_said_and_why_where_that_is_known(tmp_path):
    folder = write_run(tmp_path / "run", logged=5)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    write_process_record(folder, ProcessRecord(child.pid, since=0.0))
    (folder / LOG).write_text("flow-explorer: cats/broken.png is left out: it is damaged.\n")
    run = snapshot(folder)
    assert run.state == "failed" and "without a word" in run.sentence and run.can_resume
    (folder / LOG).write_text("Traceback (most recent call last):\n  ...\nZeroDivisionError: division by zero\n")
    assert "division by zero" in snapshot(folder).sentence
    # Before its first step the command line's own last sentence is the reason.
    write_process_record(folder, ProcessRecord(child.pid, since=time.time() + 60))
    (folder / LOG).write_text("flow-explorer: There is no data at /x: give a folder.\n")
    assert snapshot(folder).sentence == "There is no data at /x: give a folder."
    (folder / "config.json").unlink()
    assert snapshot(folder).state == "failed" and not snapshot(folder).can_resume


@pytest.mark.parametrize("text", ["", "{", "[]", '{"architecture": 3, "steps": "x", "data": []}'])
def test_a_damaged_run_is_shown_and_breaks_nothing(tmp_path, text):
    folder = write_run(tmp_path / "run")
    (folder / "config.json").write_text(text)
    (folder / "best.safetensors").write_bytes(b"nothing")
    run = snapshot(folder)
    assert run.name and run.checkpoints[0].step is None and run.total_steps == 0


def test_runs_are_found_in_folders_of_them_and_as_themselves(tmp_path):
    for name in ("b", "a"):
        write_run(tmp_path / "runs" / name)
    (tmp_path / "runs" / "notes").mkdir()
    alone = write_run(tmp_path / "alone")
    found = find_runs([tmp_path / "runs", alone, tmp_path / "runs" / "a", tmp_path / "absent"])
    assert [path.name for path in found] == ["a", "b", "alone"]


def curve(held: list[float], train: list[float]) -> RunSnapshot:
    steps = 100.0 * np.arange(1, len(train) + 1)
    return RunSnapshot(
        path=Path("run"), steps=steps, bpd=np.array(train), seconds=steps / 10, held_bpd=np.array(held),
        held_steps=np.linspace(steps[0], steps[-1], len(held)), held_seconds=steps[: len(held)], state="running",
    )  # fmt: skip


def test_overfitting_is_held_out_rising_while_training_falls():
    falling = [5 - 0.02 * i for i in range(80)]
    assert overfitting_since(curve([5, 4, 3.5, 3.6, 3.7, 3.8, 3.9, 4.0], falling)) == pytest.approx(2357, abs=1)
    assert overfitting_since(curve([5, 4, 3.5, 3.6, 3.51, 3.505, 3.51], falling)) is None  # no more than noise
    assert overfitting_since(curve([5, 4, 3.5, 3.6, 3.8, 4.0], [5 + 0.02 * i for i in range(80)])) is None  # it diverges
    assert overfitting_since(curve([5, 4, 3.5, 3.8], falling)) is None  # too early to say
    assert overfitting_since(curve([], falling)) is None
    assert "by heart" in findings(curve([5, 4, 3.5, 3.6, 3.7, 3.8, 3.9, 4.0], falling))[0].sentence


def test_what_else_is_said():
    run = replace(curve([5, 4], [5, 4]), skipped=3, free_bytes=10**6, notice="The disk is full. It tries again.")
    told = [finding.sentence for finding in findings(run)]
    assert told[0] == run.notice and "1 MB are left" in told[1] and "3 steps" in told[2]
    assert findings(replace(run, state="done", skipped=0, notice="")) == []  # a full disk matters while it is written to


def test_smoothing_starts_unbiased_and_keeps_what_is_flat():
    values = np.array([4.0, 2.0, 3.0])
    assert smoothed(values, 0.0) is values and smoothed(np.empty(0), 0.9).size == 0
    result = smoothed(values, 0.5)
    assert result[0] == 4.0 and result[1] == pytest.approx((0.5 * 4 + 1 * 2) / 1.5)
    np.testing.assert_allclose(smoothed(np.full(50, 3.3), 0.9), 3.3)
    values = np.random.default_rng(0).normal(size=1000)
    average, mass, wanted = 0.0, 0.0, []
    for value in values:
        average, mass = 0.97 * average + 0.03 * value, 0.97 * mass + 0.03
        wanted.append(average / mass)
    np.testing.assert_allclose(smoothed(values, 0.97), wanted, rtol=1e-10, atol=1e-12)


def test_a_thinned_curve_keeps_its_ends_and_its_peaks():
    x = np.arange(10_007.0)
    y = np.sin(x / 500)
    y[7003], y[41] = 9.0, -9.0
    for extremes in (False, True):
        across, values = thinned(x, y, 500, extremes)
        assert 400 < len(across) <= 502 and across[-1] == 10_006 and (np.diff(across) >= 0).all()
        np.testing.assert_array_equal(values, y[across.astype(int)])
    assert 9.0 in values and -9.0 in values
    assert len(thinned(x[:400], y[:400], 500)[0]) == 400
    early, _ = thinned(np.log10(x[1:]), y[1:], 500)
    assert (early < 2).sum() > 80  # evenly on the axis that is drawn


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (float("inf"), "–"), (0.25, "250 ms"), (3.21, "3.2 s"), (61.0, "61 s"), (600.0, "10 min"),
     (5400.0, "1 h 30 min"), (7200.0, "2 h"), (400_000.0, "4.6 days")],
)  # fmt: skip
def test_times_are_said_as_a_person_says_them(seconds, words):
    assert time_words(seconds) == words


def test_pictures_are_looked_at_in_a_process_of_their_own(picture_folder):
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
         "from flow_explorer.training.look import main\ncode = main(sys.argv[1:])\n"
         "sys.exit(code if 'torch' not in sys.modules and 'PySide6' not in sys.modules else 9)",
         os.getcwd(), str(picture_folder)], capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])["found"]
    assert found["count"] == 40 and found["classes"] == [["cats", 20], ["dogs", 20]] and not found["grey"]
    assert found["smallest"] == [20, 20] and found["largest"] == [28, 20] and not found["one_size"]
    assert {name for name, _ in found["left_out"]} == {"cats/broken.png", "dogs/cut.jpg"}
    assert len(found["thumbnails"]) == 40


def test_names_from_anywhere_are_shown_in_a_line_each(qtbot):
    from flow_explorer.training.found_view import FoundView

    view, evil = FoundView(), "a\x1b[2J\nb\udcff\u202ec"
    qtbot.addWidget(view)
    shown = r"a\x1b[2J b\xff\u202ec"
    found = {
        "count": 3, "path": evil, "classes": [[evil, 2], ["d", 1]], "left_out_count": 2,
        "left_out": [[evil, "broken."], ["x", evil]], "smallest": [8, 8], "largest": [8, 8], "one_size": True, "grey": False,
        "streamed": False, "thumbnails": [], "memory": 10,
    }  # fmt: skip
    view.show_found(found)
    assert view.where.text() == shown and f"{shown} 2" in view.facts.text()
    assert shown in view.left_out_list.text() and len(view.left_out_list.text().splitlines()) == 2
