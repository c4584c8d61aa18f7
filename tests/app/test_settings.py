"""Preferences, session and translations: kept, forgiving, atomic."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from flow_explorer import i18n
from flow_explorer.settings import Settings, read_json, write_json
from flow_explorer.shell.session import WindowSession


def test_a_value_is_there_the_next_time(home):
    Settings().set("theme", "dark")
    assert Settings().get("theme", "system") == "dark"
    assert (home / "config" / "settings.json").is_file()


def test_a_value_of_another_type_counts_as_missing():
    settings = Settings()
    settings.set("inspector.shown", "yes")
    assert settings.get("inspector.shown", True) is True
    assert settings.get("nothing") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99, "values": {"theme": "dark"}}', "\udcff"])
def test_an_odd_file_counts_as_empty(home, text):
    path = home / "config" / "settings.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert Settings().get("theme", "system") == "system"


def test_listeners_hear_of_changes_only():
    settings, heard = Settings(), []
    settings.listen(heard.append)
    settings.set("a", 1)
    settings.set("a", 1)
    assert heard == ["a"]


def test_a_folder_that_cannot_be_made_costs_the_preference_alone(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    settings = Settings(blocked / "settings.json")
    settings.set("theme", "dark")
    assert settings.get("theme", "system") == "dark" and not settings.save()


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})
    assert read_json(path) == {"a": 1}
    assert os.listdir(tmp_path) == ["x.json"]


def test_the_session_comes_back(qapp):
    session = WindowSession()
    session.states["explorer"] = {"seed": 4}
    session.workspace = "explorer"
    session.close()
    again = WindowSession()
    assert (again.workspace, again.states, again.crashed) == ("explorer", {"explorer": {"seed": 4}}, False)


def test_touch_saves_soon_and_steady_changes_too(qapp, qtbot):
    session, count = WindowSession(), []
    session._timer.setInterval(40)
    session.collect = lambda: count.append(1)
    for _ in range(12):
        session.touch()
        qtbot.wait(20)
    assert 3 <= len(count) <= 8
    assert session.path.is_file()


def test_a_run_that_did_not_end_well_is_noticed(qapp):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    session = WindowSession()
    session.save()
    stored = json.loads(session.path.read_text())
    stored["running"] = gone.pid
    session.path.write_text(json.dumps(stored))
    session.release()
    again = WindowSession()
    assert again.crashed
    again.close()
    assert not WindowSession().crashed


def test_without_keep_nothing_is_read_or_written(qapp):
    WindowSession().save()
    before = WindowSession().path.stat().st_mtime_ns
    session = WindowSession(keep=False)
    assert session.save() is False and session.states == {}
    assert session.path.stat().st_mtime_ns == before


def test_a_state_that_json_cannot_hold_is_refused_quietly(qapp):
    session = WindowSession()
    session.states["explorer"] = {"bad": object()}
    assert session.save() is False and "JSON" in session.trouble


def test_tr_falls_back_to_english_and_fills_in(tmp_path):
    (tmp_path / "zh.json").write_text(json.dumps({"Save {name}": "保存 {name}", "": "x"}), encoding="utf-8")
    try:
        assert i18n.load("zh", tmp_path)
        assert i18n.tr("Save {name}", name="a") == "保存 a"
        assert i18n.tr("Undo") == "Undo"
        assert i18n.plural(1, "one", "{count} many") == "one"
        assert i18n.plural(1200, "one", "{count} many") == "1,200 many"
    finally:
        assert not i18n.load("xx", tmp_path)
    assert i18n.language() == "en" and i18n.tr("Save {name}", name="a") == "Save a"
