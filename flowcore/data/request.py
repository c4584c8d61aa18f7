"""What of a data set is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .attributes import Attributes
from .reading import Reading
from .sources import assign_splits

__all__ = ["GIVE", "Request"]

GIVE = "give a folder or a zip of pictures, idx files, a .npz or .npy file or hf:NAME"
"""What data may be, to end a sentence with."""


@dataclass(frozen=True)
class Request:
    """A split of the pictures, how they are read, and the table that goes with them."""

    split: str
    reading: Reading
    size: tuple[int, int] | None
    validation: float
    seed: int
    table: Attributes | None
    labels_from: str | None

    def splits(self, keys: Sequence[str], own: Sequence[str]) -> list[str]:
        """The split of every picture of that key, in the part that the data itself puts it in."""
        return assign_splits(keys, own, self.validation, self.seed)

    def wants(self, split: str) -> bool:
        """Whether a picture of that split is asked for."""
        return self.split in ("all", split)
