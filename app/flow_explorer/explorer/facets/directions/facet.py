"""Directions: what the Explorer shows, asks and changes when pictures are moved along them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QMimeData

from flow_explorer.dialogs.files import LastFolder, ask_file, ask_folder, ask_save
from flow_explorer.engine.requests.base import Request
from flow_explorer.engine.requests.directions import (
    Directions,
    FromFolders,
    FromLatents,
    OpenDirection,
    SaveDirection,
)
from flow_explorer.explorer.facets.base import Facet, Host
from flow_explorer.explorer.facets.directions.link import DirectionsLink, held_of
from flow_explorer.explorer.facets.directions.marks_grid import LESS, MORE, NONE
from flow_explorer.explorer.facets.directions.row import DirectionRow
from flow_explorer.explorer.facets.directions.state import Held, State
from flow_explorer.explorer.facets.directions.strip_view import PLACES
from flow_explorer.explorer.facets.directions.view import DirectionsView
from flow_explorer.explorer.facets.directions.words import amount_text
from flow_explorer.explorer.model import figures, is_checkpoint
from flow_explorer.explorer.moving.drag_drop import file_name
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.view_model import Shown
from flow_explorer.i18n import tr
from flow_explorer.widgets.dropping import local_files
from flowcore.errors import FlowError
from flowcore.model.card import read_header
from flowcore.pictures.images import enlarge, strip, to_png_bytes

__all__ = ["DirectionsFacet", "facet"]

FORMAT = "flow-explorer-direction"
LARGE = 8
TITLE_MAX = 32


class DirectionsFacet(Facet):
    """A list of sliders that add up, and ways to make a direction of one's own."""

    id = "directions"

    def __init__(self, host: Host, parent=None) -> None:
        super().__init__(host, parent)
        controller = host.controller
        self.link = DirectionsLink(controller.client, controller.store, self._show)
        self._made_problem = ""
        self._view: DirectionsView | None = None
        self._traced: Latent | None = None
        self._mark_keys: dict[int, tuple[Latent, str]] = {}
        # Marks are put on the page's samples, which come one by one; the window tells of the selected one only.
        controller.page_changed.connect(lambda _first, _count: self._show_marks())

    # The contract

    def widget(self) -> DirectionsView:
        if self._view is None:
            self._view = DirectionsView(lambda: self._drag(self.host.controller.subject()), lambda: self._drag(self.large()))
            self._wire(self._view)
            self._show()
        return self._view

    def sync(self) -> None:
        controller = self.host.controller
        if controller.model is not None:
            self.link.sync(self.state, controller.model, controller.subject())
        self._show()

    @property
    def busy(self) -> bool:
        return self.link.busy

    @property
    def keys(self) -> set[str]:
        return {held.key for held in self.link.bundled}

    def forget(self) -> None:
        self.link.forget()

    def large(self) -> Latent | None:
        return self.link.edited or self.host.controller.subject()

    def shown(self) -> Shown | None:
        controller, edited = self.host.controller, self.link.edited
        if edited is None or controller.model is None:
            return None
        return Shown("facet", self._title(), edited.picture, figures(controller.model.card, self.link.bpd), label=edited.label)

    def save_entries(self) -> list[tuple[str, Any, bool]]:
        complete = len(self.link.frames) == len(PLACES)
        hand = self.link.in_hand(self.state)
        return [
            (tr("Strip of the direction as PNG…"), lambda: self._save_strip(1), complete),
            (tr("Strip of the direction as PNG, enlarged {n} times…", n=LARGE), lambda: self._save_strip(LARGE), complete),
            (tr("Direction as a file…"), lambda: hand is not None and self._save(hand.key), hand is not None),
        ]

    def drop(self, mime: QMimeData) -> bool:
        paths = local_files(mime)
        folders = [path for path in paths if path.is_dir() and not is_checkpoint(path)]
        files = [path for path in paths if is_direction(path)]
        if folders:
            self.take_folders(folders)
        for path in files:
            self.open_file(str(path))
        return bool(folders or files)

    # Acts

    def _wire(self, view: DirectionsView) -> None:
        make = view.make
        view.row_made.connect(self._wire_row)
        view.strip.picked.connect(self._strip_picked)
        view.reset.clicked.connect(lambda: self.change(self.state.at_rest(), tr("Move the picture back")))
        view.open.clicked.connect(self._pick_file)
        view.subject_wanted.connect(self._find_subject)
        view.pane_chosen.connect(lambda _key: self._show_marks())
        make.grid.clicked.connect(self._mark)
        make.from_marks.connect(self.make_from_marks)
        make.from_folders.connect(self.make_from_folders)
        make.axes_of_page.connect(self.make_axes_of_page)
        make.axes_of_folder.connect(self.make_axes_of_folder)
        make.marks_cleared.connect(lambda: self.change(replace(self.state, more=(), less=()), tr("Clear the marks")))
        make.samples_wanted.connect(self.host.controller.acts.new_samples)
        make.folder_wanted.connect(self._pick_folder)
        make.folder_cleared.connect(lambda which: self._set_folders(**{f"{which}_folder": ""}))
        make.cancelled.connect(self.link.cancel)

    def _wire_row(self, row: DirectionRow) -> None:
        key = row.key
        row.amount_changed.connect(lambda value: self.set_amount(key, value))
        row.rested.connect(self.rest)
        row.levels_changed.connect(lambda levels: self._set(key, tr("Change where a direction acts"), levels=levels))
        row.without_changed.connect(lambda keys: self._set(key, tr("Change what a direction leaves alone"), without=keys))
        row.renamed.connect(lambda name: self.rename(key, name))
        row.save_wanted.connect(lambda: self._save(key))
        row.delete_wanted.connect(lambda: self.change(self.state.without(key), tr("Delete a direction")))
        row.touched.connect(lambda: self._take_in_hand(key))

    def _find(self, key: str) -> Held | None:
        return next((row.held for row in self.link.rows(self.state) if row.held.key == key), None)

    def _set(self, key: str, words: str, merge: object = None, **changes: Any) -> None:
        held = self._find(key)
        if held is not None:
            self.change(replace(self.state.put(replace(held, **changes)), hand=key), words, merge)

    def set_amount(self, key: str, value: float) -> None:
        """Move the picture along a direction, to this many standard deviations; a drag is one step."""
        self._set(key, tr("Move along a direction"), ("amount", key), amount=round(float(value), 4))

    def rename(self, key: str, name: str) -> None:
        """Call a direction of one's own something else."""
        held = self._find(key)
        if held is not None and held.own and name != held.title:
            self._set(key, tr("Rename a direction"), name=name)

    def _take_in_hand(self, key: str) -> None:
        if self.state.hand != key:
            self.change(replace(self.state, hand=key), tr("Take a direction in hand"), "hand")

    def _strip_picked(self, amount: float) -> None:
        hand = self.link.in_hand(self.state)
        if hand is not None:
            self.set_amount(hand.key, amount)
            self.rest()

    def _mark(self, index: int) -> None:
        slots = self.host.controller.page.view.slots
        slot = slots[index] if 0 <= index < len(slots) else None
        if slot is not None:
            key = self.host.controller.store.put_latent(slot.z)
            self.change(self.state.marked(key), tr("Mark a sample"))

    def _set_folders(self, **folders: str) -> None:
        self._made_problem = ""
        self.change(replace(self.state, **folders), tr("Choose a folder"))

    def take_folders(self, folders: list[Path]) -> None:
        """Use folders that were dropped: the first empty place, both where two came."""
        paths = [str(path) for path in folders[:2]]
        if len(paths) == 2:
            self._set_folders(more_folder=paths[0], less_folder=paths[1])
        else:
            second = self.state.more_folder and not self.state.less_folder
            self._set_folders(**{"less_folder" if second else "more_folder": paths[0]})
        if self._view is not None:
            self._view.show_pane("make")
            if self._view.make.source.current() == "marks":
                self._view.make.show_source("folders")

    # Making, opening, saving

    def make_from_marks(self) -> None:
        """A direction from the marked samples."""
        model, store, state = self.host.controller.model, self.host.controller.store, self.state
        if model is None or not state.more or not state.less:
            return
        more, less = ([store.latent(key) for key in keys if key in store] for keys in (state.more, state.less))
        sizes = {z.size for z in (*more, *less)}
        if not more or not less or len(sizes) > 1:
            self._failed(tr("Some marks are of another model: clear the marks, and mark this one's samples."))
            return
        self._make(FromLatents(str(model.path), model.name, self._free_name(tr("Marked")), _rows(more), _rows(less)))

    def make_from_folders(self) -> None:
        """A direction from the two folders."""
        model, state = self.host.controller.model, self.state
        if model is not None and state.more_folder and state.less_folder:
            name = self._free_name(Path(state.more_folder).name or tr("Folder"))
            self._make(FromFolders(str(model.path), model.name, name, state.more_folder, state.less_folder))

    def make_axes_of_page(self, count: int) -> None:
        """Principal axes of the page's samples."""
        model, slots = self.host.controller.model, self.host.controller.page.view.slots
        rows = [slot.z for slot in slots if slot is not None]
        if model is not None and rows:
            less = np.zeros((0, rows[0].size), np.float32)
            self._make(FromLatents(str(model.path), model.name, self._free_name(tr("Samples")), _rows(rows), less, count))

    def make_axes_of_folder(self, count: int) -> None:
        """Principal axes of the pictures of the folder of "more of this"."""
        model, folder = self.host.controller.model, self.state.more_folder
        if model is not None and folder:
            name = self._free_name(Path(folder).name or tr("Folder"))
            self._make(FromFolders(str(model.path), model.name, name, folder, axes=count))

    def open_file(self, path: str) -> None:
        """Open a direction's file."""
        model = self.host.controller.model
        if model is not None:
            self._make(OpenDirection(str(model.path), path), tr("Open a direction"))

    def _make(self, request: Request[Directions], words: str = "") -> None:
        self._made_problem = ""
        asked_of = self.host.controller.state.model

        def done(answer: Directions) -> None:
            found = held_of(self.host.controller.store, answer, own=True)
            if not found or self.host.controller.state.model != asked_of:
                return
            state = self.state
            for held in found:
                if state.find(held.key) is None and held.key not in self.keys:
                    state = state.put(held)
            skipped = answer.skipped
            self.change(replace(state, hand=found[0].key), words or tr("Make a direction"))
            if skipped:
                self._made_problem = tr("{count} pictures were left out: {first}", count=len(skipped), first=skipped[0][1])
            if self._view is not None:
                self._view.show_pane("use")
                self._view.reveal(found[0].key)

        self.link.task(request, done, self._failed)

    def _failed(self, sentence: str) -> None:
        self._made_problem = sentence
        self._show()

    def _free_name(self, name: str) -> str:
        taken = {row.held.title for row in self.link.rows(self.state)}
        name = name[:60]
        if name not in taken:
            return name
        return next(text for text in (f"{name} {number}" for number in range(2, 10_000)) if text not in taken)

    def _save(self, key: str) -> None:
        held = self._find(key)
        if held is None or held.key not in self.host.controller.store:
            return
        name = file_name(held.title.lower(), suffix=".safetensors")
        ask_save(self.widget(), tr("Save the direction"), name, lambda path: self.save_to(key, path), self._last_folder(),
                 tr("Directions"))  # fmt: skip

    def save_to(self, key: str, path: str) -> None:
        """Write a direction to a file, under its present name."""
        held = self._find(key)
        if held is None:
            return
        card = json.dumps({**held.facts(), "name": held.title})
        notify = self.host.context.notify
        self.link.task(SaveDirection(path, self.host.controller.store.latent(key), card),
                       lambda _saved: notify(tr("Saved {path}.", path=path), kind="good"), notify)  # fmt: skip
        self.host.context.settings.set("explorer.direction_folder", str(Path(path).parent))

    def _save_strip(self, scale: int) -> None:
        frames = [self.link.frames[place] for place in PLACES]
        hand = self.link.in_hand(self.state)
        name = file_name(hand.title.lower() if hand else tr("direction"))
        make = lambda: to_png_bytes(enlarge(strip(frames), scale, False))  # noqa: E731
        ask_save(self.widget(), tr("Save"), name, lambda path: self.host.transfers.write(path, make), self._last_folder())

    def _pick_file(self) -> None:
        kinds = [tr("Directions (*.safetensors)")]
        ask_file(self.widget(), tr("Open a direction"), self.open_file, self._last_folder(), kinds)

    def _pick_folder(self, which: str) -> None:
        ask_folder(self.widget(), tr("Choose a folder of pictures"),
                   lambda path: self._set_folders(**{f"{which}_folder": path}),
                   LastFolder(self.host.context.settings, "explorer.pile_folder"))  # fmt: skip

    def _last_folder(self) -> str:
        return self.host.context.settings.get("explorer.direction_folder", "")

    # What is shown

    def _words(self) -> str:
        """What is moved, in one line."""
        moved = [row.held for row in self.link.rows(self.state) if row.held.amount and not row.problem]
        return ", ".join(f"{held.title} {amount_text(held.amount)}" for held in moved)

    def _title(self) -> str:
        """The same, short enough for the column on the right."""
        words, count = self._words(), sum(1 for row in self.link.rows(self.state) if row.held.amount and not row.problem)
        if len(words) <= TITLE_MAX:
            return words
        return tr("Moved along {count} directions", count=count) if count > 1 else tr("Moved along a direction")

    def _drag(self, latent: Latent | None) -> QMimeData | None:
        return self.host.transfers.mime(latent)

    def _show(self) -> None:
        self.changed.emit()
        if self.link.edited is not self._traced:
            self._traced = self.link.edited
            self.host.context.trace("directions.moved", fresh=self.link.fresh)
        view, controller = self._view, self.host.controller
        if view is None or controller.model is None:
            return
        # The engine has told which directions there are, or a picture came: what follows from that is asked for here too.
        if controller.started and controller.facet is self:
            self.link.sync(self.state, controller.model, controller.subject())
        state, link, subject = self.state, self.link, controller.subject()
        view.set_smooth(not self.host.context.settings.get("explorer.whole_pixels", False))
        hand = link.in_hand(state)
        waiting = not link.fingerprint and not link.list_error
        view.show_rows(link.rows(state), controller.model.levels, hand.key if hand else "", waiting, link.list_error)
        view.strip.show_frames(link.frames, hand.amount if hand else 0.0)
        view.strip.setVisible(hand is not None)
        view.strip_title.setVisible(hand is not None)
        problem = link.strip_error
        title = tr("{name} from −3 to +3 standard deviations", name=hand.title) if hand else ""
        view.strip_title.setText(problem or title)
        view.strip_title.set_tone("warning" if problem else "muted")
        if subject is None:
            view.show_nothing(*self._without_subject())
        else:
            view.show_nothing("")
            moved = link.edited.picture if link.edited is not None else subject.picture
            words = self._words() or tr("Moved: move a slider, and the picture follows")
            view.stage.show_pictures(subject.picture, moved, subject.name, words, link.error)
        self._show_marks()

    def _without_subject(self) -> tuple[str, str]:
        """What goes here, and the act that brings it."""
        which = self.host.controller.state.subject
        if which == "sample":
            return tr("Select a sample: a direction moves it"), tr("Take the first sample")
        if which == "walk":
            return tr("Put pictures in A and B: a direction then moves the walk's frame"), tr("Use two samples")
        return tr("Put a picture in {well}: a direction then moves it", well=which), tr("Choose a picture…")

    def _find_subject(self) -> None:
        """Do what the empty place offers."""
        controller = self.host.controller
        which, slots = controller.state.subject, [slot for slot in controller.page.view.slots if slot is not None]
        if which == "sample":
            controller.acts.select(0)
        elif which == "walk":
            if len(slots) >= 2:
                controller.acts.put_two(slots[0], slots[-1])
        else:
            self.host.transfers.pick(which)

    def _show_marks(self) -> None:
        view = self._view
        if view is None:
            return
        state, slots = self.state, self.host.controller.page.view.slots
        marks = [self._mark_of(index, slot, state) for index, slot in enumerate(slots)]
        view.make.grid.show_page([None if slot is None else slot.picture for slot in slots], marks)
        view.make.show_state(state, self.link.progress, any(slot is not None for slot in slots), self._made_problem)

    def _mark_of(self, index: int, slot: Latent | None, state: State) -> int:
        if slot is None or not (state.more or state.less):
            return NONE
        known = self._mark_keys.get(index)
        if known is None or known[0] is not slot:
            known = self._mark_keys[index] = (slot, self.host.controller.store.put_latent(slot.z))
        return MORE if known[1] in state.more else LESS if known[1] in state.less else NONE


def _rows(latents: list[np.ndarray]) -> np.ndarray:
    return np.stack([np.asarray(z, np.float32) for z in latents])


def is_direction(path: Path) -> bool:
    """Whether a dropped file is a direction; looks at its header only."""
    if path.suffix.lower() != ".safetensors" or not path.is_file():
        return False
    try:
        metadata = read_header(path).get("__metadata__")
    except FlowError:
        return False
    return isinstance(metadata, dict) and metadata.get("format") == FORMAT


facet = DirectionsFacet
