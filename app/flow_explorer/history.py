"""Undo and redo over immutable states; knows nothing of Qt or of what a state holds.

A workspace's state is a frozen dataclass. Every act of the person makes a new state and hands it to
``History.do`` with words that say what was done. Because unchanged parts are shared between states, a step
costs what it changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

S = TypeVar("S")


@dataclass(frozen=True)
class _Step(Generic[S]):
    """One undoable act: the state before it, the state after it, its words, the key it merges by, its number and its time."""

    before: S
    after: S
    label: str
    merge: Hashable
    serial: int
    when: float


@dataclass(frozen=True)
class Moment(Generic[S]):
    """A state that the person can return to, and the act that led to it."""

    serial: int
    """Its number, which it keeps for as long as it is within reach; a drag that goes on keeps its one number."""
    label: str
    """The words of the act; "" for the state that everything began with."""
    when: float
    """When that was, in seconds since 1970."""
    state: S
    present: bool


class History(Generic[S]):
    """The present state, the steps that led to it and the steps that were undone.

    Subscribers are called with the new state after every change. One that changes the state while it is being
    told is allowed: everybody is told again, and the last call always carries the present state.
    """

    def __init__(self, state: S, limit: int = 400) -> None:
        """Start at ``state`` with nothing to undo; at most ``limit`` steps are kept, the oldest are forgotten."""
        if limit < 1:
            raise ValueError("a history keeps at least one step")
        self._state = state
        self._limit = limit
        self._done: list[_Step[S]] = []
        self._undone: list[_Step[S]] = []
        self._open_merge: Hashable = None
        self._first = (0, "", time.time())
        self._serial = 0
        self._subscribers: list[Callable[[S], None]] = []
        self._telling = False
        self._tell_again = False

    @property
    def state(self) -> S:
        """The present state."""
        return self._state

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step to do again."""
        return bool(self._undone)

    @property
    def undo_label(self) -> str:
        """The words of the step that ``undo`` would take back, or ""."""
        return self._done[-1].label if self._done else ""

    @property
    def redo_label(self) -> str:
        """The words of the step that ``redo`` would do again, or ""."""
        return self._undone[-1].label if self._undone else ""

    @property
    def length(self) -> int:
        """How many steps can be undone."""
        return len(self._done)

    def moments(self) -> list[Moment[S]]:
        """Every state within reach, the oldest first, those that were undone after the present one."""
        serial, label, when = self._first
        first = self._done[0].before if self._done else self._state
        found = [Moment(serial, label, when, first, not self._done)]
        for step in self._done:
            found.append(Moment(step.serial, step.label, step.when, step.after, step is self._done[-1]))
        return found + [Moment(step.serial, step.label, step.when, step.after, False) for step in reversed(self._undone)]

    @property
    def serial(self) -> int:
        """The number of the present moment."""
        return self._done[-1].serial if self._done else self._first[0]

    def go(self, serial: int) -> bool:
        """Go to a moment by its number, undoing or redoing all between at once; False where it is the present or is gone."""
        if serial == self.serial:
            return False
        if serial == self._first[0] or any(step.serial == serial for step in self._done):
            while self.serial != serial:
                self._state = self._done[-1].before
                self._undone.append(self._done.pop())
        elif any(step.serial == serial for step in self._undone):
            while self.serial != serial:
                self._state = self._undone[-1].after
                self._done.append(self._undone.pop())
        else:
            return False
        self._open_merge = None
        self._tell()
        return True

    def keep(self, done: int, undone: int) -> None:
        """Forget the oldest steps beyond the last `done`, and of what was undone all but the next `undone`; nobody is told."""
        for step in self._done[: max(0, len(self._done) - done)]:
            self._first = (step.serial, step.label, step.when)
        del self._done[: max(0, len(self._done) - done)]
        del self._undone[: max(0, len(self._undone) - undone)]

    @property
    def undone(self) -> int:
        """How many steps can be done again."""
        return len(self._undone)

    def states(self) -> list[S]:
        """Every state that is still within reach: the present one, and those that undo and redo can bring back."""
        held = [self._state]
        for step in (*self._done, *self._undone):
            held += (step.before, step.after)
        return held

    def do(self, state: S, label: str, merge: Hashable = None) -> bool:
        """Make ``state`` the present one as a step called ``label``; returns False when nothing changed.

        Consecutive steps with the same ``merge`` key (not None) fold into one until ``seal`` is called, so
        that a drag is one step; a drag that ends where it began leaves no step at all.
        """
        if state == self._state:
            return False
        self._undone.clear()
        last = self._done[-1] if self._done else None
        if last is not None and merge is not None and merge == self._open_merge:
            self._done.pop()
            if last.before != state:
                self._done.append(_Step(last.before, state, label, merge, last.serial, time.time()))
            else:
                self._open_merge = None
        else:
            self._serial += 1
            self._done.append(_Step(self._state, state, label, merge, self._serial, time.time()))
            self.keep(self._limit, 0)
            self._open_merge = merge
        self._state = state
        self._tell()
        return True

    def amend(self, state: S) -> bool:
        """Replace the present state without a step of its own; it becomes part of the last step, if there is one.

        For what is no act of the person: a fold that unfolded, a measured figure that arrived.
        """
        if state == self._state:
            return False
        if self._done:
            last = self._done[-1]
            self._done[-1] = replace(last, after=state)
        if self._undone:
            first = self._undone[-1]
            self._undone[-1] = replace(first, before=state)
        self._state = state
        self._tell()
        return True

    def seal(self) -> None:
        """End the open merge (a mouse button was let go): the next step stands alone."""
        self._open_merge = None

    def undo(self) -> bool:
        """Go back one step; returns False when there is none."""
        if not self._done:
            return False
        step = self._done.pop()
        self._undone.append(step)
        self._open_merge = None
        self._state = step.before
        self._tell()
        return True

    def redo(self) -> bool:
        """Do the last undone step again; returns False when there is none."""
        if not self._undone:
            return False
        step = self._undone.pop()
        self._done.append(step)
        self._open_merge = None
        self._state = step.after
        self._tell()
        return True

    def reset(self, state: S) -> None:
        """Start anew at ``state`` with nothing to undo or redo (a session was restored)."""
        self._done.clear()
        self._undone.clear()
        self._open_merge = None
        self._serial += 1
        self._first = (self._serial, "", time.time())
        self._state = state
        self._tell()

    def take_up(self, moments: Sequence[Moment[S]], at: int) -> None:
        """Have what could be undone and done again at another time: ``moments``, of which the one at ``at`` is the present.

        The present state stays as it is, and takes that one's place; nobody is told, since nothing on screen is another.
        """
        states = [moment.state for moment in moments]
        states[at] = self._state
        first, *rest = moments
        self._serial += 1
        self._first = (self._serial, first.label, first.when)
        steps = []
        for before, after, moment in zip(states, states[1:], rest, strict=False):
            self._serial += 1
            steps.append(_Step(before, after, moment.label, None, self._serial, moment.when))
        self._done, self._undone = steps[:at], steps[at:][::-1]
        self._open_merge = None
        self.keep(self._limit, self._limit)

    def subscribe(self, listener: Callable[[S], None]) -> Callable[[], None]:
        """Call ``listener(state)`` after every change; returns a function that ends the subscription."""
        self._subscribers.append(listener)

        def unsubscribe() -> None:
            if listener in self._subscribers:
                self._subscribers.remove(listener)

        return unsubscribe

    def _tell(self) -> None:
        if self._telling:
            self._tell_again = True
            return
        self._telling = True
        try:
            self._tell_again = True
            while self._tell_again:
                self._tell_again = False
                for listener in list(self._subscribers):
                    listener(self._state)
                    if self._tell_again:
                        break
        finally:
            self._telling = False
