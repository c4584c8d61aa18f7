"""Four walks between the same two pictures, one under the other, with one position for all."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QWidget

from flow_explorer.explorer.facets.paths.side_link import PathRow
from flow_explorer.explorer.facets.paths.state import WAYS
from flow_explorer.explorer.walk.curve import LikelihoodCurve
from flow_explorer.explorer.walk.strip import StripView
from flow_explorer.i18n import tr
from flow_explorer.widgets import EmptyState, Label, PictureLabel
from flow_explorer.widgets.slider import Track

__all__ = ["SidePanel"]

STEPS = 1000
TITLE = 20
TRACK = 24
GAP = 12
TEXTS = {
    "linear": ("Linear", "The straight line between the two latents: in many dimensions it passes nearer to the middle than "
               "latents lie.\nz = (1 − t) a + t b"),
    "spherical": ("Spherical", "Along the sphere: the latent's length goes evenly from A's to B's.\n"
                  "z = |z| (sin((1 − t) θ) â + sin(t θ) b̂) / sin θ"),
    "norm-kept": ("Norm kept", "The straight line, pushed out to where typical latents lie.\nz = s · ((1 − t) a + t b)"),
    "pixels": ("Pixel blend", "No walk through z at all: the one picture fades into the other, as two photographs on top of each "
               "other.\nx = (1 − t) x_A + t x_B"),
}  # fmt: skip


class _RowView(QWidget):
    """One way: its picture at the position, its strip, its curve."""

    def __init__(self, way: str, parent: QWidget) -> None:
        super().__init__(parent)
        title, tip = TEXTS[way]
        self.title = Label(tr(title), "heading", parent=self)
        self.title.setToolTip(tr(tip))
        self.shown: np.ndarray | None = None
        self.note = Label("", "small", parent=self)
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.note.setToolTip(tr("How long z is here, as a share of what lies between the lengths of A's and B's z,\n"
                                "and how likely the picture is: |z| / ((1 − t) |a| + t |b|)"))  # fmt: skip
        self.picture = PictureLabel(tr("{way} at the position", way=tr(title)), interactive=True, parent=self)
        self.picture.setToolTip(tr("Click to work with this one: the column on the right shows it. Drag it to A, B, or out."))
        self.strip = StripView(self)
        self.strip.setAccessibleName(tr("{way}: frames from A to B", way=tr(title)))
        self.curve = LikelihoodCurve(self)
        self.curve.setMinimumHeight(24)
        self.curve.setAccessibleName(tr("{way}: log-likelihood along the walk", way=tr(title)))

    def resizeEvent(self, event) -> None:
        self.arrange()
        super().resizeEvent(event)

    def arrange(self) -> None:
        """Give every part its place."""
        width, height = self.width(), self.height()
        side = min(height - TITLE, width // 5)
        aspect = self.strip.aspect
        if aspect < 1:
            self.picture.setGeometry(0, TITLE, round(side * aspect), side)
        else:
            self.picture.setGeometry(0, TITLE, side, round(side / aspect))
        left = side + 8
        strip = min(self.strip.side_for(width - left, 400), max(32, round(0.68 * (height - TITLE)))) + 6
        self.title.setGeometry(0, 0, width // 2, TITLE)
        self.note.setGeometry(width // 2, 0, width - width // 2, TITLE)
        self.strip.setGeometry(left, TITLE, width - left, strip)
        self.curve.setGeometry(left, TITLE + strip, width - left, max(20, height - TITLE - strip))
        self.curve.inset = self.strip.inset


class SidePanel(QWidget):
    """Shows the rows of a `SideLink`; every act leaves as a signal."""

    moved = Signal(float)
    rested = Signal()
    way_chosen = Signal(str)
    two_samples_wanted = Signal()
    dragged = Signal(str)
    """A row's picture is pulled out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = {way: _RowView(way, self) for way in WAYS}
        self.track = Track("z", self)
        self.track.setRange(0, STEPS)
        self.track.setSingleStep(STEPS // 100)
        self.track.setPageStep(STEPS // 8)
        self.track.setAccessibleName(tr("Position of all walks from A to B"))
        self.track.setToolTip(tr("Where all four stand between A (0) and B (1)."))
        self.problem = Label("", "warning", wrap=True, parent=self)
        self.empty = EmptyState(tr("Put a picture in A and one in B to see every way from the one to the other"),
                                (tr("Use two samples"), self.two_samples_wanted.emit), icon="walk")  # fmt: skip
        self.empty.setParent(self)
        self.track.moved.connect(lambda position: self.moved.emit(position / STEPS))
        self.track.rested.connect(self.rested)
        for way, row in self.rows.items():
            row.strip.picked.connect(lambda t, way=way: self._picked(way, t))
            row.strip.dragged.connect(lambda _t, way=way: self.dragged.emit(way))
            row.curve.moved.connect(self.moved)
            row.curve.released.connect(self.rested)
            row.picture.clicked.connect(lambda way=way: self.way_chosen.emit(way))

    def show_rows(self, rows: dict[str, PathRow], possible: bool, problem: str) -> None:
        """The pictures and curves that have come; `possible` is whether both slots have a z."""
        known = [bpd for row in rows.values() for bpd in row.bpds if bpd is not None]
        limits = (min(known), max(known)) if known else None
        for way, view in self.rows.items():
            row = rows[way]
            view.strip.show_frames(row.strip)
            view.curve.set_curve(row.bpds, limits)
            if view.picture.array() is None or row.picture is not view.shown:
                view.shown = row.picture
                view.picture.set_array(row.picture)
            parts = [] if row.norm is None else [tr("z {percent} % as long", percent=f"{100 * row.norm:.0f}")]
            if row.bpd is not None:
                parts.append(tr("{bpd} bpd", bpd=f"{row.bpd:.2f}"))
            view.note.setText(" · ".join(parts))
            view.setVisible(possible)
        self.track.setVisible(possible)
        self.empty.setVisible(not possible)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    def show_position(self, t: float, way: str) -> None:
        """Where all stand, and which one the inspector shows."""
        if not self.track.isSliderDown():
            self.track.setValue(round(t * STEPS))
        self.track.setAccessibleDescription(f"{t:.2f}")
        for own, view in self.rows.items():
            view.strip.set_position(t)
            view.curve.set_position(t, None)
            view.picture.set_outline("z" if own == way else None)
            view.title.set_tone("strong" if own == way else "heading")

    def set_smooth(self, smooth: bool) -> None:
        for view in self.rows.values():
            view.picture.set_smooth(smooth)
            view.strip.smooth = smooth
            view.strip.update()

    def set_aspect(self, aspect: float) -> None:
        """Width over height of the model's pictures."""
        for view in self.rows.values():
            if view.strip.aspect != aspect:
                view.strip.aspect = aspect
                view.arrange()
        self._arrange()

    def _picked(self, way: str, t: float) -> None:
        self.way_chosen.emit(way)
        self.moved.emit(t)
        self.rested.emit()

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    def _arrange(self) -> None:
        width, height = self.width(), self.height()
        self.empty.setGeometry(0, 0, width, height)
        each = (height - TRACK - (len(self.rows) - 1) * GAP) // len(self.rows)
        for index, view in enumerate(self.rows.values()):
            view.setGeometry(0, index * (each + GAP), width, each)
        first = next(iter(self.rows.values()))
        # The track stands under the strips, its ends under the middles of the first frame and the last.
        left = first.strip.x() + round(first.strip.inset)
        knob = round(self.track.position_x(0))
        right = round(first.strip.width() - first.strip.inset) + first.strip.x()
        self.track.setGeometry(QRect(left - knob, height - TRACK, right - left + 2 * knob, TRACK))
        self.problem.setGeometry(0, height - TRACK, max(60, left - knob - 12), TRACK)
