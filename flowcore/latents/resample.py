"""Keep a part of a picture's z and take the rest from elsewhere: by level, and by the places that a person brushed.

Torch-free. A level's z is (C, h, w), and its place (i, j) stands for a block of the picture's pixels: a lock on it keeps what
that place says, not the pixels themselves, which the other places and levels move as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..errors import ConfigError

__all__ = ["ACTIONS", "BEYOND", "LOCKS", "default_actions", "kept_places", "mixed"]

ACTIONS = ("keep", "draw", "other")
"""What becomes of a level: the picture's own z, a drawn one, or another picture's."""
LOCKS = ("inside", "outside")
"""What a brushed region keeps: what is under the brush, or all but that."""


BEYOND = 2**32
"""What is drawn for a variation is drawn as samples with numbers that no page reaches: else one of a sample's would be that
sample again."""


def default_actions(levels: int) -> tuple[str, ...]:
    """Keep the coarsest level and draw the others (finest first); of a model with one level, draw that."""
    return ("draw",) * (levels - 1) + ("keep" if levels > 1 else "draw",)


def kept_places(shape: Sequence[int], size: tuple[int, int], region: np.ndarray, lock: str) -> np.ndarray:
    """Which numbers of a level the region keeps: bool, of the level's shape.

    A place counts as brushed where any pixel of its block is. A level without places (NICE's flat z) is taken as a picture's
    values in their order.

    Args:
        shape: the level's: (C, h, w), or (D,) with D = channels · H · W.
        size: (H, W) of the picture.
        region: bool (H, W): what was brushed.
        lock: one of `LOCKS`.

    Raises:
        ConfigError: where the region is not of the picture's size, or the level does not divide it.
    """
    height, width = size
    if region.shape != size or region.dtype != np.bool_:
        raise ConfigError(f"A region must be a mask of the picture's {width}×{height} pixels.")
    shape = tuple(shape)
    places = shape if len(shape) == 3 else (shape[0] // (height * width), height, width)
    channels, rows, columns = places
    if math.prod(places) != math.prod(shape) or height % rows or width % columns:
        raise ConfigError(f"A level of shape {list(shape)} has no places in a picture of {width}×{height}.")
    brushed = region.reshape(rows, height // rows, columns, width // columns).any((1, 3))
    kept = brushed if lock == "inside" else ~brushed
    return np.broadcast_to(kept, (channels, rows, columns)).reshape(shape)


def mixed(
    own: np.ndarray, drawn: np.ndarray, other: np.ndarray | None, levels: Sequence[tuple[int, int, Sequence[int]]],
    actions: Sequence[str], size: tuple[int, int], region: np.ndarray | None = None, lock: str = "inside",
) -> np.ndarray:  # fmt: skip
    """The z of one variation: level by level the picture's own, the drawn or the other's, and the picture's own where locked.

    Args:
        own, drawn, other: (D,); `other` may be None where no level asks for it.
        levels: (start, stop, shape) of each in the flat z, the finest first.
        actions: one of `ACTIONS` a level, the finest first.
        region: bool (H, W) or None; see :func:`kept_places`. With the lock "outside" what is brushed follows `actions`, too.

    Returns:
        (D,) in `own`'s precision.

    Raises:
        ConfigError: for another number of levels, an unknown action, or a level of another picture that is not there.
    """
    if len(actions) != len(levels) or set(actions) - set(ACTIONS):
        raise ConfigError(f"Say of each of the {len(levels)} levels whether to keep it, to draw it, or to take the other's.")
    z = own.copy()
    for (start, stop, shape), action in zip(levels, actions, strict=True):
        if action == "keep":
            continue
        source = drawn if action == "draw" else other
        if source is None or source.shape != own.shape:
            raise ConfigError("There is no other picture of this model to take a level from.")
        part = source[start:stop].astype(own.dtype)
        if region is not None and region.any():
            part = np.where(kept_places(shape, size, region, lock).ravel(), own[start:stop], part)
        z[start:stop] = part
    return z
