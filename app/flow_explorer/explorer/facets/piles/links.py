"""From two piles to a fitted way, a page of translations, and one picture looked at closely: asks, and keeps the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.piles import (
    FitPiles,
    PilesFitted,
    TranslatedPart,
    TranslatePage,
    TranslatePicture,
    Translation,
    TranslationDraft,
)
from flow_explorer.explorer.facets.piles.pile_link import PileLink, PileView
from flow_explorer.explorer.facets.piles.state import FURTHER, State
from flowcore.latents.ways import METHODS
from flowcore.model.labels import Label

__all__ = ["FitView", "Links", "One", "PageView", "Wanted", "Way"]

PACE_MS = 15
"""One picture is asked for at most this often: between, the page has its turn."""
REMEMBERED = 256
"""So many pictures' figures are kept for one way and strength."""


@dataclass(frozen=True)
class Way:
    """What is fitted: two piles (as read, by their numbers), a method and a direction."""

    model: str
    method: str
    source: tuple
    target: tuple
    pair: str
    back: bool
    names: tuple[str, str]
    readings: tuple[int, int]

    def fields(self) -> dict[str, Any]:
        """What every request says of it."""
        return {"model": self.model, "method": self.method, "source": self.source, "target": self.target, "pair": self.pair,
                "back": self.back, "names": self.names}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Wanted:
    """What `Links.sync` is given."""

    state: State
    model: str
    shape: tuple
    """Of the pictures that the model sees."""
    sources: dict[str, tuple]
    """Of both piles; () for none."""
    names: dict[str, str]
    """What both piles are called."""
    method: str
    """The one that this model allows."""
    pair: str = ""
    """The second flow of a pair."""
    further: np.ndarray | None = None
    """The further picture as the model sees it, and its key."""
    further_key: str = ""

    @property
    def strength(self) -> float:
        """Between the two flows of a pair there is no way."""
        return 1.0 if self.alone else self.state.strength

    @property
    def alone(self) -> bool:
        """Whether the pile that is translated is all that the method needs: it has two flows instead."""
        return METHODS[self.method].needs == "pair"


@dataclass
class FitView:
    """How far the fitting is."""

    ready: bool = False
    busy: bool = False
    stopped: bool = False
    """The person cancelled: it goes on when asked."""
    fraction: float | None = None
    words: str = ""
    """Which pile is being encoded."""
    error: str = ""


@dataclass(frozen=True, eq=False)
class One:
    """One picture, translated: at first the picture alone, then its z and the proof."""

    picture: np.ndarray
    z: np.ndarray | None = None
    label: Label = ()
    cycle_error: float | None = None
    precise: bool = False
    bpd_before: float | None = None
    bpd_after: float | None = None


@dataclass
class PageView:
    """Translations by the number of their picture; an older strength's stay until the newer have come."""

    pictures: dict[int, np.ndarray] = field(default_factory=dict)
    strengths: dict[int, float] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    busy: bool = False
    error: str = ""


