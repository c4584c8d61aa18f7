"""What the Explorer asks of the engine about two piles of pictures: read one, fit a way between them, translate, save.

A *source* is where a pile's pictures come from, a tuple: ("folder", path), or ("class", number, seed, temperature) for samples
of one class of a conditional model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.ways import STRENGTH_MAX, method

from .base import Priority, Request, check_number, check_temperature, check_whole

__all__ = ["FitPiles", "ReadPile", "SaveTranslations", "TranslatePage", "TranslatePicture"]

SEED_MAX = 2**31 - 1


def _source(value: Any) -> None:
    known = isinstance(value, tuple) and value and isinstance(value[0], str)
    if known and value[0] == "folder" and len(value) == 2 and isinstance(value[1], str) and value[1]:
        return
    if known and value[0] == "class" and len(value) == 4:
        check_whole("A class", value[1], 0, 100_000)
        check_whole("The seed", value[2], 0, SEED_MAX)
        check_temperature(value[3])
        return
    raise ConfigError("A pile is a folder of pictures, or a class of the model.")


@dataclass(frozen=True, eq=False)
class ReadPile(Request):
    """Read a pile as the model sees it. Several answers `{first, count, done}` with `pictures` uint8 (n, H, W, C); the first
    also has `{names, total, number, left_out}`: `names` of all, how many there are in all, a number that no other reading has,
    and (name, sentence) of what cannot be read.
    """

    kind = "piles.read"
    priority = Priority.EXPORT

    model: str
    source: tuple

    def __post_init__(self) -> None:
        _source(self.source)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Between(Request):
    """What says which way is meant. `pair` is the second flow of a pair, whose first is `model`; `back` goes from its pile."""

    model: str
    method: str
    source: tuple
    target: tuple = ()
    """The pile that is translated into; () where the method does without (a pair)."""
    pair: str = ""
    back: bool = False
    names: tuple[str, str] = ("A", "B")
    """What the two are called in a sentence: the pile that is translated, and the other."""

    def __post_init__(self) -> None:
        alone = method(self.method).needs == "pair"
        _source(self.source)
        if alone:
            if not self.pair:
                raise ConfigError("This method needs the two flows of a pair.")
        else:
            _source(self.target)


@dataclass(frozen=True, eq=False, kw_only=True)
class FitPiles(_Between):
    """Encode both piles and make the way between them, kept for the requests below. Answers `{count, done}`."""

    kind = "piles.fit"
    priority = Priority.EXPORT


@dataclass(frozen=True, eq=False, kw_only=True)
class TranslatePage(_Between):
    """Pictures of the pile by their numbers, translated, in the order asked. Several answers `{indices, failed, done}` with
    `pictures` uint8 (n, H, W, C); `failed` are the numbers of those that have no finite counterpart.
    """

    kind = "piles.page"
    slot = "piles.page"
    priority = Priority.PAGE
    grace = 0.15

    indices: tuple[int, ...]
    strength: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.indices, tuple) or not 1 <= len(self.indices) <= 4096:
            raise ConfigError("A page has from 1 to 4096 pictures.")
        for index in self.indices:
            check_whole("A picture's number", index, 0, 10**6)
        check_number("The strength", self.strength, 0.0, STRENGTH_MAX)


@dataclass(frozen=True, eq=False, kw_only=True)
class TranslatePicture(_Between):
    """One picture (uint8 (H, W, C), as the model sees it), translated and taken back. Of the pile's own, by its number `index`,
    `picture` is there at once; then comes `picture` with `z` (D,) as the model has it and
    `{label, cycle_error, precise, bpd_before, bpd_after, done: True}`.
    """

    kind = "piles.one"
    slot = "piles.one"
    priority = Priority.INTERACTIVE

    picture: np.ndarray
    strength: float
    index: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.picture, np.ndarray) or self.picture.dtype != np.uint8 or self.picture.ndim != 3:
            raise ConfigError("A picture to translate must be 8-bit, height by width by channels.")
        check_whole("A picture's number", self.index, -1, 10**6)
        check_number("The strength", self.strength, 0.0, STRENGTH_MAX)


@dataclass(frozen=True, eq=False, kw_only=True)
class SaveTranslations(_Between):
    """Write the translation of every picture of the pile into a folder as `files[i]`. Answers `{count, folder, failed, done}`.

    A file that is there already is replaced only with `replace`. `recipe` goes into each, with its own z beside it.
    """

    kind = "piles.save"
    priority = Priority.EXPORT

    strength: float
    folder: str
    files: tuple[str, ...]
    replace: bool = False
    recipe: dict = field(default_factory=dict)
    model_name: str = ""
    """What the recipe's latent says of its model."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("The strength", self.strength, 0.0, STRENGTH_MAX)
        if not self.folder:
            raise ConfigError("Choose a folder to save the translations in.")
        if any(not isinstance(name, str) or name != name.replace("\\", "/").rpartition("/")[2] or name in ("", ".", "..")
               for name in self.files):
            raise ConfigError("The translations' names must be plain file names.")
