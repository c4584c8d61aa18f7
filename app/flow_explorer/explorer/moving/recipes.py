"""The recipe in a saved picture: what it needs of the Explorer's state, small enough to travel inside a PNG.

Only what the model sees of a picture goes in, never the photograph it was cropped from: a saved walk is meant to be
passed on, the rest of the photograph may not be. A picture that needs no other holds none, unless all is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from flow_explorer import assets
from flow_explorer.explorer.facets import SAMPLES, FacetState
from flow_explorer.explorer.model import open_model
from flow_explorer.explorer.moving.identity import are_here, saying, weights_in, why_not
from flow_explorer.explorer.moving.privacy import file_names, model_name, public
from flow_explorer.explorer.slots.slot_link import seen_by
from flow_explorer.explorer.state import COUNTS, SCHEMA, ExplorerState, Slot, with_slots
from flow_explorer.explorer.store import Latent, Store
from flow_explorer.i18n import tr
from flowcore.errors import ConfigError, FlowError
from flowcore.latents.as_json import latent_from_dict, latent_to_dict
from flowcore.model.labels import from_json, to_json
from flowcore.pictures import recipe
from flowcore.pictures.images import Picture, enlarge, read_picture

if TYPE_CHECKING:
    from flow_explorer.explorer.model import Model

__all__ = ["PICTURES_INSIDE", "as_picture", "changed", "edited", "is_reshaped", "is_restorable", "keeping", "located",
           "make_recipe", "read_latent", "read_recipe"]  # fmt: skip



PICTURES_INSIDE = ("walk", "timeline")
"""Kinds of recipes that carry the pictures that they are of: they come back also where the model has changed."""
SLOTS, FACETS = "slots", "facets"
"""What a recipe can say that it left behind: whoever opens it keeps what is there."""
ROOM_BYTES = 20 * 2**20
"""Of pictures and latents; a facet whose own would not fit beside the others' stays behind."""


def make_recipe(kind: str, state: ExplorerState, store: Store, model: Model, latent: Latent | None = None,
                carried: Collection[str] = (), everything: bool = False) -> dict:
    """The recipe of a saved picture: `kind` is "picture" (then with its own z), "samples", "walk" or a facet's own.

    It holds what this picture needs: a walk its two ends, and the facets of the ids in `carried` what is set in them. With
    `everything` the slots, all facets and the names of the person's files go along. Where models lie never does.
    """
    private, names = Store(), file_names(state)
    state = _without_places(state, None if everything else names)
    slots = everything or kind == "walk"
    for which in "AB":
        slot = state.slot(which)
        if not slot.empty:
            state = state.with_slot(which, _portable(slot, store, private, model) if slots else Slot())
    moved = []
    for id_, facet in state.facets:
        before = state.keys_of_slots | {key for _, each in moved for key in each.keys}
        ours = _carried(facet, store, private, model) if everything or id_ in carried else None
        if ours is not None and private.size <= ROOM_BYTES:
            moved.append((id_, ours))
        else:
            private.prune(before)
    state = replace(state, facets=tuple(moved))
    if not everything:
        state = replace(state, subject="sample", facet=state.facet if state.facet in carried else SAMPLES)
    left = [] if everything else [*([] if slots else [SLOTS]), FACETS]
    values: dict = {"model": state.model, **saying(model.weights), "explorer": state.to_dict(),
                    "store": private.to_dict(state.keys), **({"left": left} if left else {})}  # fmt: skip
    if latent is not None:
        said = latent.name if everything else public(latent.name, names)
        values["latent"] = {**latent_to_dict(latent.z), "model": model_name(latent.model), **saying(latent.weights), "name": said}
        if latent.label:
            values["latent"]["label"] = to_json(latent.label)
    return recipe.new(kind, conditional=state.conditional or (latent is not None and bool(latent.label)), **values)


def _without_places(state: ExplorerState, names: set[str] | None) -> ExplorerState:
    """The state with models by their names alone, and nothing called by one of these names; with None they may be said."""

    def change(slot: Slot) -> Slot:
        name = slot.name if names is None else public(slot.name, names)
        return slot if slot.empty else replace(slot, name=name, latent_model=model_name(slot.latent_model))

    return replace(with_slots(state, change), model=model_name(state.model))


def _carried(facet: FacetState, store: Store, private: Store, model: Model) -> FacetState | None:
    """A facet's state over contents of the private store; None where something that it needs is gone."""
    facet = with_slots(facet.portable(), lambda slot: slot if slot.empty else _portable(slot, store, private, model))
    keys = {}
    for key in facet.keys:
        if key in private:
            keys[key] = key
        elif key not in store:
            return None
        elif key.startswith("z"):
            keys[key] = private.put_latent(store.latent(key))
        else:
            picture = store.picture(key)
            small = picture.pixels.shape[:2] == (model.height, model.width)
            keys[key] = (private.put_picture(store.blob(key)) if small else
                         private.put_array(seen_by(model, store, Slot(picture=key))))
    return facet.renamed(keys)


def _portable(slot: Slot, store: Store, private: Store, model: Model) -> Slot:
    """The slot with the picture as the model sees it, and its z if it came with one."""
    latent = private.put_latent(store.latent(slot.latent)) if slot.latent else ""
    return Slot(picture=private.put_array(seen_by(model, store, slot)), name=slot.name,
                latent=latent, latent_model=slot.latent_model, latent_weights=slot.latent_weights, label=slot.label)


