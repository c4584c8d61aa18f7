"""Where no window can open, a sentence says why and what works all the same."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from flow_explorer import display

ROOT = Path(__file__).resolve().parents[2]


def test_without_a_display_the_headless_commands_are_named():
    sentence = display.missing_display({}, "linux")
    assert sentence is not None and "no display" in sentence and "flow-explorer sample" in sentence and sentence.count(". ") == 0


@pytest.mark.parametrize(
    ("environment", "platform"),
    [({"WAYLAND_DISPLAY": "wayland-0"}, "linux"), ({"QT_QPA_PLATFORM": "offscreen"}, "linux"), ({}, "darwin"), ({}, "win32"),
     ({"DISPLAY": "far.example:0"}, "linux")],
)  # fmt: skip
def test_where_a_window_may_open(environment, platform):
    assert display.missing_display(environment, platform) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11's abstract sockets are Linux's")
def test_a_display_that_does_not_answer_is_told_from_one_that_does():
    number = 400 + os.getpid() % 500
    assert "does not answer" in (display.missing_display({"DISPLAY": f":{number}"}, "linux") or "")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0/tmp/.X11-unix/X{number}")
        server.listen()
        assert display.missing_display({"DISPLAY": f":{number}.0"}, "linux") is None


def test_a_missing_library_is_named_with_its_package():
    sentence = display._explain("libEGL.so.1: cannot open shared object file: No such file or directory")
    assert "libEGL.so.1" in sentence and "apt-get install libegl1" in sentence


def test_an_unknown_library_is_named_all_the_same():
    assert "libodd.so.7" in display._explain("libodd.so.7: cannot open shared object file: No such file or directory")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="plugins of other systems load otherwise")
def test_qt_and_the_offscreen_plugin_load_here():
    done = subprocess.run([sys.executable, "-m", "flow_explorer.display"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_window_without_a_display_ends_with_2_and_one_sentence():
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    if not sys.platform.startswith("linux"):
        pytest.skip("only X11 and Wayland can be missing")
    done = subprocess.run(
        [sys.executable, "-m", "flow_explorer"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "flow-explorer sample" in done.stderr
