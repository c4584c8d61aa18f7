"""One pile as the engine has read it: asked for when another source is chosen, cancelled when it is not wanted any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.piles import PilePart, PileStart, ReadPile

__all__ = ["PileLink", "PileView"]


@dataclass
class PileView:
    """What is known of a pile; `number` is the engine's own for this reading, 0 where there is none."""

    names: list[str] = field(default_factory=list)
    pictures: list[np.ndarray | None] = field(default_factory=list)
    """uint8 (H, W, C) each, as the model sees it; None where it has not come yet."""
    total: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)
    number: int = 0
    busy: bool = False
    stopped: bool = False
    """The person cancelled."""
    fraction: float | None = None
    words: str = ""
    error: str = ""

    @property
    def ready(self) -> bool:
        """Whether all of it is there."""
        return self.number > 0 and not self.busy and not self.error


class PileLink:
    """Keeps `view` equal to what a source holds."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._query = Query(client, self._changed)
        self._wanted: tuple | None = None
        self._before: tuple | None = None
        self.view = PileView()

    def sync(self, model: str, shape: tuple, source: tuple) -> None:
        """Ask for another source (() for none), or for the same as a model of another shape sees it."""
        # Samples are that model's own; pictures look the same to every model of one shape.
        wanted = (source, shape, model if source and source[0] == "class" else "") if source else None
        if wanted == self._wanted:
            return
        self._query.want(None)
        same = wanted is not None and wanted == self._before
        self._wanted = self._before = wanted
        # The same pile read anew (another engine, or the person asked): what was there stays until it comes.
        self.view = replace(self.view, busy=True, stopped=False, error="") if same else PileView(busy=wanted is not None)
        if wanted is not None:
            self._query.want(ReadPile(model, source), self._answered, self._failed)
        self._on_change()

    def again(self) -> None:
        """Read anew with the next `sync`: the person chose the same folder once more, or the engine is a new one."""
        self._query.forget()
        self._wanted = None

    def cancel(self) -> None:
        """Stop reading; nothing is asked until the person asks for it."""
        self._query.want(None)
        self.view = PileView(stopped=True)
        self._on_change()

    def _answered(self, part: PileStart | PilePart, _newest: bool) -> None:
        view = self.view
        if isinstance(part, PileStart):
            names = list(part.names)
            view.pictures = view.pictures if names == view.names else [None] * len(names)
            view.names, view.total, view.number, view.left_out = names, part.total, part.number, list(part.left_out)
        for index, picture in enumerate(part.pictures, part.first):
            view.pictures[index] = np.array(picture)
        if part.done:
            view.busy, view.fraction = False, None

    def _changed(self) -> None:
        if self._query.progress is not None:
            self.view.fraction, self.view.words = self._query.progress
        self._on_change()

    def _failed(self, sentence: str, _details: str) -> None:
        self.view = PileView(error=sentence)
