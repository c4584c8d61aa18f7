"""Training from the window: a folder never seen before, by the real process; paused, killed, deleted, explored."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QInputDialog, QMessageBox, QSlider

from flow_explorer import theme
from flow_explorer.training.process_record import (
    ProcessRecord,
    is_alive,
    read_process_record,
    write_process_record,
)
from flow_explorer.training.state import Form, TrainingState, runs_folder
from flow_explorer.widgets import Choice, NumberField
from flowcore.folder_lock import FolderLock
from tests.app.training.run_folders import line_of, write_run

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def open_window(qtbot, home, monkeypatch):
    """A function that opens the window with these workspaces; all are closed afterwards, and what they train ends."""
    from flow_explorer.engine.client import EngineClient
    from flow_explorer.main_window import MainWindow
    from flow_explorer.settings import Settings
    from flow_explorer.shell.session import WindowSession
    from flow_explorer.workspace import REGISTRY

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "share"))
    windows = []

    def make(*ids: str, engine: bool = False, size=(1280, 720)):
        settings = Settings()
        for name in ids:
            settings.set(f"hint.{name}.seen", True)
        client = EngineClient(environment={"OMP_NUM_THREADS": "1"})
        entries = [entry for entry in REGISTRY if entry.id in ids]
        window = MainWindow(client, settings, WindowSession(), entries=entries)
        windows.append(window)
        qtbot.addWidget(window)
        window.resize(*size)
        if engine:
            client.start()
        with qtbot.waitExposed(window):
            window.show()
        window.begin("training")
        return window

    yield make
    for window in windows:
        for run in window.workspaces["training"].controller.watcher.runs.values():
            if run.is_live and run.presence.pid not in (0, os.getpid()):
                os.kill(run.presence.pid, signal.SIGTERM)
        window.close()
        window.workspaces["training"].controller.watcher.wait()


def drop(window, path: Path) -> None:
    """Let a file go over the middle of the window."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(400, 300), copy, mime, LEFT, none)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(400, 300), copy, mime, LEFT, none))


def only_run(workspace):
    """The run that there is."""
    (run,) = workspace.controller.runs()
    return run


def reached(qtbot, workspace, state: str, timeout: int = 60_000):
    qtbot.waitUntil(
        lambda: bool(workspace.controller.runs()) and only_run(workspace).state == state, timeout=timeout
    )
    return only_run(workspace)


