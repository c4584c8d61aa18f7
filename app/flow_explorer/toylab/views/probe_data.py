"""A probed point as the window knows it: the engine's numbers, and their words. No Qt, no mathematics but a blend."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from flow_explorer.i18n import tr

__all__ = ["SIDE", "ProbeData", "stage_title"]

SIDE = 0.25
"""Side of the small square around x, in the plane's own units."""

_SHORTER = {"Rational quadratic coupling": "RQ spline coupling"}
_CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


def stage_title(name: str) -> str:
    """A stage's name for reading: "1 AffineCoupling" as "1  Affine coupling"."""
    if name == "prior":
        return tr("Prior's scale")
    number, _, kind = name.rpartition(" ")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", kind).split(" ")
    words = words[:1] + [word if word.isupper() else word.lower() for word in words[1:]]
    title = " ".join(words)
    return f"{number}  {tr(_SHORTER.get(title, title))}".strip()


@dataclass(frozen=True, eq=False)
class ProbeData:
    """One answer to `ProbeToy`; S stages in the order of encoding, from x to z. Positions are the strip's: K at x, 0 at z."""

    run: int
    step: int
    x: tuple[float, float]
    names: tuple[str, ...]
    log_dets: tuple[float, ...]
    log_prior: float
    log_prob: float
    rounded: tuple[int, ...]
    total: int
    positions: tuple[float, ...]
    states: np.ndarray
    jacobians: np.ndarray

    @classmethod
    def from_answer(cls, data: dict[str, Any], arrays: dict[str, np.ndarray]) -> ProbeData:
        """What the engine said."""
        return cls(
            int(data["run"]), int(data["step"]), (float(data["x"][0]), float(data["x"][1])), tuple(data["names"]),
            tuple(data["log_dets"]), float(data["log_prior"]), float(data["log_prob"]), tuple(data["rounded"]),
            int(data["total"]), tuple(data["positions"]), arrays["states"], arrays["jacobians"],
        )  # fmt: skip

    @property
    def z(self) -> tuple[float, float]:
        """Where f sends x."""
        return float(self.states[-1, 0]), float(self.states[-1, 1])

    @property
    def whole(self) -> list[int]:
        """The boundaries (0 … S) that stand on whole positions of the strip, from x to z."""
        return [index for index, place in enumerate(self.positions) if abs(place - round(place)) < 1e-6]

    def boundary_at(self, position: float) -> int:
        """How many stages lie between x and the strip's nearest whole position."""
        return min(self.whole, key=lambda index: abs(self.positions[index] - position))

    def at(self, position: float) -> tuple[np.ndarray, np.ndarray]:
        """The point (2,) and the Jacobian ∂h/∂x (2, 2) at a position, eased between layers as the points are."""
        places = self.whole[::-1]  # from z to x, so positions rise
        values = [self.positions[index] for index in places]
        position = min(max(position, values[0]), values[-1])
        upper = int(np.searchsorted(values, position, side="right"))
        low = places[max(0, upper - 1)]
        high = places[min(upper, len(places) - 1)]
        gap = self.positions[high] - self.positions[low]
        part = (position - self.positions[low]) / gap if gap else 0.0
        eased = part * part * (3 - 2 * part)
        return tuple(
            array[low] * (1 - eased) + array[high] * eased for array in (self.states, self.jacobians)
        )  # type: ignore[return-value]

    def parallelogram(self, position: float, side: float = SIDE) -> np.ndarray:
        """What the square of ``side`` around x has become at a position: its corners (4, 2), in the plane's own units."""
        point, jacobian = self.at(position)
        return point + side * _CORNERS @ jacobian.T

    def growth(self, boundary: int) -> float:
        """|det ∂h/∂x| after so many stages: by how much the area has grown."""
        return abs(float(np.linalg.det(self.jacobians[boundary])))

    def text(self) -> str:
        """The ledger as lines of text, with all digits that mean something."""
        rows = [("log π(z)", self.log_prior)]
        rows += [(f"log|det|  {stage_title(name)}", value) for name, value in zip(self.names, self.log_dets, strict=True)]
        width = max(len(title) for title, _ in rows) + 2
        x, z = self.x, self.z
        lines = [
            tr("Probe at step {n}", n=f"{self.step:,}"),
            f"x = ({x[0]:.6f}, {x[1]:.6f})",
            f"z = ({z[0]:.6f}, {z[1]:.6f})",
            *(f"{title:<{width}}{value:>+12.6f}" for title, value in rows),
            f"{'= log p(x)':<{width}}{self.log_prob:>+12.6f} nat",
        ]
        return "\n".join(lines) + "\n"
