"""The readers, a file each: ``TARGETS``, a list of :class:`~tests.fuzz.harness.Target`."""

from __future__ import annotations

import importlib
import pkgutil

from tests.fuzz.harness import Target

__all__ = ["all_targets"]


def all_targets() -> list[Target]:
    """Of every file of this folder."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return [target for name in names for target in importlib.import_module(f"{__name__}.{name}").TARGETS]
