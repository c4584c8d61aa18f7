"""The Explorer as the window knows it: puts state, controller and views together."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QPoint, Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMenu, QWidget

from flow_explorer import assets
from flow_explorer.explorer.canvas import Canvas
from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.facets import SAMPLES
from flow_explorer.explorer.facets import entry as facet_entry
from flow_explorer.explorer.facets.base import Facet, Host
from flow_explorer.explorer.inspector import ExplorerInspector
from flow_explorer.explorer.model import open_model
from flow_explorer.explorer.model_menu import ModelMenu, remember_model
from flow_explorer.explorer.moving.drag_drop import can_read
from flow_explorer.explorer.moving.exporting import Exporter
from flow_explorer.explorer.moving.kept_work import KeptWork
from flow_explorer.explorer.moving.portable import pack, unpack
from flow_explorer.explorer.moving.thumbnails import Thumbnails
from flow_explorer.explorer.moving.transfers import Transfers
from flow_explorer.explorer.samples.samples_grid import SamplesGrid
from flow_explorer.explorer.slots.slot_panel import SlotPanel
from flow_explorer.explorer.state import ExplorerState, Slot
from flow_explorer.explorer.store import Latent, Store
from flow_explorer.explorer.walk.player import Player
from flow_explorer.explorer.walk.walk import WalkPanel
from flow_explorer.history import History
from flow_explorer.i18n import tr
from flow_explorer.settings import state_folder
from flow_explorer.workspace import Command, Workspace, WorkspaceContext
from flowcore.errors import FlowError

__all__ = ["ExplorerWorkspace", "create"]


def create(context: WorkspaceContext) -> ExplorerWorkspace:
    """Make the workspace."""
    return ExplorerWorkspace(context)


def first_state() -> ExplorerState:
    """The first view: the best-looking bundled model at its card's own seed and temperature."""
    name = next(iter(assets.model_names()), "")
    try:
        model = open_model(name)
    except FlowError:
        return ExplorerState(model=name)
    state = ExplorerState(model=name, seed=model.default_seed, selected=0)
    return state.with_temperatures(model.default_temperature)


