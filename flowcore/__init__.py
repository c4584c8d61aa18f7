"""The mathematics of Flow Explorer: invertible models of pictures and points, exact likelihood, z and back.

Names are imported lazily (PEP 562): ``import flowcore`` loads neither torch nor numpy, so that a process which only
reads pictures or cards stays light.
"""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_LAZY = {
    "Flow": "model.flow",
    "Level": "model.flow",
    "Step": "model.flow",
    "nice": "model.systems",
    "realnvp": "model.systems",
    "glow": "model.systems",
    "glow_plus": "model.models_plus",
    "spline": "model.systems",
    "build": "model.systems",
    "save": "model.checkpoint",
    "load": "model.checkpoint",
    "register_system": "model.registry",
    "register_prior": "model.priors",
    "export_decoder": "model.exporting",
    "save_onnx": "model.exporting",
    "FlowError": "errors",
}

__all__ = ["__version__", *_LAZY]

if TYPE_CHECKING:
    from .errors import FlowError
    from .model.checkpoint import load, save
    from .model.exporting import export_decoder, save_onnx
    from .model.flow import Flow, Level, Step
    from .model.models_plus import glow_plus
    from .model.priors import register_prior
    from .model.registry import register_system
    from .model.systems import build, glow, nice, realnvp, spline


def __getattr__(name: str):
    if name in _LAZY:
        return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
