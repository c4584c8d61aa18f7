"""From a picture in a corner, or of a keyframe, to the z that stands for it: its own, or one that the engine encodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.explorer import Edited, Encoded, EncodePicture, Encoding
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.slots.slot_link import seen_by
from flow_explorer.explorer.state import Slot
from flow_explorer.explorer.store import Store
from flow_explorer.i18n import tr
from flowcore.errors import FlowError
from flowcore.model.labels import Label

__all__ = ["Resolver"]

Resolved = tuple[str, Label]
"""(key of the z, its label)"""


class Resolver:
    """Knows the z of the wanted pictures; those that have none of this model are encoded, one after another."""

    def __init__(self, name: str, client: Any, store: Store, on_change: Callable[[], None]) -> None:
        self._name = name
        self._store = store
        self._query = Query(client, on_change)
        self._model: Model | None = None
        self._wanted: list[Slot] = []
        self._found: dict[Slot, Resolved] = {}
        self._failed: dict[Slot, str] = {}
        self._asked: Slot | None = None

    @property
    def busy(self) -> bool:
        return self._asked is not None

    @property
    def keys(self) -> set[str]:
        """The z that were encoded: they are in no state."""
        return {key for key, _ in self._found.values()}

    def forget(self) -> None:
        """The engine is a new one: what was not answered is to be asked again."""
        self._query.forget()
        self._asked = None
        self._failed.clear()

    def get(self, slot: Slot) -> Resolved | None:
        """The z of a picture; None while it is not known, or where there is none."""
        return self._found.get(slot)

    def error(self, slot: Slot) -> str:
        """Why a picture has no z, in a sentence; empty where it has, or may yet."""
        return self._failed.get(slot, "")

    def all(self, slots: Iterable[Slot]) -> tuple[tuple[str, ...], tuple[Label, ...]] | None:
        """(keys of z, labels) of all of these; None unless every one is known."""
        found = [self._found.get(slot) for slot in slots]
        if not found or any(one is None for one in found):
            return None
        keys, labels = zip(*found, strict=True)
        return keys, labels

    def sync(self, model: Model, slots: Iterable[Slot]) -> None:
        """From now on these pictures are wanted, under this model."""
        if self._model is None or self._model.path != model.path:
            self._leave()
            self._found.clear()
            self._failed.clear()
        self._model = model
        self._wanted = [slot for slot in dict.fromkeys(slots) if not slot.empty]
        for kept in (self._found, self._failed):
            for slot in [slot for slot in kept if slot not in self._wanted]:
                del kept[slot]
        if self._asked is not None and self._asked not in self._wanted:
            self._leave()
        self._next()

    def _leave(self) -> None:
        """Nothing is asked; the next may well be the same picture, in another place."""
        self._asked = None
        self._query.want(None)

    def _next(self) -> None:
        model = self._model
        if model is None or self._asked is not None:
            return
        for slot in self._wanted:
            if slot in self._found or slot in self._failed:
                continue
            weights = model.weights if slot.latent else ""
            label = slot.label_for(model.name, weights)
            # A z without a class is nothing to a conditional model, nor is one of a class that it has not.
            fits = bool(label) == bool(model.classes) and all(number < len(model.classes) for number, _ in label)
            if slot.keeps_latent(model.name, weights) and fits and slot.latent in self._store:
                self._found[slot] = (slot.latent, label)
                continue
            if slot.picture not in self._store:
                self._failed[slot] = tr("This picture is missing: put another in its place.")
                continue
            try:
                seen = seen_by(model, self._store, slot)
            except FlowError as error:
                self._failed[slot] = str(error)
                continue
            self._ask(slot, EncodePicture(str(model.path), f"paths.{self._name}", seen, label if fits else ()))
            return

    def _ask(self, slot: Slot, request: EncodePicture) -> None:
        self._asked = slot

        def answered(answer: Encoding | Encoded | Edited, _newest: bool) -> None:
            if isinstance(answer, Edited):  # of a z that came with the picture: none is given here
                return
            self._found[slot] = (self._store.put_latent(np.array(answer.z)), answer.label)
            self._leave()
            self._next()

        def failed(sentence: str, _details: str) -> None:
            self._failed[slot] = sentence
            self._leave()
            self._next()

        self._query.want(request, answered, failed)
