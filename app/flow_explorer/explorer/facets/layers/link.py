"""Asks the engine for one picture's way through the layers, and keeps what comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flow_explorer.engine.requests.layers import DecodeLayers, EncodeLayers
from flow_explorer.explorer.facets.layers.view_model import LayersView
from flow_explorer.explorer.latest import Latest
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.store import Latent

__all__ = ["LayersLink"]


class LayersLink:
    """Keeps `view` equal to the subject's way."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._lane = Latest(client, on_change)  # also when there is nothing to wait for any more
        self._asked: tuple | None = None
        self._model = ""
        self._come = False
        """Whether all of the request on its way has come but the check of the way back."""
        self.stopped = False
        """Whether the person ended what is still asked for."""
        self.view = LayersView()

    @property
    def busy(self) -> bool:
        return self._lane.busy

    def stop(self) -> None:
        """The person does not want to wait: what has come stays."""
        if self.busy:
            self.stopped = True
            self._lane.drop()

    def go_on(self) -> None:
        """Ask again for what was stopped; `sync` follows."""
        self._asked, self.stopped = None, False

    def forget(self) -> None:
        """The engine is a new one: what was asked of the old one is to be asked again."""
        self._asked, self.stopped, self._come = None, False, False
        self._lane.forget()

    def clear(self) -> None:
        """There is no subject."""
        self._asked, self.stopped = None, False
        self._lane.drop()
        self.view = LayersView()

    def sync(self, model: Model, subject: Latent, way: str, moving: bool = False) -> None:
        """Ask where this has not been asked yet. `moving`: another subject follows soon, so what is on its way may still come."""
        path = str(model.path)
        source = subject.picture if way == "encode" else subject.z
        asked = (path, way, subject.label, source.dtype.str, source.tobytes())
        if asked == self._asked:
            return
        self._asked, self.stopped = asked, False
        another = path != self._model
        if another:
            self._model, self.view = path, LayersView()
        self.view.error = self.view.details = ""
        request = (EncodeLayers(path, source, subject.label) if way == "encode" else DecodeLayers(path, source, subject.label))
        # What a moving subject still waits for is only the check of the way back: no reason to wait.
        at_once = not moving or another or self._come
        if at_once:
            self._come = False
        self._lane.ask(request, lambda message: self._answered(message, path), lambda sentence, details:
                       self._failed(sentence, details, asked), at_once=at_once)  # fmt: skip
        self._on_change()

    def _answered(self, message: Any, path: str) -> None:
        if path != self._model:
            return
        view, data = self.view, message.data
        part = data["part"]
        if part == "outline":
            view.begin(data["layers"], data["levels"])
        elif part == "stages":
            view.take_stages(data, message.arrays)
        elif part == "terms":
            view.take_terms(data)
        elif part == "prior":
            view.take_prior(data, message.arrays)
            self._come = True
        elif part == "check":
            view.difference = float(data["difference"])
            self._come = False
        self._on_change()

    def _failed(self, sentence: str, details: str, asked: tuple) -> None:
        if asked == self._asked:
            self.view = LayersView(error=sentence, details=details)
            self._on_change()
