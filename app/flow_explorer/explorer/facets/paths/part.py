"""What the three parts of the paths share: a link to the engine, a panel, and acts on the facet's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np
from PySide6.QtCore import QMimeData, QObject
from PySide6.QtWidgets import QWidget

from flow_explorer.explorer.facets.paths.state import PathsState
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.state import Slot
from flow_explorer.explorer.store import Latent
from flowcore.errors import FlowError

if TYPE_CHECKING:
    from flow_explorer.explorer.facets.paths.facet import PathsFacet

__all__ = ["Part"]

THUMBS = 200

PanelT = TypeVar("PanelT", bound=QWidget)


class Part(QObject, Generic[PanelT]):
    """One part. `sync` asks for what the state needs while the part is in front, `show` paints what is there."""

    id: ClassVar[str]

    def __init__(self, facet: PathsFacet) -> None:
        super().__init__(facet)
        self.facet, self.host = facet, facet.host
        self._thumbs: dict[str, np.ndarray] = {}
        self._panel: PanelT | None = None

    @property
    def state(self) -> PathsState:
        return self.facet.state

    # What it gives

    def panel(self) -> PanelT:
        """Its view, made once."""
        if self._panel is None:
            self._panel = self.make_panel()
        return self._panel

    def make_panel(self) -> PanelT:
        """The view."""
        raise TypeError(f"{type(self).__name__} does not define make_panel")

    @property
    def busy(self) -> bool:
        return False

    @property
    def keys(self) -> set[str]:
        """What it needs of the store beside the state."""
        return set()

    def forget(self) -> None:
        """The engine is a new one."""

    def sync(self, model: Model) -> None:
        """Ask for what the state needs and has not come."""
        raise TypeError(f"{type(self).__name__} does not define sync")

    def show(self) -> None:
        """Paint what is there."""

    def large(self) -> tuple[Latent | None, float | None]:
        """The picture that the inspector shows, and its bits per dimension where they are known."""
        return None, None

    def drop(self, _mime: QMimeData) -> bool:
        return False

    def leave(self) -> None:
        """Something else came to the front."""

    # What it does

    def change(self, label: str, merge: object = None, **changes: Any) -> None:
        """Change the state, as one act."""
        self.facet.change(replace(self.state, **changes), label, merge)

    def amend(self, **changes: Any) -> None:
        """Change what is only a way of looking: no act of its own."""
        self.facet.amend(**changes)

    def answered(self) -> None:
        """A link has something new."""
        if self.state.part == self.id:
            self.show()
            self.facet.changed.emit()

    def resolved(self) -> None:
        """A picture's z has become known: what needs it can be asked for."""
        model = self.host.controller.model
        if model is not None and self.state.part == self.id:
            self.sync(model)
            self.answered()

    def thumb(self, slot: Slot) -> np.ndarray | None:
        """A slot's picture as it is shown small; None where it is not there."""
        store = self.host.controller.store
        if slot.empty or slot.picture not in store:
            return None
        if slot.picture not in self._thumbs:
            if len(self._thumbs) >= THUMBS:
                self._thumbs.clear()
            try:
                self._thumbs[slot.picture] = np.ascontiguousarray(store.picture(slot.picture).pixels[..., :3])
            except FlowError:
                return None
        return self._thumbs[slot.picture]

    @property
    def aspect(self) -> float:
        """Width over height of the model's pictures."""
        model = self.host.controller.model
        return model.width / model.height if model is not None else 1.0

    @property
    def smooth(self) -> bool:
        return not self.host.context.settings.get("explorer.whole_pixels", False)

    def samples(self) -> list[Latent]:
        """The samples that are there, the selected one first."""
        chosen = self.host.controller.selected()
        others = [slot for slot in self.host.controller.page.view.slots if slot is not None and slot is not chosen]
        return others if chosen is None else [chosen, *others]

    def putting(self, act: Callable[[Slot], object]) -> Callable[[Latent | None], None]:
        """The same act for a picture with its z, which may not be there."""

        def put(latent: Latent | None) -> None:
            if latent is not None:
                act(self.host.controller.acts.slot_of(latent))

        return put
