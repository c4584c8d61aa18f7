"""Files replaced as a whole or not at all."""
from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["make_private", "open_private", "replacing"]


@contextmanager
def replacing(
    path: str | os.PathLike[str], *, ending: str = ".part", durable: bool = True, private: bool = False
) -> Iterator[Path]:
    """Gives a temporary path beside ``path``; on success it takes ``path``'s place, on failure nothing is left behind.

    A link is followed: what it points to is replaced. An existing file keeps its permissions; one that is ``private`` is its
    owner's alone, whatever it was before. ``ending`` is how the temporary name ends, for writers that choose the format by it.

    Where ``durable``, the bytes are on disk before the name changes, and the change of name before this returns, so a crash or
    power cut leaves the old file or the new one, and the new one once this has returned; without, that holds for the end of
    the process alone.

    Raises:
        OSError: where it cannot be written, or where a folder, a pipe or a device stands: replacing would remove it.
        ValueError: if the path is no file name.
    """
    target = Path(os.path.realpath(path))
    try:
        before = target.stat().st_mode
    except FileNotFoundError:
        before = None
    if before is not None and not stat.S_ISREG(before):
        number, what = (errno.EISDIR, "a folder") if stat.S_ISDIR(before) else (errno.EINVAL, "a pipe or a device")
        raise OSError(number, f"it is {what}; choose a file name", str(path))
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(6)}{ending}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if private else 0o666))
    try:
        permissions = stat.S_IMODE(before if before is not None and not private else temporary.stat().st_mode)
        yield temporary
        if durable:
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
        os.chmod(temporary, permissions)
        os.replace(temporary, target)
        if durable:
            _name_is_kept(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _name_is_kept(folder: Path) -> None:
    """Wait until the disk has the names of a folder, where the system lets folders be opened, and the disk knows of it."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def open_private(path: str | os.PathLike[str], mode: str = "a", encoding: str | None = "utf-8") -> IO:
    """Open a file that only its owner may read, one that is there already too; no text is refused by it. Raises OSError."""
    errors = None if "b" in mode else "backslashreplace"
    file = open(path, mode, encoding=encoding, errors=errors, opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115
    if hasattr(os, "fchmod"):
        with contextlib.suppress(OSError):  # another person's file, or a disk that knows no permissions
            os.fchmod(file.fileno(), 0o600)
    return file


def make_private(path: str | os.PathLike[str]) -> None:
    """Let only its owner read a file that is there, if it is one; a link's target stays as it is."""
    with contextlib.suppress(OSError):
        if stat.S_ISREG(os.lstat(path).st_mode):
            os.chmod(path, 0o600)
