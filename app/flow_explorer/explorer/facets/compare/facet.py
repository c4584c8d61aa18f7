"""Compare: two models, or two checkpoints of one training run, on the same picture, the same z, the same page of samples."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QMimeData, QObject, QTimer
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from flow_explorer import assets
from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.compare import (
    SIDES,
    ComparePage,
    DecodeSame,
    Exchange,
    ReadPicture,
    Release,
)
from flow_explorer.explorer.facets.base import Facet, Host
from flow_explorer.explorer.facets.compare.sides import (
    SideLink,
    apart,
    open_side,
    rows,
    run_of,
    sees,
    side_of,
    size_differs,
)
from flow_explorer.explorer.facets.compare.state import SEED_MAX, Side
from flow_explorer.explorer.facets.compare.view import CompareView
from flow_explorer.explorer.model import Model, is_checkpoint, open_model
from flow_explorer.explorer.model_menu import remember_model
from flow_explorer.explorer.samples.samples_grid import SamplesGrid
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import plural, tr
from flow_explorer.widgets.dropping import local_files
from flow_explorer.widgets.plain import plain
from flowcore.errors import FlowError
from flowcore.model.card import run_checkpoints
from flowcore.model.labels import Label
from flowcore.model.temperature import Temperature, split

__all__ = ["CompareFacet", "facet"]

TEMPERATURE = 0.7
"""Of what is drawn anew; of a model with a temperature for each level the highest."""
SPINNER_MS = 300
"""What takes longer than this shows that it is being worked on."""


class CompareFacet(Facet):
    """See the module."""

    id = "compare"

    def __init__(self, host: Host, parent: QObject | None = None) -> None:
        super().__init__(host, parent)
        client, settings = host.controller.client, host.context.settings
        self.sides = {which: SideLink(which, client, self._answered) for which in SIDES}
        self._exchange = Query(client, self._answered)
        self._exchanged: dict[tuple[str, str], str] = {}
        """Why a z cannot be exchanged between two architectures; "" where it can."""
        self._holding = False
        self.grids = {which: SamplesGrid(partial(self._sample, which)) for which in SIDES}
        self.view = view = CompareView(settings, self.grids)
        self._late = QTimer(self, interval=SPINNER_MS, singleShot=True)
        self._late.timeout.connect(lambda: self.view.spinner.setVisible(self.busy))
        settings.listen(self._setting_changed)
        self._setting_changed("explorer.whole_pixels")
        view.form.changed.connect(lambda name, value, _drag: self.change(replace(self.state, **{name: value}),
                                                                         tr(view.form.settings[name].label)))  # fmt: skip
        view.model_chosen.connect(self.choose)
        view.checkpoint_moved.connect(self.go_to)
        view.drawn_changed.connect(self._draw)
        view.again_wanted.connect(self.draw_again)
        view.rested.connect(self.rest)
        for grid in self.grids.values():
            grid.setToolTip(tr("The same seed in both: the one that you point at is lit up on the other side too."))
            grid.picked.connect(self._pick)
        self._first = view.empty.add_action("", self._take_first, "primary")
        self._file = view.empty.add_action(tr("Open a file…"), view.heads["right"].menu.pick_file)
        self._folder = view.empty.add_action(tr("Open a run folder…"), view.heads["right"].menu.pick_folder)
        self._fill = view.empty.add_action("", self.fill_subject, "primary")
        host.controller.page_changed.connect(self._on_page)

    # What the Explorer asks of it

    def widget(self) -> QWidget:
        return self.view

    @property
    def busy(self) -> bool:
        return self._exchange.busy or any(side.query.busy for side in self.sides.values())

    def forget(self) -> None:
        self._exchange.forget()
        for side in self.sides.values():
            side.query.forget()

    def sync(self) -> None:
        controller, state = self.host.controller, self.state
        if controller.model is None:
            return
        for which, side in self.sides.items():
            side.resolve(state.side(which), controller.model)
        self._ask()
        self._show()

    def hidden(self) -> None:
        """Nobody looks: what is on its way is given up, and the second model's memory is given back."""
        for query in (self._exchange, *(side.query for side in self.sides.values())):
            query.want(None)
        if self._holding:
            self._holding = False
            self.host.controller.client.send(Release())

    def drop(self, mime: QMimeData) -> bool:
        """A checkpoint or a run folder that is dropped goes to the right."""
        for path in local_files(mime):
            if is_checkpoint(path):
                try:
                    open_model(str(path))
                except FlowError:
                    continue  # a z, a direction, or broken: the Explorer knows what to do or to say
                self.choose("right", str(path))
                return True
        return False

    # Acts

    def choose(self, which: str, name: str) -> None:
        """Put another model on a side, a bundled name, a file or a run folder; "" is the open one. One that cannot stand there
        changes nothing."""
        this, side = self.host.controller.model, side_of(name) if name else Side()
        if this is None:
            return
        if name:
            try:
                checkpoints, _ = run_checkpoints(side.path) if Path(side.path).is_dir() else ([], [])
                refusal = size_differs(open_side(side, checkpoints), this)
            except FlowError as error:
                refusal = str(error)
            if refusal:
                self.host.context.notify(refusal)
                return
            remember_model(self.host.context.settings, side.path)
        self.change(replace(self.state, **{which: side}), tr("Choose a model to compare"))

    def go_to(self, which: str, place: int) -> None:
        """Another checkpoint of a side's run."""
        checkpoints = self.sides[which].checkpoints
        if 0 <= place < len(checkpoints):
            side = replace(self.state.side(which), checkpoint=checkpoints[place][1].name)
            self.change(replace(self.state, **{which: side}), tr("Go to another checkpoint"), ("checkpoint", which))

    def draw_again(self) -> None:
        """The next seed."""
        seed = self.state.seed + 1 if self.state.seed < SEED_MAX else 0
        self.change(replace(self.state, seed=seed), tr("Draw again"))

    def _draw(self, levels: int) -> None:
        self.change(replace(self.state, drawn=levels), tr(self.view.setting.label), "drawn")

    def _pick(self, index: int) -> None:
        """A sample of the page is what all the rest is about."""
        self.host.controller.acts.set_subject("sample")
        self.host.controller.acts.select(index)

    def _take_first(self) -> None:
        name, _words = self._proposal()
        if name:
            self.choose("right", name)

    # What is asked of the engine

    def _ask(self) -> None:
        state, subject = self.state, self.host.controller.subject()
        self._ask_exchange()
        for which in SIDES:
            request = None
            if self._ready(which):
                if state.look == "page":
                    request = self._page(which)
                elif subject is not None:
                    request = self._reading(which, subject) if state.look == "picture" else self._same(which, subject)
            self._holding = self._holding or request is not None
            self.sides[which].want(request)

    def _ready(self, which: str) -> bool:
        """Whether a side has a model, and the other one names any: nothing is computed for one alone."""
        return self.sides[which].model is not None and bool(self.state.right.path)

    def _architectures(self) -> tuple[str, str] | None:
        models = [side.model for side in self.sides.values()]
        found = [repr(model.card.get("architecture")) for model in models if model is not None]
        return (found[0], found[1]) if len(found) == 2 else None

    def _why_not(self) -> str | None:
        """Why the two cannot decode each other's z; "" where they can, None where that is not known."""
        key = self._architectures()
        if key is None:
            return None
        return "" if key[0] == key[1] else self._exchanged.get(key, self._exchange.error or None)

    def _ask_exchange(self) -> None:
        key = self._architectures()
        left, right = (side.model for side in self.sides.values())
        if key is None or left is None or right is None or key[0] == key[1] or key in self._exchanged:
            self._exchange.want(None)
            return
        self._holding = True

        def known(why: str) -> None:
            self._exchanged[key] = why

        self._exchange.want(Exchange(str(left.path), str(right.path)), lambda answer, _newest: known(answer.why_not))

    def _temperatures(self) -> Temperature:
        """Of the levels that are drawn anew: the same for both."""
        left, right = (side.model for side in self.sides.values())
        if left is None or right is None or left.levels != right.levels:
            return TEMPERATURE
        return left.temperatures(TEMPERATURE)

    def _label(self, model: Model, label: Label) -> Label:
        """A class of the open model for another one; () for the likeliest, or for all in turn, where it has other classes."""
        this = self.host.controller.model
        return label if this is not None and model.classes == this.classes else ()

    def _reading(self, which: str, subject: Latent) -> ReadPicture:
        model, state = self.sides[which].model, self.state
        assert model is not None
        return ReadPicture(which, str(model.path), subject.picture, self._label(model, subject.label), state.drawn, state.seed,
                           self._temperatures())  # fmt: skip

    def _same(self, which: str, subject: Latent) -> ReadPicture | DecodeSame | None:
        """The z of the left model decoded; where the left one has not encoded the picture yet, that first."""
        if self._why_not() != "":
            return None
        found = self._z(subject)
        if found is None:
            return self._reading("left", subject) if which == "left" else None
        model = self.sides[which].model
        assert model is not None
        return DecodeSame(which, str(model.path), *found)

    def _z(self, subject: Latent) -> tuple[np.ndarray, Label] | None:
        """The z that both decode. A sample's, and the walk's, is what it is to any checkpoint of the open model's run; a
        picture's is the left model's encoding."""
        controller, left = self.host.controller, self.sides["left"]
        assert controller.model is not None and left.model is not None
        same = left.model.card.get("architecture") == controller.model.card.get("architecture")
        if left.is_open_model or (same and controller.state.subject not in ("A", "B")):
            return subject.z, subject.label
        reading = left.reading
        if reading.of is None or reading.z is None or reading.of[0] != str(left.model.path):
            return None
        return (reading.z, reading.label) if np.array_equal(reading.of[1], subject.picture) else None

    def _page(self, which: str) -> ComparePage | None:
        side, state, this = self.sides[which], self.host.controller.state, self.host.controller.model
        assert side.model is not None and this is not None
        if side.is_open_model:  # its page is there
            return None
        label = self._label(side.model, state.sampled_label(len(side.model.classes)))
        return ComparePage(str(side.model.path), state.seed, 0, state.count, state.temperatures(side.model.levels), label, which)

    def _answered(self) -> None:
        self._ask()
        self._show()
        self.changed.emit()

    def _on_page(self, *_which: int) -> None:
        if self.state.look == "page" and self.host.controller.facet is self:
            self._show_page()

    # What is shown

    def _setting_changed(self, name: str) -> None:
        if name == "explorer.whole_pixels" and isValid(self.view):
            self.view.set_smooth(not self.host.context.settings.get("explorer.whole_pixels", False))

    def _proposal(self) -> tuple[str, str]:
        """What may stand beside the open model, and how that is offered: the run that it is of, else another bundled model."""
        this = self.host.controller.model
        run = run_of(this.path) if this is not None else None
        if run is not None:
            return str(run), tr("Go through the checkpoints of its run")
        for path in assets.models():
            try:
                model = open_model(path.stem)
            except FlowError:
                continue
            if this is not None and model.path != this.path and not size_differs(model, this):
                return path.stem, tr("Compare with “{title}”", title=model.title)
        return "", ""

    def _sample(self, which: str, index: int) -> np.ndarray | None:
        side = self.sides[which]
        if side.is_open_model:
            return self.host.controller.page.view.picture(index)
        return side.page[index] if index < len(side.page) else None

    def _show(self) -> None:
        controller, state, view = self.host.controller, self.state, self.view
        this = controller.model
        if this is None:
            return
        for which, side in self.sides.items():
            view.heads[which].show_model(side.model, this, state.side(which).path)
            view.heads[which].show_run(side.checkpoints if side.model is not None else [], side.place, side.unread)
        why_not = self._why_not()
        button = view.look.button("z")
        button.setEnabled(not why_not or state.look == "z")  # where it is chosen, the reason stands in its place
        tip = tr("The same z decoded by both, and how far the pictures are apart\n|x₁ − x₂|, x = f⁻¹(z)")
        button.setToolTip(plain(why_not) if why_not else tip)
        models = [side.model for side in self.sides.values() if side.model is not None]
        view.show_levels(max((model.levels for model in models), default=1), state.drawn)
        empty = self._emptiness(this, why_not)
        for which in SIDES:
            self._show_side(which)
        self._show_difference()
        value, differing = split(self._temperatures())
        at = tr("Temperature at most {value}") if differing else tr("Temperature {value}")
        view.drawn_at.setText(at.format(value=f"{value:.2f}"))
        view.table.show_rows(rows(state.look, list(self.sides.values())), [side.query.busy for side in self.sides.values()])
        self._show_page()
        view.show_look(state.look, not empty)
        self._show_empty(empty)
        if not self.busy:
            self._late.stop()
            view.spinner.hide()
        elif not self._late.isActive() and view.spinner.isHidden():
            self._late.start()

    def _emptiness(self, this: Model, why_not: str | None) -> str:
        """Why there is nothing to compare, in a sentence; "" where there is."""
        controller, state = self.host.controller, self.state
        if not state.right.path:
            return tr("Choose a model to stand beside “{title}”: one that sees pictures of {size}, or a run folder, whose "
                      "checkpoints you can then go through.", title=this.title, size=sees(this))  # fmt: skip
        if state.look == "z" and why_not:
            return why_not
        if state.look == "page" or controller.subject() is not None:
            return ""
        subject = controller.state.subject
        if subject in ("A", "B"):
            view = controller.slots[subject].view
            if view.error:
                return view.error
            if controller.state.slot(subject).empty:
                return tr("A picture in {slot} is shown here as both models see it.", slot=subject)
            return tr("The picture in {slot} is being encoded.", slot=subject)
        if subject == "walk":
            if controller.walk.possible:
                return controller.walk.view.error or tr("The walk's frame is on its way.")
            return tr("With pictures in A and B, the walk's frame is shown here as both models see it.")
        if controller.state.selected < 0:
            return tr("Select a sample to see here what both models make of it.")
        return controller.page.view.error or tr("The sample is on its way.")

    def _show_empty(self, sentence: str) -> None:
        controller, chosen = self.host.controller, bool(self.state.right.path)
        self.view.empty.set_sentence(sentence)
        words = self._proposal()[1] if sentence and not chosen else ""
        self._first.setText(words)
        self._first.setVisible(bool(words))
        self._file.setVisible(not chosen)
        self._folder.setVisible(not chosen)
        subject = controller.state.subject
        slot = subject in ("A", "B") and controller.state.slot(subject).empty
        walk = subject == "walk" and not controller.walk.possible
        sample = subject == "sample" and controller.state.selected < 0
        wanting = chosen and not (self.state.look == "z" and self._why_not()) and (slot or walk or sample)
        self._fill.setText(tr("Choose a picture…") if slot else tr("Use two samples") if walk else tr("Take the first sample"))
        self._fill.setVisible(wanting)

    def _show_side(self, which: str) -> None:
        side, look = self.sides[which], self.state.look
        stale = side.query.busy
        if look == "z":
            self.view.show_side(which, side.decoded.picture, stale, "", side.error)
            return
        reading, caption = side.reading, ""
        if reading.redrawn is not None and reading.drawn:
            caption = plural(reading.drawn, "The finest level drawn anew", "The {count} finest levels drawn anew")
        elif reading.redrawn is not None:
            caption = tr("One level alone: nothing coarser is kept")
        self.view.show_side(which, reading.redrawn, stale, caption, side.error)

    def _show_difference(self) -> None:
        pictures = [side.decoded.picture for side in self.sides.values()]
        if pictures[0] is None or pictures[1] is None:
            self.view.show_difference(None, "")
        else:
            found = apart(pictures[0], pictures[1])
            words = tr("At most {most} grey levels, {mean} on average", most=found.most, mean=f"{found.mean:.1f}")
            if found.strength >= 1.05:
                words += tr("; shown {times} times as strong", times=f"{found.strength:.1f}")
            self.view.show_difference(found.picture, words if found.most else tr("The same to the byte"))

    def _show_page(self) -> None:
        state, models = self.host.controller.state, [side.model for side in self.sides.values()]
        note = tr("Seed {seed}, temperature {temperature}, the same draws from the prior through both.", seed=state.seed,
                  temperature=f"{state.temperature:.2f}")  # fmt: skip
        if state.profile and len({model.levels for model in models if model is not None}) > 1:
            note = tr("Seed {seed}; a temperature for each level where the model has as many, else {temperature} for all.",
                      seed=state.seed, temperature=f"{state.temperature:.2f}")  # fmt: skip
        elif state.profile:
            note = tr("Seed {seed}, each level at its own temperature, at most {temperature}, the same through both.",
                      seed=state.seed, temperature=f"{state.temperature:.2f}")  # fmt: skip
        self.view.show_page(state.count, state.selected, note)


facet = CompareFacet
