"""One process at a time holds a folder, however the one before it ended, and whatever a file says."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from flowcore import folder_lock
from flowcore.errors import ConfigError
from flowcore.folder_lock import FILE, FolderLock, is_locked

ROOT = Path(__file__).resolve().parents[2]
HOLD = (
    "import sys, time; from flowcore.folder_lock import FolderLock\n"
    "FolderLock(sys.argv[1]).take(); print('held', flush=True); time.sleep(60)"
)


def holder(folder: Path) -> subprocess.Popen:
    """Another process that holds it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, env=environment)
    assert process.stdout.readline() == b"held\n"
    return process


def test_another_process_is_refused_until_this_one_lets_go_or_is_killed(tmp_path):
    process = holder(tmp_path)
    try:
        assert is_locked(tmp_path)
        lock = FolderLock(tmp_path)
        with pytest.raises(ConfigError, match=rf"number {process.pid}\) trains in .* already"):
            lock.take()
        assert not lock.held and is_locked(tmp_path)
    finally:
        process.kill()
        process.communicate()
    assert not is_locked(tmp_path) and (tmp_path / FILE).read_text()  # what it says is of no account
    with FolderLock(tmp_path) as lock:
        assert lock.held and is_locked(tmp_path)
    assert not is_locked(tmp_path) and (tmp_path / FILE).read_text() == ""


def test_looking_never_keeps_anybody_from_taking_it(tmp_path):
    over, seen = threading.Event(), []
    with FolderLock(tmp_path):
        pass
    looker = threading.Thread(target=lambda: [seen.append(is_locked(tmp_path)) for _ in iter(over.is_set, True)])
    looker.start()
    try:
        for _ in range(50):
            with FolderLock(tmp_path) as lock:
                assert lock.held
    finally:
        over.set()
        looker.join()
    assert True in seen


@pytest.mark.skipif(os.name != "posix", reason="a second handle of one process is refused on Windows")
def test_the_same_thread_may_take_it_again_and_another_may_not(tmp_path):
    outer, inner, told = FolderLock(tmp_path), FolderLock(tmp_path / "." / ""), []
    with outer:
        with inner:
            assert inner.held

        def other() -> None:
            try:
                FolderLock(tmp_path).take()
            except ConfigError as error:
                told.append(str(error))

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert is_locked(tmp_path) and len(told) == 1
    assert not is_locked(tmp_path)


def test_what_is_no_file_is_neither_waited_for_nor_followed(tmp_path):
    assert not is_locked(tmp_path / "absent")
    elsewhere = tmp_path / "mine"
    elsewhere.write_text("my words")
    for make in (lambda path: os.mkfifo(path), lambda path: path.mkdir(), lambda path: path.symlink_to(elsewhere)):
        folder = tmp_path / "run"
        folder.mkdir()
        make(folder / FILE)
        assert not is_locked(folder)
        with FolderLock(folder):
            pass
        shutil.rmtree(folder)
    assert elsewhere.read_text() == "my words"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"pid": true, "host": "x"}', '{"pid": -1, "host": "x"}', '{"pid": 1e400, "host": "x"}',
     '{"pid": 1, "host": 2}', "x" * 100_000, "[" * 900],
)  # fmt: skip
def test_a_file_that_says_anything_is_taken(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert not is_locked(tmp_path)
    with FolderLock(tmp_path) as lock:
        assert lock.held


@pytest.mark.parametrize("works", [True, False])
def test_another_machines_run_is_held_while_it_gives_signs_of_life(tmp_path, monkeypatch, works):
    """As on a network disk whose locks end at the machine: the lock itself is free."""
    monkeypatch.setattr(folder_lock, "BEAT", 0.4)
    monkeypatch.setattr(folder_lock, "_LOOK", 0.05)
    path, over, told = tmp_path / FILE, threading.Event(), []
    path.write_text(json.dumps({"pid": 7, "host": f"not-{socket.gethostname()}"}))
    assert is_locked(tmp_path)

    def beat() -> None:
        while not over.wait(0.2):
            os.utime(path)

    thread = threading.Thread(target=beat)
    if works:
        thread.start()
    try:
        lock = FolderLock(tmp_path)
        if works:
            with pytest.raises(ConfigError, match="number 7 on not-"):
                lock.take(told.append)
        else:  # a copy of its folder, or one that was killed
            lock.take(told.append)
            assert lock.held
            lock.release()
    finally:
        over.set()
        if works:
            thread.join()
    assert len(told) == 1 and "left no word" in told[0]


def test_a_copy_of_long_ago_is_taken_at_once(tmp_path):
    (tmp_path / FILE).write_text(json.dumps({"pid": 7, "host": "elsewhere"}))
    os.utime(tmp_path / FILE, (time.time() - 1000, time.time() - 1000))
    assert not is_locked(tmp_path)
    told = []
    lock = FolderLock(tmp_path)
    lock.take(told.append)
    assert lock.held and told == []
    lock.release()


def test_a_folder_that_is_removed_meanwhile_is_let_go_of(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with FolderLock(folder):
        shutil.rmtree(folder)
    assert not folder.exists() and not is_locked(folder)
