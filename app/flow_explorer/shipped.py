"""The bundled models as they shipped while files named a model by its name alone, and so are what such a file means.

Files say the fingerprint of a model's weights beside its name since then; this table does not grow with later models.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SHIPPED", "Shipped", "weights_of", "weights_of_file"]


@dataclass(frozen=True)
class Shipped:
    """One model under a name that is, or was, bundled."""

    weights: str
    """As `flowcore.model.weights.fingerprint` gives it."""
    files: tuple[str, ...]
    """Digests of the whole file, by which `encode` told models apart: one for each wording of the card."""


SHIPPED = {
    "emoji": Shipped("1ffd162ccb83f752", ("b4d382cfac83d25e",)),
    "faces": Shipped("cbb7339e3d9797c1", ("8bdacdc630ccdf45",)),
    "fashion": Shipped("711f0e7cbcb58a9b", ("b96865ef84c02541",)),
    "fashion-nice": Shipped("0a4ab13879697d7d", ("f1811318f65a5098",)),
    "fashion-realnvp": Shipped("b18b336f1d40f32b", ("766d9ee83df1633c",)),
    "mnist": Shipped("9362587f6b68a27f", ("b239b5d8fa9876df", "e989f9bab1271a37")),
    "tiles": Shipped("746593dd5fbfc626", ("bc392ff76bca9a72",)),
}


def weights_of(name: str) -> str:
    """The weights that a file means by a bundled name alone; "" for a name that was never one."""
    known = SHIPPED.get(name)
    return "" if known is None else known.weights


def weights_of_file(digest: str) -> str:
    """The weights in a bundled file of this digest; "" for one that was never bundled."""
    return next((known.weights for known in SHIPPED.values() if digest in known.files), "")
