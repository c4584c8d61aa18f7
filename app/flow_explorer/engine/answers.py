"""Answers: frozen dataclasses that jobs send and the window's links are given, and the one place that makes frames of them.

A field is a plain JSON value, a tuple, an array, another dataclass, or one of several of these. As a frame an answer is the name
of its class, its fields as JSON, and its arrays, each of which stands in the fields as the name under which it travels. What is
read is checked against the fields' annotations: a frame that does not fit raises `ProtocolError` and nothing else, so that no
link ever sees half an answer. A field with a default may be missing, and a field that this version does not know is passed over.

This module imports neither torch nor Qt.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, Union

import numpy as np

from .protocol import ProtocolError

__all__ = [
    "Answer", "Array", "Counts", "Indices", "Map", "Numbers", "Picture", "Pictures", "Points", "Rows", "Z", "from_answer",
    "read_as", "same_length", "to_answer",
]  # fmt: skip

T = TypeVar("T")
Reader = Callable[[Any, Mapping[str, np.ndarray]], Any]


@dataclass(frozen=True, eq=False)
class Answer:
    """The base of every answer. Subclasses are frozen dataclasses with `eq=False` (arrays have no single equality)."""

    done: bool = dataclasses.field(default=False, kw_only=True)
    """Whether it is the last to its request."""


@dataclass(frozen=True)
class Array:
    """What an array in an answer is: how many axes, and of which dtypes."""

    ndim: int
    dtypes: tuple[str, ...]


Picture = Annotated[np.ndarray, Array(3, ("uint8",))]
"""uint8 (H, W, C)"""
Pictures = Annotated[np.ndarray, Array(4, ("uint8",))]
"""uint8 (n, H, W, C)"""
Z = Annotated[np.ndarray, Array(1, ("float32", "float64"))]
"""float32 or float64 (D,)"""
Rows = Annotated[np.ndarray, Array(2, ("float32", "float64"))]
"""float32 or float64 (n, D)"""
Map = Annotated[np.ndarray, Array(2, ("float32", "float64"))]
"""float32 or float64 (h, w): a number a pixel or a place"""
Points = Annotated[np.ndarray, Array(2, ("float32", "float64"))]
"""float32 or float64 (n, k): places, ranges, or another few numbers each"""
Numbers = Annotated[np.ndarray, Array(1, ("float32", "float64"))]
"""float32 or float64 (n,)"""
Counts = Annotated[np.ndarray, Array(1, ("int32", "int64"))]
"""int32 or int64 (n,)"""
Indices = Annotated[np.ndarray, Array(2, ("int32", "int64"))]
"""int32 or int64 (n, k)"""


def same_length(*values: Sequence[Any] | np.ndarray) -> None:
    """For an answer's `__post_init__`: raises `ProtocolError` unless all of these are of one length."""
    if len({len(value) for value in values}) > 1:
        raise ProtocolError(f"what belongs together is of {', '.join(str(len(value)) for value in values)} parts")


# Written


def from_answer(answer: Answer) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """An answer's fields as plain JSON, and its arrays by the names that stand for them there."""
    arrays: dict[str, np.ndarray] = {}
    return _packed(answer, "", arrays), arrays


_PLAIN = frozenset({str, int, float, bool, type(None)})


