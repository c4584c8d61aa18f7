"""What a target is called, and what it looks like in small."""

from __future__ import annotations

import json
from collections import OrderedDict
from functools import lru_cache

import numpy as np

from flow_explorer.i18n import tr
from flow_explorer.toylab.state import ToyState
from flowcore.errors import FlowError
from flowcore.plane.densities import get
from flowcore.plane.targets import targets as toy_targets

__all__ = ["brightness", "dots", "file_stem", "is_known", "key_of", "note_of", "title_of", "title_of_target"]


def title_of(state: ToyState) -> str:
    """The target's name, for the chip and the picker."""
    return title_of_target(state.target, state.density)


def title_of_target(target: dict | None, density: str) -> str:
    """The same, of a target and the built-in density beside it."""
    if target is None:
        return tr(get(density).title)
    if target["kind"] == "parameters":
        return tr("{name}, reshaped", name=tr(get(density).title))
    if target["kind"] == "formula":
        return "log p = " + " ".join(str(target["text"]).split())
    return str(target.get("title") or tr("Drawing"))


def note_of(target: dict | None) -> str:
    """What there is to know of a custom target (rows left out, standardised); "" for nothing."""
    return str(target.get("note", "")) if target is not None else ""


def is_known(target: dict | None) -> bool:
    """Whether the density itself is known, not only points of it."""
    return target is None or target["kind"] != "points"


def file_stem(state: ToyState) -> str:
    """How a file about this target begins."""
    return state.density if state.target is None or state.target["kind"] == "parameters" else state.target["kind"]


_keys: OrderedDict[int, tuple[dict, str]] = OrderedDict()


def key_of(target: dict | None) -> str:
    """A target as text: equal for equal targets. Quick for the ones asked for last, as a table's may be a megabyte."""
    if target is None:
        return ""
    kept = _keys.get(id(target))  # the entry holds the target, so its id is not another's meanwhile
    if kept is None:
        kept = _keys[id(target)] = (target, json.dumps(target, sort_keys=True))
        if len(_keys) > 16:
            _keys.popitem(last=False)
    return kept[1]


def brightness(target: dict | None, density: str, side: int = 48) -> np.ndarray | None:
    """√p, 0..1, (side, side), row 0 on top; None where the density is unknown or cannot be made."""
    return _brightness(key_of(target), density, side)


@lru_cache(maxsize=64)
def _brightness(key: str, density: str, side: int) -> np.ndarray | None:
    target = json.loads(key) if key else None
    if not is_known(target):
        return None
    try:
        level = toy_targets.picture(target, density, side)
    except FlowError:
        return None
    if level is None:
        return None
    level = np.asarray(level, np.float64)
    return level / max(float(level.max()), 1e-12)


def dots(target: dict, density: str, count: int = 400) -> np.ndarray:
    """A few points of a target, (n, 2), always the same ones."""
    return _dots(key_of(target), density, count)


@lru_cache(maxsize=8)
def _dots(key: str, density: str, count: int) -> np.ndarray:
    try:
        points = toy_targets.make(json.loads(key), density).sample(count, np.random.default_rng(0))
    except FlowError:
        return np.empty((0, 2))
    return points[np.isfinite(points).all(1)]
