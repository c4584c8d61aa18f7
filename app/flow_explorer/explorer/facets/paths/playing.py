"""Plays a timeline's frames at even times, as many a second as it is to have."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

__all__ = ["FramePlayer"]


class FramePlayer(QObject):
    """`frame(index)` for each frame to show; frames are left out where the window is slow, never the pace."""

    frame = Signal(int)
    changed = Signal(bool)
    ended = Signal()
    """The last frame has stood for its time, and it is no loop."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._first = self._count = 0
        self._fps = 15.0
        self._loop = True
        self._last = -1

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def play(self, first: int, count: int, fps: float, loop: bool) -> None:
        """Begin at a frame."""
        self._first, self._count, self._fps, self._loop, self._last = first, count, fps, loop, -1
        self._clock.start()
        # Looked at twice a frame, so that none comes half of its time late.
        self._timer.start(max(5, round(500 / fps)))
        self.changed.emit(True)
        self._tick()

    def stop(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            self.changed.emit(False)

    def index_after(self, seconds: float) -> int:
        """Which frame is shown this long after the start; of what is no loop, the number of frames once all were."""
        index = self._first + int(seconds * self._fps + 1e-9)
        return index % self._count if self._loop else min(index, self._count)

    def _tick(self) -> None:
        index = self.index_after(self._clock.elapsed() / 1000)
        if index == self._count:
            self.stop()
            self.ended.emit()
        elif index != self._last:
            self._last = index
            self.frame.emit(index)
