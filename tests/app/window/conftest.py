"""A window over small workspaces and an engine client that was never started (or a real one)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


@pytest.fixture
def make_window(qtbot, home):
    """A function that makes and shows a window; all are closed afterwards, which stops their engines."""
    from flow_explorer.engine.client import EngineClient
    from flow_explorer.main_window import MainWindow
    from flow_explorer.settings import Settings
    from flow_explorer.shell.session import WindowSession
    from flow_explorer.workspace import Entry

    windows = []
    entries = (
        Entry("counter", "Counter", "grid", "window_workspace"),
        Entry("broken", "Broken", "walk", "window_broken"),
        Entry("absent", "Absent", "walk", "window_absent.workspace"),
    )

    def make(begin: str | None = "counter", start: bool = False, hint: bool = False, **options):
        engine = EngineClient()
        settings = Settings()
        if not hint:
            settings.set("hint.counter.seen", True)
        window = MainWindow(engine, settings, WindowSession(), entries=entries, options=options)
        windows.append(window)
        qtbot.addWidget(window)
        if start:
            engine.start()
        with qtbot.waitExposed(window):
            window.show()
        if begin is not None:
            window.begin(begin)
        return window

    yield make
    for window in windows:
        window.close()
