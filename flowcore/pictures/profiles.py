"""What an embedded colour profile, or a PNG's own chunks, do to colours: judged by that, never by a name. Torch-free."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["Space", "apply", "grey_table", "icc_space", "icc_transform", "png_space"]

_SAME = 2
"""Bytes that a profile moves by so little are left as they are: two programs' sRGB differ by as much."""

Curve = Callable[[np.ndarray], np.ndarray]

_D65 = (0.3127, 0.3290)
_PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    4: ((0.670, 0.330), (0.210, 0.710), (0.140, 0.080)),
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}  # fmt: skip
"""Red, green and blue by the numbers of H.273, which a PNG's cICP chunk gives."""
_WHITES = {4: (0.310, 0.316), 11: (0.314, 0.351)}
_SRGB_D50 = np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]])


@dataclass(frozen=True)
class Space:
    """How numbers 0 to 1 become light: a curve for each channel (one for all, or three), and linear sRGB from linear colours."""

    curves: tuple[Curve, ...]
    matrix: np.ndarray | None = None
    narrow: bool = False
    """From 16 to 235 of 255, as in films."""

    def to_srgb(self, values: np.ndarray) -> np.ndarray:
        """sRGB, 0 to 1, of values (..., 1 or 3)."""
        if self.narrow:
            values = np.clip((values * 255.0 - 16.0) / 219.0, 0.0, 1.0)
        curves = self.curves if len(self.curves) == values.shape[-1] else self.curves[:1] * values.shape[-1]
        linear = np.stack([curve(values[..., place]) for place, curve in enumerate(curves)], axis=-1)
        if self.matrix is not None and values.shape[-1] == 3:
            linear = linear @ self.matrix.T.astype(linear.dtype)
        return _encoded(np.clip(linear, 0.0, 1.0)).astype(np.float32)

    @cached_property
    def is_srgb(self) -> bool:
        """Whether no colour of 8 bits is moved."""
        steps = np.linspace(0, 255, 18).round()
        mesh = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
        colours = np.concatenate([mesh, np.repeat(np.arange(256.0)[:, None], 3, axis=1)])
        return bool(np.abs(np.rint(255 * self.to_srgb(colours / 255)) - colours).max() <= _SAME)


