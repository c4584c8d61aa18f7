"""Asks how the animation of a training is to be saved: format, size, length, and how many pictures."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from flow_explorer.dialogs.animation_form import AnimationForm
from flow_explorer.i18n import tr
from flow_explorer.widgets import Choice, Label
from flowcore.pictures.animation import FORMATS
from flowcore.plane.drawing import check_film, page_size
from flowcore.plane.film_frames import frame_steps

__all__ = ["FRAMES", "SECONDS", "SIDES", "FilmSheet", "Filmed"]

SIDES = {160: "Small", 240: "Medium", 320: "Large", 480: "Very large"}
"""The side of a panel in pixels."""
SECONDS = (2, 4, 6, 10, 15, 20, 30)
FRAMES = (15, 30, 60, 90, 120, 180, 240)


@dataclass(frozen=True)
class Filmed:
    """How a training is to be filmed."""

    suffix: str = ".gif"
    side: int = 240
    seconds: float = 6.0
    frames: int = 60

    def __post_init__(self) -> None:
        if self.suffix not in FORMATS:
            raise ValueError(f"no animation ends in {self.suffix!r}")


class FilmSheet(AnimationForm):
    """`wanted(Filmed)` when the person presses Save. `steps` is how many the training has taken."""

    def __init__(self, settings: Filmed, steps: int, parent: QWidget | None = None) -> None:
        super().__init__(tr("Save an animation of the training"), tr("Every program shows it; 256 colours a picture"),
                         tr("Browsers and most programs show it; every colour is kept"), 440, 408, parent)  # fmt: skip
        self._steps = steps
        self.side = Choice([(str(side), f"{tr(name)}, {'×'.join(map(str, page_size(side)))}") for side, name in SIDES.items()],
                           name=tr("Size"), tooltip=tr("How large each picture is, in pixels"))  # fmt: skip
        length = tr("How long the training takes in the animation; its last picture stays for a second")
        self.seconds = Choice([(str(n), tr("{n} s", n=n)) for n in SECONDS], name=tr("Length"), tooltip=length)
        moments = tr("How many moments are drawn: close together at the start, where most happens") + "\nn · (i / N)²"
        self.frames = Choice([(str(n), str(n)) for n in FRAMES], name=tr("Pictures"), tooltip=moments)
        how = tr("The training is run again from its seed, exactly as it went; meanwhile the window stays free.")
        self.how = Label(how, "muted", wrap=True)
        choices = [(tr("Size"), self.side), (tr("Length"), self.seconds), (tr("Pictures"), self.frames)]
        self._fill(choices, 184, below=[self.how])
        self.format.set_current(settings.suffix)
        for choice, value in ((self.side, settings.side), (self.seconds, settings.seconds), (self.frames, settings.frames)):
            choice.set_current(f"{value:g}")
            choice.chosen.connect(self._show)
        self.format.chosen.connect(self._show)
        self._show()

    @property
    def settings(self) -> Filmed:
        """What is chosen."""
        return Filmed(self.format.current(), int(self.side.currentData()), float(self.seconds.currentData()),
                      int(self.frames.currentData()))  # fmt: skip

    def _show(self, *_unused: object) -> None:
        chosen = self.settings
        taken = len(frame_steps(self._steps, chosen.frames))
        self.what.set_value(tr("{n} pictures of {steps} steps", n=taken, steps=f"{self._steps:,}"))
        self._show_problem(lambda: check_film(taken, chosen.side))
