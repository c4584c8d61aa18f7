"""What is said of layers: their names, their one line, their formula, and warnings. No Qt."""

from __future__ import annotations

from flow_explorer.i18n import tr
from flowcore.plane.layers import LayerSpec

__all__ = ["concern", "detail", "name", "sentence"]

_NAMES = {
    "additive": "Additive coupling", "affine": "Affine coupling", "spline": "Spline coupling", "lu": "1×1 convolution, LU",
    "linear": "1×1 convolution", "rotation": "Rotation", "actnorm": "ActNorm", "scale": "Scaling", "swap": "Swap x and y",
}  # fmt: skip
_WORDS = {
    "additive": ("Shifts the other coordinate by what the copied one says.", "z = h + m(copy)"),
    "affine": ("Scales and shifts the other coordinate by what the copied one says.", "z = h · exp(s(copy)) + t(copy)"),
    "spline": ("Bends the other coordinate along a rising curve that the copied one chooses.", "z = g(h; copy), g′ > 0"),
    "lu": ("Mixes both coordinates by a learned matrix, kept as its triangular factors.", "z = P L U h"),
    "linear": ("Mixes both coordinates by a learned matrix.", "z = W h"),
    "rotation": ("Turns the plane by a learned angle; areas stay as they are.", "z = R(θ) h"),
    "actnorm": ("Shifts and scales each coordinate; set from the first batch, then learned.", "z = (h + b) · exp(s)"),
    "scale": ("Scales each coordinate by a learned number.", "z = h · exp(s)"),
    "swap": ("Exchanges the coordinates; nothing is learned.", "z = (y, x)"),
}
_CONCERNS = {
    "x-kept": "Every coupling copies x: x itself is never bent, so the density along it keeps the prior's shape.",
    "y-kept": "Every coupling copies y: y itself is never bent, so the density along it keeps the prior's shape.",
    "direction-kept": "All couplings copy the same direction: it is never bent, so the density along it keeps the prior's shape.",
    "nothing-bent": "There is no coupling: the model is the prior stretched and turned, nothing is bent.",
    "all-frozen": "Nothing is left to train: every layer is frozen or has no weights.",
    "rigid": "No layer changes an area: the model can move the prior's density about, not make it higher or lower.",
}


def name(kind: str) -> str:
    """The name of a kind."""
    return tr(_NAMES[kind])


def detail(spec: LayerSpec) -> str:
    """What stands beside a layer's name."""
    return tr("copies {axis}", axis=spec.copies) if spec.is_coupling else ""


def sentence(kind: str) -> str:
    """What a kind does, and its formula below."""
    words, formula = _WORDS[kind]
    return f"{tr(words)}\n{formula}"


def concern(code: str) -> str:
    """A warning of `flowcore.plane.layers.concerns` in a sentence."""
    return tr(_CONCERNS[code])
