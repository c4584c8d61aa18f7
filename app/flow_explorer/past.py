"""What can be undone and done again, as JSON values: for the session, so that it comes back with its words after a restart.

A state is written as what differs from the one before it. So much is kept as has room: what is nearest to the present first.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from flow_explorer.history import History, Moment
from flow_explorer.i18n import tr
from flowcore.errors import ConfigError

__all__ = ["CONTENT_BYTES", "TEXT_BYTES", "Past", "changed", "read_past"]

TEXT_BYTES = 512 * 2**10
"""Of the states and their words, per workspace."""
CONTENT_BYTES = 32 * 2**20
"""Of the pictures, latents and weights that the states name beside the present one."""
MOST = 400
SCHEMA = 1

Change = list[Any]
"""[keys to a place in the state, what is there now]; [keys] for what is there no more."""


class Past:
    """Writes a history; what was written of a state is remembered, since a session is saved often."""

    def __init__(
        self, keys: Callable[[Any], set[str]] = lambda _state: set(), bytes_of: Callable[[str], int] = lambda _key: 0
    ) -> None:
        """``keys`` are the contents that a state names, and ``bytes_of`` what one takes."""
        self._keys, self._bytes_of = keys, bytes_of
        self._dicts: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._steps: dict[tuple[int, int], tuple[list[Change], int]] = {}
        self.keys: set[str] = set()
        """What the states that were written last name, the present one's aside."""

    def write(self, history: History[Any]) -> dict[str, Any]:
        """The history as JSON values, as far as it has room; {} where there is nothing but the present."""
        moments = history.moments()
        at = next(place for place, moment in enumerate(moments) if moment.present)
        states = [moment.state for moment in moments]
        self._dicts = {id(state): self._dicts.get(id(state)) or (state, state.to_dict()) for state in states}
        pairs = list(zip(states, states[1:], strict=False))
        self._steps = {(id(one), id(two)): self._steps.get((id(one), id(two))) or self._step(one, two) for one, two in pairs}
        first, last = self._room(states, at)
        if first == last:
            self.keys = set()
            return {}
        kept = moments[first : last + 1]
        self.keys = set().union(*(self._keys(moment.state) for moment in kept))
        steps = [[moment.label, round(moment.when, 3), self._steps[id(before.state), id(moment.state)][0]]
                 for before, moment in zip(kept, kept[1:], strict=False)]  # fmt: skip
        beginning = [kept[0].label, round(kept[0].when, 3), self._dicts[id(kept[0].state)][1]]
        return {"schema": SCHEMA, "at": at - first, "first": beginning, "steps": steps}

    def _step(self, before: Any, after: Any) -> tuple[list[Change], int]:
        changes = changed(self._dicts[id(before)][1], self._dicts[id(after)][1])
        return changes, len(json.dumps(changes))

    def _room(self, states: list[Any], at: int) -> tuple[int, int]:
        """The first and the last moment for which there is room, by turns before the present and after it."""
        keys, text, contents = set(self._keys(states[at])), 0, 0
        first = last = at
        open_ends = {-1: at > 0, 1: at < len(states) - 1}
        while any(open_ends.values()):
            for way in (-1, 1):
                if not open_ends[way]:
                    continue
                place = (first if way < 0 else last) + way
                step = (place, place + 1) if way < 0 else (place - 1, place)
                text += self._steps[id(states[step[0]]), id(states[step[1]])][1]
                new = self._keys(states[place]) - keys
                contents += sum(map(self._bytes_of, new))
                if text > TEXT_BYTES or contents > CONTENT_BYTES or last - first >= MOST:
                    return first, last
                keys |= new
                first, last = (place, last) if way < 0 else (first, place)
                open_ends[way] = 0 < place < len(states) - 1
        return first, last


def read_past(past: Mapping[str, Any], read_state: Callable[[Any], Any]) -> tuple[list[Moment[Any]], int]:
    """The moments that `Past.write` wrote, and which of them is the present one.

    Raises:
        FlowError: in a sentence, for anything else; what ``read_state`` raises of a state.
    """
    broken = ConfigError(tr("What could be undone is damaged."))
    first, steps, at = past.get("first"), past.get("steps"), past.get("at")
    if past.get("schema") != SCHEMA:
        raise ConfigError(tr("What could be undone was written by another version."))
    if not isinstance(steps, list) or not 0 < len(steps) <= MOST or type(at) is not int or not 0 <= at <= len(steps):
        raise broken
    values: Any = {}
    moments = []
    for number, entry in enumerate([first, *steps]):
        if not isinstance(entry, list) or len(entry) != 3:
            raise broken
        label, when, change = entry
        if not isinstance(label, str) or type(when) not in (int, float) or not 0 <= when < 1e12:
            raise broken
        values = copy.deepcopy(change) if number == 0 else _applied(values, change, broken)
        moments.append(Moment(number, label[:200], float(when), read_state(copy.deepcopy(values)), number == at))
    return moments, at


def changed(before: Any, after: Any, place: tuple[str, ...] = ()) -> list[Change]:
    """What makes one object of JSON another."""
    found: list[Change] = [[[*place, name]] for name in before if name not in after]
    for name, value in after.items():
        here = (*place, name)
        if name not in before:
            found.append([list(here), value])
        elif isinstance(value, dict) and isinstance(before[name], dict):
            found += changed(before[name], value, here)
        elif type(value) is not type(before[name]) or value != before[name]:
            found.append([list(here), value])
    return found


def _applied(values: Any, changes: Any, broken: ConfigError) -> Any:
    values = copy.deepcopy(values)
    try:
        for place, *value in changes:
            *way, name = place
            inner = values
            for step in way:
                inner = inner[step]
            if value:
                inner[name] = value[0]
            else:
                del inner[name]
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise broken from error
    return values
