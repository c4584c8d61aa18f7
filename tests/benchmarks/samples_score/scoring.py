"""The figures of one model: its samples against pictures, and pictures against pictures as the floor."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flowcore.errors import ConfigError
from flowcore.model import checkpoint
from flowcore.model.card import class_names
from flowcore.model.flow import Flow

from .drawing import default_temperatures, draw, said
from .features import FEATURES, FeatureNetwork, Recipe, accuracy, trained
from .frechet import DRAWS, measured, ratio
from .subjects import Material, Part, Subject, material
from .telling_apart import EPOCHS, SEEDS, coarse, tell_apart

__all__ = ["Budget", "Judge", "Model", "judge", "opened", "score", "sweep"]

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Budget:
    """How much is looked at."""

    count: int = 2000
    """Samples, and pictures of each kind, at most."""
    draws: int = DRAWS
    seeds: tuple[int, ...] = SEEDS
    epochs: int = EPOCHS
    learnt: int | None = None
    """Training pictures of the feature network; None for all."""

    @classmethod
    def quick(cls) -> Budget:
        return cls(200, 100, SEEDS[:1], 3, 1024)


@dataclass(frozen=True)
class Model:
    """A model by the name that its row has."""

    name: str
    path: Path
    flow: Flow
    card: dict

    @property
    def temperatures(self) -> tuple[float, ...]:
        return default_temperatures(self.card, len(self.flow.levels))


def opened(name: str, path: Path) -> Model:
    """Read from a checkpoint or a run folder. Raises CheckpointError."""
    loaded = checkpoint.load(path)
    return Model(name, path, loaded.flow, loaded.card)


@dataclass(frozen=True)
class Pile:
    """Samples or pictures, uint8 (N, H, W, C), with their features (N, F)."""

    pictures: np.ndarray
    features: np.ndarray


@dataclass(frozen=True)
class Judge:
    """A data set with the feature network that learned from it."""

    data: Material
    network: FeatureNetwork
    learnt: int
    """Pictures that the network learned from."""
    count: int
    """Samples, and pictures of each kind, that are compared."""
    flip: bool
    budget: Budget

    def distance(self, a: Pile, b: Pile) -> dict:
        return measured(a.features, b.features, self.budget.draws).to_dict()

    def figures(self, pile: Pile, pictures: Pile) -> dict:
        """How far a pile is from pictures, and how well it is told from them."""
        piles = pictures.pictures, pile.pictures
        budget = self.budget
        return {
            "distance": self.distance(pile, pictures), "auc": tell_apart(*piles, budget.seeds, self.flip, budget.epochs),
            "coarse_auc": tell_apart(coarse(piles[0]), coarse(piles[1]), budget.seeds, self.flip, budget.epochs),
        }  # fmt: skip

    def about(self) -> dict:
        right, commonest = accuracy(self.network, self.data.held.pictures, self.data.held.targets)
        return {
            "features": FEATURES, "answers": len(self.data.answers), "of_classes": self.data.of_classes,
            "learnt": self.learnt, "accuracy": right, "commonest": commonest, "held_out": len(self.data.held),
        }  # fmt: skip


def judge(subject: Subject, folder: Path, model: Model, budget: Budget, cache: Path | None, tell: Tell) -> Judge:
    """Trains the feature network of the model's data set, or takes it from the folder ``cache``.

    Raises:
        DataError: where the data set is not at hand.
    """
    data = material(subject, folder, model.path, model.card)
    learnt = data.learnt.take(slice(budget.learnt))
    recipe = Recipe(epochs=1 if budget.learnt else subject.epochs, flip=subject.flip)
    network = trained(learnt.pictures, learnt.targets, len(data.answers), recipe, cache, tell)
    count = min(budget.count, len(data.aside), len(data.held))
    return Judge(data, network, len(learnt), count, subject.flip, budget)


def _pile(judged: Judge, pictures: np.ndarray) -> Pile:
    return Pile(pictures, judged.network.features(pictures))


def _samples(model: Model, judged: Judge, part: Part, temperatures: Sequence[float]) -> Pile:
    """As many samples as pictures, of the same classes, one by one."""
    made = draw(model.flow, temperatures, len(part), part.labels)
    if made.shape[1:] != part.pictures.shape[1:]:
        size, wanted = (" × ".join(map(str, shape)) for shape in (made.shape[1:], part.pictures.shape[1:]))
        raise ConfigError(f"{model.name} makes pictures of {size}, and those that it is held against are {wanted}.")
    return _pile(judged, made)


def score(model: Model, judged: Judge, earlier: Model | None, tell: Tell) -> dict:
    """The model's row: at its card's temperatures, against held-out pictures."""
    began = time.perf_counter()
    held, aside = (part.take(slice(judged.count)) for part in (judged.data.held, judged.data.aside))
    held_pile, aside_pile = (_pile(judged, part.pictures) for part in (held, aside))

    def figures(name: str, pile: Pile) -> dict:
        found = judged.figures(pile, held_pile)
        tell(f"{name}: {_said(found)}")
        return found

    samples = _samples(model, judged, held, model.temperatures)
    row = {
        "model": model.name, "title": model.card.get("title") or model.name, "count": judged.count,
        "network": judged.about(), "floor": figures("training pictures", aside_pile),
        "samples": {"temperatures": list(model.temperatures), **figures("samples", samples)},
    }  # fmt: skip
    if class_names(model.card) and judged.data.of_classes:
        row["by_class"] = _by_class(judged, samples, (held, held_pile), (aside, aside_pile))
    if earlier is not None:
        before = _samples(earlier, judged, held, earlier.temperatures)
        row["against"] = {
            "file": earlier.name, "temperatures": list(earlier.temperatures), **figures(earlier.name, before),
            "ratio": ratio(samples.features, before.features, held_pile.features, judged.budget.draws).to_dict(),
        }  # fmt: skip
    return row | {"seconds": round(time.perf_counter() - began)}


def _said(figures: dict) -> str:
    auc, coarse_auc = (np.mean(figures[key]) for key in ("auc", "coarse_auc"))
    return f"distance {figures['distance']['value']:.3f}, AUC {auc:.3f}, of coarse pictures {coarse_auc:.3f}"


def _by_class(judged: Judge, samples: Pile, held: tuple[Part, Pile], aside: tuple[Part, Pile]) -> list[dict]:
    """Each class alone: the same number of samples, held-out and training pictures."""
    wanted = held[0].targets
    made, real = (judged.network.answers(pile.pictures).argmax(1) == wanted for pile in (samples, held[1]))
    rows = []
    for number, name in enumerate(judged.data.answers):
        here, there = (np.flatnonzero(part.targets == number) for part, _ in (held, aside))
        count = min(len(here), len(there))
        if count <= FEATURES:  # a covariance of fewer has no full rank
            continue
        pictures = Pile(held[1].pictures[here[:count]], held[1].features[here[:count]])
        others = [Pile(pile.pictures[rows], pile.features[rows])
                  for pile, rows in ((samples, here[:count]), (aside[1], there[:count]))]  # fmt: skip
        distance, floor = (judged.distance(pile, pictures) for pile in others)
        rows.append({"class": name, "count": count, "distance": distance, "floor": floor,
                     "recognised": float(made[here].mean()), "real_recognised": float(real[here].mean())})  # fmt: skip
    return rows


def sweep(model: Model, judged: Judge, profiles: Sequence[tuple[float, ...]], tell: Tell) -> list[dict]:
    """The score at each of the temperatures, one a level, against *training* pictures that the feature network has not seen.

    What is chosen by a sweep is thereby not chosen on the pictures that it is then measured on.
    """
    aside = judged.data.aside.take(slice(judged.count))
    pile = _pile(judged, aside.pictures)
    rows = []
    for temperatures in profiles:
        samples = _samples(model, judged, aside, temperatures)
        rows.append({"temperatures": list(temperatures), **judged.figures(samples, pile)})
        tell(f"{said(temperatures)}: {_said(rows[-1])}")
    return rows
