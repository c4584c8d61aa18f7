"""The recipe in a saved picture: the Explorer's whole state, small enough to travel inside a PNG.

Only what the model sees of a picture goes in, never the photograph it was cropped from: a saved walk is meant to be
passed on, the rest of the photograph may not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.explorer.state import COUNTS, SCHEMA, ExplorerState, Well
from app.explorer.store import Latent, Store, latent_from_dict, latent_to_dict
from app.explorer.well_link import seen_by
from app.i18n import tr
from flowcore import recipe
from flowcore.errors import ConfigError
from flowcore.images import read_picture
from flowcore.labels import from_json, to_json

if TYPE_CHECKING:
    from app.explorer.model import Model

__all__ = ["make_recipe", "read_latent", "read_recipe"]


def make_recipe(kind: str, state: ExplorerState, store: Store, model: Model, latent: Latent | None = None,
                carried: Sequence[str] = ()) -> dict:
    """The recipe of a saved picture: `kind` is "picture" (then with its own z), "samples", "walk" or "timeline".

    `carried` are the facets whose pictures and latents go with it; those of others stay here, and so does what needs them.
    """
    private = Store()
    for key in sorted(key for id_ in carried for key in state.of(id_).keys if key in store):
        private.put_latent(store.latent(key)) if key.startswith("z") else private.put_picture(store.blob(key))
    kept = tuple(item for item in state.facets if all(key in private for key in item[1].keys))
    state = replace(state, facets=kept)
    for which in "AB":
        well = state.well(which)
        if not well.empty:
            state = state.with_well(which, _portable(well, store, private, model))
    values: dict = {"model": state.model, "explorer": state.to_dict(), "store": private.to_dict(state.keys)}
    if latent is not None:
        values["latent"] = {**latent_to_dict(latent.z), "model": latent.model, "name": latent.name}
        if latent.label:
            values["latent"]["label"] = to_json(latent.label)
    return recipe.new(kind, conditional=state.conditional or (latent is not None and bool(latent.label)), **values)


def _portable(well: Well, store: Store, private: Store, model: Model) -> Well:
    """The well with the picture as the model sees it, and its z if it came with one."""
    latent = private.put_latent(store.latent(well.latent)) if well.latent else ""
    return Well(picture=private.put_array(seen_by(model, store, well)), name=well.name,
                latent=latent, latent_model=well.latent_model, label=well.label)


def read_recipe(values: dict, store: Store) -> ExplorerState:
    """The state that a recipe describes; its pictures and latents go into the store. Raises `FlowError`."""
    if "explorer" not in values:
        return _simple(values)
    state = ExplorerState.from_dict(values["explorer"])
    keys = store.load_dict(values.get("store", {}))
    for which in "AB":
        well = state.well(which)
        if well.empty:
            continue
        if well.picture not in keys or (well.latent and well.latent not in keys):
            raise ConfigError(tr("This picture's recipe is damaged: the picture in {well} is missing.", well=which))
        moved = replace(well, picture=keys[well.picture], latent=keys[well.latent] if well.latent else "")
        state = state.with_well(which, moved)
    return state


def _simple(values: dict) -> ExplorerState:
    """The state of a recipe that only says model, seed, temperature and count."""
    if not {"model", "seed"} <= set(values):
        raise ConfigError(tr("This picture's recipe was not made in the Explorer, so it cannot be restored here."))
    count = values.get("count", 16)
    page = next((page for page in COUNTS if isinstance(count, int) and page >= count), COUNTS[-1])
    named = ("model", "seed", "temperature", "level_temperatures", "sampled_class")
    simple = {name: values[name] for name in named if name in values}
    return ExplorerState.from_dict({"schema": SCHEMA, "count": page, **simple})


def read_latent(values: dict, data: bytes) -> Latent | None:
    """The sample that a saved picture of kind "picture" is, with its own z; None if it is something else."""
    entry = values.get("latent")
    if values.get("kind") != "picture" or not isinstance(entry, dict):
        return None
    if not isinstance(entry.get("model"), str) or not isinstance(entry.get("name"), str):
        raise ConfigError(tr("This picture's recipe is damaged: it does not say which model made it."))
    pixels = read_picture(data).pixels
    return Latent(entry["model"], latent_from_dict(entry), pixels[..., :3], entry["name"], from_json(entry.get("label")))