def test_a_folder_never_seen_before_is_trained_on_and_explored(qtbot, open_window, picture_folder):
    window = open_window("explorer", "training", engine=True)
    workspace = window.current
    found, form, card = workspace.found_view, workspace.form_inspector, workspace.estimate_card
    assert found.pages.currentWidget() is found.empty and not form.start_button.isEnabled()
    drop(window, picture_folder)
    qtbot.waitUntil(lambda: workspace.controller.found is not None, timeout=20_000)
    assert found.headline.text() == "40 pictures" and "20×20 to 28×20" in found.facts.text()
    assert "2 classes: cats 20, dogs 20" in found.facts.text()
    assert found.left_out.header.text() == "2 files are left out"
    assert "broken.png" in found.left_out_list.text() and "cut short" in found.left_out_list.text()
    qtbot.mouseClick(form.preset.button("tiny"), LEFT)
    form.picture_size.setCurrentIndex(form.picture_size.findData("16"))
    form.picture_size.activated.emit(form.picture_size.currentIndex())
    form.steps.lineEdit().setFocus()
    form.steps.selectAll()
    qtbot.keyClicks(form.steps, "40")
    qtbot.keyClick(form.steps, Qt.Key.Key_Return)
    qtbot.mouseClick(form.conditional, LEFT)
    assert workspace.controller.form == Form(str(picture_folder), "glow-plus", "tiny", 16, 40, True)
    qtbot.waitUntil(lambda: workspace.controller.estimate is not None, timeout=60_000)
    estimate = workspace.controller.estimate
    assert card.figures["parameters"].value.text() == f"{estimate['parameters']:,}" and estimate["classes"] == 2
    assert estimate["seconds_total"] == pytest.approx(40 * estimate["seconds_per_step"])
    assert card.figures["epoch"].value.text() != "–" and card.figures["memory"].value.text().endswith("B")

    qtbot.mouseClick(form.start_button, LEFT)
    assert workspace.controller.problem == "" and workspace.history.state.page == "runs"
    run = reached(qtbot, workspace, "done")
    assert run.path == runs_folder() / "my-pictures-glow-plus" and run.step == 40 and run.by_class and run.best is not None
    assert run.data == str(picture_folder) and len(run.sheets) == 1
    qtbot.waitUntil(lambda: not is_alive(run.presence.pid, run.presence.born), timeout=10_000)
    inspector = workspace.run_inspector
    assert inspector.rows["best"].value.text() == f"{run.best:.3f} bpd at 40"
    assert run.precision in ("bfloat16", "float32") and inspector.rows["precision"].value.text() == run.precision
    assert workspace.pages.currentWidget() is workspace.run_view and workspace.run_view.film.step == 40
    assert run.name in window.topbar.slot.currentWidget().texts[0]

    assert inspector.main.text() == "Open in the Explorer"
    qtbot.mouseClick(inspector.main, LEFT)
    qtbot.waitUntil(lambda: window.current is not workspace, timeout=5000)
    explorer, kept = window.workspaces["explorer"], run.path / "explored" / "best-0000040.safetensors"
    qtbot.waitUntil(lambda: explorer.controller.model is not None and explorer.controller.model.path == kept
                    and window.is_idle(), timeout=60_000)  # fmt: skip
    assert os.path.samefile(kept, run.path / "best.safetensors") and explorer.controller.selected is not None
    assert window.banners.error.sentence == ""
    # What is explored stays what it is when the run goes on and finds a better one.
    os.replace(run.path / "last.safetensors", run.path / "best.safetensors")
    assert kept.exists() and not os.path.samefile(kept, run.path / "best.safetensors")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_paused_resumed_killed_and_deleted(qtbot, open_window, picture_folder):
    window = open_window("training")
    workspace, steps = window.current, 100_000
    state = TrainingState(Form(str(picture_folder), "nice", "tiny", 16, steps))
    workspace.history.reset(state)
    workspace.controller.shown()
    qtbot.waitUntil(lambda: workspace.controller.found is not None, timeout=20_000)
    workspace.controller.stop_measuring()
    folder = workspace.controller.start()
    run = reached(qtbot, workspace, "running")
    first, inspector = run.presence.pid, workspace.run_inspector
    assert is_alive(first) and inspector.main.text() == "Pause" and os.getpgid(first) != os.getpgid(0)
    qtbot.waitUntil(lambda: only_run(workspace).step >= 20, timeout=20_000)
    qtbot.mouseClick(inspector.main, LEFT)
    assert inspector.main.text() == "Saving…" and not inspector.main.isEnabled()
    run = reached(qtbot, workspace, "paused")
    paused_at = run.step
    assert 20 <= paused_at < steps and run.checkpoints[-1].step == paused_at
    qtbot.waitUntil(lambda: not is_alive(first), timeout=10_000)

    # Another window finds it again as it was, and what trains while no window is open is shown live.
    qtbot.mouseClick(inspector.main, LEFT)
    run = reached(qtbot, workspace, "running")
    second = run.presence.pid
    window.close()
    assert is_alive(second) and second != first
    workspace = open_window("training").current
    qtbot.waitUntil(lambda: bool(workspace.controller.runs()) and only_run(workspace).step > paused_at, timeout=20_000)
    run = only_run(workspace)
    assert run.state == "running" and (run.steps[1:] > run.steps[:-1]).all()

    os.kill(second, signal.SIGKILL)
    run = reached(qtbot, workspace, "failed")
    assert "without a word" in run.sentence and run.can_resume
    notes = workspace.run_view.notes
    assert notes[0].isVisible() and notes[0].label.text() == run.sentence
    qtbot.mouseClick(workspace.run_inspector.main, LEFT)
    run = reached(qtbot, workspace, "running")
    third = run.presence.pid
    assert run.step >= paused_at

    # At one blow: file by file it would race with the run, which writes there all the time.
    shutil.rmtree(folder.rename(picture_folder.parent / "deleted"))
    run = reached(qtbot, workspace, "gone", 10_000)
    assert str(folder) in run.sentence and notes[0].label.text() == run.sentence
    qtbot.waitUntil(lambda: not is_alive(third), timeout=20_000)
    assert not folder.exists()
    workspace.controller.delete([run])
    qtbot.waitUntil(lambda: workspace.controller.runs() == [], timeout=5000)
    assert workspace.pages.currentIndex() == 0


