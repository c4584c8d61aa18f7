"""What the toy lab can show, and the probe that it asks for. Neither torch nor Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flowcore.errors import ConfigError
from flowcore.fields import is_finite, shown

from .base import Priority, Request, check_whole

__all__ = ["DEFAULT_VIEWS", "PROBE_REACH", "VIEWS", "ProbeToy", "check_point", "check_views"]

VIEWS = (
    "data", "samples", "density", "contours", "logarithmic", "prior", "loss", "grid", "layers", "displacement", "stretch",
    "trajectories", "gradients",
)  # fmt: skip
"""Everything that can be switched on, in the order in which it is shown."""
DEFAULT_VIEWS = ("data", "samples", "density", "contours", "prior", "loss", "grid", "layers")
PROBE_REACH = 8.0
"""How far from the middle a probe may stand."""


def check_views(value: Any) -> None:
    """Raises ConfigError unless it is a tuple of known views, each at most once."""
    if not isinstance(value, tuple) or len(set(map(str, value))) != len(value):
        raise ConfigError("The views must be a list of names, each at most once.")
    for name in value:
        if name not in VIEWS:
            raise ConfigError(f"The toy lab has no view {name!r}: it has {', '.join(VIEWS)}.")


def check_point(name: str, value: Any, reach: float = PROBE_REACH) -> None:
    """Raises ConfigError unless it is a pair of numbers of at most ``reach`` in size."""
    is_pair = isinstance(value, tuple) and len(value) == 2
    if not is_pair or not all(is_finite(number) and abs(number) <= reach for number in value):
        raise ConfigError(f"{name} must be two numbers of at most {reach:g} in size, not {shown(value)}.")


@dataclass(frozen=True, eq=False)
class ProbeToy(Request):
    """Follow one point through run number `run` as it is now; the newest alone counts.

    `point` is x, or with `side` "z" the z whose x is to be followed. Answers one "probe" with `{run, step, x, names,
    log_dets, log_prior, log_prob, rounded, total, positions}` and float64 `states` (S + 1, 2) and `jacobians` (S + 1, 2, 2),
    as `flowcore.plane.probe.Probe` tells; `rounded` are hundredths of a nat of log π and the log-dets that add up to `total`,
    and `positions` (S + 1) are the states' places on the strip of layers, K at x and 0 at z. Where the engine has no such
    run (yet), it answers "absent" `{run}`.
    """

    kind = "toy_probe.at"
    slot = "toy.probe"
    priority = Priority.INTERACTIVE

    run: int
    point: tuple[float, float]
    side: str = "x"

    def __post_init__(self) -> None:
        check_whole("The run's number", self.run, 0, 2**53)
        check_point("The point to follow", self.point)
        if self.side not in ("x", "z"):
            raise ConfigError(f"A point lies on the side of x or of z, not {self.side!r}.")
