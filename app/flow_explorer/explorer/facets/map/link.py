"""Between the map's state and the engine: asks for what is missing, keeps what has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query, same
from flow_explorer.engine.requests.explorer import Edited, Encoded, EncodePicture, Encoding, OnePicture
from flow_explorer.engine.requests.map import (
    MapArranging,
    MapDone,
    MapEncode,
    MapFound,
    MapLayout,
    Mapped,
    MapPicture,
    MapPlace,
    MapPlaced,
    MapReading,
    MapRows,
)
from flow_explorer.explorer.facets.map.data import MapData
from flow_explorer.explorer.facets.map.state import MapState
from flow_explorer.explorer.model import Model, figures
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.view_model import Figures, PageView, SlotView

__all__ = ["MapLink"]

SOURCE = ("model", "path", "pictures")
"""What says which pictures are on the map, …"""
WISH = (*SOURCE, "levels", "method", "limit")
"""… and how; `have` only says what need not be sent again."""


@dataclass(eq=False)
class Selected:
    """The picture that is picked, once it has been encoded for itself."""

    latent: Latent | None = None
    figures: Figures = Figures()
    error: str = ""


class MapLink:
    """`on_change(what)`: "rows", "layout", "stage", "places" or "selected"."""

    def __init__(self, client: Any, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._encode, self._picking = Query(client), Query(client)
        self._placing = {which: Query(client) for which in "AB"}
        self._model: Model | None = None
        self._page: list[Latent] = []
        self._rows: list[Latent] = []
        """Of a map of samples, which one each row is."""
        self._picked: tuple[int, str] | None = None
        self._laid: tuple = ()
        """The layout on which the slots were placed."""
        self.data = MapData()
        self.places: dict[str, tuple[float, float] | None] = {"A": None, "B": None}
        self.selected = Selected()

    @property
    def busy(self) -> bool:
        return any(query.busy for query in (self._encode, self._picking, *self._placing.values()))

    def forget(self) -> None:
        """The engine is a new one."""
        self._picked = None
        for query in (self._encode, self._picking, *self._placing.values()):
            query.forget()

    def stop(self) -> None:
        """Give up what is being encoded; it is asked for again by the next `sync`."""
        self._encode.want(None)

    # What the state needs

    def sync(self, state: MapState, model: Model | None, page: PageView) -> None:
        self._model = model
        if model is None:
            return
        request, before = self._request(state, model, page), self._encode.request
        if request is None:
            if state.source == "" and (before is not None or self.data.count):
                self._encode.want(None)
                self.data = MapData()
                self._on_change("stage")
            return
        if before is not None and same(request, before, *WISH):
            return
        known = before is not None and same(request, before, *SOURCE)
        if not known:
            self.data = MapData()
            self._pick(None)
        self.data.error, self.data.stage = "", "encoding" if known else "reading"
        self._encode.want(replace(request, have=self.data.count), self._answered, self._failed, at_once=True)
        self._on_change("stage")

    def _request(self, state: MapState, model: Model, page: PageView) -> MapEncode | None:
        levels = tuple(level for level in state.levels if level < model.levels)
        if state.source == "data":
            self._page = []
            return MapEncode(str(model.path), state.path, levels, state.method, state.limit)
        slots = [slot for slot in page.slots if slot is not None]
        if state.source != "samples" or not page.complete or len(slots) < 2 or any(slot.model != model.name for slot in slots):
            return None
        self._page = slots
        return MapEncode(str(model.path), "", levels, state.method, pictures=np.stack([slot.picture for slot in slots]))

    def sync_places(self, slots: dict[str, SlotView | None]) -> None:
        """Where the slots' pictures lie on the map as it is now."""
        laid = (self.data, self.data.version, self._encode.request)
        if laid != self._laid:
            self._laid = laid
            for query in self._placing.values():
                query.want(None)
        for which, view in slots.items():
            picture = view.reconstruction if view is not None else None
            if picture is None or not self.data.placed or self._model is None:
                self._placing[which].want(None)
                if self.places[which] is not None:
                    self.places[which] = None
                    self._on_change("places")
                continue
            request = MapPlace(str(self._model.path), which, picture)
            self._placing[which].want(request, lambda answer, newest, which=which: self._put(answer, newest, which))

    def _put(self, answer: MapPlaced, newest: bool, which: str) -> None:
        if newest:
            self.places[which] = answer.place
            self._on_change("places")

    def sync_selected(self, row: int) -> None:
        """Encode the picked picture for itself: its z is exact, and of its own class."""
        model, data = self._model, self.data
        if model is None or not 0 <= row < data.count:
            if self._picked is not None:
                self._pick(None)
                self._on_change("selected")
            return
        if (row, data.names[row]) == self._picked:
            return
        self._pick((row, data.names[row]))
        picture = data.picture(row)
        if self._page:
            self.selected = Selected(self._rows[row], figures(model.card, float(data.bpd[row])))
        elif data.factor > 1 and isinstance(self._encode.request, MapEncode):
            self._picking.want(MapPicture(str(model.path), self._encode.request.path, row),
                               lambda answer, _newest: self._encode_picked(answer), self._not_picked)  # fmt: skip
        elif picture is not None:
            self._encode_picked(OnePicture(np.array(picture)))
        self._on_change("selected")

    def _pick(self, picked: tuple[int, str] | None) -> None:
        """Another one, or none, is picked; what was asked for the one before is of no use."""
        self._picked, self.selected = picked, Selected()
        self._picking.want(None)

    def _encode_picked(self, answer: OnePicture) -> None:
        model, picked = self._model, self._picked
        if model is None or picked is None:
            return

        def answered(answer: Encoding | Encoded | Edited, _newest: bool) -> None:
            if isinstance(answer, Encoded):
                latent = model.latent(np.array(answer.z), np.array(answer.picture), picked[1], answer.label)
                self.selected = Selected(latent, figures(model.card, answer.bpd))
                self._on_change("selected")

        self._picking.want(EncodePicture(str(model.path), "map", np.array(answer.picture)), answered, self._not_picked)

    def _not_picked(self, sentence: str, _details: str) -> None:
        self.selected = Selected(error=sentence)
        self._on_change("selected")

    # What comes

    def _answered(self, answer: Mapped, _newest: bool) -> None:
        data = self.data
        if isinstance(answer, MapRows):
            data.rows(self._named(answer))
            self._on_change("rows")
            return
        if isinstance(answer, MapLayout) and not isinstance(answer, MapDone):
            data.laid_out(answer)
            self._on_change("layout")
            return
        if isinstance(answer, MapReading):
            data.stage, data.read = "reading", (answer.read, answer.total)
        elif isinstance(answer, MapFound):
            data.found(answer)
        elif isinstance(answer, MapArranging):
            data.stage = "arranging"
        else:
            data.done(answer)
            self._on_change("layout")
        self._on_change("stage")

    def _named(self, rows: MapRows) -> MapRows:
        """Samples come by their number on the page."""
        if not self._page or rows.first != self.data.count:
            return rows
        slots = [self._page[int(name)] for name in rows.names]
        self._rows = self._rows[: self.data.count] + slots
        return replace(rows, names=tuple(slot.name for slot in slots))

    def _failed(self, sentence: str, _details: str) -> None:
        self.data.error, self.data.stage = sentence, ""
        self._on_change("stage")
