"""What is set in the Compare view. Without Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flow_explorer import assets
from flow_explorer.explorer.facets import FacetState
from flowcore.fields import check, choice, read, text, to_dict, whole

__all__ = ["LOOKS", "SEED_MAX", "Side", "State"]

LOOKS = {
    "picture": ("Picture", "The same picture: what it costs each model, and what each keeps of it in its coarse levels"),
    "z": ("Same z", "The same z decoded by both, and how far the pictures are apart\n|x₁ − x₂|, x = f⁻¹(z)"),
    "page": ("Page", "Samples of the same seed and temperature from both"),
}
SEED_MAX = 2**31 - 1


@dataclass(frozen=True)
class Side:
    """A model: a bundled name, a file or a run folder; empty for the open model on the left, for none on the right."""

    path: str = text("", 4096, low=0)
    checkpoint: str = text("", 255, low=0)
    """Name of the file in a run folder; empty for the one that the folder stands for."""

    def __post_init__(self) -> None:
        check(self, "A compared model's")


@dataclass(frozen=True)
class State(FacetState):
    """Which two models, and what they are compared on."""

    look: str = choice("picture", LOOKS, "What is compared", act="Compare something else")
    left: Side = Side()
    right: Side = Side()
    drawn: int = whole(
        2, 1, 9, "Finest levels drawn anew",
        "How many of the finest levels of z are drawn anew, from the same seed for both models: what stays is what the coarser "
        "ones hold.\nz = (drawn, …, own)", act="Change how many levels are drawn anew")  # fmt: skip
    seed: int = whole(0, 0, SEED_MAX)

    def __post_init__(self) -> None:
        check(self, "The comparison's")

    def side(self, which: str) -> Side:
        return self.left if which == "left" else self.right

    def portable(self) -> State:
        """Without files: where a person keeps models is nobody else's to know."""
        kept = {which: self.side(which) for which in ("left", "right")}
        return replace(self, **{which: side if side.path in assets.model_names() else Side() for which, side in kept.items()})

    def to_dict(self) -> dict[str, Any]:
        plain = to_dict(State())
        return {name: value for name, value in to_dict(self).items() if value != plain[name]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return read(cls, data, "The Compare view's")
