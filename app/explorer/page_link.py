"""The page of samples: from seed, temperature and count to pictures, filled in as the engine answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from app.engine.requests import SamplePage, ScorePage
from app.explorer.latest import Latest
from app.explorer.model import FIRST_PAGE, Model
from app.explorer.state import ExplorerState
from app.explorer.store import Latent
from app.explorer.view_model import PageView
from app.i18n import tr
from flowcore.labels import from_json

__all__ = ["PageLink"]


class PageLink:
    """Keeps a `PageView` equal to what the state asks for. `on_change(first, count)` tells which slots changed."""

    def __init__(self, client: Any, on_change: Callable[[int, int], None]) -> None:
        self._client = client
        self._on_change = on_change
        self._asked: tuple | None = None
        self._base: tuple | None = None
        self._turn = 0
        self._next = 0
        self._left: list[tuple[int, int]] = []
        self._scores = Latest(client)
        self._scored: tuple | None = None
        self._order = ""
        self.view = PageView()
        self.loading = False

    @property
    def busy(self) -> bool:
        return self.loading or self._scores.busy

    def forget(self) -> None:
        """The engine is a new one: what was asked of the old one is to be asked again."""
        self._asked = None
        self._turn += 1
        self._left = []
        self.loading = False
        self._scored = None
        self._scores.forget()
        self.view.fresh = [False] * len(self.view.fresh)

    def sync(self, state: ExplorerState, model: Model | None) -> None:
        if model is None:
            return
        temperature = state.temperatures(model.levels)
        # What is drawn, whatever the temperature: the seed and, of a conditional model, the class.
        drawn = (state.seed, state.sampled_label(len(model.classes)))
        asked = (str(model.path), drawn, temperature, state.count)
        self._order = state.order
        if asked == self._asked:
            self._score()
            return
        view = self.view
        if self._base is None or self._base[0] != asked[0]:
            view.slots, view.fresh, view.cached = [], [], []
        if self._asked is None or (*self._asked[:2], self._asked[3]) != (*asked[:2], asked[3]):
            view.bpds = []
        # The same seed and temperature: the pictures already there stay, only the further ones are asked for.
        kept = 0
        if self._base == asked[:3]:
            while kept < min(len(view.fresh), state.count) and view.fresh[kept]:
                kept += 1
        view.slots = (view.slots + [None] * state.count)[: state.count]
        view.temperatures = (view.temperatures + [0.0] * state.count)[: state.count]
        view.fresh = [True] * kept + [False] * (state.count - kept)
        view.error = view.details = ""
        # The bundled page stands in for the very page that it is, and then, as any older picture, until a new one comes.
        if ((model.default_seed, ()), model.default_temperature, FIRST_PAGE) == (drawn, temperature, state.count):
            view.cached = model.first_page
        # A drag replaces a page before it is complete: go on where that one stopped, so that every picture moves.
        before = self._asked
        moving = self.loading and before is not None and (*before[:2], before[3]) == (*asked[:2], asked[3])
        begin = self._next if moving and kept <= self._next < state.count else kept
        self._left = [part for part in ((begin, state.count - begin), (kept, begin - kept)) if part[1] > 0]
        self._asked, self._base = asked, asked[:3]
        self._turn += 1
        self.loading = bool(self._left)
        if self._left:
            self._ask_next(model, asked)
        self._score()
        self._on_change(0, state.count)

    def _score(self) -> None:
        """Ask for the likelihood of a page that is all there, where the samples are to be sorted by it."""
        asked = self._asked
        if self._order != "likelihood" or asked is None or self._scored == asked or not self.view.complete:
            return
        self._scored = asked
        samples = [slot for slot in self.view.slots if slot is not None]
        labels = tuple(sample.label for sample in samples) if samples[0].label else ()
        request = ScorePage(asked[0], np.stack([sample.z for sample in samples]), labels)

        def answered(message: Any) -> None:
            if self._scored == self._asked:
                self.view.bpds = [float(bpd) for bpd in message.data["bpd"]]
            self._on_change(0, self.count)

        def failed(sentence: str, details: str = "") -> None:
            self.view.error, self.view.details = sentence, details
            self._on_change(0, self.count)

        self._scores.ask(request, answered, failed, at_once=True)

    def _ask_next(self, model: Model, asked: tuple) -> None:
        turn = self._turn
        path, (seed, label), temperature, _count = asked
        first, count = self._left.pop(0)
        request = SamplePage(path, seed, first, count, temperature, label)

        def answered(message: Any) -> None:
            # Answers of an older temperature are welcome during a drag, those of another page are not.
            if self._base is None or (asked[0], asked[1], asked[3]) != (self._base[0], self._base[1], self.count):
                return
            self._take(message, request, model, current=turn == self._turn)
            if turn == self._turn and message.done and self._left:
                self._ask_next(model, asked)
            elif turn == self._turn and message.done:
                self.loading = False
                self._score()
                self._on_change(0, 0)

        def failed(sentence: str, details: str = "", *_more: object) -> None:
            if turn == self._turn:
                self.loading = False
                self.view.error, self.view.details = sentence, details
                self._on_change(0, self.count)

        self._client.send(request, on_answer=answered, on_error=failed)

    @property
    def count(self) -> int:
        return len(self.view.slots)

    def _take(self, message: Any, request: SamplePage, model: Model, current: bool) -> None:
        pictures, z = message.arrays.get("pictures"), message.arrays.get("z")
        if pictures is None or z is None or not len(pictures):
            return
        first = int(message.data["first"])
        labels = [from_json(label) for label in message.data.get("labels", [None] * len(pictures))]
        self._next = (first + len(pictures)) % max(1, self.count)
        for offset, (picture, row, label) in enumerate(zip(pictures, z, labels, strict=True)):
            index = first + offset
            if index < self.count:
                name = tr("sample {number}, seed {seed}", number=index + 1, seed=request.seed)
                self.view.slots[index] = Latent(model.name, np.array(row), np.array(picture), name, label)
                self.view.temperatures[index] = request.temperature
                self.view.fresh[index] = current
        self._on_change(first, len(pictures))
