"""What sessions name by key, in folders beside them: a file a key, written once, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from flow_explorer.shell.kept_files import KEY
from flowcore.atomic import replacing
from flowcore.regular import read_regular

__all__ = ["YOUNG_S", "ContentFiles"]

MAX_BYTES = 512 * 2**20
YOUNG_S = 3600
"""What was needed within the last hour stays, named or not: another window may be about to write a session that names it."""


class ContentFiles:
    """Files of a folder, named by key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sure: set[str] = set()
        """Keys whose files this process has written, or found as they should be."""

    def write(self, keys: set[str], contents: Callable[[str], bytes]) -> None:
        """Put these contents on disk. Raises OSError, for the first that cannot be written, once all others are."""
        failed: OSError | None = None
        for key in sorted(keys - self._sure):
            try:
                self._write_one(key, contents)
            except OSError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _write_one(self, key: str, contents: Callable[[str], bytes]) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, data = self.folder / key, contents(key)
        if self.read(key) == data:
            with contextlib.suppress(OSError):  # another person's file, which nobody here removes
                os.utime(path)
        else:
            if path.is_dir() and not path.is_symlink():
                path.rename(path.with_name(f"{key}-odd-{os.getpid()}"))
            with replacing(path, private=True) as temporary:
                temporary.write_bytes(data)
        self._sure.add(key)

    def read(self, key: str) -> bytes | None:
        """The bytes under a key, None where there are none that can be read."""
        if not KEY.fullmatch(key):
            return None
        try:
            return read_regular(self.folder / key, MAX_BYTES)
        except OSError:
            return None

    def remove(self, keys: set[str]) -> None:
        """Remove these, if they are there."""
        for key in keys:
            if KEY.fullmatch(key):
                with contextlib.suppress(OSError):
                    (self.folder / key).unlink(missing_ok=True)
            self._sure.discard(key)

    def remove_unnamed(self, named: set[str]) -> None:
        """Remove what is not among these keys, except what is young."""
        before = time.time() - YOUNG_S
        with contextlib.suppress(OSError):
            for path in list(self.folder.iterdir()):
                if KEY.fullmatch(path.name) and path.name not in named and path.lstat().st_mtime < before:
                    path.unlink()
                    self._sure.discard(path.name)
