"""The window's start, in this order and for these reasons.

1. Arguments, the log file and faulthandler: whatever fails from here on leaves a trace.
2. ``QApplication``, name and icon, the theme: nothing is painted twice in another colour.
3. The engine's process is *started*, not awaited: torch takes it 2 to 3 s, and the window stands meanwhile.
4. The window's frame (rail, top bar, an empty canvas) is shown: less than a second after the command.
5. The first workspace is imported and made, its last session restored; its requests wait in the client's
   queue.
6. Signals (Ctrl-C), the session's autosave and ``--screenshot`` begin.

Ends by: the window's close, Ctrl-C, SIGTERM or SIGHUP, ``--screenshot``. The engine stops with the window, the
session is written, the log is closed. Other workspaces, and the libraries that they alone need, are imported
on their first visit.
"""

from __future__ import annotations

import gc
import re
import sys
import time
from pathlib import Path
from typing import Any

_STARTED = time.perf_counter()

from PySide6.QtCore import QCoreApplication, QTimer  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from flow_explorer import assets, i18n, icons, theme  # noqa: E402
from flow_explorer.engine.client import EngineClient  # noqa: E402
from flow_explorer.main_window import MainWindow  # noqa: E402
from flow_explorer.settings import Settings  # noqa: E402
from flow_explorer.shell.log import Log, Uncaught, logger  # noqa: E402
from flow_explorer.shell.screenshot import Screenshot  # noqa: E402
from flow_explorer.shell.session import WindowSession  # noqa: E402
from flow_explorer.shell.signals import Signals  # noqa: E402
from flow_explorer.shell.trace import Trace  # noqa: E402
from flow_explorer.shell.watch import Watch  # noqa: E402
from flow_explorer.terminal.output import say  # noqa: E402
from flowcore.errors import FlowError  # noqa: E402


def run_gui(args: Any = None) -> int:
    """Open the window and run until it is closed; returns the exit code.

    ``args`` has (each may be missing): ``workspace`` an id, ``screenshot`` a file, ``size`` (width, height),
    ``theme`` "system", "light" or "dark", ``trace`` a file for JSON lines, ``session`` a session to
    open. With ``screenshot`` the last session is neither restored nor written, so that the picture depends on the arguments
    alone.
    """
    options = {name: value for name, value in vars(args).items() if value is not None} if args is not None else {}
    try:
        trace = Trace(options.get("trace"), _STARTED)
    except FlowError as error:
        say(f"flow-explorer: {error}")
        return 2
    log = Log()
    try:
        return _run(options, trace)
    finally:
        trace.close()
        log.close()


def _run(options: dict[str, Any], trace: Trace) -> int:
    screenshot = options.get("screenshot")
    application = _application()
    settings = Settings()
    i18n.load(settings.get("language", "en"), assets.root() / "translations")
    wanted = options.get("theme") or settings.get("theme", "system")
    theme.apply(application, wanted if wanted in theme.CHOICES else "system")
    trace("application", platform=application.platformName(), theme=theme.current().name)

    session = WindowSession(keep=not screenshot)
    engine = EngineClient(preload=_preload(session), device=_device(settings))
    uncaught = Uncaught(application)
    uncaught.install()
    engine.start()
    trace("engine_started")

    window = MainWindow(engine, settings, session, trace, options)
    if trace.wanted:
        Watch(window, engine, trace)
    uncaught.raised.connect(lambda words, details: window.notify(words, details))
    engine.failed.connect(lambda _id, words, details: logger.warning("engine: %s\n%s", words, details))
    signals = Signals(window.close, application)
    outcome = {"code": 0}

    def leave(problem: str | None) -> None:
        if problem:
            say(f"flow-explorer: {problem}")
            outcome["code"] = 2
        window.close()

    def begin() -> None:
        trace("window_shown")
        window.begin(options.get("workspace") or "")
        trace("workspace_made")
        if options.get("session"):
            window.session_acts.open(Path(options["session"]))
        if screenshot:
            Screenshot(window, window.is_idle, Path(screenshot), leave)
        # What exists now lives as long as the window: full collections need not walk over it again and again.
        QTimer.singleShot(3000, window, gc.freeze)

    window.first_shown.connect(begin)
    if not screenshot and not options.get("size"):
        window.restore_geometry()
    if options.get("size"):
        window.resize(*options["size"])
    window.show()
    try:
        application.exec()
    finally:
        signals.restore()
        uncaught.uninstall()
        engine.stop()
    trace("end", code=outcome["code"])
    return outcome["code"]


def _application() -> QApplication:
    QCoreApplication.setApplicationName("flow-explorer")
    QCoreApplication.setOrganizationName("")
    application = theme.running_application() or QApplication(sys.argv[:1])
    application.setApplicationDisplayName("Flow Explorer")
    application.setDesktopFileName("flow-explorer")
    application.setWindowIcon(icons.application_icon())
    return application


def _device(settings: Settings) -> str | None:
    """The device of the settings, None where they name none that there can be."""
    wanted = settings.get("device", "")
    return wanted if re.fullmatch(r"(cpu|mps|cuda)(:\d{1,3})?", wanted) else None


def _preload(session: WindowSession) -> Path | None:
    """The model that the first picture will need, so that the engine loads it before it is asked."""
    wanted = session.states.get("explorer", {}).get("model")
    try:
        if isinstance(wanted, str) and wanted:
            return assets.resolve_model(wanted)
        return assets.models()[0]
    except (FlowError, IndexError, OSError, ValueError):  # a name with a NUL in it, or of a million letters
        return None
