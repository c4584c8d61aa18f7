"""The Explorer's state together with what it names: for the session that comes back after a crash, and for one file that opens
on another machine. What is missing there is left out, with a sentence; the rest comes back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flow_explorer import assets
from flow_explorer.explorer.model import open_model
from flow_explorer.explorer.moving.identity import is_gone, saying, settle, weights_in
from flow_explorer.explorer.state import ExplorerState, Slot, with_slots
from flow_explorer.explorer.store import Store
from flow_explorer.i18n import tr
from flowcore.errors import CheckpointError, ConfigError, FlowError

__all__ = ["find_model", "pack", "repair", "unpack"]


def pack(state: ExplorerState, store: Store, title: str = "", weights: str = "") -> dict[str, Any]:
    """The state with its pictures and latents by content; a bundled model goes by its name, another by its path and title,
    each with the fingerprint of its weights."""
    return {"state": state.to_dict(), "contents": store.to_dict(state.keys), "model_title": title, **saying(weights)}


def unpack(data: object, store: Store, folder: Path | None = None, here: str = "") -> tuple[ExplorerState, list[str]]:
    """Read what `pack` wrote, its contents into the store; returns the state and what is to be said of it.

    `folder` is where the file lies: a checkpoint that was sent along with it is found there. `here` is the open model, which
    takes the place of one that is no longer bundled. Raises `FlowError` in one sentence for data of another kind; then nothing
    is in use of what was read.
    """
    if not isinstance(data, dict):
        raise ConfigError(tr("The session cannot be read: the Explorer's part is not an object."))
    state = ExplorerState.from_dict(data.get("state"))
    keys = store.load_dict(data.get("contents", {}))
    title = data.get("model_title")
    state, said = repair(state, keys)
    weights, title = weights_in(data, state.model), title[:200] if isinstance(title, str) else ""
    state, more = find_model(state, weights, folder, title, here)
    return state, said + more


def repair(state: ExplorerState, keys: Mapping[str, str]) -> tuple[ExplorerState, list[str]]:
    """The state with its keys as they are in the store, `keys` being {as written: there}; and what had to be left out."""
    said = []
    for which in "AB":
        slot = state.slot(which)
        if slot.empty:
            continue
        if slot.picture not in keys:
            said.append(tr("The picture in {slot} cannot be found again.", slot=which))
            state = state.with_slot(which, Slot())
            continue
        latent = keys.get(slot.latent, "")
        kept = slot if latent or not slot.latent else slot.without_latent()
        state = state.with_slot(which, replace(kept, picture=keys[slot.picture], latent=latent))
    moved = []
    for id_, facet in state.facets:
        if facet.keys <= set(keys):
            moved.append((id_, facet.renamed(dict(keys))))
        else:
            said.append(tr("What was set in “{view}” needs a picture that cannot be found again.", view=id_))
    return replace(state, facets=tuple(moved)), said


def find_model(state: ExplorerState, weights: str, folder: Path | None = None, title: str = "",
               here: str = "") -> tuple[ExplorerState, list[str]]:
    """The state with a model that can be opened here, and what is to be said where there is none (the name stays then), or
    where it is not the one that the state was saved with, whose `weights` were these."""
    if is_gone(state.model):
        return settle(state, weights, here)
    try:
        open_model(state.model)
        return settle(state, weights, here)
    except CheckpointError:
        name = re.split(r"[\\/]", state.model.rstrip("\\/"))[-1]
    beside = folder / name if folder is not None and name and name not in assets.model_names() else None
    if beside is not None and beside.exists():
        try:
            open_model(str(beside))
        except FlowError:
            pass
        else:
            there = state.model

            def moved(slot: Slot) -> Slot:
                return replace(slot, latent_model=str(beside)) if slot.latent_model == there else slot

            return settle(replace(with_slots(state, moved), model=str(beside)), weights, here)
    called = tr("“{title}” ({name})", title=title, name=state.model) if title else f"“{state.model}”"
    return state, [tr("The model {model} is not on this machine: open it from where it is now, or choose another.", model=called)]
