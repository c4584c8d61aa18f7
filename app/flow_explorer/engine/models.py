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
    """The last models used, two of them, read again when the file on disk has changed."""

    def __init__(self, device: Callable[[], torch.device], capacity: int = CAPACITY) -> None:
        self._device, self._capacity = device, capacity
        self._loaded: OrderedDict[tuple, Any] = OrderedDict()

    def get(self, model: str) -> Any:
        """`flowcore.model.checkpoint.Loaded` of a bundled name, checkpoint or run folder, on the chosen device.

        Raises `CheckpointError`.
        """
        from flowcore.model import checkpoint

        device = self._device()
        path = resolve_model(model)
        status = os.stat(path)
        key = (os.path.abspath(path), str(device), status.st_mtime_ns, status.st_size, status.st_ino)
        loaded = self._loaded.get(key)
        if loaded is None:
            loaded = checkpoint.load(path, device=device)
            self._loaded[key] = loaded
            while len(self._loaded) > self._capacity:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return loaded

    def clear(self) -> None:
        """Forget them all (the device has changed, or is full)."""
        self._loaded.clear()

