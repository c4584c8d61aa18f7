"""Requests that only tests send."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flow_explorer.engine.answers import Answer, Numbers
from flow_explorer.engine.requests.base import Priority, Request


@dataclass(frozen=True, eq=False)
class Echo(Request):
    """Answers what it was given."""

    kind = "test.echo"
    priority = Priority.INTERACTIVE

    value: object = None
    array: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Slide(Request):
    """A slider's value: some turns of work, then an answer with the value."""

    kind = "test.slide"
    slot = "test.slide"
    priority = Priority.INTERACTIVE

    value: float
    turns: int = 3


@dataclass(frozen=True, eq=False)
class StrictSlide(Slide):
    kind = "test.slide.strict"
    slot = "test.slide.strict"
    strict = True


@dataclass(frozen=True, eq=False)
class Count(Request):
    """Must finish: `turns` turns with progress, then the answer. `die_at`: kill the process there."""

    kind = "test.count"
    priority = Priority.EXPORT

    turns: int = 10
    pause: float = 0.0
    die_at: int = -1


@dataclass(frozen=True, eq=False)
class Burst(Request):
    """Streams `count` frames of `size` bytes, as fast as flow control allows."""

    kind = "test.burst"
    priority = Priority.EXPORT

    count: int
    size: int = 1


@dataclass(frozen=True, eq=False)
class Train(Request):
    """A trainer that runs until it is cancelled and takes newer requests over."""

    kind = "test.train"
    slot = "test.train"
    priority = Priority.TOY
    adopts = True
    background = True

    rate: float = 1.0


@dataclass(frozen=True, eq=False)
class Fail(Request):
    """Raises."""

    kind = "test.fail"

    how: str = "plain"


@dataclass(frozen=True, eq=False)
class Spin(Request):
    """Never yields: the engine is deaf to requests, but not to the pipe's end."""

    kind = "test.spin"


@dataclass(frozen=True, eq=False)
class Half(Answer):
    """The first of two answers."""

    number: int


@dataclass(frozen=True, eq=False)
class Whole(Answer):
    """The second."""

    values: Numbers


@dataclass(frozen=True, eq=False)
class Odd(Request[Half | Whole]):
    """Answers a half, then a frame that is `header` (its `id` filled in), then tries to answer a whole."""

    kind = "test.odd"
    priority = Priority.INTERACTIVE

    header: dict
