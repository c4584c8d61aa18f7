"""The toy lab's settings as plain data: no Qt, no mathematics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from flow_explorer.engine.requests.toy_views import DEFAULT_VIEWS, check_point
from flow_explorer.toylab.race.rivals import Rival, check_rivals, read_rivals
from flow_explorer.toylab.views.names import check_shown
from flowcore.errors import ConfigError
from flowcore.model.card import SYSTEM_NAMES
from flowcore.plane.densities import NAMES
from flowcore.plane.layers import LayerSpec, layers_of, own_layers
from flowcore.plane.targets import targets as toy_targets

__all__ = ["BATCHES", "COMPONENTS", "FLOWS", "LIVE", "PRIORS", "RESTARTING", "SPEEDS", "WIDTHS", "ToyState"]

FLOWS = {name: SYSTEM_NAMES[name] for name in ("nice", "realnvp", "glow", "spline", "continuous")}
PRIORS = {"gaussian": "Gaussian", "logistic": "Logistic", "mixture": "Mixture", "ring": "Ring"}
COMPONENTS = (1, 16)
WIDTHS = (8, 16, 32, 64, 128, 256)
BATCHES = (32, 64, 128, 256, 512, 1024, 2048, 4096)
SPEEDS = {"stages": 0.5, "slow": 8.0, "medium": 60.0, "full": 0.0}
"""Steps a second; 0 is as fast as it goes. "stages" shows each step in its four stages."""
DEPTHS = (2, 24)
RATES = (1e-5, 3e-2)

RESTARTING = ("density", "target", "flow", "depth", "width", "seed", "prior", "components", "learned", "layers")
"""A change of one of these is another run; of the rest, the same run goes on."""
LIVE = ("learning_rate", "batch", "speed")
_TERMS = (*RESTARTING, "learning_rate", "batch")
"""A race is another race once one of these changes."""


@dataclass(frozen=True)
class ToyState:
    """What the person chose. ``run`` numbers the training: another number is another training from the start, and going
    back to an old number (undo) goes back to that training where it was left. ``layers`` is an edited list of layers, which
    takes the place of ``depth`` times the flow's own; None where nobody edited any.

    Raises:
        ConfigError: for a value out of range.
    """

    density: str = "two-moons"
    flow: str = "realnvp"
    depth: int = 8
    width: int = 64
    learning_rate: float = 4e-3
    batch: int = 512
    seed: int = 0
    speed: str = "full"
    run: int = 1
    rivals: tuple[Rival, ...] = ()
    """With whom the flow races; while there are some, the race is on screen and ``run`` waits."""
    race: int = 1
    """Numbers the race as ``run`` numbers the training."""
    views: tuple[str, ...] = DEFAULT_VIEWS
    probe: tuple[float, float] | None = None
    """Where x is probed."""
    prior: str = "gaussian"
    components: int = 8
    learned: bool = False
    layers: tuple[LayerSpec, ...] | None = None
    target: dict | None = None
    """See ``flowcore.plane.targets.targets``; None is ``density`` as it is."""

    def __post_init__(self) -> None:
        for name, allowed in (("density", NAMES), ("flow", FLOWS), ("width", WIDTHS), ("batch", BATCHES), ("speed", SPEEDS),
                              ("prior", PRIORS), ("learned", (False, True))):  # fmt: skip
            if getattr(self, name) not in allowed:
                words = ", ".join(map(str, allowed))
                raise ConfigError(f"The toy lab's {name} cannot be {getattr(self, name)!r}: choose one of {words}.")
        for name, low, high in (("depth", *DEPTHS), ("seed", 0, 2**31 - 1), ("run", 1, 2**50), ("race", 1, 2**50),
                                ("components", *COMPONENTS)):  # fmt: skip
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigError(f"The toy lab's {name} must be a whole number from {low} to {high}, not {value!r}.")
        check_rivals(self.rivals, FLOWS)
        check_shown(self.views)
        if self.probe is not None:
            check_point("The probe's place", self.probe)
        if self.layers is not None:
            if self.flow == "continuous":
                raise ConfigError("A continuous flow has no list of layers.")
            object.__setattr__(self, "layers", layers_of(self.layers))
        toy_targets.check(self.target, self.density)
        rate = self.learning_rate
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not math.isfinite(rate):
            raise ConfigError(f"The toy lab's learning rate must be a number, not {rate!r}.")
        if not RATES[0] <= rate <= RATES[1]:
            raise ConfigError(f"The toy lab's learning rate must be from {RATES[0]:g} to {RATES[1]:g}, not {rate:g}.")

    def changed(self, name: str, value: Any, run: int) -> ToyState:
        """The state after a setting was changed; ``run`` is the number to take if that begins another run."""
        if getattr(self, name) == value:
            return self
        race = {"race": run} if name == "rivals" or (self.rivals and name in _TERMS) else {}
        # Another flow, or another number of its layers, is that flow's own again: an edited list would hide the choice.
        own = {"layers": None} if name in ("flow", "depth") else {}
        return replace(self, **{**own, name: value}, **race, **({"run": run} if name in RESTARTING else {}))

    def config(self) -> dict[str, Any]:
        """What the engine trains: the fields of ``flowcore``'s toy configuration."""
        names = (*RESTARTING, "learning_rate", "batch")
        values = self.to_dict()
        return {name: values[name] for name in names}

    @property
    def specs(self) -> tuple[LayerSpec, ...]:
        """The layers one by one, edited or the flow's own; none of a continuous flow."""
        return own_layers(self.flow, self.depth) if self.layers is None else self.layers

    @property
    def stages(self) -> int:
        """In how many layers the flow is shown."""
        return self.depth if self.layers is None else len(self.layers)

    @property
    def steps_a_second(self) -> float:
        """The speed as a number, 0 without a limit."""
        return SPEEDS[self.speed]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        values = asdict(self)
        return values | {"layers": None if self.layers is None else list(values["layers"])}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ToyState:
        """The opposite of ``to_dict``; what is unknown is left out, what is missing takes its default.

        Raises:
            ConfigError: for a value out of range.
        """
        names = {field.name for field in fields(cls)}
        try:
            known = {name: value for name, value in values.items() if name in names}
            for name in ("views", "probe"):
                if isinstance(known.get(name), list):  # as JSON has it
                    known[name] = tuple(known[name])
            return cls(**known | ({"rivals": read_rivals(known["rivals"])} if "rivals" in known else {}))
        except TypeError as error:
            raise ConfigError("The toy lab's settings are damaged.") from error
