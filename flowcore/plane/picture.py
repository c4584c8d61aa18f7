"""A toy run as a picture, by Pillow alone: data, samples, density, where f sends the data, warped grid."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..model.card import SYSTEM_NAMES
from .drawing import DARK, PANEL, compose, heat_picture, points_picture
from .frames import ToyFrames, true_heat

if TYPE_CHECKING:
    from .trainer import ToyTrainer

__all__ = ["PANEL", "compose", "draw", "heat_picture", "points_picture", "sheet"]


def draw(trainer: ToyTrainer) -> np.ndarray:
    """Five panels of a run as it is now: (H, W, 3) uint8."""
    frames, loss, config = ToyFrames(trainer), trainer.held_out(), trainer.config
    samples, grid = frames.samples_and_grid()
    reach = trainer.density.bounds[1]
    top = float((true_heat(config.density, 128, config.target) if trainer.density.known else frames.heat(128)).max())
    panels = [
        ("Data", points_picture([(frames.data, DARK.data)], reach)),
        ("Samples", points_picture([(samples, DARK.model)], reach)),
        ("Density of the model", heat_picture(frames.heat(128), top)),
        ("Where f sends the data", points_picture([(frames.prior(), DARK.data)], reach)),
        ("Warped grid", points_picture([], reach, grid)),
    ]
    flow = SYSTEM_NAMES[config.flow if config.layers is None else "stack"]
    title = (
        f"{trainer.density.title}    {flow}, {config.stages} layers of {config.width}, step {trainer.step_count:,}    "
        f"held-out loss {loss.nll:.3f} ± {loss.standard_error:.3f} nat"
        + (f", entropy {trainer.density.entropy:.3f} nat" if trainer.density.known else "")
    )
    return compose(panels, title)


def sheet(trainers: list[ToyTrainer]) -> np.ndarray:
    """A row of true density, model density and samples for every trainer, two trainers a row: (H, W, 3) uint8."""
    panels = []
    for trainer in trainers:
        frames, loss = ToyFrames(trainer), trainer.held_out()
        truth = true_heat(trainer.config.density, 128)
        top = float(truth.max())
        entropy = trainer.density.entropy
        told = "model" if entropy is None else f"model, {loss.nll - entropy:+.3f} nat"
        panels += [
            (f"{trainer.density.title}: the density", heat_picture(truth, top, 180)),
            (told, heat_picture(frames.heat(128), top, 180)),
            ("samples", points_picture([(frames.samples(), DARK.model)], trainer.density.bounds[1], side=180)),
        ]
    return compose(panels, "", columns=6)
