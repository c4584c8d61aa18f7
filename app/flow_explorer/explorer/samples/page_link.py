"""The page of samples: from seed, temperature and count to pictures, filled in as the engine answers.

While a temperature is dragged, drafts are asked for: each begins with the picture in hand, so that it follows the hand, and
goes on with those whose last draft is oldest, since the next value will replace it, so that all of them move. A value that
stands still for `REST_S` gets the exact page, the picture in hand among the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.explorer import (
    DraftPage,
    DraftPart,
    PagePart,
    PageScores,
    SamplePage,
    ScorePage,
)
from flow_explorer.explorer.model import FIRST_PAGE, Model
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.explorer.view_model import PageView
from flow_explorer.i18n import tr

__all__ = ["PageLink"]

REST_S = 0.12


class PageLink:
    """Keeps a `PageView` equal to what the state asks for. `on_change(first, count)` tells which slots changed."""

    def __init__(self, client: Any, on_change: Callable[[int, int], None]) -> None:
        self._on_change = on_change
        self._asked: tuple | None = None
        self._base: tuple | None = None
        self._left: list[tuple[int, int]] = []
        self._exact, self._draft = Query(client, each=True), Query(client, each=True)
        self._moved = 0.0
        self._scores = Query(client)
        self._scored: tuple | None = None
        self._order = ""
        self.view = PageView()
        self.loading = False

    @property
    def busy(self) -> bool:
        return self.loading or self._scores.busy

    def forget(self) -> None:
        """The engine is a new one: what was asked of the old one is to be asked again."""
        self._asked = self._scored = None
        self._left = []
        self.loading = False
        for query in (self._exact, self._draft, self._scores):
            query.forget()
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
        # A value that replaces one whose page is not complete is a drag.
        before = self._asked
        moving = self.loading and before is not None and (*before[:2], before[3]) == (*asked[:2], asked[3])
        self._asked, self._base, self._scored = asked, asked[:3], None
        self._scores.want(None)
        self._moved = time.monotonic()
        self._left = [(kept, state.count - kept)] if kept < state.count else []
        self.loading = bool(self._left)
        if moving and self.loading:
            self._exact.want(None)
            self._ask_draft(model, asked, state.selected)
            self._on_change(0, 0)
            return
        self._draft.want(None)
        if self.loading:
            self._ask_next(model, asked)
        else:
            self._exact.want(None)
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

        def answered(scores: PageScores, _newest: bool) -> None:
            self.view.bpds = list(scores.bpd)
            self._on_change(0, self.count)

        self._scores.want(request, answered, self._failed)

    def _ask_draft(self, model: Model, asked: tuple, hand: int) -> None:
        path, (seed, label), temperature, count = asked
        request = DraftPage(path, seed, tuple(range(count)), temperature, label, hand if 0 <= hand < count else -1)

        def answered(part: DraftPart, newest: bool) -> None:
            if not self._shows(asked):
                return
            self._take(part, part.indices, request, model, current=False)
            if newest and (part.done or time.monotonic() - self._moved > REST_S):
                exact()

        def exact() -> None:
            self._draft.want(None)
            begin = request.hand // 4 * 4 if request.hand >= 0 else 0
            self._left = [part for part in ((begin, count - begin), (0, begin)) if part[1] > 0]
            self._ask_next(model, asked)

        # What cannot be drafted is asked for as it is kept: that says what is wrong, if anything is.
        self._draft.want(request, answered, lambda _sentence, _details: exact())

    def _shows(self, asked: tuple) -> bool:
        """Answers of an older temperature are welcome during a drag, those of another page are not."""
        return self._base is not None and (asked[0], asked[1], asked[3]) == (self._base[0], self._base[1], self.count)

    def _ask_next(self, model: Model, asked: tuple) -> None:
        path, (seed, label), temperature, _count = asked
        first, count = self._left.pop(0)
        request = SamplePage(path, seed, first, count, temperature, label)

        def answered(part: PagePart, newest: bool) -> None:
            if not self._shows(asked):
                return
            self._take(part, range(part.first, part.first + len(part.pictures)), request, model, current=newest)
            if newest and part.done and self._left:
                self._ask_next(model, asked)
            elif newest and part.done:
                self.loading = False
                self._score()
                self._on_change(0, 0)

        def failed(sentence: str, details: str) -> None:
            self.loading = False
            self._failed(sentence, details)

        self._exact.want(request, answered, failed)

    def _failed(self, sentence: str, details: str) -> None:
        self.view.error, self.view.details = sentence, details
        self._on_change(0, self.count)

    @property
    def count(self) -> int:
        return len(self.view.slots)

    def _take(self, part: PagePart | DraftPart, indices: Sequence[int], request: SamplePage | DraftPage, model: Model,
              current: bool) -> None:  # fmt: skip
        draft, changed = isinstance(part, DraftPart), []
        labels = part.labels or ((),) * len(part.pictures)
        for index, picture, row, label in zip(indices, part.pictures, part.z, labels, strict=True):
            if index < self.count:
                name = tr("sample {number}, seed {seed}", number=index + 1, seed=request.seed)
                self.view.slots[index] = model.latent(np.array(row), np.array(picture), name, label, draft)
                self.view.temperatures[index] = request.temperature
                self.view.fresh[index] = current
                changed.append(index)
        # Neighbours change together: the picture in hand, which is drawn between others, is told of by itself.
        start = 0
        for end in range(1, len(changed) + 1):
            if end == len(changed) or changed[end] != changed[end - 1] + 1:
                self._on_change(changed[start], end - start)
                start = end
