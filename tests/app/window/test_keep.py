"""Work is never lost: a window killed by a real signal, sessions as files, and files that are none."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from flow_explorer.child_process import python_path
from flow_explorer.cli.window import with_session
from flow_explorer.shell import session_file
from flow_explorer.shell.session_file import SessionFile
from flowcore.errors import FlowError

ROOT = Path(__file__).resolve().parents[3]
DRIVER = Path(__file__).resolve().parent / "driver_keep.py"


def start(home: Path, *arguments: str) -> subprocess.Popen:
    environment = {**os.environ, "FLOW_EXPLORER_HOME": str(home), "PYTHONPATH": python_path(), "QT_QPA_PLATFORM": "offscreen",
                   "OMP_NUM_THREADS": "1"}  # fmt: skip
    return subprocess.Popen([sys.executable, str(DRIVER), *arguments], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def first_session(home: Path, folder: Path) -> Path:
    """A session on a small model of random weights; the model's path."""
    import torch

    from flow_explorer.explorer.state import ExplorerState
    from flow_explorer.shell.session import VERSION
    from flowcore.model import checkpoint
    from flowcore.model.systems import glow

    flow = glow((3, 16, 16), levels=2, steps=1, width=8)
    flow.initialise(torch.rand(16, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 255)
    card = {"name": "small", "title": "Small", "system": "glow", "architecture": flow.architecture, "size": [16, 16],
            "channels": 3, "format_version": 1}  # fmt: skip
    path = folder / "small.safetensors"
    checkpoint.save(path, flow.eval(), card)
    session = home / "state" / "session.json"
    session.parent.mkdir(parents=True)
    state = ExplorerState(model=str(path), selected=1).to_dict()
    session.write_text(json.dumps({"version": VERSION, "running": None, "workspaces": {"explorer": state}}))
    return path


def kept_state(path: Path) -> dict:
    """The Explorer's state in a session's file, where the model's weights stand beside it."""
    return {name: value for name, value in json.loads(path.read_text())["workspaces"]["explorer"].items() if name != "weights"}


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_window_that_is_killed_comes_back_as_it_was(home, tmp_path):
    model = first_session(home, tmp_path)
    process = start(home, "work")
    try:
        before = json.loads(process.stdout.readline())
        # A second after the last act everything is on disk; killed where it stands, with no goodbye.
        path = home / "state" / "session.json"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if kept_state(path) == before["state"]:
                break
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    again = start(home, "see")
    out, errors = again.communicate(timeout=90)
    after = json.loads(out.splitlines()[-1])
    assert after["state"] == before["state"] and after["screen"] == before["screen"], errors
    assert after["state"]["a"]["name"] == "noise.png" and after["state"]["facets"]["drawer"]["words"] == "mine"
    assert any("did not close properly" in words for words in after["said"]) and len(after["said"]) == 1
    assert not alive(before["engine"]) and not alive(after["engine"]), "engines end with their windows"
    # ... and without the model: the pictures are still there.
    model.unlink()
    assert kept_state(path) == before["state"]


def explorer_window(qtbot, make_checkpoint_at: Path) -> Any:
    """The real window with the Explorer in it; no engine is started."""
    from flow_explorer.engine.client import EngineClient
    from flow_explorer.explorer.workspace import ExplorerWorkspace
    from flow_explorer.main_window import MainWindow
    from flow_explorer.settings import Settings
    from flow_explorer.shell.session import WindowSession
    from flow_explorer.workspace import REGISTRY

    header = json.dumps({"__metadata__": {"format": "flow-explorer", "card": json.dumps({
        "format_version": 1, "name": "tiny", "title": "Tiny", "system": "glow", "size": [8, 8], "channels": 3,
        "architecture": {"system": "glow", "shape": [3, 8, 8], "levels": 2},
    })}}).encode()  # fmt: skip
    make_checkpoint_at.write_bytes(len(header).to_bytes(8, "little") + header)
    settings = Settings()
    settings.set("hint.explorer.seen", True)
    window = MainWindow(EngineClient(), settings, WindowSession(keep=False),
                        entries=[entry for entry in REGISTRY if entry.id in ("explorer", "toylab")])
    qtbot.addWidget(window)
    window.show()
    window.begin("explorer")
    explorer = window.current
    assert isinstance(explorer, ExplorerWorkspace)
    qtbot.waitUntil(lambda: explorer.controller.started)
    explorer.acts.set_model(str(make_checkpoint_at))
    return window


def close(window) -> None:
    """Close it; its workspaces, which have no parent of their own, go with it."""
    window.close()
    for workspace in window.workspaces.values():
        workspace.setParent(window)
        workspace.hide()


def noise(seed: int = 0, size: int = 20) -> bytes:
    import numpy as np

    from flowcore.pictures.images import to_png_bytes

    return to_png_bytes(np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype="uint8"))


