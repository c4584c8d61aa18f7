"""Every act of the person in the Explorer, as a change of state that can be undone. Knows nothing of Qt or an engine."""

from __future__ import annotations

import math
from dataclasses import replace

from flow_explorer.explorer.facets import SAMPLES, FacetState
from flow_explorer.explorer.facets import entry as facet_entry
from flow_explorer.explorer.state import (
    COUNTS,
    MODES,
    ORDERS,
    SEED_MAX,
    SUBJECTS,
    TEMPERATURE_MAX,
    ExplorerState,
    Slot,
)
from flow_explorer.explorer.store import Latent, Store
from flow_explorer.history import History
from flow_explorer.i18n import tr
from flowcore.model.labels import Label
from flowcore.model.temperature import Temperature, by_level
from flowcore.pictures.crop import Crop
from flowcore.pictures.images import Picture

__all__ = ["Acts"]


class Acts:
    """The commands of the Explorer over a history and a store; each is one undoable step, a drag included."""

    def __init__(self, history: History[ExplorerState], store: Store) -> None:
        self.history = history
        self.store = store

    @property
    def state(self) -> ExplorerState:
        return self.history.state

    def _do(self, label: str, merge: object = None, **changes: object) -> bool:
        return self.history.do(replace(self.state, **changes), label, merge)

    def rest(self) -> None:
        """A drag ended: the next change is a step of its own."""
        self.history.seal()

    # Samples

    def set_temperature(self, value: float) -> None:
        """Scale every level's temperature together, the highest to `value`; levels keep their ratios."""
        if not math.isfinite(value):
            return
        self._do(tr("Change the temperature"), "temperature", temperature=_temperature(value))

    def set_level_temperature(self, level: int, value: float, levels: int) -> None:
        """Change one level's temperature alone, `level` counted from the finest of `levels`."""
        if not (math.isfinite(value) and 0 <= level < levels):
            return
        temperatures = list(by_level(self.state.temperatures(levels), levels))
        temperatures[level] = _temperature(value)
        state = self.state.with_temperatures(tuple(temperatures))
        self.history.do(state, tr("Change one level's temperature"), ("temperature", level))

    def reset_temperatures(self, default: Temperature) -> None:
        """Back to what the model's card says, at every level."""
        self.history.do(self.state.with_temperatures(default), tr("Reset the temperature"))

    def set_seed(self, seed: int) -> None:
        seed = min(max(int(seed), 0), SEED_MAX)
        self._do(tr("Change the seed"), seed=seed, shown="sample")

    def new_samples(self) -> None:
        seed = self.state.seed + 1 if self.state.seed < SEED_MAX else 0
        self._do(tr("New samples"), seed=seed, shown="sample")

    def set_count(self, count: int) -> None:
        if count in COUNTS:
            selected = self.state.selected if self.state.selected < count else -1
            self._do(tr("Change the page"), count=count, selected=selected)

    def set_order(self, order: str) -> None:
        """Let samples stand as they were drawn, or the likeliest first."""
        if order in ORDERS:
            self._do(tr("Sort the samples"), order=order)

    def select(self, index: int) -> None:
        if -1 <= index < self.state.count:
            label = tr("Select a sample") if index >= 0 else tr("Select nothing")
            self._do(label, selected=index, shown="sample")

    def set_class(self, number: int) -> None:
        """Draw the samples of one class, or with -1 of all classes in turn."""
        if number >= -1:
            self._do(tr("Change the class"), sampled_class=number, shown="sample")

    def set_model(self, model: str, seed: int | None = None, temperature: Temperature | None = None) -> None:
        """Choose a model; its card's default seed and temperature come with it where they are given."""
        state = self.state.with_temperatures(self.state.temperature if temperature is None else temperature)
        seed = state.seed if seed is None else seed
        self.history.do(replace(state, model=model, seed=seed, sampled_class=-1), tr("Choose a model"))

    # Wells

    def put_picture(self, which: str, data: bytes, name: str, picture: Picture | None = None) -> None:
        """Put a picture file's bytes in a slot; `picture` is what they decode to, where that is known already.

        Raises `PictureError` and changes nothing if they cannot be read.
        """
        key = self.store.put_picture(data, name, picture)
        self._fill(which, Slot(picture=key, name=name))

    def put_latent(self, which: str, latent: Latent) -> None:
        """Put a sample, or a frame of the walk, in a slot: it keeps its own z. A draft is passed over."""
        if not latent.draft:
            self._fill(which, self.slot_of(latent))

    def slot_of(self, latent: Latent) -> Slot:
        return Slot(picture=self.store.put_array(latent.picture), name=latent.name,
                    latent=self.store.put_latent(latent.z), latent_model=latent.model, label=latent.label,
                    latent_weights=latent.weights)

    def put_two(self, first: Latent, second: Latent) -> None:
        """Fill both slots at once. Drafts are passed over."""
        if first.draft or second.draft:
            return
        self._do(tr("Walk between two samples"), a=self.slot_of(first), b=self.slot_of(second), shown="walk")

    def _fill(self, which: str, slot: Slot) -> None:
        label = tr("Put a picture in A") if which == "A" else tr("Put a picture in B")
        state = self.state.with_slot(which, slot)
        self.history.do(replace(state, shown="walk" if not (state.a.empty or state.b.empty) else state.shown), label)

    def clear(self, which: str) -> None:
        label = tr("Clear A") if which == "A" else tr("Clear B")
        self.history.do(replace(self.state.with_slot(which, Slot()), shown="sample"), label)

    def swap(self) -> None:
        """A becomes B and B becomes A."""
        self._do(tr("Swap A and B"), a=self.state.b, b=self.state.a)

    def set_crop(self, which: str, crop: Crop) -> None:
        """Move, zoom or turn what the model sees of a slot's picture; a drag is one step."""
        slot = self.state.slot(which)
        if not slot.empty:
            # A class that the person chose stays; one that came with the z goes with it.
            kept = slot if slot.label and not slot.latent else slot.without_latent()
            changed = replace(kept, crop=crop)
            self.history.do(self.state.with_slot(which, changed), tr("Crop the picture"), ("crop", which))

    def set_slot_class(self, which: str, label: Label) -> None:
        """Encode a slot's picture under this class; () for the likeliest. It has another z then than it came with."""
        slot = self.state.slot(which)
        if not slot.empty and label != slot.label_for(self.state.model):
            model = self.state.model if label else ""
            changed = replace(slot.without_latent(), latent_model=model, label=label)
            self.history.do(self.state.with_slot(which, changed), tr("Change the class of a picture"))

    # The walk

    def set_position(self, t: float) -> None:
        t = round(min(max(t, 0.0), 1.0), 4)
        self._do(tr("Move along the walk"), "walk", walk=replace(self.state.walk, t=t), shown="walk")

    def show_walk(self) -> None:
        """Show the walk's present frame large. No act of its own: it belongs to whatever was done last."""
        self.history.amend(replace(self.state, shown="walk"))

    def set_mode(self, mode: str) -> None:
        if mode in MODES:
            self._do(tr("Change the path"), walk=replace(self.state.walk, mode=mode))

    # Facets

    def show_facet(self, id_: str) -> None:
        """Bring a view to the front. No act of its own: nothing that the person made has changed."""
        if id_ == SAMPLES or facet_entry(id_) is not None:
            self.history.amend(replace(self.state, facet=id_))

    def set_subject(self, subject: str) -> None:
        """Choose what facets are about. No act of its own, either."""
        if subject in SUBJECTS:
            self.history.amend(replace(self.state, subject=subject))

    def set_facet(self, id_: str, state: FacetState, label: str, merge: object = None) -> None:
        """Change what is set in a facet."""
        self.history.do(self.state.with_facet(id_, state), label, merge)

    # Recipes

    def restore_recipe(self, state: ExplorerState) -> None:
        """Bring back what a saved picture was made of, its contents being in the store, as one step."""
        self.history.seal()
        self.history.do(state, tr("Restore a saved picture"))


def _temperature(value: float) -> float:
    return round(min(max(value, 0.0), TEMPERATURE_MAX), 4)
