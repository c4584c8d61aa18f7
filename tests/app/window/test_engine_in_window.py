"""The engine as the window shows it: live dot, a kill, a device that is chosen."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from PySide6.QtTest import QSignalSpy

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX has it")


def test_a_killed_engine_is_told_of_and_comes_back(make_window, qtbot):
    window = make_window(start=True)
    chip, workspace = window.topbar.device, window.current
    assert chip.texts[0] == "Starting…" and chip.dot == "faint"
    with qtbot.waitSignal(window.engine.ready, timeout=60_000):
        pass
    assert chip.texts[0].startswith("CPU") and chip.dot == "good"
    assert workspace.calls.count("ready") == 1 and window.is_idle()

    workspace.add()
    restarted = QSignalSpy(window.engine.restarted)
    os.kill(window.engine.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: "stopped" in window.banners.notice.sentence, timeout=10_000)
    assert chip.dot == "warning" and not window.is_idle()
    with qtbot.waitSignal(window.engine.ready, timeout=60_000):
        pass
    assert restarted.count() == 1 and workspace.calls.count("restarted") == 1
    assert workspace.calls.count("ready") == 1
    assert chip.dot == "good" and workspace.history.state.number == 1


def test_devices_are_offered_and_the_choice_is_kept(make_window, qtbot):
    window = make_window(start=True)
    menu = window.topbar.device.menu()
    menu.aboutToShow.emit()
    assert not menu.actions()[0].isEnabled()  # still starting
    with qtbot.waitSignal(window.engine.ready, timeout=60_000):
        pass
    menu.aboutToShow.emit()
    titles = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert titles == [*(device["title"] for device in window.engine.devices), "Restart the engine"]
    assert [action.isChecked() for action in menu.actions()].count(True) == 1
    menu.actions()[0].trigger()
    assert window.settings.get("device", "") == window.engine.devices[0]["id"]


def test_an_engine_that_gave_up_can_be_started_from_the_chip(make_window):
    window = make_window()
    chip = window.topbar.device
    assert chip.texts[0] == "Engine stopped" and chip.dot == "warning"
    chip.menu().aboutToShow.emit()
    (action,) = chip.menu().actions()
    action.trigger()
    assert window.engine.state == "starting" and chip.texts[0] == "Starting…"


def test_an_engine_that_does_not_answer_is_told_of_with_a_button_that_restarts_it(make_window, qtbot, monkeypatch):
    from flow_explorer.engine import watchdog
    from flow_explorer.engine.requests.toykeep import CheckToy

    monkeypatch.setattr(watchdog, "BEAT_MS", 200)
    window = make_window(start=True)
    with qtbot.waitSignal(window.engine.ready, timeout=60_000):
        pass
    old, banner = window.engine.pid, window.banners.lasting["engine"]
    os.kill(old, signal.SIGSTOP)
    window.engine.send(CheckToy({}, np.zeros(4, np.uint8)))
    qtbot.waitUntil(lambda: "does not answer" in banner.sentence, timeout=60_000)
    assert window.topbar.device.texts[0] == "No answer" and window.topbar.device.dot == "warning"
    window.notify("Something else.")
    assert banner.sentence and banner.act_button.text() == "Restart the engine"
    with qtbot.waitSignal(window.engine.restarted, timeout=60_000):
        banner.act_button.click()
    assert banner.sentence == "" and window.engine.pid != old
    assert window.engine.wait_until_idle(60_000)
    assert window.topbar.device.dot == "good"


def test_after_giving_up_the_banner_starts_it_again(make_window, qtbot):
    window = make_window()
    window.engine._give_up()
    banner = window.banners.lasting["engine"]
    assert "Start the engine again" in banner.sentence and banner.act_button.text() == "Start the engine again"
    banner.act_button.click()
    assert window.engine.state == "starting" and banner.sentence == ""
