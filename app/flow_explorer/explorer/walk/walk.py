"""The walk between A and B: strip, slider, curve, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from flow_explorer.explorer.view_model import WalkView
from flow_explorer.explorer.walk.curve import LikelihoodCurve
from flow_explorer.explorer.walk.strip import StripView
from flow_explorer.i18n import tr
from flow_explorer.widgets import Button, EmptyState, Heading, IconButton, Label, Segmented
from flow_explorer.widgets.slider import Track

__all__ = ["WalkPanel"]

STEPS = 1000
HEADER = 32
GAP = 8
TRACK = 22
CURVE = 52
CURVE_MAX = 120


class WalkPanel(QWidget):
    """Shows a `WalkView`; every act leaves as a signal."""

    moved = Signal(float)
    rested = Signal()
    mode_chosen = Signal(str)
    play_pressed = Signal()
    dragged = Signal(float)
    two_samples_wanted = Signal()
    copy_wanted = Signal()
    swap_wanted = Signal()

    def __init__(self, save_entries: Callable[[], list], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = Heading(tr("Walk in z"))
        self.problem = Label("", "warning", wrap=False)
        self.mode = Segmented([
            ("linear", tr("Linear"), tr("The straight line between the two latents.\nz = (1 − t) a + t b")),
            ("spherical", tr("Spherical"), tr("Along the sphere: the latent's length goes evenly from A's to B's.")),
            ("norm-kept", tr("Norm kept"),
             tr("The straight line, pushed out to where typical latents lie.\nz = s · ((1 − t) a + t b)")),
        ], name=tr("Path of the walk"), compact=True)  # fmt: skip
        self.play = Button(tr("Play"), "plain", icon="play",
                           tooltip=tr("Walk there and back (Space)"))
        self.swap = IconButton("swap", tr("Swap A and B"), size=32)
        self.copy = IconButton("copy", tr("Copy the strip"), size=32)
        self.save = Button(tr("Save walk"), "plain", icon="save", tooltip=tr("Save the strip, or an animation"))
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(lambda: _fill(self._menu, save_entries()))
        self.save.setMenu(self._menu)

        header = QWidget(self)
        row = QHBoxLayout(header)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.heading)
        row.addWidget(self.problem)
        row.addStretch(1)
        for part in (self.mode, self.play, self.swap, self.copy, self.save):
            row.addWidget(part)
        self._header = header
        self.strip = StripView(self)
        self.track = Track("z")
        self.track.setParent(self)
        self.track.setRange(0, STEPS)
        self.track.setSingleStep(STEPS // 100)
        self.track.setPageStep(STEPS // 8)
        self.track.setAccessibleName(tr("Position on the walk from A to B"))
        self.track.setToolTip(tr("Where the picture stands between A (0) and B (1)."))
        self.curve = LikelihoodCurve(self)
        self.empty = EmptyState(tr("Put a picture in A and one in B to walk between them"),
                                (tr("Use two samples"), self.two_samples_wanted.emit), icon="walk")
        self.empty.setParent(self)
        self._possible = False

        self.track.moved.connect(lambda position: self.moved.emit(position / STEPS))
        self.track.rested.connect(self.rested)
        self.strip.picked.connect(self._pick)
        self.strip.dragged.connect(self.dragged)
        self.curve.moved.connect(self.moved)
        self.curve.released.connect(self.rested)
        self.mode.chosen.connect(self.mode_chosen)
        self.play.clicked.connect(self.play_pressed)
        self.swap.clicked.connect(self.swap_wanted)
        self.copy.clicked.connect(self.copy_wanted)
        self.show_walk(WalkView(), False)

    def show_walk(self, view: WalkView, possible: bool) -> None:
        """Show the frames and the curve; `possible` is whether both slots have a z."""
        self._possible = possible
        self.strip.show_frames(view.strip)
        self.curve.set_curve(view.bpds)
        self.problem.setText(view.error)
        for part in (self.strip, self.track, self.curve):
            part.setVisible(possible)
        self.empty.setVisible(not possible)
        for part in (self.play, self.swap, self.copy, self.save, self.mode):
            part.setVisible(possible)
        self.copy.setEnabled(possible and view.complete)
        self.save.setEnabled(possible and view.complete)

    def show_position(self, t: float, bpd: float | None) -> None:
        """Move the knob and the marks; emits nothing."""
        if not self.track.isSliderDown():
            self.track.setValue(round(t * STEPS))
        self.strip.set_position(t)
        self.curve.set_position(t, bpd)
        self.track.setAccessibleDescription(f"{t:.2f}")

    def show_mode(self, mode: str) -> None:
        self.mode.set_current(mode)

    def show_playing(self, playing: bool) -> None:
        self.play.setText(tr("Pause") if playing else tr("Play"))
        self.play.set_icon("pause" if playing else "play")
        self.play.updateGeometry()

    def set_smooth(self, smooth: bool) -> None:
        self.strip.smooth = smooth
        self.strip.update()

    def set_aspect(self, aspect: float) -> None:
        """Width over height of the model's pictures."""
        self.strip.aspect = aspect
        self._arrange()

    def height_for(self, width: int, limit: int) -> int:
        """How high the panel is for a width, its frames at most `limit` high."""
        return HEADER + GAP + self.strip.side_for(width, limit) + 6 + TRACK + CURVE

    def _pick(self, t: float) -> None:
        self.moved.emit(t)
        self.rested.emit()

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    def _arrange(self) -> None:
        width, height = self.width(), self.height()
        self._header.setGeometry(0, 0, width, HEADER)
        top = HEADER + GAP
        side = self.strip.side_for(width, max(20, height - top - TRACK - CURVE - 6)) + 6
        # What the window has to spare goes to the curve, up to a point.
        curve = min(CURVE_MAX, height - top - side - TRACK)
        self.strip.setGeometry(0, top, width, side)
        inset = self.strip.inset
        # The track's own knob keeps away from its ends: so wide that position 0 lies under the first frame's middle.
        knob = round(self.track.position_x(0))
        left = round(inset) - knob
        self.track.setGeometry(QRect(left, top + side, width - 2 * left, TRACK))
        self.curve.setGeometry(0, top + side + TRACK, width, curve)
        self.curve.inset = inset
        self.empty.setGeometry(0, top, width, height - top)


def _fill(menu: QMenu, entries: list) -> None:
    menu.clear()
    for text, act, enabled in entries:
        action = menu.addAction(text, act)
        action.setEnabled(enabled)


