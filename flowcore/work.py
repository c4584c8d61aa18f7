"""Work that is done in steps, a generator's, so that other work can go between. Torch-free."""
from __future__ import annotations

from collections.abc import Generator
from typing import Any

__all__ = ["finish"]


def finish(steps: Generator) -> Any:
    """Run a generator to its end and give what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
