"""Work that is done in steps, a generator's, so that other work can go between. Torch-free.

What a step yields says when the next is due: None at once, a number not before so many seconds.
"""
from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

__all__ = ["LOOK_IN_S", "Stopped", "beside", "finish", "parts"]

T = TypeVar("T")
LOOK_IN_S = 0.005
"""How often it is looked whether a thread is through."""


class Stopped(Exception):
    """Nobody waits any more for what a thread does."""


def finish(steps: Generator[Any, Any, T]) -> T:
    """Run a generator to its end and give what it returns."""
    left = parts(steps)
    while True:
        try:
            next(left)
        except StopIteration as stop:
            return stop.value


def parts(steps: Generator[Any, Any, T]) -> Generator[Any, None, T]:
    """Run a generator to its end, passing on what it yields beside the times at which it is due."""
    while True:
        try:
            due = next(steps)
        except StopIteration as stop:
            return stop.value
        if isinstance(due, float):
            time.sleep(due)
        elif due is not None:
            yield due


def beside(
    work: Callable[[Callable[..., None]], T],
    tell: Callable[..., None] = lambda *_now: None,
    started: Callable[[threading.Thread], None] = lambda _thread: None,
) -> Generator[float, None, T]:
    """What ``work(told)`` returns or raises, done in a thread: reading files, or numpy at a stretch.

    What the thread says with ``told(…)`` comes to ``tell`` here, the newest alone. Once this generator is closed, its next
    ``told`` raises `Stopped`; a thread that says nothing goes on to its end, and ``started`` was given it to wait for.
    """
    said: list[tuple] = []
    box: list[tuple[T | None, BaseException | None]] = []
    closed = threading.Event()

    def told(*now: Any) -> None:
        if closed.is_set():
            raise Stopped
        said[:] = [now]

    def run() -> None:
        try:
            box.append((work(told), None))
        except BaseException as error:  # it is raised again where it is waited for
            box.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    started(thread)
    thread.start()
    try:
        while thread.is_alive():
            if said:
                tell(*said.pop())
            yield LOOK_IN_S
    finally:
        closed.set()
    value, error = box[0]
    if error is not None:
        raise error
    return value  # type: ignore[return-value]
