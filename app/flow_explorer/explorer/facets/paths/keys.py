"""Pictures on a timeline, played and saved as an animation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QMenu

from flow_explorer.dialogs.files import ask_save
from flow_explorer.explorer.facets.paths import edits
from flow_explorer.explorer.facets.paths.export import TimelineSaver
from flow_explorer.explorer.facets.paths.keys_link import KeysLink
from flow_explorer.explorer.facets.paths.keys_view import KeysPanel
from flow_explorer.explorer.facets.paths.part import Part
from flow_explorer.explorer.facets.paths.playing import FramePlayer
from flow_explorer.explorer.facets.paths.resolver import Resolver
from flow_explorer.explorer.facets.paths.state import PathsState
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.moving.animating import Animated, AnimationSaver
from flow_explorer.explorer.moving.animation_sheet import AnimationSheet
from flow_explorer.explorer.moving.exporting import LARGE
from flow_explorer.explorer.state import Slot
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr
from flowcore.errors import FlowError

__all__ = ["KeysPart"]


class KeysPart(Part[KeysPanel]):
    """Its keyframes are slots of their own, each with a duration and an easing."""

    id = "keys"

    def __init__(self, facet) -> None:
        super().__init__(facet)
        client, store = self.host.controller.client, self.host.controller.store
        self.link = KeysLink(client, self.answered)
        self.stops = Resolver("key", client, store, self.resolved)
        self.player = FramePlayer(self)
        self.player.frame.connect(self._play_frame)
        self.player.changed.connect(self._playing_changed)
        self.player.ended.connect(self._keep_time)
        self.saver = TimelineSaver(self.host, self.link, AnimationSaver(self), self)
        self.saver.changed.connect(self.answered)
        self._frame = 0
        """Which frame is shown while it plays."""

    def make_panel(self) -> KeysPanel:
        panel = KeysPanel()
        panel.add_menu.connect(self._fill_add)
        panel.path_chosen.connect(lambda path: self._edit(lambda state: replace(state, path=path), tr("Change the path")))
        panel.loop_changed.connect(lambda loop: self._edit(lambda state: _on_timeline(replace(state, loop=loop)), tr("Loop")))
        panel.fps_chosen.connect(lambda fps: self._edit(lambda state: replace(state, fps=fps), tr("Change the pace")))
        panel.seconds_changed.connect(self._set_seconds)
        panel.easing_chosen.connect(self._set_easing)
        panel.rested.connect(self.facet.rest)
        panel.play_pressed.connect(self.toggle_play)
        panel.export_wanted.connect(self.choose_export)
        panel.cancel_wanted.connect(self._cancel)
        panel.ends_wanted.connect(self.use_ends)
        panel.picture.drag_data = lambda: self.host.transfers.mime(self.large()[0])
        view = panel.view
        view.scrubbed.connect(self._scrub)
        view.selected.connect(self._select)
        view.key_moved.connect(lambda index, time: self._edit(
            lambda state: edits.moved(state, index, time), tr("Move a keyframe in time"), ("move", index)))
        view.reordered.connect(lambda index, other: self._edit(
            lambda state: edits.swapped(state, index, other), tr("Reorder the keyframes")))
        view.deleted.connect(lambda index: self._edit(lambda state: edits.delete(state, index), tr("Delete a keyframe")))
        view.duplicated.connect(lambda index: self._edit(lambda state: edits.duplicate(state, index), tr("Duplicate a keyframe")))
        return panel

    @property
    def busy(self) -> bool:
        return self.saver.busy or self.player.playing or self.stops.busy or self.link.busy

    @property
    def keys(self) -> set[str]:
        return self.stops.keys

    def forget(self) -> None:
        self.player.stop()
        self.stops.forget()
        self.link.forget()

    def sync(self, model: Model) -> None:
        state, store = self.state, self.host.controller.store
        slots = [stop.slot for stop in state.stops]
        self.stops.sync(model, slots)
        keys, labels = self.stops.all(slots) or (None, ())
        timeline = state.timeline()
        if self.player.playing and self.link.described != (str(model.path), keys, labels, timeline):
            self.player.stop()  # an undo, or another model: these are not the frames of what is there now
        latents = [store.latent(key) for key in keys or ()]
        self.link.sync(model, keys, latents, labels, timeline, min(state.time, state.duration))

    def large(self) -> tuple[Latent | None, float | None]:
        return self.link.latent, self.link.bpd

    def drop(self, mime: QMimeData) -> bool:
        self.facet.intake.take(mime, self.add, self.say, restores=True)
        return True

    def leave(self) -> None:
        self.stop_playing()

    def show(self) -> None:
        panel, state, link = self.panel(), self.state, self.link
        panel.set_smooth(self.smooth)
        panel.view.aspect = self.aspect
        time, picture = min(state.time, state.duration), link.latent.picture if link.latent is not None else None
        if self.player.playing and self._frame < len(link.frames):
            time, picture = link.times[self._frame], self._played(self._frame)
        ends = all(self.host.controller.slot_latent(which) is not None for which in "AB")
        panel.use_ends.setText(tr("Use A and B") if ends else tr("Use two samples"))
        can_use = ends or len(self.samples()) >= 2
        panel.show_state(state, [self.thumb(stop.slot) for stop in state.stops], time, can_use)
        errors = [(stop.slot.name, self.stops.error(stop.slot)) for stop in state.stops]
        bad = next((f"{name}: {error}" for name, error in errors if error), "")
        words = tr("{time} of {all} s", time=f"{time:.2f}", all=f"{state.duration:.2f}")
        panel.show_picture(picture, words, bad or link.error)
        self._show_progress(panel)

    def _show_progress(self, panel: KeysPanel) -> None:
        link = self.link
        if self.saver.busy:
            panel.show_progress(self.saver.share, self.saver.words)
        elif link.frames and not link.complete and not link.error:
            words = tr("Decoding {done} of {count}", done=link.decoded, count=len(link.frames))
            panel.show_progress(link.decoded / len(link.frames), words)
        else:
            panel.show_progress(None)

    def _played(self, index: int) -> np.ndarray | None:
        """The frame to show: the nearest one before that has come, or else the first after."""
        frames = self.link.frames
        before = next((frames[place] for place in range(index, -1, -1) if frames[place] is not None), None)
        return before if before is not None else next((frame for frame in frames[index:] if frame is not None), None)

    # Acts

    def _edit(self, edit: Callable[[PathsState], PathsState], label: str, merge: object = None) -> None:
        self.stop_playing()
        self.facet.change(edit(self.state), label, merge)

    def add(self, slot: Slot) -> None:
        """Put a picture on the timeline."""
        self._edit(lambda state: edits.add(state, slot), tr("Add a keyframe"))

    def say(self, sentence: str) -> None:
        """What could not be used."""
        self.host.context.notify(sentence)

    def use_ends(self) -> None:
        """A and B as the first two keyframes; what is missing of them is a sample."""
        controller, state = self.host.controller, self.state
        ends = [latent for which in "AB" if (latent := controller.slot_latent(which)) is not None]
        for latent in (ends + self.samples())[:2]:
            state = edits.add(state, controller.acts.slot_of(latent))
        self.facet.change(state, tr("Begin a timeline"))

    def _fill_add(self, menu: QMenu) -> None:
        panel, intake = self.panel(), self.facet.intake
        menu.addAction(tr("Choose a picture…"), lambda: intake.pick(panel, self.add, self.say))
        menu.addAction(tr("Paste"), lambda: intake.paste(self.add, self.say))
        menu.addSeparator()
        intake.fill(menu, self.add, ((tr("The pad's point"), self.facet.parts["pad"].large()[0]),
                                     (tr("The frame at this time"), self.large()[0])))  # fmt: skip

    def _set_seconds(self, seconds: float) -> None:
        self._edit(lambda state: edits.changed(state, state.selected, seconds=seconds), tr("Change a keyframe's duration"),
                   ("seconds", self.state.selected))  # fmt: skip

    def _set_easing(self, easing: str) -> None:
        self._edit(lambda state: edits.changed(state, state.selected, easing=easing), tr("Change how time passes"))

    def _scrub(self, time: float) -> None:
        self.player.stop()
        self.change(tr("Move in time"), "time", time=round(min(time, self.state.duration), 3))

    def _select(self, index: int) -> None:
        self.player.stop()
        if 0 <= index < len(self.state.stops):
            self.amend(selected=index, time=min(edits.start_of(self.state, index), self.state.duration))

    # Playing

    def toggle_play(self) -> None:
        """Play the timeline, or stay where it is."""
        if self.player.playing:
            self.stop_playing()
        else:
            self.play()

    def play(self) -> None:
        """Play from the present time; from the start where it stands at the end."""
        state, link = self.state, self.link
        if len(state.stops) < 2 or not link.ready or not link.play(state.fps):
            return
        count = len(link.times)
        first = min(int(np.searchsorted(link.times, state.time - 1e-6)), count - 1)
        if not state.loop and first == count - 1:
            first = 0
        self._frame = first
        self.player.play(first, count, count / state.duration if state.loop else (count - 1) / state.duration, state.loop)

    def stop_playing(self) -> None:
        """Stay where the timeline is: that time is one act."""
        if self.player.playing:
            self.player.stop()
            self._keep_time()

    def _keep_time(self) -> None:
        if self._frame < len(self.link.times):
            self.facet.rest()
            self.change(tr("Move in time"), time=round(min(self.link.times[self._frame], self.state.duration), 3))
            self.facet.rest()

    def _play_frame(self, index: int) -> None:
        self._frame = index
        self.show()

    def _playing_changed(self, playing: bool) -> None:
        self.panel().show_playing(playing)
        self.answered()

    def _cancel(self) -> None:
        if self.saver.busy:
            self.saver.cancel()
        else:
            self.player.stop()
            self.link.stop()
            self.answered()

    # Export

    def choose_export(self) -> None:
        """Ask how the timeline is to be saved, then where."""
        state, model = self.state, self.host.controller.model
        if model is None or len(state.stops) < 2 or not self.link.ready:
            return
        self.stop_playing()
        first = Animated(".webp", LARGE, state.fps, not state.loop)
        sheet = AnimationSheet(first, (model.height, model.width), 0, state.duration, state.loop, self.panel().window())
        sheet.wanted.connect(self._ask_path)
        sheet.open()

    def _ask_path(self, wanted: Animated) -> None:
        try:
            name = self.saver.name(wanted.suffix)
        except FlowError as error:
            self.say(str(error))
            return
        folder = self.host.context.settings.get("explorer.save_folder", "")
        ask_save(self.panel(), tr("Save"), name, lambda path: self.saver.save(path, wanted), folder)


def _on_timeline(state: PathsState) -> PathsState:
    """With its time on the timeline, which may have become shorter."""
    return replace(state, time=min(state.time, state.duration))
