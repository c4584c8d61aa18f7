"""Is this answer still wanted? The window's one guard: a `Query` says what is wanted now, and passes on what is of use.

A slider moves faster than a model decodes. If every new value replaced the one being computed, nothing would ever be finished
during a drag; if every value were computed, the picture would lag behind the hand. So one request is on its way, and the newest
that came meanwhile follows it; or, with `each`, every value is sent at once, and in the engine's slot the newest takes the place
of one that waits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .requests.base import Request

__all__ = ["Query", "same"]

A = TypeVar("A")
Failure = Callable[[str, str], object]
"""(a sentence for the person, the traceback for the log)"""


def same(one: Request | None, other: Request | None, *names: str) -> bool:
    """Whether two requests ask the same, by value; of some fields alone where they are named."""
    if one is other:
        return True
    if one is None or other is None or type(one) is not type(other):
        return False
    chosen = names or [field.name for field in dataclasses.fields(one)]  # type: ignore[arg-type]
    return all(_equal(getattr(one, name), getattr(other, name)) for name in chosen)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one is other or (isinstance(other, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other))
    return type(one) is type(other) and one == other


class Query:
    """One thing that is wanted of the engine, and how far it is.

    Answers of an older value are passed on until a newer one has been answered (during a drag they are what there is to see),
    those of what was dropped never. With `yields`, what is on its way makes way for a newer value once it has answered something,
    and not before: a drag faster than the first answer would show nothing. `on_change` is called after each answer, after an
    error, and with progress.
    """

    def __init__(self, client: Any, on_change: Callable[[], object] = lambda: None, *, each: bool = False,
                 yields: bool = False) -> None:  # fmt: skip
        self._client, self._on_change, self._each, self._yields = client, on_change, each, yields
        self.request: Request | None = None
        """What is wanted."""
        self.busy = False
        """Whether it has not been answered in full."""
        self.error = self.details = ""
        """Why there is no answer: the sentence, and the traceback."""
        self.progress: tuple[float, str] | None = None
        """(fraction, what is being done) of what must finish."""
        self._sent: Request | None = None
        self._flying: int | None = None
        self._life = 0
        self._spoken = False
        """Whether what is on its way has answered something."""
        self._told: tuple[Callable[[Any, bool], object], Failure | None] = (lambda *_: None, None)

    def asks(self, request: Request | None) -> bool:
        """Whether `want` would ask for something else than what is wanted already."""
        return not same(request, self.request)

    def want(self, request: Request[A] | None, on_answer: Callable[[A, bool], object] = lambda *_: None,
             on_error: Failure | None = None, *, at_once: bool = False) -> bool:  # fmt: skip
        """From now on this is wanted, None for nothing; whether it was something else before. `at_once` gives up what is on its
        way: it is of no use any more. `on_answer` gets each answer, and whether it is to what is wanted now, not to an older
        value."""
        if not self.asks(request):
            return False
        if request is None or ((at_once or (self._yields and self._spoken)) and not self._each):
            self._give_up()
        self.request, self.busy, self._told = request, request is not None, (on_answer, on_error)
        self.error, self.details, self.progress = "", "", None
        self._next()
        return True

    def stop(self) -> None:
        """Give up what is on its way; it stays wanted, and what has come stands."""
        self._give_up()
        if self.busy:
            self.busy, self.progress, self._sent = False, None, self.request

    def forget(self) -> None:
        """What was wanted is to be asked again: the engine is a new one, or the person wants it anew."""
        if self._sent is not None and self._sent.slot is None:
            self._give_up()  # the client would send it again by itself
        self._life += 1
        self.request = self._sent = self._flying = self.progress = None
        self.busy, self.error, self.details = False, "", ""

    def _give_up(self) -> None:
        self._life += 1
        flying, self._flying = self._flying, None
        if flying is not None:
            self._client.cancel(flying)

    def _next(self) -> None:
        """Send what is wanted, unless it was, or must wait for what is on its way."""
        request, life = self.request, self._life
        if request is None or request is self._sent or (self._flying is not None and not self._each):
            return
        on_answer, on_error = self._told

        def over() -> None:
            if request is self._sent:
                self._flying = None
            if request is self.request:
                self.busy, self.progress = False, None

        def answered(answer: Any) -> None:
            if life != self._life:
                return
            if answer.done:
                over()
            self._spoken = not answer.done
            on_answer(answer, request is self.request)
            if self._yields and self._spoken and request is self._sent and request is not self.request:
                self._give_up()
            self._next()
            self._on_change()

        def failed(sentence: str, details: str = "") -> None:
            if life != self._life:
                return
            over()
            if request is self.request:
                self.error, self.details = sentence, details
                if on_error is not None:
                    on_error(sentence, details)
            self._next()
            self._on_change()

        def progressed(fraction: float, words: str) -> None:
            if request is self.request and life == self._life:
                self.progress = (fraction, words)
                self._on_change()

        self._sent, self._flying, self._spoken = request, -1, False
        number = self._client.send(request, on_answer=answered, on_error=failed, on_progress=progressed)
        if self._flying == -1 and self._sent is request:  # else it was answered while it was sent
            self._flying = number
