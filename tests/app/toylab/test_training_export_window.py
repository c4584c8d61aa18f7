"""Keeping a training in the window, with the real engine: saved, opened, filmed, and what cannot be done said in a sentence."""

from __future__ import annotations

import csv
import json
import os
import signal

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from flow_explorer.toylab.keep import training_file
from flow_explorer.toylab.keep.film_sheet import Filmed
from flow_explorer.toylab.keep.filming import look_of
from flow_explorer.toylab.state import ToyState
from flowcore.pictures import recipe
from flowcore.plane.drawing import page_size

LEFT = Qt.MouseButton.LeftButton


def at_rest(qtbot, lab):
    qtbot.waitUntil(lab.canvas().window().is_idle, timeout=30_000)


def steps(qtbot, lab, count):
    for _ in range(count):
        qtbot.mouseClick(lab.inspector().step, LEFT)
    at_rest(qtbot, lab)


def banners(lab):
    return lab.canvas().window().banners


@pytest.fixture
def ask(lab, monkeypatch):
    """Answers the next question for a file's name."""
    names = []
    monkeypatch.setattr(type(lab), "ask_path", lambda self, title, suffix, kind, done: done(names.pop(0)))
    return names.append


def act(lab, words):
    """What Save offers under these words; it must be enabled."""
    found = [(run, enabled) for text, run, enabled in lab.save_menu() if words in text]
    assert len(found) == 1 and found[0][1], words
    return found[0][0]


def test_a_saved_training_goes_on_exactly_as_the_uninterrupted_one(qtbot, lab, ask, tmp_path):
    steps(qtbot, lab, 2)
    lab.controller.set("learning_rate", 1e-3)
    lab.controller.seal()
    steps(qtbot, lab, 2)
    path = tmp_path / "a.flowtoy"
    ask(str(path))
    act(lab, "training as a file")()
    assert path.exists() and "step 4" in banners(lab).notice.sentence
    steps(qtbot, lab, 3)
    uninterrupted = lab.controller.training.snapshot.tobytes()
    losses = list(lab.controller.training.curve.losses)
    number = lab.controller.state.run
    # Other settings, an engine that has never seen this training, then the file, by a drop.
    lab.controller.set("flow", "glow")
    at_rest(qtbot, lab)
    before = lab.context.engine.pid
    os.kill(before, signal.SIGKILL)
    qtbot.waitUntil(lambda: lab.context.engine.pid not in (before, None, 0), timeout=30_000)
    at_rest(qtbot, lab)
    lab.canvas().dropped.emit(str(path))
    qtbot.waitUntil(lambda: lab.controller.state.flow == "realnvp", timeout=30_000)
    at_rest(qtbot, lab)
    run = lab.controller.training
    assert run.step == 4 and run.number != number and lab.controller.state.learning_rate == 1e-3
    assert len(run.curve.points) >= 2 and run.curve.losses[-1] in losses
    steps(qtbot, lab, 3)
    assert lab.controller.training.step == 7
    assert lab.controller.training.snapshot.tobytes() == uninterrupted
    window = lab.canvas().window()
    window.undo()
    at_rest(qtbot, lab)
    assert lab.controller.state.flow == "glow"
    window.redo()
    at_rest(qtbot, lab)
    assert lab.controller.training.step == 7 and lab.controller.training.snapshot.tobytes() == uninterrupted


def test_a_session_holds_the_training_too(qtbot, lab):
    steps(qtbot, lab, 3)
    before, part = lab.controller.training.snapshot.tobytes(), json.loads(json.dumps(lab.portable()))
    lab.controller.reset()
    at_rest(qtbot, lab)
    assert lab.prepare(part, None)() == []
    at_rest(qtbot, lab)
    assert lab.controller.training.step == 3 and lab.controller.training.snapshot.tobytes() == before


def test_a_training_opens_wherever_a_session_does(qtbot, lab, tmp_path):
    from PySide6.QtCore import QMimeData, QUrl

    from flow_explorer.cli.window import with_session

    path = tmp_path / "a.FlowToy"
    steps(qtbot, lab, 2)
    lab.keeping.write_training(str(path))
    lab.controller.reset()
    at_rest(qtbot, lab)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    acts = lab.canvas().window().session_acts
    assert acts.dropped(mime) == path and acts.open(path)
    qtbot.waitUntil(lambda: lab.controller.training.step == 2, timeout=30_000)
    at_rest(qtbot, lab)
    assert with_session(["a.flowtoy"]) == ["--session", "a.flowtoy"]


def test_the_same_file_opens_again_and_of_two_the_later_is_taken(qtbot, lab, tmp_path):
    steps(qtbot, lab, 1)
    paths = [tmp_path / "a.flowtoy", tmp_path / "b.flowtoy"]
    lab.keeping.write_training(str(paths[0]))
    steps(qtbot, lab, 1)
    lab.keeping.write_training(str(paths[1]))
    for opened, step in (((0,), 1), ((0,), 1), ((1, 0), 1), ((0, 1), 2)):
        number, before = lab.controller.state.run, lab.history.length
        for index in opened:
            lab.keeping.read_training(str(paths[index]))
        qtbot.waitUntil(lambda number=number: lab.controller.state.run != number, timeout=30_000)
        at_rest(qtbot, lab)
        assert lab.controller.training.step == step and lab.history.length == before + 1


