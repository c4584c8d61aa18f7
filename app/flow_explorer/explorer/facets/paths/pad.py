"""Four pictures, and a point dragged between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QMenu

from flow_explorer.explorer.facets.paths.pad_link import PadLink
from flow_explorer.explorer.facets.paths.pad_view import PadPanel
from flow_explorer.explorer.facets.paths.part import Part
from flow_explorer.explorer.facets.paths.resolver import Resolver
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.state import Slot
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr

__all__ = ["PadPart"]


class PadPart(Part[PadPanel]):
    """Its corners are slots of their own."""

    id = "pad"

    def __init__(self, facet) -> None:
        super().__init__(facet)
        client, store = self.host.controller.client, self.host.controller.store
        self.link = PadLink(client, self.answered)
        self.corners = Resolver("corner", client, store, self.resolved)
        self._problem = ""

    def make_panel(self) -> PadPanel:
        panel, intake = PadPanel(), self.facet.intake
        panel.pad.moved.connect(lambda x, y: self.change(tr("Move on the pad"), "pad", x=x, y=y))
        panel.pad.rested.connect(self.facet.rest)
        panel.fill_wanted.connect(self.fill)
        panel.centre_wanted.connect(lambda: self.change(tr("Centre the point"), x=0.5, y=0.5))
        panel.norm_changed.connect(lambda kept: self.change(tr("Keep the length of z"), norm_kept=kept))
        panel.key_wanted.connect(lambda: self.putting(self.facet.add_key)(self.link.latent))
        for index, corner in enumerate(panel.corners):
            corner.dropped.connect(lambda mime, index=index: self.drop_on(index, mime))
            corner.paste_wanted.connect(lambda index=index: intake.paste(self._putter(index), self.say))
            corner.cleared.connect(lambda index=index: self.put(index, Slot()))
            corner.menu_wanted.connect(lambda place, index=index: self.corner_menu(index).popup(place))
            corner.dragged.connect(lambda index=index: self.host.transfers.drag(panel, self.corner_latent(index)))
        return panel

    @property
    def busy(self) -> bool:
        return self.corners.busy or self.link.busy

    @property
    def keys(self) -> set[str]:
        return self.corners.keys

    def forget(self) -> None:
        self.corners.forget()
        self.link.forget()

    def sync(self, model: Model) -> None:
        state, store = self.state, self.host.controller.store
        self.corners.sync(model, state.corners)
        found = self.corners.all(state.corners) if state.full else None
        keys, labels = found or (None, ())
        latents = [store.latent(key) for key in keys or ()]
        self.link.sync(model, keys, latents, labels, (state.x, state.y), state.norm_kept)

    def show(self) -> None:
        panel, state, link = self.panel(), self.state, self.link
        panel.set_smooth(self.smooth)
        if panel.pad.aspect != self.aspect:
            panel.pad.aspect = self.aspect
            panel.arrange()
        for view, slot in zip(panel.corners, state.corners, strict=True):
            error = self.corners.error(slot)
            waits = not slot.empty and self.corners.get(slot) is None and not error
            view.show_picture(self.thumb(slot), slot.name, waits, error)
        panel.show_full(state.full, self._problem or link.error, link.latent is not None)
        panel.norm.setChecked(state.norm_kept)
        panel.pad.show_pad(link.grid, link.latent.picture if link.latent is not None else None, state.x, state.y)

    def large(self) -> tuple[Latent | None, float | None]:
        return self.link.latent, self.link.bpd

    def drop(self, mime: QMimeData) -> bool:
        self.drop_on(None, mime, restores=True)
        return True

    # Acts

    def fill(self) -> None:
        """A and B at the top, samples in the corners that are left."""
        controller = self.host.controller
        ends = [latent for which in "AB" if (latent := controller.slot_latent(which)) is not None]
        # A sample that is in A or B already would stand in two corners.
        others = [sample for sample in self.samples() if not any(np.array_equal(sample.z, end.z) for end in ends)]
        four = (ends + others)[:4]
        if len(four) < 4:
            self.say(tr("There are not four pictures yet: wait for the samples, or drop some here."))
            return
        self._problem = ""
        self.change(tr("Fill the pad"), corners=tuple(map(controller.acts.slot_of, four)))

    def put(self, index: int, slot: Slot) -> None:
        """Put a picture in a corner, or with an empty slot take it away."""
        self._problem = ""
        words = tr("Clear a corner") if slot.empty else tr("Put a picture in a corner")
        self.facet.change(self.state.with_corner(index, slot), words)

    def _putter(self, index: int | None) -> Callable[[Slot], None]:
        """Puts the first picture in this corner, or the first empty one, and further ones in those after it."""
        place = [index]

        def put(slot: Slot) -> None:
            target = self.state.first_empty_corner if place[0] is None else place[0]
            self.put(target, slot)
            place[0] = None if place[0] is None else (target + 1) % len(self.state.corners)

        return put

    def drop_on(self, index: int | None, mime: QMimeData, restores: bool = False) -> None:
        """Take what was let go on a corner, or with None beside all of them."""
        self.facet.intake.take(mime, self._putter(index), self.say, restores=restores)

    def say(self, sentence: str) -> None:
        """What could not be used is said beside the pad."""
        self._problem = sentence
        self.show()

    def corner_latent(self, index: int) -> Latent | None:
        """A corner's picture with its z, once it is known."""
        slot, controller = self.state.corners[index], self.host.controller
        found, picture = self.corners.get(slot), self.thumb(slot)
        if found is None or controller.model is None or picture is None:
            return None
        return controller.model.latent(controller.store.latent(found[0]), picture, slot.name, found[1])

    def corner_menu(self, index: int) -> QMenu:
        """All that can go in a corner, and what can be done with what is there."""
        panel, intake, put = self.panel(), self.facet.intake, self._putter(index)
        menu = QMenu(panel)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction(tr("Choose a picture…"), lambda: intake.pick(panel, put, self.say))
        menu.addAction(tr("Paste"), lambda: intake.paste(put, self.say))
        menu.addSeparator()
        intake.fill(menu, put)
        menu.addSeparator()
        latent = self.corner_latent(index)
        menu.addAction(tr("Add as keyframe"), lambda: self.putting(self.facet.add_key)(latent)).setEnabled(latent is not None)
        clear = menu.addAction(tr("Clear"), lambda: self.put(index, Slot()))
        clear.setEnabled(not self.state.corners[index].empty)
        return menu
