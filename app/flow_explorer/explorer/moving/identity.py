"""Whether what was saved with a model still means the same here: a z is of certain weights, not of whatever bears their name.

What was saved with other weights comes back as pictures, which the model that is open encodes anew, and that is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flow_explorer import assets, shipped
from flow_explorer.explorer.facets.directions.state import DirectionsState as Directions
from flow_explorer.explorer.model import open_model
from flow_explorer.explorer.state import ExplorerState, Slot, with_slots
from flow_explorer.i18n import tr
from flowcore.errors import FlowError

__all__ = ["has_changed", "is_gone", "saying", "settle", "weights_in", "why_not"]


def saying(weights: str) -> dict[str, str]:
    """What a file says of a model's weights beside its name, also where they are not known: that tells it from older files."""
    return {"weights": weights}


def weights_in(data: Mapping[str, Any], name: object) -> str:
    """The fingerprint that `saying` wrote beside a model's name; where a file is older than that, the one that shipped under
    the name until then; "" where neither is known."""
    if "weights" not in data:
        return shipped.weights_of(name) if isinstance(name, str) else ""
    return data["weights"] if isinstance(data["weights"], str) else ""


def is_gone(name: str) -> bool:
    """Whether a model of this name was bundled and is no longer."""
    return name in shipped.SHIPPED and name not in assets.model_names()


def has_changed(name: str, weights: str) -> bool:
    """Whether the model of this name has other weights than these, as far as both are known."""
    try:
        now = open_model(name).weights
    except FlowError:
        return False
    return bool(weights and now) and weights != now


def are_here(weights: str, here: str) -> bool:
    """Whether the open model, `here`, is known to have these weights."""
    try:
        return bool(weights) and open_model(here).weights == weights
    except FlowError:
        return False


def why_not(name: str, weights: str, here: str = "") -> str:
    """Why a z of these weights can be decoded neither by the model of this name nor by the open one, in a sentence; "" where it
    can, as far as is known."""
    if are_here(weights, here):
        return ""
    if is_gone(name):
        return tr("The model “{model}”, which made this, is no longer part of Flow Explorer.", model=name)
    try:
        title = open_model(name).title
    except FlowError as error:
        return tr("The model that made this is not at hand. {why}", why=str(error))
    if has_changed(name, weights):
        return tr("The model “{model}” has changed since this was made: it has other weights now.", model=title)
    return ""


def settle(state: ExplorerState, weights: str, here: str) -> tuple[ExplorerState, list[str]]:
    """A saved state without the z's that its models can no longer decode, and what is to be said of it.

    `weights` are those that the state's model had. Where that cannot be opened, or where `here`, the open model, is the one that
    has them, this one takes its place; if it cannot be opened either, the name stays.
    """
    why = why_not(state.model, weights)
    if why and are_here(weights, here):
        return replace(state, model=here), []
    if not why:
        state, others = _without_old(state)
        return state, [f"{other} {tr('The pictures that it made stay, and are encoded anew.')}" for other in others]
    after = tr("The pictures stay, and are encoded anew; the samples are drawn anew.")
    if not has_changed(state.model, weights):
        try:
            title = open_model(here).title
        except FlowError:
            return state, [why]
        state = replace(state, model=here, profile=(), sampled_class=-1)
        after = tr("The pictures stay, and are encoded by “{model}”, which draws the samples too.", model=title)
    state, _ = _without_old(state)
    marks = state.of("directions")
    if isinstance(marks, Directions) and (marks.more or marks.less):
        state = state.with_facet("directions", replace(marks, more=(), less=()))
        after += " " + tr("What was marked for a direction is marked no longer.")
    return state, [f"{why} {after}"]


def _without_old(state: ExplorerState) -> tuple[ExplorerState, list[str]]:
    """The state without every z whose model has changed or is gone, and why, once each. One that the chosen model can decode
    under another name stays."""
    chosen = open_model(state.model)
    said: dict[tuple[str, str], str] = {}

    def change(slot: Slot) -> Slot:
        source = (slot.latent_model, slot.latent_weights)
        if not slot.latent or slot.is_of(chosen.name, chosen.weights) or not (is_gone(source[0]) or has_changed(*source)):
            return slot
        said[source] = why_not(*source)
        return slot.without_latent()

    state = with_slots(state, change)
    return state, list(said.values())