def _encoded(linear: np.ndarray) -> np.ndarray:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def _srgb_curve(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _power(exponent: float) -> Curve:
    return lambda values: np.maximum(values, 0.0) ** exponent


# -- ICC ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def icc_transform(profile: bytes, mode: str) -> Any:
    """From colours of ``mode`` ("RGB", "CMYK", "LAB") by an ICC profile to sRGB, to be given to :func:`apply`.

    None for a profile that leaves all of them as they are.

    Raises:
        ValueError: for a profile that is damaged, or of other channels.
    """
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode == "RGB":
            lattice = _lattice()
            moved = np.asarray(ImageCms.applyTransform(lattice, transform), np.int16)
            if np.abs(moved - np.asarray(lattice)).max() <= _SAME:
                return None
        return transform
    except Exception as error:  # lcms and Pillow raise several kinds
        raise ValueError("the profile cannot be used") from error


def apply(image: Image.Image, transform: Any) -> Image.Image:
    """An RGB image of one that the transform is for."""
    from PIL import ImageCms

    converted = ImageCms.applyTransform(image, transform)
    if converted is None:
        raise ValueError("the profile cannot be used")
    return converted


@lru_cache(maxsize=16)
def grey_table(profile: bytes) -> np.ndarray | None:
    """The sRGB grey, 0 to 1, of each of 65,536 greys by an ICC profile, or of a colour profile's own greys.

    None where all of 8 bits stay as they are.

    Raises:
        ValueError: for a profile that is damaged, or of other channels.
    """
    known, ramp = icc_space(profile), np.linspace(0.0, 1.0, 65536)
    if known is not None:
        # A colour profile's greys are grey
        table = known.to_srgb(np.repeat(ramp[:, None], len(known.curves), axis=1))[:, len(known.curves) // 2]
    else:
        table = _table_by_lcms(profile, ramp)
    if np.abs(table[::257] * 255 - np.arange(256)).max() <= _SAME:
        return None
    table = table.astype(np.float32)
    table.setflags(write=False)
    return table


def _table_by_lcms(profile: bytes, ramp: np.ndarray) -> np.ndarray:
    """The same of a profile that is made of tables, by 8 bits with straight lines between them."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        # Pillow's stubs take what a profile is made of for what it becomes.
        space = source.profile.xcolor_space.strip()  # pyright: ignore[reportAttributeAccessIssue]
        mode = {"GRAY": "L", "RGB": "RGB"}[space]
        greys = Image.fromarray(np.arange(256, dtype=np.uint8)[:, None]).convert(mode)
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        moved = np.asarray(apply(greys, transform), np.float64)[:, 0, 1]
    except Exception as error:  # lcms and Pillow raise several kinds
        raise ValueError("the profile cannot be used") from error
    return np.interp(ramp, np.linspace(0.0, 1.0, 256), moved / 255)


def _lattice() -> Image.Image:
    """Colours spread over the cube, and all greys, as an image."""
    steps = np.linspace(0, 255, 16).round().astype(np.uint8)
    mesh = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    return Image.fromarray(np.concatenate([mesh, greys]).reshape(-1, 16, 3))


@lru_cache(maxsize=16)
def icc_space(profile: bytes) -> Space | None:
    """The curve of an ICC profile of greys, or curves and matrix of one of colours; None for tables, or anything else."""
    try:
        count = struct.unpack_from(">I", profile, 128)[0]
        tags = {}
        for place in range(min(count, 100)):
            name, at, size = struct.unpack_from(">4sII", profile, 132 + 12 * place)
            tags[name] = profile[at : at + size]
        if profile[36:40] != b"acsp" or b"A2B0" in tags:
            return None
        if profile[16:20] == b"GRAY":
            return Space((_icc_curve(tags[b"kTRC"]),))
        if profile[16:20] != b"RGB " or profile[20:24] != b"XYZ ":
            return None
        columns = [[v / 65536 for v in struct.unpack_from(">3i", tags[name], 8)] for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        matrix = np.linalg.inv(_SRGB_D50) @ np.array(columns).T
        return Space(tuple(_icc_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")), matrix)
    except (struct.error, KeyError, ValueError, IndexError, ZeroDivisionError):
        return None


def _icc_curve(tag: bytes) -> Curve:
    if tag[:4] == b"curv":
        count = struct.unpack_from(">I", tag, 8)[0]
        if count == 0:
            return _power(1.0)
        if count == 1:
            return _power(struct.unpack_from(">H", tag, 12)[0] / 256)
        table = np.frombuffer(tag, ">u2", count, 12).astype(np.float64) / 65535
        places = np.linspace(0.0, 1.0, count)
        return lambda values: np.interp(values, places, table)
    if tag[:4] != b"para":
        raise ValueError("a curve of another kind")
    kind = struct.unpack_from(">H", tag, 8)[0]
    numbers = [value / 65536 for value in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)]
    g, a, b = numbers[0], 1.0, 0.0
    c, d, e, f = 0.0, 0.0, 0.0, 0.0
    if kind:
        a, b = numbers[1:3]
    if kind in (1, 2):
        d = -b / a
        e = f = numbers[3] if kind == 2 else 0.0
    elif kind:
        c, d = numbers[3:5]
        e, f = numbers[5:] if kind == 4 else (0.0, 0.0)
    return lambda values: np.where(values >= d, np.maximum(a * values + b, 0.0) ** g + e, c * values + f)


# -- PNG ----------------------------------------------------------------------------------------------------------


def png_space(data: bytes) -> Space | None:
    """What a PNG's chunks say of its colours, where no ICC profile does or a cICP chunk goes before it; None for sRGB."""
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind in (b"IDAT", b"IEND"):
            break
        if kind in (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"):
            chunks.setdefault(kind, data[at + 8 : at + 8 + min(length, 64)])
        at += 12 + length
    space = None
    if len(chunks.get(b"cICP", b"")) == 4:
        space = _coded(*chunks[b"cICP"])
    elif len(chunks.get(b"gAMA", b"")) == 4 and b"iCCP" not in chunks and b"sRGB" not in chunks:
        space = _of_gamma(struct.unpack(">I", chunks[b"gAMA"])[0], chunks.get(b"cHRM", b""))
    return None if space is None or space.is_srgb else space


@lru_cache(maxsize=16)
def _coded(primaries: int, transfer: int, matrix: int, full: int) -> Space | None:
    """Of H.273's numbers; None for those that are not known here."""
    curves: dict[int, Curve] = {4: _power(2.2), 5: _power(2.8), 8: _power(1.0), 16: _perceptual, 18: _hybrid_log}
    # BT.709's own curve is a camera's, which screens undo as they do sRGB's
    curve = curves.get(transfer, _srgb_curve)
    corners = _PRIMARIES.get(primaries)
    turned = None
    if corners is not None and primaries != 1:
        turned = _to_linear_srgb(corners, _WHITES.get(primaries, _D65))
    return Space((curve,), turned, narrow=full == 0)


@lru_cache(maxsize=16)
def _of_gamma(gamma: int, chromaticities: bytes) -> Space | None:
    """Of a gAMA chunk, in 100,000ths, and a cHRM chunk or nothing."""
    if not 1000 <= gamma <= 10_000_000:
        return None
    # 1/2.2 is how programs write sRGB, and what others show it as
    curve = _srgb_curve if abs(gamma / 45455 - 1) < 0.05 else _power(100_000 / gamma)
    turned = None
    if len(chromaticities) == 32:
        white, *corners = np.array(struct.unpack(">8I", chromaticities)).reshape(4, 2) / 100_000
        if all(min(corner) >= 0 and corner[1] > 0 for corner in (white, *corners)):
            turned = _to_linear_srgb(tuple(map(tuple, corners)), tuple(white))
    return Space((curve,), turned)


def _to_linear_srgb(corners: tuple, white: tuple[float, float]) -> np.ndarray | None:
    """From linear colours of these primaries, white to white; None where they span nothing."""
    try:
        here, there = _to_xyz(corners, white), _to_xyz(_PRIMARIES[1], _D65)
        bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
        cones = (bradford @ there.sum(1)) / (bradford @ here.sum(1))
        adapted = np.linalg.inv(bradford) @ np.diag(cones) @ bradford
        result = np.linalg.inv(there) @ adapted @ here
    except (np.linalg.LinAlgError, ZeroDivisionError, FloatingPointError):
        return None
    return result if np.isfinite(result).all() else None


def _to_xyz(corners: tuple, white: tuple[float, float]) -> np.ndarray:
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in corners]).T
    x, y = white
    return columns * np.linalg.solve(columns, np.array([x / y, 1.0, (1 - x - y) / y]))


def _perceptual(values: np.ndarray) -> np.ndarray:
    """PQ, where white paper, 203 cd/m², is 1."""
    root = np.maximum(values, 0.0) ** (32 / 2523)
    return (np.maximum(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root)) ** (16384 / 2610) * (10_000 / 203)


def _hybrid_log(values: np.ndarray) -> np.ndarray:
    """HLG, where 75 % of the signal is white paper, 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    light = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
    return light / ((math.exp((0.75 - c) / a) + b) / 12)
