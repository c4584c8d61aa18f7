"""In which numbers the coupling networks train, and whether a device is quicker in bfloat16 or only imitates it.

Where it is imitated it costs what it should save: held to AVX2, a step of Glow plus takes five times as long in bfloat16 as in
float32 (`python -m tests.benchmarks.precision`). Torch is loaded when a device is asked, so the choices are torch-free.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["PRECISIONS", "has_bfloat16", "resolve"]

PRECISIONS = ("auto", "bfloat16", "float32")
"""What a person may choose; "auto" is whichever of the others is the quicker on the device."""

_CARD = (8, 0)
"""The compute capability from which on an NVIDIA card's matrix units take bfloat16."""


def has_bfloat16(device: torch.device) -> bool:
    """Whether networks are quicker in bfloat16 on the device than in float32.

    On a processor that takes AMX, unless ONEDNN_MAX_CPU_ISA keeps oneDNN from it: AVX512-BF16 alone does not make up
    for the conversions (a step and a draft take 1.2 times as long as in float32). On an NVIDIA card it takes compute
    capability 8.0. ARM processors and Apple's graphics answer no, since nothing is known to be gained there.
    """
    import torch

    if device.type == "cuda":
        # ROCm's capabilities count otherwise, and torch says of every card that it knows that it has bfloat16.
        return torch.version.hip is not None or torch.cuda.get_device_capability(device) >= _CARD
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    # Torch says what the processor has; what oneDNN was kept from stands here alone (its guide, "CPU Dispatcher Control").
    limit = (os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or "all").lower()
    if limit not in ("all", "default") and "amx" not in limit:
        return False
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return supported is not None and bool(supported())


def resolve(precision: str, device: torch.device) -> str:
    """What of :data:`PRECISIONS` but "auto" is meant on a device. Autocast is used on processors and CUDA alone."""
    if device.type not in ("cpu", "cuda"):
        return "float32"
    if precision != "auto":
        return precision
    return "bfloat16" if has_bfloat16(device) else "float32"
