"""The log file, crashes of the interpreter, exceptions that nobody caught, and what Qt has to say."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import logging.handlers
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

from flow_explorer.i18n import tr
from flow_explorer.settings import state_folder
from flowcore.atomic import open_private
from flowcore.errors import FlowError

logger = logging.getLogger("flow-explorer")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG, QtMsgType.QtInfoMsg: logging.INFO, QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR, QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def log_folder() -> Path:
    """Where the log files are."""
    return state_folder() / "log"


class _Rotating(logging.handlers.RotatingFileHandler):
    """Its files are their owner's alone: they name the person's files, and say what was done with them."""

    def _open(self) -> Any:
        return open_private(self.baseFilename, self.mode, self.encoding)


class Log:
    """The open log; ``close`` puts everything back as it was (a test makes many windows in one process)."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open the log in ``folder``; where that cannot be written, warnings go to the standard error output alone."""
        self._handler: logging.Handler = logging.StreamHandler()
        self._crashes = None
        folder = folder if folder is not None else log_folder()
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handler = _Rotating(
                folder / "flow-explorer.log", maxBytes=500_000, backupCount=1, encoding="utf-8"
            )
            self._crashes = open_private(folder / "crash.log")
            faulthandler.enable(self._crashes)
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(self._handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        self._qt_before = qInstallMessageHandler(_from_qt)

    def close(self) -> None:
        """Close the files and take the hooks out."""
        qInstallMessageHandler(self._qt_before)
        logger.removeHandler(self._handler)
        self._handler.close()
        if self._crashes is not None:
            faulthandler.disable()
            self._crashes.close()
            self._crashes = None


def _from_qt(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    logger.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", message)


class Uncaught(QObject):
    """Exceptions that reached the top: logged, and told to the window as (sentence, traceback).

    Other threads' exceptions arrive by a queued signal, so ``raised`` is always emitted where this object
    lives.
    """

    raised = Signal(str, str)
    _from_thread = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._from_thread.connect(self.raised)
        self._before: tuple[Callable[..., object], Callable[..., object]] | None = None

    def install(self) -> None:
        """Hook in; ``uninstall`` takes the hooks out again."""
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._hook
        threading.excepthook = lambda args: self._hook(args.exc_type, args.exc_value, args.exc_traceback)

    def uninstall(self) -> None:
        """Put the interpreter's own hooks back."""
        if self._before is not None:
            sys.excepthook, threading.excepthook = self._before
            self._before = None

    def _hook(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            from PySide6.QtCore import QCoreApplication

            QCoreApplication.quit()
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        logger.error("uncaught: %s", details)
        self._from_thread.emit(sentence(error if error is not None else kind()), details)


def sentence(error: BaseException) -> str:
    """What a person is told of ``error``: its own sentence if it has one."""
    if isinstance(error, FlowError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return tr("The system refused: {reason}{where}.", reason=error.strerror, where=where)
    return tr(
        "Something went wrong inside the window ({kind}); your work is kept. Copy the details to report it.",
        kind=type(error).__name__,
    )
