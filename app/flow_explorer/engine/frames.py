"""What the engine says to the window, a dataclass for each `type` of frame, read with the same checks as an answer's fields.

The engine writes them as plain headers; `read` is the window's. Neither torch nor Qt here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .answers import read_as
from .protocol import ProtocolError

__all__ = ["AnswerFrame", "DeviceFrame", "ErrorFrame", "HelloFrame", "Info", "NoticeFrame", "OverFrame", "PongFrame",
           "ProgressFrame", "ReadyFrame", "read"]  # fmt: skip


@dataclass(frozen=True)
class HelloFrame:
    """The engine listens; torch is not loaded yet."""


@dataclass(frozen=True)
class PongFrame:
    """The loop turns: it was called by a frame of the type "ping"."""


@dataclass(frozen=True)
class Info:
    """What the engine is; `devices` as `{"id", "title"}`, the CPU first."""

    devices: tuple[dict[str, str], ...]
    device: str
    versions: dict[str, str]


@dataclass(frozen=True)
class ReadyFrame:
    """torch is loaded."""

    info: Info


@dataclass(frozen=True)
class DeviceFrame:
    """What is computed on from now on."""

    device: str


@dataclass(frozen=True)
class NoticeFrame:
    """A sentence for the person."""

    sentence: str


@dataclass(frozen=True)
class AnswerFrame:
    """A job's answer. `kind` and `data` are the answer's class and fields (see `answers`), or, of a request that declares none,
    what the job named and sent. A frame of a `stream` is to be acknowledged."""

    id: int
    kind: str
    data: dict[str, Any]
    done: bool
    stream: bool = False


@dataclass(frozen=True)
class ProgressFrame:
    """How far a request is, from 0 to 1, and what is being done."""

    id: int
    fraction: float
    text: str = ""


@dataclass(frozen=True)
class ErrorFrame:
    """A request failed: a sentence for the person, and the traceback."""

    id: int
    sentence: str
    traceback: str = ""


@dataclass(frozen=True)
class OverFrame:
    """Nothing more comes to this request."""

    id: int


Told = HelloFrame | PongFrame | ReadyFrame | DeviceFrame | NoticeFrame | AnswerFrame | ProgressFrame | ErrorFrame | OverFrame

_TYPES: dict[str, type[Told]] = {
    "hello": HelloFrame, "ready": ReadyFrame, "device": DeviceFrame, "notice": NoticeFrame, "answer": AnswerFrame,
    "pong": PongFrame, "progress": ProgressFrame, "error": ErrorFrame, "over": OverFrame,
}  # fmt: skip


def read(header: Mapping[str, Any]) -> Told:
    """The frame that this header says. Raises `ProtocolError` for an unknown type, or for fields that do not fit it."""
    type_ = header.get("type")
    cls = _TYPES.get(type_) if isinstance(type_, str) else None
    if cls is None:
        raise ProtocolError(f"the engine said something of the type {type_!r}, which this version does not know")
    return read_as(cls, header, {})
