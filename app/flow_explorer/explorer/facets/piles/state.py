"""What a person has set about two piles: where they are, how one becomes the other, and what is looked at. Without Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flow_explorer.explorer.facets import FacetState
from flowcore.errors import ConfigError
from flowcore.latents.ways import METHODS, STRENGTH_MAX
from flowcore.model.labels import MAX_CLASS
from flowcore.model.temperature import Temperature

__all__ = ["DIRECTIONS", "FURTHER", "Side", "State"]

DIRECTIONS = ("ab", "ba")
FURTHER = -1
"""`State.selected` where the further picture is looked at, and none of the pile."""


@dataclass(frozen=True)
class Side:
    """One pile: a folder (or other data) of pictures, or a class of a model; empty at first."""

    folder: str = ""
    label: int = -1
    model: str = ""
    """The model that the class is one of."""

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

    @classmethod
    def from_dict(cls, data: object) -> Side:
        if not isinstance(data, dict):
            raise ConfigError("The saved piles cannot be read: one of them is not an object.")
        folder, label, model = data.get("folder", ""), data.get("label", -1), data.get("model", "")
        if not all(isinstance(text, str) and len(text) <= 4096 for text in (folder, model)):
            raise ConfigError("The saved piles cannot be read: a folder's name is not a text.")
        if isinstance(label, bool) or not isinstance(label, int) or not -1 <= label <= MAX_CLASS:
            raise ConfigError("The saved piles cannot be read: a class is not a number.")
        return cls(folder) if folder else cls(label=label, model=model) if label >= 0 else cls()


@dataclass(frozen=True)
class State(FacetState):
    """Two sides, how the one becomes the other, and which picture is looked at."""

    a: Side = Side()
    b: Side = Side()
    method: str = next(iter(METHODS))
    direction: str = DIRECTIONS[0]
    strength: float = 1.0
    selected: int = 0
    """Number of a picture in the pile that is translated, or `FURTHER`."""
    further: str = ""
    """The store's key of a further picture that is translated with the same way; empty for none."""
    further_name: str = ""

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

    def to_dict(self) -> dict[str, Any]:
        plain = State()
        data: dict[str, Any] = {name: getattr(self, name).to_dict() for name in "ab" if not getattr(self, name).empty}
        for name in ("method", "direction", "strength", "selected", "further", "further_name"):
            if getattr(self, name) != getattr(plain, name):
                data[name] = getattr(self, name)
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        method, direction = data.get("method", cls.method), data.get("direction", DIRECTIONS[0])
        if method not in METHODS or direction not in DIRECTIONS:
            raise ConfigError("The saved piles cannot be used: they name a method or a direction that there is not.")
        strength, selected = data.get("strength", 1.0), data.get("selected", 0)
        if isinstance(strength, bool) or not isinstance(strength, int | float) or not math.isfinite(strength):
            raise ConfigError("The saved piles cannot be read: the strength is not a number.")
        if isinstance(selected, bool) or not isinstance(selected, int) or not FURTHER <= selected <= 10**6:
            raise ConfigError("The saved piles cannot be read: the selected picture is not a number.")
        texts = [data.get(name, "") for name in ("further", "further_name")]
        if not all(isinstance(text, str) and len(text) <= 4096 for text in texts):
            raise ConfigError("The saved piles cannot be read: a name is not a text.")
        sides = [Side.from_dict(data.get(name, {})) for name in "ab"]
        return cls(*sides, method, direction, min(max(float(strength), 0.0), STRENGTH_MAX),
                   selected if selected != FURTHER or texts[0] else 0, *texts)

    def renamed(self, keys: dict[str, str]) -> State:
        return replace(self, further=keys.get(self.further, self.further)) if self.further else self