def test_what_cannot_be_used_is_said_where_it_was_dropped(qtbot, open_window, tmp_path):
    window = open_window("training")
    workspace = window.current
    empty = tmp_path / "nothing in it"
    empty.mkdir()
    drop(window, empty)
    qtbot.waitUntil(lambda: bool(workspace.controller.found_problem), timeout=20_000)
    qtbot.waitUntil(lambda: not workspace.controller.looking, timeout=5000)
    assert "has no pictures in it" in workspace.found_view.empty.label.text()
    assert workspace.controller.start() is None and not workspace.form_inspector.start_button.isEnabled()
    window.undo()
    assert workspace.controller.form.data == "" and workspace.found_view.empty.label.text().startswith("Drop a folder")


def test_runs_are_listed_compared_renamed_and_binned(qtbot, open_window, home, request):
    for name, system in (("one", "glow"), ("two", "nice"), ("three", "realnvp")):
        write_run(runs_folder() / name, name.capitalize(), system)
    live = write_run(runs_folder() / "live", "Live", logged=5)
    write_process_record(live, ProcessRecord(os.getpid(), "here", since=time.time() - 60))
    lock = FolderLock(live)
    lock.take()
    request.addfinalizer(lock.release)
    os.utime(live / "metrics.jsonl")
    window = open_window("training")
    workspace = window.current
    qtbot.waitUntil(lambda: len(workspace.controller.runs()) == 4, timeout=5000)
    model = workspace.list.runs_model
    assert model.runs[0].name == "Live" and model.runs[0].state == "running"
    words = [model.data(model.index(row), Qt.ItemDataRole.AccessibleTextRole) for row in range(4)]
    assert any("One" in text and "5.300 bpd" in text and "done" in text for text in words)

    rows = {run.path.name: row for row, run in enumerate(model.runs)}

    def press(name, modifier=Qt.KeyboardModifier.NoModifier):
        area = workspace.list.visualRect(model.index(rows[name]))
        QTest.mouseClick(workspace.list.viewport(), LEFT, modifier, area.center())

    press("one")
    assert workspace.pages.currentWidget() is workspace.run_view and workspace.run_view.title.text() == "One"
    assert workspace.run_view.film.strip.places() == [0, 1]
    workspace.run_view.film.strip.setFocus()
    qtbot.keyClick(workspace.run_view.film.strip, Qt.Key.Key_Left)
    assert workspace.run_view.film.step == 20 and workspace.run_view.chart.marker.isVisible()
    press("two", Qt.KeyboardModifier.ControlModifier)
    assert workspace.pages.currentWidget() is workspace.compare_view and workspace.compare_view.title.text() == "2 runs"
    assert workspace.history.state.selected and not workspace.run_inspector.buttons.isVisible()

    press("live")
    workspace.delete()
    assert (live / "config.json").exists() and "pause it first" in window.banners.notice.sentence
    press("two")
    workspace.controller.rename(model.runs[rows["two"]], "  Another name ")
    qtbot.waitUntil(lambda: any(run.name == "Another name" for run in workspace.controller.runs()), timeout=5000)
    workspace.delete()
    (box,) = window.findChildren(QMessageBox)
    assert box.defaultButton().text() == "Keep"
    move = next(button for button in box.buttons() if button.text() == "Move to the bin")
    qtbot.mouseClick(move, LEFT)
    qtbot.waitUntil(lambda: len(workspace.controller.runs()) == 3, timeout=5000)
    assert not (runs_folder() / "two").exists() and list(home.rglob("two.trashinfo")) or os.name != "posix"

    with open(live / "metrics.jsonl", "a") as file:
        file.write(line_of(60, 1.25, 1.5))
    press_again = {run.path.name: row for row, run in enumerate(model.runs)}
    rows.update(press_again)
    press("live")
    qtbot.waitUntil(lambda: workspace.run_inspector.rows["train"].value.text() == "1.250 bpd", timeout=5000)


