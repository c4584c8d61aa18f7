"""Between the map's state and the engine: asks for what is missing, keeps what has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from flow_explorer.engine.requests.explorer import Encoded, EncodePicture
from flow_explorer.engine.requests.map import MapEncode, MapPicture, MapPlace
from flow_explorer.explorer.facets.map.data import MapData
from flow_explorer.explorer.facets.map.state import State
from flow_explorer.explorer.latest import Latest
from flow_explorer.explorer.model import Model, figures
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.view_model import Figures, PageView, WellView

__all__ = ["MapLink"]


@dataclass(eq=False)
class Selected:
    """The picture that is picked, once it has been encoded for itself."""

    latent: Latent | None = None
    figures: Figures = Figures()
    error: str = ""


class MapLink:
    """`on_change(what)`: "rows", "layout", "stage", "places" or "selected"."""

    def __init__(self, client: Any, on_change: Callable[[str], None]) -> None:
        self._client, self._on_change = client, on_change
        self._lane = Latest(client)
        self._picking = Latest(client)
        self._placing = {which: Latest(client) for which in "AB"}
        self._asked: tuple | None = None
        self._model: Model | None = None
        self._page: list[Latent] = []
        self._rows: list[Latent] = []
        """Of a map of samples, which one each row is."""
        self._picked: tuple | None = None
        self._place_asked: dict[str, tuple | None] = {"A": None, "B": None}
        self.data = MapData()
        self.places: dict[str, tuple[float, float] | None] = {"A": None, "B": None}
        self.selected = Selected()

    @property
    def busy(self) -> bool:
        return self._lane.busy or self._picking.busy or any(lane.busy for lane in self._placing.values())

    def forget(self) -> None:
        """The engine is a new one."""
        self._asked, self._picked = None, None
        self._place_asked = {"A": None, "B": None}
        for lane in (self._lane, self._picking, *self._placing.values()):
            lane.forget()

    def stop(self) -> None:
        """Give up what is being encoded; it is asked for again by the next `sync`."""
        self._asked = None
        self._lane.drop()

    # What the state needs

    def sync(self, state: State, model: Model | None, page: PageView) -> None:
        self._model = model
        if model is None:
            return
        request = self._request(state, model, page)
        if request is None:
            if state.source == "" and self._asked is not None or state.source == "" and self.data.count:
                self._asked = None
                self._lane.drop()
                self.data = MapData()
                self._on_change("stage")
            return
        source = (request.model, state.source, request.path, tuple(id(slot) for slot in self._page))
        asked = (*source, request.levels, request.method, request.limit)
        if asked == self._asked:
            return
        same = self._asked is not None and self._asked[:4] == source
        self._asked = asked
        if not same:
            self.data = MapData()
            self.selected, self._picked = Selected(), None
        self.data.error, self.data.stage = "", "reading" if not same else "encoding"
        self._place_asked = {"A": None, "B": None}
        request = MapEncode(request.model, request.path, request.levels, request.method, request.limit, self.data.count,
                            request.pictures)  # fmt: skip
        self._lane.ask(request, lambda message: self._answered(message, asked), self._failed, at_once=True)
        self._on_change("stage")

    def _request(self, state: State, model: Model, page: PageView) -> MapEncode | None:
        levels = tuple(level for level in state.levels if level < model.levels)
        if state.source == "data":
            self._page = []
            return MapEncode(str(model.path), state.path, levels, state.method, state.limit)
        slots = [slot for slot in page.slots if slot is not None]
        if state.source != "samples" or not page.complete or len(slots) < 2 or any(slot.model != model.name for slot in slots):
            return None
        self._page = slots
        return MapEncode(str(model.path), "", levels, state.method, pictures=np.stack([slot.picture for slot in slots]))

    def sync_places(self, wells: dict[str, WellView | None]) -> None:
        """Where the wells' pictures lie on the map as it is now."""
        for which, view in wells.items():
            picture = view.reconstruction if view is not None else None
            if picture is None or not self.data.placed or self._model is None:
                self._place_asked[which] = None
                if self.places[which] is not None:
                    self.places[which] = None
                    self._on_change("places")
                continue
            asked = (id(picture), self.data.version, self._asked)
            if asked == self._place_asked[which]:
                continue
            self._place_asked[which] = asked
            request = MapPlace(str(self._model.path), which, picture)
            self._placing[which].ask(request, lambda message, which=which, asked=asked: self._put(message, which, asked),
                                     lambda *_failure: None)  # fmt: skip

    def _put(self, message: Any, which: str, asked: tuple) -> None:
        if asked == self._place_asked[which]:
            place = message.data.get("place")
            self.places[which] = (float(place[0]), float(place[1])) if place else None
            self._on_change("places")

    def sync_selected(self, row: int) -> None:
        """Encode the picked picture for itself: its z is exact, and of its own class."""
        model, data = self._model, self.data
        if model is None or not 0 <= row < data.count:
            if self._picked is not None:
                self._picked, self.selected = None, Selected()
                self._picking.drop()
                self._on_change("selected")
            return
        picked = (self._asked[:4] if self._asked else None, row, data.names[row])
        if picked == self._picked:
            return
        self._picked, self.selected = picked, Selected()
        if self._page:
            slot = self._rows[row]
            self.selected = Selected(slot, figures(model.card, float(data.bpd[row])))
            self._picking.drop()
        elif data.factor > 1:
            request = MapPicture(str(model.path), self._asked[2], row)
            self._picking.ask(request, lambda message: self._encode(np.array(message.arrays["picture"]), picked),
                              lambda sentence, _: self._not_picked(sentence, picked), at_once=True)  # fmt: skip
        else:
            self._encode(np.array(data.picture(row)), picked)
        self._on_change("selected")

    def _encode(self, picture: np.ndarray, picked: tuple) -> None:
        if picked != self._picked or self._model is None:
            return
        model = self._model

        def answered(answer: Encoded) -> None:
            if picked == self._picked:
                latent = model.latent(np.array(answer.z), np.array(answer.picture), picked[2], answer.label)
                self.selected = Selected(latent, figures(model.card, answer.bpd))
                self._on_change("selected")

        self._picking.ask(EncodePicture(str(model.path), "map", picture), answered,
                          lambda sentence, _: self._not_picked(sentence, picked), at_once=True)  # fmt: skip

    def _not_picked(self, sentence: str, picked: tuple) -> None:
        if picked == self._picked:
            self.selected = Selected(error=sentence)
            self._on_change("selected")

    # What comes

    def _answered(self, message: Any, asked: tuple) -> None:
        if asked != self._asked:
            return
        stage, data = message.data.get("stage"), self.data
        if stage == "reading":
            data.stage, data.read = "reading", (int(message.data["done"]), int(message.data["total"]))
        elif stage == "found":
            data.found(message.data)
        elif stage == "rows":
            data.rows(self._named(message.data), message.arrays)
            self._on_change("rows")
            return
        elif stage == "layout":
            data.laid_out(message.data, message.arrays["points"])
            self._on_change("layout")
            return
        elif stage == "arranging":
            data.stage = "arranging"
        elif stage == "done":
            data.done(message.data, message.arrays)
            self._on_change("layout")
        self._on_change("stage")

    def _named(self, data: dict[str, Any]) -> dict[str, Any]:
        """Samples come by their number on the page."""
        if not self._page or int(data["first"]) != self.data.count:
            return data
        slots = [self._page[int(name)] for name in data["names"]]
        self._rows = self._rows[: self.data.count] + slots
        return {**data, "names": [slot.name for slot in slots]}

    def _failed(self, sentence: str, _details: str) -> None:
        self.data.error, self.data.stage = sentence, ""
        self._on_change("stage")
