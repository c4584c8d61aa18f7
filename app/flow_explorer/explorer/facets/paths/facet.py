"""Paths: one switch, three parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QMimeData, QObject
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from flow_explorer.explorer.facets.base import Facet, Host
from flow_explorer.explorer.facets.paths.keys import KeysPart
from flow_explorer.explorer.facets.paths.pad import PadPart
from flow_explorer.explorer.facets.paths.part import Part
from flow_explorer.explorer.facets.paths.picture_input import PictureInput
from flow_explorer.explorer.facets.paths.side import SidePart
from flow_explorer.explorer.facets.paths.state import PARTS
from flow_explorer.explorer.model import figures
from flow_explorer.explorer.state import Slot
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.view_model import InspectorPicture
from flow_explorer.i18n import tr
from flow_explorer.widgets import Segmented

__all__ = ["PathsFacet", "facet"]

TEXTS = {
    "side": ("Side by side", "The same two pictures, every way from the one to the other"),
    "pad": ("Pad", "Four pictures, and a point dragged between them"),
    "keys": ("Keyframes", "Pictures on a timeline, played and saved as an animation"),
}


class PathsFacet(Facet):
    """Shows one part at a time, and asks the engine for what that part needs only."""

    id = "paths"

    def __init__(self, host: Host, parent: QObject | None = None) -> None:
        super().__init__(host, parent)
        self.intake = PictureInput(host, self)
        self.side, self.pad, self.timeline = SidePart(self), PadPart(self), KeysPart(self)
        self.parts: dict[str, Part] = {part.id: part for part in (self.side, self.pad, self.timeline)}
        self._widget: QWidget | None = None

    @property
    def part(self) -> Part:
        """The one in front."""
        return self.parts[self.state.part]

    def widget(self) -> QWidget:
        if self._widget is None:
            self._widget = QWidget()
            self.switch = Segmented([(part, *map(tr, TEXTS[part])) for part in PARTS], name=tr("Kind of path"), compact=True)
            self.switch.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
            self.switch.chosen.connect(self.show_part)
            self.stack = QStackedWidget()
            for part in PARTS:
                self.stack.addWidget(self.parts[part].panel())
            column = QVBoxLayout(self._widget)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(12)
            column.addWidget(self.switch)
            column.addWidget(self.stack, 1)
            self._show()
        return self._widget

    def show_part(self, part: str) -> None:
        """Bring a part to the front. No act of its own: nothing that the person made has changed."""
        if part in PARTS and part != self.state.part:
            self.part.leave()
            self.amend(part=part)

    def amend(self, **changes: Any) -> None:
        """Change what is only a way of looking: it belongs to whatever was done last."""
        controller = self.host.controller
        controller.history.amend(controller.state.with_facet(self.id, replace(self.state, **changes)))

    def add_key(self, slot: Slot) -> None:
        """Put a picture on the timeline."""
        self.timeline.add(slot)
        if self.part is not self.timeline:
            self.host.context.notify(tr("Put on the timeline, as keyframe {n}.", n=self.state.selected + 1), kind="good")

    # What the Explorer asks

    def sync(self) -> None:
        model = self.host.controller.model
        if model is not None:
            self.part.sync(model)
            self._show()

    def _show(self) -> None:
        if self._widget is not None:
            self.switch.set_current(self.state.part)
            self.stack.setCurrentIndex(PARTS.index(self.state.part))
            self.part.show()

    @property
    def busy(self) -> bool:
        return self.part.busy or self.timeline.saver.busy

    @property
    def keys(self) -> set[str]:
        return set().union(*(part.keys for part in self.parts.values()))

    def forget(self) -> None:
        for part in self.parts.values():
            part.forget()

    def large(self) -> Latent | None:
        return self.part.large()[0]

    def shown(self) -> InspectorPicture | None:
        (latent, bpd), model = self.part.large(), self.host.controller.model
        if latent is None or model is None:
            return None
        title = latent.name[:1].upper() + latent.name[1:]
        return InspectorPicture(self.state.part, title, latent.picture, figures(model.card, bpd), label=latent.label)

    def save_entries(self) -> list[tuple[str, Callable[[], object], bool]]:
        if self.part is not self.timeline:
            return []
        ready = self.timeline.link.ready and len(self.state.stops) > 1
        return [(tr("Timeline as an animation…"), self.timeline.choose_export, ready)]

    def drop(self, mime: QMimeData) -> bool:
        return self.part.drop(mime)

    def toggle_play(self) -> bool:
        if self.part is not self.timeline:
            return False
        self.timeline.toggle_play()
        return True

    def hidden(self) -> None:
        self.part.leave()


facet = PathsFacet
