"""What undo may cost: pictures, latents and states within reach stay under a cap, and the oldest steps go first.

A state is small and names its pictures by key; neighbouring states share all that an act did not change. So the cost of
what is within reach is that of the distinct keys' contents, and of the distinct objects that the states are made of.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any

from flow_explorer.explorer.state import ExplorerState
from flow_explorer.explorer.store import Store
from flow_explorer.history import History

__all__ = ["CAP_BYTES", "fit", "weight"]

CAP_BYTES = 256 * 2**20
"""Of all that undo and redo can bring back. The present state alone may be larger: it is never dropped."""


def weight(value: Any, seen: set[int]) -> int:
    """Bytes of a state that are not among `seen` yet (ids, added to); an estimate of what Python takes for it."""
    total, left = 0, [value]
    while left:
        thing = left.pop()
        if thing is None or isinstance(thing, bool | type) or id(thing) in seen:
            continue
        seen.add(id(thing))
        total += sys.getsizeof(thing)
        if isinstance(thing, dict):
            left += [*thing.keys(), *thing.values()]
        elif isinstance(thing, list | tuple | set | frozenset):
            left += thing
        elif is_dataclass(thing):
            left += [getattr(thing, field.name) for field in fields(thing)]
            total += sys.getsizeof(getattr(thing, "__dict__", 0))
    return total


def fit(history: History[ExplorerState], store: Store, needed: Iterable[str] = (), cap: int = CAP_BYTES) -> int:
    """Forget what nothing can reach, then the oldest steps until the rest costs at most `cap` bytes; returns that cost.

    `needed` are keys that the screen holds beside the present state. Of what was undone the farthest go first; the present
    state stays whatever it costs.
    """
    moments = history.moments()
    place = next(index for index, moment in enumerate(moments) if moment.present)
    seen: set[int] = set()
    keys: set[str] = set()

    def cost(more: set[str], state: ExplorerState | None = None) -> int:
        new = more - keys
        keys.update(new)
        return sum(map(store.bytes_of, new)) + (weight(state, seen) if state is not None else 0)

    spent = cost(moments[place].state.keys | set(needed), moments[place].state)

    def reach(states: list[ExplorerState]) -> int:
        """How many of these, in this order, there is room for."""
        nonlocal spent
        for number, state in enumerate(states):
            before = set(keys)
            more = cost(state.keys, state)
            if spent + more > cap:
                keys.intersection_update(before)
                return number
            spent += more
        return len(states)

    undone = reach([moment.state for moment in moments[place + 1 :]])
    done = reach([moment.state for moment in reversed(moments[:place])])
    history.keep(done, undone)
    store.prune(keys)
    return spent
