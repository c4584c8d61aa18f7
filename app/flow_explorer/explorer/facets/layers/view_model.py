"""What has come from the engine of one picture's way through the layers, and the sums that are shown of it; without Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from flow_explorer.engine.requests.layers import Against, AgainstPrior, Outline, Place, Stages, Terms

__all__ = ["LayersView", "Row", "bits"]


@dataclass(frozen=True)
class Row:
    """One line of the sum that makes the likelihood."""

    kind: str
    """"start", "layers", "volume" (the sum of these), "prior", "likelihood" (the sum of all)."""
    level: int
    """From 1, the finest; 0 where it is of none."""
    count: int
    """Of layers, or of the level's numbers."""
    nats: float | None
    """None while some of it is not known."""


@dataclass
class LayersView:
    """One picture's stages and terms; what is not there yet is None, or an older picture's that stands in for it."""

    places: list[Place] = field(default_factory=list)
    levels: list[tuple[str, int]] = field(default_factory=list)
    """(name, numbers) of z's levels, the finest first."""
    pictures: list[np.ndarray | None] = field(default_factory=list)
    ranges: list[tuple[float, float] | None] = field(default_factory=list)
    fresh: list[bool] = field(default_factory=list)
    """Which pictures are of the one that was asked for last."""
    log_dets: list[float | None] = field(default_factory=list)
    prior_terms: list[float] = field(default_factory=list)
    log_prob: float | None = None
    bpd: float | None = None
    against: list[Against | None] = field(default_factory=list)
    """One a level; None where the prior is a mixture, or nothing has come."""
    whole: Against | None = None
    prior_known: bool = False
    difference: float | None = None
    """Between the stages of the way there and of the way back, as a share of the range shown."""
    error: str = ""
    details: str = ""

    @property
    def count(self) -> int:
        """Of stages, the pixels counted."""
        return len(self.places)

    @property
    def num_dims(self) -> int:
        return sum(numbers for _, numbers in self.levels)

    @property
    def complete(self) -> bool:
        return bool(self.fresh) and all(self.fresh) and self.bpd is not None

    def stage(self, index: int) -> int:
        """The nearest stage that there is."""
        return min(max(index, 0), max(self.count - 1, 0))

    def take(self, answer: Outline | Stages | Terms | AgainstPrior) -> None:
        """Keep what has come."""
        if isinstance(answer, Outline):
            self._begin(answer)
        elif isinstance(answer, Stages):
            self._take_stages(answer)
        elif isinstance(answer, Terms):
            self.log_dets, self.prior_terms = list(answer.log_dets), list(answer.prior)
            self.log_prob, self.bpd = answer.log_prob, answer.bpd
        else:
            self.against, self.whole, self.prior_known = list(answer.levels), answer.whole, True

    def _begin(self, outline: Outline) -> None:
        """Another picture's stages are about to come; the older ones of the same layers stand until then."""
        places = list(outline.layers)
        if places != self.places:
            count = len(places)
            self.places, self.pictures, self.ranges, self.log_dets = places, [None] * count, [None] * count, [None] * count
            self.prior_terms, self.log_prob, self.bpd = [], None, None
            self.against, self.whole, self.prior_known = [], None, False
        self.levels = list(outline.levels)
        self.fresh = [False] * len(places)
        self.difference = None
        self.error = self.details = ""

    def _take_stages(self, stages: Stages) -> None:
        """Put pictures where they belong."""
        for offset, (picture, ends) in enumerate(zip(stages.pictures, stages.ranges, strict=True)):
            index = stages.first + offset
            self.pictures[index], self.ranges[index] = np.array(picture), (float(ends[0]), float(ends[1]))
            self.fresh[index] = True
            if stages.log_dets is not None:
                self.log_dets[index] = stages.log_dets[offset]

    # Sums

    def sums(self) -> list[float]:
        """Σ log-det after each stage, as far as it is known, nats."""
        total, found = 0.0, []
        for value in self.log_dets:
            if value is None:
                break
            total += value
            found.append(total)
        return found

    def rows(self) -> list[Row]:
        """The likelihood's terms in the order in which they add up."""
        depth = max((place.level for place in self.places), default=0)
        members: dict[int, list[int]] = {level: [] for level in range(depth + 1)}
        for index, place in enumerate(self.places):
            if place.kind != "pixels":
                members[place.level].append(index)
        rows = [Row("layers" if level else "start", level, len(indices), _total([self.log_dets[index] for index in indices]))
                for level, indices in members.items() if indices]  # fmt: skip
        rows.append(Row("volume", 0, max(self.count - 1, 0), _total(self.log_dets)))
        terms = self.prior_terms or [None] * len(self.levels)
        rows += [Row("prior", number + 1, numbers, term)
                 for number, ((_, numbers), term) in enumerate(zip(self.levels, terms, strict=True))]  # fmt: skip
        rows.append(Row("likelihood", 0, self.num_dims, self.log_prob))
        return rows


def bits(nats: float, num_dims: int) -> float:
    """What a term in nats costs: bits per dimension, fewer being likelier."""
    return -nats / (num_dims * math.log(2)) if num_dims else 0.0


def _total(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if len(known) == len(values) else None
