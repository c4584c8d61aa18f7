"""Invertible layers, one a file, each with the same two verbs: ``encode(x) -> z, log_det`` and ``decode(z) -> x``."""
from __future__ import annotations

from .actnorm import ActNorm
from .base import Bijection, Chain
from .coupling import AdditiveCoupling, AffineCoupling
from .dequantise import VariationalDequantisation, dequantise
from .diagonal import DiagonalScale
from .equalise import Equalise
from .flatten import Flatten
from .haar import HaarSqueeze
from .householder import Householder
from .linear import InvertibleLinear, LULinear
from .logit import Logit
from .masks import ChannelMask, CheckerboardMask, Mask, channel_cycle, half
from .permutation import Permutation
from .rescale import Rescale
from .rotation import Rotation
from .spline import RationalQuadraticCoupling
from .split import Split
from .squeeze import Squeeze

__all__ = [
    "ActNorm",
    "AdditiveCoupling",
    "AffineCoupling",
    "Bijection",
    "Chain",
    "ChannelMask",
    "CheckerboardMask",
    "DiagonalScale",
    "Equalise",
    "Flatten",
    "HaarSqueeze",
    "Householder",
    "InvertibleLinear",
    "LULinear",
    "Logit",
    "Mask",
    "Permutation",
    "RationalQuadraticCoupling",
    "Rescale",
    "Rotation",
    "Split",
    "Squeeze",
    "VariationalDequantisation",
    "channel_cycle",
    "dequantise",
    "half",
]
