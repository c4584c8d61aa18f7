"""A model as the window knows it: where it is and what its card says. Nothing of its weights is read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from flow_explorer import assets
from flow_explorer.explorer.state import SEED_MAX
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.view_model import Figures
from flow_explorer.i18n import tr
from flowcore.errors import CheckpointError, FlowError
from flowcore.fields import is_finite
from flowcore.model.card import (
    DEFAULT_TEMPERATURE,
    SYSTEM_NAMES,
    class_names,
    default_temperature,
    eye_positions,
    level_count,
    likelier_than,
    read_card,
    typicality,
)
from flowcore.model.labels import Label
from flowcore.model.temperature import TEMPERATURE_MAX, Temperature, scaled, split
from flowcore.model.weights import fingerprint
from flowcore.pictures.images import read_picture

__all__ = ["Model", "figures", "is_checkpoint", "open_model"]

FIRST_PAGE = 16


@dataclass(frozen=True)
class Model:
    """A chosen model: the name that the state keeps, the file, and its card."""

    name: str
    path: Path
    card: Mapping[str, Any]

    @property
    def height(self) -> int:
        return int(self.card["size"][0])

    @property
    def width(self) -> int:
        return int(self.card["size"][1])

    @property
    def channels(self) -> int:
        return int(self.card["channels"])

    @property
    def levels(self) -> int:
        """How many levels its z has, each of which may have a temperature of its own."""
        return level_count(self.card)

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes that it is conditional on, by number; empty for a model without."""
        return class_names(self.card)

    @cached_property
    def eyes(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """Where its faces have their eyes, as shares of the width and height; None for a model of anything else."""
        return eye_positions(self.card)

    @property
    def weights(self) -> str:
        """Fingerprint of the weights that its file holds now (a run in training replaces them); "" where there are none."""
        try:
            return fingerprint(self.path)
        except FlowError:
            return ""

    def latent(self, z: np.ndarray, picture: np.ndarray, name: str, label: Label = (), draft: bool = False) -> Latent:
        """A picture (H, W, C) that it has just made, with its z (D,)."""
        return Latent(self.name, z, picture, name, label, draft, self.weights)

    @property
    def title(self) -> str:
        return str(self.card.get("title") or self.card.get("name") or self.path.stem)

    @property
    def default_seed(self) -> int:
        value = self.card.get("default_seed")
        return value if type(value) is int and 0 <= value <= SEED_MAX else 0

    @property
    def default_temperature(self) -> Temperature:
        """One number, or one a level, the finest first."""
        value = default_temperature(self.card)
        return value if split(value)[0] <= TEMPERATURE_MAX else DEFAULT_TEMPERATURE

    def temperatures(self, temperature: float) -> Temperature:
        """Each level's in the ratios of the card's, the highest at `temperature`."""
        _, profile = split(self.default_temperature)
        return scaled(profile, temperature) if profile else temperature

    @property
    def data(self) -> Mapping[str, Any]:
        """What the card says of the training data."""
        value = self.card.get("data")
        return value if isinstance(value, dict) else {}

    @property
    def licence(self) -> str:
        return str(self.data.get("licence") or "")

    @property
    def sees(self) -> str:
        """One notice for a slot: how small, and whether in colour, the model sees a picture."""
        size = f"{self.width}×{self.height}"
        if self.channels == 1:
            return tr("The model sees {size}, in grey", size=size)
        return tr("The model sees {size}, in colour", size=size)

    @property
    def summary(self) -> str:
        """System, size, bpd and licence on one line; what the card does not know is left out."""
        system = SYSTEM_NAMES.get(str(self.card.get("system")), "")
        parts = [f"{system} {self.width}×{self.height}".strip()]
        if is_finite(self.card.get("bpd")):
            parts.append(tr("{bpd} bpd", bpd=f"{self.card['bpd']:.2f}"))
        if self.licence:
            parts.append(self.licence)
        return " · ".join(parts)

    @cached_property
    def first_page(self) -> list[np.ndarray]:
        """The bundled 4 by 4 page at the card's own seed and temperature, cut up; empty where there is none."""
        path = self.path.with_suffix(".png")
        if path.parent != assets.root() / "models" or not path.is_file():
            return []
        try:
            pixels = read_picture(path).pixels
        except FlowError:
            return []
        if pixels.shape[:2] != (4 * self.height, 4 * self.width):
            return []
        pixels = pixels[..., : self.channels]
        return [
            np.ascontiguousarray(pixels[row * self.height : (row + 1) * self.height,
                                        column * self.width : (column + 1) * self.width])
            for row in range(4) for column in range(4)
        ]  # fmt: skip


def open_model(name: str) -> Model:
    """Find a model and read its card; raises `CheckpointError` in one sentence."""
    path = assets.resolve_model(name)
    card = read_card(path)
    size = card.get("size")
    sides = isinstance(size, list | tuple) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)
    if not (sides and card.get("channels") in (1, 3)):
        raise CheckpointError(f"{path.name} is a model of points, not of pictures; the Toy lab trains those.")
    default_temperature(card)  # raises where it is not one a level: said at once, and not when the page is drawn
    return Model(name, path, card)


def is_checkpoint(path: Path) -> bool:
    """Whether a dropped path looks like a checkpoint or a run folder."""
    if path.is_dir():
        return any((path / name).is_file() for name in ("best.safetensors", "last.safetensors", "config.json"))
    return path.suffix.lower() in (".safetensors", ".ckpt", ".pt", ".pth")


def figures(card: Mapping[str, Any], bpd: float | None) -> Figures:
    """What the card's held-out pictures say about a bpd; the percentages are None where it has no quantiles."""
    if bpd is None:
        return Figures()
    return Figures(bpd, likelier_than(card, bpd), typicality(card, bpd))
