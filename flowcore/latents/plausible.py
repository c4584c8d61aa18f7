"""What painting on a picture does to its z, and how to make what was painted plausible.

A stroke's colours are nothing that a model has seen there, and z says so: some of its numbers move by several of the prior's
standard deviations. Making it plausible shrinks only those movements, z by z, and leaves the rest of z, and the picture outside
the stroke, as they are:

1. Δ = z(painted) − z(before), at the bin centres of both. Each number's movement is bounded to ±``BOUND`` standard deviations, by
   an amount from 0 (not at all) to 1. Most numbers moved less, and stay.
2. That z decoded is blended into the painted picture where the stroke is, over a soft border. What one z moves reaches far (a
   coarse one the whole face), so the decoded picture differs everywhere a little: nobody painted there.

Measured with the bundled faces (5 of CelebA's held-out pictures, 5 strokes each: a dark bar over the eyes, red lips, fair hair, a
blue spot, a beard), means. "Kept" is the share of the stroke's change that is left inside it, "outside" the mean difference from
the painted picture elsewhere, in grey levels; before 2.949 bits per dimension, painted 3.184:

    =====================================================  =====  =====  =======
    at an amount of 1                                      bpd    kept   outside
    =====================================================  =====  =====  =======
    eps cut at the prior's 99 % band, without step 2       3.214  63 %   4.6
    the same, with step 2                                  3.138  63 %   0.5
    Δ of a place shrunk into its χ² 99 % ball, step 2      3.112  50 %   0.5
    Δ bounded to ±2, step 2                                3.101  47 %   0.6
    Δ bounded to ±1.5, without step 2                      3.111  35 %   9.3
    **Δ bounded to ±1.5, step 2**                          3.068  35 %   0.6
    Δ bounded to ±1, step 2                                3.030  20 %   0.6
    all of Δ halved, step 2                                3.018  22 %   0.4
    =====================================================  =====  =====  =======

Cutting eps alone makes a picture *less* likely than painted: numbers of a place belong together. With step 2 the rules lie near
one curve, on which more of the stroke costs more bits; ±1.5 halves what the stroke cost, and reads as hair, brow or shadow where
it can.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ConfigError
from ..model.flow import Flow
from .sensitivity import level_map

__all__ = ["BOUND", "Projection", "blend", "change_maps", "kept_of", "more_plausible", "soft_border"]

BOUND = 1.5
"""Standard deviations of the prior by which a stroke may move a number of z, at an amount of 1."""


@dataclass(frozen=True)
class Projection:
    """What a plausible picture keeps of a stroke, and what it leaves alone."""

    share: float | None
    """Of the stroke's change of the picture, inside the stroke: 1 − Σ|plausible − painted| / Σ|painted − before|, at least 0;
    None where the stroke changed nothing."""
    inside: float
    """Mean |plausible − painted| where it was painted, in grey levels."""
    outside: float
    """The same elsewhere; 0 where all of the picture was painted."""


def _pair(before: np.ndarray, painted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if before.shape != painted.shape or before.ndim != 1:
        raise ConfigError(f"The two z must be of one model: these have {before.size} and {painted.size} numbers.")
    return before.astype(np.float64), painted.astype(np.float64)


def more_plausible(before: np.ndarray, painted: np.ndarray, amount: float) -> np.ndarray:
    """z of the picture before and painted, (D,) each -> z (D,) in the painted one's precision; at 0 it is that one, bit for bit.

    Raises:
        ConfigError: for z of two models, or an amount that is not from 0 to 1.
    """
    if not 0 <= amount <= 1:
        raise ConfigError(f"How plausible a painting is made is from 0 to 1, not {amount}.")
    a, b = _pair(before, painted)
    beyond = (b - a) - np.clip(b - a, -BOUND, BOUND)
    # Where nothing goes beyond, not even a rounding moves it.
    return np.where(beyond == 0, painted, (b - amount * beyond).astype(painted.dtype)) if amount else painted.copy()


def soft_border(where: np.ndarray) -> np.ndarray:
    """bool (H, W), the stroke -> float32 (H, W): 1 in it, falling to 0 over a twentieth of the picture around it."""
    height, width = where.shape
    reach = max(2.0, max(height, width) / 20)
    nearest = np.full(where.shape, np.inf)
    for row in range(height):
        (columns,) = np.nonzero(where[row])
        if not len(columns):
            continue
        across = np.abs(np.arange(width)[:, None] - columns[None]).min(1)
        down = (np.arange(height) - row) ** 2
        np.minimum(nearest, down[:, None] + across[None] ** 2, out=nearest)
    return np.clip(1 - (np.sqrt(nearest) - 0.5) / reach, 0, 1).astype(np.float32)


def blend(decoded: np.ndarray, painted: np.ndarray, border: np.ndarray) -> np.ndarray:
    """The decoded picture where the border is 1, the painted one where it is 0: uint8 (H, W, C)."""
    mixed = painted + border[..., None].astype(np.float64) * (decoded.astype(np.float64) - painted)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def change_maps(flow: Flow, before: np.ndarray, after: np.ndarray) -> list[np.ndarray]:
    """How far each place of each level moved, the finest level first: float32 (h, w), √Σ Δ² over the place's numbers."""
    a, b = _pair(before, after)
    return [level_map(flow, level, (b - a) ** 2) for level in flow.levels]


def kept_of(before: np.ndarray, painted: np.ndarray, plausible: np.ndarray, where: np.ndarray) -> Projection:
    """Three pictures uint8 (H, W, C) and where it was painted, bool (H, W) -> :class:`Projection`."""
    stroke = np.abs(painted.astype(int) - before).mean(2)[where].sum()
    difference = np.abs(plausible.astype(int) - painted).mean(2)
    share = max(0.0, float(1 - difference[where].sum() / stroke)) if stroke > 0 else None
    return Projection(share, *(float(difference[part].mean()) if part.any() else 0.0 for part in (where, ~where)))
