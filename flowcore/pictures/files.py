"""Reading files that somebody names: regular ones alone, and of a bounded size."""
from __future__ import annotations

import os
import stat
from pathlib import Path

from ..errors import PictureError

__all__ = ["MAX_FILE_BYTES", "read_file"]

MAX_FILE_BYTES = 512 * 2**20
"""Larger files are refused before they are read, in bytes."""


def read_file(path: str | os.PathLike[str], name: str | None = None, limit: int = MAX_FILE_BYTES) -> bytes:
    """Read a regular file's bytes without ever blocking on a FIFO or a device.

    Raises:
        PictureError: for a missing file, a directory, a FIFO, a device, one that may not be read or is too
        large.
    """
    name = name or Path(path).name or str(path)
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to would otherwise wait for ever; then ask what it is.
        flags = (
            os.O_RDONLY
            | getattr(os, "O_NONBLOCK", 0)
            | getattr(os, "O_BINARY", 0)
            | getattr(os, "O_CLOEXEC", 0)
        )
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise PictureError(_unopened_sentence(path, name, error)) from error
    try:
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISDIR(status.st_mode):
                raise PictureError(_directory_sentence(name))
            if not stat.S_ISREG(status.st_mode):
                raise PictureError(
                    f"{name} is a pipe or a device, not a picture file: choose a file on disk."
                )
            if status.st_size > limit:
                raise PictureError(
                    f"{name} is {status.st_size / 2**20:,.0f} MiB; "
                    f"pictures up to {limit / 2**20:,.0f} MiB can be read."
                )
            return file.read()
    except IsADirectoryError as error:
        raise PictureError(_directory_sentence(name)) from error
    except OSError as error:
        raise PictureError(f"{name} cannot be read: {error.strerror or error}.") from error


def _unopened_sentence(path: str | os.PathLike[str], name: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"There is no file {os.fspath(path)}: check the name, or choose another picture."
    if isinstance(error, IsADirectoryError) or os.path.isdir(path):
        return _directory_sentence(name)
    if isinstance(error, PermissionError):
        return f"{name} may not be read: its permissions do not allow it."
    return f"{name} cannot be opened: {getattr(error, 'strerror', None) or error}."


def _directory_sentence(name: str) -> str:
    return f"{name} is a folder, not a picture: choose a file in it."
