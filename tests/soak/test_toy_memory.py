"""An hour of play in the toy lab leaves memory flat, the window's and the engine's.

``FLOW_EXPLORER_SOAK_MINUTES`` sets how long (60). Every half minute it scrubs through the training's history and goes back to
now; every few minutes it begins anew, races for a while, and leaves the race.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

import pytest

from flow_explorer.toylab.state import ToyState
from flow_explorer.toylab.workspace import ToyLab

MINUTES = float(os.environ.get("FLOW_EXPLORER_SOAK_MINUTES", "60"))
WINDOW_MIB, ENGINE_MIB = 48.0, 48.0
"""How much more the last quarter's median may be than the second's: the histories' sawtooth, and what an allocator keeps."""


def resident(pid: int | str) -> float:
    """Resident memory of a process, MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def growth(values: list[float]) -> float:
    """The median of the last quarter less that of the second: what is there from the start does not count, nor does one peak."""
    quarter = max(1, len(values) // 4)
    return statistics.median(values[-quarter:]) - statistics.median(values[quarter : 2 * quarter])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.timeout(int(60 * MINUTES) + 900)
def test_an_hour_of_play_leaves_memory_flat(qapp, qtbot, tmp_path):
    from flow_explorer.engine.client import EngineClient
    from flow_explorer.main_window import MainWindow
    from flow_explorer.settings import Settings
    from flow_explorer.shell.session import Session
    from flow_explorer.workspace import REGISTRY

    settings = Settings(tmp_path / "settings.json")
    settings.set("hint.toylab.seen", True)
    engine = EngineClient()
    entries = [entry for entry in REGISTRY if entry.id == "toylab"]
    window = MainWindow(engine, settings, Session(keep=False), entries=entries)
    window.resize(1280, 720)
    engine.start()
    window.show()
    window.begin("toylab")
    qtbot.waitUntil(window.is_idle, timeout=120_000)
    lab = window.current
    assert isinstance(lab, ToyLab)
    controller = lab.controller
    controller.history.reset(ToyState())
    controller.play()
    pid, began = engine.pid, time.monotonic()
    period = max(1.0, min(30.0, 60 * MINUTES / 48))
    windows, engines, turn = [], [], 0
    while time.monotonic() - began < 60 * MINUTES:
        qtbot.wait(round(1000 * period))
        turn += 1
        frames = controller.past.history.frames
        if not controller.state.rivals and frames:
            for frame in frames[:: max(1, len(frames) // 20)]:
                controller.past.go_to(frame)
                qtbot.wait(20)
            controller.past.back_to_now()
        if turn % 10 == 5:
            controller.race.begin()
            controller.play()
        elif turn % 10 == 7:
            controller.race.leave()
            controller.play()
        elif turn % 10 == 9:
            controller.reset()
        assert controller.playing and engine.pid == pid
        windows.append(resident("self"))
        engines.append(resident(pid))
    controller.pause()
    qtbot.waitUntil(window.is_idle, timeout=120_000)
    window.close()
    print(f"\n{MINUTES:g} minutes: window {windows[0]:.0f} → {windows[-1]:.0f} MiB (grew {growth(windows):+.1f}), "
          f"engine {engines[0]:.0f} → {engines[-1]:.0f} MiB (grew {growth(engines):+.1f})")
    assert growth(windows) < WINDOW_MIB
    assert growth(engines) < ENGINE_MIB
