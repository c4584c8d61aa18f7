"""A stand-in for the engine that keeps what is sent, and a toy lab over the real one."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import QObject, Signal

_numbers = itertools.count(1)


class SilentEngine(QObject):
    """Keeps requests and their callbacks; the test answers."""

    ready = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.sent = []

    def send(self, request, *, on_answer=None, on_error=None, on_progress=None):
        self.sent.append((request, on_answer, on_error))
        return len(self.sent)

    def cancel(self, number):
        """What was asked is not wanted any more; an answer that comes all the same is the query's to pass over."""

    @property
    def last(self):
        return self.sent[-1][0]

    def is_idle(self):
        return True


@pytest.fixture
def silent(qapp):
    return SilentEngine()


@pytest.fixture(scope="module")
def listener(qapp):
    """A stand-in engine for all tests of a module."""
    return SilentEngine()


@pytest.fixture(scope="module")
def toy_window(qapp, tmp_path_factory):
    """The window with the toy lab alone and a real engine, for all tests of a module."""
    from flow_explorer import theme
    from flow_explorer.engine.client import EngineClient
    from flow_explorer.main_window import MainWindow
    from flow_explorer.settings import Settings
    from flow_explorer.shell.session import Session
    from flow_explorer.workspace import REGISTRY

    theme.apply(qapp, "light")
    settings = Settings(tmp_path_factory.mktemp("toylab") / "settings.json")
    settings.set("hint.toylab.seen", True)
    engine = EngineClient(environment={"OMP_NUM_THREADS": "1"})
    entries = [entry for entry in REGISTRY if entry.id == "toylab"]
    window = MainWindow(engine, settings, Session(keep=False), entries=entries)
    window.resize(1280, 720)
    engine.start()
    window.show()
    window.begin("toylab")
    yield window
    window.close()
    window.deleteLater()
    qapp.processEvents()


@pytest.fixture
def lab(qtbot, toy_window):
    """The toy lab at rest at step 0, with a small flow and nothing to undo."""
    from flow_explorer.toylab.state import ToyState

    lab = toy_window.current
    lab.controller.pause()
    lab.history.reset(ToyState(depth=4, width=16, batch=64, run=1000 * next(_numbers)))
    lab.canvas().density.which.set_current("model")
    lab.canvas().strip.moved.emit(64.0)  # the end, however many layers the run before had
    qtbot.waitUntil(toy_window.is_idle, timeout=60_000)
    yield lab
    lab.controller.pause()