class ExplorerWorkspace(Workspace):
    """Samples, two slots and the walk between them."""

    def __init__(self, context: WorkspaceContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.history: History[ExplorerState] = History(first_state())
        self.controller = Controller(context.engine, self.history, Store(), self)
        self.acts = self.controller.acts
        self._kept = KeptWork(self.controller, state_folder() / "explorer")
        self._past = self._kept.past
        self.thumbnails = Thumbnails(self.controller, parent=self)
        self.thumbnails.changed.connect(self.thumbnail_changed)
        self.exporter = Exporter(self.controller)
        self.player = Player(self)
        self.transfers = Transfers(self.controller, self.exporter, context.settings, context.notify, self._problem,
                                   lambda slot, name: self.slots[slot].show_reading(name), self)
        for worker in (self.transfers.loader, self.transfers.saver):
            worker.changed.connect(self._show_busy)
        self.grid = SamplesGrid(lambda place: self.controller.page.view.picture(self._index(place)))
        self.slots = {which: SlotPanel(which) for which in "AB"}
        self.walk = WalkPanel(self.transfers.walk_entries)
        self._canvas = Canvas(self.grid, self.slots, self.walk)
        self._inspector = ExplorerInspector(context.settings)
        self._menu = ModelMenu(context.settings)
        self._was_idle = True
        self._in_front: Facet | None = None
        self._slots_shown: dict[str, Slot] = {}
        self._traced: object = None
        self._wire_views()
        self._wire_controller()
        self._set_smooth(not context.settings.get("explorer.whole_pixels", False))
        QTimer.singleShot(0, self, self._start)  # after the window has restored the last session

    # The window's contract

    def canvas(self) -> Canvas:
        return self._canvas

    def inspector(self) -> ExplorerInspector:
        return self._inspector

    def topbar(self) -> QWidget:
        return self._menu

    def save_menu(self) -> list[tuple[str, Callable[[], object], bool]]:
        facet = self.controller.facet
        return (facet.save_entries() if facet is not None else []) + self.transfers.save_entries()

    def commands(self) -> list[Command]:
        return [
            Command(tr("Play or pause the walk"), ("Space",), self.toggle_play),
            Command(tr("New samples"), ("N",), self.acts.new_samples),
            Command(tr("Send the picture to A"), ("A",), lambda: self.send("A")),
            Command(tr("Send the picture to B"), ("B",), lambda: self.send("B")),
            Command(tr("Paste a picture into a well"), ("Ctrl+V",), self.paste),
            Command(tr("Copy the picture"), ("Ctrl+C",), lambda: self.transfers.copy(self.controller.large())),
            Command(tr("Choose a picture for a well"), ("Ctrl+O",), lambda: self.transfers.pick(self._slot_in_hand())),
            Command(tr("Clear the well that has the focus"), ("Delete", "Backspace"), self.clear_focused),
            Command(tr("Swap A and B"), ("X",), self.acts.swap),
            Command(tr("Whole pixels or smooth"), ("P",), self.toggle_pixels),
        ]

    def can_drop(self, mime: QMimeData) -> bool:
        return can_read(mime)

    def drop(self, mime: QMimeData) -> None:
        facet = self.controller.facet
        if facet is None or not facet.drop(mime):
            self.transfers.take(mime)

    def keep_contents(self) -> None:
        self._kept.keep_contents()

    def state(self) -> dict[str, Any]:
        return self._kept.state()

    def restore(self, state: dict[str, Any]) -> list[str]:
        restored, missing, more = self._kept.read(state)
        self.history.reset(restored)
        if missing or more:
            self.context.notify(" ".join([*missing, *more]), kind="notice")
        return missing

    def read_past_state(self, values: Any) -> ExplorerState:
        return self._kept.read_past_state(values)

    def portable(self) -> dict[str, Any]:
        title = self.controller.model.title if self.controller.model is not None else ""
        return pack(self.history.state, self.controller.store, title, self.controller.weights)

    def prepare(self, data: dict[str, Any], folder: Path) -> Callable[[], list[str]]:
        state, said = unpack(data, self.controller.store, folder, self.history.state.model)

        def take() -> list[str]:
            self.stop_playing()
            self.history.seal()
            self.history.do(state, tr("Open a session"))
            self.history.seal()
            return said

        return take

    def thumbnail(self, serial: int) -> QImage | None:
        return self.thumbnails.get(serial)

    def is_idle(self) -> bool:
        busy = self.controller.busy or self.transfers.loader.busy or self.transfers.saver.busy or self.player.playing
        return self.controller.started and not busy

    def engine_restarted(self) -> None:
        self.controller.engine_restarted()

    def device_changed(self, device: str) -> None:
        # Another device may round differently: what is on screen is asked for again, so that it is that device's own.
        self.controller.engine_restarted()

    def hidden(self) -> None:
        self.stop_playing()

    def hint(self) -> str:
        return tr("Move the temperature, click a sample, and drop two pictures of your own on A and B to walk between them.")

    def about_data(self) -> list[dict[str, Any]]:
        rows = []
        for path in assets.models():
            try:
                data = open_model(path.stem).data
            except FlowError:
                continue
            texts = {name: data.get(name, "") for name in ("licence", "credit", "note")}
            rows.append({"title": data.get("name", path.stem), **texts})
        return rows

    # What the person does

    def _wire_views(self) -> None:
        acts, canvas, transfers = self.acts, self._canvas, self.transfers
        self.grid.picked.connect(lambda place: acts.select(self._index(place)))
        self.grid.activated.connect(lambda place: self._put(self.controller.state.first_empty_slot, self._sample(place)))
        self.grid.dragged.connect(lambda place: transfers.drag(self.grid, self._sample(place)))
        self.grid.menu_wanted.connect(self._sample_menu)
        canvas.new_button.clicked.connect(acts.new_samples)
        canvas.deeper.clicked.connect(self.look_deeper)
        canvas.facet_chosen.connect(acts.show_facet)
        canvas.subject_chosen.connect(acts.set_subject)
        canvas.count.chosen.connect(lambda key: acts.set_count(int(key)))
        canvas.order.clicked.connect(lambda on: acts.set_order("likelihood" if on else "drawn"))
        canvas.of_class.chosen.connect(lambda key: acts.set_class(int(key)))
        canvas.seed.value_changed.connect(acts.set_seed)
        for which, slot in self.slots.items():
            slot.dropped.connect(lambda name, mime: transfers.take(mime, name))
            slot.chosen.connect(lambda name, path: transfers.take_file(path, name))
            slot.pick_wanted.connect(transfers.pick)
            slot.cleared.connect(acts.clear)
            slot.crop_changed.connect(acts.set_crop)
            slot.class_chosen.connect(acts.set_slot_class)
            slot.rested.connect(acts.rest)
            slot.dragged.connect(lambda name: transfers.drag(self.slots[name], self.controller.slot_latent(name)))
            slot.set_drag_data(lambda name=which: transfers.mime(self.controller.slot_latent(name)))
        self.walk.moved.connect(self._move)
        self.walk.rested.connect(acts.rest)
        self.walk.mode_chosen.connect(acts.set_mode)
        self.walk.play_pressed.connect(self.toggle_play)
        self.walk.dragged.connect(lambda t: transfers.drag(self.walk.strip, self.controller.strip_latent(t)))
        self.walk.two_samples_wanted.connect(self.use_two_samples)
        self.walk.copy_wanted.connect(transfers.copy_strip)
        self.walk.swap_wanted.connect(acts.swap)
        panel = self._inspector
        panel.temperature_changed.connect(acts.set_temperature)
        panel.level_temperature_changed.connect(self._set_level_temperature)
        panel.temperature_reset.connect(self._reset_temperatures)
        panel.every_temperature.toggled.connect(self.controller.show_film)
        panel.rested.connect(acts.rest)
        panel.send_wanted.connect(self.send)
        panel.save_wanted.connect(lambda scale: transfers.save_picture(self.controller.large(), scale))
        panel.copy_wanted.connect(lambda: transfers.copy(self.controller.large()))
        panel.whole_pixels_changed.connect(lambda whole: self._set_smooth(not whole))
        panel.set_drag_data(lambda: transfers.mime(self.controller.large()))
        self._canvas.no_model.add_action(tr("Open a model…"), self._menu.pick_file, "primary")
        self._menu.chosen.connect(self.controller.choose_model)
        self.player.moved.connect(self.controller.play_to)
        self.player.changed.connect(self.walk.show_playing)

    def look_deeper(self) -> None:
        """Unfold the row of further views; it stays so."""
        self.context.settings.set("explorer.deeper", True)
        self._canvas.unfold(True)
        self._canvas.tabs.button(SAMPLES).setFocus()

    def toggle_play(self) -> None:
        """Play the walk there and back, or what the facet in front plays; or stay where it is."""
        if self.controller.facet is not None and self.controller.facet.toggle_play():
            return
        if self.player.playing:
            self.stop_playing()
        elif self.controller.walk.possible:
            self.acts.show_walk()
            self.player.play(self.controller.state.walk.t)

    def stop_playing(self) -> None:
        """Stay where the walk is: that position is one act."""
        if not self.player.playing:
            return
        self.player.stop()
        t = self.controller.play_position
        self.controller.play_position = None
        self.acts.rest()
        if t is not None:
            self.acts.set_position(t)
            self.acts.rest()
        self.controller.play_to(None)

    def _move(self, t: float) -> None:
        if self.player.playing:
            self.player.stop()
            self.controller.play_position = None
        self.acts.set_position(t)

    def _set_level_temperature(self, level: int, value: float) -> None:
        if self.controller.model is not None:
            self.acts.set_level_temperature(level, value, self.controller.model.levels)

    def _reset_temperatures(self) -> None:
        if self.controller.model is not None:
            self.acts.reset_temperatures(self.controller.model.default_temperature)

    def send(self, which: str) -> None:
        """Put the inspector's picture, with its z, in a slot."""
        self._put(which, self.controller.large())

    def use_two_samples(self) -> None:
        """Fill both slots with samples, so that there is a walk at once."""
        slots = self.controller.page.view.slots
        there = [slot for slot in slots if slot is not None]
        if len(there) >= 2:
            first = self.controller.selected() or there[0]
            self.acts.put_two(first, next(slot for slot in reversed(there) if slot is not first))

    def paste(self) -> None:
        """Paste into the slot that has the focus, else into the first empty one."""
        focused = self._focused_slot()
        self.transfers.paste(focused or self.controller.state.first_empty_slot)

    def clear_focused(self) -> None:
        """Empty the slot that has the focus."""
        focused = self._focused_slot()
        if focused and not self.controller.state.slot(focused).empty:
            self.acts.clear(focused)
            self.slots[focused].setFocus()

    def toggle_pixels(self) -> None:
        self._set_smooth(not self.grid.smooth)

    def _focused_slot(self) -> str:
        return next((which for which, slot in self.slots.items() if slot.has_focus_inside()), "")

    def _slot_in_hand(self) -> str:
        return self._focused_slot() or self.controller.state.first_empty_slot

    def _put(self, which: str, latent: Latent | None) -> None:
        if latent is not None:
            self.acts.put_latent(which, latent)

    def _index(self, place: int) -> int:
        """Which sample stands at this place of the page."""
        order = self.controller.page.view.order(self.controller.state.order)
        return order[place] if 0 <= place < len(order) else place

    def _sample(self, place: int) -> Latent | None:
        slots, index = self.controller.page.view.slots, self._index(place)
        return slots[index] if 0 <= index < len(slots) else None

    def _sample_menu(self, index: int, place: QPoint) -> None:
        self.acts.select(self._index(index))
        menu = QMenu(self._canvas)
        for which in "AB":
            menu.addAction(tr("Send to {slot}", slot=which), lambda which=which: self._put(which, self._sample(index)))
        if facet_entry("paths") is not None:
            sending = importlib.import_module("flow_explorer.explorer.facets.paths.sending")
            sending.fill(menu, self.controller, lambda: self._sample(index))
        menu.addSeparator()
        menu.addAction(tr("Copy"), lambda: self.transfers.copy(self._sample(index)))
        menu.addAction(tr("Copy as Python"), lambda: self.transfers.copy_python(self._sample(index)))
        menu.addAction(tr("Save PNG…"), lambda: self.transfers.save_picture(self._sample(index)))
        for action in menu.actions():
            action.setEnabled(self._sample(index) is not None)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def _problem(self, slot: str, sentence: str) -> None:
        """What failed is said where it failed."""
        if slot:
            self.slots[slot].show_problem(sentence)
        else:
            self.context.notify(sentence)

    def _set_smooth(self, smooth: bool) -> None:
        self.context.settings.set("explorer.whole_pixels", not smooth)
        self.grid.smooth = smooth
        self.grid.update()
        self.walk.set_smooth(smooth)
        self._inspector.set_smooth(smooth)
        for slot in self.slots.values():
            slot.set_smooth(smooth)
        if self.controller.facet is not None:
            self.controller.facet.sync()

    # What is shown

    def _wire_controller(self) -> None:
        controller = self.controller
        controller.model_changed.connect(self._show_model)
        controller.state_changed.connect(self._show_state)
        controller.page_changed.connect(self._show_page)
        controller.slot_changed.connect(self._show_well)
        controller.walk_changed.connect(self._show_walk)
        controller.position_changed.connect(self._show_position)
        controller.film_changed.connect(self._show_film)
        controller.shown_changed.connect(self._show_large)
        controller.busy_changed.connect(self._show_busy)
        controller.problem.connect(lambda sentence, details: self.context.notify(sentence, details))

    def _start(self) -> None:
        self.controller.show_film(self._inspector.every_temperature.is_unfolded())
        self._canvas.unfold(bool(self.context.settings.get("explorer.deeper", False)))
        self.controller.start()
        for which in "AB":
            self._show_well(which)

    def _show_model(self) -> None:
        model = self.controller.model
        self._menu.show_model(model, self.controller.opening)
        self._inspector.show_model(model)
        self._canvas.show_no_model("" if model is not None else self._without_model())
        if model is not None:
            remember_model(self.context.settings, model.name)
            self._canvas.show_classes(model.classes)
            self.walk.set_aspect(model.width / model.height)
        self._canvas.layout_again()
        self.topbar_changed.emit()

    def _without_model(self) -> str:
        if not self.controller.state.model:
            return tr("There is no model in this copy: open a checkpoint, or a run folder of your own training.")
        return self.controller.model_problem

    def _facet(self, id_: str) -> Facet | None:
        """The facet of this id, made on the first visit; None for the samples, and where it cannot be made."""
        known = facet_entry(id_)
        if known is None or self.controller.model is None:
            return None
        if id_ not in self.controller.facets:
            made = importlib.import_module(known.facet_module).facet(Host(self.controller, self.context, self.transfers), self)
            self.controller.add_facet(made)
        return self.controller.facets[id_]

    def _show_facet(self) -> None:
        """Bring the view that the state names to the front."""
        state = self.controller.state
        facet = self._facet(state.facet)
        if facet is not None:
            self._canvas.unfold(True)
        self._canvas.show_facet(state.facet if facet is not None else SAMPLES, facet.widget() if facet is not None else None,
                                state.subject)  # fmt: skip
        self._inspector.show_facet(facet is not None, facet.inspector_part() if facet is not None else None)
        if facet is not self._in_front:
            before, self._in_front = self._in_front, facet
            if before is not None:
                before.hidden()
            if facet is not None:
                self.stop_playing()
                facet.shown_first()

    def _show_state(self) -> None:
        self._show_facet()
        state = self.controller.state
        self._show_selected()
        self._canvas.show_state(state.count, state.seed, state.sampled_class, state.order)
        model = self.controller.model
        self._inspector.show_temperature(state.temperatures(model.levels) if model is not None else state.temperature)
        self._show_film()
        self.walk.show_mode(state.walk.mode)
        for which in "AB":
            if state.slot(which) is not self._slots_shown.get(which):
                self._show_well(which)
        self._show_position()
        self.state_changed.emit()

    def _show_selected(self) -> None:
        state, order = self.controller.state, self.controller.page.view.order(self.controller.state.order)
        self.grid.show_page(state.count, order.index(state.selected) if state.selected in order else state.selected)

    def _show_page(self, first: int, count: int) -> None:
        if self.controller.state.order != "drawn":
            first, count = 0, self.controller.state.count
            self._show_selected()
        self.grid.refresh(first, count)
        self._canvas.show_problem(self.controller.page.view.error)
        view, selected = self.controller.page.view, self.controller.state.selected
        if not count:
            return
        self.context.trace("exact" if view.complete else "draft", what="page", first=first, count=count)
        if first <= selected < min(first + count, len(view.fresh)) and self.controller.state.shown == "sample":
            self.context.trace("exact" if view.fresh[selected] else "draft", what="picture")

    def _show_well(self, which: str) -> None:
        controller, model = self.controller, self.controller.model
        if model is None:
            return
        slot = self._slots_shown[which] = controller.state.slot(which)
        picture = None if slot.empty else controller.store.picture(slot.picture)
        self.slots[which].show_well(slot, controller.slots[which].view, picture, (model.height, model.width), model.sees,
                                    model.classes, model.eyes)

    def _show_walk(self) -> None:
        if not self.controller.walk.possible:
            self.player.stop()
            self.controller.play_position = None
        self.walk.show_walk(self.controller.walk.view, self.controller.walk.possible)
        self._show_position()

    def _show_position(self) -> None:
        view = self.controller.walk.view
        shown = view.picture_t == self.controller.position and view.picture is not None
        self.walk.show_position(self.controller.position, view.bpd_now() if shown else None)
        if view.picture is not None and view.picture is not self._traced:
            self._traced = view.picture
            self.context.trace("exact" if shown else "draft", what="picture", t=view.picture_t)

    def _show_film(self) -> None:
        state, film = self.controller.state, self.controller.film
        self._inspector.show_film(film.frames, film.temperatures, state.temperature, state.selected >= 0, film.error)

    def _show_large(self) -> None:
        self._inspector.show_large(self.controller.shown(), self.controller.large() is not None)

    def _show_busy(self) -> None:
        self._menu.show_model(self.controller.model, self.controller.opening)
        if self.is_idle() != self._was_idle:
            self._was_idle = not self._was_idle
            self.idle_changed.emit()
