"""The models that the engine keeps loaded."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch

from flow_explorer.assets import resolve_model

__all__ = ["ModelCache"]

CAPACITY = 2


class ModelCache:
    """The last models used, two of them, and those that are held; read again when the file on disk has changed."""

    def __init__(self, device: Callable[[], torch.device], capacity: int = CAPACITY) -> None:
        self._device, self._capacity = device, capacity
        self._loaded: OrderedDict[tuple, Any] = OrderedDict()
        self._held: dict[str, tuple[tuple, Any]] = {}

    def get(self, model: str, hold: str = "") -> Any:
        """`flowcore.model.checkpoint.Loaded` of a bundled name, checkpoint or run folder, on the chosen device.

        With `hold`, a name, it stays until another is held under that name or `release`, and takes no other model's place.

        Raises `CheckpointError`.
        """
        from flowcore.model import checkpoint

        device = self._device()
        path = resolve_model(model)
        status = os.stat(path)
        key = (os.path.abspath(path), str(device), status.st_mtime_ns, status.st_size, status.st_ino)
        loaded = self._loaded.get(key) or dict(self._held.values()).get(key)
        if hold and loaded is None:
            self._held.pop(hold, None)  # before the next is there: never two where one is held
        known, loaded = loaded is not None, loaded or checkpoint.load(path, device=device)
        if hold:
            self._held[hold] = (key, loaded)
        if hold or (known and key not in self._loaded):
            return loaded
        if not known:
            self._loaded[key] = loaded
            while len(self._loaded) > self._capacity:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return loaded

    def release(self, hold: str) -> None:
        """Let go of what is held under a name."""
        self._held.pop(hold, None)

    def clear(self) -> None:
        """Forget them all (the device has changed, or is full)."""
        self._loaded.clear()
        self._held.clear()

