"""What the theory page shows, as plain data: no Qt, no mathematics beyond what keeps a value legal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

from flowcore.errors import ConfigError
from flowcore.theory.coupling import LAYERS
from flowcore.theory.curve import BASES, KNOTS, MIN_RISE, Curve, straight
from flowcore.theory.learning import TARGETS
from flowcore.theory.masking import MASKS, steps_of

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
MATRICES = ("first", "second", "both")
KINDS = ("permutation", "rotation", "learned")


def _number(name: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not low <= value <= high:
        raise ConfigError(f"The theory page's {name} must be a number from {low:g} to {high:g}, not {value!r}.")


def _one_of(name: str, value: object, allowed: Any) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise ConfigError(f"The theory page's {name} cannot be {value!r}: choose one of {', '.join(allowed)}.")


def _whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"The theory page's {name} must be a whole number from {low} to {high}, not {value!r}.")


def _picture(value: object) -> None:
    if not isinstance(value, str) or not value or len(value) > 4096 or "\0" in value:
        raise ConfigError("The theory page's picture must be the name of an example or a file.")


@dataclass(frozen=True)
class AffineState:
    """Figure 1: x = slope · z + offset."""

    slope: float = 2.0
    offset: float = 1.0

    def __post_init__(self) -> None:
        _number("slope", self.slope, *SLOPES)
        _number("offset", self.offset, *OFFSETS)
        if abs(self.slope) < MIN_SLOPE - 1e-9:
            raise ConfigError(f"The theory page's slope must be at least {MIN_SLOPE} away from 0, not {self.slope:g}.")


@dataclass(frozen=True)
class CurveState:
    """Figure 2: the knots' heights, the strip about z, and what is to be learned."""

    heights: tuple[float, ...] = field(default_factory=straight)
    z: float = 0.6
    width: float = 0.3
    base: str = "gaussian"
    target: str = "two-hills"
    steps: int = 0  # of learning that led to these heights; 0 where a hand moved them last

    def __post_init__(self) -> None:
        if isinstance(self.heights, list):
            object.__setattr__(self, "heights", tuple(self.heights))
        if not isinstance(self.heights, tuple) or len(self.heights) != KNOTS:
            raise ConfigError(f"The theory page's curve has {KNOTS} knots.")
        for height in self.heights:
            _number("knot", height, -40.0, 40.0)
        Curve(self.heights)
        _number("z", self.z, *PROBES)
        _number("strip", self.width, *WIDTHS)
        _one_of("base density", self.base, BASES)
        _one_of("target", self.target, TARGETS)
        _whole("number of steps", self.steps, 0, 10**9)

    def with_knot(self, index: int, height: float) -> CurveState:
        """One knot moved as far as its neighbours allow."""
        low = self.heights[index - 1] + MIN_RISE if index else HEIGHTS[0]
        high = self.heights[index + 1] - MIN_RISE if index < KNOTS - 1 else HEIGHTS[1]
        height = max(low, min(high, height)) if low <= high else self.heights[index]
        heights = (*self.heights[:index], height, *self.heights[index + 1 :])
        return replace(self, heights=heights, steps=0)


@dataclass(frozen=True)
class MatrixState:
    """Figure 3: W = [[a, b], [c, d]]; its columns are the two edges."""

    a: float = 1.5
    b: float = 0.5
    c: float = 0.4
    d: float = 1.2

    def __post_init__(self) -> None:
        for name in "abcd":
            _number(name, getattr(self, name), *ENTRIES)


@dataclass(frozen=True)
class CouplingState:
    """Figure 4: the point, how many layers, and whose Jacobian is shown."""

    x: tuple[float, ...] = (0.8, -0.4, 1.2, 0.5)
    layers: str = "one"
    matrix: str = "first"

    def __post_init__(self) -> None:
        if isinstance(self.x, list):
            object.__setattr__(self, "x", tuple(self.x))
        if not isinstance(self.x, tuple) or len(self.x) != 4:
            raise ConfigError("The theory page's point has four numbers.")
        for value in self.x:
            _number("x", value, *INPUTS)
        _one_of("stack", self.layers, LAYERS)
        _one_of("Jacobian", self.matrix, MATRICES)

    def with_x(self, index: int, value: float) -> CouplingState:
        """One coordinate changed."""
        return replace(self, x=(*self.x[:index], value, *self.x[index + 1 :]))


@dataclass(frozen=True)
class MaskState:
    """Figure 5: the mask, how many half steps have been gone, and the picture (an example's name, or a file's path)."""

    mask: str = "checkerboard"
    phase: int = 0
    picture: str = "portrait-1"

    def __post_init__(self) -> None:
        _one_of("mask", self.mask, MASKS)
        _whole("step", self.phase, 0, 2 * steps_of(self.mask))
        _picture(self.picture)


@dataclass(frozen=True)
class ConvolutionState:
    """Figure 6: which matrix, its angle or its step, the output channel that is looked at, and the picture."""

    kind: str = "permutation"
    angle: float = 120.0
    step: int = 1
    channel: int = 0
    picture: str = "portrait-2"

    def __post_init__(self) -> None:
        _one_of("matrix", self.kind, KINDS)
        _number("angle", self.angle, *ANGLES)
        _whole("step of flow", self.step, *STEPS_OF_GLOW)
        _whole("channel", self.channel, 0, 11)
        _picture(self.picture)


@dataclass(frozen=True)
class TheoryState:
    """The figure in front, and the state of each.

    Raises:
        ConfigError: for a value out of range.
    """

    figure: str = "affine"
    affine: AffineState = AffineState()
    curve: CurveState = CurveState()
    matrix: MatrixState = MatrixState()
    coupling: CouplingState = CouplingState()
    masks: MaskState = MaskState()
    convolution: ConvolutionState = ConvolutionState()

    def __post_init__(self) -> None:
        _one_of("figure", self.figure, FIGURES)

    @property
    def current(self) -> Any:
        """The state of the figure in front."""
        return getattr(self, self.figure)

    def changed(self, figure: str, **values: Any) -> TheoryState:
        """The state after some values of a figure were changed."""
        return replace(self, **{figure: replace(getattr(self, figure), **values)})

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TheoryState:
        """The opposite of ``to_dict``; what is unknown is left out, what is missing takes its default.

        Raises:
            ConfigError: for a value out of range.
        """
        if not isinstance(values, Mapping):
            raise ConfigError("The theory page's state is damaged.")
        return _read(cls(), values)


def _read(default: Any, values: Mapping[str, Any]) -> Any:
    """``default`` with the values of a JSON object, nested ones in turn."""
    taken = {}
    for known in fields(default):
        if known.name not in values:
            continue
        value, own = values[known.name], getattr(default, known.name)
        if is_dataclass(own):
            if not isinstance(value, Mapping):
                raise ConfigError(f"The theory page's {known.name} is damaged.")
            value = _read(own, value)
        taken[known.name] = value
    return replace(default, **taken)
