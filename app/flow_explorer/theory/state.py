"""What the theory page shows, as plain data: no Qt, no mathematics beyond what keeps a value legal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowcore.errors import ConfigError
from flowcore.fields import Setting, check, choice, number, numbers, other, read, text, to_dict, whole
from flowcore.theory.curve import KNOTS, MIN_RISE, Curve, straight
from flowcore.theory.learning import TARGETS
from flowcore.theory.masking import steps_of

__all__ = [
    "FIGURES", "AffineState", "ConvolutionState", "CouplingState", "CurveState", "MaskState", "MatrixState", "TheoryState",
]  # fmt: skip

FIGURES = ("affine", "curve", "matrix", "coupling", "masks", "convolution")
SLOPES = (-2.5, 2.5)
MIN_SLOPE = 0.5
"""The slope's size is at least so much: nearer to 0 the figure's density would leave the page, and at 0 there is none."""
OFFSETS = (-3.0, 3.0)
ENTRIES = (-2.3, 2.3)
HEIGHTS = (-4.0, 4.0)
PROBES = (-2.8, 2.8)
WIDTHS = (0.05, 1.0)
INPUTS = (-2.0, 2.0)
ANGLES = (-180.0, 180.0)
STEPS_OF_GLOW = (1, 8)

_BASES = {
    "gaussian": ("Gaussian", "The prior of most flows.\nlog π(z) = −z²/2 − ½ log 2π"),
    "logistic": ("Logistic", "The prior of NICE; its tails are longer.\nπ(z) = e⁻ᶻ / (1 + e⁻ᶻ)²"),
}
_STACKS = {
    "one": ("One", "One coupling layer."),
    "same": ("Two", "Two layers that copy the same half."),
    "swap": ("Two, swapped", "Two layers; the second copies what the first has changed."),
}
_MATRICES = {"first": ("Layer 1", "∂h/∂x"), "second": ("Layer 2", "∂z/∂h"), "both": ("Both", "∂z/∂x = ∂z/∂h · ∂h/∂x")}
_MASKS = {
    "half": ("Half", "The first half of the pixels is copied, then the second: NICE."),
    "checkerboard": ("Checkerboard", "Copied where row + column is even, then where it is odd: RealNVP."),
    "channel": ("Channel", "After a squeeze, half of the channels: RealNVP and Glow."),
    "cycle": ("Cycle of 3", "One colour is copied, the other two transformed; the next one at each step."),
}
_KINDS = {
    "permutation": ("Permutation", "Takes (3, 1, 2) to (1, 2, 3): the channels change places."),
    "rotation": ("Rotation", "Turns the colours about the grey axis."),
    "learned": ("Learned", "W of the bundled Glow, Faces, on the twelve channels after its first squeeze."),
}


_OWNER = "The theory page's"
_KNOTS = Setting("numbers", low=-40.0, high=40.0, count=KNOTS)


def _heights(value: Any) -> tuple[float, ...]:
    heights = _KNOTS.legal(value, "The theory page's knots")
    Curve(heights)
    return heights


class _Checked:
    """Base of the states: what a field declares is checked when one is made."""

    def __post_init__(self) -> None:
        check(self, _OWNER)


@dataclass(frozen=True)
class AffineState(_Checked):
    """Figure 1: x = slope · z + offset."""

    slope: float = number(2.0, *SLOPES, "Slope s", "How far z is stretched; below zero it is turned over too.\ndx/dz = s")
    offset: float = number(1.0, *OFFSETS, "Offset t", "How far it is moved.\nx = s z + t")

    def __post_init__(self) -> None:
        super().__post_init__()
        if abs(self.slope) < MIN_SLOPE - 1e-9:
            raise ConfigError(f"The theory page's slope must be at least {MIN_SLOPE} away from 0, not {self.slope:g}.")


@dataclass(frozen=True)
class CurveState(_Checked):
    """Figure 2: the knots' heights, the strip about z, and what is to be learned."""

    heights: tuple[float, ...] = other(straight(), _heights)
    z: float = number(0.6, *PROBES, "z′", "The strip's middle.", tone="z")
    width: float = number(
        0.3, *WIDTHS, "Δz", "The strip's width; the thinner, the better π(z′) Δz and p(x′) Δx agree.", called="strip", tone="z"
    )
    base: str = choice("gaussian", _BASES, "Base density", called="base density")
    target: str = choice("two-hills", {key: known.title for key, known in TARGETS.items()}, "Target", columns=2)
    steps: int = whole(0, 0, 10**9, called="number of steps")  # of learning that led here; 0 where a hand moved a knot last

    def with_knot(self, index: int, height: float) -> CurveState:
        """One knot moved as far as its neighbours allow."""
        low = self.heights[index - 1] + MIN_RISE if index else HEIGHTS[0]
        high = self.heights[index + 1] - MIN_RISE if index < KNOTS - 1 else HEIGHTS[1]
        height = max(low, min(high, height)) if low <= high else self.heights[index]
        heights = (*self.heights[:index], height, *self.heights[index + 1 :])
        return replace(self, heights=heights, steps=0)


