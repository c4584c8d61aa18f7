"""Asks the engine for one picture's way through the layers, and keeps what comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.layers import AgainstPrior, Checked, DecodeLayers, EncodeLayers, Followed
from flow_explorer.explorer.facets.layers.view_model import LayersView
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.store import Latent

__all__ = ["LayersLink"]


class LayersLink:
    """Keeps `view` equal to the subject's way."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._query = Query(client, on_change)
        self._model = ""
        self._come = False
        """Whether all of the request on its way has come but the check of the way back."""
        self.stopped = False
        """Whether the person ended what is still asked for."""
        self.view = LayersView()

    @property
    def busy(self) -> bool:
        return self._query.busy

    def stop(self) -> None:
        """The person does not want to wait: what has come stays."""
        if self.busy:
            self.stopped = True
            self._query.stop()
            self._on_change()

    def go_on(self) -> None:
        """Ask again for what was stopped; `sync` follows."""
        self.forget()

    def forget(self) -> None:
        """What was asked is to be asked again: the engine is a new one."""
        self.stopped = self._come = False
        self._query.forget()

    def clear(self) -> None:
        """There is no subject."""
        self.stopped, self.view = False, LayersView()
        self._query.want(None)

    def sync(self, model: Model, subject: Latent, way: str, moving: bool = False) -> None:
        """Ask where this has not been asked yet. `moving`: another subject follows soon, so what is on its way may still come."""
        path = str(model.path)
        request = (EncodeLayers(path, subject.picture, subject.label) if way == "encode"
                   else DecodeLayers(path, subject.z, subject.label))  # fmt: skip
        if not self._query.asks(request):
            return
        self.stopped = False
        another = path != self._model
        if another:
            self._model, self.view = path, LayersView()
        self.view.error = self.view.details = ""
        # What a moving subject still waits for is only the check of the way back: no reason to wait.
        at_once = not moving or another or self._come
        if at_once:
            self._come = False
        self._query.want(request, lambda answer, _newest: self._answered(answer, path), self._failed, at_once=at_once)
        self._on_change()

    def _answered(self, answer: Followed, path: str) -> None:
        if path != self._model:
            return
        if isinstance(answer, Checked):
            self.view.difference = answer.difference
            self._come = False
        else:
            self.view.take(answer)
            self._come = self._come or isinstance(answer, AgainstPrior)

    def _failed(self, sentence: str, details: str) -> None:
        self.view = LayersView(error=sentence, details=details)
