"""What a job is, and what it is given.

A job is a generator function registered under a request's kind::

    @job("toy.train", grad=True)
    def train(context, request):
        while True:
            ...                                   # at most 15 ms of work
            context.try_stream(Frame(step, points))
            newer = context.take()                # the settings were changed while it ran
            yield

It yields every 15 ms or sooner; the loop then serves whatever is most urgent and comes back. What it yields says when:

- ``None``: as soon as its turn comes;
- a number: not before that many seconds have passed (a newer request in its slot wakes it);
- ``BLOCKED``: when the window has taken a frame, or a newer request has arrived.

A job ends by returning. It never sees a cancel: the loop closes the generator at its yield, so clean up in ``finally``.
Gradients are off during a job unless it was registered with ``grad=True``; the loop sets this for each turn, so do not
hold ``torch.no_grad()`` or ``torch.enable_grad()`` open across a yield.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .answers import Answer, from_answer
from .requests.base import Request

if TYPE_CHECKING:
    import torch

    from .loop import Loop, Running
    from .models import ModelCache

__all__ = ["BLOCKED", "JOBS", "STREAM_LIMIT", "JobContext", "JobKind", "Steps", "job"]

Data = Mapping[str, Any] | None
Arrays = Mapping[str, np.ndarray] | None

STREAM_LIMIT = 2
"""How many frames of one job may be on their way to the window without having been taken there."""


class _Blocked:
    def __repr__(self) -> str:
        return "BLOCKED"


BLOCKED = _Blocked()

Steps = Generator[None | float | _Blocked, None, None]


@dataclass(frozen=True)
class JobKind:
    """An entry of the job table."""

    function: Callable[[JobContext, Any], Steps]
    grad: bool


JOBS: dict[str, JobKind] = {}
"""The job table: what runs for a request of each kind."""


def job(kind: str, *, grad: bool = False) -> Callable[[Callable[..., Steps]], Callable[..., Steps]]:
    """Register a generator function as the job for requests of a kind."""

    def register(function: Callable[..., Steps]) -> Callable[..., Steps]:
        JOBS[kind] = JobKind(function, grad)
        return function

    return register


def _parts(answer: Answer | str, data: Data, arrays: Arrays, done: bool) -> tuple[str, Any, Any, bool]:
    """(kind, data, arrays, done) as they go into a frame."""
    if isinstance(answer, Answer):
        return type(answer).__name__, *from_answer(answer), answer.done
    return answer, data or {}, arrays or {}, done


class JobContext:
    """A running job's view of the engine."""

    def __init__(self, loop: Loop, running: Running) -> None:
        self._loop, self._running = loop, running

    # Answers

    def send(self, answer: Answer | str, data: Data = None, arrays: Arrays = None, *, done: bool = False) -> None:
        """Answer the request. An answer's fields are plain JSON without NaN; its arrays are copied. For more than a few, stream.

        Of a request that declares no answers: the answer's kind, its data, its arrays, and whether it is the last.
        """
        self._loop.answer(self._running, *_parts(answer, data, arrays, done), stream=False)

    def stream(self, answer: Answer | str, data: Data = None, arrays: Arrays = None, *, done: bool = False) -> Steps:
        """Answer under flow control: ``yield from context.stream(...)`` waits until the window has room, then sends."""
        while not self.can_stream:
            yield BLOCKED
        self._loop.answer(self._running, *_parts(answer, data, arrays, done), stream=True)

    def try_stream(self, answer: Answer | str, data: Data = None, arrays: Arrays = None) -> bool:
        """Send a frame if the window has room for one, else drop it; True if it was sent."""
        if not self.can_stream:
            return False
        self._loop.answer(self._running, *_parts(answer, data, arrays, False), stream=True)
        return True

    @property
    def can_stream(self) -> bool:
        """There is room for a frame: worth asking before computing one."""
        return self._running.unacknowledged < STREAM_LIMIT

    def progress(self, fraction: float, text: str = "") -> None:
        """Report progress, from 0 to 1, and what is being done."""
        self._loop.emit(
            {"type": "progress", "id": self._running.id, "fraction": float(fraction), "text": text}
        )

    def notice(self, sentence: str) -> None:
        """Say something to the person that is no error."""
        self._loop.emit({"type": "notice", "sentence": sentence})

    # Requests

    @property
    def id(self) -> int:
        """The number under which the job answers now."""
        return self._running.id

    @property
    def cancelled(self) -> bool:
        """A cancel has arrived during this turn (the job will not get another)."""
        return self._running.cancelled

    @property
    def newer(self) -> bool:
        """A newer request waits in this job's slot."""
        return self._running.request.slot in self._loop.waiting

    def take(self) -> Request | None:
        """Adopt the newer request that waits in this job's slot, if any: answers carry its number from now on.

        For requests with `adopts`; the number they had before is over.
        """
        return self._loop.adopt(self._running)

    def latest(self, slot: str) -> Request | None:
        """The newest request that any slot has had, whether or not its job still runs."""
        return self._loop.newest.get(slot)

    # What it computes with

    def use_threads(self, count: int) -> None:
        """From the next turn on, this job's kernels take so many threads, 0 for all."""
        self._running.threads = count

    def keep_turns(self) -> None:
        """Until its first answer, no job of the same priority has a turn between this one's, once it has begun."""
        self._running.in_hand = True

    @property
    def device(self) -> torch.device:
        """The device that the person chose; it may change between two turns (out of memory, another choice)."""
        return self._loop.device

    @property
    def models(self) -> ModelCache:
        """The models that are loaded: ``context.models.get(path)``."""
        return self._loop.models

    @property
    def shared(self) -> dict[str, Any]:
        """A dictionary that lives as long as the engine, for what jobs of one kind leave for each other."""
        return self._loop.shared

    @property
    def on_device(self) -> dict[str, Any]:
        """The same for what lies in the device's memory: it is emptied when another device is taken."""
        return self._loop.on_device
