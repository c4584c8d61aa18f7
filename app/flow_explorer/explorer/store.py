"""Pictures and latents that a state names by their content, kept outside it so that states stay small.

A picture is kept as the bytes of the file it came in (a photograph is then megabytes, not tens of them) and decoded on
demand; the last few decoded ones are remembered. A latent is an array of numbers.
"""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.as_json import from_base64, latent_from_dict, latent_to_dict
from flowcore.model.labels import Label
from flowcore.pictures.images import Picture, read_picture, to_png_bytes

__all__ = ["Latent", "Store"]

DECODED = 6
DECODED_BYTES = 512 * 2**20


@dataclass(frozen=True, eq=False)
class Latent:
    """A picture that a model made, with the z it was made from: what a sample is wherever it goes."""

    model: str
    z: np.ndarray
    """float32 or float64, shape (D,)."""
    picture: np.ndarray
    """uint8, shape (H, W, C)."""
    name: str
    label: Label = ()
    """The class that z is of; () where the model knows none."""
    draft: bool = False
    """Whether the picture was drawn for the eye alone, while a slider moved: it is off by a grey level, and never kept."""
    weights: str = ""
    """Fingerprint of the weights that z is of; "" where it is not known."""


class Store:
    """Content-addressed: what is put in twice is kept once, and a key always means the same content."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._latents: dict[str, np.ndarray] = {}
        self._decoded: OrderedDict[str, Picture] = OrderedDict()

    def put_picture(self, data: bytes, name: str = "", picture: Picture | None = None) -> str:
        """Keep a picture file's bytes; returns its key. `picture` is what they decode to, where that is known already.

        Raises `PictureError` if they cannot be read.
        """
        key = "p" + hashlib.sha256(data).hexdigest()[:32]
        if key not in self._blobs:
            self._remember(key, picture or read_picture(data, name=name or None))
            self._blobs[key] = bytes(data)
        return key

    def put_known(self, key: str, data: bytes) -> bool:
        """Keep the bytes under the key that they had in another store, without decoding them yet; whether they are the same."""
        if "p" + hashlib.sha256(data).hexdigest()[:32] != key:
            return False
        self._blobs.setdefault(key, bytes(data))
        return True

    def put_array(self, array: np.ndarray) -> str:
        """Keep an 8-bit picture (H, W) or (H, W, C), as a PNG; returns its key."""
        return self.put_picture(to_png_bytes(array))

    def put_latent(self, z: np.ndarray) -> str:
        """Keep a latent of shape (D,), float32 or float64; returns its key."""
        z = np.ascontiguousarray(z)
        digest = hashlib.sha256(z.dtype.str.encode() + z.tobytes())
        key = "z" + digest.hexdigest()[:32]
        if key not in self._latents:
            kept = z.copy()
            kept.setflags(write=False)
            self._latents[key] = kept
        return key

    def picture(self, key: str) -> Picture:
        """The decoded picture of a key."""
        if key in self._decoded:
            self._decoded.move_to_end(key)
            return self._decoded[key]
        return self._remember(key, read_picture(self._blobs[key]))

    def blob(self, key: str) -> bytes:
        return self._blobs[key]

    def latent(self, key: str) -> np.ndarray:
        return self._latents[key]

    def __contains__(self, key: str) -> bool:
        return key in self._blobs or key in self._latents

    def __len__(self) -> int:
        return len(self._blobs) + len(self._latents)

    @property
    def size(self) -> int:
        """Bytes that are kept, decoded copies aside."""
        return sum(map(len, self._blobs.values())) + sum(z.nbytes for z in self._latents.values())

    def bytes_of(self, key: str) -> int:
        """Bytes that one key's content takes; 0 for one that is not here."""
        if key in self._latents:
            return self._latents[key].nbytes
        return len(self._blobs.get(key, b""))

    def prune(self, needed: set[str]) -> None:
        """Forget everything but these keys."""
        for kept in (self._blobs, self._latents, self._decoded):
            for key in [key for key in kept if key not in needed]:
                del kept[key]

    def to_dict(self, keys: set[str]) -> dict:
        """These contents as JSON-ready data."""
        return {
            "pictures": {key: base64.b64encode(self._blobs[key]).decode() for key in sorted(keys)
                         if key in self._blobs},
            "latents": {key: latent_to_dict(self._latents[key]) for key in sorted(keys) if key in self._latents},
        }

    def load_dict(self, data: object) -> dict[str, str]:
        """Take in what `to_dict` wrote; returns {key as written: key here}, equal unless the content was changed."""
        pictures, latents = (data.get("pictures", {}), data.get("latents", {})) if isinstance(data, dict) else (None, None)
        if not (isinstance(pictures, dict) and isinstance(latents, dict)):
            raise ConfigError("The saved pictures cannot be read: they are not an object.")
        keys = {}
        for key, text in pictures.items():
            keys[key] = self.put_picture(from_base64(text))
        for key, entry in latents.items():
            keys[key] = self.put_latent(latent_from_dict(entry))
        return keys

    def _remember(self, key: str, picture: Picture) -> Picture:
        self._decoded[key] = picture
        while len(self._decoded) > DECODED or (len(self._decoded) > 1 and self._decoded_bytes() > DECODED_BYTES):
            self._decoded.popitem(last=False)
        return picture

    def _decoded_bytes(self) -> int:
        return sum(picture.pixels.nbytes for picture in self._decoded.values())