def _packed(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return name
    if isinstance(value, tuple | list):
        return [item if type(item) in _PLAIN else _packed(item, f"{name}.{number}", arrays) for number, item in enumerate(value)]
    if dataclasses.is_dataclass(value):
        before, names = f"{name}." if name else "", [field.name for field in dataclasses.fields(value)]
        return {each: _packed(getattr(value, each), before + each, arrays) for each in names}
    return value


# Read


def to_answer(kinds: Sequence[type[Answer]], kind: str, fields: Any, arrays: Mapping[str, np.ndarray]) -> Answer:
    """The answer that `from_answer` took apart, if it is one of `kinds`, by the class's name. Raises `ProtocolError`."""
    for cls in kinds:
        if cls.__name__ == kind:
            return read_as(cls, fields, arrays)
    raise ProtocolError(f"{kind!r} is none of the answers that were expected: {', '.join(cls.__name__ for cls in kinds)}")


def read_as(cls: type[T], fields: Any, arrays: Mapping[str, np.ndarray]) -> T:
    """A dataclass of plain fields that fit its annotations. Raises `ProtocolError`."""
    return _reader(cls)(fields, arrays)


def _odd(value: Any, what: object) -> ProtocolError:
    said = repr(value)
    return ProtocolError(f"{said if len(said) <= 80 else said[:79] + '…'} is not {getattr(what, '__name__', what)}")


@cache
def _reader(hint: Any) -> Reader:
    """What reads a value of this annotation; made once for each."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _array(parts[1])
    if origin in (Union, types.UnionType):
        return _one_of(hint, [_reader(part) for part in parts])
    if origin is tuple:
        return _tuple(hint, [_reader(part) for part in parts if part is not ...], endless=... in parts)
    if origin is dict:
        return _dict(hint, _reader(parts[1]))
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint)
    if hint is Any:
        return lambda value, _arrays: value
    if hint in (None, type(None), bool, int, float, str, dict):
        return _plain(hint)
    raise TypeError(f"an answer cannot have a field of {hint!r}")


def _plain(hint: Any) -> Reader:
    kind = type(None) if hint is None else hint

    def read(value: Any, _arrays: Mapping[str, np.ndarray]) -> Any:
        if type(value) is kind:
            return value
        if kind is float and type(value) is int and abs(value) <= 2**1000:
            return float(value)
        raise _odd(value, hint)

    return read


def _array(about: Array) -> Reader:
    def read(value: Any, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        array = arrays.get(value) if isinstance(value, str) else None
        if array is None:
            raise _odd(value, "the name of an array")
        if array.ndim != about.ndim or array.dtype.name not in about.dtypes:
            raise ProtocolError(f"array {value!r} is {array.dtype.name} {array.shape}, not {' or '.join(about.dtypes)} of "
                                f"{about.ndim} axes")  # fmt: skip
        return array

    return read


def _one_of(hint: Any, readers: Sequence[Reader]) -> Reader:
    def read(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
        for reader in readers:
            try:
                return reader(value, arrays)
            except ProtocolError:
                continue
        raise _odd(value, hint)

    return read


def _tuple(hint: Any, readers: Sequence[Reader], endless: bool) -> Reader:
    def read(value: Any, arrays: Mapping[str, np.ndarray]) -> tuple:
        if not isinstance(value, list | tuple) or (not endless and len(value) != len(readers)):
            raise _odd(value, hint)
        if endless:
            return tuple(readers[0](item, arrays) for item in value)
        return tuple(reader(item, arrays) for reader, item in zip(readers, value, strict=True))

    return read


def _dict(hint: Any, reader: Reader) -> Reader:
    def read(value: Any, arrays: Mapping[str, np.ndarray]) -> dict:
        if not isinstance(value, dict):
            raise _odd(value, hint)
        return {name: reader(item, arrays) for name, item in value.items()}

    return read


def _dataclass(cls: Any) -> Reader:
    hints = typing.get_type_hints(cls, include_extras=True)
    none = dataclasses.MISSING
    known = [(field.name, _reader(hints[field.name]), field.default is none and field.default_factory is none)
             for field in dataclasses.fields(cls)]  # fmt: skip

    def read(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
        if not isinstance(value, dict):
            raise _odd(value, cls)
        found = {}
        for name, reader, needed in known:
            if name in value:
                try:
                    found[name] = reader(value[name], arrays)
                except ProtocolError as error:
                    raise ProtocolError(f"{cls.__name__}.{name}: {error}") from None
            elif needed:
                raise ProtocolError(f"{cls.__name__} lacks its {name}")
        return cls(**found)

    return read