@pytest.mark.parametrize(("size", "wanted"), [((1280, 720), "dark"), ((2560, 1440), "light")])
def test_nothing_is_cut_and_everything_has_a_name(qtbot, open_window, picture_folder, size, wanted):
    write_run(runs_folder() / "one", "A run with quite a long name that does not fit into its row")
    theme.choose(wanted)
    window = open_window("training", size=size)
    workspace = window.current
    qtbot.waitUntil(lambda: len(workspace.controller.runs()) == 1, timeout=5000)
    for page in ("runs", "new"):
        workspace.controller.show_page(page)
        qtbot.wait(30)
        assert window.size().width() == size[0] and window.size().height() == size[1]
        inside = workspace.rect()
        for kind in (QAbstractButton, Choice, NumberField, QSlider):
            for control in window.findChildren(kind):
                if not control.isVisible():
                    continue
                assert control.accessibleName() or getattr(control, "text", str)(), control
                if workspace.isAncestorOf(control):
                    corner = control.mapTo(workspace, control.rect().bottomRight())
                    assert inside.contains(corner), (control, corner)
    workspace.form_inspector.name.setText("named")
    workspace.form_inspector.name.editingFinished.emit()
    assert workspace.history.undo_label == "Name" and window.topbar.undo.isEnabled()
    window.undo()
    assert workspace.controller.form.name == ""


def test_the_state_comes_back_with_the_session(qtbot, open_window):
    write_run(runs_folder() / "one")
    window = open_window("training")
    workspace = window.current
    workspace.controller.set_look("logarithmic", True)
    workspace.controller.set_look("smoothing", 0.25)
    workspace.controller.set("system", "nice")
    precision = workspace.form_inspector.precision
    assert precision.current() == "auto"
    precision.setCurrentIndex(precision.findData("float32"))
    precision.activated.emit(precision.currentIndex())
    assert workspace.controller.form.precision == "float32" and workspace.history.undo_label == "Precision"
    assert not workspace.form_inspector.jitter.isChecked() and "1.5 pixels, 4 %" in workspace.form_inspector.jitter.toolTip()
    qtbot.mouseClick(workspace.form_inspector.jitter, LEFT)
    assert workspace.controller.form.jitter and workspace.history.undo_label == "Move pictures a little"
    stored = workspace.state()
    window.close()
    again = open_window("training").current
    assert again.state() == stored and again.controller.form.system == "nice"
    assert again.form_inspector.precision.current() == "float32" and again.form_inspector.jitter.isChecked()
    qtbot.waitUntil(lambda: again.controller.is_idle(), timeout=5000)
    again.controller.show_page("runs")
    assert again.run_inspector.logarithmic.isChecked() and again.run_inspector.smoothing.value() == 0.25


def test_a_finished_run_can_be_trained_longer(qtbot, open_window, picture_folder, monkeypatch):
    write_run(runs_folder() / "one", command=f"flow-explorer train --data '{picture_folder}'")
    workspace = open_window("training").current
    qtbot.waitUntil(lambda: len(workspace.controller.runs()) == 1, timeout=5000)
    run, started = only_run(workspace), []
    assert run.state == "done" and run.data == str(picture_folder)
    monkeypatch.setattr("flow_explorer.training.controller.start_training", lambda *arguments: started.append(arguments))
    workspace.train_longer()
    (dialog,) = workspace.window().findChildren(QInputDialog)
    assert dialog.intValue() == 200 and dialog.intMinimum() == 101
    dialog.setIntValue(150)
    dialog.accept()
    data = str(picture_folder)
    assert started == [(run.path, ["--data", data, "--resume", "--steps", "150"], data)]


def test_a_run_without_its_pictures_asks_for_them(qtbot, open_window):
    folder = write_run(runs_folder() / "one", logged=5)
    workspace = open_window("training").current
    qtbot.waitUntil(lambda: len(workspace.controller.runs()) == 1, timeout=5000)
    run = only_run(workspace)
    assert run.state == "paused" and run.data == "/some/my pictures"
    assert workspace.controller.resume(run) is False and read_process_record(folder) is None


def test_checkpoints_that_were_kept_are_told_apart_by_their_step(qtbot, tmp_path):
    from flow_explorer.training.record import Checkpoint
    from flow_explorer.training.run_inspector import _CheckpointRow

    row = _CheckpointRow()
    qtbot.addWidget(row)
    told = []
    for name, step in (("best", 40), ("step-000500", 500), ("mine", None), ("step-bad", None)):
        row.show_checkpoint(Checkpoint(tmp_path / f"{name}.safetensors", step))
        told.append((row.words.text(), row.step.text(), row.button.accessibleName()))
    assert told == [("Best", "step 40", "Open Best in the Explorer"), ("Kept", "step 500", "Open step 500 in the Explorer"),
                    ("mine", "", "Open mine in the Explorer"), ("step-bad", "", "Open step-bad in the Explorer")]  # fmt: skip
