"""Between the person's state and what is painted: asks the engine for what the state needs, and keeps the answers.

Whatever changes the state (an act, undo, a restored session) only changes the history; `_sync` compares what the
state needs with what was asked last, so the same path serves a slider, an undo and an engine that was restarted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.explorer import Described, DescribeLatent, Opened, OpenModel
from flow_explorer.explorer.acts import Acts
from flow_explorer.explorer.budget import CAP_BYTES, fit
from flow_explorer.explorer.model import Model, figures, open_model
from flow_explorer.explorer.moving.identity import settle, weights_in
from flow_explorer.explorer.moving.recipes import keeping, read_recipe
from flow_explorer.explorer.samples.film_link import FilmLink
from flow_explorer.explorer.samples.page_link import PageLink
from flow_explorer.explorer.slots.slot_link import SlotLink
from flow_explorer.explorer.state import ExplorerState, Slot
from flow_explorer.explorer.store import Latent, Store
from flow_explorer.explorer.view_model import Figures, InspectorPicture
from flow_explorer.explorer.walk.walk_link import WalkLink, ends
from flow_explorer.history import History
from flow_explorer.i18n import tr
from flowcore.errors import FlowError
from flowcore.latents.latent import walk
from flowcore.model.labels import Label, between

if TYPE_CHECKING:
    from flow_explorer.explorer.facets.base import Facet

__all__ = ["Controller"]

PRUNE_BYTES = 64 * 2**20
"""The store is looked through for what nothing can reach any more when it has grown to this, or to twice what was left."""
WEIGH_EVERY = 64
"""... and after so many acts, since the states themselves may have grown (strokes, lists of pictures)."""
REST_MS = 140
"""A value that has stood still for this long is at rest: figures that cost an encode are asked for then."""


class Controller(QObject):
    """The Explorer without its widgets. `acts` changes the state; the views listen to the signals and read the rest."""

    model_changed = Signal()
    page_changed = Signal(int, int)
    """(first, count) of the slots that changed."""
    slot_changed = Signal(str)
    walk_changed = Signal()
    film_changed = Signal()
    position_changed = Signal()
    shown_changed = Signal()
    state_changed = Signal()
    busy_changed = Signal()
    edited = Signal(str)
    """The name of a picture in a slot that is not the one that its z decodes to: it is encoded anew."""
    problem = Signal(str, str)
    """(sentence, details) of what failed at no place of its own: a model that cannot be opened."""

    def __init__(self, client: Any, history: History[ExplorerState], store: Store | None = None,
                 parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.client = client
        self.history = history
        self.store = store or Store()
        self.acts = Acts(history, self.store)
        self.model: Model | None = None
        self.model_problem = ""
        self.page = PageLink(client, self._on_page)
        self.slots = {which: SlotLink(which, client, self.store, self._on_slot, self._on_edited) for which in "AB"}
        self.walk = WalkLink(client, self.store, self._on_walk, self._on_position)
        self.film = FilmLink(client, self._on_film)
        self.facets: dict[str, Facet] = {}
        """Those that have been visited."""
        self.play_position: float | None = None
        """Where the walk is while it plays; the state keeps where it was."""
        self._prune_at = PRUNE_BYTES
        self._weighed = 0
        self._started = False
        self._opening = Query(client, self.busy_changed.emit)
        self._description = Query(client, self.busy_changed.emit)
        self._described: tuple | None = None
        self._described_figures = Figures()
        self._rest = QTimer(self, interval=REST_MS, singleShot=True)
        self._rest.timeout.connect(self._describe)
        history.subscribe(lambda _state: self._sync())

    # What the views read

    @property
    def state(self) -> ExplorerState:
        return self.history.state

    @property
    def weights(self) -> str:
        """The fingerprint of the model that the state names; "" where that cannot be opened."""
        model, name = self.model, self.state.model
        try:
            return (model if model is not None and model.name == name else open_model(name)).weights
        except FlowError:
            return ""

    @property
    def busy(self) -> bool:
        """Whether anything that the state needs has not come yet."""
        return (self.page.busy or self.walk.busy or self.film.busy or self._description.busy or self._rest.isActive()
                or self._opening.busy or any(slot.busy for slot in self.slots.values())
                or (self.facet is not None and self.facet.busy))

    @property
    def position(self) -> float:
        """Where on the walk we are, playing or not."""
        return self.state.walk.t if self.play_position is None else self.play_position

    def selected(self) -> Latent | None:
        """The selected sample, if it has come."""
        slots = self.page.view.slots
        return slots[self.state.selected] if 0 <= self.state.selected < len(slots) else None

    def frame(self) -> Latent | None:
        """The walk's present frame with its z."""
        view = self.walk.view
        if self.model is None or view.picture is None or self.walk.z is None:
            return None
        name = tr("walk at {t}", t=f"{view.picture_t:.2f}")
        return self.model.latent(self.walk.z, view.picture, name, self.walk.label)

    def strip_latent(self, t: float) -> Latent | None:
        """The frame of the strip at t: its z is where the path is at t."""
        index = round(t * (len(self.walk.view.frames) - 1))
        picture = self.walk.view.frames[index]
        a, b = (self.slots[which].view.z for which in "AB")
        # A frame of the path before this one still stands in the strip; the z of this path is not its own.
        if self.model is None or picture is None or not self.walk.view.fresh[index] or not a or not b:
            return None
        first, second = ends(self.store, a, b)
        z = walk(first, second, (t,), self.state.walk.mode)[0]
        label = between(*self._end_labels, t)
        return self.model.latent(z, picture, tr("walk at {t}", t=f"{t:.2f}"), label)

    @property
    def facet(self) -> Facet | None:
        """The facet in front, once it has been made; None where the samples are."""
        return self.facets.get(self.state.facet)

    def add_facet(self, facet: Facet) -> None:
        """Make a facet known: from now on it follows the state whenever it is in front."""
        self.facets[facet.id] = facet
        facet.changed.connect(self._on_facet)
        self._sync_facet()

    def slot_latent(self, which: str) -> Latent | None:
        """A slot's picture as it comes back from z, with that z, once it has been encoded."""
        view = self.slots[which].view
        if self.model is None or not view.z or view.reconstruction is None:
            return None
        name = self.state.slot(which).name
        return Latent(self.model.name, self.store.latent(view.z), view.reconstruction, name, view.label, weights=view.weights)

    def latent_of(self, which: str) -> Latent | None:
        """The picture with its z of one of `SUBJECTS`, once it is there."""
        if which in ("A", "B"):
            return self.slot_latent(which)
        return self.frame() if which == "walk" else self.selected()

    def subject(self) -> Latent | None:
        """The picture that facets are about, with its z, once it is there."""
        return self.latent_of(self.state.subject)

    def large(self) -> Latent | None:
        """The picture that the inspector shows, with its z."""
        if self.facet is not None:
            return self.facet.large() or self.subject()
        if self.state.shown == "walk" and self.walk.possible:
            return self.frame()
        return self.selected()

    def shown(self) -> InspectorPicture:
        """What the inspector shows large."""
        walking = self.state.shown == "walk"
        if self.facet is not None:
            own, subject = self.facet.shown(), self.state.subject
            if own is not None:
                return own
            if subject in ("A", "B"):
                view = self.slots[subject].view
                title = tr("{slot}: {name}", slot=subject, name=self.state.slot(subject).name or tr("nothing there"))
                return InspectorPicture("well", title, view.reconstruction, view.figures, label=view.label)
            walking = subject == "walk"
            if walking and not self.walk.possible:
                return InspectorPicture()
        if walking and self.walk.possible:
            view = self.walk.view
            card = self.model.card if self.model else {}
            t = view.picture_t if view.picture is not None else self.position
            label = self.walk.label if view.picture is not None else between(*self._end_labels, t)
            title = tr("Walk at {t}", t=f"{t:.2f}")
            return InspectorPicture("walk", title, view.picture, figures(card, view.bpd_now()), label=label)
        index = self.state.selected
        picture = self.page.view.picture(index)
        if index < 0 or picture is None or self.model is None:
            return InspectorPicture()
        current = self._described is not None and self._described == self._wanted()
        title = tr("Sample {number}, seed {seed}", number=index + 1, seed=self.state.seed)
        sample = self.selected()
        label = sample.label if sample is not None else ()
        return InspectorPicture("sample", title, picture, self._described_figures if current else Figures(), label=label)

    # Acts that ask the engine or the disk first

    def start(self) -> None:
        """Ask for everything that the present state needs; before this nothing is asked."""
        self._started = True
        self._sync()

    def restore_recipe(self, found: dict) -> list[str]:
        """Bring back a saved picture's settings, as one act; returns what is to be said of its model, where that has changed
        or is gone. Raises `FlowError`, changing nothing."""
        state = read_recipe(found, self.store)
        state, said = settle(state, weights_in(found, state.model), self.state.model)
        open_model(state.model)
        self.acts.restore_recipe(keeping(found, state, self.state))
        return said

    def choose_model(self, name: str) -> None:
        """Open another model, and choose it only if the engine could load it: a broken file changes nothing."""
        try:
            model = open_model(name)
        except FlowError as error:
            self.problem.emit(str(error), "")
            return

        def opened(_answer: Opened, _newest: bool) -> None:
            self.acts.set_model(model.name, model.default_seed, model.default_temperature)

        self._opening.forget()  # one that failed, or was changed since, may be chosen again
        self._opening.want(OpenModel(str(model.path)), opened, self.problem.emit)
        self.busy_changed.emit()

    @property
    def started(self) -> bool:
        return self._started

    @property
    def opening(self) -> bool:
        """Whether a chosen model is still being loaded."""
        return self._opening.busy

    def play_to(self, t: float | None) -> None:
        """Show another position without making it an act (playing); None ends it."""
        self.play_position = t
        self._sync_walk()
        self.position_changed.emit()

    def show_film(self, wanted: bool) -> None:
        """Whether anybody looks at the selected sample's other temperatures."""
        self.film.wanted = wanted
        if self._started:
            self.film.sync(self.state, self.model)

    def engine_restarted(self) -> None:
        """Another engine knows nothing: ask again for all that is on screen."""
        for link in (self.page, self.walk, self.film, *self.slots.values(), *self.facets.values()):
            link.forget()
        self._described = None
        self._description.forget()
        self._sync()

    # From the state to requests

    def _sync(self) -> None:
        if not self._started:
            return
        self._sync_model()
        if self.model is None:
            self.state_changed.emit()
            self.shown_changed.emit()
            return
        self.page.sync(self.state, self.model)
        for slot in self.slots.values():
            slot.sync(self.state, self.model)
        self._sync_walk()
        self.film.sync(self.state, self.model)
        self._sync_facet()
        self._rest_soon()
        self._prune()
        self.state_changed.emit()
        self.shown_changed.emit()
        self.busy_changed.emit()

    def _sync_model(self) -> None:
        if self.model is not None and self.model.name == self.state.model:
            return
        try:
            self.model, self.model_problem = open_model(self.state.model), ""
        except FlowError as error:
            self.model, self.model_problem = None, str(error)
        self.walk.forget()
        self._described = None
        self.model_changed.emit()

    @property
    def _end_labels(self) -> tuple[Label, Label]:
        """The classes of the walk's two ends."""
        return self.slots["A"].view.label, self.slots["B"].view.label

    def _sync_walk(self) -> None:
        a, b = (self.slots[which].view.z for which in "AB")
        ready = not (self.state.a.empty or self.state.b.empty)
        moving = any(slot.view.moving for slot in self.slots.values())
        a, b = (a, b) if ready else ("", "")
        self.walk.sync(self.model, a, b, self.state.walk, self.position, self._end_labels, moving)

    def _sync_facet(self) -> None:
        if self._started and self.facet is not None:
            self.facet.sync()

    def _prune(self) -> None:
        """Forget what neither the screen nor an undo or redo can need (a drag leaves much), then what is beyond the cap."""
        if self.store.size < self._prune_at and self.history.serial - self._weighed < WEIGH_EVERY:
            return
        links = (*self.slots.values(), *self.facets.values())
        fit(self.history, self.store, set().union(*(link.keys for link in links)))
        self._weighed = self.history.serial
        self._prune_at = max(PRUNE_BYTES, min(2 * self.store.size, CAP_BYTES), self.store.size + 1)

    def _wanted(self) -> tuple:
        state = self.state
        levels = self.model.levels if self.model is not None else 1
        label = state.sampled_label(len(self.model.classes)) if self.model is not None else ()
        return (state.model, state.seed, state.temperatures(levels), state.selected, label)

    def _rest_soon(self) -> None:
        if self.state.selected < 0:
            return
        if self._described != self._wanted():
            self._rest.start()
        else:  # perhaps by an undo: figures that are still on their way would take the place of these
            self._description.want(None)

    def _describe(self) -> None:
        index, wanted = self.state.selected, self._wanted()
        fresh = self.page.view.fresh
        sample = self.selected()
        # The page's own answer starts this again once the picture has come.
        if self.model is None or sample is None or not fresh[index] or self._described == wanted:
            self.busy_changed.emit()
            return
        card = self.model.card

        def answered(answer: Described, _newest: bool) -> None:
            self._described, self._described_figures = wanted, figures(card, answer.bpd)
            self.shown_changed.emit()

        self._description.want(None)  # another wish may be for the same z
        self._description.want(DescribeLatent(str(self.model.path), sample.z, sample.label), answered, self.problem.emit)

    # Answers

    def _on_page(self, first: int, count: int) -> None:
        self.page_changed.emit(first, count)
        if first <= self.state.selected < first + count:
            self._rest_soon()
            self._sync_facet()
            self.shown_changed.emit()
        self.busy_changed.emit()

    def _on_slot(self, which: str) -> None:
        self._sync_walk()
        self._sync_facet()
        self._prune()
        self.slot_changed.emit(which)
        self.busy_changed.emit()

    def _on_edited(self, which: str, slot: Slot) -> None:
        """A z that is not its picture's is used for nothing. No act of the person, so no step of its own."""
        if self.state.slot(which) == slot:
            self.history.amend(self.state.with_slot(which, slot.without_latent()))
            self.edited.emit(slot.name)

    def _on_walk(self) -> None:
        self.walk_changed.emit()
        self.busy_changed.emit()

    def _on_film(self) -> None:
        self.film_changed.emit()
        self.busy_changed.emit()

    def _on_position(self) -> None:
        self._sync_facet()
        self.position_changed.emit()
        if self.state.shown == "walk" or self.facet is not None:
            self.shown_changed.emit()
        self.busy_changed.emit()

    def _on_facet(self) -> None:
        self.shown_changed.emit()
        self.busy_changed.emit()
