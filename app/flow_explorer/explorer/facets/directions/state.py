"""What a person has set among the directions: which are there, how far each is moved, and what was marked to make another."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from flow_explorer.explorer.facets import FacetState
from flowcore.errors import ConfigError

__all__ = ["AMOUNT_MAX", "Held", "State"]

AMOUNT_MAX = 3.0
HELD_MAX = 48
MARKS_MAX = 512
NAME_MAX = 80
LEVELS_MAX = 64
CARD_MAX = 100_000
KEY = re.compile(r"z[0-9a-f]{32}")


@lru_cache(maxsize=512)
def _facts(card: str) -> dict[str, Any]:
    # Rows, titles and problems ask many times a move.
    return json.loads(card)


@dataclass(frozen=True)
class Held:
    """A direction as the state holds it: its vector by its key in the store, its card as text."""

    key: str
    card: str
    """JSON, as `flowcore.latents.directions.files.card_of` makes it."""
    own: bool = False
    """Opened or made here: then it stays, also where it does nothing, until it is deleted."""
    name: str = ""
    """What the person called it; empty for its card's name."""
    amount: float = 0.0
    """Standard deviations."""
    levels: tuple[int, ...] | None = None
    """Levels of z that it is limited to, 0 the finest; None for all that it knows."""
    without: tuple[str, ...] = ()
    """Keys of the directions that it is made orthogonal to."""

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
        return {"key": self.key, "card": json.loads(self.card),
                **({"own": True} if self.own else {}), **({"name": self.name} if self.name else {}),
                **({"amount": self.amount} if self.amount else {}),
                **({"levels": list(self.levels)} if self.levels is not None else {}),
                **({"without": list(self.without)} if self.without else {})}  # fmt: skip

    @classmethod
    def from_dict(cls, data: object) -> Held:
        """Read what `to_dict` wrote; raises `ConfigError`."""
        if not isinstance(data, dict):
            raise ConfigError("The saved settings cannot be read: a direction is not an object.")
        card, levels, name = data.get("card"), data.get("levels"), data.get("name", "")
        if not isinstance(card, dict) or not isinstance(card.get("name"), str) or not card["name"]:
            raise ConfigError("The saved settings cannot be read: a direction has no card.")
        try:
            text = json.dumps(card, allow_nan=False)
        except ValueError:
            raise ConfigError("The saved settings cannot be used: a direction's card holds no plain number.") from None
        deviation, known = card.get("deviation"), card.get("levels")
        if isinstance(deviation, bool) or not isinstance(deviation, int | float) or not 0 < deviation < 1e6:
            raise ConfigError("The saved settings cannot be used: a direction has no unit.")
        if len(text) > CARD_MAX or not isinstance(card.get("fingerprint"), str) or not _are_levels(known) or not known:
            raise ConfigError("The saved settings cannot be read: a direction's card is damaged.")
        if not isinstance(name, str) or len(name) > NAME_MAX:
            raise ConfigError("The saved settings cannot be read: a direction's name is not a text.")
        if levels is not None and not _are_levels(levels):
            raise ConfigError("The saved settings cannot be read: a direction's levels are not numbers of levels.")
        amount = data.get("amount", 0.0)
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
            raise ConfigError("The saved settings cannot be read: an amount is not a number.")
        if abs(amount) > AMOUNT_MAX:
            raise ConfigError(f"The saved settings cannot be used: an amount must lie in -{AMOUNT_MAX:g} to {AMOUNT_MAX:g}.")
        return cls(_key(data.get("key")), text, data.get("own") is True, name, float(amount),
                   None if levels is None else tuple(levels), _keys(data.get("without", []), HELD_MAX))  # fmt: skip


@dataclass(frozen=True)
class State(FacetState):
    """Directions that were touched, opened or made; the one in hand; and the marks for the next one."""

    held: tuple[Held, ...] = ()
    hand: str = ""
    """Key of the direction that the strip is of; empty for the first."""
    more: tuple[str, ...] = ()
    """Keys of the latents marked "more of this"."""
    less: tuple[str, ...] = ()
    more_folder: str = ""
    less_folder: str = ""

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

    def to_dict(self) -> dict[str, Any]:
        return {**({"held": [held.to_dict() for held in self.held]} if self.held else {}),
                **{name: getattr(self, name) for name in ("hand", "more_folder", "less_folder") if getattr(self, name)},
                **{name: list(getattr(self, name)) for name in ("more", "less") if getattr(self, name)}}  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        held = data.get("held", [])
        if not isinstance(held, list) or len(held) > HELD_MAX:
            raise ConfigError(f"The saved settings cannot be read: directions are a list of at most {HELD_MAX}.")
        texts = {name: data.get(name, "") for name in ("hand", "more_folder", "less_folder")}
        if not all(isinstance(text, str) and len(text) <= 4096 for text in texts.values()):
            raise ConfigError("The saved settings cannot be read: a folder is not a text.")
        if texts["hand"]:
            _key(texts["hand"])
        read = tuple(Held.from_dict(item) for item in held)
        if len({each.key for each in read}) != len(read):
            raise ConfigError("The saved settings cannot be read: a direction is there twice.")
        return cls(read, more=_keys(data.get("more", []), MARKS_MAX), less=_keys(data.get("less", []), MARKS_MAX), **texts)

    def renamed(self, keys: dict[str, str]) -> State:
        def new(key: str) -> str:
            return keys.get(key, key)

        held = tuple(replace(each, key=new(each.key), without=tuple(map(new, each.without))) for each in self.held)
        return replace(self, held=held, hand=new(self.hand), more=tuple(map(new, self.more)), less=tuple(map(new, self.less)))


def _are_levels(value: object) -> bool:
    return isinstance(value, list) and len(value) <= LEVELS_MAX and all(type(n) is int and 0 <= n < LEVELS_MAX for n in value)


def _key(value: object) -> str:
    if not isinstance(value, str) or not KEY.fullmatch(value):
        raise ConfigError("The saved settings cannot be read: a direction has no key.")
    return value


def _keys(value: object, most: int) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise ConfigError("The saved settings cannot be read: marks are not a list.")
    return tuple(_key(item) for item in value)
