"""What the layers' tests share: what a stand-in for the engine says of a picture."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
from PySide6.QtCore import Qt

from flow_explorer.engine.requests.layers import (
    Against,
    AgainstPrior,
    Checked,
    EncodeLayers,
    Outline,
    Place,
    Stages,
    Terms,
)
from flow_explorer.explorer.facets.layers.state import State
from flow_explorer.explorer.facets.layers.view_model import LayersView
from flowcore.latents.qq import against_prior

LEFT = Qt.MouseButton.LeftButton

SIZE = 8

LAYERS = [
    ["pixels", 0, 0], ["rescale", 0, 0], ["squeeze", 1, 0], ["actnorm", 1, 1], ["linear", 1, 1], ["coupling", 1, 1],
    ["actnorm", 1, 2], ["linear", 1, 2], ["coupling", 1, 2], ["split", 1, 0], ["squeeze", 2, 0], ["actnorm", 2, 1],
    ["linear", 2, 1], ["coupling", 2, 1], ["prior", 2, 0],
]  # fmt: skip

LEVELS = (("level 1", 96), ("level 2", 96))

OUTLINE = Outline(tuple(Place(*layer) for layer in LAYERS), LEVELS)

COUNT = len(LAYERS)

LOG_DETS = [0.0, -1064.7, 0.0, 300.0, -4.0, 40.0, 12.0, 3.0, 25.0, 60.0, 0.0, 80.0, 2.0, 15.0, 30.0]

PRIOR = [-130.0, -140.0]


def curve(z: np.ndarray) -> Against:
    found = against_prior(z)
    shell = (found.shell.norm, found.shell.low, found.shell.centre, found.shell.high)
    plain = {field.name: getattr(found, field.name) for field in fields(Against) if field.name != "shell"}
    return Against(**plain, shell=shell)


def answers(request):
    """What the engine says, in its order; every stage's picture is of one grey."""
    yield OUTLINE
    forward = isinstance(request, EncodeLayers)
    starts = list(range(0, COUNT, 6))
    for start in starts if forward else starts[::-1]:
        count = min(6, COUNT - start)
        pictures = np.stack([np.full((SIZE, SIZE, 3), 10 * (start + i), np.uint8) for i in range(count)])
        ranges = np.array([(-1.5 - start - i, 2.0) for i in range(count)])
        yield Stages(start, pictures, ranges, tuple(LOG_DETS[start : start + count]) if forward else None)
    log_prob = sum(LOG_DETS) + sum(PRIOR)
    yield Terms(tuple(LOG_DETS), tuple(PRIOR), log_prob, -log_prob / 192 / math.log(2))
    z = np.random.default_rng(3).standard_normal(192)
    yield AgainstPrior((curve(z[:96]), curve(2 * z[96:])), curve(z))
    yield Checked(3e-14, done=True)


def filled() -> LayersView:
    """All that comes of one picture."""
    view = LayersView()
    for answer in answers(EncodeLayers("m", np.zeros((8, 8, 3), np.uint8))):
        if not isinstance(answer, Checked):
            view.take(answer)
    view.difference = 3e-14
    return view


def own(workspace) -> State:
    return workspace.history.state.of("layers")
