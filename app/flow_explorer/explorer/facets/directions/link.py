"""Between the directions' state and the engine: the bundled ones, the moved picture, the strip, and what is made or opened."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flow_explorer import assets
from flow_explorer.engine.requests.base import Request
from flow_explorer.engine.requests.directions import Edit, ListDirections, Moved, Strip
from flow_explorer.explorer.facets.directions.state import Held, State
from flow_explorer.explorer.latest import Latest
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.store import Latent, Store
from flow_explorer.i18n import tr

__all__ = ["AMOUNTS", "DirectionsLink", "Row"]

AMOUNTS = (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0)
"""Of the strip, in the order in which they are asked for: the middle comes first."""


@dataclass(frozen=True)
class Row:
    """A direction as it is listed."""

    held: Held
    problem: str = ""
    """Why it cannot be used with this model, in one sentence; empty where it can."""


def held_of(store: Store, message: Any, own: bool) -> list[Held]:
    """The directions of an answer, their vectors in the store."""
    cards = message.data.get("cards", [])
    vectors = message.arrays.get("vectors", [])
    return [Held(store.put_latent(np.array(vector, np.float32)), json.dumps(card), own)
            for card, vector in zip(cards, vectors, strict=True)]  # fmt: skip


class DirectionsLink:
    """Keeps what is shown equal to the state, the model and the subject."""

    def __init__(self, client: Any, store: Store, on_change: Callable[[], None]) -> None:
        self._client = client
        self._store = store
        self._on_change = on_change
        self._list = Latest(client, on_change)
        self._strip = Latest(client, on_change)
        self._listed: str | None = None
        self._asked: tuple | None = None
        self._strip_asked: tuple | None = None
        self._turn = 0
        self._busy = False
        self._tasks: dict[int, int] = {}
        self.bundled: list[Held] = []
        self.fingerprint = ""
        """Of the open model; empty until the engine has told."""
        self.list_error = ""
        self.edited: Latent | None = None
        """The moved picture with its z; None where nothing is moved."""
        self.fresh = False
        """Whether `edited` is of the present state."""
        self.bpd: float | None = None
        self.error = ""
        self.frames: dict[float, np.ndarray] = {}
        """The strip, by amount."""
        self.strip_error = ""
        self.progress: tuple[float, str] | None = None
        """Of what is being made; None where nothing is."""

    # What is there

    @property
    def busy(self) -> bool:
        return self._busy or self._list.busy or self._strip.busy or bool(self._tasks)

    @property
    def making(self) -> bool:
        return bool(self._tasks)

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
        self._listed = self._asked = self._strip_asked = None
        self._turn += 1
        self._busy = False
        self._list.forget()
        self._strip.forget()

    def sync(self, state: State, model: Model, subject: Latent | None) -> None:
        """Ask for what is missing."""
        self._sync_list(model)
        if not self.fingerprint:
            return
        vectors, moves = self._moves(state)
        self._sync_edit(model, subject, vectors, moves)
        self._sync_strip(state, model, subject)

    def _sync_list(self, model: Model) -> None:
        path = str(model.path)
        if path == self._listed:
            return
        before, self._listed = self._listed, path
        self.fingerprint, self.bundled, self.list_error = "", [], ""
        if before is not None:
            self._clear()
        folder = assets.root() / "directions" / model.path.stem
        bundled = model.path.parent == assets.root() / "models"

        def answered(message: Any) -> None:
            self.fingerprint = str(message.data["fingerprint"])
            self.bundled = held_of(self._store, message, own=False)
            self.list_error = " ".join(message.data.get("problems", []))
            self._on_change()

        def failed(sentence: str, _details: str) -> None:
            self.list_error = sentence
            self._on_change()

        self._list.ask(ListDirections(path, str(folder) if bundled else ""), answered, failed, at_once=True)

    def _clear(self) -> None:
        self._turn += 1
        self._busy = False
        self._asked = self._strip_asked = None
        self._strip.drop()
        self.edited, self.frames, self.bpd, self.error, self.strip_error, self.fresh = None, {}, None, "", "", False

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
            if self._asked is not None or self.edited is not None:
                self._turn += 1
                self._asked, self._busy, self.edited, self.bpd, self.error = None, False, None, None, ""
                self._on_change()
            return
        # The latent itself is kept in what was asked, so its id cannot have been given to another one.
        asked = (str(model.path), id(subject.z), subject.label, keys, moves, subject.z)
        if self._asked is not None and asked[:-1] == self._asked[:-1]:
            return
        self._asked, self.fresh, self._busy, self.error = asked, False, True, ""
        self._turn += 1
        turn, shape = self._turn, asked[:3]

        def answered(message: Any) -> None:
            # During a drag the answer of an older amount is shown too; the client keeps them in order.
            if self._asked is None or self._asked[:3] != shape:
                return
            if "picture" in message.arrays:
                name = tr("{name}, moved", name=subject.name)
                z, picture = np.array(message.arrays["z"]), np.array(message.arrays["picture"])
                self.edited = model.latent(z, picture, name, subject.label)
                self.bpd, self.fresh = None, turn == self._turn
            if message.data.get("bpd") is not None and turn == self._turn:
                self.bpd = float(message.data["bpd"])
            if message.done and turn == self._turn:
                self._busy = False
            self._on_change()

        def failed(sentence: str, _details: str = "", *_more: object) -> None:
            if turn == self._turn:
                self._busy, self.error = False, sentence
                self._on_change()

        self._client.send(Edit(asked[0], subject.z, self._vectors(keys, subject.z.size), moves, subject.label),
                          on_answer=answered, on_error=failed)  # fmt: skip

    def _sync_strip(self, state: State, model: Model, subject: Latent | None) -> None:
        hand = self.in_hand(state)
        if subject is None or hand is None:
            if self._strip_asked is not None or self.frames:
                self._strip.drop()
                self._strip_asked, self.frames = None, {}
                self._on_change()
            return
        others = [row.held for row in self.rows(state)
                  if row.held.amount and not row.problem and row.held.key != hand.key]  # fmt: skip
        keys, moves = self._as_moves([*others, replace(hand, amount=0.0)])
        asked = (str(model.path), id(subject.z), subject.label, keys, moves, subject.z)
        if self._strip_asked is not None and asked[:-1] == self._strip_asked[:-1]:
            return
        self._strip_asked, self.strip_error = asked, ""
        request = Strip(asked[0], subject.z, self._vectors(keys, subject.z.size), moves[:-1], moves[-1], AMOUNTS, subject.label)

        def answered(message: Any) -> None:
            pictures = message.arrays.get("pictures")
            if pictures is None or asked is not self._strip_asked:
                return
            first = int(message.data["first"])
            amounts = AMOUNTS[first : first + len(pictures)]
            self.frames = self.frames | dict(zip(amounts, map(np.array, pictures), strict=True))
            self._on_change()

        def failed(sentence: str, _details: str) -> None:
            self.strip_error = sentence
            self._on_change()

        self._strip.ask(request, answered, failed, at_once=True)

    # What must finish

    def task(self, request: Request, done: Callable[[Any], None], failed: Callable[[str], None]) -> None:
        """Send what must finish; `progress` follows it, `cancel` ends it."""
        number = len(self._tasks) and max(self._tasks) + 1
        self._tasks[number] = -1
        self.progress = (0.0, "")

        def over() -> bool:
            known = self._tasks.pop(number, None) is not None
            if not self._tasks:
                self.progress = None
            return known

        def answered(message: Any) -> None:
            if message.done and over():
                done(message)
                self._on_change()

        def wrong(sentence: str, _details: str = "", *_more: object) -> None:
            if over():
                failed(sentence)
                self._on_change()

        def progressed(fraction: float, text: str) -> None:
            if number in self._tasks:
                self.progress = (fraction, text)
                self._on_change()

        identity = self._client.send(request, on_answer=answered, on_error=wrong, on_progress=progressed)
        if number in self._tasks:
            self._tasks[number] = identity
        self._on_change()

    def cancel(self) -> None:
        """End what is being made."""
        for identity in self._tasks.values():
            self._client.cancel(identity)
        self._tasks.clear()
        self.progress = None
        self._on_change()
