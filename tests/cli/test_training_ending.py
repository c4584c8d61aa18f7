"""Work that goes on or is saved whatever ends: the terminal, the reader of stderr, the process; and a run is one process's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flow_explorer.training.process_record import end_now, read_process_record, request_stop
from flowcore.folder_lock import is_locked
from flowcore.model.card import read_card

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and terminals are other things on Windows")


def options(pictures: Path, run: Path, *more: object) -> list[str]:
    tiny = ("--size", 16, "--architecture", "glow", "--preset", "tiny", "--batch", 8, "--device", "cpu")
    return [str(part) for part in ("train", "--data", pictures, *tiny, "--out", run, *more)]


def start(arguments: list[str], **how: Any) -> subprocess.Popen:
    paths = os.pathsep.join([str(ROOT / "app"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-P", "-m", "flow_explorer", *arguments], env=environment, **how)


def until(what: Callable[[], object], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 90
    while not what() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    assert what()


def logged(run: Path) -> int:
    lines = (run / "metrics.jsonl").read_text().splitlines() if (run / "metrics.jsonl").exists() else []
    return json.loads(lines[-1])["step"] if lines else 0


def test_a_run_is_one_processs_until_that_is_gone(cli, refused, picture_folder, tmp_path):
    run = tmp_path / "run"
    process = start(options(picture_folder, run, "--steps", 10**6, "--checkpoint-every", 5), stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: logged(run) and (run / "last.safetensors").exists(), process)
        before = read_process_record(run)
        assert before.pid == process.pid and before.is_live
        for more in (["--resume"], ["--resume", "--steps", 5], ["--resume", "--stop-at", 1]):
            assert f"number {process.pid}) trains in" in refused(*options(picture_folder, run, *more))
        assert read_process_record(run) == before and process.poll() is None
        process.kill()
        process.communicate()
        assert not is_locked(run) and not read_process_record(run).is_live and read_process_record(run).outcome == ""
        step = read_card(run / "last.safetensors")["steps"]
        # Its number belongs to another program by now: this one, which trains nothing.
        values = json.loads((run / "process.json").read_text())
        (run / "process.json").write_text(json.dumps({**values, "pid": os.getpid(), "born": None}))
        assert not read_process_record(run).is_live
        assert cli(*options(picture_folder, run, "--resume", "--stop-at", step + 2)).code == 0
        assert logged(run) == step + 2 and read_process_record(run).outcome == "done"
    finally:
        process.kill()
        process.wait()


def test_a_wish_by_file_saves_and_ends_or_ends_at_once(cli, picture_folder, tmp_path):
    run = tmp_path / "run"
    process = start(options(picture_folder, run, "--steps", 10**6), stderr=subprocess.PIPE, text=True)
    until(lambda: logged(run), process)
    request_stop(run)
    assert process.wait(60) == 0 and read_process_record(run).outcome == "stopped"
    process.communicate()
    step = logged(run)
    assert read_card(run / "last.safetensors")["steps"] == step
    process = start(options(picture_folder, run, "--resume"), stderr=subprocess.PIPE, text=True)
    until(lambda: logged(run) > step, process)
    end_now(run)
    assert process.wait(60) == 137 and read_process_record(run).outcome == "stopped" and not read_process_record(run).is_live
    process.communicate()
    assert read_card(run / "last.safetensors")["steps"] == step


def test_a_closed_terminal_saves_what_was_learned(picture_folder, tmp_path):
    """A real one, whose other end goes away: the system sends SIGHUP, and every word to it is an error."""
    import fcntl
    import termios

    run, (ours, theirs) = tmp_path / "run", os.openpty()

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "preexec_fn": own_terminal}
    process = start(options(picture_folder, run, "--steps", 10**6), **streams)
    os.close(theirs)
    until(lambda: logged(run), process)
    os.close(ours)
    assert process.wait(60) == 129
    assert read_card(run / "last.safetensors")["steps"] == logged(run) and read_process_record(run).outcome == "stopped"


def test_one_that_outlives_its_terminal_trains_to_the_end(picture_folder, tmp_path):
    """As nohup starts it: SIGHUP is ignored, and there is nobody to read what it says."""
    run, (ours, theirs) = tmp_path / "run", os.openpty()
    process = start(
        options(picture_folder, run, "--steps", 60, "--evaluate-every", 20), stdout=theirs, stderr=theirs,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    os.close(theirs)
    until(lambda: is_locked(run), process)
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    assert process.wait(90) == 0
    assert logged(run) == 60 and read_process_record(run).outcome == "done"


def test_a_reader_of_stderr_that_goes_away_ends_no_training(picture_folder, tmp_path):
    run = tmp_path / "run"
    process = start(options(picture_folder, run, "--steps", 30, "--json"), stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stderr.close()
    process.stdout.close()
    assert process.wait(90) == 141  # the figures found no reader
    assert logged(run) == 30 and read_process_record(run).outcome == "done"


@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGKILL", -9)])
def test_a_toy_that_is_ended_leaves_nothing_behind(tmp_path, number, code):
    curves = tmp_path / "curve.csv"
    process = start(["toy", "two-moons", "--steps", "9999999", "--out", str(tmp_path / "a.png"), "--curves", str(curves)],
                    stderr=subprocess.PIPE)  # fmt: skip
    until(lambda: "libtorch_cpu" in Path(f"/proc/{process.pid}/maps").read_text(), process)
    time.sleep(1.5)
    assert process.poll() is None and list(tmp_path.iterdir()) == []
    process.send_signal(getattr(signal, number))
    _, words = process.communicate(timeout=60)
    # In the middle of an import Python ends itself by the signal, which a shell counts the same.
    assert process.returncode == code and b"Traceback" not in words, words
    assert list(tmp_path.iterdir()) == []


def test_other_pictures_are_told_of(cli, picture_folder, tmp_path):
    run = tmp_path / "run"
    files = sorted((picture_folder / "train").glob("*.png"))

    def go_on(step: int) -> str:
        ran = cli(*options(picture_folder, run, *(["--resume"] if run.exists() else ["--steps", 40]), "--stop-at", step))
        assert ran.code == 0, ran.err
        return ran.err

    assert "data has changed" not in go_on(2) and "data has changed" not in go_on(4)
    os.utime(files[0])  # the same bytes
    assert "data has changed" not in go_on(6)
    Image.fromarray(255 - np.asarray(Image.open(files[7]))).save(files[7])
    assert "The data has changed since this run was stopped (as many, but others)" in go_on(8)
    assert "data has changed" not in go_on(10)
    files[3].unlink()
    told = go_on(12)
    assert "The data has changed since this run was stopped (" in told and " where there were " in told
    config = json.loads((run / "config.json").read_text())
    del config["data"]["seen"]  # a run of before
    (run / "config.json").write_text(json.dumps(config))
    assert "data has changed" not in go_on(14) and "seen" in json.loads((run / "config.json").read_text())["data"]
