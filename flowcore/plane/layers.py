"""The layers of a toy flow as a list that can be edited: plain data, checked, and what is to be said about them.

No torch: a window may use it. :func:`flowcore.plane.stack.stack` makes a flow of such a list.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..errors import ConfigError
from ..fields import shown

__all__ = ["AXES", "COUPLINGS", "KINDS", "MAX_LAYERS", "LayerSpec", "concerns", "fresh_id", "layers_of", "own_layers"]

COUPLINGS = ("additive", "affine", "spline")
"""Kinds that copy one coordinate and change the other."""
KINDS = (*COUPLINGS, "lu", "linear", "rotation", "actnorm", "scale", "swap")
"""Additive, affine and spline coupling; 1×1 convolution by its LU factors, plain, or a rotation alone; activation
normalisation; NICE's diagonal scaling; the two coordinates exchanged."""
AXES = ("x", "y")
MAX_LAYERS = 64

_MIXERS = ("lu", "linear", "rotation")
_RIGID = ("additive", "rotation", "swap")
_MAX_ID = 2**31


@dataclass(frozen=True)
class LayerSpec:
    """One layer of a flow of the plane.

    ``kind`` is one of :data:`KINDS`; ``copies`` is the coordinate that a coupling copies, and "" for the other kinds;
    a ``frozen`` layer keeps its weights while the rest is trained. ``id`` tells a layer from its like in the same list
    through edits, so that a new run can take up the weights of the layers that were kept.

    Raises:
        ConfigError: for a value that is none of these.
    """

    kind: str
    copies: str = ""
    frozen: bool = False
    id: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"There is no layer of the kind {shown(self.kind)}: choose one of {', '.join(KINDS)}.")
        if self.copies not in (AXES if self.kind in COUPLINGS else ("",)):
            wanted = "x or y" if self.kind in COUPLINGS else "nothing"
            raise ConfigError(f"A layer of the kind {shown(self.kind)} copies {wanted}, not {shown(self.copies)}.")
        if not isinstance(self.frozen, bool):
            raise ConfigError(f"A layer is frozen or not, which is true or false, not {shown(self.frozen)}.")
        if isinstance(self.id, bool) or not isinstance(self.id, int) or not 0 <= self.id < _MAX_ID:
            raise ConfigError(f"A layer's id must be a whole number of 0 or more, not {shown(self.id)}.")

    @property
    def is_coupling(self) -> bool:
        """Whether it copies one coordinate and changes the other."""
        return self.kind in COUPLINGS

    def flipped(self) -> LayerSpec:
        """The same coupling, copying the other coordinate; another kind as it is."""
        return replace(self, copies=AXES[1 - AXES.index(self.copies)]) if self.is_coupling else self

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @property
    def architecture(self) -> dict[str, Any]:
        """What :func:`flowcore.plane.stack.stack` needs of it: all but its id."""
        return {"kind": self.kind, "copies": self.copies, "frozen": self.frozen}


def layers_of(values: Iterable[LayerSpec | Mapping[str, Any]], limit: int = MAX_LAYERS) -> tuple[LayerSpec, ...]:
    """A list of layers from specs or their dictionaries. Ids that are missing or stand twice are given anew.

    Raises:
        ConfigError: if it is no list of 1 to ``limit`` layers, or one of them is not right.
    """
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise ConfigError("A flow's layers must be a list.")
    found = []
    for value in values:
        if len(found) == limit:
            raise ConfigError(f"A flow's list of layers holds from 1 to {limit} of them, not more.")
        if not isinstance(value, LayerSpec):
            if not isinstance(value, Mapping) or set(value) - {"kind", "copies", "frozen", "id"} or "kind" not in value:
                raise ConfigError(f"A layer has a kind, what it copies, and whether it is frozen; {shown(value)} is no layer.")
            value = LayerSpec(**value)
        found.append(value)
    if not found:
        raise ConfigError(f"A flow's list of layers holds from 1 to {limit} of them, not none.")
    taken: set[int] = set()
    for place, spec in enumerate(found):
        if spec.id == 0 or spec.id in taken:
            found[place] = spec = replace(spec, id=fresh_id(found))
        taken.add(spec.id)
    return tuple(found)


def fresh_id(layers: Sequence[LayerSpec]) -> int:
    """An id that no layer of the list has."""
    return max((spec.id for spec in layers), default=0) + 1


def own_layers(flow: str, depth: int) -> tuple[LayerSpec, ...]:
    """The layers that a flow of the plane is made of when nobody edits them, in the order of encoding; ids from 1.

    Empty for a flow that is not made of such layers (a continuous one).
    """
    if flow == "nice":
        specs = [LayerSpec("additive", AXES[step % 2]) for step in range(depth)] + [LayerSpec("scale")]
    elif flow in ("realnvp", "spline"):
        kind = "affine" if flow == "realnvp" else "spline"
        specs = [LayerSpec(kind, AXES[step % 2]) for step in range(depth)]
    elif flow == "glow":
        step = [LayerSpec("actnorm"), LayerSpec("lu"), LayerSpec("affine", "x")]
        specs = step * depth
    else:
        specs = []
    return tuple(replace(spec, id=number) for number, spec in enumerate(specs, 1))


def concerns(layers: Sequence[LayerSpec]) -> tuple[str, ...]:
    """What is to be said of a list, as codes, the gravest first; empty where nothing is.

    ``"x-kept"``, ``"y-kept"``, ``"direction-kept"``: every coupling copies this coordinate of the data (this one direction,
    where a matrix mixed the two before), so it is shifted and scaled at most; ``"nothing-bent"``: there is no coupling,
    so the model is the prior up to one matrix; ``"all-frozen"``: nothing is left to train; ``"rigid"``: no layer changes an
    area, so the density of the model has the prior's heights, moved about.
    """
    # What no coupling has changed: all at first, then one direction, which stands in the place `along` as long as no matrix
    # mixes it (None: in neither place), then nothing.
    untouched, along, name = 2, None, ""
    place, mixed = [0, 1], False
    for spec in layers:
        if spec.kind == "swap":
            place.reverse()
            along = None if along is None else 1 - along
        elif spec.kind in _MIXERS:
            mixed, along = True, None
        elif spec.is_coupling:
            copied = AXES.index(spec.copies)
            if untouched == 2:
                untouched, along = 1, copied
                name = "direction" if mixed else AXES[place[copied]]
            elif along != copied:
                untouched = 0
    found = []
    if untouched:
        found.append("nothing-bent" if untouched == 2 else f"{name}-kept")
    if all(spec.frozen or spec.kind == "swap" for spec in layers):
        found.append("all-frozen")
    if untouched < 2 and all(spec.kind in _RIGID for spec in layers):
        found.append("rigid")
    return tuple(found)
