"""The facet of layers: asks for the subject's way through the model, and lets a person scrub along it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from shiboken6 import isValid

from flow_explorer.explorer.facets.base import Facet, Host
from flow_explorer.explorer.facets.layers.link import LayersLink
from flow_explorer.explorer.facets.layers.panel import Panel
from flow_explorer.explorer.facets.layers.player import StagePlayer
from flow_explorer.i18n import tr
from flowcore.model.card import held_out_bpd, held_out_norms

__all__ = ["LayersFacet", "facet"]

SPINNER_MS = 300
"""What takes longer than this shows that it is being worked on."""
CANCEL_MS = 2000
"""... and than this, that it can be ended."""


class LayersFacet(Facet):
    """See the module."""

    id: ClassVar[str] = "layers"

    def __init__(self, host: Host, parent: QObject | None = None) -> None:
        super().__init__(host, parent)
        settings = host.context.settings
        self.link = LayersLink(host.controller.client, self._on_link)
        self.player = StagePlayer(self)
        self.panel = Panel()
        self.panel.set_smooth(not settings.get("explorer.whole_pixels", False))
        settings.listen(self._setting_changed)
        self.panel.set_drag_data(lambda: host.transfers.mime(host.controller.subject()))
        self._play_at: float | None = None
        self._wants_focus = False
        self._late = QTimer(self, singleShot=True)
        self._late.timeout.connect(self._show_busy)
        self._since = QElapsedTimer()
        panel = self.panel
        panel.part_chosen.connect(lambda part: self.change(replace(self.state, part=part), tr("Look at the layers")))
        panel.way_chosen.connect(lambda way: self.change(replace(self.state, way=way), tr("Turn the way through the layers")))
        panel.level_picked.connect(lambda level: self.change(replace(self.state, level=level), tr("Choose a level")))
        panel.moved.connect(self._move)
        panel.rested.connect(self.rest)
        panel.play_wanted.connect(self.toggle_play)
        panel.stop_wanted.connect(self._stop_or_go_on)
        self.player.moved.connect(self._play_to)
        self.player.changed.connect(lambda playing: panel.show_playing(playing, self.state.way))
        self.player.arrived.connect(self._stay)
        self._choose = panel.empty.add_action(tr("Take the first sample"), self.fill_subject, "primary")

    # The Explorer's contract

    def widget(self) -> QWidget:
        return self.panel

    def sync(self) -> None:
        controller = self.host.controller
        subject = controller.subject()
        if controller.model is None or subject is None or subject.model != controller.model.name:
            self.stop()
            self.link.clear()
        else:
            self.link.sync(controller.model, subject, self.state.way, moving=controller.state.subject == "walk")
        self._show()

    @property
    def busy(self) -> bool:
        return self.link.busy or self.player.playing

    def forget(self) -> None:
        self.link.forget()

    def shown_first(self) -> None:
        self._wants_focus = True
        self._take_focus()

    def _take_focus(self) -> None:
        """The knob takes the keys, as soon as there is one, unless the person is on this view's tab by the keyboard."""
        track = self.panel.scrubber.track
        if not self._wants_focus or not track.isEnabled() or not track.isVisible():
            return
        self._wants_focus = False
        focused = QApplication.focusWidget()
        chosen = not isinstance(focused, QAbstractButton) or focused.isChecked()
        if not (getattr(focused, "focus_visible", False) and chosen):
            track.setFocus(Qt.FocusReason.MouseFocusReason)

    def hidden(self) -> None:
        self._wants_focus = False
        self.stop()
        # Nobody looks: what is still on its way is asked for again when somebody does.
        if self.link.busy:
            self.link.stop()
            self.link.go_on()

    # What the person does

    def toggle_play(self) -> None:
        """Play towards the noise, or from a z back to the pixels; or stay."""
        if self.player.playing:
            self.stop()
        elif self.link.view.count > 1 and self.state.part == "layers":
            self.rest()
            self.player.play(float(self.link.view.stage(self.state.stage)), self.link.view.count - 1, self.state.way == "decode")

    def stop(self) -> None:
        """Stay where it is: that stage is one act."""
        if self.player.playing:
            self.player.stop()
            self._stay()

    def _stay(self) -> None:
        at, self._play_at = self._play_at, None
        if at is not None:
            self._set_stage(round(at), None)
            self.rest()
        self.changed.emit()

    def _play_to(self, at: float) -> None:
        self._play_at = at
        self.panel.show_position(at)

    def _move(self, stage: int) -> None:
        if self.player.playing:
            self.player.stop()
            self._play_at = None
        self._set_stage(stage, "stage")

    def _set_stage(self, stage: int, merge: object) -> None:
        if stage != self.state.stage:
            self.change(replace(self.state, stage=stage), tr("Go to another layer"), merge)
        self.panel.show_position(float(stage))

    # What is shown

    def _stop_or_go_on(self) -> None:
        if self.link.stopped:
            self.link.go_on()
            self.sync()
        else:
            self.link.stop()

    def _setting_changed(self, name: str) -> None:
        if name == "explorer.whole_pixels" and isValid(self.panel):
            self.panel.set_smooth(not self.host.context.settings.get("explorer.whole_pixels", False))

    def _on_link(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        self._show_busy()
        controller, state, view = self.host.controller, self.state, self.link.view
        subject = controller.subject()
        if view.error or subject is None or controller.model is None:
            sentence, tone, act = self._emptiness(view.error)
            self.panel.part.set_current(state.part)
            self.panel.way.set_current(state.way)
            self.panel.show_empty(sentence, tone)
            self._choose.setText(act)
            self._choose.setVisible(bool(act))
            return
        card = controller.model.card
        self.panel.show_view(view, state.part, state.way, state.level, subject.picture, _held_out_bits(card),
                             held_out_norms(card, len(view.levels)))  # fmt: skip
        self.panel.show_playing(self.player.playing, state.way)
        self.panel.show_position(float(state.stage) if self._play_at is None else self._play_at)
        self._take_focus()

    def _show_busy(self) -> None:
        busy = self.link.busy
        if not busy:
            self._since.invalidate()
            self._late.stop()
        elif not self._since.isValid():
            self._since.start()
        waited = self._since.elapsed() if busy else 0
        self.panel.show_busy(waited >= SPINNER_MS, waited >= CANCEL_MS, self.link.stopped)
        if busy and waited < CANCEL_MS:
            self._late.start(SPINNER_MS if waited < SPINNER_MS else CANCEL_MS - waited)

    def _emptiness(self, error: str) -> tuple[str, str, str]:
        """(sentence, tone, act) where there is nothing to follow."""
        controller = self.host.controller
        subject = controller.state.subject
        if error:
            return error, "warning", ""
        if subject in ("A", "B"):
            view = controller.wells[subject].view
            if view.error:
                return view.error, "warning", ""
            if controller.state.well(subject).empty:
                sentence = tr("A picture in {well} is followed here from its pixels to noise, layer by layer.", well=subject)
                return sentence, "muted", tr("Choose a picture…")
            return tr("The picture in {well} is being encoded.", well=subject), "muted", ""
        if subject == "walk":
            if controller.walk.possible:
                return controller.walk.view.error or tr("The walk's frame is on its way."), "muted", ""
            sentence = tr("With pictures in A and B, the walk's frame is followed here through every layer.")
            return sentence, "muted", tr("Use two samples")
        if controller.state.selected < 0:
            sentence = tr("Select a sample to follow it here from its pixels to noise, layer by layer.")
            return sentence, "muted", tr("Take the first sample")
        return controller.page.view.error or tr("The sample is on its way."), "muted", ""


def _held_out_bits(card: Mapping[str, Any]) -> str:
    """Held-out pictures' bits per dimension: "3.41 (2.66 to 4.21)"; empty where the card has none."""
    found = held_out_bpd(card)
    if found is None:
        return ""
    low, middle, high = (f"{value:.2f}" for value in found)
    return tr("{middle} ({low} to {high})", low=low, middle=middle, high=high)


facet = LayersFacet
