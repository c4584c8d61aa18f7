"""One pile as the engine has read it: asked for when another source is chosen, cancelled when it is not wanted any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from flow_explorer.engine.requests.piles import ReadPile

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
        self._client, self._on_change = client, on_change
        self._asked: tuple | None = None
        self._before: tuple | None = None
        self._id: int | None = None
        self.view = PileView()

    def sync(self, model: str, shape: tuple, source: tuple) -> None:
        """Ask for another source (() for none), or for the same as a model of another shape sees it."""
        # Samples are that model's own; pictures look the same to every model of one shape.
        wanted = (source, shape, model if source and source[0] == "class" else "") if source else None
        if wanted == self._asked:
            return
        self._drop()
        same = wanted is not None and wanted == self._before
        self._asked = self._before = wanted
        # The same pile read anew (another engine, or the person asked): what was there stays until it comes.
        self.view = replace(self.view, busy=True, stopped=False, error="") if same else PileView(busy=wanted is not None)
        if wanted is not None:
            self._id = self._client.send(ReadPile(model, source), on_answer=self._answered, on_error=self._failed,
                                         on_progress=self._progressed)
        self._on_change()

    def again(self) -> None:
        """Read anew with the next `sync`: the person chose the same folder once more, or the engine is a new one."""
        self._drop()
        self._asked = None

    def cancel(self) -> None:
        """Stop reading; nothing is asked until the person asks for it."""
        self._drop()
        self.view = PileView(stopped=True)
        self._on_change()

    def _drop(self) -> None:
        if self._id is not None:
            self._client.cancel(self._id)
            self._id = None

    def _answered(self, message: Any) -> None:
        if message.id != self._id:
            return
        view, data, pictures = self.view, message.data, message.arrays["pictures"]
        if "number" in data:
            names = [str(name) for name in data["names"]]
            view.pictures = view.pictures if names == view.names else [None] * len(names)
            view.names, view.total, view.number = names, int(data["total"]), int(data["number"])
            view.left_out = [(str(name), str(sentence)) for name, sentence in data["left_out"]]
        for offset, picture in enumerate(pictures):
            view.pictures[int(data["first"]) + offset] = np.array(picture)
        if message.done:
            view.busy, view.fraction, self._id = False, None, None
        self._on_change()

    def _progressed(self, fraction: float, words: str) -> None:
        if self.view.busy:
            self.view.fraction, self.view.words = fraction, words
            self._on_change()

    def _failed(self, sentence: str, _details: str = "") -> None:
        self._id = None
        self.view = PileView(error=sentence)
        self._on_change()
