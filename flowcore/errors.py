"""Errors meant for a person: each one's text is a single sentence that says what was wrong and what would work.

Torch-free, so that the window's process and the command line can catch them without loading torch.
"""
from __future__ import annotations

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "FlowError",
    "NonFiniteError",
    "PictureError",
    "ProcessError",
    "UntrainedError",
    "said",
]


class FlowError(Exception):
    """Base of every error whose text may be shown to a person as it is."""


class PictureError(FlowError):
    """A picture cannot be read, or is not one."""


class DataError(FlowError):
    """A data set cannot be read, or does not fit the model."""


class CheckpointError(FlowError):
    """A checkpoint is missing, broken, hostile, or of another format version."""


class ConfigError(FlowError):
    """An architecture or a training configuration that cannot be built."""


class UntrainedError(FlowError):
    """A flow was asked to decode before it has seen any data."""


class NonFiniteError(FlowError):
    """A value became NaN or infinite; ``layer`` names where it was first seen."""

    def __init__(self, message: str, layer: str = "") -> None:
        super().__init__(message)
        self.layer = layer


class ProcessError(FlowError):
    """One of several processes that train a flow together ended, or cannot be reached."""


def said(error: BaseException, limit: int = 120) -> str:
    """What another library's error says, as a part of a sentence: its first line, short, without control characters."""
    line = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    line = "".join(c if c.isprintable() else " " for c in line).strip().rstrip(".")
    return line if len(line) <= limit else line[: limit - 1] + "…"
