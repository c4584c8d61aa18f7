"""The pictures that flows are measured on: MNIST, Fashion-MNIST and CIFAR-10, from the folder of data sets."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from flowcore.data.datasets import open_dataset
from flowcore.errors import DataError

from .measure import ROOT

__all__ = ["DATA_SETS", "Pictures", "cells", "data_folder", "data_maker", "read"]

DATA_SETS = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "cifar10": "CIFAR-10"}
CIFAR_HELD_OUT = 2_000
"""The last of the training pictures, for choosing the checkpoint."""


@dataclass(frozen=True)
class Pictures:
    """One split: ``pictures`` (N, H, W, C) uint8 and ``labels`` (N,), as training takes them."""

    pictures: np.ndarray
    labels: np.ndarray | None


def data_folder() -> Path:
    """Where the data sets are."""
    chosen = os.environ.get("FLOW_EXPLORER_DATA")
    return Path(chosen) if chosen else ROOT.parent / "shared" / "data"


def data_maker() -> ModuleType:
    """assets/models/data.py, which is a script and no module."""
    script = ROOT / "assets" / "models" / "data.py"
    spec = importlib.util.spec_from_file_location("bundled_data", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(script.parent))  # as for any script: what lies beside it can be imported
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(script.parent))
    return module


def read(name: str, split: str) -> Pictures:
    """A split ("train", "validation", "test") of a data set, or of an .npz file.

    Raises:
        DataError: where it is not at hand.
    """
    if name.endswith(".npz"):
        found = open_dataset(name, split)
        return Pictures(found.pictures[:], found.labels)
    folder = data_folder() / name
    if name != "cifar10":
        found = open_dataset(folder, split)
        return Pictures(found.pictures[:], found.labels)
    part = "test" if split == "test" else "train"
    sheets = sorted(folder.glob(f"{part}*.webp"))
    if not sheets:
        raise DataError(f"There is no CIFAR-10 at {folder}: name the folder of data sets in FLOW_EXPLORER_DATA.")
    with np.load(folder / "labels.npz", allow_pickle=False) as file:
        labels = file[f"{part}_label"].astype(np.int64)
    pictures = np.concatenate([cells(path) for path in sheets])[: len(labels)]
    labels = labels[: len(pictures)]
    if split == "test":
        return Pictures(pictures, labels)
    chosen = slice(-CIFAR_HELD_OUT, None) if split == "validation" else slice(0, -CIFAR_HELD_OUT)
    return Pictures(pictures[chosen], labels[chosen])


def cells(path: Path) -> np.ndarray:
    """The 32×32 cells of a lossless sheet, a hundred a row."""
    from PIL import Image

    with Image.open(path) as sheet:
        cells = np.asarray(sheet.convert("RGB"))
    return np.ascontiguousarray(cells.reshape(-1, 32, 100, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3))
