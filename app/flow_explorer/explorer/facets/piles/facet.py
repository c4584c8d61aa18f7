"""From pile A to pile B in the window: puts the state, the links to the engine and the views together."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QMimeData, QObject

from flow_explorer.dialogs.files import LastFolder, ask_file, ask_folder
from flow_explorer.explorer.facets.base import Facet, Host
from flow_explorer.explorer.facets.piles.dropping import data_of, is_pair, is_picture, pair_beside
from flow_explorer.explorer.facets.piles.links import Links, One, Wanted
from flow_explorer.explorer.facets.piles.panel import PilesPanel
from flow_explorer.explorer.facets.piles.saving import SaveLink
from flow_explorer.explorer.facets.piles.state import FURTHER, Side
from flow_explorer.explorer.facets.piles.view import PilesView
from flow_explorer.explorer.model import Model, figures
from flow_explorer.explorer.moving.drag_drop import Dropped, read_mime
from flow_explorer.explorer.moving.privacy import model_name
from flow_explorer.explorer.moving.recipes import make_recipe
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.view_model import InspectorPicture
from flow_explorer.i18n import tr
from flowcore.errors import FlowError
from flowcore.latents.translation_methods import allowed
from flowcore.pictures import recipe
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import Picture, read_file

__all__ = ["PilesFacet", "facet"]


class PilesFacet(Facet):
    """Two piles, a way between them, and everything that it makes."""

    id = "piles"

    def __init__(self, host: Host, parent: QObject | None = None) -> None:
        super().__init__(host, parent)
        client = host.controller.client
        self.links = Links(client, self._show, self._trace, self)
        self.saving = SaveLink(client, self._show)
        self._view: PilesView | None = None
        self._panel: PilesPanel | None = None
        self._classes_shown: list[str] | None = None
        self._problems: dict[str, str] = {}
        """What was let go at a place and could not be taken, by "A", "B", "further"."""
        self._reading = 0
        self._seen: tuple[tuple, np.ndarray | None] = ((), None)

    # What the Explorer asks

    def widget(self) -> PilesView:
        if self._view is None:
            view = self._view = PilesView(self._original, self._translated)
            for card in view.cards.values():
                card.dropped.connect(self.take_data)
                card.folder_wanted.connect(self.choose_folder)
                card.class_chosen.connect(self.choose_class)
                card.cleared.connect(self.clear)
                card.again_wanted.connect(self._read_again)
                card.cancelled.connect(lambda which: self.links.piles[which].cancel())
            view.sheet.picked.connect(self.select)
            view.sheet.looked.connect(self._look)
            view.fit_cancelled.connect(self.links.cancel_fit)
            view.refit_requested.connect(self.links.refit_requested)
            view.folder_wanted.connect(self.choose_folder)
            view.save_wanted.connect(self.choose_save_folder)
            view.save_cancelled.connect(self._dismiss)
            view.replace_wanted.connect(self.saving.replace_them)
            view.pair.set_drag_data(lambda: self.host.transfers.mime(self.large()))
            view.further.dropped.connect(self.take_further)
            view.further.pick_wanted.connect(self.choose_further)
            view.further.picked.connect(lambda: self.select(FURTHER))
            view.further.cleared.connect(self.clear_further)
            self._show()
        return self._view

    def inspector_part(self) -> PilesPanel:
        if self._panel is None:
            panel = self._panel = PilesPanel()
            panel.direction_chosen.connect(self.set_direction)
            panel.method_chosen.connect(self.set_method)
            panel.strength_changed.connect(self.set_strength)
            panel.rested.connect(self.rest)
            panel.pair_wanted.connect(self.choose_pair)
            self._show()
        return self._panel

    def sync(self) -> None:
        wanted = self._wanted()
        if wanted is not None:
            self.links.sync(wanted)
            self._show()

    @property
    def busy(self) -> bool:
        return self.links.busy or self.saving.view.busy

    def forget(self) -> None:
        self.links.forget()
        self.saving.forget()

    def large(self) -> Latent | None:
        model, one = self._model, self._one()
        if model is None or one is None or one.z is None or self._problem_of(self.state.selected):
            return None
        return model.latent(one.z, one.picture, self._name(self.state.selected), one.label)

    def shown(self) -> InspectorPicture | None:
        model, one = self._model, self._one()
        if model is None or one is None or self._problem_of(self.state.selected):
            return InspectorPicture()
        title = tr("{name}, from {a} to {b}", name=self._name(self.state.selected), a=self.state.ends[0], b=self.state.ends[1])
        return InspectorPicture("piles", title, one.picture, figures(model.card, one.bpd_after), label=one.label)

    def save_entries(self) -> list[tuple[str, Callable[[], object], bool]]:
        ready = self.links.fit.ready and not self.saving.view.busy
        return [(tr("All translations as PNG…"), self.choose_save_folder, ready)]

    def drop(self, mime: QMimeData) -> bool:
        paths = data_of(mime)
        if paths:
            state = self.state
            self.take_data("B" if not state.a.empty and state.b.empty else "A", paths)
            return True
        if is_picture(mime):
            self.take_further(mime)
            return True
        return False

    # What the person does

    def take_data(self, which: str, paths: list[Path]) -> None:
        """Folders were let go on a pile: one for it, or two for both; a pair's folder opens the pair."""
        if is_pair(paths[0]):
            self.open_pair(paths[0])
            return
        state = self.state
        targets = "AB" if len(paths) > 1 else which
        for target, path in zip(targets, paths, strict=False):
            self._problems.pop(target, None)
            side = Side(os.fspath(path))
            if state.side(target) == side:
                self._read_again(target)
            state = state.with_side(target, side)
        self.change(state, tr("Choose both piles") if len(paths) > 1 else tr("Choose pile {which}", which=which))

    def choose_folder(self, which: str) -> None:
        """Ask for a pile's folder."""
        self._ask_folder(tr("Pile {which}", which=which), "piles.folder", lambda path: self.take_data(which, [Path(path)]))

    def choose_class(self, which: str, number: int) -> None:
        """A class of the model in place of a folder; with two of them, translating by class is what one wants."""
        if self._model is not None:
            state = self.state.with_side(which, Side(label=number, model=self._model.name))
            if state.a.label >= 0 and state.b.label >= 0 and self.state.side(which).label < 0:
                state = replace(state, method="conditional")
            self.change(state, tr("Choose pile {which}", which=which))

    def clear(self, which: str) -> None:
        """Empty a pile."""
        self._problems.pop(which, None)
        self.change(self.state.with_side(which, Side()), tr("Clear pile {which}", which=which))

    def set_method(self, method: str) -> None:
        self.change(replace(self.state, method=method), tr("Change the method"))

    def set_direction(self, direction: str) -> None:
        chosen = self.state.selected if self.state.selected == FURTHER else 0
        self.change(replace(self.state, direction=direction, selected=chosen), tr("Turn the direction round"))

    def set_strength(self, strength: float) -> None:
        self.change(replace(self.state, strength=round(strength, 4)), tr("Change the strength"), "strength")

    def select(self, index: int) -> None:
        """Look at one picture of the pile, or with `FURTHER` at the further one."""
        self.change(replace(self.state, selected=index), tr("Select a pair"), "select")

    def take_further(self, mime: QMimeData) -> None:
        """A further picture, or a sample, was let go."""
        try:
            item = read_mime(mime)[0]
        except FlowError as error:
            self._say("further", str(error))
            return
        self._take_item(item)

    def choose_further(self) -> None:
        """Ask for a picture file."""
        start = self.host.context.settings.get("explorer.picture_folder", "")
        ask_file(self.widget(), tr("A picture to translate"), self._take_file, start)

    def clear_further(self) -> None:
        chosen = 0 if self.state.selected == FURTHER else self.state.selected
        self.change(replace(self.state, further="", further_name="", selected=chosen), tr("Take the further picture away"))

    def open_pair(self, folder: Path) -> None:
        """Open what `train-pair` wrote: A's flow becomes the model, and the method is by pair."""
        if not is_pair(folder):
            self.host.context.notify(tr("{folder} is no pair: choose a folder that `flow-explorer train-pair A B --out FOLDER` "
                                        "wrote.", folder=str(folder)))  # fmt: skip
            return
        self.host.controller.choose_model(os.fspath(folder / "a"))
        self.set_method("pair")

    def choose_pair(self) -> None:
        """Ask for a pair's folder."""
        self._ask_folder(tr("Open a pair"), "piles.pair_folder", lambda path: self.open_pair(Path(path)))

    def choose_save_folder(self) -> None:
        """Ask where all translations go."""
        self._ask_folder(tr("Save all translations in"), "piles.save_folder", self.save_all)

    def save_all(self, folder: str) -> None:
        """Write every translation into a folder, in the background."""
        controller, model, way = self.host.controller, self._model, self.links.way
        wanted = self._wanted()
        if model is None or way is None or wanted is None or not self.links.fit.ready:
            return
        made = make_recipe("picture", controller.state, controller.store, model)
        if model.classes:
            # Each file's z is under a class.
            made[recipe.VERSION_KEY] = recipe.CONDITIONAL_VERSION
        self.saving.begin(way.fields(), self.links.source_view().names, wanted.strength, folder, made, model_name(model.name))

    # Inside

    def _trace(self, event: str, **data: object) -> None:
        if self.host.context is not None:
            self.host.context.trace(event, **data)

    @property
    def _model(self) -> Model | None:
        return self.host.controller.model

    def _wanted(self) -> Wanted | None:
        model, state = self._model, self.state
        if model is None:
            return None
        pair = pair_beside(model.path)
        methods = self._methods()
        method = state.method if state.method in methods else methods[0]
        sources = {which: state.side(which).source(model.name, model.default_seed, model.default_temperature, len(model.classes))
                   for which in "AB"}  # fmt: skip
        return Wanted(state, os.fspath(model.path), (model.height, model.width, model.channels), sources,
                      self._names(), method, pair, self._further(), state.further)

    def _methods(self) -> tuple[str, ...]:
        model = self._model
        return allowed(bool(model and model.classes), bool(model and pair_beside(model.path)))

    def _title(self, which: str) -> str:
        """What a pile is called; "" for one that is empty, or that another model's class was."""
        model, side = self._model, self.state.side(which)
        if side.folder:
            return side.name
        if model is None or side.model != model.name or not 0 <= side.label < len(model.classes):
            return ""
        return model.classes[side.label]

    def _names(self) -> dict[str, str]:
        """What the piles are called in a sentence: by their letters where both have one name."""
        titles = {which: self._title(which) for which in "AB"}
        if titles["A"] == titles["B"]:
            return {which: tr("Pile {which}", which=which) for which in "AB"}
        return titles

    def _further(self) -> np.ndarray | None:
        """The further picture as the model sees it."""
        model, store, key = self._model, self.host.controller.store, self.state.further
        if model is None or not key or key not in store:
            return None
        wanted = (key, model.height, model.width, model.channels)
        if self._seen[0] != wanted:
            try:
                self._seen = (wanted, apply_crop(store.picture(key), Crop(), *wanted[1:]))
            except FlowError as error:
                self._seen = (wanted, None)
                self._problems["further"] = str(error)
        return self._seen[1]

    def _take_file(self, path: str) -> None:
        self.host.context.settings.set("explorer.picture_folder", str(Path(path).parent))
        try:
            self._take_item(Dropped(Path(path).name, data=read_file(path)))
        except FlowError as error:
            self._say("further", str(error))

    def _take_item(self, item: Dropped) -> None:
        store = self.host.controller.store
        if item.checkpoint is not None:
            self._say("further", tr("{name} is a model, not a picture.", name=item.name))
        elif item.latent is not None:
            self._put_further(store.put_array(item.latent.picture), item.name)
        else:
            self._reading += 1
            number = self._reading

            def done(picture: Picture | None, sentence: str) -> None:
                if number != self._reading:
                    return  # another one was dropped meanwhile
                if picture is None:
                    self._say("further", sentence)
                else:
                    self._put_further(store.put_picture(item.data, item.name, picture), item.name)

            self.host.transfers.loader.read(item.data, item.name, done)

    def _put_further(self, key: str, name: str) -> None:
        self._problems.pop("further", None)
        self.change(replace(self.state, further=key, further_name=name, selected=FURTHER), tr("Translate a further picture"))

    def _say(self, place: str, sentence: str) -> None:
        self._problems[place] = sentence
        self._show()

    def _dismiss(self) -> None:
        self.links.page.error = ""
        self.saving.cancel()

    def _read_again(self, which: str) -> None:
        self.links.piles[which].again()
        self.sync()

    def _ask_folder(self, title: str, setting: str, done: Callable[[str], object]) -> None:
        ask_folder(self.widget(), title, done, LastFolder(self.host.context.settings, setting, within=True))

    # What is seen

    def _original(self, index: int) -> np.ndarray | None:
        pictures = self.links.source_view().pictures
        return pictures[index] if 0 <= index < len(pictures) else None

    def _translated(self, index: int) -> np.ndarray | None:
        return self.links.page.pictures.get(index)

    def _one(self) -> One | None:
        return self.links.one(self.state.selected) if self.links.fit.ready else None

    def _problem_of(self, index: int) -> str:
        if index in self.links.page.failed:
            return tr("At this strength it has no finite counterpart: choose a smaller one.")
        return self.links.one_error

    def _name(self, index: int) -> str:
        if index == FURTHER:
            return self.state.further_name
        names = self.links.source_view().names
        return Path(names[index]).name if 0 <= index < len(names) else ""

    def _look(self) -> None:
        view = self.widget()
        self.links.look(view.sheet.visible, view.sheet.looked_at)
        self._show_pair()

    def _missing(self, wanted: Wanted) -> tuple[str, str]:
        """(sentence, pile) of what is missing before anything can be translated."""
        first, second = wanted.state.ends
        needed = (first,) if wanted.alone else (first, second)
        empty = sorted(which for which in needed if not wanted.sources[which])
        if len(empty) == 2:
            classes = bool(self._model and self._model.classes)
            return (tr("Give both piles pictures: drop a folder on A and one on B, or choose two classes.") if classes else
                    tr("Give both piles pictures: drop a folder on A and one on B.")), "A"
        if empty:
            return tr("Pile {which} is empty: drop a folder of pictures on it.", which=empty[0]), empty[0]
        waiting = [which for which in needed if not self.links.piles[which].view.ready]
        if any(self.links.piles[which].view.busy for which in waiting):
            return tr("The pictures are being read…"), ""
        if waiting:
            return tr("Pile {which} has no pictures that could be used.", which=waiting[0]), waiting[0]
        return "", ""

    def _show(self) -> None:
        wanted = self._wanted()
        if self._view is None or wanted is None or self._model is None:
            self.changed.emit()
            return
        view, links, state = self._view, self.links, self.state
        if self._model.classes != self._classes_shown:
            self._classes_shown = list(self._model.classes)
            for card in view.cards.values():
                card.set_classes(self._classes_shown)
        for which, card in view.cards.items():
            card.show_pile(state.side(which), links.piles[which].view, self._title(which), self._problems.get(which, ""))
        sentence, missing = self._missing(wanted)
        # What was translated stays while an engine that was restarted reads and fits again.
        stays = bool(links.page.pictures) and not links.fit.error and not links.fit.stopped and missing == ""
        if stays and (sentence or links.fit.busy):
            sentence = ""
        fit = replace(links.fit, busy=False) if stays else links.fit
        pile = links.source_view()
        view.show_sheet(fit, sentence, missing, len(pile.pictures), state.selected, links.page.failed,
                        ("a", "b") if state.direction == "ab" else ("b", "a"))  # fmt: skip
        links.look(view.sheet.visible, view.sheet.looked_at)
        view.show_saving(self.saving.view, links.page.error)
        self._show_pair()
        if self._panel is not None:
            self._panel.show_state(state.direction, wanted.method, self._methods(), state.strength)
        smooth = not self.host.context.settings.get("explorer.whole_pixels", False)
        if smooth != view.sheet.smooth:
            view.set_smooth(smooth)
        self.changed.emit()

    def _show_pair(self) -> None:
        view, index = self.widget(), self.state.selected
        hovered = view.sheet.looked_at
        if hovered is not None:
            index = hovered
        further = self._further()
        original = further if index == FURTHER else self._original(index)
        one = self.links.one(index) if self.links.fit.ready else None
        problem = self._problem_of(index) if one is not None or index in self.links.page.failed or self.links.one_error else ""
        view.pair.show_pair(self._name(index) or tr("One pair"), original, one, problem)
        chosen = self.state.selected == FURTHER
        view.further.show_picture(further, self.state.further_name, chosen, self._problems.get("further", ""))


facet = PilesFacet
