"""What the Explorer asks of the engine about two piles of pictures: read one, fit a way between them, translate, save.

A *source* is where a pile's pictures come from, a tuple: ("folder", path), or ("class", number, seed, temperature) for samples
of one class of a conditional model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.ways import STRENGTH_MAX, method
from flowcore.model.labels import Label

from ..answers import Answer, Picture, Pictures, Z, same_length
from .base import Priority, Request, check_number, check_temperature, check_whole

__all__ = [
    "FitPiles", "PilePart", "PileStart", "PilesFitted", "ReadPile", "SaveTranslations", "TranslatePage", "TranslatePicture",
    "TranslatedPart", "Translation", "TranslationDraft", "TranslationsSaved",
]  # fmt: skip

A = TypeVar("A")

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
class PilePart(Answer):
    """Pictures `first` and following of a pile."""

    first: int
    pictures: Pictures


@dataclass(frozen=True, eq=False)
class PileStart(PilePart):
    """The first part, and what there is to know of the whole."""

    names: tuple[str, ...] = field(kw_only=True)
    total: int = field(kw_only=True)
    """How many there are in all, of which some may not have been read."""
    number: int = field(kw_only=True)
    """No other reading has it."""
    left_out: tuple[tuple[str, str], ...] = field(kw_only=True)
    """(name, sentence) of what cannot be read."""


@dataclass(frozen=True, eq=False)
class ReadPile(Request[PileStart | PilePart]):
    """Read a pile as the model sees it, answered in parts."""

    kind = "piles.read"
    priority = Priority.EXPORT

    model: str
    source: tuple

    def __post_init__(self) -> None:
        _source(self.source)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Between(Request[A]):
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


@dataclass(frozen=True, eq=False)
class PilesFitted(Answer):
    """The way is there, for so many pictures."""

    count: int


@dataclass(frozen=True, eq=False, kw_only=True)
class FitPiles(_Between[PilesFitted]):
    """Encode both piles and make the way between them, kept for the requests below."""

    kind = "piles.fit"
    priority = Priority.EXPORT


@dataclass(frozen=True, eq=False)
class TranslatedPart(Answer):
    """Some translations, by their pictures' numbers, and the numbers of those that have no finite counterpart."""

    indices: tuple[int, ...]
    pictures: Pictures
    failed: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        same_length(self.indices, self.pictures)


@dataclass(frozen=True, eq=False, kw_only=True)
class TranslatePage(_Between[TranslatedPart]):
    """Pictures of the pile by their numbers, translated, in the order asked, answered in parts."""

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


@dataclass(frozen=True, eq=False)
class TranslationDraft(Answer):
    """A translation for the eye."""

    picture: Picture


@dataclass(frozen=True, eq=False)
class Translation(Answer):
    """A translation with its z as the model has it (None where that is not finite) and the class of it, how far the way back ends
    from the picture in grey levels, whether float64 was needed for that, and bits per dimension before and after (None where
    they are not finite)."""

    picture: Picture
    z: Z | None
    label: Label
    cycle_error: float
    precise: bool
    bpd_before: float | None
    bpd_after: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class TranslatePicture(_Between[TranslationDraft | Translation]):
    """One picture (uint8 (H, W, C), as the model sees it), translated and taken back. Of the pile's own, by its number `index`,
    a draft is there at once.
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


@dataclass(frozen=True, eq=False)
class TranslationsSaved(Answer):
    """So many are in the folder; the names of those that have no finite counterpart."""

    count: int
    failed: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class SaveTranslations(_Between[TranslationsSaved]):
    """Write the translation of every picture of the pile into a folder as `files[i]`.

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
