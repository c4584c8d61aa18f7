"""Who trains in a run folder, as the folder tells it; and that nobody is harmed by what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flow_explorer.training.process_record import (
    STOP,
    ProcessRecord,
    at_work,
    end_now,
    is_alive,
    read_process_record,
    request_stop,
    stop_requested,
    write_process_record,
)
from flowcore.errors import ConfigError, DataError
from flowcore.folder_lock import FolderLock

ROOT = Path(__file__).resolve().parents[3]


def test_a_process_that_ends_well_says_so(tmp_path):
    with at_work(tmp_path, "pictures") as work:
        here = read_process_record(tmp_path)
        assert here.pid == os.getpid() and here.is_live and here.data == os.path.abspath("pictures")
        work.stopped = True
    assert read_process_record(tmp_path).outcome == "stopped" and not read_process_record(tmp_path).is_live


def test_a_process_that_fails_leaves_its_sentence(tmp_path):
    with pytest.raises(DataError), at_work(tmp_path):
        raise DataError("The disk is full.")
    assert read_process_record(tmp_path).outcome == "failed" and read_process_record(tmp_path).sentence == "The disk is full."


def test_a_folder_that_goes_away_is_not_made_again(tmp_path):
    folder = tmp_path / "run"
    with at_work(folder):
        assert not folder.exists()  # nothing is left behind where the data cannot even be read
    with at_work(folder) as work:
        work.begin()
        assert read_process_record(folder).is_live
        shutil.rmtree(folder)
    assert not folder.exists()


def test_a_second_process_is_refused_and_says_nothing_of_the_first(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from flow_explorer.training.process_record import at_work\n"
        "with at_work(Path(sys.argv[1]), 'x'):\n    print('at work', flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "app"), str(ROOT)])}
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, env=environment)
    try:
        assert child.stdout.readline() == b"at work\n"
        before = (tmp_path / "process.json").read_bytes()
        with pytest.raises(ConfigError, match=f"number {child.pid}"), at_work(tmp_path):
            raise AssertionError("it may not begin")
        assert (tmp_path / "process.json").read_bytes() == before and read_process_record(tmp_path).is_live
        # Without its file it is at work all the same.
        (tmp_path / "process.json").unlink()
        assert read_process_record(tmp_path).is_live
        end_now(tmp_path)
        assert child.wait(20) == 137
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert not read_process_record(tmp_path).is_live and read_process_record(tmp_path).outcome == "stopped"
    with at_work(tmp_path):  # a wish of before is none of this one's
        time.sleep(0.5)
        assert not (tmp_path / STOP).exists()


@pytest.mark.parametrize("host", ["", "here"])
def test_no_process_is_ended_because_a_file_names_it(tmp_path, host):
    """Of the person, and alive, and born when the file says: and no training."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with at_work(tmp_path):
            mine = json.loads((tmp_path / "process.json").read_text())
        told = Path(f"/proc/{child.pid}/stat")
        born = float(told.read_text().rpartition(")")[2].split()[19]) if told.exists() else None
        for since in (0.0, time.time(), time.time() - 60, time.time() + 10**6):
            write_process_record(tmp_path, ProcessRecord(child.pid, mine["host"] if host else "", born, since))
            found = read_process_record(tmp_path)
            # For half a minute it may be what the window has just started.
            assert found.pid == child.pid and found.is_live == (not host and abs(time.time() - since) < 10)
            request_stop(tmp_path)
            assert stop_requested(tmp_path)
            end_now(tmp_path)
            assert not stop_requested(tmp_path)
        time.sleep(0.5)
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_a_wish_ends_what_has_not_taken_a_step_and_is_left_to_the_steps_after(tmp_path):
    with pytest.raises(KeyboardInterrupt), at_work(tmp_path):
        request_stop(tmp_path)
        time.sleep(20)
        raise AssertionError("reading goes on")
    assert read_process_record(tmp_path).outcome == "stopped"
    with at_work(tmp_path) as work:
        work.stepping = True
        request_stop(tmp_path)
        time.sleep(0.6)
        assert stop_requested(tmp_path)


def test_what_the_window_has_just_started_may_be_stopped_before_it_begins(tmp_path):
    write_process_record(tmp_path, ProcessRecord(since=time.time()))
    assert read_process_record(tmp_path).is_live
    request_stop(tmp_path)
    with pytest.raises(KeyboardInterrupt), at_work(tmp_path):
        time.sleep(20)
    write_process_record(tmp_path, ProcessRecord(since=time.time() - 60))
    assert not read_process_record(tmp_path).is_live


def test_a_wish_writes_nothing_where_a_link_points_to(tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("my words")
    run = tmp_path / "run"
    run.mkdir()
    (run / STOP).symlink_to(mine)
    (run / "process.json").symlink_to(mine)
    assert not stop_requested(run) and read_process_record(run) is None
    end_now(run)
    write_process_record(run, ProcessRecord(outcome="done"))
    assert mine.read_text() == "my words" and read_process_record(run).outcome == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_number_is_one_process_only_while_it_was_born_then():
    assert is_alive(os.getpid()) and not is_alive(os.getpid(), 1.0)
    odd: tuple[Any, ...] = (0, -1, -(10**30), 10**30, 2**31, 2**64, True, False, None, "1", 1.0)
    for number in odd:
        assert not is_alive(number), number


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": "x", "outcome": 3, "since": null}', '{"pid": true}', '{"pid": -1}',
                                  '{"pid": 1e30}', f'{{"pid": {10**400}, "since": {10**400}, "born": {10**400}}}',
                                  '{"since": NaN, "born": Infinity}', '{"held": true}', "[" * 100_000, " " * 10**6])  # fmt: skip
def test_a_damaged_file_says_nothing(tmp_path, text):
    (tmp_path / "process.json").write_text(text)
    found = read_process_record(tmp_path)
    assert found is None or found == ProcessRecord()


def test_a_sentence_of_a_file_is_one_line(tmp_path):
    write_process_record(tmp_path, replace(ProcessRecord(), outcome="failed", sentence="a\n\x1b[2J" + "b" * 10**4))
    sentence = read_process_record(tmp_path).sentence
    assert sentence.startswith(r"a \x1b[2Jbbb") and len(sentence) <= 300


def test_the_lock_alone_says_that_somebody_is_at_work(tmp_path):
    with FolderLock(tmp_path):
        write_process_record(tmp_path, ProcessRecord(2**31 - 1, "elsewhere", outcome="done"))
        assert read_process_record(tmp_path).is_live
    assert not read_process_record(tmp_path).is_live
