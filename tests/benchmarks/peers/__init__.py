"""One file a library: how its parts make the flows that are measured, behind one set of verbs."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from .base import Model

__all__ = ["GLOW_PEERS", "SPLINE_PEERS", "TOY_PEERS", "GlowSize", "Model", "glow", "toy"]

GLOW_PEERS = ("normflows", "nflows", "FrEIA")
TOY_PEERS = ("FrEIA", "nflows", "normflows", "zuko")
SPLINE_PEERS = ("nflows", "normflows", "zuko")
"""FrEIA's release on the package index has no splines."""


@dataclass(frozen=True)
class GlowSize:
    """What a Glow is made of; the defaults are the benchmark's."""

    shape: tuple[int, int, int] = (3, 32, 32)
    levels: int = 3
    steps: int = 8
    width: int = 256


def _module(library: str):
    return importlib.import_module(f".{library.lower()}_flows", __name__)


def glow(library: str, size: GlowSize = GlowSize()) -> Model:
    """A Glow of pictures in pixel units, [0, 256), from the parts of ``library`` ("flowcore" for ours)."""
    return _module(library).glow(size)


def toy(library: str, coupling: str = "affine", depth: int = 8, width: int = 64) -> Model:
    """``depth`` couplings of the plane, "affine" or "spline" (rational-quadratic, 8 bins), each with an MLP of 2 × ``width``."""
    return _module(library).toy(coupling, depth, width)
