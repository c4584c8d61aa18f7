"""From what is kept of the subject to sixteen variations of it, filled in as the engine answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flow_explorer.engine.requests.levels import Variations
from flow_explorer.explorer.facets.levels.state import COUNT, State
from flow_explorer.explorer.latest import Latest
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
    error: str = ""

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
        self._lane = Latest(client, on_change)
        self._asked: tuple | None = None
        self.page = Page()

    @property
    def busy(self) -> bool:
        return self._lane.busy

    def forget(self) -> None:
        """The engine is a new one: what was asked of the old one is to be asked again."""
        self._asked = None
        self._lane.forget()

    def sync(self, state: State, model: Model, subject: Latent | None, other: Latent | None, region: np.ndarray) -> None:
        """`region` is bool (H, W): what was brushed."""
        if subject is None:
            if self._asked is not None:
                self.forget()
                self.page = Page()
                self._on_change()
            return
        actions = state.for_levels(model.levels)
        wants_other = "other" in actions
        if wants_other and other is None:
            self.page.error = tr("There is nothing in the other picture yet: fill {well} first.", well=state.other)
            self._on_change()
            return
        second = other.z if wants_other and other is not None else NONE
        marks = tuple(hashlib.sha256(part.tobytes()).digest() for part in (subject.z, second, region))
        lock = state.lock if region.any() else ""
        temperature = model.temperatures(state.temperature)
        asked = (str(model.path), marks, subject.label, actions, lock, state.seed, temperature)
        if asked == self._asked:
            return
        if self._asked is None or self._asked[:2] != asked[:2]:
            self.page = Page()
        self._asked = asked
        self.page.error = ""
        self.page.fresh = [False] * COUNT
        request = Variations(
            str(model.path), subject.z, second, region.astype(np.uint8), actions, state.lock, state.seed, 0, COUNT,
            temperature, subject.label,
        )  # fmt: skip
        self._lane.ask(request, lambda message: self._answered(message, asked, model, subject), self._failed)
        self._on_change()

    def _answered(self, message: Any, asked: tuple, model: Model, subject: Latent) -> None:
        pictures, z = message.arrays.get("pictures"), message.arrays.get("z")
        if pictures is None or z is None:
            return
        first = int(message.data["first"])
        for offset, (picture, row, bpd) in enumerate(zip(pictures, z, message.data["bpd"], strict=True)):
            index = first + offset
            name = tr("variation {number} of {name}", number=index + 1, name=subject.name)
            self.page.slots[index] = model.latent(np.array(row), np.array(picture), name, subject.label)
            self.page.bpds[index], self.page.fresh[index] = float(bpd), asked == self._asked
        self._on_change()

    def _failed(self, sentence: str, _details: str) -> None:
        self.page.error = sentence
        self._on_change()
