"""``--screenshot FILE``: wait until what is on screen is final, save a picture of the window, quit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, QObject, QTimer
from PySide6.QtWidgets import QWidget

from flowcore.atomic import replacing
from flowcore.errors import FlowError

SETTLED = 4
"""How many looks in a row must find everything idle; an answer may start another request."""
LOOK_MS = 60
PATIENCE_MS = 120_000


def save_picture(window: QWidget, path: Path) -> None:
    """Write what ``window`` shows to ``path`` as PNG, whole or not at all; raises FlowError when it cannot."""
    picture = window.grab()
    try:
        with replacing(path) as temporary:
            if not picture.save(str(temporary), "PNG"):
                raise FlowError(f"The screenshot cannot be written to {path}: choose a folder that can be written.")
    except OSError as error:
        raise FlowError(f"The screenshot cannot be written to {path} ({error.strerror}).") from error


class Screenshot(QObject):
    """Looks every ``LOOK_MS`` until idle, saves, and calls ``done(None)``, or ``done(sentence)`` if it failed."""

    def __init__(
        self, window: QWidget, is_idle: Callable[[], bool], path: Path, done: Callable[[str | None], None],
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        super().__init__(window)
        self._window, self._is_idle, self._path, self._done = window, is_idle, path, done
        self._patience_ms = patience_ms
        self._calm = 0
        self._clock = QElapsedTimer()
        self._clock.start()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        self._calm = self._calm + 1 if self._is_idle() else 0
        late = self._clock.elapsed() > self._patience_ms
        if self._calm < SETTLED and not late:
            return
        self._timer.stop()
        try:
            save_picture(self._window, self._path)
        except FlowError as error:
            self._done(str(error))
            return
        waited = self._patience_ms // 1000
        self._done(f"The window was still busy after {waited} s; {self._path} shows it as it was." if late else None)
