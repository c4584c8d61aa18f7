"""Asks how an animation is to be saved: format, size, pace, and whether it goes there and back."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QWidget

from flow_explorer.dialogs.animation_form import AnimationForm
from flow_explorer.explorer.moving.animating import FPS, SIZES, Animated
from flow_explorer.i18n import tr
from flow_explorer.widgets import Choice, Toggle

__all__ = ["AnimationSheet"]


class AnimationSheet(AnimationForm):
    """`wanted(Animated)` when the person presses Save. `frames` one way, of (height, width) each; with `seconds` the number of
    frames follows from the pace, without it they are as many as there are."""

    def __init__(self, settings: Animated, size: tuple[int, int], frames: int = 0, seconds: float = 0.0, loop: bool = False,
                 parent: QWidget | None = None) -> None:
        super().__init__(tr("Save an animation"), tr("Every program shows it; 256 colours a frame"),
                         tr("Browsers and most programs show it; every byte is kept, and the recipe inside"), 440, 400, parent)
        self._size, self._frames, self._seconds, self._loop = size, frames, seconds, loop
        self.scale = Choice([(str(size), tr("{n} times", n=size) if size > 1 else tr("As it is")) for size in SIZES],
                            name=tr("Size"), tooltip=tr("How many times larger than what the model makes"))
        fps = sorted({*map(float, FPS), float(settings.fps)})
        self.fps = Choice([(f"{value:g}", tr("{n} a second", n=f"{value:g}")) for value in fps], name=tr("Frames a second"),
                          tooltip=tr("How many pictures are shown in a second"))
        self.back = Toggle(tr("There and back"), tr("The way back follows, so that it loops without a jump"))
        self._fill([(tr("Size"), self.scale), (tr("Frames a second"), self.fps)], 148, above=[self.back])
        self.format.set_current(settings.suffix)
        self.scale.set_current(str(settings.scale))
        self.fps.set_current(f"{settings.fps:g}")
        self.back.setChecked(settings.back)
        self.format.chosen.connect(self._show)
        self.scale.chosen.connect(self._show)
        self.fps.chosen.connect(self._show)
        self.back.toggled.connect(self._show)
        self._settings = settings
        self._show()

    @property
    def settings(self) -> Animated:
        """What is chosen."""
        return replace(self._settings, suffix=self.format.current(), scale=int(self.scale.currentData()),
                       fps=float(self.fps.currentData()), back=self.back.isChecked())

    def _show(self, *_unused: object) -> None:
        chosen = self.settings
        frames = self._frames or max(1, round(self._seconds * chosen.fps)) + (0 if self._loop else 1)
        if chosen.back and frames > 2:
            frames = 2 * frames - 2
        height, width = (side * chosen.scale for side in self._size)
        self.what.set_value(tr("{n} frames of {width}×{height}, {seconds} s", n=frames, width=width, height=height,
                               seconds=f"{frames / chosen.fps:.1f}"))  # fmt: skip
        self._show_problem()
