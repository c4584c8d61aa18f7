"""Who trains in a run folder, as the folder tells it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from flow_explorer.training.presence import (
    Presence,
    at_work,
    is_alive,
    read_presence,
    request_stop,
    stop_requested,
    write_presence,
)
from flowcore.errors import DataError


def test_a_process_that_ends_well_says_so(tmp_path):
    with at_work(tmp_path, "pictures") as work:
        here = read_presence(tmp_path)
        assert here.pid == os.getpid() and here.is_live and here.data == os.path.abspath("pictures")
        work.stopped = True
    assert read_presence(tmp_path).outcome == "stopped" and not read_presence(tmp_path).is_live


def test_a_process_that_fails_leaves_its_sentence(tmp_path):
    with pytest.raises(DataError), at_work(tmp_path):
        raise DataError("The disk is full.")
    assert read_presence(tmp_path).outcome == "failed" and read_presence(tmp_path).sentence == "The disk is full."


def test_a_folder_that_goes_away_is_not_made_again(tmp_path):
    folder = tmp_path / "run"
    with at_work(folder):
        assert not folder.exists()  # nothing is left behind where the data cannot even be read
    with at_work(folder) as work:
        work.begin()
        assert read_presence(folder).is_live
        (folder / "process.json").unlink()
        folder.rmdir()
    assert not folder.exists()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_process_is_known_to_be_gone_and_its_number_is_not_enough(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert is_alive(child.pid)
        write_presence(tmp_path, Presence(child.pid, born=1.0))
        if sys.platform == "linux":
            assert not read_presence(tmp_path).is_live  # another process has taken the number
        write_presence(tmp_path, Presence(child.pid))
        assert read_presence(tmp_path).is_live
        request_stop(tmp_path, read_presence(tmp_path))
        assert child.wait(10) == -signal.SIGTERM and not stop_requested(tmp_path)
        assert not read_presence(tmp_path).is_live
        request_stop(tmp_path, read_presence(tmp_path))  # nobody is there to hear a signal
        assert stop_requested(tmp_path)
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": "x", "outcome": 3, "since": null}'])
def test_a_damaged_file_says_nothing(tmp_path, text):
    (tmp_path / "process.json").write_text(text)
    found = read_presence(tmp_path)
    assert found is None or found == Presence()
