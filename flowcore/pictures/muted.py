"""libtiff writes what it finds damaged to the standard error output by itself, where a person gets one sentence. Torch-free."""

from __future__ import annotations

import contextlib
import os
import threading

__all__ = ["libtiff_muted"]


class _Muted:
    """While a packed TIFF is decoded, descriptor 2 leads nowhere; decoders side by side share that, the last puts it back."""

    def __init__(self) -> None:
        self._lock, self._inside, self._kept = threading.Lock(), 0, -1

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                with contextlib.suppress(OSError):
                    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
                    os.dup2(nowhere, 2)
                    os.close(nowhere)
                    self._kept = kept

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._kept >= 0:
                os.dup2(self._kept, 2)
                os.close(self._kept)
                self._kept = -1


libtiff_muted = _Muted()
