"""What differs from device to device, said once: float64 that Apple's graphics have not, and TF32 that NVIDIA's have.

Nothing is computed here, and nothing that a step does asks more than the device's type.
"""
from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["full_float32", "has_float64", "on_host", "to_float64"]


def has_float64(device: torch.device) -> bool:
    """Whether tensors of a device can be float64."""
    return device.type != "mps"


def to_float64(tensor: Tensor) -> Tensor:
    """In float64 on its own device, or on the CPU where that has none; ``.to(tensor)`` leads back from both."""
    return tensor.double() if has_float64(tensor.device) else tensor.cpu().double()


def on_host(tensor: Tensor) -> Tensor:
    """In float64 on the CPU: fetched first, converted then, since not every device could do it the other way round."""
    return tensor.cpu().double()


_float32_is_full = False


def full_float32() -> None:
    """Let float32 be float32 on NVIDIA cards: no TF32, which keeps ten bits of the mantissa, for convolutions and products.

    It is a setting of the process. The first call makes it; whoever turns TF32 on again afterwards keeps it. A flow that is
    moved to a card makes it, since its exactness and its log-det need all bits.
    """
    global _float32_is_full
    if _float32_is_full:
        return
    _float32_is_full = True
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
