"""Turns every pixel layout that Pillow reads into 8-bit sRGB with straight alpha."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ..errors import PictureError

__all__ = ["to_rgba"]


def to_rgba(image: Image.Image, name: str = "picture") -> tuple[Image.Image, list[str]]:
    """Convert a loaded image of any mode to mode RGBA.

    Returns the image and sentences about what was lost or changed.

    Raises:
        PictureError: for floating-point pixels that are not finite.
    """
    mode = image.mode
    if mode == "RGBA":
        return _with_profile(image)
    if mode.startswith("I;16") or mode in ("I", "F"):
        return _deep_grey(image, name)
    if mode == "CMYK":
        return _cmyk(image)
    if mode in ("YCbCr", "HSV", "LAB", "RGBX"):
        return image.convert("RGB").convert("RGBA"), []
    if mode in ("RGBa", "La"):
        image = image.convert("RGBA" if mode == "RGBa" else "LA")
    # 1, L, LA, P, PA, RGB: Pillow applies palettes and colour-key transparency itself
    profile = image.info.get("icc_profile")
    rgba = image.convert("RGBA")
    if profile and mode in ("RGB", "P"):
        rgba.info["icc_profile"] = profile
        return _with_profile(rgba)
    return rgba, []


def _deep_grey(image: Image.Image, name: str) -> tuple[Image.Image, list[str]]:
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise PictureError(
            f"{name} holds pixels that are not finite numbers: save it as an 8-bit or 16-bit picture."
        )
    key = image.info.get("transparency")
    alpha = np.full(values.shape, 255, np.uint8)
    if isinstance(key, (int, float)):
        alpha[values == key] = 0
    low, high = float(values.min()), float(values.max())
    if image.mode == "F" and low >= 0.0 and high <= 1.0:
        values, note = values * 255.0, "Floating-point values reduced to 8 bits."
    elif image.mode == "F" or low < 0.0 or high > 65535.0:
        spread = (high - low) or 1.0
        values, note = (values - low) * (255.0 / spread), "Values stretched to the 8-bit range."
    else:
        # 16-bit white is 65535 = 255 * 257, also where the picture happens to be dark throughout
        values, note = values / 257.0, "16-bit values reduced to 8 bits."
    grey = np.rint(np.clip(values, 0.0, 255.0)).astype(np.uint8)
    return Image.fromarray(np.dstack([grey, grey, grey, alpha])), [note]


def _cmyk(image: Image.Image) -> tuple[Image.Image, list[str]]:
    note = ["Inks (CMYK) turned into colours."]
    profile = image.info.get("icc_profile")
    if profile:
        converted = _through_profile(image, profile)
        if converted is not None:
            return converted.convert("RGBA"), note
    return image.convert("RGB").convert("RGBA"), note


def _with_profile(rgba: Image.Image) -> tuple[Image.Image, list[str]]:
    """Take an RGBA image from its embedded colour profile to sRGB; one without a profile is sRGB already."""
    profile = rgba.info.get("icc_profile")
    # A transform from sRGB to sRGB would move some bytes by one: leave those pictures exactly as they are.
    if not profile or b"sRGB" in profile or b"s\x00R\x00G\x00B" in profile:
        return rgba, []
    converted = _through_profile(rgba.convert("RGB"), profile)
    if converted is None:
        return rgba, []
    converted.putalpha(rgba.getchannel("A"))
    return converted, ["Colours converted from its own colour profile."]


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    try:
        from PIL import ImageCms

        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except Exception:  # a damaged profile, one for other channels, or a Pillow without colour management
        return None
