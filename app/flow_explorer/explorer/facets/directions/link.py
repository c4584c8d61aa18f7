"""Between the directions' state and the engine: the bundled ones, the moved picture, the strip, and what is made or opened."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from flow_explorer import assets
from flow_explorer.engine.query import Query, same
from flow_explorer.engine.requests.base import Request
from flow_explorer.engine.requests.directions import Directions, Edit, ListDirections, Moved, Strip
from flow_explorer.engine.requests.explorer import BitsAt, FramesPart, PictureAt
from flow_explorer.explorer.facets.directions.state import Held, State
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.store import Latent, Store
from flow_explorer.i18n import tr

__all__ = ["AMOUNTS", "DirectionsLink", "Row"]

A = TypeVar("A")

AMOUNTS = (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0)
"""Of the strip, in the order in which they are asked for: the middle comes first."""


@dataclass(frozen=True)
class Row:
    """A direction as it is listed."""

    held: Held
    problem: str = ""
    """Why it cannot be used with this model, in one sentence; empty where it can."""


def held_of(store: Store, found: Directions, own: bool) -> list[Held]:
    """The directions of an answer, their vectors in the store."""
    return [Held(store.put_latent(np.array(vector, np.float32)), json.dumps(card), own)
            for card, vector in zip(found.cards, found.vectors, strict=True)]  # fmt: skip


class DirectionsLink:
    """Keeps what is shown equal to the state, the model and the subject."""

    def __init__(self, client: Any, store: Store, on_change: Callable[[], None]) -> None:
        self._client = client
        self._store = store
        self._on_change = on_change
        self._list, self._strip = Query(client, on_change), Query(client, on_change)
        self._edit = Query(client, on_change, each=True)
        self._problems = ""
        self._tasks: list[Query] = []
        self.bundled: list[Held] = []
        self.fingerprint = ""
        """Of the open model; empty until the engine has told."""
        self.edited: Latent | None = None
        """The moved picture with its z; None where nothing is moved."""
        self.fresh = False
        """Whether `edited` is of the present state."""
        self.bpd: float | None = None
        self.frames: dict[float, np.ndarray] = {}
        """The strip, by amount."""

    # What is there

    @property
    def busy(self) -> bool:
        return self._edit.busy or self._list.busy or self._strip.busy or bool(self._tasks)

    @property
    def error(self) -> str:
        return self._edit.error

    @property
    def strip_error(self) -> str:
        return self._strip.error

    @property
    def list_error(self) -> str:
        return self._list.error or self._problems

    @property
    def making(self) -> bool:
        return bool(self._tasks)

    @property
    def progress(self) -> tuple[float, str] | None:
        """Of what is being made; None where nothing is."""
        told = [task.progress for task in self._tasks if task.progress is not None]
        return (told[-1] if told else (0.0, "")) if self._tasks else None

    def rows(self, state: State) -> list[Row]:
        """Every direction, the bundled ones first, as the state has them."""
        known = {held.key for held in self.bundled}
        shown = [state.find(held.key) or held for held in self.bundled] + [h for h in state.held if h.key not in known]
        return [Row(held, self._problem(held)) for held in shown]

    def _problem(self, held: Held) -> str:
        if held.key not in self._store:
            return tr("Its numbers are not at hand; open its file again.")
        facts = held.facts()
        if self.fingerprint and facts["fingerprint"] != self.fingerprint:
            return tr("Made for another model ({model}, or other weights of it)", model=str(facts.get("model") or "?"))
        return ""

    def in_hand(self, state: State) -> Held | None:
        """The direction that the strip is of: the one touched last, else the first that can be used."""
        usable = [row.held for row in self.rows(state) if not row.problem]
        return next((held for held in usable if held.key == state.hand), usable[0] if usable else None)

    # Asking

    def forget(self) -> None:
        """The engine is a new one. What must finish is sent again by the client itself."""
        for query in (self._list, self._strip, self._edit):
            query.forget()

    def sync(self, state: State, model: Model, subject: Latent | None) -> None:
        """Ask for what is missing."""
        self._sync_list(model)
        if not self.fingerprint:
            return
        vectors, moves = self._moves(state)
        self._sync_edit(model, subject, vectors, moves)
        self._sync_strip(state, model, subject)

    def _sync_list(self, model: Model) -> None:
        folder = assets.root() / "directions" / model.path.stem
        bundled = model.path.parent == assets.root() / "models"
        request = ListDirections(str(model.path), str(folder) if bundled else "")
        if not self._list.asks(request):
            return
        self.fingerprint, self.bundled, self._problems = "", [], ""
        if self._list.request is not None:
            self._edit.want(None)
            self._strip.want(None)
            self.edited, self.frames, self.bpd, self.fresh = None, {}, None, False

        def answered(found: Directions, _newest: bool) -> None:
            self.fingerprint = found.fingerprint
            self.bundled = held_of(self._store, found, own=False)
            self._problems = " ".join(found.problems)

        self._list.want(request, answered, at_once=True)
        self._on_change()

    def _moves(self, state: State) -> tuple[tuple[str, ...], tuple[Moved, ...]]:
        """(keys of the vectors, moves) of all that are moved and can be."""
        moved = [row.held for row in self.rows(state) if row.held.amount and not row.problem]
        return self._as_moves(moved)

    def _as_moves(self, held: Sequence[Held]) -> tuple[tuple[str, ...], tuple[Moved, ...]]:
        keys: list[str] = []

        def row(key: str) -> int:
            if key not in keys:
                keys.append(key)
            return keys.index(key)

        moves = tuple(
            (row(each.key), each.amount, float(each.facts()["deviation"]), each.levels,
             tuple(row(other) for other in each.without if other in self._store and other != each.key))
            for each in held
        )  # fmt: skip
        return tuple(keys), moves

    def _vectors(self, keys: Sequence[str], dims: int) -> np.ndarray:
        rows = [self._store.latent(key) for key in keys]
        return np.stack(rows) if rows else np.zeros((0, dims), np.float32)

    def _sync_edit(self, model: Model, subject: Latent | None, keys: tuple[str, ...], moves: tuple[Moved, ...]) -> None:
        if subject is None or not moves:
            if self._edit.want(None) or self.edited is not None:
                self.edited, self.bpd = None, None
                self._on_change()
            return
        request = Edit(str(model.path), subject.z, self._vectors(keys, subject.z.size), moves, subject.label)

        def answered(answer: PictureAt | BitsAt, newest: bool) -> None:
            # During a drag the answer of an older amount is shown too; the client keeps them in order.
            if not same(request, self._edit.request, "model", "z", "label"):
                return
            if isinstance(answer, PictureAt):
                name = tr("{name}, moved", name=subject.name)
                self.edited = model.latent(np.array(answer.z), np.array(answer.picture), name, subject.label)
                self.bpd, self.fresh = None, newest
            elif newest:
                self.bpd = answer.bpd

        if self._edit.want(request, answered):
            self.fresh = False

    def _sync_strip(self, state: State, model: Model, subject: Latent | None) -> None:
        hand = self.in_hand(state)
        if subject is None or hand is None:
            if self._strip.want(None) or self.frames:
                self.frames = {}
                self._on_change()
            return
        others = [row.held for row in self.rows(state)
                  if row.held.amount and not row.problem and row.held.key != hand.key]  # fmt: skip
        keys, moves = self._as_moves([*others, replace(hand, amount=0.0)])
        request = Strip(str(model.path), subject.z, self._vectors(keys, subject.z.size), moves[:-1], moves[-1], AMOUNTS,
                        subject.label)  # fmt: skip

        def answered(part: FramesPart, _newest: bool) -> None:
            amounts = AMOUNTS[part.first : part.first + len(part.pictures)]
            self.frames = self.frames | dict(zip(amounts, map(np.array, part.pictures), strict=False))

        if self._strip.want(request, answered, at_once=True):
            self._on_change()

    # What must finish

    def task(self, request: Request[A], done: Callable[[A], object], failed: Callable[[str], object]) -> None:
        """Send what must finish; `progress` follows it, `cancel` ends it."""
        task = Query(self._client, self._on_change)

        def answered(answer: A, _newest: bool) -> None:
            self._tasks.remove(task)
            done(answer)

        def wrong(sentence: str, _details: str) -> None:
            self._tasks.remove(task)
            failed(sentence)

        self._tasks.append(task)
        task.want(request, answered, wrong)
        self._on_change()

    def cancel(self) -> None:
        """End what is being made."""
        for task in self._tasks:
            task.want(None)
        self._tasks.clear()
        self._on_change()
