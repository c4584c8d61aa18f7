"""Whatever stands in settings.json, the window opens, closes, and keeps what is set from then on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flow_explorer import i18n, settings, startup, theme
from flow_explorer.child_process import python_path
from flow_explorer.settings import Settings

DRIVER = Path(__file__).resolve().parent / "driver_run.py"
KNOWN = ("theme", "language", "device", "inspector.shown", "explorer.whole_pixels", "explorer.deeper", "explorer.recent_models",
         "hint.counter.seen", "session.folder", "explorer.picture_folder", "explorer.save_folder", "fold.training")  # fmt: skip
ODD = ['"mauve"', '""', "NaN", "-Infinity", "1e999", '"\\ud800"', '"\\udcff"', '"a\\u0000b"', "null", "true", "[]", "{}", "-1",
       "1" + "0" * 400, "[" * 500 + "]" * 500, json.dumps("x" * 100_000),
       '["\\ud800", "a\\u0000b", 3, null]', json.dumps(["x" * 5000] * 50),
       '"../../etc/passwd"', '"--help"', '"-1"', '"cuda:99999999"']  # fmt: skip


def put(home: Path, data: str | bytes) -> Path:
    path = home / "config" / "settings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def run(home: Path, **plan: object) -> dict:
    environment = {**os.environ, "FLOW_EXPLORER_HOME": str(home), "PYTHONPATH": python_path(), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, str(DRIVER), json.dumps({"do": ["add", "see", "close"], "args": {}, **plan})],
                          capture_output=True, text=True, env=environment, timeout=90, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("number", range(len(ODD)))
def test_odd_values_of_every_setting_cost_that_setting_alone(make_window, home, qapp, number):
    values = ", ".join(f'"{name}": {ODD[number]}' for name in KNOWN)
    put(home, f'{{"version": 1, "values": {{{values}, "mine": 7}}}}')
    found = Settings()
    assert found.get("mine") == 7 and found.said == ""
    wanted = found.get("theme", "system")
    theme.apply(qapp, wanted if wanted in theme.CHOICES else "system")
    assert i18n.load(found.get("language", "en"), Path(__file__).parent) is False
    assert startup._device(found) is None
    window = make_window()
    window.toggle_inspector()
    window.settings.set("after", 1)
    assert window.settings.save()
    again = Settings()
    assert (again.get("after"), again.get("mine")) == (1, 7)
    theme.apply(qapp, "light")


@pytest.mark.parametrize("theme_value", ['"mauve"', "NaN", '"\\ud800"', "[1]"])
def test_the_program_starts_with_them(home, theme_value):
    put(home, f'{{"version": 1, "values": {{"theme": {theme_value}, "language": {theme_value}, "device": {theme_value}}}}}')
    assert run(home)["number"] == 1


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", bytes(3000), b"[" * 100_000,
                                  b'{"version": 2, "values": {"a": 1}}',
                                  b'{"version": 1, "values": []}', b'{"version": NaN}', b"7" * 5000])
def test_a_file_of_another_kind_is_kept_and_said(make_window, home, data):
    path = put(home, data)
    window = make_window()
    (kept,) = path.parent.glob("settings-kept-*.json")
    assert kept.read_bytes() == data and str(kept) in window.banners.notice.sentence + window.banners.notice.details
    window.settings.set("mine", 1)
    assert Settings().get("mine") == 1 and Settings().said == ""


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
@pytest.mark.parametrize("what", ["pipe", "folder", "loop", "zeros"])
def test_what_is_no_file_at_all_holds_nothing_up(home, what):
    path = put(home, "")
    path.unlink()
    {"pipe": lambda: os.mkfifo(path), "folder": path.mkdir, "loop": lambda: path.symlink_to(path),
     "zeros": lambda: path.symlink_to("/dev/zero")}[what]()  # fmt: skip
    found = Settings()
    found.set("mine", 2)
    assert Settings().get("mine") == 2 and found.said


def test_values_that_no_file_can_hold_do_not_stop_the_others(home):
    found = Settings()
    for odd in (float("nan"), {1, 2}, "\ud800", object()):
        found.set("odd", odd)
    found.set("fine", "yes")
    assert found.save() and Settings().get("fine") == "yes" and Settings().get("odd") is None


def test_the_name_of_a_folder_that_is_no_unicode_is_kept(home):
    Settings().set("session.folder", "caf\udce9")
    assert Settings().get("session.folder", "") == "caf\udce9"


def test_two_windows_write_what_was_changed_in_each(home):
    one, two = Settings(), Settings()
    one.set("a", 1)
    two.set("b", 2)
    one.set("c", 3)
    assert [Settings().get(name) for name in "abc"] == [1, 2, 3]
    assert settings.MAX_BYTES > 2**20 and time.time() > 0
