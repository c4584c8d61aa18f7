"""Pictures of numbers other than 0 to 255: which number is white, said in a sentence where it had to be found out. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import PictureError

__all__ = ["Deep", "levels"]

_DARK = 0.25
"""A picture whose brightest number is a smaller share of white is told to be dark."""


@dataclass(frozen=True)
class Deep:
    """``colours`` (H, W, 1, 3 or 4 inks) of any real type, ``alpha`` (H, W) or None.

    ``bits`` of each number as stored, ``signed`` or not; ``white`` the number that is white where it is known for sure, and
    ``largest`` where a file says it of its numbers. ``inverted``: the smallest number is white. ``premultiplied``: the
    colours are multiplied by alpha. ``floating``: not whole numbers, as stored. ``unused`` channels were left out.
    """

    colours: np.ndarray
    alpha: np.ndarray | None = None
    white: float | None = None
    bits: int = 16
    signed: bool = False
    inverted: bool = False
    inks: bool = False
    premultiplied: bool = False
    largest: float | None = None
    floating: bool = False
    unused: int = 0


def levels(deep: Deep, name: str) -> tuple[np.ndarray, np.ndarray | None, list[str]]:
    """The colours from 0, black, to 1, white, float32 (H, W, C), inks from 0, none; alpha (H, W) so too; and what to say.

    Raises:
        PictureError: for pixels that are not finite.
    """
    colours, alpha = deep.colours, deep.alpha
    if colours.dtype.kind == "f" and not np.isfinite(colours).all():
        raise PictureError(f"{name} holds pixels that are not finite numbers: save it as an 8-bit or 16-bit picture.")
    low, high, note = _range(deep)
    values = colours.astype(np.float64) if max(abs(low), abs(high)) > 2**24 else colours.astype(np.float32)
    values = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0).astype(np.float32)
    opaque = None
    if alpha is not None:
        most = float(alpha.max(initial=0))
        if deep.floating:
            top = max(1.0, most)
        else:
            top = high if most <= high and low == 0.0 else _largest(deep)
        opaque = np.clip(alpha.astype(np.float32) / (top or 1.0), 0.0, 1.0)
        if deep.premultiplied:
            values = np.clip(values / np.maximum(opaque, 1e-6)[..., None], 0.0, 1.0)
    notes = [note] if note else []
    if deep.unused:
        channels = "One further channel is" if deep.unused == 1 else f"{deep.unused} further channels are"
        notes.append(f"{channels} left out.")
    return (1.0 - values if deep.inverted else values), opaque, notes


def _largest(deep: Deep) -> float:
    return float(2 ** (deep.bits - deep.signed) - 1)


def _range(deep: Deep) -> tuple[float, float, str]:
    """The numbers that are black and white, and a sentence about them."""
    low, high = float(deep.colours.min()), float(deep.colours.max())
    if deep.white is not None:
        return 0.0, deep.white, f"{deep.bits}-bit values reduced to 8 bits." if deep.bits > 8 else ""
    if deep.floating:
        if low >= 0.0 and high <= 1.0:
            return 0.0, 1.0, "Floating-point values reduced to 8 bits."
        return low, high, f"Values from {low:.6g} to {high:.6g} stretched to the 8-bit range."
    if low < 0.0 or (deep.bits > 16 and high > 65535.0):
        return low, high, f"Values from {low:,.0f} to {high:,.0f} stretched to the 8-bit range."
    if deep.largest is not None and deep.largest >= high and deep.largest > 0:
        bits = max(8, int(deep.largest).bit_length())
        if bits < deep.bits - deep.signed:
            return 0.0, 2.0**bits - 1, f"Stretched: only {bits} of its {deep.bits} bits are used, as it says."
    wide = deep.bits > 16 or deep.signed
    if wide and high <= 255.0:
        return 0.0, 127.0 if deep.bits == 8 else 255.0, "Values taken as 0 to 255." if deep.bits > 8 else ""
    if deep.bits >= 16 and 255.0 < high < 4096.0:
        return 0.0, 4095.0, f"Stretched: its values reach {high:,.0f}, so they are taken as 12 bits of {deep.bits}."
    white = min(_largest(deep), 65535.0)
    note = f"{min(deep.bits, 16)}-bit values reduced to 8 bits." if deep.bits > 8 else ""
    if deep.bits > 8 and high < _DARK * white:
        note = f"{note} Its brightest value is {high:,.0f} of {white:,.0f}, so it is dark.".strip()
    return 0.0, white, note
