"""What a facet is to the Explorer, and what the Explorer gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtWidgets import QWidget

from flow_explorer.explorer.facets import FacetState

if TYPE_CHECKING:
    from flow_explorer.explorer.controller import Controller
    from flow_explorer.explorer.moving.transfers import Transfers
    from flow_explorer.explorer.store import Latent
    from flow_explorer.explorer.view_model import InspectorPicture
    from flow_explorer.workspace import WorkspaceContext

__all__ = ["Facet", "Host"]


@dataclass(frozen=True)
class Host:
    """What a facet may use: the controller (state, acts, model, subject, engine client, store), the window's context, and the
    Explorer's way to drag, drop, save and copy pictures."""

    controller: Controller
    context: WorkspaceContext
    transfers: Transfers


class Facet(QObject):
    """One further view of the Explorer.

    The Explorer calls :meth:`sync` after every change of the state, the model or the subject while the facet is in front. There
    it compares what it needs with what it asked last, as the controller does, so that a slider, an undo and an engine that was
    restarted take the same path. Acts of the person go through :meth:`change`, and only there.
    """

    id: ClassVar[str]

    changed = Signal()
    """What it shows has changed: `busy`, `large`, `shown` or `save_entries` may answer differently."""

    def __init__(self, host: Host, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.host = host

    # What it is given

    @property
    def state(self) -> Any:
        """Its own part of the Explorer's state."""
        return self.host.controller.state.of(self.id)

    def change(self, state: FacetState, label: str, merge: object = None) -> None:
        """Make this its state, as one act that can be undone; acts in a row with one `merge` key are one until `rest`."""
        self.host.controller.acts.set_facet(self.id, state, label, None if merge is None else (self.id, merge))

    def rest(self) -> None:
        """A drag ended: the next change is an act of its own."""
        self.host.controller.acts.rest()

    def fill_subject(self) -> None:
        """Give a view that is about a picture one: choose a file for a slot, or take the first samples."""
        controller, subject = self.host.controller, self.host.controller.state.subject
        if subject in ("A", "B"):
            self.host.transfers.pick(subject)
        elif subject == "walk":
            there = [slot for slot in controller.page.view.slots if slot is not None]
            if len(there) >= 2:
                controller.acts.put_two(there[0], there[-1])
        else:
            controller.acts.select(0)

    # What it gives

    def widget(self) -> QWidget:
        """The canvas, made once."""
        raise TypeError(f"{type(self).__name__} does not define widget")

    def inspector_part(self) -> QWidget | None:
        """What stands at the top of the column on the right while it is in front, made once; None for nothing."""
        return None

    def sync(self) -> None:
        """The state, the model or the subject may have changed: ask for what is missing, and show what is there."""

    @property
    def busy(self) -> bool:
        """Whether anything that its state needs has not come yet."""
        return False

    @property
    def keys(self) -> set[str]:
        """What it needs of the store beside its state."""
        return set()

    def forget(self) -> None:
        """The engine is a new one: what was asked of the old one is to be asked again. `sync` follows."""

    def large(self) -> Latent | None:
        """The picture that the inspector shows and that goes to slots and files, with its z; None: the subject."""
        return None

    def shown(self) -> InspectorPicture | None:
        """How the inspector shows it; None: the subject."""
        return None

    def as_python(self) -> str | None:
        """A script on flowcore alone that makes the picture of `large`, for “Copy as Python”; see `explorer.moving.as_python`.

        None: the script carries that picture's z.
        """
        return None

    def save_entries(self) -> list[tuple[str, Callable[[], object], bool]]:
        """What it adds to Save, before the Explorer's own: (text, act, enabled) each."""
        return []

    def drop(self, _mime: QMimeData) -> bool:
        """Take what was let go on the window while it is in front; False leaves it to the Explorer (the slots)."""
        return False

    def toggle_play(self) -> bool:
        """Play or pause what it plays; False where it plays nothing, and Space is the walk's."""
        return False

    def shown_first(self) -> None:
        """It came to the front."""

    def hidden(self) -> None:
        """Another view came to the front: stop what only makes sense when seen."""
