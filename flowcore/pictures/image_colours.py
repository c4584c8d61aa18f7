"""Turns every pixel layout that Pillow reads, and every deep one, into 8-bit sRGB with straight alpha."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from .deep import Deep, levels
from .profiles import Space, apply, grey_table, icc_space, icc_transform, png_space

__all__ = ["deep_colours", "deep_to_rgba", "to_rgba"]

_CONVERTED = "Colours converted from its own colour profile."
_UNUSABLE = "Its colour profile cannot be used, so its colours are shown as they are."
_MAX_DEEP = 2**24
"""Pixels of a picture that is decoded twice to keep its 16 bits."""


def to_rgba(image: Image.Image, name: str = "picture", space: Space | None = None) -> tuple[Image.Image, list[str]]:
    """Convert a loaded image of any mode to mode RGBA; ``space`` is what a PNG says of its colours beside a profile.

    Returns the image and sentences about what was lost or changed.

    Raises:
        PictureError: for floating-point pixels that are not finite.
    """
    mode = image.mode
    profile = b"" if space is not None else image.info.get("icc_profile") or b""
    if mode.startswith("I;16") or mode in ("I", "F"):
        return deep_to_rgba(_deep_of(image), name, profile, space)
    if mode == "CMYK":
        return _cmyk(image, profile)
    if mode == "LAB":
        return image.convert("RGB").convert("RGBA"), []
    if mode in ("RGBa", "La"):
        image = image.convert("RGBA" if mode == "RGBa" else "LA")
    elif mode in ("YCbCr", "HSV", "RGBX"):
        image = image.convert("RGB")
    grey = image.mode in ("1", "L", "LA")
    # Pillow applies palettes and colour-key transparency itself
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    if space is not None:
        return _through_space(rgba, space), [_CONVERTED]
    if not profile:
        return rgba, []
    return _through_profile(rgba, profile, grey)


def deep_to_rgba(
    deep: Deep, name: str, profile: bytes = b"", space: Space | None = None
) -> tuple[Image.Image, list[str]]:
    """The same of numbers that are not 0 to 255; the profile acts on them before they are reduced to 8 bits."""
    values, opaque, notes = levels(deep, name)
    alpha = np.full(values.shape[:2], 255, np.uint8) if opaque is None else _bytes(opaque)
    if deep.inks:
        rgba, more = _cmyk(Image.frombytes("CMYK", values.shape[1::-1], _bytes(values).tobytes()), profile)
        rgba.putalpha(Image.fromarray(alpha))
        return rgba, notes + more
    grey = values.shape[2] == 1
    left = profile if space is None else b""
    try:
        if left and grey:
            table = grey_table(left)
            if table is not None:
                values = table[np.rint(values * 65535).astype(np.int64)]
                notes.append(_CONVERTED)
            left = b""
        elif left and (known := icc_space(left)) is not None and len(known.curves) == 3:
            space, left = (None if known.is_srgb else known), b""
    except ValueError:
        left = b""
        notes.append(_UNUSABLE)
    if space is not None:
        values = space.to_srgb(values)
        notes.append(_CONVERTED)
    colours = _bytes(values)
    rgba = Image.fromarray(np.dstack([colours] * 3 + [alpha] if grey else [colours, alpha]))
    if not left:
        return rgba, notes
    rgba, more = _through_profile(rgba, left, grey)
    return rgba, notes + more


def deep_colours(image: Image.Image, data: bytes) -> Deep | None:
    """The 16 bits of a PNG's colours, where its colour space needs them; None where 8 serve as well.

    ``image`` is opened and not yet loaded, and still is afterwards.
    """
    tiles = getattr(image, "tile", [])
    rawmode = tiles[0][3] if image.format == "PNG" and tiles else ""
    if rawmode not in ("RGB;16B", "RGBA;16B") or image.width * image.height > _MAX_DEEP or "transparency" in image.info:
        return None
    if png_space(data) is None:
        profile = image.info.get("icc_profile") or b""
        space = icc_space(profile) if profile else None
        if space is None or len(space.curves) != 3 or space.is_srgb:
            return None
    # Pillow keeps one byte of two: the first as the file is, the second if it is told that it is the other way round
    halves = []
    for order in ("B", "L"):
        with Image.open(io.BytesIO(data), formats=("PNG",)) as half:
            half.tile = [half.tile[0]._replace(args=rawmode[:-1] + order)]
            halves.append(np.asarray(half).astype(np.uint16))
    values = halves[0] << 8 | halves[1]
    return Deep(values[..., :3], values[..., 3] if values.shape[2] == 4 else None, white=65535.0)


def _deep_of(image: Image.Image) -> Deep:
    values = np.asarray(image)
    key = image.info.get("transparency")
    alpha = np.where(values == key, 0, 65535) if isinstance(key, int) and image.mode != "F" else None
    return Deep(values[..., None], alpha, bits=32 if image.mode == "F" else 16, floating=image.mode == "F")


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values * np.float32(255.0)).astype(np.uint8)


def _cmyk(image: Image.Image, profile: bytes) -> tuple[Image.Image, list[str]]:
    notes = ["Inks (CMYK) turned into colours."]
    if profile:
        try:
            return apply(image, icc_transform(profile, "CMYK")).convert("RGBA"), notes
        except ValueError:
            notes.append(_UNUSABLE)
    return image.convert("RGB").convert("RGBA"), notes


def _through_profile(rgba: Image.Image, profile: bytes, grey: bool) -> tuple[Image.Image, list[str]]:
    """Take an RGBA image from its embedded colour profile to sRGB; what is sRGB already stays as it is, byte for byte."""
    alpha = rgba.getchannel("A")
    try:
        if grey:
            table = grey_table(profile)
            if table is None:
                return rgba, []
            levels_ = np.rint(table[::257] * 255).astype(np.uint8).tolist()
            converted = rgba.convert("RGB").point(levels_ * 3)
        else:
            transform = icc_transform(profile, "RGB")
            if transform is None:
                return rgba, []
            converted = apply(rgba.convert("RGB"), transform)
    except ValueError:
        return rgba, [_UNUSABLE]
    converted.putalpha(alpha)
    return converted, [_CONVERTED]


def _through_space(rgba: Image.Image, space: Space) -> Image.Image:
    pixels = np.array(rgba)
    if space.matrix is None and len(space.curves) == 1:
        table = _bytes(space.to_srgb(np.arange(256, dtype=np.float32)[:, None] / 255))[:, 0]
        pixels[..., :3] = table[pixels[..., :3]]
    else:
        pixels[..., :3] = _bytes(space.to_srgb(pixels[..., :3].astype(np.float32) / 255))
    return Image.fromarray(pixels)
