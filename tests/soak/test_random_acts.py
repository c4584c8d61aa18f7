"""Ten thousand random acts in the real window, with the real engine: undone back to the start, under the cap of bytes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "app" / "explorer"))
import random_acts

from flow_explorer import assets
from flow_explorer.explorer.budget import CAP_BYTES, fit
from flow_explorer.explorer.moving.thumbnails import CAP_BYTES as THUMBNAILS_BYTES
from flow_explorer.explorer.workspace import ExplorerWorkspace

COUNT = int(os.environ.get("FLOW_EXPLORER_SOAK_ACTS", "10000"))
SEED = int(os.environ.get("FLOW_EXPLORER_SOAK_SEED", "0")) or int(time.time())


@pytest.mark.timeout(3600)
def test_ten_thousand_random_acts_undone_back_to_the_start(qtbot, monkeypatch, tmp_path):
    from flow_explorer.engine.client import EngineClient
    from flow_explorer.main_window import MainWindow
    from flow_explorer.settings import Settings
    from flow_explorer.shell.session import Session

    print(f"seed {SEED}")
    monkeypatch.setenv("FLOW_EXPLORER_HOME", str(tmp_path))
    random_acts.add_drawer(monkeypatch)
    engine = EngineClient()
    engine.start()
    window = MainWindow(engine, Settings(), Session())
    qtbot.addWidget(window)
    window.show()
    window.begin("explorer")
    explorer = window.current
    assert isinstance(explorer, ExplorerWorkspace)
    explorer.history._limit = 10 * COUNT  # so that the very first state is within reach, whatever the usual limit
    qtbot.waitUntil(lambda: window.is_idle() and engine.state == "ready", timeout=120_000)
    first = explorer.history.state
    explorer.acts.new_samples()
    small = [name for name in assets.model_names() if name != "faces"] or assets.model_names()
    restless = random_acts.Restless(explorer.controller, SEED, small)
    restless._latent = lambda: _own(restless, explorer)
    restless.acts = [name for name in restless.acts if name not in ("undo", "redo", "go", "put_two")]
    longest = 0.0
    for number in range(COUNT):
        started = time.monotonic()
        restless.act()
        longest = max(longest, time.monotonic() - started)
        if number % 5 == 0:
            qtbot.wait(1)
        assert explorer.controller.store.size <= CAP_BYTES + 2**20
    steps = explorer.history.length
    spent = fit(explorer.history, explorer.controller.store, cap=CAP_BYTES)
    print(f"{COUNT:,} acts, {steps:,} steps, {spent / 2**20:.1f} MiB within reach, "
          f"thumbnails {explorer.thumbnails.bytes / 2**20:.1f} MiB, the longest act {1000 * longest:.0f} ms")
    assert spent <= CAP_BYTES and explorer.thumbnails.bytes <= THUMBNAILS_BYTES
    assert explorer.history.length == steps > COUNT // 3, "nothing had to be forgotten"
    while explorer.history.undo():
        pass
    assert explorer.history.state == first
    qtbot.waitUntil(window.is_idle, timeout=300_000)
    assert window.banners.error.sentence == ""
    window.close()


def _own(restless, explorer):
    """A sample of the model in front, of its page where there is one."""
    there = [slot for slot in explorer.controller.page.view.slots if slot is not None and not slot.draft]
    return there[int(restless.rng.integers(len(there)))] if there else random_acts.Restless._latent(restless)
