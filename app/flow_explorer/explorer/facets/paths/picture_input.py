"""Pictures on their way into a corner or a keyframe: dropped, pasted, picked, or sent from elsewhere in the Explorer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from flow_explorer.dialogs.files import LastFolder, ask_file, pictures
from flow_explorer.explorer.facets.base import Host
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.moving.drag_drop import Dropped, read_mime
from flow_explorer.explorer.moving.recipes import (
    PICTURES_INSIDE,
    as_picture,
    changed,
    edited,
    is_reshaped,
    read_latent,
)
from flow_explorer.explorer.state import Slot
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr
from flowcore.errors import FlowError
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import Picture, read_file

__all__ = ["PictureInput"]

Put = Callable[[Slot], object]
Say = Callable[[str], object]


class PictureInput(QObject):
    """Gives `put` a `Slot` for each picture that comes in, or `say` one sentence about what could not be used.

    Of a person's picture only what the model sees is kept: what is made here goes into files that are passed on.
    """

    def __init__(self, host: Host, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._host = host

    def take(self, mime: QMimeData, put: Put, say: Say, *, restores: bool = False) -> None:
        """Use what was dropped or pasted. With `restores`, an animation of ours brings its settings back."""
        try:
            for item in read_mime(mime):
                self._take_one(item, put, say, restores)
        except FlowError as error:
            say(str(error))

    def paste(self, put: Put, say: Say) -> None:
        """Use the clipboard."""
        mime = QGuiApplication.clipboard().mimeData()
        if mime is not None:
            self.take(mime, put, say)

    def pick(self, window: QWidget, put: Put, say: Say) -> None:
        """Ask for a picture file."""
        start = LastFolder(self._host.context.settings, "explorer.picture_folder")
        ask_file(window, tr("Choose a picture"), lambda path: self.take_file(path, put, say), start, pictures())

    def take_file(self, path: str, put: Put, say: Say) -> None:
        """Use a picture file that was picked."""
        try:
            self._take_one(Dropped(Path(path).name, data=read_file(path)), put, say, restores=False)
        except FlowError as error:
            say(str(error))

    def fill(self, menu: QMenu, put: Put, more: tuple[tuple[str, Latent | None], ...] = ()) -> None:
        """Add what the Explorer has at hand to a menu: the selected sample, A, B, the walk's frame, and `more`."""
        controller = self._host.controller
        entries = (
            (tr("The selected sample"), controller.selected()), (tr("The picture in A"), controller.slot_latent("A")),
            (tr("The picture in B"), controller.slot_latent("B")), (tr("Where the walk stands"), controller.frame()), *more,
        )  # fmt: skip
        for text, latent in entries:
            action = menu.addAction(text, lambda latent=latent: put(controller.acts.slot_of(latent)) if latent else None)
            action.setEnabled(latent is not None)

    def _take_one(self, item: Dropped, put: Put, say: Say, restores: bool) -> None:
        controller = self._host.controller
        if item.checkpoint is not None:
            controller.choose_model(str(item.checkpoint))
            return
        latent, here = item.latent, controller.state.model
        if latent is None:
            why, reshaped = "", False
            try:
                found = self._host.transfers.recipe_in(item)
                why = "" if found is None else changed(found, here)
                reshaped = found is not None and not why and is_reshaped(found, item.data, here)
                latent = None if found is None or why or reshaped else read_latent(found, item.data, here)
            except FlowError:
                found = None  # the picture itself can still be used
            if latent is not None:
                sample = latent

                def proved(whole: bool) -> None:
                    if whole:
                        put(controller.acts.slot_of(sample))
                        return
                    self._host.context.notify(edited(item.name), kind="notice")
                    self._put_picture(item, put, say)

                self._host.transfers.prover.ask(sample, here, proved)
                return
            if reshaped:
                self._host.context.notify(edited(item.name), kind="notice")
                self._put_picture(item, put, say)
                return
            if found is not None and latent is None and restores and (not why or found.get("kind") in PICTURES_INSIDE):
                self._host.transfers.restore(found)
                return
            if why:
                self._host.context.notify(as_picture(why, item.name), kind="notice")
        if latent is not None:
            put(controller.acts.slot_of(latent))
            return
        self._put_picture(item, put, say)

    def _put_picture(self, item: Dropped, put: Put, say: Say) -> None:
        """The picture alone, to be encoded."""
        controller = self._host.controller

        def done(picture: Picture | None, sentence: str) -> None:
            if picture is None:
                say(sentence)
            elif controller.model is not None:
                put(self._slot(picture, item.name, controller.model))

        self._host.transfers.loader.read(item.data, item.name, done)

    def _slot(self, picture: Picture, name: str, model: Model) -> Slot:
        seen = apply_crop(picture, Crop(), model.height, model.width, model.channels)
        return Slot(picture=self._host.controller.store.put_array(seen), name=name)
