"""What is saved and copied: a picture, the page, the strip, the animation, each with its recipe inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.moving.animating import Animated, MakeAnimation
from flow_explorer.explorer.moving.as_python import latent_script, sample_script, walk_script
from flow_explorer.explorer.moving.drag_drop import file_name
from flow_explorer.explorer.moving.recipes import make_recipe
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.walk.walk_link import ends
from flow_explorer.i18n import tr
from flowcore.errors import PictureError
from flowcore.pictures.animation import animation_bytes
from flowcore.pictures.images import enlarge, grid, strip, to_png_bytes, write_atomically

__all__ = ["FPS", "LARGE", "Exporter"]

LARGE = 8
"""How many times larger an enlarged picture is."""
FPS = 15.0
"""Frames a second of a walk's animation, unless the person says otherwise."""


class Exporter:
    """Makes the bytes of files from what the controller has; nothing is computed anew, so what is saved was seen."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    def picture(self, latent: Latent, scale: int = 1, smooth: bool = False, everything: bool = False) -> bytes:
        """One picture as PNG, with its own z in the recipe. Raises `PictureError` for a draft, which is never kept.

        With `everything`, here and below, A and B, what is set in the views and the names of files go along.
        """
        if latent.draft:
            raise PictureError(tr("The picture is still being drawn: a moment more."))
        return to_png_bytes(enlarge(latent.picture, scale, smooth), self._recipe("picture", latent, everything))

    def script(self, latent: Latent) -> str:
        """A script on flowcore alone that makes a picture: by what made it where that is known, else by its z."""
        controller, model = self._controller, self._controller.model
        if model is None:
            raise PictureError(tr("There is no model: choose one first."))
        own = controller.facet.large() if controller.facet is not None else None
        if own is not None and controller.facet is not None and np.array_equal(own.z, latent.z):
            made = controller.facet.as_python()
            if made is not None:
                return made
        title = tr("{name}, by {model}.", name=latent.name[:1].upper() + latent.name[1:], model=model.title)
        path, out = model.path.resolve(), self.name(latent.name)
        page = controller.page.view
        for index, slot in enumerate(page.slots):
            if slot is latent and page.fresh[index]:
                return sample_script(title, path, out, controller.state.seed, index, page.temperatures[index], latent.label)
        if latent.z is controller.walk.z and controller.walk.possible:
            a, b = ends(controller.store, *(controller.slots[which].view.z for which in "AB"))
            t = controller.walk.view.picture_t
            return walk_script(title, path, out, a, b, controller.state.walk.mode, t, latent.label, latent.weights)
        return latent_script(title, path, out, latent.z, latent.label, latent.weights)

    def page(self, scale: int = 1, smooth: bool = False, everything: bool = False) -> bytes:
        """The page of samples as one PNG without gaps."""
        view = self._controller.page.view
        if not view.complete:
            raise PictureError(tr("The page is not complete yet: wait a moment and save it then."))
        pictures = [slot.picture for slot in view.slots if slot is not None]
        return to_png_bytes(enlarge(grid(pictures), scale, smooth), self._recipe("samples", everything=everything))

    def strip(self, scale: int = 1, smooth: bool = False, everything: bool = False) -> bytes:
        """The strip of the walk as one PNG."""
        return to_png_bytes(enlarge(strip(self._frames()[::4]), scale, smooth), self._recipe("walk", everything=everything))

    def animation(self, scale: int = 1, smooth: bool = False) -> bytes:
        """The walk there and back as a GIF that loops."""
        return self.animation_maker(Animated(".gif", scale, FPS), smooth)(lambda _share: None)

    def animation_maker(self, wanted: Animated, smooth: bool = False) -> MakeAnimation:
        """What makes the walk's animation, from the frames of this moment; it can be called beside the window."""
        frames, recipe = self._frames(), self._recipe("walk")
        return lambda tick: animation_bytes(wanted.suffix, frames, recipe, scale=wanted.scale, smooth=smooth, fps=wanted.fps,
                                            back=wanted.back, tick=tick)  # fmt: skip

    def strip_array(self) -> np.ndarray:
        """The strip's pixels, for the clipboard."""
        return strip(self._frames()[::4])

    def name(self, what: str, suffix: str = ".png") -> str:
        """A file name that says what is inside."""
        model = self._controller.model
        return file_name(model.title.lower() if model else "", what, suffix=suffix)

    def write(self, path: str | Path, data: bytes) -> Path:
        """Write a file, whole or not at all. Raises `PictureError`."""
        return write_atomically(path, data)

    def _frames(self) -> list[np.ndarray]:
        view = self._controller.walk.view
        if not self._controller.walk.possible or not view.complete:
            raise PictureError(tr("The walk is not complete yet: wait a moment and save it then."))
        return [frame for frame in view.frames if frame is not None]

    def _recipe(self, kind: str, latent: Latent | None = None, everything: bool = False) -> dict:
        controller = self._controller
        if controller.model is None:
            raise PictureError(tr("There is no model: choose one first."))
        return make_recipe(kind, controller.state, controller.store, controller.model, latent, everything=everything)
