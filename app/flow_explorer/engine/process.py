"""The engine's process as the window sees it: started, spoken to, started again when it dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QElapsedTimer, QObject, QProcess, QProcessEnvironment, QTimer, Signal

from ..child_process import python_path
from .protocol import FrameReader, ProtocolError, encode_frame

__all__ = ["EngineProcess"]

HEALTHY_MS = 10_000
"""An engine that dies sooner than this after it was started counts as a quick death."""
BACK_OFF_MS = (0, 500, 2000)
"""How long to wait before starting again after the first, second, third quick death; the next one is the last."""
LOG_BYTES = 32_768
STOP_MS = 1500


class EngineProcess(QObject):
    """One engine process at a time, and the pipe to it."""

    received = Signal(object, object)
    """(header, arrays by name)"""
    died = Signal(bool)
    """(whether it is being started again)"""
    started = Signal()
    """A process has been started, this one or another."""

    def __init__(
        self,
        parent: QObject,
        module: str,
        environment: Mapping[str, str],
        preload: str | None,
        device: str | None,
    ) -> None:
        super().__init__(parent)
        self.device = device
        """What the next engine is told to compute on; None lets it choose."""
        self._module, self._environment, self._preload = module, dict(environment), preload
        self._process: QProcess | None = None
        self._reader = FrameReader()
        self._deaths = 0
        self._age = QElapsedTimer()
        self._log = b""
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._launch)

    @property
    def pid(self) -> int:
        """The process number, 0 when there is none."""
        return self._process.processId() if self._process is not None else 0

    @property
    def log(self) -> str:
        """The last of what the engine wrote to its error output."""
        return self._log.decode(errors="replace")

    def start(self) -> None:
        """Start it, if it does not run; earlier deaths are forgiven."""
        if self._process is None and not self._again.isActive():
            self._deaths = 0
            self._launch()

    def restart(self) -> None:
        """End it at once, whatever it does, and start another; earlier deaths are forgiven. Starts one where none runs."""
        self._deaths = 0
        if self._process is None:
            self._again.stop()
            self._launch()
            return
        self._process.kill()

    def stop(self) -> None:
        """Close the pipe and wait for the end, which follows at once; kill it if not."""
        self._again.stop()
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            process.closeWriteChannel()
            if not process.waitForFinished(STOP_MS):
                process.kill()
                process.waitForFinished(STOP_MS)
            process.deleteLater()

    def write(self, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> None:
        """Send a frame; without a process it is lost."""
        if self._process is not None:
            self._process.write(encode_frame(header, arrays))

    def _launch(self) -> None:
        environment = QProcessEnvironment.systemEnvironment()
        for name, value in self._environment.items():
            environment.insert(name, value)
        environment.insert("PYTHONPATH", python_path(environment.value("PYTHONPATH", "")))
        # -P keeps a file called torch.py in the person's current folder from being imported.
        arguments = ["-P", "-X", "faulthandler", "-m", self._module]
        if self._preload is not None:
            arguments += [f"--preload={self._preload}"]
        if self.device is not None:
            arguments += [f"--device={self.device}"]
        process = QProcess(self)
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_log)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._process, self._reader = process, FrameReader()
        self._age.start()
        process.start(sys.executable, arguments)
        self.started.emit()

    def _on_output(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            frames = self._reader.feed(bytes(process.readAllStandardOutput().data()))
        except ProtocolError as error:
            self._log += f"\n{error}\n".encode()
            process.kill()
            return
        for header, arrays in frames:
            self.received.emit(header, arrays)
            if self._process is not process:
                return  # what received it has stopped the engine

    def _on_log(self) -> None:
        if self._process is not None:
            data = bytes(self._process.readAllStandardError().data())
            self._log = (self._log + data)[-LOG_BYTES:]
            if os.environ.get("FLOW_EXPLORER_ENGINE_LOG"):
                sys.stderr.write(data.decode(errors="replace"))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:  # then there is no `finished`
            self._on_finished()

    def _on_finished(self, *_: object) -> None:
        if self._process is None:
            return
        self._on_log()
        process, self._process = self._process, None
        process.blockSignals(True)
        process.deleteLater()
        self._deaths = self._deaths + 1 if self._age.elapsed() < HEALTHY_MS else 1
        again = self._deaths <= len(BACK_OFF_MS)
        if again:
            self._again.start(BACK_OFF_MS[self._deaths - 1])
        self.died.emit(again)