def test_weights_of_another_flow_are_refused_and_nothing_changes(qtbot, lab, tmp_path):
    steps(qtbot, lab, 1)
    training = lab.keeping.training()
    path = tmp_path / "a.flowtoy"
    training_file.write(path, training_file.Training(ToyState(depth=6, width=32), training.snapshot))
    state, sent = lab.history.state, lab.controller.training.snapshot.tobytes()
    lab.take_file(str(path))
    qtbot.waitUntil(lambda: banners(lab).error.isVisible(), timeout=30_000)
    words = banners(lab).error.sentence
    assert "not of the flow" in words and words.endswith("Nothing was changed.")
    assert lab.history.state == state and lab.controller.training.snapshot.tobytes() == sent
    banners(lab).error.hide()
    # Numbers that are none.
    data = bytearray(training.snapshot)
    first = 8 + int.from_bytes(data[:8], "little")
    data[first : first + 4] = np.float32(np.nan).tobytes()
    training_file.write(path, training_file.Training(training.state, bytes(data)))
    lab.take_file(str(path))
    qtbot.waitUntil(lambda: banners(lab).error.isVisible(), timeout=30_000)
    assert "damaged" in banners(lab).error.sentence and lab.history.state == state
    banners(lab).error.hide()


def test_a_continuous_training_from_before_fields_were_named_goes_on(qtbot, lab, tmp_path, monkeypatch):
    """The settings on screen name no field, the run has its own: it must be taken for the run that is asked for."""
    from flowcore.plane.trainer import ToyConfig, ToyTrainer

    state = ToyState(flow="continuous", depth=4, width=16, batch=64)
    trainer = ToyTrainer(ToyConfig.from_dict({**state.config(), "field": "plain"}))
    trainer.step(2)
    whole = ToyConfig.to_dict
    with monkeypatch.context() as first:
        first.setattr(ToyConfig, "to_dict", lambda self: {name: v for name, v in whole(self).items() if name != "field"})
        snapshot = trainer.snapshot()
    path = tmp_path / "a.flowtoy"
    training_file.write(path, training_file.Training(state, snapshot))
    lab.take_file(str(path))
    qtbot.waitUntil(lambda: lab.controller.state.flow == "continuous", timeout=30_000)
    at_rest(qtbot, lab)
    assert lab.controller.training.step == 2
    steps(qtbot, lab, 3)
    trainer.step(3)
    after = ToyTrainer.from_snapshot(lab.controller.training.snapshot.tobytes())
    assert after.config.field == "plain" and after.step_count == 5
    for mine, other in zip(after.flow.parameters(), trainer.flow.parameters(), strict=True):
        assert np.allclose(mine.detach(), other.detach(), atol=1e-6)


def test_the_training_is_filmed_and_the_film_brings_its_settings_back(qtbot, lab, tmp_path):
    steps(qtbot, lab, 5)
    keeping, done = lab.keeping, []
    keeping.filming.done.connect(lambda path, sentence: done.append((path, sentence)))
    path = tmp_path / "a.gif"
    keeping.write_animation(str(path), Filmed(".gif", 160, 2.0, 4))
    assert keeping.progress.isVisible() and "again" in keeping.progress.label.text()
    qtbot.waitUntil(lambda: bool(done), timeout=30_000)
    assert done == [(str(path), "")] and not keeping.progress.isVisible()
    with Image.open(path) as film:
        assert getattr(film, "n_frames", 1) >= 4 and film.size == page_size(160)
        first = np.asarray(film.convert("RGB")).astype(int)
        film.seek(getattr(film, "n_frames", 1) - 1)
        last = np.asarray(film.convert("RGB")).astype(int)
    assert np.abs(first[2, 2] - look_of(_theme()).paper).max() < 12
    assert np.abs(first - last).max() > 60
    assert recipe.extract(path)["state"] == json.loads(json.dumps(lab.state()))
    # Cancelled: nothing is written.
    done.clear()
    keeping.write_animation(str(tmp_path / "b.gif"), Filmed(".gif", 160, 2.0, 6))
    qtbot.mouseClick(keeping.progress.cancel_button, LEFT)
    assert done == [("", "")] and not keeping.filming.busy and not keeping.progress.isVisible()
    at_rest(qtbot, lab)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.gif"]


def _theme():
    from flow_explorer import theme

    return theme.current()


def test_the_curve_and_the_script(qtbot, lab, ask, tmp_path):
    steps(qtbot, lab, 3)
    ask(str(tmp_path / "a.csv"))
    act(lab, "curve")()
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    run = lab.controller.training
    assert [int(row["step"]) for row in rows] == run.curve.steps
    assert [float(row["held_out_nll"]) for row in rows] == run.curve.losses
    assert float(rows[-1]["seconds"]) > 0 and float(rows[-1]["entropy"]) == run.entropy
    assert float(rows[-1]["learning_rate"]) == pytest.approx(4e-3 * 4 / 50)
    act(lab, "Python")()
    script = QGuiApplication.clipboard().text()
    assert "STEPS = 3\n" in script and f"shows {run.curve.losses[-1]!r}" in script and "'depth': 4" in script
    compile(script, "script", "exec")


def test_before_the_first_step_there_is_nothing_to_film(lab):
    offered = {text: enabled for text, _run, enabled in lab.save_menu()}
    assert not next(enabled for text, enabled in offered.items() if "animation" in text)
    lab.keeping.save_animation()
    assert not lab.keeping.filming.busy


def test_every_act_has_a_key_of_its_own(lab):
    keys = [key for command in lab.commands() for key in command.keys]
    assert len(keys) == len(set(keys))
    taken = {"Ctrl+S", "Ctrl+Shift+S", "Ctrl+Shift+O", "Ctrl+Z", "Ctrl+Y", "Ctrl+Shift+Z", "Ctrl+H", "Ctrl+Q", "Ctrl+\\", "F1"}
    assert not taken & set(keys)
    words = " ".join(command.text for command in lab.commands())
    for what in ("animation", "curve", "checkpoint", "Python", "as a file", "Open a saved training"):
        assert what in words