@pytest.fixture
def window(qtbot, tmp_path):
    made = explorer_window(qtbot, tmp_path / "tiny.safetensors")
    made.current.acts.put_picture("A", noise(), "noise.png")
    made.current.acts.set_temperature(0.33)
    made.current.acts.rest()
    yield made
    close(made)


def test_a_session_opens_in_another_window_on_another_machine(window, qtbot, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    path = there / "my work.flowsession"
    assert window.session_acts.save(path)
    state = window.current.history.state
    written = json.loads(path.read_text())
    assert written["flow_explorer_session"] == 1 and written["workspaces"]["explorer"]["model_title"] == "Tiny"
    (pictures,) = [written["workspaces"]["explorer"]["contents"]["pictures"]]
    assert base64.b64decode(pictures[state.a.picture]) == noise()
    # The model was sent along, and lies elsewhere than it did.
    os.rename(tmp_path / "tiny.safetensors", there / "tiny.safetensors")
    other = explorer_window(qtbot, tmp_path / "other.safetensors")
    try:
        other.current.acts.put_picture("B", noise(1), "mine.png")
        mine = other.current.history.state
        assert other.session_acts.open(path)
        now = other.current.history.state
        assert now.model == str(there / "tiny.safetensors") and now.temperature == 0.33 and now.b.empty
        assert other.current.controller.store.blob(now.a.picture) == noise()
        assert "is open" in other.banners.notice.sentence
        # Nothing was lost: opening is one act.
        other.undo()
        assert other.current.history.state == mine
        other.redo()
        assert other.current.history.state == now
    finally:
        close(other)


def test_a_model_that_is_not_there_is_said_and_the_rest_comes(window, tmp_path):
    path = tmp_path / "a.flowsession"
    assert window.session_acts.save(path)
    value = json.loads(path.read_text())
    value["workspaces"]["explorer"]["state"]["model"] = r"C:\models\secret sauce.safetensors"
    value["workspaces"]["explorer"]["state"]["seed"] = 77
    path.write_text(json.dumps(value))
    assert window.session_acts.open(path)
    assert "Tiny" in window.banners.notice.sentence and "is not on this machine" in window.banners.notice.sentence
    state = window.current.history.state
    assert state.seed == 77 and not state.a.empty
    assert window.current.canvas().no_model.isVisible()
    window.undo()
    assert window.current.history.state.seed != 77 and not window.current.canvas().no_model.isVisible()


def damaged(value: dict, change) -> str:
    value = json.loads(json.dumps(value))
    change(value["workspaces"]["explorer"])
    return json.dumps(value)


def bomb() -> str:
    """A PNG of a few kilobytes that says it is 100,000 pixels square."""
    import struct

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


HOSTILE = {
    "empty": lambda value: "",
    "no JSON": lambda value: "\x80\x04pickled",
    "deep": lambda value: "[" * 200_000,
    "deep inside": lambda value: '{"flow_explorer_session": 1, "workspaces": {"explorer": {"state": ' + '{"a":' * 100_000,
    "a list": lambda value: "[1]",
    "another file": lambda value: '{"a": 1}',
    "another version": lambda value: json.dumps({**value, "flow_explorer_session": 99}),
    "true as version": lambda value: json.dumps({**value, "flow_explorer_session": True}),
    "no workspaces": lambda value: json.dumps({**value, "workspaces": [1, 2]}),
    "unknown workspaces": lambda value: json.dumps({**value, "workspaces": {"chess": {}}}),
    "parts of another type": lambda value: json.dumps({**value, "workspaces": {"explorer": "all"}}),
    "state of another type": lambda value: damaged(value, lambda part: part.update(state=[1])),
    "no number": lambda value: damaged(value, lambda part: part["state"].update(temperature="hot")),
    "not a number": lambda value: damaged(value, lambda part: part["state"].update(temperature=float("nan"))),
    "contents of another type": lambda value: damaged(value, lambda part: part.update(contents={"pictures": [1]})),
    "no base64": lambda value: damaged(value, lambda part: part["contents"]["pictures"].update(p="!!")),
    "no picture": lambda value: damaged(value, lambda part: part["contents"]["pictures"].update(p="aGVsbG8=")),
    "a bomb": lambda value: damaged(value, lambda part: part["contents"]["pictures"].update(p=bomb())),
    "no latent": lambda value: damaged(value, lambda part: part["contents"]["latents"].update(z={"dtype": "O", "data": ""})),
    "an infinite latent": lambda value: damaged(value, lambda part: part["contents"]["latents"].update(
        z={"dtype": "float32", "data": base64.b64encode(b"\x00\x00\x80\x7f").decode()})),
    "one bad part of two": lambda value: json.dumps({**value, "workspaces": {**value["workspaces"], "toylab": {"state": 5}}}),
}  # fmt: skip


def test_hostile_files_cost_a_sentence_each_and_nothing_else(window, tmp_path):
    path = tmp_path / "a.flowsession"
    assert window.session_acts.save(path)
    value, before = json.loads(path.read_text()), window.current.history.state
    for name, make in HOSTILE.items():
        path.write_text(make(value))
        window.banners.error.hide()
        assert not window.session_acts.open(path), name
        words = window.banners.error.sentence
        assert words.endswith("Nothing was changed.") and 20 < len(words) < 400 and "Traceback" not in words, (name, words)
        assert window.current.history.state is before, name
    with open(path, "wb") as file:
        file.truncate(session_file.MAX_BYTES + 1)
    assert not window.session_acts.open(path) and window.current.history.state is before
    for odd in (tmp_path, tmp_path / "gone.flowsession"):
        assert not window.session_acts.open(odd)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.flowsession")
        assert not window.session_acts.open(tmp_path / "pipe.flowsession")


def test_a_picture_that_is_missing_costs_its_slot_only(window, tmp_path):
    path = tmp_path / "a.flowsession"
    assert window.session_acts.save(path)
    value = json.loads(path.read_text())
    value["workspaces"]["explorer"]["contents"]["pictures"] = {}
    value["workspaces"]["explorer"]["state"]["seed"] = 5
    path.write_text(json.dumps(value))
    assert window.session_acts.open(path)
    assert window.current.history.state.a.empty and window.current.history.state.seed == 5
    assert "The picture in A cannot be found again." in window.banners.notice.sentence


def test_a_full_disk_is_a_sentence_and_the_older_file_stays(window, tmp_path, monkeypatch):
    path = tmp_path / "a.flowsession"
    assert window.session_acts.save(path)
    older = path.read_bytes()

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    window.current.acts.set_temperature(0.9)
    assert not window.session_acts.save(path)
    assert "No space left on device" in window.banners.error.sentence
    assert path.read_bytes() == older and [p.name for p in tmp_path.glob(".*")] == []
    monkeypatch.undo()
    assert not window.session_acts.save(tmp_path / "no such folder" / "a.flowsession")
    assert not window.session_acts.save(tmp_path)


def test_dropped_on_the_window_or_on_a_slot_it_opens(window, tmp_path):
    path = tmp_path / "Dropped.FlowSession"
    assert window.session_acts.save(path)
    window.current.acts.set_temperature(0.9)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    from flow_explorer.explorer.moving.drag_drop import can_read

    assert not can_read(mime), "no part of the Explorer takes it for itself"
    rest = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(50, 300), *rest)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(50, 300), *rest))
    assert window.banners.error.sentence == ""
    assert window.current.history.state.temperature == 0.33 and window.current.history.undo_label == "Open a session"


