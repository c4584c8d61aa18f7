"""A limit for what a description makes: no more parameters than the file that it came with holds."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from ..errors import ConfigError

__all__ = ["Room", "at_most"]


@dataclass(frozen=True)
class Room:
    """So many parameter tensors, and so many numbers in all of them together."""

    tensors: int
    numbers: int


@contextmanager
def at_most(room: Room) -> Iterator[None]:
    """Refuses, while modules are made in this thread, the first parameter for which there is no room.

    On the meta device a parameter costs no memory, but a card of a million layers would cost minutes.

    Raises:
        ConfigError: for that parameter.
    """
    thread, tensors, numbers = threading.get_ident(), 0, 0

    def count(_module: nn.Module, _name: str, parameter: Tensor | None) -> None:
        nonlocal tensors, numbers
        if parameter is None or threading.get_ident() != thread:
            return
        tensors, numbers = tensors + 1, numbers + parameter.numel()
        if tensors > room.tensors or numbers > room.numbers:
            raise ConfigError(
                f"it calls for more weights than the {room.tensors:,} tensors of {room.numbers:,} numbers that are there."
            )

    handle = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()
