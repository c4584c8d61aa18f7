"""What the window may ask of the engine: frozen dataclasses that say what to compute, nothing about how.

A request with a `slot` is *replaceable*: a newer one in the slot replaces one still waiting, and no answer of an older
one is delivered after an answer of a newer one. A request whose slot is None *must finish*: it queues, reports
progress, can be cancelled, and is sent again when the engine had to be restarted.

A new kind of request is a frozen dataclass in this package, beside its answers, and a job in `engine/jobs`: two files. The module
of jobs is called as the kind begins ("map.place" is in `jobs/map.py`) and is imported with the first of its requests. Fields are
plain JSON values, tuples, or numpy arrays. This module imports neither torch nor Qt.
"""

from __future__ import annotations

import dataclasses
import enum
import typing
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from flowcore.errors import ConfigError
from flowcore.fields import is_number, shown
from flowcore.latents.latent import MODES
from flowcore.model.labels import from_json

from ..answers import Answer
from ..protocol import ProtocolError

__all__ = [
    "MAX_COUNT", "MAX_FRAMES", "Priority", "Request", "check_label", "check_latent", "check_mode", "check_number",
    "check_temperature", "check_times", "check_whole", "from_fields", "to_fields",
]  # fmt: skip

MAX_COUNT = 4096
MAX_FRAMES = 10_000

A = TypeVar("A")


class Priority(enum.IntEnum):
    """What the engine's loop serves first: the smaller number."""

    INTERACTIVE = 0
    PAGE = 1
    TOY = 2
    EXPORT = 3


class Request(Generic[A]):
    """The base of every request. Subclasses are frozen dataclasses with `eq=False` (arrays have no single equality).

    `class SamplePage(Request[PagePart])` says what it is answered with, `Request[Encoding | Encoded]` that it is the one or the
    other. A request that says nothing is answered with a `Message` of whatever its job sends.

    Class attributes, of which a subclass sets what differs (`slot` may also be a property):

    - `kind`: the name in the engine's job table, such as "explorer.page". Setting it registers the class.
    - `slot`: name of the slot, or None for a request that must finish.
    - `priority`: see `Priority`.
    - `strict`: False: answers of an older request of the slot are still delivered until a newer one has answered
      (so a drag stays live however fast it is). True: a newer request stops the older at once.
    - `patience`: having waited so many seconds, its job gets one turn before the more urgent ones.
    - `grace`: a replaced job that has answered something may run on for this many seconds from its start.
    - `adopts`: a newer request in the slot does not stop the running job; the job takes it over with `context.take()`
      and answers under the new number from then on (a trainer whose settings change).
    - `background`: does not count as busy (a trainer that plays for hours), so waiting until idle does not wait for it.
    """

    kind: ClassVar[str] = ""
    slot: ClassVar[str | None] = None
    priority: ClassVar[int] = Priority.EXPORT
    strict: ClassVar[bool] = False
    patience: ClassVar[float] = 0.1
    grace: ClassVar[float] = 0.0
    adopts: ClassVar[bool] = False
    background: ClassVar[bool] = False

    answers: ClassVar[tuple[type[Answer], ...]] = ()
    """The answers that the class line names."""

    _by_kind: ClassVar[dict[str, type[Request]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        named = tuple(_named(cls.__dict__.get("__orig_bases__", ())))
        if named:
            cls.answers = named
        if "kind" in cls.__dict__:
            known = Request._by_kind.get(cls.kind)
            if known is not None and known.__qualname__ != cls.__qualname__:
                raise TypeError(f"two kinds of request are called {cls.kind!r}")
            Request._by_kind[cls.kind] = cls


def _named(hints: tuple[Any, ...]) -> Iterator[type[Answer]]:
    """The answers in `(Request[One | Other],)`."""
    for hint in hints:
        if isinstance(hint, type) and issubclass(hint, Answer):
            yield hint
        else:
            yield from _named(typing.get_args(hint))


def to_fields(request: Request) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A request as plain JSON fields and arrays by field name."""
    fields: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for field in dataclasses.fields(request):  # type: ignore[arg-type]
        value = getattr(request, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        else:
            fields[field.name] = value
    return fields, arrays


def from_fields(kind: str, fields: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Request:
    """The request that `to_fields` took apart; lists come back as tuples.

    Raises `ProtocolError` for an unknown kind or field, `ConfigError` for a value out of range.
    """
    cls = Request._by_kind.get(kind)
    if cls is None:
        raise ProtocolError(f"no request is called {kind!r}")
    names = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    values = {name: _tuples(value) for name, value in fields.items()} | dict(arrays)
    if not set(values) <= names:
        raise ProtocolError(f"{kind!r} has no field {sorted(set(values) - names)}")
    try:
        return cls(**values)
    except TypeError as error:
        raise ProtocolError(f"{kind!r} does not fit its fields: {error}") from error


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {name: _tuples(item) for name, item in value.items()}
    return value


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}, not {shown(value)}.")


def check_number(name: str, value: Any, low: float, high: float) -> None:
    if not is_number(value) or not low <= value <= high:
        raise ConfigError(f"{name} must be a number from {low:g} to {high:g}, not {shown(value)}.")


def check_latent(name: str, value: Any) -> None:
    if not isinstance(value, np.ndarray) or value.dtype not in (np.float32, np.float64) or value.ndim != 1:
        raise ConfigError(f"{name} must be one latent of 32- or 64-bit floats.")
    if not np.isfinite(value).all():
        raise ConfigError(f"{name} holds a number that is not finite.")


def check_mode(value: Any) -> None:
    if value not in MODES:
        raise ConfigError(f"A walk is {', '.join(MODES[:-1])} or {MODES[-1]}, not {value!r}.")


def check_temperature(value: Any) -> None:
    """One number, or one a level, the finest first; how many levels there are is the model's to say."""
    for each in value if isinstance(value, tuple) else (value,):
        check_number("The temperature", each, 0.0, 10.0)


def check_label(value: Any) -> None:
    """() or ((class, weight), …), as `flowcore.model.labels` describes it."""
    if not isinstance(value, tuple) or (value and from_json([list(pair) for pair in value]) != value):
        raise ConfigError("A label must be pairs of a class and its weight, ascending by class.")


def check_times(values: Any) -> None:
    if not isinstance(values, tuple) or not 1 <= len(values) <= MAX_FRAMES:
        raise ConfigError(f"A walk has from 1 to {MAX_FRAMES} frames.")
    for value in values:
        check_number("A position on the walk", value, 0.0, 1.0)
