"""A latent as JSON: in sessions, recipes and on the clipboard. Torch-free."""

from __future__ import annotations

import base64
import binascii

import numpy as np

from ..errors import ConfigError

__all__ = ["from_base64", "latent_from_dict", "latent_to_dict"]

LATENT_DTYPES = ("float32", "float64")
LATENT_NUMBERS_MAX = 4_000_000


def latent_to_dict(z: np.ndarray) -> dict:
    """A latent as JSON-ready data: dtype and base64 of its little-endian bytes, so that it comes back exactly."""
    little = z.astype(z.dtype.newbyteorder("<"), copy=False)
    return {"dtype": z.dtype.name, "data": base64.b64encode(little.tobytes()).decode()}


def latent_from_dict(data: object) -> np.ndarray:
    """Read what `latent_to_dict` wrote; raises `ConfigError` where it is not a finite latent."""
    if not isinstance(data, dict) or data.get("dtype") not in LATENT_DTYPES:
        raise ConfigError("The saved latent cannot be read: it must be float32 or float64 numbers.")
    raw = from_base64(data.get("data"))
    dtype = np.dtype(data["dtype"]).newbyteorder("<")
    if not raw or len(raw) % dtype.itemsize or len(raw) // dtype.itemsize > LATENT_NUMBERS_MAX:
        raise ConfigError("The saved latent cannot be read: its length is wrong.")
    z = np.frombuffer(raw, dtype).astype(data["dtype"])
    if not np.isfinite(z).all():
        raise ConfigError("The saved latent cannot be used: some of its numbers are not finite.")
    return z


def from_base64(text: object) -> bytes:
    """Bytes of a saved text; raises `ConfigError` where it is none."""
    try:
        return base64.b64decode(text, validate=True)  # type: ignore[arg-type]
    except (TypeError, ValueError, binascii.Error):
        raise ConfigError("The saved pictures cannot be read: the data is damaged.") from None
