"""What every test of the window shares: no Qt warning, no leaked thread, no orphaned engine, a home of its own.

The checks are on for every test below `tests/app`; a Qt warning outside ALLOWED fails the test that caused it.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ALLOWED = (
    # The off-screen platform has no window manager to tell a minimum size to; every real one has.
    r"This plugin does not support propagateSizeHints\(\)",
    # ... and it cannot bring a window to the front.
    r"This plugin does not support raise\(\)",
    # Off screen there is no input method; Qt says so once when the first field is focused.
    r"This plugin does not support setting window opacity",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fail on Qt warnings, outside the list above, in the tests of this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
            # A test may allow more of its own; pytest-qt looks at the closest marker alone.
            more = [text for marker in item.iter_markers("qt_log_ignore") for text in marker.args]
            item.add_marker(pytest.mark.qt_log_ignore(*ALLOWED, *more), append=False)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Preferences, session and log of this test alone."""
    folder = tmp_path / "flow-explorer-home"
    monkeypatch.setenv("FLOW_EXPLORER_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_leaked_thread() -> Iterator[None]:
    """Every thread that a test starts has ended a moment after it."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 2.0
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left, f"threads left over: {[thread.name for thread in left]}"


def engine_processes() -> set[int]:
    """Engine processes that descend from this one (on Linux; elsewhere none are found)."""
    parents: dict[int, int] = {}
    engines: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        pid = int(folder.name)
        parents[pid] = int(stat[1])
        if stat[0] != "Z" and any(part in (b"flow_explorer.engine", b"engine_under_test") for part in command):
            engines.add(pid)
    ours = set()
    for pid in engines:
        ancestor = pid
        while ancestor > 1 and ancestor != os.getpid():
            ancestor = parents.get(ancestor, 0)
        if ancestor == os.getpid():
            ours.add(pid)
    return ours


@pytest.fixture(autouse=True, scope="module")
def no_orphaned_engine() -> Iterator[None]:
    """No engine outlives the module that started it."""
    before = engine_processes()
    yield
    gc.collect()
    deadline = time.monotonic() + 5.0
    while (left := engine_processes() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left, f"engines left over: {sorted(left)}"


@pytest.fixture(autouse=True)
def looks(request: pytest.FixtureRequest) -> None:
    """The window's style, where a test has an application; light, whatever the machine prefers."""
    if "qtbot" in request.fixturenames or "qapp" in request.fixturenames:
        from flow_explorer import theme

        theme.apply(request.getfixturevalue("qapp"), "light")
