"""The recipes inside saved pictures: dropping one on the window restores what the command was told."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_explorer import assets
from flowcore.model.labels import Label, to_json
from flowcore.model.temperature import Temperature, split
from flowcore.model.weights import fingerprint

if TYPE_CHECKING:
    import numpy as np

__all__ = ["page_recipe", "picture_recipe", "walk_recipe"]


PICTURE = "picture"
"""What a picture is called whose file's name is the person's own."""


def _model(args: argparse.Namespace, path: Path) -> str:
    """The model as the Explorer names it: a bundled one by its name, any other by that of its file, without folders."""
    return path.stem if path in assets.models() else Path(args.model).expanduser().resolve().name


def page_recipe(
    args: argparse.Namespace, path: Path, temperature: Temperature, label: Label = ()
) -> dict[str, Any]:
    """Of a page of samples, of one class where there is a label; with a temperature a level, the one above is the highest."""
    from flowcore.pictures import recipe

    highest, _ = split(temperature)
    levels = list(temperature) if isinstance(temperature, tuple) else []
    return recipe.new(
        "samples", model=_model(args, path), weights=fingerprint(path), seed=args.seed, temperature=highest,
        level_temperatures=levels, count=args.count, conditional=bool(label), **({"sampled_class": label[0][0]} if label else {}),
    )  # fmt: skip


def picture_recipe(args: argparse.Namespace, path: Path, z: np.ndarray, label: Label = ()) -> dict[str, Any]:
    """Of one picture, with its own z and class."""
    from flowcore.latents.as_json import latent_to_dict
    from flowcore.pictures import recipe

    model, weights = _model(args, path), fingerprint(path)
    latent = {**latent_to_dict(z), "model": model, "weights": weights, "name": PICTURE}
    if label:
        latent["label"] = to_json(label)
    return recipe.new("picture", model=model, weights=weights, latent=latent, conditional=bool(label))


def walk_recipe(
    args: argparse.Namespace, path: Path, pictures: list[np.ndarray], latents: list[Any], labels: Sequence[Label]
) -> dict[str, Any]:
    """Of a walk: its two ends as the model sees them, their classes, and the z's of those that came as z (else None)."""
    from flow_explorer.explorer.state import ExplorerState, Slot, Walk
    from flow_explorer.explorer.store import Store
    from flowcore.pictures import recipe

    model, weights, store = _model(args, path), fingerprint(path), Store()
    state = ExplorerState(model=model, shown="walk", walk=Walk(0.5, args.path))
    for which, picture, z, label in zip("AB", pictures, latents, labels, strict=True):
        slot = Slot(picture=store.put_array(picture), name=PICTURE)
        if z is not None:
            slot = replace(slot, latent=store.put_latent(z), latent_weights=weights)
        if z is not None or label:
            slot = replace(slot, latent_model=model, label=label)
        state = state.with_slot(which, slot)
    return recipe.new("walk", model=model, weights=weights, explorer=state.to_dict(), store=store.to_dict(state.keys),
                      conditional=any(labels))  # fmt: skip
