"""Levels: keep a part of the subject's z, by level or by a brushed region, and draw the rest or take it from another picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu, QWidget

from flow_explorer.explorer.facets.base import Facet, Host
from flow_explorer.explorer.facets.levels.link import LevelsLink, drift
from flow_explorer.explorer.facets.levels.view import LevelsPart, LevelsView
from flow_explorer.explorer.model import figures
from flow_explorer.explorer.samples.samples_grid import SamplesGrid
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.view_model import InspectorPicture
from flow_explorer.i18n import tr
from flowcore.latents.resample import default_actions
from flowcore.model.temperature import Temperature

__all__ = ["LevelsFacet", "facet"]

SEED_MAX = 2**31 - 1


class LevelsFacet(Facet):
    """See the module."""

    id = "levels"

    def __init__(self, host: Host, parent: QObject | None = None) -> None:
        super().__init__(host, parent)
        self.link = LevelsLink(host.controller.client, self._answered)
        self.grid = SamplesGrid(self._picture)
        self.grid.setToolTip(tr("Click a variation to work on it, or drag it to A or B."))
        self.view = LevelsView(self.grid)
        self.part = LevelsPart()
        self._mask = np.zeros((1, 1), bool)
        self._mask_key = ""
        view, part = self.view, self.part
        view.draw_wanted.connect(self.draw_again)
        view.cleared.connect(lambda: self.set_region(np.zeros_like(self._mask)))
        view.lock_chosen.connect(lambda lock: self.change(replace(self.state, lock=lock), tr("Change what the brush means")))
        view.order_chosen.connect(lambda order: self.change(replace(self.state, order=order), tr("Sort the variations")))
        view.fill_wanted.connect(self._use_a_sample)
        view.show_drift.toggled.connect(lambda _on: self._show())
        view.region.painted.connect(self.set_region)
        self.grid.picked.connect(self.select)
        self.grid.activated.connect(lambda place: self._send("", place))
        self.grid.dragged.connect(lambda place: host.transfers.drag(self.grid, self._at(place)))
        self.grid.menu_wanted.connect(self._menu)
        part.action_chosen.connect(self.set_action)
        part.preset_chosen.connect(self.take_preset)
        part.other_chosen.connect(lambda other: self.change(replace(self.state, other=other), tr("Choose the other picture")))
        part.temperature_changed.connect(self._set_temperature)
        part.rested.connect(self.rest)

    # What the Explorer asks of it

    def widget(self) -> QWidget:
        return self.view

    def inspector_part(self) -> QWidget:
        return self.part

    @property
    def busy(self) -> bool:
        return self.link.busy

    def forget(self) -> None:
        self.link.forget()

    def sync(self) -> None:
        controller, state = self.host.controller, self.state
        model = controller.model
        if model is None:
            return
        size = (model.height, model.width)
        if state.region != self._mask_key or self._mask.shape != size:
            self._mask_key = state.region
            self._mask = self._read(state.region, size)
        self.link.sync(state, model, controller.subject(), controller.latent_of(state.other), self._mask)
        self._show()

    def large(self) -> Latent | None:
        return self.link.page.slots[self.state.selected]

    def shown(self) -> InspectorPicture | None:
        latent, model = self.large(), self.host.controller.model
        if latent is None or model is None:
            return None
        title = tr("Variation {number}", number=self.state.selected + 1)
        bpd = self.link.page.bpds[self.state.selected]
        return InspectorPicture("variation", title, latent.picture, figures(model.card, bpd), label=latent.label)

    # Acts

    def set_action(self, level: int, action: str) -> None:
        """Keep a level, draw it, or take the other picture's; `level` is counted from the finest."""
        levels = self._levels()
        self.change(self.state.with_action(level, action, levels), tr("Change what becomes of a level"))

    def take_preset(self, name: str) -> None:
        """"coarse": keep the coarsest level; "fine": keep the others; "swap": the coarsest from the other picture."""
        levels = self._levels()
        coarse = {"fine": "draw", "swap": "other"}.get(name, "keep")
        actions = default_actions(levels) if name == "coarse" else ("keep",) * (levels - 1) + (coarse,)
        words = {"coarse": tr("Keep the coarse"), "fine": tr("Keep the fine"), "swap": tr("Swap one level")}[name]
        self.change(replace(self.state, actions=() if actions == default_actions(levels) else actions), words)

    def set_region(self, mask: np.ndarray) -> None:
        """Brush other places: bool (H, W)."""
        key = self.host.controller.store.put_array(np.where(mask, 255, 0).astype(np.uint8)) if mask.any() else ""
        words = tr("Brush a region") if mask.any() else tr("Clear the brushed part")
        self.change(replace(self.state, region=key), words)

    def draw_again(self) -> None:
        """The next seed."""
        seed = self.state.seed + 1 if self.state.seed < SEED_MAX else 0
        self.change(replace(self.state, seed=seed), tr("Draw again"))

    def select(self, place: int) -> None:
        """Work on the variation at this place of the page."""
        self.change(replace(self.state, selected=self._index(place)), tr("Select a variation"))

    def _set_temperature(self, value: float) -> None:
        self.change(replace(self.state, temperature=round(value, 4)), tr("Change the temperature"), "temperature")

    def _use_a_sample(self) -> None:
        acts = self.host.controller.acts
        acts.set_subject("sample")
        acts.select(0)

    def _send(self, which: str, place: int) -> None:
        latent, controller = self._at(place), self.host.controller
        if latent is not None:
            controller.acts.put_latent(which or controller.state.first_empty_slot, latent)

    def _menu(self, place: int, where) -> None:
        self.select(place)
        menu, latent = QMenu(self.view), self._at(place)
        for which in "AB":
            menu.addAction(tr("Send to {slot}", slot=which), lambda which=which: self._send(which, place))
        menu.addSeparator()
        menu.addAction(tr("Copy"), lambda: self.host.transfers.copy(latent))
        menu.addAction(tr("Save PNG…"), lambda: self.host.transfers.save_picture(latent))
        for action in menu.actions():
            action.setEnabled(latent is not None)
        menu.popup(where)

    # What is shown

    def _levels(self) -> int:
        model = self.host.controller.model
        return model.levels if model is not None else 1

    def _temperatures(self) -> Temperature:
        model = self.host.controller.model
        return model.temperatures(self.state.temperature) if model is not None else self.state.temperature

    def _index(self, place: int) -> int:
        return self.link.page.order(self.state.order)[place]

    def _at(self, place: int) -> Latent | None:
        return self.link.page.slots[self._index(place)]

    def _picture(self, place: int) -> np.ndarray | None:
        latent = self._at(place)
        return None if latent is None else latent.picture

    def _read(self, key: str, size: tuple[int, int]) -> np.ndarray:
        """The brushed places of a key; none for one that is missing or of another size."""
        store = self.host.controller.store
        if not key or key not in store:
            return np.zeros(size, bool)
        pixels = store.picture(key).pixels
        return pixels.reshape(*pixels.shape[:2], -1)[..., 0] > 127 if pixels.shape[:2] == size else np.zeros(size, bool)

    def _answered(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        controller, state, page = self.host.controller, self.state, self.link.page
        subject = controller.subject()
        self.view.show_empty(subject is None)
        self.part.show_levels(state.for_levels(self._levels()), state.other, self._temperatures())
        self.part.setEnabled(subject is not None)
        if subject is None:
            return
        moved, words = None, ""
        chosen = page.slots[state.selected]
        if self._mask.any() and chosen is not None and page.fresh[state.selected]:
            kept = self._mask if state.lock == "inside" else ~self._mask
            moved, mean, most = drift(subject.picture, chosen.picture, kept)
            words = tr("Its z is locked; its pixels drift by {mean} grey levels on average, {most} at most.",
                       mean=f"{mean:.1f}", most=most)  # fmt: skip
        self.view.show_region(subject.picture, self._mask, moved, words, state.lock)
        self.view.show_page(page.order(state.order).index(state.selected), state.order, self.link.error)
        self.view.set_smooth(not self.host.context.settings.get("explorer.whole_pixels", False))


facet = LevelsFacet
