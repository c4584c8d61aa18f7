"""A training as a file, its curve, its script: what is written, what is read back, what is refused. Without an engine."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow_explorer.child_process import python_path
from flow_explorer.toylab.keep import training_file
from flow_explorer.toylab.keep.as_python import training_script
from flow_explorer.toylab.keep.film_sheet import Filmed, FilmSheet
from flow_explorer.toylab.keep.training_export import numbered
from flow_explorer.toylab.keep.training_file import Training
from flow_explorer.toylab.panels.curve import MAX_POINTS, Curve
from flow_explorer.toylab.run import Run
from flow_explorer.toylab.state import ToyState
from flowcore.errors import FlowError
from flowcore.plane.film_frames import CurvePoint
from flowcore.plane.schedule import Schedule

ROOT = Path(__file__).resolve().parents[3]
SMALL = {"density": "two-moons", "flow": "realnvp", "depth": 2, "width": 16, "batch": 64, "seed": 3}


@pytest.fixture(scope="module")
def trainer():
    import torch

    from flowcore.plane.trainer import ToyConfig, ToyTrainer

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    trainer = ToyTrainer(ToyConfig.from_dict(SMALL))
    trainer.step(12)
    trainer.adjust(learning_rate=1e-3)
    trainer.step(8)
    trainer.adjust(batch=32)
    trainer.step(5)
    yield trainer
    torch.set_num_threads(before)


@pytest.fixture
def training(trainer):
    curve = Curve()
    for step in (0, 10, 25, 30):
        curve.add(CurvePoint(step, 3.0 - step / 50, 0.01, step / 100))
    return Training(ToyState(**SMALL, learning_rate=1e-3, run=7), trainer.snapshot(), curve)


def test_a_training_comes_back_from_its_file(tmp_path, training):
    path = tmp_path / "a.flowtoy"
    training_file.write(path, training)
    again = training_file.read(path)
    assert again.state == training.state and again.snapshot == training.snapshot and again.step == 25
    assert again.curve.points == training.curve.until(25) and len(again.curve.points) == 3
    assert training_file.is_training(path) and training_file.is_training("B.FlowToy") and not training_file.is_training("a.png")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.flowtoy"]


def test_a_training_that_has_not_begun_comes_back_too(tmp_path):
    training_file.write(tmp_path / "a.flowtoy", Training(ToyState(flow="spline")))
    again = training_file.read(tmp_path / "a.flowtoy")
    assert again.state.flow == "spline" and again.snapshot == b"" and again.step == 0


def test_every_setting_travels_whatever_they_are(tmp_path):
    changed = {"flow": "glow", "depth": 3, "width": 32, "learning_rate": 2e-3, "batch": 128, "seed": 9, "speed": "slow"}
    state = ToyState(**changed)
    training_file.write(tmp_path / "a.flowtoy", Training(state))
    assert training_file.read(tmp_path / "a.flowtoy").state == state
    assert json.loads((tmp_path / "a.flowtoy").read_text())["state"] == json.loads(json.dumps(state.to_dict()))
    moved = numbered(state, 41)
    assert moved == replace(state, run=41, race=moved.race), "a run and a race of its own number, the settings as they were"


def damaged(value: dict, **changes: object) -> bytes:
    return json.dumps({**value, "training": {**value["training"], **changes}}).encode()


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state.json", b"0" * 10_000_000)
    return buffer.getvalue()


def other_header(value: dict, **changes: object) -> str:
    """The snapshot with another course in its header."""
    data = base64.b64decode(value["training"]["snapshot"])
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    about = {**json.loads(head["__metadata__"]["run"]), **changes}
    text = json.dumps({**head, "__metadata__": {"run": json.dumps(about)}}).encode()
    return base64.b64encode(len(text).to_bytes(8, "little") + text + data[8 + length :]).decode()


HOSTILE = {
    "nothing": lambda value: b"",
    "noise": lambda value: bytes(range(256)) * 8,
    "half": lambda value: json.dumps(value).encode()[:500],
    "a zip bomb": lambda value: bomb(),
    "deep": lambda value: b"[" * 100_000,
    "another's JSON": lambda value: b'{"flow_explorer_session": 1, "workspaces": {}}',
    "no object": lambda value: b"[1, 2]",
    "not a number": lambda value: b'{"flow_explorer_toy": NaN}',
    "a later version": lambda value: json.dumps({**value, "flow_explorer_toy": 2}).encode(),
    "a true version": lambda value: json.dumps({**value, "flow_explorer_toy": True}).encode(),
    "no settings": lambda value: json.dumps({"flow_explorer_toy": 1}).encode(),
    "settings out of range": lambda value: json.dumps({**value, "state": {"depth": 10**9}}).encode(),
    "settings of another type": lambda value: json.dumps({**value, "state": {"density": ["rings"]}}).encode(),
    "a training of another type": lambda value: json.dumps({**value, "training": 5}).encode(),
    "no weights": lambda value: damaged(value, snapshot=None),
    "no base64": lambda value: damaged(value, snapshot="!!!!"),
    "no ASCII": lambda value: damaged(value, snapshot="é" * 40),
    "no weights in it": lambda value: damaged(value, snapshot=base64.b64encode(b"hello, hello, hello").decode()),
    "a header that promises more": lambda value: damaged(value, snapshot=base64.b64encode(b"\xff" * 7 + b"\x00{}").decode()),
    "a course of no numbers": lambda value: damaged(value, snapshot=other_header(value, course=[[0, "x", 1]])),
    "steps below nothing": lambda value: damaged(value, snapshot=other_header(value, step=-3)),
    "a curve of another type": lambda value: damaged(value, curve={"a": 1}),
    "a curve that goes back": lambda value: damaged(value, curve=[[5, 1.0, 0.1, None], [3, 1.0, 0.1, None]]),
    "a curve of texts": lambda value: damaged(value, curve=[["5", 1.0, 0.1, None]]),
    "a curve beyond the weights": lambda value: damaged(value, curve=[[500, 1.0, 0.1, None]]),
    "a curve without end": lambda value: damaged(value, curve=[[n, 1.0, 0.1, None] for n in range(10 * MAX_POINTS + 1)]),
}  # fmt: skip


def test_hostile_files_cost_one_clear_sentence_each(tmp_path, training):
    path = tmp_path / "a.flowtoy"
    training_file.write(path, training)
    value = json.loads(path.read_text())
    for name, make in HOSTILE.items():
        path.write_bytes(make(value))
        with pytest.raises(FlowError) as caught:
            training_file.read(path)
        words = str(caught.value)
        assert 20 < len(words) < 300 and words.count(". ") == 0 and words.endswith("."), (name, words)
        assert "Traceback" not in words and "Error" not in words, (name, words)
    for wrong in (tmp_path, tmp_path / "missing.flowtoy"):
        with pytest.raises(FlowError):
            training_file.read(wrong)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "a.flowtoy"
    with path.open("wb") as file:
        file.truncate(training_file.ENVELOPE.most + 1)
    with pytest.raises(FlowError, match="MiB"):
        training_file.read(path)


def test_a_folder_that_is_read_only_is_a_sentence(tmp_path, training):
    with pytest.raises(FlowError, match="cannot be written"):
        training_file.write(tmp_path / "missing" / "a.flowtoy", training)


# The curve


def test_seconds_add_up_over_engines_and_what_came_after_a_snapshot_is_forgotten():
    run = Run(1)
    start = {"entropy": 1.8, "reach": 4.0}

    def take(kind, step, seconds, data, arrays=None):
        run.take(kind, {"steps": [step], "seconds": [seconds], **data}, arrays or {})

    def loss(nll):
        return {"nll": [nll], "standard_error": [0.1], "leader": None}

    take("start", 0, 0.0, start)
    for step, seconds in ((0, 0.0), (10, 1.0), (20, 2.0)):
        take("loss", step, seconds, loss(2.0))
        take("snapshot", step, seconds, {}, {"snapshot0": np.full(3, step, np.uint8)} if step == 10 else {})
    # Another engine is given the last snapshot, and the time that it stands for.
    weights = run.weights()
    assert weights["snapshots"].tolist() == [10] * 3 and weights["lengths"] == (3,) and weights["seconds"] == (1.0,)
    take("start", 10, 1.0, start)
    take("loss", 30, 1.5, loss(1.9))
    take("rest", 30, 1.5, loss(1.95))
    curve = run.entries[0].curve
    assert [(point.step, point.seconds, point.nll) for point in curve.points] == [
        (0, 0.0, 2.0), (10, 1.0, 2.0), (30, 1.5, 1.95)
    ]  # fmt: skip
    rates = [point.learning_rate for point in curve.with_rates(Schedule(((0, 4e-3, 64), (20, 1e-3, 64))))]
    assert rates == pytest.approx([4e-3 / 50, 4e-3 * 11 / 50, 1e-3 * 31 / 50])


def test_a_long_curve_is_thinned_and_stays_in_order():
    curve = Curve()
    for step in range(3 * MAX_POINTS):
        curve.add(CurvePoint(step, 2.0, 0.1))
    steps = curve.steps
    assert len(steps) <= MAX_POINTS and steps == sorted(set(steps)) and steps[0] == 0 and steps[-1] == 3 * MAX_POINTS - 1


def test_a_training_that_was_opened_goes_on_with_the_seconds_that_its_curve_tells():
    run = Run(1)
    training = run.entries[0]
    training.begin(25, np.zeros(3, np.uint8), Curve([CurvePoint(10, 2.0, 0.1, 1.0), CurvePoint(20, 1.9, 0.1, 2.0)]))
    assert training.step == training.snapshot_step == 25 and run.weights()["seconds"] == (2.0,)
    training.begin(25, np.zeros(3, np.uint8), Curve([CurvePoint(10, 2.0, 0.1)]))  # of an older file, which told none
    assert run.weights()["seconds"] == (0.0,)


# The script


def test_the_script_trains_the_same_run_in_a_fresh_process(tmp_path, trainer):
    loss = trainer.held_out(2048)
    script = tmp_path / "run.py"
    script.write_text(training_script('Two "moons"\\', trainer.snapshot(), 2048, loss.nll), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": python_path(), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(script), str(tmp_path / "model.safetensors")], env=environment, text=True,
                          capture_output=True, timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"step 25: held-out loss {loss.nll!r} ± {loss.standard_error!r} nat"
    assert f"# The toy lab shows {loss.nll!r}." in script.read_text()

    from flowcore.model import checkpoint

    loaded = checkpoint.load(tmp_path / "model.safetensors").flow
    for ours, theirs in zip(trainer.average.state_dict().values(), loaded.state_dict().values(), strict=True):
        assert np.array_equal(ours.numpy(), theirs.numpy())


def test_no_script_of_a_run_that_began_with_others_weights(trainer):
    from dataclasses import replace

    schedule = trainer.schedule
    trainer.schedule = replace(schedule, inherited=True)
    try:
        with pytest.raises(FlowError, match="another one's weights"):
            training_script("A run", trainer.snapshot(), 2048)
    finally:
        trainer.schedule = schedule


# The sheet


def test_the_sheet_says_what_will_be_made_and_what_is_missing(qapp, qtbot, monkeypatch):
    sheet, wanted = FilmSheet(Filmed(), 500), []
    qtbot.addWidget(sheet)
    sheet.wanted.connect(wanted.append)
    assert "60" in sheet.what.value.text() and "500" in sheet.what.value.text() and sheet.save.isEnabled()
    for side, frames, fits in (("480", "240", False), ("240", "240", True), ("480", "60", True), ("240", "30", True)):
        sheet.side.set_current(side)
        sheet.frames.set_current(frames)
        sheet.frames.chosen.emit(frames)
        assert sheet.save.isEnabled() == fits and bool(sheet.problem.text()) != fits
    sheet.format.set_current(".webp")
    sheet.side.set_current("160")
    sheet.seconds.set_current("2")
    assert "30" in sheet.what.value.text()
    sheet.save.click()
    assert wanted == [Filmed(".webp", 160, 2.0, 30)]
    monkeypatch.setitem(sys.modules, "av", None)
    sheet = FilmSheet(Filmed(".mp4"), 5)
    qtbot.addWidget(sheet)
    assert not sheet.save.isEnabled() and "PyAV" in sheet.problem.text()