def read_recipe(values: dict, store: Store) -> ExplorerState:
    """The state that a recipe describes; its pictures and latents go into the store. Raises `FlowError`."""
    if "explorer" not in values:
        return _simple(values)
    state = ExplorerState.from_dict(values["explorer"])
    keys = store.load_dict(values.get("store", {}))
    for which in "AB":
        slot = state.slot(which)
        if slot.empty:
            continue
        if slot.picture not in keys or (slot.latent and slot.latent not in keys):
            raise ConfigError(tr("This picture's recipe is damaged: the picture in {slot} is missing.", slot=which))
        moved = replace(slot, picture=keys[slot.picture], latent=keys[slot.latent] if slot.latent else "")
        state = state.with_slot(which, moved)
    for id_, facet in state.facets:
        if not facet.keys <= set(keys):
            raise ConfigError(tr("This picture's recipe is damaged: a picture that it needs is missing."))
        state = state.with_facet(id_, facet.renamed(keys))
    return state


def keeping(values: dict, state: ExplorerState, now: ExplorerState) -> ExplorerState:
    """The state of a recipe, with what it left behind as it is now."""
    left = values.get("left")
    left = left if isinstance(left, list) else []
    if SLOTS in left:
        state = replace(state, a=now.a, b=now.b, walk=now.walk)
    if FACETS in left:
        for id_, facet in now.facets:
            if id_ not in dict(state.facets):
                state = state.with_facet(id_, facet)
    return state


def located(values: dict, candidates: Sequence[str]) -> dict:
    """A recipe with the place of each model whose name it says, where one of the `candidates` has those weights."""

    def find(name: str, weights: str) -> str:
        for other in candidates if name not in assets.model_names() else ():
            try:
                if open_model(other).weights == weights if weights else model_name(other) == name:
                    return other
            except FlowError:
                continue
        return name

    def put(value: Any, weights: str) -> Any:
        if isinstance(value, list):
            return [put(part, weights) for part in value]
        if not isinstance(value, dict):
            return value
        own = value.get("weights", value.get("latent_weights", weights))
        own = own if isinstance(own, str) else ""
        return {key: find(part, own) if key in ("model", "latent_model") and isinstance(part, str) and part
                else part if key == "store" else put(part, own) for key, part in value.items()}  # fmt: skip

    return put(values, "")


def _simple(values: dict) -> ExplorerState:
    """The state of a recipe that only says model, seed, temperature and count."""
    if not is_restorable(values):
        raise ConfigError(tr("This picture's recipe was not made in the Explorer, so it cannot be restored here."))
    count = values.get("count", 16)
    page = next((page for page in COUNTS if isinstance(count, int) and page >= count), COUNTS[-1])
    named = ("model", "seed", "temperature", "level_temperatures", "sampled_class")
    simple = {name: values[name] for name in named if name in values}
    return ExplorerState.from_dict({"schema": SCHEMA, "count": page, **simple})


def is_restorable(values: dict) -> bool:
    """Whether a recipe says settings of the Explorer, and not a picture alone."""
    return "explorer" in values or {"model", "seed"} <= set(values)


def changed(values: dict, here: str) -> str:
    """Why the weights that a recipe was made with are not here, in a sentence; "" where they are, under the model's own name or
    that of the open one, `here`; and for a recipe of no model."""
    name = values.get("model")
    return why_not(name, weights_in(values, name), here) if isinstance(name, str) else ""


def as_picture(why: str, name: str) -> str:
    """What is said of a file with such a recipe."""
    return tr("{why} {name} is used as the picture that it is.", why=why, name=name)


def edited(name: str) -> str:
    """What is said of a saved picture whose pixels are no longer those that its z decodes to."""
    return tr("{name} was edited since it was saved: it is used as the picture that it is, and encoded anew.", name=name)


def read_latent(values: dict, data: bytes, here: str = "") -> Latent | None:
    """The sample that a saved picture of kind "picture" is, with its own z; None if it is something else.

    `here` is the open model. Whether the z is that of the pixels only the engine can tell; see `is_reshaped` for what can be seen
    without.
    """
    entry = values.get("latent")
    if values.get("kind") != "picture" or not isinstance(entry, dict):
        return None
    if not isinstance(entry.get("model"), str) or not isinstance(entry.get("name"), str):
        raise ConfigError(tr("This picture's recipe is damaged: it does not say which model made it."))
    picture = read_picture(data)
    small = _in_models_size(picture, entry, here)
    pixels = picture.pixels if small is None else small
    return Latent(entry["model"], latent_from_dict(entry), pixels[..., :3], entry["name"], from_json(entry.get("label")),
                  weights=weights_in(entry, entry["model"]))  # fmt: skip


def is_reshaped(values: dict, data: bytes, here: str) -> bool:
    """Whether the file of a saved sample cannot hold what its z decodes to: it is cropped or enlarged, or has transparent
    places, several frames, or colours under a model of greys. `here` is the open model."""
    entry = values.get("latent")
    if values.get("kind") != "picture" or not isinstance(entry, dict):
        return False
    picture = read_picture(data)
    several = any(note.startswith("The first frame of") for note in picture.notes)
    return several or not picture.opaque or _in_models_size(picture, entry, here) is None


def _in_models_size(picture: Picture, entry: dict, here: str) -> np.ndarray | None:
    """The pixels (H, W, 4) of a sample that may have been saved enlarged by whole pixels, in the size that the model made it in;
    None where they are none of the model's. Of a model that is not at hand, all pixels."""
    pixels, name = picture.pixels, entry.get("model")
    weights = weights_in(entry, name)
    try:
        model = open_model(here if are_here(weights, here) else str(name))
    except FlowError:
        return pixels
    scale = pixels.shape[0] // model.height
    if not scale or pixels.shape[:2] != (scale * model.height, scale * model.width):
        return None
    small = np.ascontiguousarray(pixels[::scale, ::scale])
    grey = model.channels == 3 or bool((small[..., :3] == small[..., :1]).all())
    return small if grey and np.array_equal(enlarge(small, scale), pixels) else None
