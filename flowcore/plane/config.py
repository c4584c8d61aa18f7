"""What a toy run is: a density of the plane, a flow of points, and how it is trained."""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from ..errors import ConfigError
from . import densities
from .course import FIELDS, NEW_FIELD
from .layers import LayerSpec, layers_of, own_layers
from .prior_shapes import MAX_COMPONENTS, PLANE_PRIORS
from .targets import targets as toy_targets

__all__ = ["FLOWS", "PRIORS", "ToyConfig"]

FLOWS = ("nice", "realnvp", "glow", "spline", "continuous")
PRIORS = PLANE_PRIORS

_WHOLE = {
    "depth": (1, 64), "width": (1, 1024), "batch": (2, 1_000_000), "bins": (2, 64), "seed": (0, 2**63 - 1),
    "components": (1, MAX_COMPONENTS),
}  # fmt: skip

SPLINE_BOUND = 4.5
"""The densities lie within 4 of the middle, a standard Gaussian within 4.5 but for one point in 150,000."""


@dataclass(frozen=True)
class ToyConfig:
    """A toy run; checked when it is made.

    ``depth`` counts couplings, ``width`` the units of a coupling's two hidden layers, ``bins`` the pieces of a spline,
    ``batch`` the fresh points of a step. ``horizon`` is the number of steps over which the learning rate falls to zero
    along a cosine; with None it stays where it is, for a run that has no end.

    ``components`` is how many Gaussians a mixture prior has; ``learned`` trains their centres, widths and weights with the
    flow (a continuous flow, whose training does not see the prior's density, leaves them). ``layers``, specs or their
    dictionaries, take the place of ``depth`` times the flow's own layer.

    Of a continuous flow ``depth`` counts the stages in which it is shown, ``width`` is that of its velocity field, and
    ``field`` says which it is: "waves", or the "plain" one of runs from before there was a choice.

    Raises:
        ConfigError: for a value out of range.
    """

    density: str = "two-moons"
    flow: str = "realnvp"
    depth: int = 8
    width: int = 64
    learning_rate: float = 4e-3
    batch: int = 512
    prior: str = "gaussian"
    bins: int = 16
    seed: int = 0
    horizon: int | None = None
    components: int = 8
    learned: bool = False
    layers: tuple[LayerSpec, ...] | None = None
    target: dict | None = None
    field: str = NEW_FIELD

    def __post_init__(self) -> None:
        densities.get(self.density)
        toy_targets.check(self.target, self.density)
        if self.flow not in FLOWS:
            raise ConfigError(f"There is no toy flow named {self.flow!r}: choose one of {', '.join(FLOWS)}.")
        if self.prior not in PRIORS:
            raise ConfigError(f"A toy flow's prior is one of {', '.join(PRIORS)}, not {self.prior!r}.")
        if self.field not in FIELDS:
            raise ConfigError(f"A continuous flow's field is one of {', '.join(FIELDS)}, not {self.field!r}.")
        if not isinstance(self.learned, bool):
            raise ConfigError(f"A toy flow's prior is learned or not, which is true or false, not {self.learned!r}.")
        if self.layers is not None:
            if self.flow == "continuous":
                raise ConfigError("A continuous flow is one smooth field; it has no list of layers to edit.")
            object.__setattr__(self, "layers", layers_of(self.layers))
        for name, (low, high) in _WHOLE.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigError(f"A toy flow's {name} must be a whole number from {low} to {high}, not {value!r}.")
        rate = self.learning_rate
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not (math.isfinite(rate) and 0 < rate <= 1):
            raise ConfigError(f"The learning rate must be a number above 0 and at most 1, not {rate!r}.")
        if self.horizon is not None and (not isinstance(self.horizon, int) or self.horizon < 1):
            raise ConfigError(f"The schedule's horizon must be at least one step, not {self.horizon!r}.")

    @property
    def architecture(self) -> dict:
        """What :func:`flowcore.model.systems.build` needs."""
        if self.flow == "continuous":
            return dict(
                system="continuous", shape=[2], depth=self.depth, width=self.width, prior=self.prior, components=self.components,
                field=self.field,
            )  # fmt: skip
        if self.layers is not None or self.prior not in ("gaussian", "logistic"):
            learned = self.learned if self.prior == "mixture" else self.flow == "glow"
            return dict(
                system="stack", shape=[2], layers=[spec.architecture for spec in self.specs], width=self.width, bins=self.bins,
                bound=SPLINE_BOUND, prior=self.prior, components=self.components, learned=learned, activation="silu",
            )  # fmt: skip
        own = {"nice": {"hidden": 2}, "spline": {"bins": self.bins, "bound": SPLINE_BOUND}}.get(self.flow, {})
        return dict(
            system=self.flow, shape=[2], depth=self.depth, width=self.width, prior=self.prior, activation="silu", **own
        )

    @property
    def specs(self) -> tuple[LayerSpec, ...]:
        """The layers one by one, edited or not; none of a continuous flow."""
        return own_layers(self.flow, self.depth) if self.layers is None else self.layers

    @property
    def stages(self) -> int:
        """In how many layers the flow is shown: ``depth``, where a Glow step counts as one, or every layer of an edited list."""
        return self.depth if self.layers is None else len(self.layers)

    def to_dict(self) -> dict:
        """Plain JSON values."""
        values = asdict(self)
        return values | {"layers": None if self.layers is None else list(values["layers"])}

    @classmethod
    def from_dict(cls, values: Mapping) -> ToyConfig:
        """The opposite of :meth:`to_dict`; what is missing takes its default.

        Raises:
            ConfigError: for a name that is unknown or a value out of range.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigError(f"A toy run has no setting {unknown[0]!r}; it has {', '.join(sorted(known))}.")
        return cls(**values)