class Links(QObject):
    """Keeps what is shown equal to the state. `sync` compares what is needed with what was asked last."""

    def __init__(self, client: Any, on_change: Callable[[], None], trace: Callable[..., None] = lambda *_a, **_k: None,
                 parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._on_change, self._trace = on_change, trace
        self.piles = {which: PileLink(client, self._pile_changed) for which in "AB"}
        self.fit, self.page = FitView(), PageView()
        self.way: Way | None = None
        self.strength = 1.0
        self.ones: dict[int, One] = {}
        """By the picture's number, `FURTHER` for the further picture; of the present way and strength."""
        self.last: tuple[int, One] | None = None
        """What was looked at last, while the newer is on its way."""
        self.one_error = ""
        self._wanted: Wanted | None = None
        self._fitting = Query(client, self._fit_changed)
        self._paging, self._looking = Query(client, each=True), Query(client, each=True)
        self._page_asked: tuple | None = None
        self._next = 0
        self._visible: range = range(0)
        self._hovered: int | None = None
        self._further_key = ""
        self._pace = QTimer(self, interval=PACE_MS, singleShot=True)
        self._pace.timeout.connect(self._sync_one)

    @property
    def busy(self) -> bool:
        """Whether anything is on its way."""
        return (self.fit.busy or self.page.busy or self._looking.busy or self._pace.isActive()
                or any(pile.view.busy for pile in self.piles.values()))  # fmt: skip

    def forget(self) -> None:
        """The engine is a new one: piles are read, fitted and translated again. What is seen stays until it comes."""
        for pile in self.piles.values():
            pile.again()
        self._fitting.forget()
        self.way = None
        self.fit = FitView()
        self._silence()

    def _silence(self) -> None:
        """What is on its way is of no use any more."""
        self._paging.want(None)
        self._looking.want(None)
        self._page_asked, self.page.busy = None, False

    # What is wanted

    def sync(self, wanted: Wanted) -> None:
        """Ask for whatever of it is missing."""
        self._wanted = wanted
        for which, pile in self.piles.items():
            pile.sync(wanted.model, wanted.shape, wanted.sources[which])
        self._sync_fit()

    def look(self, visible: range, hovered: int | None) -> None:
        """Which pictures are on the page, and which one the pointer rests on."""
        if (visible, hovered) != (self._visible, self._hovered):
            self._visible, self._hovered = visible, hovered
            self._sync_page()
            self._sync_one()

    def cancel_fit(self) -> None:
        """Stop fitting; `fit_again` takes it up."""
        self._fitting.want(None)
        self.fit = FitView(stopped=True)
        self._on_change()

    def fit_again(self) -> None:
        """Fit after a cancel, or after an error."""
        self.way = None
        self._sync_fit()

    def source_view(self) -> PileView:
        """The pile that is translated."""
        return self.piles[self._wanted.state.ends[0] if self._wanted else "A"].view

    def _pile_changed(self) -> None:
        self._sync_fit()
        self._on_change()

    def _wanted_way(self) -> Way | None:
        """What is to be fitted; None where a pile is missing."""
        wanted = self._wanted
        if wanted is None:
            return None
        first, second = wanted.state.ends
        alone = wanted.alone
        for which in (first,) if alone else (first, second):
            if not wanted.sources[which] or not self.piles[which].view.ready:
                return None
        numbers = tuple(self.piles[which].view.number for which in (first, second))
        return Way(wanted.model, wanted.method, wanted.sources[first], () if alone else wanted.sources[second],
                   wanted.pair if alone else "", wanted.state.ends == "BA", (wanted.names[first], wanted.names[second]),
                   (numbers[0], 0 if alone else numbers[1]))  # fmt: skip

    # Fitting

    def _sync_fit(self) -> None:
        way = self._wanted_way()
        if way != self.way:
            older = self.way
            self._fitting.want(None)
            self.way = way
            self.fit = FitView(busy=way is not None)
            # Another pile's pictures are no draft of this one's; of another method they are.
            same = older is not None and way is not None and (older.source, older.readings[0]) == (way.source, way.readings[0])
            if older is not None and not same:
                self.page, self.last = PageView(), None
            self.page.strengths = {}
            self.page.failed = set()
            self.ones = {}
            self._silence()
            if way is not None:
                self._fitting.want(FitPiles(**way.fields()), self._fitted, self._fit_failed)
            self._on_change()
        self._sync_page()
        self._sync_one()

    def _fitted(self, _answer: PilesFitted, _newest: bool) -> None:
        self.fit = FitView(ready=True)
        self._sync_page()
        self._sync_one()

    def _fit_changed(self) -> None:
        if self._fitting.progress is not None:
            self.fit.fraction, self.fit.words = self._fitting.progress
        self._on_change()

    def _fit_failed(self, sentence: str, _details: str) -> None:
        self.fit = FitView(error=sentence)
        self.page, self.ones, self.last = PageView(), {}, None

    # The page

    def _sync_page(self) -> None:
        if not self.fit.ready or self.way is None or self._wanted is None:
            return
        strength, page = self._wanted.strength, self.page
        if strength != self.strength:
            self.strength = strength
            self.ones, page.failed = {}, set()
        view = self.source_view()
        indices = [index for index in self._visible if index < len(view.pictures)]
        missing = [index for index in indices if page.strengths.get(index) != strength and index not in page.failed]
        asked = (self.way, strength, tuple(indices))
        if asked == self._page_asked or not missing:
            return
        # A drag replaces a page before it is complete: it goes on where that one stopped, so that every picture moves.
        place = next((place for place, index in enumerate(missing) if index >= self._next), 0)
        self._page_asked, page.busy = asked, True

        def answered(part: TranslatedPart, newest: bool) -> None:
            present = self._wanted.strength if self._wanted is not None else strength
            for index, picture in zip(part.indices, part.pictures, strict=True):
                # During a drag an older strength's are welcome, but never in the place of the present one's.
                if strength == present or self.page.strengths.get(index) != present:
                    self.page.pictures[index], self.page.strengths[index] = np.array(picture), strength
                self._next = index + 1
            # Only now: a line that comes and goes would change how many pairs there is room for, and so what is asked.
            self.page.error = ""
            if strength == present:
                self.page.failed |= set(part.failed)
            if newest and part.done:
                self.page.busy, self._next = False, 0
            self._trace("piles.page", strength=strength, count=len(part.indices), complete=not self.page.busy)
            self._on_change()

        def failed(sentence: str, _details: str) -> None:
            self.page.busy, self.page.error = False, sentence
            self._on_change()

        request = TranslatePage(**self.way.fields(), indices=(*missing[place:], *missing[:place]), strength=strength)
        self._paging.want(request, answered, failed)
        self._on_change()

    # One picture

    def _subject(self) -> tuple[int, np.ndarray, str] | None:
        """(number, picture, key of its content) of what is looked at closely: the hovered, else the selected."""
        if self._wanted is None:
            return None
        view, further, chosen = self.source_view(), self._wanted.further, self._wanted.state.selected
        known = self.ones.get(chosen)
        if self._hovered is not None and (known is not None and known.cycle_error is not None):
            chosen = self._hovered
        if chosen == FURTHER:
            return None if further is None else (FURTHER, further, self._wanted.further_key)
        picture = view.pictures[chosen] if 0 <= chosen < len(view.pictures) else None
        return None if picture is None else (chosen, picture, "")

    def _sync_one(self) -> None:
        if not self.fit.ready or self.way is None or self._wanted is None or self._pace.isActive():
            return
        if self._further_key != self._wanted.further_key:
            self._further_key = self._wanted.further_key
            self.ones.pop(FURTHER, None)
            self.last = None if self.last is not None and self.last[0] == FURTHER else self.last
        subject = self._subject()
        known = self.ones.get(subject[0]) if subject is not None else None
        if subject is None or (known is not None and known.cycle_error is not None):
            return
        index, picture, key = subject
        strength = self._wanted.strength
        request = TranslatePicture(**self.way.fields(), picture=picture, strength=strength, index=max(index, -1))
        if not self._looking.asks(request):
            return
        self.one_error = ""

        def answered(answer: TranslationDraft | Translation, newest: bool) -> None:
            wanted = self._wanted
            if wanted is None or (index == FURTHER and wanted.further_key != key):
                return
            one = One(np.array(answer.picture))
            if isinstance(answer, Translation):
                z = None if answer.z is None else np.array(answer.z)
                one = One(one.picture, z, answer.label, answer.cycle_error, answer.precise, answer.bpd_before, answer.bpd_after)
            self.last = (index, one)
            self._trace("piles.one", strength=strength, exact=answer.done)
            if strength == wanted.strength:
                self.ones[index] = one
                while len(self.ones) > REMEMBERED:
                    del self.ones[next(iter(self.ones))]
            if newest and answer.done:
                self._sync_one()
            self._on_change()

        def failed(sentence: str, _details: str) -> None:
            self.one_error = sentence
            self._on_change()

        self._looking.want(request, answered, failed)
        self._pace.start()

    # What is seen

    def one(self, index: int) -> One | None:
        """What is known of a picture's translation; an older strength's, or the page's, until the present one has come."""
        found = self.ones.get(index)
        if found is not None:
            return found
        if self.last is not None and self.last[0] == index:
            return One(self.last[1].picture)
        picture = self.page.pictures.get(index)
        return None if picture is None or index in self.page.failed else One(picture)

    def pictures(self, indices: Sequence[int]) -> list[np.ndarray | None]:
        """Translations of some pictures as they stand now."""
        return [self.page.pictures.get(index) for index in indices]
