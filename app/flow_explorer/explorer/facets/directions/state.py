"""What a person has set among the directions: which are there, how far each is moved, and what was marked to make another."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

from flow_explorer.explorer.facets import FacetState
from flowcore.errors import ConfigError
from flowcore.fields import Setting, changes, check, flag, number, other, read, several, shown, text

__all__ = ["AMOUNT_MAX", "Held", "State"]

AMOUNT_MAX = 3.0
HELD_MAX = 48
MARKS_MAX = 512
NAME_MAX = 80
LEVELS_MAX = 64
CARD_MAX = 100_000
KEY = re.compile(r"z[0-9a-f]{32}")
_LEVEL = Setting("whole", low=0, high=LEVELS_MAX - 1)
_UNIT = Setting("number", low=0.0, high=1e6)


@lru_cache(maxsize=512)
def _facts(card: str) -> dict[str, Any]:
    # Rows, titles and problems ask many times a move.
    return json.loads(card)


def _key(value: Any) -> str:
    if not isinstance(value, str) or not KEY.fullmatch(value):
        raise ConfigError(f"A direction is named by a key of the store, not {shown(value)}.")
    return value


def _hand(value: Any) -> str:
    return value if value == "" else _key(value)


def _levels(values: Any) -> tuple[int, ...] | None:
    if values is None:
        return None
    if not isinstance(values, list | tuple) or len(values) > LEVELS_MAX:
        raise ConfigError(f"A direction's levels must be a list, not {shown(values)}.")
    return tuple(_LEVEL.legal(level, "A direction's level") for level in values)


def _written(card: Any) -> str:
    """A file's card as the text that is kept of it."""
    if not isinstance(card, dict) or not isinstance(card.get("name"), str) or not card["name"]:
        raise ConfigError("A direction has no card.")
    try:
        written = json.dumps(card, allow_nan=False)
    except ValueError:
        raise ConfigError("A direction's card holds no plain number.") from None
    if _UNIT.legal(card.get("deviation"), "A direction's unit") <= 0:
        raise ConfigError("A direction has no unit.")
    if len(written) > CARD_MAX or not isinstance(card.get("fingerprint"), str) or not _levels(card.get("levels")):
        raise ConfigError("A direction's card is damaged.")
    return written


@dataclass(frozen=True)
class Held:
    """A direction as the state holds it: its vector by its key in the store, its card as text."""

    key: str = other(MISSING, _key)
    card: str = text(MISSING, CARD_MAX)
    """JSON, as `flowcore.latents.directions.files.card_of` makes it."""
    own: bool = flag(False)
    """Opened or made here: then it stays, also where it does nothing, until it is deleted."""
    name: str = text("", NAME_MAX, low=0)
    """What the person called it; empty for its card's name."""
    amount: float = number(0.0, -AMOUNT_MAX, AMOUNT_MAX)
    """Standard deviations."""
    levels: tuple[int, ...] | None = other(None, _levels)
    """Levels of z that it is limited to, 0 the finest; None for all that it knows."""
    without: tuple[str, ...] = several((), _key, HELD_MAX)
    """Keys of the directions that it is made orthogonal to."""

    def __post_init__(self) -> None:
        check(self, "A direction's")

    @property
    def plain(self) -> bool:
        """Whether nothing was set."""
        return replace(self, amount=0.0, levels=None, without=()) == self and not self.own and not self.name

    def facts(self) -> dict[str, Any]:
        """The card; not to be changed."""
        return _facts(self.card)

    @property
    def title(self) -> str:
        return self.name or str(self.facts()["name"])

    def to_dict(self) -> dict[str, Any]:
        return {**changes(self), "card": json.loads(self.card)}


def _held(value: Any) -> Held:
    if isinstance(value, Held):
        return value
    if not isinstance(value, dict):
        raise ConfigError(f"A direction is kept as an object, not {shown(value)}.")
    return read(Held, {**value, "card": _written(value.get("card"))}, "A direction's")


@dataclass(frozen=True)
class State(FacetState):
    """Directions that were touched, opened or made; the one in hand; and the marks for the next one."""

    OWNER: ClassVar[str] = "The directions'"

    held: tuple[Held, ...] = several((), _held, HELD_MAX)
    hand: str = other("", _hand)
    """Key of the direction that the strip is of; empty for the first."""
    more: tuple[str, ...] = several((), _key, MARKS_MAX)
    """Keys of the latents marked "more of this"."""
    less: tuple[str, ...] = several((), _key, MARKS_MAX)
    more_folder: str = text("", 4096, low=0)
    less_folder: str = text("", 4096, low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len({each.key for each in self.held}) != len(self.held):
            raise ConfigError("A direction is there twice.")

    def portable(self) -> State:
        """Without the folders that another is made from."""
        return replace(self, more_folder="", less_folder="")

    @property
    def keys(self) -> set[str]:
        return {*self.more, *self.less, *(key for held in self.held for key in (held.key, *held.without))}

    def find(self, key: str) -> Held | None:
        return next((held for held in self.held if held.key == key), None)

    def put(self, held: Held) -> State:
        """With this one in the place of the one of its key, or behind the others; one with nothing set goes."""
        kept = [held if other.key == held.key else other for other in self.held]
        if self.find(held.key) is None:
            kept.append(held)
        return replace(self, held=tuple(other for other in kept if not other.plain))

    def without(self, key: str) -> State:
        """Without a direction, for the others as well."""
        rest = [replace(held, without=tuple(other for other in held.without if other != key)) for held in self.held]
        kept = tuple(held for held in rest if held.key != key and not held.plain)
        return replace(self, held=kept, hand="" if self.hand == key else self.hand)

    def at_rest(self) -> State:
        """With every amount at 0."""
        return replace(self, held=tuple(held for held in (replace(each, amount=0.0) for each in self.held) if not held.plain))

    def marked(self, key: str) -> State:
        """With the next mark on a latent: none, more, less, none."""
        if key in self.more:
            return replace(self, more=tuple(other for other in self.more if other != key), less=(*self.less, key))
        if key in self.less:
            return replace(self, less=tuple(other for other in self.less if other != key))
        return self if len(self.more) + len(self.less) >= MARKS_MAX else replace(self, more=(*self.more, key))

    def renamed(self, keys: dict[str, str]) -> State:
        def new(key: str) -> str:
            return keys.get(key, key)

        held = tuple(replace(each, key=new(each.key), without=tuple(map(new, each.without))) for each in self.held)
        return replace(self, held=held, hand=new(self.hand), more=tuple(map(new, self.more)), less=tuple(map(new, self.less)))

