"""The invertible 1×1 convolution: a permutation, a rotation that contains it, and W as a bundled Glow has learned it."""
from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass

import numpy as np

from ..errors import CheckpointError
from ..model.card import read_card, read_header

__all__ = ["LU_BOUND", "Learned", "apply", "log_det", "permutation", "read_learned", "rotation"]

LU_BOUND = 3.0
"""``LULinear`` keeps the logarithms of its diagonal within ± so much."""
_MAX_CHANNELS = 64


def permutation() -> np.ndarray:
    """The permutation that takes (3, 1, 2) to (1, 2, 3), as a matrix (3, 3)."""
    return np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


def rotation(degrees: float) -> np.ndarray:
    """The rotation of (red, green, blue) about the grey axis (1, 1, 1), (3, 3); at 120° it *is* ``permutation()``.

    Rodrigues' formula. Greys stay as they are, since they lie on the axis.
    """
    angle = math.radians(-degrees)
    axis = np.full(3, 1 / math.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return math.cos(angle) * np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * np.outer(axis, axis)


def apply(weight: np.ndarray, x: np.ndarray) -> np.ndarray:
    """z[:, i, j] = W x[:, i, j] for x (C, H, W)."""
    return np.tensordot(weight, x, axes=1)


def log_det(weight: np.ndarray, height: int, width: int) -> float:
    """h · w · log |det W| in nats."""
    return height * width * float(np.linalg.slogdet(weight)[1])


@dataclass(frozen=True)
class Learned:
    """A learned 1×1 convolution: W = P L (U + diag(sign · exp(s))) in float64, and log |det W| = Σ s."""

    weight: np.ndarray
    log_diagonal: np.ndarray
    layer: int

    @property
    def log_abs_det(self) -> float:
        """Σ s in nats."""
        return float(self.log_diagonal.sum())

    @property
    def det(self) -> float:
        """det W, with its sign."""
        return float(np.linalg.det(self.weight))


def read_learned(path: str | os.PathLike) -> tuple[tuple[int, int, int], list[Learned]]:
    """The picture's (C, H, W) that a Glow's checkpoint takes, and W of each step of its first level, in order.

    Only the few tensors that are needed are read, by numpy.

    Raises:
        CheckpointError: if the file cannot be read, or is no Glow with LU convolutions.
    """
    card, header = read_card(path), read_header(path)
    shape = (card.get("architecture") or {}).get("shape")
    if not (isinstance(shape, list) and len(shape) == 3 and all(isinstance(n, int) and n > 0 for n in shape)):
        raise CheckpointError(f"'{path}' is no model of pictures, so it has no 1×1 convolution.")
    channels = 4 * shape[0]
    found = []
    for name in header:
        match = re.fullmatch(r"layers\.(\d+)\.raw_log_diagonal", name)
        if match and header[name].get("shape") == [channels] and channels <= _MAX_CHANNELS:
            found.append(int(match[1]))
    if not found:
        raise CheckpointError(f"'{path}' is no Glow with a learned 1×1 convolution: choose another model.")
    return tuple(shape), [_compose(path, header, layer, channels) for layer in sorted(found)]


def _compose(path: str | os.PathLike, header: dict, layer: int, channels: int) -> Learned:
    shapes = {
        "lower": (channels, channels), "upper": (channels, channels), "permutation": (channels, channels),
        "raw_log_diagonal": (channels,), "sign": (channels,),
    }  # fmt: skip
    part = {name: _tensor(path, header, f"layers.{layer}.{name}", shape) for name, shape in shapes.items()}
    log_diagonal = LU_BOUND * np.tanh(part["raw_log_diagonal"] / LU_BOUND)
    lower = np.tril(part["lower"], -1) + np.eye(channels)
    upper = np.triu(part["upper"], 1) + np.diag(part["sign"] * np.exp(log_diagonal))
    return Learned(part["permutation"] @ lower @ upper, log_diagonal, layer)


def _tensor(path: str | os.PathLike, header: dict, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """One tensor as float64, by the safetensors layout: 8 bytes of length, the header, the data at its offsets."""
    kinds = {"F16": np.float16, "F32": np.float32, "F64": np.float64}
    entry = header.get(name) or {}
    try:
        kind = np.dtype(kinds[entry["dtype"]])
        begin, end = entry["data_offsets"]
        count = math.prod(shape)
        if tuple(entry["shape"]) != shape or end - begin != count * kind.itemsize or begin < 0:
            raise ValueError("shape")
        with open(path, "rb") as file:
            start = 8 + int.from_bytes(file.read(8), "little")
            file.seek(start + begin)
            data = file.read(end - begin)
        values = np.frombuffer(data, kind, count).reshape(shape).astype(np.float64)
    except (KeyError, TypeError, ValueError, OSError, json.JSONDecodeError) as error:
        raise CheckpointError(f"'{path}' is damaged: its tensor '{name}' cannot be read.") from error
    if not np.isfinite(values).all():
        raise CheckpointError(f"'{path}' holds a value that is not finite in '{name}'.")
    return values