def test_keys_and_menu_ask_for_a_file(window, qtbot):
    from PySide6.QtWidgets import QFileDialog

    texts = {action.text(): action.shortcut().toString() for action in window.app_menu.actions()}
    assert texts["Save session…"] == "Ctrl+Shift+S" and texts["Open session…"] == "Ctrl+Shift+O"
    for key, title in ((Qt.Key.Key_S, "Save session"), (Qt.Key.Key_O, "Open session")):
        window.activateWindow()
        window.setFocus()
        qtbot.keyClick(window, key, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
        qtbot.waitUntil(lambda title=title: any(d.windowTitle() == title for d in window.findChildren(QFileDialog)))
        for dialog in window.findChildren(QFileDialog):
            dialog.reject()


def test_the_history_panel_shows_every_act_and_goes_there(window, qtbot):
    panel, acts = window.history_panel, window.current.acts
    assert not panel.isVisible()
    window.activateWindow()
    window.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(panel.isVisible)
    for value in (0.4, 0.5, 0.6):
        acts.set_temperature(value)
    acts.rest()
    acts.new_samples()
    rows = [panel.model.index(row).data() for row in range(panel.model.rowCount())]
    assert rows[:2] == ["New samples", "Change the temperature"] and rows[-1] == "As it was at first"
    marks = [moment.present for moment in panel.model.moments]
    assert marks == [True] + [False] * (len(rows) - 1)
    last, place = window.current.history.state, panel.list.visualRect(panel.model.index(2)).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.current.history.state.temperature == 0.33 and window.current.history.can_redo
    assert [moment.present for moment in panel.model.moments].index(True) == 2
    # By keys: up looks at newer acts, Enter goes there; what was undone comes back.
    panel.list.setFocus()
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Return):
        qtbot.keyClick(panel.list, key)
    assert window.current.history.state == last and not window.current.history.can_redo
    assert panel.geometry().right() == window.rect().right() and panel.geometry().top() == window.topbar.height()
    qtbot.keyClick(panel.list, Qt.Key.Key_Escape)
    assert not panel.isVisible()
    qtbot.mouseClick(window.topbar.history, Qt.MouseButton.LeftButton)
    assert panel.isVisible()
    panel.close_button.click()
    assert not panel.isVisible()


