"""Processes that the training workspace starts: short ones that answer in JSON, and trainings that outlive the window."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

from flow_explorer.child_process import python_path
from flow_explorer.i18n import tr
from flow_explorer.training.process_record import (
    LOG,
    ProcessRecord,
    forget_stop,
    read_process_record,
    write_process_record,
)
from flowcore.atomic import open_private
from flowcore.errors import DataError

__all__ = ["Job", "start_training"]

END_MS = 2000


def _environment() -> QProcessEnvironment:
    environment = QProcessEnvironment.systemEnvironment()
    environment.insert("PYTHONPATH", python_path(environment.value("PYTHONPATH", "")))
    environment.insert("PYTHONUNBUFFERED", "1")
    environment.insert("PYTHONIOENCODING", "utf-8")
    return environment


class Job(QObject):
    """One process at a time of a module of ours; a newer one replaces it, and what the older one says is lost.

    ``said(dict)`` for every line of JSON that it prints, or for all of them together as one value; ``failed(sentence)``
    where it ends badly.
    """

    said = Signal(object)
    failed = Signal(str)
    changed = Signal()
    """``busy`` may be different now."""

    def __init__(self, parent: QObject | None = None, by_line: bool = True) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._by_line = by_line
        self._out = self._error = b""

    @property
    def busy(self) -> bool:
        """Whether it still runs."""
        return self._process is not None

    def start(self, module: str, arguments: Sequence[str]) -> None:
        """Run ``python -m module arguments``."""
        self.cancel()
        process = QProcess(self)
        process.setProcessEnvironment(_environment())
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_error_output)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._process, self._out, self._error = process, b"", b""
        process.start(sys.executable, ["-P", "-m", module, *arguments])
        self.changed.emit()

    def cancel(self) -> None:
        """End it now; nothing more is heard of it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.blockSignals(True)
        process.kill()
        # Not waited for: the operating system takes it away, and Qt its own part when it has.
        process.blockSignals(False)
        for signal in (process.readyReadStandardOutput, process.readyReadStandardError, process.finished):
            signal.disconnect()
        process.errorOccurred.disconnect()
        process.finished.connect(process.deleteLater)
        self.changed.emit()

    def close(self) -> None:
        """The window closes: end it, and wait until it has."""
        process = self._process
        self.cancel()
        if process is not None:
            process.waitForFinished(END_MS)

    def _on_output(self) -> None:
        if self._process is None:
            return
        self._out += bytes(self._process.readAllStandardOutput().data())
        if not self._by_line:
            return
        *lines, self._out = self._out.split(b"\n")
        for line in lines:
            self._say(line)
            if self._process is None:
                return

    def _say(self, text: bytes) -> None:
        try:
            value = json.loads(text)
        except ValueError:
            return
        if isinstance(value, dict):
            self.said.emit(value)

    def _on_error_output(self) -> None:
        if self._process is None:
            return
        self._error = (self._error + self._process.readAllStandardError().data())[-16_384:]

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:  # then there is no `finished`
            self._on_finished(-1)

    def _on_finished(self, code: int, *_unused: object) -> None:
        process = self._process
        if process is None:
            return
        self._on_output()
        self._on_error_output()
        if self._process is not process:
            return
        self._process = None
        process.deleteLater()
        if code == 0 and not self._by_line:
            self._say(self._out)
        elif code != 0:
            self.failed.emit(self._sentence())
        self.changed.emit()

    def _sentence(self) -> str:
        lines = [line.strip() for line in self._error.decode("utf-8", "replace").splitlines() if line.strip()]
        last = lines[-1] if lines else tr("the process ended without a word.")
        return last.partition(": ")[2] if last.startswith("flow-explorer") else last


def start_training(folder: Path, arguments: Sequence[str], data: str) -> None:
    """Start ``flow-explorer train`` into ``folder``, apart from this process: it goes on when the window is closed.

    Raises:
        DataError: in one sentence, where that cannot be done.
    """
    before = read_process_record(folder)
    if before is not None and before.is_live:
        raise DataError(tr("A process trains in {folder} already.", folder=folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / LOG).is_symlink():  # what it points to is not ours to empty
            (folder / LOG).unlink()
        open_private(folder / LOG, "w").close()
    except OSError as error:
        words = tr("The run folder {folder} cannot be written ({why}).", folder=folder, why=error.strerror or error)
        raise DataError(words) from error
    forget_stop(folder)
    # The process says the same of itself, with its number, once it has begun; until then this stands for it.
    started = time.time()
    write_process_record(folder, ProcessRecord(since=started, data=data))
    process = QProcess()
    process.setProgram(sys.executable)
    process.setArguments(["-P", "-m", "flow_explorer", "train", *arguments, "--out", str(folder)])
    process.setProcessEnvironment(_environment())
    process.setStandardInputFile(QProcess.nullDevice())
    process.setStandardOutputFile(QProcess.nullDevice())
    process.setStandardErrorFile(str(folder / LOG))
    process.setWorkingDirectory(str(folder))
    result: Any = process.startDetached()
    ok, pid = result if isinstance(result, tuple) else (result, 0)
    if not ok:
        sentence = tr("The training could not be started: {why}.", why=process.errorString())
        write_process_record(folder, ProcessRecord(since=started, data=data, outcome="failed", sentence=sentence))
        raise DataError(sentence)
    now = read_process_record(folder)
    if now is None or not now.pid:
        write_process_record(folder, ProcessRecord(int(pid), since=started, data=data))