@dataclass(frozen=True)
class MatrixState(_Checked):
    """Figure 3: W = [[a, b], [c, d]]; its columns are the two edges."""

    a: float = number(1.5, *ENTRIES, "a", "Across, of the first edge.")
    b: float = number(0.5, *ENTRIES, "b", "Across, of the second edge.")
    c: float = number(0.4, *ENTRIES, "c", "Along, of the first edge.")
    d: float = number(1.2, *ENTRIES, "d", "Along, of the second edge.")


@dataclass(frozen=True)
class CouplingState(_Checked):
    """Figure 4: the point, how many layers, and whose Jacobian is shown."""

    x: tuple[float, ...] = numbers((0.8, -0.4, 1.2, 0.5), *INPUTS, called="point")
    layers: str = choice("one", _STACKS, "Layers", called="stack")
    matrix: str = choice("first", _MATRICES, "Jacobian", called="Jacobian", when=lambda coupling: coupling.layers != "one")

    def with_x(self, index: int, value: float) -> CouplingState:
        """One coordinate changed."""
        return replace(self, x=(*self.x[:index], value, *self.x[index + 1 :]))


@dataclass(frozen=True)
class MaskState(_Checked):
    """Figure 5: the mask, how many half steps have been gone, and the picture (an example's name, or a file's path)."""

    mask: str = choice("checkerboard", _MASKS, "Mask", columns=2)
    phase: int = whole(0, 0, 2**53, called="step")
    picture: str = text("portrait-1", 4096)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.phase > 2 * steps_of(self.mask):
            raise ConfigError(f"The theory page's step must be at most {2 * steps_of(self.mask)}, not {self.phase}.")


@dataclass(frozen=True)
class ConvolutionState(_Checked):
    """Figure 6: which matrix, its angle or its step, the output channel that is looked at, and the picture."""

    kind: str = choice("permutation", _KINDS, "Matrix", called="matrix")
    angle: float = number(
        120.0, *ANGLES, "Angle", "At 120° and −120° the rotation is a permutation.", step=1.0, decimals=1, unit="°",
        when=lambda convolution: convolution.kind == "rotation",
    )  # fmt: skip
    step: int = whole(
        1, *STEPS_OF_GLOW, "Step of flow", "Which of the first level's eight 1×1 convolutions.", called="step of flow",
        when=lambda convolution: convolution.kind == "learned",
    )  # fmt: skip
    channel: int = whole(0, 0, 11)
    picture: str = text("portrait-2", 4096)


@dataclass(frozen=True)
class TheoryState(_Checked):
    """The figure in front, and the state of each.

    Raises:
        ConfigError: for a value out of range.
    """

    figure: str = choice("affine", FIGURES)
    affine: AffineState = AffineState()
    curve: CurveState = CurveState()
    matrix: MatrixState = MatrixState()
    coupling: CouplingState = CouplingState()
    masks: MaskState = MaskState()
    convolution: ConvolutionState = ConvolutionState()

    @property
    def current(self) -> Any:
        """The state of the figure in front."""
        return getattr(self, self.figure)

    def changed(self, figure: str, **values: Any) -> TheoryState:
        """The state after some values of a figure were changed."""
        return replace(self, **{figure: replace(getattr(self, figure), **values)})

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return to_dict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TheoryState:
        """The opposite of ``to_dict``; what is unknown is left out, what is missing takes its default.

        Raises:
            ConfigError: for a value out of range.
        """
        return read(cls, values, _OWNER)
