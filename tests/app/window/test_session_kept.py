"""Two windows, a full disk, a session that cannot be read: nothing that a person made is gone, and what is not kept is said."""

from __future__ import annotations

import errno
import json
import os
import time

import pytest

from flow_explorer.explorer.workspace import ExplorerWorkspace
from flow_explorer.shell import content_files, kept_files
from flow_explorer.shell.content_files import ContentFiles
from flow_explorer.shell.session import CONTENTS, VERSION, WindowSession
from flowcore import atomic

KEY = "p" + "0123456789abcdef" * 2
OTHER = "z" + "fedcba9876543210" * 2
WHOLE = json.dumps({"version": VERSION, "running": None, "workspace": "counter", "geometry": "",
                    "workspaces": {"counter": {"number": 3, "picture": KEY}}})  # fmt: skip


def put(home, data: bytes | str):
    """A session on disk with two contents beside it, an hour and more old."""
    path = home / "state" / "session.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data)
    folder = path.parent / "explorer"
    folder.mkdir(exist_ok=True)
    for key in (KEY, OTHER):
        (folder / key).write_bytes(b"content")
        os.utime(folder / key, (1e9, 1e9))
    return path


def contents(home) -> set[str]:
    return {path.name for path in (home / "state" / "explorer").iterdir()}


def folder(path):
    path.unlink()
    path.mkdir()
    (path / "mine").write_text("mine")


def dangling(path):
    path.unlink()
    path.symlink_to(path.with_name("nowhere.json"))


def loop(path):
    path.unlink()
    path.symlink_to(path)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


DAMAGED = {
    "empty": "", "truncated": WHOLE[:-40], "no JSON": "{]", "a list": "[1, 2]", "a number": "7", "no version": "{}",
    "newer": WHOLE.replace('"version": 1', '"version": 2'), "true": WHOLE.replace('"version": 1', '"version": true'),
    "binary": bytes(range(256)), "zeros": bytes(4000), "UTF-16": WHOLE.encode("utf-16"), "deep": "[" * 200_000,
    "long number": '{"version": 1' + "0" * 5000 + "}", "no object of workspaces": '{"version": 1, "workspaces": [1]}',
    "null": "null",
}  # fmt: skip
PLACES = {"a folder": folder, "a link to nothing": dangling, "a link to itself": loop, "a pipe": pipe}


@pytest.mark.parametrize("how", [*DAMAGED, *PLACES])
@pytest.mark.skipif(os.name != "posix", reason="links and pipes as POSIX has them")
def test_what_cannot_be_read_is_set_aside_with_its_pictures_and_said(qapp, home, how):
    path = put(home, DAMAGED.get(how, WHOLE))
    if how in PLACES:
        PLACES[how](path)
    before = path.lstat()
    session = WindowSession()
    (kept,) = path.parent.glob("session-kept*.json")
    assert (kept.lstat().st_ino, kept.lstat().st_size) == (before.st_ino, before.st_size), "it is the very thing itself"
    assert len(session.said) == 1 and str(kept) in session.said[0] and "could not be read" in session.said[0]
    assert session.states == {} and not session.crashed
    assert session.save() and session.close()
    for _ in range(2):
        again = WindowSession()
        assert again.said == [] and again.close()
    assert contents(home) == {KEY, OTHER}, "its pictures are kept for as long as it is"
    assert len(list(path.parent.glob("session-kept*.json"))) == 1


@pytest.mark.parametrize("bad", ["NaN", "1e999", "-Infinity", '"text"', "[]", "null", "3"])
def test_of_a_session_with_one_odd_part_the_rest_comes_back_and_the_whole_is_kept(qapp, home, bad):
    part = bad if not bad.strip("-").startswith(("N", "1e", "I")) else f'{{"number": {bad}}}'
    text = WHOLE[:-2] + f', "odd": {part}' + "}}"
    path = put(home, text)
    session = WindowSession()
    assert set(session.states) == {"counter"} and session.states["counter"]["number"] == 3
    (kept,) = path.parent.glob("session-kept*.json")
    assert kept.read_text() == text and str(kept) in session.said[0] and "odd" in session.said[0]
    assert session.save(), "what is left can be saved"
    session.states.clear()
    session.close()
    assert KEY in contents(home), "the session that was kept names it"


def test_a_number_that_no_state_can_have_is_said_and_the_session_kept(make_window, home):
    path = put(home, WHOLE.replace("3", "1" + "0" * 400).replace('"number"', '"size"'))
    window = make_window()
    (kept,) = path.parent.glob("session-kept*.json")
    assert str(kept) in window.banners.notice.sentence + window.banners.notice.details
    assert "no number" in window.banners.notice.sentence + window.banners.notice.details


