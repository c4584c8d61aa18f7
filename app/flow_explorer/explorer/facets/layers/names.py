"""How layers are called, and what each does: a title, its place, and a line of mathematics."""

from __future__ import annotations

from collections.abc import Sequence

from flow_explorer.engine.requests.layers import Place
from flow_explorer.i18n import tr

__all__ = ["formula", "level_name", "place_name", "signed", "title"]

_TITLES = {
    "pixels": "Pixels", "dequantise": "Dequantisation", "equalise": "Equalised grey levels", "rescale": "Rescaling",
    "logit": "Logit", "flatten": "Flattening", "squeeze": "Squeeze", "haar": "Haar squeeze",
    "split": "Split: half of it leaves", "actnorm": "Actnorm",
    "linear": "1×1 convolution", "permutation": "Permutation", "coupling": "Coupling", "diagonal": "Diagonal scaling",
    "prior": "Whitening by the prior", "layer": "Layer",
}  # fmt: skip

_FORMULAS = {
    "pixels": "The picture's bytes at the middle of their bins: x = byte + ½",
    "dequantise": "Moves each value within its bin to where its neighbours expect it: z = ⌊x⌋ + T(x − ⌊x⌋)",
    "equalise": "Gives crowded grey levels more room: z = 256 F(x)",
    "rescale": "Another unit, no more: z = x / 256 − ½. It costs 8 bits a dimension, which all that follows wins back",
    "logit": "From a bounded range to the whole line: z = log p − log(1 − p)",
    "flatten": "A picture as a list of numbers; nothing else changes",
    "squeeze": "Four neighbours become four channels; the volume stays: log-det = 0",
    "haar": "A block's mean, and its differences across, down and along the diagonal, become four channels: log-det = 0",
    "split": "Half of the channels leave, whitened by what the other half says of them: ε = (h − μ) e^(−s), log-det = −Σ s",
    "actnorm": "A shift and a scale for each channel: z = (x + b) e^s, log-det = h · w · Σ s",
    "linear": "Mixes the channels at every place alike: z = W x, log-det = h · w · log |det W|",
    "permutation": "Another order of the channels; the volume stays: log-det = 0",
    "coupling": "One half is scaled and shifted by what the other half says: z = x e^s(kept) + t(kept), log-det = Σ s",
    "diagonal": "A scale for each number: z = x e^s, log-det = Σ s",
    "prior": "What is left, as standard numbers: ε = (h − μ) e^(−s), log-det = −Σ s",
    "layer": "log-det = log |det ∂z/∂x|",
}  # fmt: skip


def title(place: Place) -> str:
    """What a layer is called."""
    return tr(_TITLES.get(place.kind, _TITLES["layer"]))


def formula(place: Place) -> str:
    """What it does, on one line."""
    return tr(_FORMULAS.get(place.kind, _FORMULAS["layer"]))


def level_name(level: int, levels: int) -> str:
    """A level by its number, from 1; the ends say what they are."""
    if level < 1 or levels < 2:
        return tr("All of z") if level < 1 else tr("Level {number}", number=level)
    if level in (1, levels):
        return tr("Level {number}, the finest", number=level) if level == 1 else tr("Level {number}, the coarsest", number=level)
    return tr("Level {number}", number=level)


def place_name(places: Sequence[Place], index: int) -> str:
    """Where a layer stands: "level 2, step 3 of 8"."""
    place = places[index]
    if place.kind == "pixels":
        return tr("before the first layer")
    if place.level == 0:
        return tr("before the first level")
    if place.kind == "prior":
        return tr("after the last layer")
    if place.step == 0:
        return tr("level {level}", level=place.level)
    steps = max(other.step for other in places if other.level == place.level)
    return tr("level {level}, step {step} of {steps}", level=place.level, step=place.step, steps=steps)


def signed(value: float, decimals: int) -> str:
    """A number with its sign, a true minus, and thousands apart; none for what rounds to zero."""
    text = f"{abs(value):,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        return text
    return ("+" if value > 0 else "−") + text
