"""What the samples' menu adds: send one to a corner of the pad, or to the timeline, wherever these are."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QMenu

from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.facets.paths import edits
from flow_explorer.explorer.facets.paths.pad_view import PLACES
from flow_explorer.explorer.facets.paths.state import PathsState
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr

__all__ = ["fill"]

ID = "paths"


def fill(menu: QMenu, controller: Controller, latent: Callable[[], Latent | None]) -> None:
    """Add "Send to corner" and "Add as keyframe"; `latent` is asked when one is chosen."""
    acts = controller.acts

    def own() -> PathsState:
        state = controller.state.of(ID)
        assert isinstance(state, PathsState)
        return state

    def to_corner(index: int) -> None:
        found = latent()
        if found is not None:
            state = own().with_corner(index, acts.slot_of(found))
            acts.set_facet(ID, state, tr("Put a picture in a corner"))

    def to_timeline() -> None:
        found = latent()
        if found is not None:
            acts.set_facet(ID, edits.add(own(), acts.slot_of(found)), tr("Add a keyframe"))

    corners = menu.addMenu(tr("Send to corner"))
    for index, place in enumerate(PLACES):
        corners.addAction(tr(place)[:1].upper() + tr(place)[1:], lambda index=index: to_corner(index))
    menu.addAction(tr("Add as keyframe"), to_timeline)