def test_a_second_window_has_a_session_of_its_own_and_says_so(make_window, home):
    put(home, WHOLE)
    first = make_window()
    second = make_window()
    assert first.session.path != second.session.path
    assert "open in another window" in second.banners.notice.sentence and not first.banners.notice.sentence
    assert (first.current.history.state.number, second.current.history.state.number) == (3, 0)
    second.current.set_number(8)
    first.current.set_number(5)
    first.close()
    second.close()
    first, second = make_window(), make_window()
    assert (first.current.history.state.number, second.current.history.state.number) == (5, 8)


def test_a_window_that_is_gone_leaves_its_session_to_the_next(qapp, home):
    sessions = [WindowSession() for _ in range(3)]
    assert len({session.path for session in sessions}) == 3
    for number, session in enumerate(sessions):
        session.states["counter"] = {"number": number}
        assert session.save()
    middle = sessions[1].path
    sessions[1].release()  # as the end of its process does
    again = WindowSession()
    assert again.path == middle and again.crashed and again.states == {"counter": {"number": 1}}


def test_the_work_of_a_further_window_that_was_killed_is_told_of(qapp, home):
    first, second = WindowSession(), WindowSession()
    assert first.save() and second.save()
    first.release()
    assert not WindowSession().said, "it is open"
    second.release()
    assert "further window" in " ".join(WindowSession().said)
    first, second = WindowSession(), WindowSession()
    assert second.crashed and second.close() and first.close()
    assert not WindowSession().said


def test_contents_go_only_when_no_session_names_them(qapp, home, monkeypatch):
    put(home, WHOLE)
    first, second = WindowSession(), WindowSession()
    second.states["counter"] = {"picture": OTHER}
    assert second.save()
    first.states.clear()
    first.close()
    assert contents(home) == {OTHER}, "nobody names the first any more, the open window the other"
    second.states.clear()
    (home / "state" / "session-kept.json").write_text(f'"{OTHER}')  # damaged, and with no names beside it
    second.close()
    assert contents(home) == {OTHER}, "of what cannot be read it is not known what it names"


def test_young_contents_stay_since_another_window_may_be_about_to_name_them(tmp_path):
    files = ContentFiles(tmp_path / "explorer")
    files.write({KEY, OTHER}, lambda key: key.encode())
    files.remove_unnamed(set())
    assert files.read(KEY) == KEY.encode() and content_files.YOUNG_S > 60
    os.utime(files.folder / KEY, (1e9, 1e9))
    os.utime(files.folder / OTHER, (1e9, 1e9))
    ContentFiles(files.folder).write({KEY}, lambda key: key.encode())  # needed again, by another window
    files.remove_unnamed(set())
    assert files.read(KEY) == KEY.encode() and files.read(OTHER) is None


@pytest.mark.parametrize("there", [b"", b"half", None])
def test_contents_that_are_damaged_on_disk_are_written_again(tmp_path, there):
    files = ContentFiles(tmp_path / "explorer")
    files.folder.mkdir()
    (files.folder / KEY).mkdir() if there is None else (files.folder / KEY).write_bytes(there)
    files.write({KEY}, lambda _key: b"whole")
    assert files.read(KEY) == b"whole"


class Disk:
    """A disk that can be full, or be written by nobody."""

    def __init__(self, monkeypatch) -> None:
        self.error = 0
        real = atomic.os.open

        def guarded(path, flags, *args, **more):
            if self.error and flags & os.O_CREAT and ".part" in str(path):
                raise OSError(self.error, os.strerror(self.error), str(path))
            return real(path, flags, *args, **more)

        monkeypatch.setattr(atomic.os, "open", guarded)


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "cannot be written"),
                                               (errno.EACCES, "cannot be written"), (errno.EIO, "cannot be written")])
def test_the_first_save_that_fails_is_said_until_one_works(make_window, monkeypatch, number, words):
    window, disk = make_window(), Disk(monkeypatch)
    assert window.session.save() and not window.banners.lasting["session"].sentence
    said = []
    window.session.problem.connect(said.append)
    disk.error = number
    for value in range(3):
        window.current.set_number(value + 1)
        assert not window.session.save()
    banner = window.banners.lasting["session"]
    assert words in banner.sentence and banner.act_button.text() == "Save session…" and len(said) == 1
    window.notify("Something else.")
    window.notify("Something else.", kind="notice")
    assert words in banner.sentence, "no other message takes its place"
    disk.error = 0
    assert window.session.save() and banner.sentence == "" and said[1:] == [""]
    window.close()
    window = make_window()
    assert window.current.history.state.number == 3


