"""Everything that comes into the Explorer or leaves it: drops, paste, files, copies, recipes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from flow_explorer.dialogs.files import LastFolder, ask_file, ask_save, pictures
from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.loader import Loader
from flow_explorer.explorer.model_menu import recent_models
from flow_explorer.explorer.moving.animating import Animated, AnimationSaver, MakeAnimation
from flow_explorer.explorer.moving.animation_sheet import AnimationSheet
from flow_explorer.explorer.moving.drag_drop import Dropped, file_name, mime_of, read_mime
from flow_explorer.explorer.moving.exporting import FPS, LARGE, Exporter
from flow_explorer.explorer.moving.proving import Prover
from flow_explorer.explorer.moving.recipes import (
    PICTURES_INSIDE,
    as_picture,
    changed,
    edited,
    is_reshaped,
    is_restorable,
    located,
    read_latent,
)
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr
from flow_explorer.settings import Settings
from flow_explorer.widgets.picture import start_drag
from flow_explorer.widgets.pixels import to_image
from flowcore.errors import FlowError
from flowcore.pictures import recipe
from flowcore.pictures.images import Picture, read_file

__all__ = ["Transfers"]

SLOW_MS = 300
"""What takes longer than this says that it is under way."""
Problem = Callable[[str, str], None]


class Transfers(QObject):
    """Turns drops and files into acts, and pictures into files. `problem(slot or "", sentence)` says what failed,
    `reading(slot, name)` that a large picture is on its way."""

    def __init__(self, controller: Controller, exporter: Exporter, settings: Settings, notify: Callable[..., None],
                 problem: Problem, reading: Problem, window: QWidget) -> None:
        super().__init__(window)
        self._controller = controller
        self._exporter = exporter
        self._settings = settings
        self._notify = notify
        self._problem = problem
        self._reading = reading
        self.loader = Loader(self)
        self._reads = 0
        self._awaited: dict[str, int] = {}
        """Wells that a large picture is being read for, each with the number of the read that may still fill it."""
        self._window = window
        self.prover = Prover(controller.client)
        controller.edited.connect(lambda name: notify(edited(name), kind="notice"))
        self.saver = AnimationSaver(self)
        self.saver.done.connect(self._saved)

    # In

    def take(self, mime: QMimeData, slot: str = "") -> None:
        """Use what was dropped or pasted: in `slot`, or wherever it belongs."""
        try:
            items = read_mime(mime)
        except FlowError as error:
            self._problem(slot, str(error))
            return
        for item in items:
            self._take_one(item, slot)
            # Two files dropped at once go to both slots.
            slot = {"A": "B", "B": "A"}.get(slot, "")

    def take_file(self, path: str, slot: str) -> None:
        """Use a picture file that was picked."""
        try:
            item = Dropped(Path(path).name, data=read_file(path))
        except FlowError as error:
            self._problem(slot, str(error))
            return
        self._take_one(item, slot)

    def _take_one(self, item: Dropped, slot: str) -> None:
        acts = self._controller.acts
        target = slot or self._free_slot()
        try:
            if item.checkpoint is not None:
                self._controller.choose_model(str(item.checkpoint))
            elif item.latent is not None:
                self._awaited.pop(target, None)
                acts.put_latent(target, item.latent)
            else:
                self._take_picture(item, slot, target)
        except FlowError as error:
            self._problem(slot, str(error))

    def _free_slot(self) -> str:
        """Where the next picture goes: an empty slot that no picture is on its way to, else as the state says."""
        state = self._controller.state
        free = (which for which in "AB" if state.slot(which).empty and which not in self._awaited)
        return next(free, state.first_empty_slot)

    def _take_picture(self, item: Dropped, slot: str, target: str) -> None:
        """A picture file: with a recipe inside, its settings come back; on a slot, a sample comes back with its z.

        Where the model has changed since, or is gone, or the file was edited, it comes back as the picture that it is, and that
        is said.
        """
        acts, here = self._controller.acts, self._controller.state.model
        note = ""
        try:
            found = self.recipe_in(item)
            note = changed(found, here) if found is not None else ""
        except FlowError as error:
            found, note = None, str(error)
        if found is None:
            self._put(target, item, note)
            return
        act = (tr("Restore the settings"), lambda: self._try_restore(found)) if is_restorable(found) else None
        if note and found.get("kind") not in PICTURES_INSIDE:
            self._put(target, item, as_picture(note, item.name), act)
            return
        if is_reshaped(found, item.data, here):
            self._put(target, item, edited(item.name), act)
            return
        latent = read_latent(found, item.data, here)
        if latent is None:
            self.restore(found)
            return
        if not slot:
            def proved(whole: bool) -> None:
                if whole:
                    self._try_restore(found)
                else:
                    self._put(target, item, edited(item.name), act)

            self.prover.ask(latent, here, proved)
            return
        acts.put_latent(target, latent)
        also = tr("It also holds the settings that it was made with.") if act is not None else ""
        words = " ".join([tr("{name} came back with its own z.", name=item.name), also]).strip()
        self._once_proved(target, lambda: self._notify(words, kind="notice", act=act))

    def _once_proved(self, which: str, tell: Callable[[], object]) -> None:
        """Say that a slot has its own z once that is proved; at once where another model is open, which has no use for it."""
        controller = self._controller
        slot, model = controller.state.slot(which), controller.model
        if model is None or not slot.keeps_latent(model.name, model.weights):
            tell()
            return

        def look(changed: str) -> None:
            view = controller.slots[which].view
            over = controller.state.slot(which) != slot
            if changed != which or not (over or view.error or view.differing is not None):
                return
            controller.slot_changed.disconnect(look)
            if not over and view.own:
                tell()

        controller.slot_changed.connect(look)
        look(which)

    def recipe_in(self, item: Dropped) -> dict | None:
        """The recipe in a picture file, with the places of the models that it names. Raises `FlowError`."""
        found = recipe.extract(item.data, item.name)
        candidates = [self._controller.state.model, *recent_models(self._settings)]
        return None if found is None else located(found, candidates)

    def _put(self, target: str, item: Dropped, note: str, act: tuple[str, Callable[[], object]] | None = None) -> None:
        """Decode a picture, beside the window if it is large, and put it in a slot; then say `note`, and offer `act`."""

        self._reads += 1
        number = self._awaited[target] = self._reads

        def done(picture: Picture | None, sentence: str) -> None:
            if self._awaited.get(target) != number:
                return  # a later picture was put there meanwhile
            del self._awaited[target]
            if picture is None:
                self._problem(target, sentence)
                return
            self._controller.acts.put_picture(target, item.data, item.name, picture)
            if note:
                self._notify(note, kind="notice", act=act)

        if self.loader.read(item.data, item.name, done):
            self._reading(target, item.name)

    def restore(self, found: dict) -> None:
        """Bring back the settings of a recipe, as one act. Raises `FlowError`, changing nothing."""
        said = self._controller.restore_recipe(found)
        words = tr("The settings that this picture was made with are back; Undo returns to yours.")
        self._notify(" ".join([words, *said]), kind="notice" if said else "good")

    def _try_restore(self, found: dict) -> None:
        try:
            self.restore(found)
        except FlowError as error:
            self._problem("", str(error))

    def paste(self, slot: str) -> None:
        """Use the clipboard."""
        mime = QGuiApplication.clipboard().mimeData()
        if mime is not None:
            self.take(mime, slot)

    def pick(self, slot: str) -> None:
        """Ask for a picture file."""
        ask_file(self._window, tr("Choose a picture for {slot}", slot=slot), lambda path: self.take_file(path, slot),
                 LastFolder(self._settings, "explorer.picture_folder"), pictures())  # fmt: skip

    # Out

    def mime(self, latent: Latent | None) -> QMimeData | None:
        """A picture as it is dragged or copied."""
        if latent is None or self._controller.model is None or self._is_draft(latent):
            return None
        try:
            return mime_of(latent, self._exporter.picture(latent), self._file_name(latent))
        except (FlowError, OSError) as error:
            self._problem("", str(error))
            return None

    def drag(self, source: QWidget, latent: Latent | None) -> None:
        """Start dragging a picture out of a widget."""
        mime = self.mime(latent)
        if mime is not None and latent is not None:
            start_drag(source, mime, latent.picture)

    def copy(self, latent: Latent | None) -> None:
        """Put a picture on the clipboard: pixels for others, its z for us."""
        mime = self.mime(latent)
        if mime is not None:
            QGuiApplication.clipboard().setMimeData(mime)
            self._notify(tr("Copied."), kind="good")

    def copy_python(self, latent: Latent | None) -> None:
        """Put a script on the clipboard that makes the same picture."""
        if latent is None or self._is_draft(latent):
            return
        QGuiApplication.clipboard().setText(self._exporter.script(latent))
        self._notify(tr("A Python script that makes this picture was copied: paste it into a file and run it."), kind="good")

    def copy_strip(self) -> None:
        """Put the strip on the clipboard, enlarged so that it can be seen where it is pasted."""
        try:
            pixels = self._exporter.strip_array()
        except FlowError as error:
            self._problem("", str(error))
            return
        QGuiApplication.clipboard().setImage(to_image(pixels))
        self._notify(tr("The strip was copied."), kind="good")

    def _is_draft(self, latent: Latent) -> bool:
        """Whether a picture is still being drawn: that is said, and nothing is kept of it."""
        if latent.draft:
            self._notify(tr("The picture is still being drawn: a moment more."), kind="notice")
        return latent.draft

    def save_picture(self, latent: Latent | None, scale: int = 1, everything: bool = False) -> None:
        if latent is not None and not self._is_draft(latent):
            self._ask(self._file_name(latent), lambda: self._exporter.picture(latent, scale, everything=everything))

    def save_page(self, scale: int = 1, everything: bool = False) -> None:
        seed = self._controller.state.seed
        self._ask(self._exporter.name(f"samples-seed-{seed}"), lambda: self._exporter.page(scale, everything=everything))

    def save_strip(self, scale: int = 1) -> None:
        self._ask(self._exporter.name("walk"), lambda: self._exporter.strip(scale))

    def save_animation(self, wanted: Animated) -> None:
        """Ask where the walk's animation goes, and write it there beside the window."""
        try:
            make = self._exporter.animation_maker(wanted)
        except FlowError as error:
            self._problem("", str(error))
            return
        self._ask_path(self._exporter.name("walk", wanted.suffix), lambda path: self.write_animation(path, make))

    def choose_animation(self, suffix: str) -> None:
        """Ask how the walk is to be saved, then where."""
        view = self._controller.walk.view
        first = next(frame for frame in view.frames if frame is not None)
        sheet = AnimationSheet(Animated(suffix, LARGE, FPS), first.shape[:2], len(view.frames), parent=self._window.window())
        sheet.wanted.connect(self.save_animation)
        sheet.open()

    def write_animation(self, path: str, make: MakeAnimation) -> None:
        """Encode and write an animation beside the window; a long one shows how far it is, and can be cancelled."""
        name = Path(path).name
        self.saver.save(path, make)

        def tell() -> None:
            if self.saver.busy:
                self._notify(tr("Saving {name}…", name=name), kind="notice", act=(tr("Cancel"), self.saver.cancel))

        QTimer.singleShot(SLOW_MS, self, tell)

    def _saved(self, path: str, sentence: str) -> None:
        if path:
            self._settings.set("explorer.save_folder", str(Path(path).parent))
            self._notify(tr("Saved {path}.", path=path), kind="good")
        elif sentence:
            self._problem("", sentence)
        else:
            self._notify(tr("Cancelled: nothing was saved."), kind="notice")

    def walk_entries(self) -> list[tuple[str, Callable[[], Any], bool]]:
        """What the walk can be saved as: (text, act, enabled)."""
        ready = self._controller.walk.possible and self._controller.walk.view.complete
        return [
            (tr("Strip as PNG…"), lambda: self.save_strip(1), ready),
            (tr("Strip as PNG, enlarged {n} times…", n=LARGE), lambda: self.save_strip(LARGE), ready),
            (tr("Animation as GIF…"), lambda: self.save_animation(Animated(".gif", 1, FPS)), ready),
            (tr("Animation as GIF, enlarged {n} times…", n=LARGE), lambda: self.save_animation(Animated(".gif", LARGE, FPS)),
             ready),
            (tr("Animation as WebP, its size and pace…"), lambda: self.choose_animation(".webp"), ready),
            (tr("Animation as MP4, its size and pace…"), lambda: self.choose_animation(".mp4"), ready),
        ]

    def save_entries(self) -> list[tuple[str, Callable[[], Any], bool]]:
        """What the top bar's Save offers."""
        large = self._controller.large()
        page = self._controller.page.view.complete
        return [
            (tr("Picture as PNG…"), lambda: self.save_picture(large, 1), large is not None),
            (tr("Picture as PNG, enlarged {n} times…", n=LARGE), lambda: self.save_picture(large, LARGE),
             large is not None),
            (tr("Page of samples as PNG…"), lambda: self.save_page(1), page),
            (tr("Page of samples as PNG, enlarged {n} times…", n=LARGE), lambda: self.save_page(LARGE), page),
            *[(tr("Walk: {what}", what=text[:1].lower() + text[1:]), act, enabled)
              for text, act, enabled in self.walk_entries()],
            (tr("Picture with everything: A, B, what is set in the views, and file names…"),
             lambda: self.save_picture(large, everything=True), large is not None),
            (tr("Page with everything: A, B, what is set in the views, and file names…"),
             lambda: self.save_page(everything=True), page),
            (tr("Copy as Python"), lambda: self.copy_python(large), large is not None),
        ]  # fmt: skip

    def write(self, path: str, make: Callable[[], bytes]) -> None:
        """Write a file that was chosen, and say where it is or why not."""
        try:
            written = self._exporter.write(path, make())
        except FlowError as error:
            self._problem("", str(error))
            return
        self._settings.set("explorer.save_folder", str(written.parent))
        self._notify(tr("Saved {path}.", path=str(written)), kind="good")

    def _ask(self, name: str, make: Callable[[], bytes]) -> None:
        self._ask_path(name, lambda path: self.write(path, make))

    def _ask_path(self, name: str, write: Callable[[str], object]) -> None:
        ask_save(self._window, tr("Save"), name, write, self._settings.get("explorer.save_folder", ""))

    def _file_name(self, latent: Latent) -> str:
        model = self._controller.model
        return file_name(model.title.lower() if model else "", latent.name)
