"""From what is kept of the subject to sixteen variations of it, filled in as the engine answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query, same
from flow_explorer.engine.requests.levels import Variations, VariationsPart
from flow_explorer.explorer.facets.levels.state import COUNT, State
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr

__all__ = ["LevelsLink", "Page", "drift"]

NONE = np.zeros(0, np.float32)


@dataclass
class Page:
    """The variations that have come; a slot keeps its older picture until the new one is there."""

    slots: list[Latent | None] = field(default_factory=lambda: [None] * COUNT)
    bpds: list[float | None] = field(default_factory=lambda: [None] * COUNT)
    fresh: list[bool] = field(default_factory=lambda: [False] * COUNT)

    @property
    def complete(self) -> bool:
        return all(self.fresh)

    def order(self, by: str) -> list[int]:
        """Which variation stands in which place: as drawn, or the likeliest first once all are there."""
        if by != "likelihood" or not self.complete:
            return list(range(COUNT))
        return sorted(range(COUNT), key=lambda index: (self.bpds[index], index))


def drift(subject: np.ndarray, variation: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, float, int]:
    """How far pixels move that nobody asked to: per pixel (H, W) in grey levels (0 outside `kept`), the mean and the most."""
    moved = np.abs(variation.astype(np.int16) - subject.astype(np.int16)).max(-1)
    moved[~kept] = 0
    return moved, float(moved[kept].mean()) if kept.any() else 0.0, int(moved.max())


class LevelsLink:
    """Keeps a `Page` equal to the subject and the state."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._query = Query(client, on_change)
        self._missing = ""
        self.page = Page()

    @property
    def busy(self) -> bool:
        return self._query.busy

    @property
    def error(self) -> str:
        """Why there is nothing, or nothing newer."""
        return self._missing or self._query.error

    def forget(self) -> None:
        """The engine is a new one: what was asked of the old one is to be asked again."""
        self._query.forget()

    def sync(self, state: State, model: Model, subject: Latent | None, other: Latent | None, region: np.ndarray) -> None:
        """`region` is bool (H, W): what was brushed."""
        self._missing = ""
        if subject is None:
            if self._query.request is not None:
                self.page = Page()
                self._query.want(None)
                self._on_change()
            return
        actions = state.for_levels(model.levels)
        wants_other = "other" in actions
        if wants_other and other is None:
            self._missing = tr("There is nothing in the other picture yet: fill {well} first.", well=state.other)
            self._on_change()
            return
        request = Variations(
            str(model.path), subject.z, other.z if wants_other and other is not None else NONE, region.astype(np.uint8), actions,
            state.lock if region.any() else State.lock, state.seed, 0, COUNT, model.temperatures(state.temperature),
            subject.label,
        )  # fmt: skip
        if not self._query.asks(request):
            return
        if not same(request, self._query.request, "model", "z", "other", "region"):
            self.page = Page()
        self.page.fresh = [False] * COUNT
        self._query.want(request, lambda part, newest: self._answered(part, newest, model, subject))
        self._on_change()

    def _answered(self, part: VariationsPart, newest: bool, model: Model, subject: Latent) -> None:
        for index, (picture, row, bpd) in enumerate(zip(part.pictures, part.z, part.bpd, strict=True), part.first):
            name = tr("variation {number} of {name}", number=index + 1, name=subject.name)
            self.page.slots[index] = model.latent(np.array(row), np.array(picture), name, subject.label)
            self.page.bpds[index], self.page.fresh[index] = bpd, newest
