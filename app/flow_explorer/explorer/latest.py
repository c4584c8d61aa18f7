"""Run now, keep the latest pending: one request on its way, and the newest that came meanwhile.

A slider moves faster than a model decodes. If every new value replaced the one being computed, nothing would ever be
finished during a drag; if every value were computed, the picture would lag behind the hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Latest"]

Answer = Callable[[Any], None]
Failure = Callable[[str, str], None]


class Latest:
    """A lane to the engine in which no older answer is ever seen after a newer one, and the last value always comes."""

    def __init__(self, client: Any, on_change: Callable[[], None] = lambda: None) -> None:
        self._client = client
        self._on_change = on_change
        self._turn = 0
        self._flying: int | None = None
        self._pending: tuple | None = None

    @property
    def busy(self) -> bool:
        return self._flying is not None or self._pending is not None

    def ask(self, request: Any, on_answer: Answer, on_error: Failure, *, at_once: bool = False) -> None:
        """Send a request, or keep it as the latest while another is on its way.

        `at_once` gives up the one on its way: what it computes is of no use any more.
        """
        if self._flying is not None and not at_once:
            self._pending = (request, on_answer, on_error)
            return
        self.drop()
        self._send(request, on_answer, on_error)

    def drop(self) -> None:
        """Forget what is on its way and what waits; late answers are not passed on."""
        self._turn += 1
        flying, self._flying, self._pending = self._flying, None, None
        if flying is not None:
            self._client.cancel(flying)
            self._on_change()

    def forget(self) -> None:
        """As `drop`, when the engine that was asked is gone."""
        self._turn += 1
        self._flying = self._pending = None

    def _send(self, request: Any, on_answer: Answer, on_error: Failure) -> None:
        self._turn += 1
        turn = self._turn

        def answered(message: Any) -> None:
            if turn != self._turn:
                return
            done = bool(message.done)
            on_answer(message)
            if done and turn == self._turn:
                self._next()

        def failed(sentence: str, details: str = "", *_more: object) -> None:
            if turn != self._turn:
                return
            on_error(sentence, details)
            if turn == self._turn:
                self._next()

        self._flying = -1
        self._flying = self._client.send(request, on_answer=answered, on_error=failed)
        self._on_change()

    def _next(self) -> None:
        self._flying = None
        pending, self._pending = self._pending, None
        if pending is not None:
            self._send(*pending)
        else:
            self._on_change()
