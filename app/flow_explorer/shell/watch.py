"""What ``--trace`` sees of the window by itself: requests and answers as they pass, and every frame that is painted.

Nothing of this runs without ``--trace``. What a line means is in ``docs/trace.md``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from flow_explorer.engine.answers import Answer
from flow_explorer.engine.client import Message

__all__ = ["Watch"]

KEPT = 4096
"""Requests whose time of sending is remembered; an answer that comes later than so many requests has no age."""
_WHERE = ("first", "count", "indices")


class Watch(QObject):
    """Traces what the engine is asked and answers, and the window's frames."""

    def __init__(self, window: QWidget, engine: Any, trace: Callable[..., None]) -> None:
        super().__init__(window)
        self._trace = trace
        self._sent: dict[int, tuple[float, str]] = {}
        self._last_frame: float | None = None
        self._painting = False
        engine.asked.connect(self._on_asked)
        engine.answered.connect(self._on_answered)
        engine.failed.connect(lambda id_, words, _details: trace("failed", id=id_, sentence=words))
        window.installEventFilter(self)

    def _on_asked(self, id_: int, request: Any) -> None:
        self._sent[id_] = (time.perf_counter(), request.kind)
        if len(self._sent) > KEPT:
            del self._sent[next(iter(self._sent))]
        self._trace("request", id=id_, kind=request.kind, slot=request.slot)

    def _on_answered(self, id_: int, answer: Answer | Message) -> None:
        sent, kind = self._sent.get(id_, (None, ""))
        age = None if sent is None else round(1000 * (time.perf_counter() - sent), 2)
        if isinstance(answer, Message):
            kind, where = answer.kind, {name: answer.data[name] for name in _WHERE if name in answer.data}
        else:
            where = {name: getattr(answer, name) for name in _WHERE if hasattr(answer, name)}
            if "first" in where:
                where["count"] = len(getattr(answer, "pictures", ()))
        self._trace("answer", id=id_, kind=kind, age_ms=age, done=answer.done, **where)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The window's one request to paint, sent once for all the widgets that asked for it since the last.
        if event.type() == QEvent.Type.UpdateRequest and not self._painting:
            self._painting = True
            QTimer.singleShot(0, self, self._on_painted)
        return False

    def _on_painted(self) -> None:
        """The frame that was asked for is on screen: this runs right after it."""
        self._painting = False
        now = time.perf_counter()
        interval = None if self._last_frame is None else round(1000 * (now - self._last_frame), 2)
        self._last_frame = now
        self._trace("frame", interval_ms=interval)
