"""Devices that are not there: tensors that say "cuda:0" or "mps:0", compute on the CPU, and refuse what such a device refuses."""

from __future__ import annotations

from .device import Pretence, PretendTensor, WaitedError, no_waiting, pretend
from .kernels import has_mps_kernel

__all__ = ["PretendTensor", "Pretence", "WaitedError", "has_mps_kernel", "no_waiting", "pretend"]
