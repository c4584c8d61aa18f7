"""Runs the real window as a person's command does, does what it is told by JSON, and prints what it saw.

Run in a process of its own by `test_startup.py`: ``driver_run.py '{"do": [...]}'``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any


def main() -> int:
    plan = json.loads(sys.argv[1])
    seen: dict[str, object] = {}

    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from flow_explorer import main_window, startup
    from flow_explorer.workspace import Entry

    sys.path.insert(0, str(Path(__file__).resolve().parent))
    if plan.get("counter", True):
        main_window.REGISTRY = (Entry("counter", "Counter", "grid", "window_workspace"),)

    made: list[main_window.MainWindow] = []
    build = main_window.MainWindow.__init__

    def remember(self, *args, **kwargs):
        build(self, *args, **kwargs)
        made.append(self)
        self.first_shown.connect(lambda: seen.setdefault("shown_at", time.time()))
        self.first_shown.connect(lambda: seen.setdefault("cpu", time.process_time()))

    main_window.MainWindow.__init__ = remember

    def act() -> None:
        window: Any = made[0]
        for step in plan["do"]:
            if step == "add":
                window.current.add()
            elif step == "raise":
                QTimer.singleShot(0, lambda: 1 / 0)
            elif step == "thread":
                import threading

                thread = threading.Thread(target=lambda: [][1])
                thread.start()
                thread.join()
            elif step == "sigint":
                os.kill(os.getpid(), signal.SIGINT)
            elif step == "sigterm":
                os.kill(os.getpid(), signal.SIGTERM)
            elif step == "sighup":
                os.kill(os.getpid(), signal.SIGHUP)
            elif step == "die":
                window.session.save()
                os._exit(9)
            elif step == "abort":
                os.abort()
            elif step == "close":
                QTimer.singleShot(150, window.close)
            elif step == "see":
                QTimer.singleShot(100, see)

    def see() -> None:
        window = made[0]
        seen["number"] = window.current.history.state.number
        seen["error"] = window.banners.error.sentence
        seen["details"] = window.banners.error.details
        seen["notice"] = window.banners.notice.sentence

    def wait() -> None:
        if made and made[0].current is not None:
            act()
        else:
            QTimer.singleShot(20, QApplication.instance() or app, wait)

    if plan.get("nohup"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    app = startup._application()
    QTimer.singleShot(0, wait)
    code = startup.run_gui(Namespace(**plan.get("args", {})))
    seen["torch"] = "torch" in sys.modules
    print(json.dumps(seen))
    return code


if __name__ == "__main__":
    sys.exit(main())
