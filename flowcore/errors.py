"""Errors meant for a person: each one's text is a single sentence that says what was wrong and what would work.

Torch-free, so that the window's process and the command line can catch them without loading torch.
"""
from __future__ import annotations

__all__ = [
    "FlowError",
    "PictureError",
    "DataError",
    "CheckpointError",
    "ConfigError",
    "UntrainedError",
    "NonFiniteError",
    "ProcessError",
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
