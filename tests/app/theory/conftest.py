"""The theory page in the real window; it asks nothing of the engine, so none is started."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest


class Page:
    """The window with the theory page, and hands to drive it."""

    def __init__(self, window, qtbot):
        self.window, self.qtbot = window, qtbot
        self.workspace = window.current
        self.controller, self.canvas, self.inspector = (
            self.workspace.controller, self.workspace.canvas(), self.workspace.inspector()
        )  # fmt: skip

    @property
    def state(self):
        return self.controller.state

    @property
    def figure(self):
        return self.canvas.figure()

    @property
    def panel(self):
        return self.inspector.panel(self.state.figure)

    def go(self, figure, **values):
        self.controller.show_figure(figure)
        if values:
            self.controller.change("test", **values)
        self.settle()
        return self.figure

    def settle(self):
        self.figure.finish()
        QTest.qWait(1)

    def handle(self, key):
        return next(handle for handle in self.figure.handles() if handle.key == key)

    def drag(self, key, by):
        """Take a handle by the mouse and move it by so many pixels, in three moves."""
        start = self.handle(key).at.toPoint()
        QTest.mousePress(self.figure, Qt.MouseButton.LeftButton, pos=start)
        for part in (1 / 3, 2 / 3, 1.0):
            self._move(start + QPoint(round(by[0] * part), round(by[1] * part)))
        QTest.mouseRelease(self.figure, Qt.MouseButton.LeftButton, pos=start + QPoint(*by))
        self.settle()

    def _move(self, to):
        from PySide6.QtCore import QEvent
        from PySide6.QtGui import QMouseEvent
        from PySide6.QtWidgets import QApplication

        place = QPointF(to)
        event = QMouseEvent(
            QEvent.Type.MouseMove, place, self.figure.mapToGlobal(place), Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(self.figure, event)

    def row(self, name):
        return self.panel.rows[name].value.text()

    def number(self, name):
        """The first number of a row."""
        text = self.row(name).replace("−", "-").replace(",", "").split()[0]
        return float(text.replace("∞", "inf"))

    def choose(self, name, key):
        """Click one of a few."""
        QTest.mouseClick(self.panel.controls[name].button(key), Qt.MouseButton.LeftButton)
        self.settle()

    def slide(self, name, value):
        """Type a value into a slider's field."""
        slider = self.panel.controls[name]
        slider._typed(str(value))
        self.settle()


@pytest.fixture(scope="module")
def theory_window(qapp, tmp_path_factory):
    from flow_explorer import theme
    from flow_explorer.engine.client import EngineClient
    from flow_explorer.main_window import MainWindow
    from flow_explorer.settings import Settings
    from flow_explorer.shell.session import Session
    from flow_explorer.workspace import REGISTRY

    theme.apply(qapp, "light")
    settings = Settings(tmp_path_factory.mktemp("theory") / "settings.json")
    settings.set("hint.theory.seen", True)
    entries = [entry for entry in REGISTRY if entry.id == "theory"]
    window = MainWindow(EngineClient(), settings, Session(keep=False), entries=entries)
    window.resize(1280, 720)
    window.show()
    window.begin("theory")
    yield window
    window.close()
    window.deleteLater()
    qapp.processEvents()


@pytest.fixture
def page(qtbot, theory_window):
    """The page at its beginning, with nothing to undo."""
    from flow_explorer.theory.state import TheoryState

    page = Page(theory_window, qtbot)
    page.controller.restore(TheoryState())
    page.settle()
    yield page
    page.controller.pause()
