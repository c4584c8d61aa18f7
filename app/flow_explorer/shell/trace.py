"""``--trace FILE``: what happened when, one JSON object a line: ``{"time": seconds since the start, "event": ...}``."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any, TextIO

from flowcore.errors import ConfigError


class Trace:
    """Writes lines as they come, so that a crash loses none; without a file it does nothing."""

    def __init__(self, path: str | Path | None = None, started: float | None = None) -> None:
        """Open ``path`` ("-" is the standard error output); ``started`` is a ``time.perf_counter()``.

        Raises ConfigError when the file cannot be written.
        """
        self.started = time.perf_counter() if started is None else started
        self._file: TextIO | None = None
        if path is not None and str(path) == "-":
            import sys

            self._file = sys.stderr
        elif path is not None:
            try:
                self._file = open(path, "w", encoding="utf-8", buffering=1)  # noqa: SIM115
            except OSError as error:
                raise ConfigError(f"The trace cannot be written to {path} ({error.strerror}).") from error

    @property
    def wanted(self) -> bool:
        """Whether anybody reads it: what costs something to find out is only then found out."""
        return self._file is not None

    def __call__(self, event: str, **data: Any) -> None:
        """Write one line."""
        if self._file is not None:
            line = {"time": round(time.perf_counter() - self.started, 6), "event": event, **data}
            with contextlib.suppress(OSError):  # a full disk, a terminal that is gone: the window goes on
                self._file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")

    def close(self) -> None:
        """Close the file."""
        import sys

        if self._file is not None and self._file is not sys.stderr:
            self._file.close()
        self._file = None
