"""Keyframes: the picture at the present time, the chosen keyframe's settings, the timeline, play and export."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from flow_explorer.explorer.facets.paths.state import SECONDS_MAX, SECONDS_MIN, PathsState
from flow_explorer.explorer.facets.paths.timeline_view import TimelineView
from flow_explorer.explorer.moving.animating import FPS
from flow_explorer.i18n import tr
from flow_explorer.widgets import (
    Button,
    Choice,
    EmptyState,
    Heading,
    IconButton,
    Label,
    PictureLabel,
    ProgressView,
    Segmented,
    Toggle,
    ValueSlider,
)

__all__ = ["KeysPanel"]

EASINGS = (
    ("linear", "Even", "The same pace all the way.\nu"), ("ease", "Eased", "Slow at both ends.\n3u² − 2u³"),
    ("hold", "Hold", "Stand at this keyframe, then jump to the next."),
)  # fmt: skip
PATHS = (
    ("linear", "Straight"), ("spherical", "Spherical"), ("norm-kept", "Norm kept"), ("catmull-rom", "One smooth curve"),
)  # fmt: skip


class KeysPanel(QWidget):
    """Shows a `PathsState`'s keyframes; every act leaves as a signal."""

    add_menu = Signal(QMenu)
    """Fill this menu with what can become a keyframe."""
    path_chosen = Signal(str)
    loop_changed = Signal(bool)
    fps_chosen = Signal(float)
    seconds_changed = Signal(float)
    easing_chosen = Signal(str)
    rested = Signal()
    play_pressed = Signal()
    export_wanted = Signal()
    cancel_wanted = Signal()
    ends_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = PictureLabel(tr("The picture at the present time"), interactive=True)
        self.picture.setToolTip(tr("Drag it to A, to B, or out of the window."))
        self.view = TimelineView()
        self.add = Button(tr("Add keyframe"), "primary", icon="plus",
                          tooltip=tr("Put a picture on the timeline: a sample, A, B, the pad's point, or a dropped one"))
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.add.setMenu(self._menu)
        self.path = Choice([(key, tr(text)) for key, text in PATHS], name=tr("Path between the keyframes"),
                           tooltip=tr("From keyframe to keyframe as the walk between A and B goes, or in one curve through "
                                      "all of them (Catmull–Rom)"))  # fmt: skip
        self.fps = Choice([(f"{value:g}", tr("{n} a second", n=value)) for value in FPS], name=tr("Frames a second"),
                          tooltip=tr("How many pictures are shown, and saved, in a second"))
        self.loop = Toggle(tr("Loop"), tr("From the last keyframe back to the first"))
        self.play = Button(tr("Play"), icon="play", tooltip=tr("Play the timeline (Space)"))
        self.export = Button(tr("Export…"), icon="save", tooltip=tr("Save it as GIF, WebP or MP4"))
        self.heading = Heading("")
        self.seconds = ValueSlider(tr("To the next keyframe"), SECONDS_MIN, SECONDS_MAX, 1.5, step=0.1, decimals=2,
                                   unit="s", tooltip=tr("How long it is from this keyframe to the next"), tone="z")
        easings = [(key, tr(text), tr(tip)) for key, text, tip in EASINGS]
        self.easing = Segmented(easings, name=tr("How time passes"), compact=True)
        self.earlier = IconButton("chevron-left", tr("Earlier"), tooltip=tr("Trade places with the keyframe before (Alt+Left)"))
        self.later = IconButton("chevron-right", tr("Later"), tooltip=tr("Trade places with the keyframe after (Alt+Right)"))
        self.double = IconButton("copy", tr("Duplicate"), tooltip=tr("The same keyframe once more, right after (Ctrl+D)"))
        self.delete = IconButton("trash", tr("Delete"), tooltip=tr("Take this keyframe away (Delete)"))
        self.figures = Label("", "small", wrap=True)
        self.problem = Label("", "warning", wrap=True)
        self.progress = ProgressView(tr("Decoding"), cancellable=True)
        self.progress.hide()
        self.empty = EmptyState(tr("Put pictures on a timeline: every keyframe is one, and between them the frames walk through "
                                   "z"), icon="play")  # fmt: skip
        self.use_ends = self.empty.add_action(tr("Use A and B"), self.ends_wanted.emit)
        self._lay_out()
        self.path.chosen.connect(self.path_chosen)
        self.loop.clicked.connect(self.loop_changed)
        self.fps.chosen.connect(lambda key: self.fps_chosen.emit(float(key)))
        self.play.clicked.connect(self.play_pressed)
        self.export.clicked.connect(self.export_wanted)
        self.seconds.value_changed.connect(self.seconds_changed)
        self.seconds.editing_finished.connect(self.rested)
        self.easing.chosen.connect(self.easing_chosen)
        self.progress.cancelled.connect(self.cancel_wanted)
        self.view.rested.connect(self.rested)
        chosen: Callable[[], int] = lambda: self._selected  # noqa: E731
        self.earlier.clicked.connect(lambda: self.view.reordered.emit(chosen(), chosen() - 1))
        self.later.clicked.connect(lambda: self.view.reordered.emit(chosen(), chosen() + 1))
        self.double.clicked.connect(lambda: self.view.duplicated.emit(chosen()))
        self.delete.clicked.connect(lambda: self.view.deleted.emit(chosen()))
        self.view.menu_wanted.connect(self._key_menu)
        self._selected = -1
        self._shown: np.ndarray | None = None

    def _lay_out(self) -> None:
        self.controls = QWidget()
        row = QHBoxLayout(self.controls)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for part in (self.add, self.path, self.fps, self.loop):
            row.addWidget(part)
        row.addStretch(1)
        for part in (self.play, self.export):
            row.addWidget(part)
        self.column = QWidget()
        self.column.setFixedWidth(264)
        column = QVBoxLayout(self.column)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        acts = QHBoxLayout()
        acts.setSpacing(4)
        for part in (self.earlier, self.later, self.double, self.delete):
            acts.addWidget(part)
        acts.addStretch(1)
        for part in (self.heading, self.seconds, self.easing):
            column.addWidget(part)
        column.addLayout(acts)
        column.addWidget(self.figures)
        column.addStretch(1)
        column.addWidget(self.problem)
        column.addWidget(self.progress)
        self.upper = QWidget()
        upper = QHBoxLayout(self.upper)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.setSpacing(24)
        upper.addWidget(self.picture, 1)
        upper.addWidget(self.column)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 8)
        whole.setSpacing(12)
        whole.addWidget(self.controls)
        whole.addWidget(self.upper, 1)
        whole.addWidget(self.empty, 1)
        whole.addWidget(self.view)

    def show_state(self, state: PathsState, pictures: Sequence[np.ndarray | None], time: float, can_use_ends: bool) -> None:
        """The keyframes, their pictures, and where time stands (other than the state says while it plays)."""
        there = bool(state.stops)
        self._selected = state.selected
        for part in (self.upper, self.view, self.play, self.export):
            part.setVisible(there)
        self.empty.setVisible(not there)
        self.use_ends.setEnabled(can_use_ends)
        self.path.set_current(state.path)
        if self.fps.findData(f"{state.fps:g}") < 0:
            self.fps.set_options(sorted({*((f"{value:g}", tr("{n} a second", n=value)) for value in FPS),
                                         (f"{state.fps:g}", tr("{n} a second", n=f"{state.fps:g}"))},
                                        key=lambda option: float(option[0])))  # fmt: skip
        self.fps.set_current(f"{state.fps:g}")
        self.loop.setChecked(state.loop)
        several = len(state.stops) > 1
        self.play.setEnabled(several)
        self.export.setEnabled(several)
        self.view.show_timeline(state.timeline(), pictures, [stop.slot.name for stop in state.stops], state.selected, time)
        chosen = state.stops[state.selected] if 0 <= state.selected < len(state.stops) else None
        self.heading.setText(tr("Keyframe {n} of {count}", n=state.selected + 1, count=len(state.stops)) if chosen is not None
                             else tr("Click a keyframe to change it"))  # fmt: skip
        last = state.selected == len(state.stops) - 1
        for part in (self.seconds, self.easing, self.earlier, self.later, self.double, self.delete):
            part.setVisible(chosen is not None)
        if chosen is not None:
            self.seconds.set_value(chosen.seconds)
            self.easing.set_current(chosen.easing)
            # After the last keyframe there is a way only in a loop.
            for part in (self.seconds, self.easing):
                part.setEnabled(state.loop or not last)
            self.earlier.setEnabled(state.selected > 0)
            self.later.setEnabled(not last)

    def show_picture(self, picture: np.ndarray | None, words: str, problem: str) -> None:
        """The picture at the present time, its figures, and what went wrong."""
        if picture is not self._shown:
            self._shown = picture
            self.picture.set_array(picture)
        self.figures.setText(words)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    def show_playing(self, playing: bool) -> None:
        self.play.setText(tr("Pause") if playing else tr("Play"))
        self.play.set_icon("pause" if playing else "play")
        self.play.updateGeometry()

    def show_progress(self, share: float | None, words: str = "") -> None:
        """How far a file or the frames are; None takes it away."""
        self.progress.setVisible(share is not None)
        if share is not None:
            self.progress.set_progress(share, words)

    def set_smooth(self, smooth: bool) -> None:
        self.picture.set_smooth(smooth)
        self.view.smooth = smooth
        self.view.update()

    def _fill_menu(self) -> None:
        self._menu.clear()
        self.add_menu.emit(self._menu)

    def _key_menu(self, index: int, place: QPoint) -> None:
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction(tr("Duplicate"), lambda: self.view.duplicated.emit(index))
        menu.addAction(tr("Earlier"), lambda: self.view.reordered.emit(index, index - 1)).setEnabled(self.earlier.isEnabled())
        menu.addAction(tr("Later"), lambda: self.view.reordered.emit(index, index + 1)).setEnabled(self.later.isEnabled())
        menu.addAction(tr("Delete"), lambda: self.view.deleted.emit(index))
        menu.popup(place)
