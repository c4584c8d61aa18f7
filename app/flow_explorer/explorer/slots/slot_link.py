"""One slot: from a picture and its crop to what the model sees, its z, its reconstruction and its figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.explorer import Edited, Encoded, EncodePicture, Encoding
from flow_explorer.explorer.model import Model, figures
from flow_explorer.explorer.state import ExplorerState, Slot
from flow_explorer.explorer.store import Store
from flow_explorer.explorer.view_model import SlotView
from flowcore.errors import FlowError
from flowcore.pictures.crop import apply_crop

__all__ = ["SlotLink", "seen_by"]


def seen_by(model: Model, store: Store, slot: Slot) -> np.ndarray:
    """What the model sees of a slot's picture: uint8 (H, W, C)."""
    return apply_crop(store.picture(slot.picture), slot.crop, model.height, model.width, model.channels)


class SlotLink:
    """Keeps a `SlotView` equal to what the state puts in the slot."""

    def __init__(self, which: str, client: Any, store: Store, on_change: Callable[[str], None],
                 on_edited: Callable[[str, Slot], object] = lambda *_: None) -> None:  # fmt: skip
        self.which = which
        self._store = store
        self._on_change, self._on_edited = on_change, on_edited
        self._query = Query(client, lambda: on_change(which), each=True)
        self._put: tuple | None = None
        """What the state put in it last: its picture is cropped once."""
        self.view = SlotView()

    @property
    def busy(self) -> bool:
        return self._query.busy

    @property
    def keys(self) -> set[str]:
        """What it needs of the store beside the state: an encoded picture's z is in no state."""
        return {key for key in (self.view.z, self._put[3] if self._put is not None else "") if key}

    def forget(self) -> None:
        self._put = None
        self._query.forget()

    def sync(self, state: ExplorerState, model: Model | None) -> None:
        if model is None:
            return
        slot = state.slot(self.which)
        weights = model.weights if slot.latent else ""
        label = slot.label_for(model.name, weights)
        # A z without a class is nothing to a conditional model, nor is one of a class that it has not.
        fits = bool(label) == bool(model.classes) and all(number < len(model.classes) for number, _ in label)
        latent = slot.latent if slot.keeps_latent(model.name, weights) and fits else ""
        label = label if fits else ()
        put = (str(model.path), slot.picture, slot.crop, latent, label)
        if put == self._put:
            return
        before, self._put = self._put, put
        if slot.empty:
            self._query.want(None)
            self.view = SlotView()
            self._on_change(self.which)
            return
        try:
            seen = seen_by(model, self._store, slot)
        except FlowError as error:
            self._query.want(None)
            self.view = SlotView(error=str(error))
            self._on_change(self.which)
            return
        # The same picture, only moved: the older figures stand until the new ones come, so nothing flickers.
        dragged = before is not None and before[:2] == put[:2]
        if before is None or not dragged or before[3] != latent:
            # Of another picture, or another z, not even an older answer is of use.
            self._query.want(None)
        if not dragged:
            self.view = SlotView()
        self.view.seen = seen
        self.view.chosen = label
        # A sample's walk starts from its own z, also while its badge is still being computed.
        if latent:
            self.view.z, self.view.label, self.view.weights = latent, label, weights
        # What is proved is proved of the z that the walk uses: its own where it has one.
        own = self._store.latent(latent) if latent else None
        request = EncodePicture(str(model.path), self.which, seen, label, dragged, own)
        self._query.want(request, lambda answer, newest: self._answered(answer, model, latent, slot, newest),
                         lambda sentence, details: self._failed(sentence, details, put))  # fmt: skip
        self.view.busy = self._query.busy
        self.view.moving, self.view.error = dragged and self.view.busy, self._query.error
        self._on_change(self.which)

    def _answered(self, answer: Encoding | Encoded | Edited, model: Model, latent: str, slot: Slot, newest: bool) -> None:
        if isinstance(answer, Edited):
            if newest:
                self._on_edited(self.which, slot)
            return
        view, z = self.view, np.array(answer.z)
        if latent not in self._store:
            view.z, view.weights = self._store.put_latent(z), model.weights
        else:
            view.z = latent
        view.label = answer.label
        view.figures = figures(model.card, answer.bpd)
        if isinstance(answer, Encoded):  # before the round trip is proved the older proof stands, dimmed
            view.reconstruction = np.array(answer.picture)
            view.differing, view.max_error = answer.differing, answer.max_error
            view.own, view.precise = bool(latent), z.dtype == np.float64
        view.busy = self._query.busy
        view.moving = view.moving and view.busy
        view.error = view.details = ""

    def _failed(self, sentence: str, details: str, put: tuple) -> None:
        view = self.view
        kept = {"z": view.z, "label": view.label, "weights": view.weights} if put[3] else {}
        self.view = SlotView(seen=view.seen, chosen=put[4], error=sentence, details=details, **kept)
