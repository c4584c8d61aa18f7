"""The pictures that a model's samples are held against, and what is known of each."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from flow_explorer.cli.classes import labels_of
from flow_explorer.cli.opening import event_shape
from flow_explorer.cli.reading import of_card
from flowcore.data.datasets import open_dataset
from flowcore.data.picture_set import PictureSet
from flowcore.errors import DataError

from ..pictures import data_maker

__all__ = ["SUBJECTS", "Material", "Part", "Subject", "material"]

ASIDE = 2000
"""Training pictures that the feature network does not learn from, at most; at most an eighth of them."""


@dataclass(frozen=True)
class Subject:
    """Where a data set lies below the folder of data sets.

    ``data`` is what `flow-explorer train --data` takes, or what ``maker`` of assets/models/data.py reads to make it;
    ``attributes`` a table as `--attributes` takes it, "" where the pictures have classes of their own. ``flip`` says whether
    a picture's mirror image could be one of the data set.
    """

    data: str
    attributes: str = ""
    maker: str = ""
    flip: bool = False
    epochs: int = 12


SUBJECTS = {
    "faces": Subject("celeba10k", "celeba10k/attributes.npz", maker="faces", flip=True),
    "avatars": Subject("avatars.npz", "avatars.csv", epochs=6),
    "mnist": Subject("mnist", epochs=3),
    "fashion": Subject("fashion-mnist", flip=True, epochs=5),
}


@dataclass(frozen=True)
class Part:
    """``pictures`` (N, H, W, C) uint8; ``targets`` classes (N,) or attributes (N, A) of 0 and 1, int64; ``labels`` the model's
    classes (N,), None for a model without."""

    pictures: np.ndarray
    targets: np.ndarray
    labels: np.ndarray | None

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, rows: np.ndarray | slice) -> Part:
        return Part(self.pictures[rows], self.targets[rows], None if self.labels is None else self.labels[rows])


@dataclass(frozen=True)
class Material:
    """``learnt``: training pictures for the feature network; ``aside``: training pictures that it does not see; ``held``: the
    data set's test pictures. ``answers`` names the attributes or classes, ``of_classes`` says which of the two they are."""

    learnt: Part
    aside: Part
    held: Part
    answers: list[str]
    of_classes: bool


def material(subject: Subject, folder: Path, path: Path, card: Mapping) -> Material:
    """A data set as the model ``path`` with that card sees it. The order of pictures is drawn with seed 0.

    Raises:
        DataError: where it is not at hand, or does not fit the model.
    """
    train, held = _read(subject, folder, path, card)
    of_classes = not subject.attributes
    if of_classes and train.labels is None:
        raise DataError(f"{folder / subject.data} has neither classes nor a table of attributes to learn features from.")
    parts = []
    for found in (train, held):
        labels = labels_of(found, card)
        attributes = None if found.attributes is None else (found.attributes > 0).astype(np.int64)
        targets = found.labels if of_classes else attributes
        assert targets is not None and isinstance(found.pictures, np.ndarray)  # both parts of a data set have the same
        order = np.random.default_rng(0).permutation(len(found))
        parts.append(Part(found.pictures, targets, labels).take(order))
    aside = min(ASIDE, len(train) // 8)
    answers = train.classes if of_classes else train.attribute_names
    return Material(parts[0].take(slice(aside, None)), parts[0].take(slice(aside)), parts[1], answers, of_classes)


def _read(subject: Subject, folder: Path, path: Path, card: Mapping) -> list[PictureSet]:
    height, width, channels = event_shape(path, card)
    said = card.get("data")
    said = said if isinstance(said, Mapping) else {}
    options = vars(replace(of_card(said), channels=channels))
    if subject.attributes:
        options |= {"attributes": folder / subject.attributes, "labels_from": said.get("labels_from")}
    with _made(subject, folder, height) as data:
        # All in memory: the networks take the pictures in any order, many times.
        return [open_dataset(data, split, (height, width), memory=2**62, **options) for split in ("train", "test")]


@contextmanager
def _made(subject: Subject, folder: Path, size: int):
    """The data's path; of what is first to be made, that of a temporary file."""
    data = folder / subject.data
    if not data.exists():
        raise DataError(f"There is no data at {data}: name the folder of data sets with --data-folder.")
    if not subject.maker:
        yield data
        return
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / f"{subject.maker}.npz"
        np.savez(made, **getattr(data_maker(), subject.maker)(folder, size))
        yield made
