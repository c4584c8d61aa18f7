"""Masks on a picture, and couplings under them step by step: which values have changed so far.

The masks are those of ``flowcore.bijections.masks`` and the couplings compute what ``AffineCoupling`` does; tests hold them
together. The network is a small fixed one that looks at what is copied: nothing here is learned.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ConfigError

__all__ = ["MASKS", "Masked", "kept", "network", "squeeze", "steps_of", "unsqueeze", "walk"]

MASKS = ("half", "checkerboard", "channel", "cycle")
STEPS = {"half": 2, "checkerboard": 2, "channel": 2, "cycle": 3}
"""How many couplings until every value has been transformed (and, in the cycle, every channel copied once)."""
BOUND = 1.0


def squeeze(x: np.ndarray) -> np.ndarray:
    """(C, H, W) -> (4C, H/2, W/2): each 2×2 block of a channel becomes four channels, as ``bijections.Squeeze`` does."""
    c, h, w = x.shape
    if h % 2 or w % 2:
        raise ConfigError(f"Squeeze needs an even height and width, not {h}×{w}.")
    return x.reshape(c, h // 2, 2, w // 2, 2).transpose(0, 2, 4, 1, 3).reshape(4 * c, h // 2, w // 2)


def unsqueeze(z: np.ndarray) -> np.ndarray:
    """The opposite of ``squeeze``."""
    c, h, w = z.shape
    return z.reshape(c // 4, 2, 2, h, w).transpose(0, 3, 1, 4, 2).reshape(c // 4, 2 * h, 2 * w)


def steps_of(mask: str) -> int:
    """How many couplings the figure goes through."""
    if mask not in STEPS:
        raise ConfigError(f"A mask is one of {', '.join(MASKS)}, not {mask!r}.")
    return STEPS[mask]


def kept(mask: str, step: int, shape: Sequence[int]) -> np.ndarray:
    """Which values of a picture (C, H, W) the coupling number ``step`` copies, as bool (C, H, W).

    - half: the first half of a colour's pixels, row by row; then the second (``half`` on H·W numbers);
    - checkerboard: where row + column is even; then where it is odd (``CheckerboardMask``);
    - channel: after a squeeze, the first half of the channels; then the second (``half`` on 4C channels);
    - cycle: one colour alone, the next one at each step (``channel_cycle``).
    """
    channels, height, width = shape
    flip = step % 2 == 1
    steps_of(mask)
    if mask == "half":
        first = np.arange(height * width) < height * width // 2
        return np.broadcast_to((first ^ flip).reshape(height, width), shape).copy()
    if mask == "checkerboard":
        even = np.add.outer(np.arange(height), np.arange(width)) % 2 == int(flip)
        return np.broadcast_to(even, shape).copy()
    if mask == "channel":
        first = np.arange(4 * channels) < 2 * channels
        return unsqueeze(np.broadcast_to((first ^ flip)[:, None, None], (4 * channels, height // 2, width // 2)))
    return np.broadcast_to((np.arange(channels) == step % channels)[:, None, None], shape).copy()


def network(mask: str, copied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log β and γ for every value, from the copied ones alone (``copied`` is 0 elsewhere): both (C, H, W).

    What a value is told: of the half mask the copied pixel half a picture away, of the checkerboard the mean of its four
    neighbours, of the others the mean of the copied channels at its place.
    """
    if mask == "half":
        flat = copied.reshape(len(copied), -1)
        told = np.roll(flat, flat.shape[1] // 2, axis=1).reshape(copied.shape)
    elif mask == "checkerboard":
        edged = np.pad(copied, ((0, 0), (1, 1), (1, 1)))
        told = (edged[:, :-2, 1:-1] + edged[:, 2:, 1:-1] + edged[:, 1:-1, :-2] + edged[:, 1:-1, 2:]) / 4
    elif mask == "channel":
        deep = squeeze(copied)
        told = unsqueeze(np.broadcast_to(deep.sum(0) * (2 / len(deep)), deep.shape))
    else:
        told = np.broadcast_to(copied.sum(0), copied.shape)
    return BOUND * np.tanh(-1.5 * told / BOUND), -0.9 * told


@dataclass(frozen=True)
class Masked:
    """A picture on its way through the couplings.

    ``values`` (C, H, W) are what it is now, from −0.5 to 0.5 before the first; ``kept`` the present coupling's mask; ``done`` the
    values that any coupling has transformed so far; ``log_det`` Σ log β of all so far, in nats.
    """

    values: np.ndarray
    kept: np.ndarray
    done: np.ndarray
    log_det: float

    @property
    def share(self) -> float:
        """The part of all values that has changed so far, 0 to 1."""
        return float(self.done.mean())


def walk(picture: np.ndarray, mask: str, phases: int) -> Masked:
    """The picture (H, W, C) uint8 after ``phases`` half steps: odd ones end in a copy, even ones in its affine map.

    Raises:
        ConfigError: for more phases than the mask has, a picture of odd size, or a cycle over other than three channels.
    """
    if not 0 <= phases <= 2 * steps_of(mask):
        raise ConfigError(f"The steps of this mask go from 0 to {2 * steps_of(mask)}, not {phases}.")
    if mask == "cycle" and picture.shape[2] != 3:
        raise ConfigError("The three-way cycle needs the three channels of a colour picture.")
    x = picture.transpose(2, 0, 1) / 256.0 - 0.5
    done = np.zeros(x.shape, bool)
    log_det = 0.0
    for step in range(phases // 2):
        copies = kept(mask, step, x.shape)
        log_scale, shift = network(mask, np.where(copies, x, 0.0))
        x = np.where(copies, x, x * np.exp(log_scale) + shift)
        log_det += float(log_scale[~copies].sum())
        done |= ~copies
    # At the very end the last coupling's mask stands; else the one that comes next or is under way.
    present = min(phases // 2, steps_of(mask) - 1)
    return Masked(x, kept(mask, present, x.shape), done, log_det)
