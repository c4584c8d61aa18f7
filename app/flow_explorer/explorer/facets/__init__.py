"""The Explorer's further views ("facets"): each looks at, or works on, a picture's z in one way of its own.

A facet is a folder here, in the two halves that every workspace has:

- ``state.py``: a frozen dataclass derived from :class:`FacetState`, without Qt: what a person has set there. It is part of
  the Explorer's state, so undo, sessions and recipes know it.
- ``facet.py``: ``facet``, a class derived from :class:`flow_explorer.explorer.facets.base.Facet`: what it asks of the engine and
  what it shows. It is imported on the first visit only.

Its requests are in ``engine/requests/<id>.py`` and its jobs in ``engine/jobs/<id>.py``; a request of kind "<id>.…" finds its job
there.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self

from flowcore import fields

__all__ = ["REGISTRY", "SAMPLES", "Entry", "FacetState", "entry", "initial", "read"]

SAMPLES = "samples"
"""The first view, which is no facet: samples, two slots and a walk."""


@dataclass(frozen=True)
class FacetState:
    """Base of a facet's state: fields declared as `flowcore.fields` has them; pictures and latents are named by their store's
    keys.

    Raises:
        ConfigError: where one is made of a value out of range.
    """

    OWNER: ClassVar[str] = "The saved settings'"
    """Begins the sentences about what is not right."""

    def __post_init__(self) -> None:
        fields.check(self, self.OWNER)

    @property
    def keys(self) -> set[str]:
        """Every key of the store that this state needs."""
        return set()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data, without what stands at its default."""
        return fields.changes(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote; raises `ConfigError` in one sentence for a value out of range."""
        return fields.read(cls, data, cls.OWNER)

    def portable(self) -> FacetState:
        """What of it may travel inside a saved picture, which is meant to be passed on: nothing that names a person's folders."""
        return self

    def renamed(self, keys: dict[str, str]) -> FacetState:
        """The same with other keys of the store, where what was written was put in another one."""
        return self


@dataclass(frozen=True)
class Entry:
    """A facet as the Explorer shows it, before anything of it is imported. Texts are English; shown through tr()."""

    id: str
    title: str
    tip: str
    about_subject: bool = True
    """Whether it is about one picture: then the person chooses which (a sample, A, B, or the walk's frame)."""

    @property
    def facet_module(self) -> str:
        return f"flow_explorer.explorer.facets.{self.id}.facet"


REGISTRY: tuple[Entry, ...] = (
    Entry("directions", "Directions", "Move a picture along what a set of pictures has in common: a smile, glasses, a colour"),
    Entry("paths", "Paths", "Four pictures on a pad, keyframes on a timeline, kinds of walk side by side", about_subject=False),
    Entry("levels", "Levels", "Keep a picture's coarse or fine levels, or a region, and draw the rest anew"),
    Entry("layers", "Layers", "Follow a picture from pixels to noise, layer by layer, and see what its likelihood is made of"),
    Entry("pixels", "Pixels", "Which z a pixel moves, which pixels a z moves; paint, and make what you painted plausible"),
    Entry("compare", "Compare", "Two models, or two checkpoints of one training, on the same picture, the same z, the same page"),
    Entry("map", "Map", "A folder of pictures as points in z: near ones are alike to the model", about_subject=False),
    Entry("piles", "Piles", "Turn the pictures of one pile into their counterparts in another, and back", about_subject=False),
)  # fmt: skip
"""In the order in which they are shown."""


def entry(id_: str) -> Entry | None:
    """The facet of this id; None for the samples and for one that this version does not have."""
    return next((known for known in REGISTRY if known.id == id_), None)


@cache
def _state_class(id_: str) -> type[FacetState]:
    module = importlib.import_module(f"flow_explorer.explorer.facets.{id_}.state")
    return getattr(module, f"{id_.capitalize()}State")


def initial(id_: str) -> FacetState:
    """A facet's state before the person has done anything there."""
    return _state_class(id_)()


def read(id_: str, data: dict[str, Any]) -> FacetState:
    """A facet's state from JSON; raises `ConfigError`."""
    return _state_class(id_).from_dict(data)
