"""What a person has set about two piles: where they are, how one becomes the other, and what is looked at. Without Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from flow_explorer.explorer.facets import FacetState
from flowcore.fields import Setting, check, choice, other, text, whole
from flowcore.latents.ways import METHODS, STRENGTH_MAX
from flowcore.model.labels import MAX_CLASS
from flowcore.model.temperature import Temperature

__all__ = ["DIRECTIONS", "FURTHER", "Side", "State"]

DIRECTIONS = ("ab", "ba")
FURTHER = -1
"""`State.selected` where the further picture is looked at, and none of the pile."""

_NUMBER = Setting("number", low=-1e9, high=1e9)


@dataclass(frozen=True)
class Side:
    """One pile: a folder (or other data) of pictures, or a class of a model; empty at first."""

    folder: str = text("", 4096, low=0)
    label: int = whole(-1, -1, MAX_CLASS, called="class")
    model: str = text("", 4096, low=0)
    """The model that the class is one of."""

    def __post_init__(self) -> None:
        check(self, "A pile's")

    @property
    def empty(self) -> bool:
        return not self.folder and self.label < 0

    @property
    def name(self) -> str:
        """The folder's own name."""
        return Path(self.folder).name or self.folder

    def source(self, model: str, seed: int, temperature: Temperature, classes: int) -> tuple:
        """What the engine is asked for; () for nothing that this model has."""
        if self.folder:
            return ("folder", self.folder)
        if 0 <= self.label < classes and self.model == model:
            return ("class", self.label, seed, temperature)
        return ()

    def to_dict(self) -> dict[str, Any]:
        return {"folder": self.folder} if self.folder else {"label": self.label, "model": self.model}


def _strength(value: Any) -> float:
    """As near to what is asked for as the piles go."""
    return float(min(max(_NUMBER.legal(value, "The piles' strength"), 0.0), STRENGTH_MAX))


@dataclass(frozen=True)
class State(FacetState):
    """Two sides, how the one becomes the other, and which picture is looked at."""

    OWNER: ClassVar[str] = "The piles'"

    a: Side = Side()
    b: Side = Side()
    method: str = choice(next(iter(METHODS)), tuple(METHODS))
    direction: str = choice(DIRECTIONS[0], DIRECTIONS)
    strength: float = other(1.0, _strength)
    selected: int = whole(0, FURTHER, 10**6, called="selected picture")
    """Number of a picture in the pile that is translated, or `FURTHER`."""
    further: str = text("", 4096, low=0)
    """The store's key of a further picture that is translated with the same way; empty for none."""
    further_name: str = text("", 4096, low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.selected == FURTHER and not self.further:
            object.__setattr__(self, "selected", 0)

    def portable(self) -> State:
        """Without folders: where a person keeps pictures is nobody else's to know."""
        return replace(self, a=replace(self.a, folder=""), b=replace(self.b, folder=""))

    @property
    def keys(self) -> set[str]:
        return {self.further} if self.further else set()

    def side(self, which: str) -> Side:
        return self.a if which == "A" else self.b

    def with_side(self, which: str, side: Side) -> State:
        return replace(self, selected=self.selected if self.selected == FURTHER else 0, **{which.lower(): side})

    @property
    def ends(self) -> str:
        """From which pile to which: "AB" or "BA"."""
        return self.direction.upper()

    def renamed(self, keys: dict[str, str]) -> State:
        return replace(self, further=keys.get(self.further, self.further)) if self.further else self
