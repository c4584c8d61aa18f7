"""From a picture in a corner, or of a keyframe, to the z that stands for it: its own, or one that the engine encodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.explorer import EncodePicture, Encoding
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.state import Well
from flow_explorer.explorer.store import Store
from flow_explorer.explorer.wells.well_link import seen_by
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
        self._wanted: list[Well] = []
        self._found: dict[Well, Resolved] = {}
        self._failed: dict[Well, str] = {}
        self._asked: Well | None = None

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

    def get(self, well: Well) -> Resolved | None:
        """The z of a picture; None while it is not known, or where there is none."""
        return self._found.get(well)

    def error(self, well: Well) -> str:
        """Why a picture has no z, in a sentence; empty where it has, or may yet."""
        return self._failed.get(well, "")

    def all(self, wells: Iterable[Well]) -> tuple[tuple[str, ...], tuple[Label, ...]] | None:
        """(keys of z, labels) of all of these; None unless every one is known."""
        found = [self._found.get(well) for well in wells]
        if not found or any(one is None for one in found):
            return None
        keys, labels = zip(*found, strict=True)
        return keys, labels

    def sync(self, model: Model, wells: Iterable[Well]) -> None:
        """From now on these pictures are wanted, under this model."""
        if self._model is None or self._model.path != model.path:
            self._leave()
            self._found.clear()
            self._failed.clear()
        self._model = model
        self._wanted = [well for well in dict.fromkeys(wells) if not well.empty]
        for kept in (self._found, self._failed):
            for well in [well for well in kept if well not in self._wanted]:
                del kept[well]
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
        for well in self._wanted:
            if well in self._found or well in self._failed:
                continue
            weights = model.weights if well.latent else ""
            label = well.label_for(model.name, weights)
            # A z without a class is nothing to a conditional model, nor is one of a class that it has not.
            fits = bool(label) == bool(model.classes) and all(number < len(model.classes) for number, _ in label)
            if well.keeps_latent(model.name, weights) and fits and well.latent in self._store:
                self._found[well] = (well.latent, label)
                continue
            if well.picture not in self._store:
                self._failed[well] = tr("This picture is missing: put another in its place.")
                continue
            try:
                seen = seen_by(model, self._store, well)
            except FlowError as error:
                self._failed[well] = str(error)
                continue
            self._ask(well, EncodePicture(str(model.path), f"paths.{self._name}", seen, label if fits else ()))
            return

    def _ask(self, well: Well, request: EncodePicture) -> None:
        self._asked = well

        def answered(answer: Encoding, _newest: bool) -> None:
            self._found[well] = (self._store.put_latent(np.array(answer.z)), answer.label)
            self._leave()
            self._next()

        def failed(sentence: str, _details: str) -> None:
            self._failed[well] = sentence
            self._leave()
            self._next()

        self._query.want(request, answered, failed)
