"""What the toy lab asks of the engine. Neither torch nor Qt here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flowcore.errors import ConfigError

from .base import Priority, Request, check_number, check_whole
from .toy_views import DEFAULT_VIEWS, check_views

__all__ = ["MAX_ANCESTORS", "MAX_SPEED", "RunToy", "SaveToy"]

MAX_SPEED = 10_000.0
MAX_ANCESTORS = 32


def _no_bytes() -> np.ndarray:
    return np.empty(0, np.uint8)


def _bytes(name: str, value: Any) -> None:
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 1:
        raise ConfigError(f"{name} must be bytes.")


@dataclass(frozen=True, eq=False)
class RunToy(Request):
    """How the toy lab's run should be from now on: the whole wish, so that the newest alone counts.

    `run` numbers the run; another number is another run, which starts from `snapshot` where there is one, else from
    nothing. Within a run `config` (a `ToyConfig` as a dictionary) may change its learning rate and its batch. While
    `playing` it trains, at most `speed` steps a second (0: as fast as it goes); otherwise up to step `goal` and no
    further, and then it comes to rest. With `forward` it trains, without frames, until its held-out loss stands still.
    Only what `views` need is computed; the rest is left out of the answers. Where the engine is still at one of the runs
    `kept_from`, a new run begins with the weights of the layers that both have.

    Answers, each with `{run, step}`:

    - "start" `{config, entropy, reach}` and `data` (n, 2): once a run is there;
    - "truth" with `heat`: √p of the density itself, (k, k) float32, row 0 lowest, and its `true_contours` (n, 5);
    - "estimate" `{points}` with `estimate` and `estimate_contours`: the same of a kernel density estimate from that many points,
      where nothing but points is known;
    - "points" `{rate}` with `samples` (n, 2) and `prior` (n, 2) or `grid` (lines, k, 2);
    - "forward" `{nll, standard_error, fraction, quiet}`: how far a fast-forward has come;
    - "heat" `{nll, standard_error, gradient_names, gradient_norms}` with `heat` √q (64, 64), its `contours` (n, 5), `layers`
      (K + 1, n, 2), `stretch` log|det ∂f/∂x| (64, 64) and `displacement` (K + 1, m, 2), and `outline` (lines, k, 2) where the
      prior is learned;
    - "snapshot" with `snapshot` bytes, about once a second, and once of a run that is left for another;
    - "rest" with all of it, the heat at full resolution, when it has come to rest; this one is done.
    """

    kind = "toy.run"
    slot = "toy.run"
    priority = Priority.TOY
    adopts = True

    run: int
    config: dict[str, Any]
    playing: bool
    goal: int = 0
    speed: float = 0.0
    snapshot: np.ndarray = field(default_factory=_no_bytes)
    views: tuple[str, ...] = DEFAULT_VIEWS
    kept_from: tuple[int, ...] = ()
    forward: bool = False

    @property
    def background(self) -> bool:  # type: ignore[override]
        """Playing has no end to wait for; coming to rest has."""
        return self.playing

    def __post_init__(self) -> None:
        check_whole("The run's number", self.run, 0, 2**53)
        check_whole("The step to stop at", self.goal, 0, 2**53)
        check_number("The speed", self.speed, 0.0, MAX_SPEED)
        _bytes("A snapshot", self.snapshot)
        check_views(self.views)
        if not isinstance(self.kept_from, tuple) or len(self.kept_from) > MAX_ANCESTORS:
            raise ConfigError(f"The runs to keep layers of must be at most {MAX_ANCESTORS} numbers.")
        for number in self.kept_from:
            check_whole("The number of a run to keep layers of", number, 0, 2**53)
        if not isinstance(self.config, dict) or not isinstance(self.playing, bool) or not isinstance(self.forward, bool):
            raise ConfigError("A toy run needs its settings, and whether it plays.")


@dataclass(frozen=True, eq=False)
class SaveToy(Request):
    """Write the model of a snapshot as a checkpoint to `path`: must finish. Answers `{path}`."""

    kind = "toy.save"
    priority = Priority.EXPORT

    path: str
    snapshot: np.ndarray

    def __post_init__(self) -> None:
        _bytes("A snapshot", self.snapshot)
        if not isinstance(self.path, str) or not self.path:
            raise ConfigError("Saving a model needs the name of a file.")
