"""The mathematics of Flow Explorer: invertible models of pictures and points, exact likelihood, z and back.

Names are imported lazily (PEP 562): ``import flowcore`` loads neither torch nor numpy, so that a process which only
reads pictures or cards stays light.
"""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_LAZY = {
    "Flow": "flow",
    "Level": "flow",
    "Step": "flow",
    "nice": "models",
    "realnvp": "models",
    "glow": "models",
    "glow_plus": "models_plus",
    "spline": "models",
    "build": "models",
    "save": "checkpoint",
    "load": "checkpoint",
    "FlowError": "errors",
}

__all__ = ["__version__", *_LAZY]

if TYPE_CHECKING:
    from .checkpoint import load, save
    from .errors import FlowError
    from .flow import Flow, Level, Step
    from .models import build, glow, nice, realnvp, spline
    from .models_plus import glow_plus


def __getattr__(name: str):
    if name in _LAZY:
        return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
