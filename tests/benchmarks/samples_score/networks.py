"""What both small networks are made of: convolutions that halve the picture, and how pictures go in."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["batches", "floats", "mirrored", "trunk", "trunk_outputs"]

WIDTHS = (32, 64, 128, 128)
"""Channels after each halving; further ones keep the last."""
LEAST_SIDE = 4
BATCH = 64


def floats(pictures: np.ndarray) -> Tensor:
    """uint8 (N, H, W, C) -> (N, C, H, W) in [−0.5, 0.5]. Samples and pictures both come this way, rounded to bytes."""
    if pictures.dtype != np.uint8:
        raise TypeError(f"pictures are uint8, not {pictures.dtype}")
    return torch.from_numpy(np.array(pictures, order="C")).permute(0, 3, 1, 2).float() / 255 - 0.5


def _halvings(shape: tuple[int, ...]) -> list[int]:
    side, widths = min(shape[:2]), []
    while side > LEAST_SIDE:
        widths.append(WIDTHS[min(len(widths), len(WIDTHS) - 1)])
        side = (side + 1) // 2
    return widths


def trunk(shape: tuple[int, ...]) -> nn.Sequential:
    """Of pictures (H, W, C): convolutions of stride 2, each with batch normalization, down to a side of 4."""
    layers, before = [], shape[2]
    for width in _halvings(shape):
        layers += [nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        before = width
    return nn.Sequential(*layers, nn.Flatten())


def trunk_outputs(shape: tuple[int, ...]) -> int:
    """How many numbers a trunk gives a picture."""
    height, width, channels = shape
    for channels in _halvings(shape):  # noqa: B007 - the last one counts
        height, width = (height + 1) // 2, (width + 1) // 2
    return height * width * channels


def batches(rng: np.random.Generator, count: int) -> list[np.ndarray]:
    """All of ``count`` rows once, in batches in a new order; none of a single row, which cannot be normalized."""
    return np.array_split(rng.permutation(count), max(1, count // BATCH))


def mirrored(x: Tensor) -> Tensor:
    """Each picture (N, C, H, W) with left and right changed or not, as torch's seed has it."""
    return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