def test_it_is_tried_again_although_nothing_changes(make_window, qtbot, monkeypatch):
    monkeypatch.setattr("flow_explorer.shell.session.AGAIN_MS", 20)
    window, disk = make_window(), Disk(monkeypatch)
    window.session._timer.setInterval(20)
    disk.error = errno.ENOSPC
    window.current.set_number(4)
    qtbot.waitUntil(lambda: bool(window.banners.lasting["session"].sentence))
    disk.error = 0
    qtbot.waitUntil(lambda: not window.banners.lasting["session"].sentence)


def test_a_close_that_would_lose_work_is_said_first_and_a_signal_closes_all_the_same(make_window, monkeypatch):
    window, disk = make_window(), Disk(monkeypatch)
    window.current.set_number(2)
    disk.error = errno.ENOSPC
    window.quit()
    assert window.isVisible()
    assert "Close again" in window.banners.lasting["session"].sentence
    disk.error = 0
    assert window.close()
    again = make_window()
    assert again.current.history.state.number == 2
    disk.error = errno.ENOSPC
    again.current.set_number(3)
    again.quit()
    again.quit()
    assert not again.isVisible(), "who has been told is not asked again"
    last = make_window()
    last.current.set_number(4)
    last.close()
    assert not last.isVisible(), "a signal asks nothing"


def test_pictures_that_cannot_be_written_are_said_and_the_settings_are_kept(make_window, monkeypatch):
    window = make_window()

    def keep() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(window.current, "keep_contents", keep)
    window.current.set_number(6)
    assert not window.session.save() and "disk is full" in window.banners.lasting["session"].sentence
    assert json.loads(window.session.path.read_text())["workspaces"]["counter"] == {"number": 6}


@pytest.mark.parametrize("what", ["file", "dangling"])
def test_a_state_folder_that_cannot_be_made_is_said(make_window, home, what):
    home.mkdir()
    if what == "file":
        (home / "state").write_text("not a folder")
    else:
        (home / "state").symlink_to(home / "nowhere" / "state")
        (home / "nowhere").write_text("")
    window = make_window()
    window.current.add()
    assert not window.session.save()
    assert "cannot be written" in window.banners.lasting["session"].sentence
    window.close()


def test_the_name_of_a_file_that_is_no_unicode_does_not_stop_the_session(qapp, home):
    session = WindowSession()
    session.states["counter"] = {"name": "caf\udce9.png"}
    assert session.close()
    assert WindowSession().states == {"counter": {"name": "caf\udce9.png"}}


def test_contents_of_every_kind_are_looked_after():
    assert all(kept_files.KEY.fullmatch(letter + "0" * 32) for letter in "pzt") and set(CONTENTS) == {"explorer", "toylab"}
    assert time.time() > 1e9 + content_files.YOUNG_S


def test_a_picture_that_is_gone_is_said_and_the_session_that_names_it_is_kept(qtbot, home):
    import shutil
    from pathlib import Path

    from flow_explorer.engine.client import EngineClient
    from flow_explorer.main_window import MainWindow
    from flow_explorer.settings import Settings
    from flow_explorer.workspace import REGISTRY

    shutil.copytree(Path(__file__).parents[2] / "fixtures" / "853f5d9" / "session", home / "state")
    path = home / "state" / "session.json"
    text = path.read_text()
    key = json.loads(text)["workspaces"]["explorer"]["a"]["picture"]
    (home / "state" / "explorer" / key).write_bytes(b"")
    entries = [entry for entry in REGISTRY if entry.id == "explorer"]
    window = MainWindow(EngineClient(), Settings(), WindowSession(), entries=entries)
    qtbot.addWidget(window)
    window.show()
    window.begin("explorer")
    (kept,) = path.parent.glob("session-kept*.json")
    said = window.banners.notice.sentence + window.banners.notice.details
    assert "The picture in A cannot be found" in said and str(kept) in said and kept.read_text() == text
    explorer = window.current
    assert isinstance(explorer, ExplorerWorkspace)
    qtbot.waitUntil(lambda: explorer.controller.started)
    assert explorer.history.state.a.empty
    window.close()
    for workspace in window.workspaces.values():
        workspace.setParent(window)
        workspace.hide()
