"""An hour of use in a few seconds: every workspace, sliders, keys, dialogs, themes, in the real window.

Run in a process of its own by `test_session_through_everything.py`; prints as JSON what was loaded, and when.
"""

from __future__ import annotations

import json
import sys


def train(workspace, QTest) -> str:
    """Start the run that the session has prepared, and wait for its end; how that was."""
    if workspace.controller.start() is None:
        return workspace.controller.problem
    for _ in range(3000):
        QTest.qWait(20)
        runs = workspace.controller.runs()
        if runs and not runs[0].is_live:
            return runs[0].state + runs[0].sentence
    return "never ended"


def main() -> int:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication, QDialog

    application = QApplication(sys.argv[:1])

    from flow_explorer import theme
    from flow_explorer.engine.client import EngineClient
    from flow_explorer.main_window import MainWindow
    from flow_explorer.settings import Settings
    from flow_explorer.shell.log import Log, Uncaught
    from flow_explorer.shell.session import WindowSession
    from flow_explorer.widgets import ValueSlider

    log, uncaught, problems = Log(), Uncaught(), []
    uncaught.install()
    uncaught.raised.connect(lambda _sentence, details: problems.append(details))
    theme.apply(application, "light")
    engine = EngineClient()
    engine.start()
    window = MainWindow(engine, Settings(), WindowSession())
    window.show()
    seen: dict[str, object] = {"workspaces": [entry.id for entry in window.entries]}

    def settle(seconds: float = 60) -> bool:
        for _ in range(round(seconds / 0.02)):
            QTest.qWait(20)
            if window.is_idle():
                return True
        return False

    def press(*keys: Qt.Key) -> None:
        for key in keys:
            window.setFocus()
            QTest.keyClick(window, key)
            QTest.qWait(20)

    idle = []
    plotting_before: dict[str, bool] = {}
    seen["plotting_before"] = plotting_before
    for entry in window.entries:
        plotting_before[entry.id] = "pyqtgraph" in sys.modules
        window.begin(entry.id) if window.current is None else window.show_workspace(entry.id)
        idle.append(settle())
        workspace = window.current
        if entry.id == "training":
            seen["training"] = train(workspace, QTest)
        for slider in workspace.inspector().findChildren(ValueSlider)[:4]:
            if slider.isVisible():
                slider.track.setFocus()
                for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End):
                    QTest.keyClick(slider.track, key)
        QTest.qWait(500)
        while workspace.history.undo():
            pass
        press(Qt.Key.Key_N, Qt.Key.Key_A, Qt.Key.Key_N, Qt.Key.Key_B, Qt.Key.Key_Space)
        QTest.qWait(1500)
        press(Qt.Key.Key_Space)
        for wanted in ("dark", "light"):
            theme.choose(wanted)
            QTest.qWait(50)
        idle.append(settle())
        for show in (window.show_shortcuts, window.show_about):
            show()
            QTest.qWait(50)
            for dialog in window.findChildren(QDialog):
                dialog.reject()
    for entry in reversed(window.entries):
        window.show_workspace(entry.id)
        QTest.qWait(100)
    seen["idle"] = idle
    seen["error"] = window.banners.error.sentence + window.banners.error.details
    seen["states"] = sorted(window.workspaces)
    window.close()
    seen["problems"] = problems
    seen["torch"] = sorted(name for name in sys.modules if name.split(".")[0] == "torch")
    uncaught.uninstall()
    log.close()
    print(json.dumps(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