def test_an_empty_history_says_what_will_stand_here(window):
    window.current.history.reset(window.current.history.state)
    window.toggle_history()
    panel = window.history_panel
    assert panel.empty.isVisible() and not panel.list.isVisible() and "every act will stand here" in panel.empty.label.text()
    window.current.acts.new_samples()
    assert panel.list.isVisible()
    window.show_workspace("toylab")
    assert panel.model.rowCount() <= 1


def test_a_file_on_the_command_line_is_a_session():
    assert with_session(["a b.FlowSession"]) == ["--session", "a b.FlowSession"]
    assert with_session(["--theme", "dark", "a.flowsession"]) == ["--theme", "dark", "--session", "a.flowsession"]
    assert with_session(["--session", "a.flowsession"]) == ["--session", "a.flowsession"]
    assert with_session(["sample", "--out", "a.png"]) == ["sample", "--out", "a.png"]


def test_writing_what_json_cannot_hold_is_a_sentence(tmp_path):
    for part in ({"state": float("nan")}, {"state": object()}):
        with pytest.raises(FlowError):
            session_file.write(tmp_path / "a.flowsession", SessionFile({"explorer": part}))
    assert not list(tmp_path.iterdir())


def test_a_session_of_another_version_is_set_aside_not_overwritten(home):
    from flow_explorer.shell.session import WindowSession

    path = home / "state" / "session.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 99, "workspaces": {"explorer": {"seed": 5}}}')
    session = WindowSession()
    assert session.states == {}
    assert session.save()
    (kept,) = path.parent.glob("session-kept*.json")
    assert json.loads(kept.read_text())["version"] == 99 and str(kept) in session.said[0]
