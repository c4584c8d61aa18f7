"""What a toy run is: a density of the plane, a flow of points, and how it is trained."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import ConfigError
from ..fields import check, choice, flag, number, other, read, settings, to_dict, whole
from ..model.card import SYSTEM_NAMES
from .layers import LayerSpec, layers_of, own_layers

__all__ = ["FIELDS", "FLOWS", "LIVE", "MAX_COMPONENTS", "NEW_FIELD", "PRIORS", "ToyConfig"]

FLOWS = ("nice", "realnvp", "glow", "spline", "continuous")
PRIORS = {"gaussian": "Gaussian", "logistic": "Logistic", "mixture": "Mixture", "ring": "Ring"}
MAX_COMPONENTS = 32
NEW_FIELD, FIRST_FIELD = "waves", "plain"
FIELDS = (NEW_FIELD, FIRST_FIELD)
"""Of a continuous flow; see ``flowcore.plane.velocity``."""
SPLINE_BOUND = 4.5
"""The densities lie within 4 of the middle, a standard Gaussian within 4.5 but for one point in 150,000."""

_FLOW_HELP = {
    "nice": "Additive couplings: they only shift.\nz = x + m(x)",
    "realnvp": "Affine couplings: they shift and scale.\nz = x · exp(s) + t",
    "glow": "Actnorm, a learned mixing of the axes, and affine couplings.\nz = W x",
    "spline": "Spline couplings: they bend an axis along a smooth, rising curve.\nz = α(ξ) / β(ξ), ξ = (x − xₖ) / wₖ",
    "continuous": "One smooth motion in place of layers: points drift along a learned field, trained by flow matching.\n"
    "dx/dt = v(x, t), log p(x) = log π(z) − ∫ div v dt",
}
_FLOW_WORDS = {name: (SYSTEM_NAMES[name], _FLOW_HELP[name]) for name in FLOWS}


def _density(name: Any) -> str:
    from . import densities  # it needs numpy, which a command line that only shows its help does without

    if not isinstance(name, str):
        raise ConfigError("A density is named by a text.")
    return densities.get(name).name


def _layers(values: Any) -> tuple[LayerSpec, ...] | None:
    return None if values is None else layers_of(values)


@dataclass(frozen=True)
class ToyConfig:
    """A toy run; checked when it is made. The toy lab shows a control for each field that has a title, and the command line
    has an argument for it; those that do not restart a run act from the next step on (:data:`LIVE`).

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

    density: str = other("two-moons", _density, "Density", restarts=True)
    flow: str = choice("realnvp", _FLOW_WORDS, "Flow", columns=2, restarts=True)
    depth: int = whole(
        8, 1, 64, "Layers",
        "How many couplings follow each other, or in how many stretches of time a continuous flow is shown.",
        usual=(2, 24), restarts=True, when=lambda config: config.layers is None,  # an edited list says itself how long it is
    )
    width: int = whole(
        64, 1, 1024, "Width", "Units in each of a coupling's two hidden layers.", stops=(8, 16, 32, 64, 128, 256), restarts=True
    )
    learning_rate: float = number(
        4e-3, 1e-9, 1.0, "Learning rate", "How far each step goes; it changes at once, without a new start.",
        usual=(1e-5, 3e-2), decimals=5, logarithmic=True,
    )
    batch: int = whole(
        512, 2, 1_000_000, "Batch", "Fresh points a step; it changes at once, without a new start.", unit="points",
        stops=(32, 64, 128, 256, 512, 1024, 2048, 4096),
    )
    prior: str = choice(
        "gaussian", PRIORS, "Prior", "What z is drawn from, and measured against.\nlog p(x) = log π(z) + log |det ∂z/∂x|",
        menu=True, restarts=True,
    )
    bins: int = whole(16, 2, 64)
    seed: int = whole(0, 0, 2**63 - 1, "Seed", "Decides the first weights and the points.", usual=(0, 2**31 - 1), restarts=True)
    horizon: int | None = whole(None, 1, 2**53, optional=True)
    components: int = whole(
        8, 1, MAX_COMPONENTS, "Gaussians", "How many the mixture has.\nπ(z) = Σ wₖ N(z; μₖ, σₖ)", usual=(1, 16),
        act="Gaussians of the prior", restarts=True, when=lambda config: config.prior == "mixture",
    )
    learned: bool = flag(
        False, "Learned with the flow", "Let training move the Gaussians, too.\nμₖ, σₖ, wₖ", act="Learned prior", restarts=True,
        # Flow matching looks at draws of the prior, never at its density, so nothing could be learned of it there.
        when=lambda config: config.prior == "mixture" and config.flow != "continuous",
    )
    layers: tuple[LayerSpec, ...] | None = other(None, _layers, "Layers", restarts=True)
    target: dict | None = other(None, None, "Target", restarts=True)
    field: str = choice(NEW_FIELD, FIELDS)
    averaging: float = number(
        0.99, 0.0, 0.999, "Averaging",
        "How much of the averaged weights, which are shown and measured, stays at a step; 0 shows the weights as they jump.",
        step=0.001, decimals=3,
    )
    activation: str = choice(
        "silu", {"silu": "SiLU", "tanh": "tanh", "relu": "ReLU"}, "Activation", "What bends a coupling's network.", menu=True,
        restarts=True, when=lambda config: config.flow != "continuous",
    )
    OWNER: ClassVar[str] = "A toy flow's"
    """Begins the sentences about what is not right."""

    def __post_init__(self) -> None:
        from .targets import targets

        check(self, self.OWNER)
        targets.check(self.target, self.density)
        if self.layers is not None and self.flow == "continuous":
            raise ConfigError("A continuous flow is one smooth field; it has no list of layers to edit.")

    @property
    def live(self) -> dict[str, Any]:
        """The settings that may change while the run goes on, by name."""
        return {name: getattr(self, name) for name in LIVE}

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
                bound=SPLINE_BOUND, prior=self.prior, components=self.components, learned=learned, activation=self.activation,
            )  # fmt: skip
        own = {"nice": {"hidden": 2}, "spline": {"bins": self.bins, "bound": SPLINE_BOUND}}.get(self.flow, {})
        return dict(
            system=self.flow, shape=[2], depth=self.depth, width=self.width, prior=self.prior, activation=self.activation, **own
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
        return to_dict(self)

    @classmethod
    def from_dict(cls, values: Mapping) -> ToyConfig:
        """The opposite of :meth:`to_dict`; what is missing takes its default.

        Raises:
            ConfigError: for a name that is unknown or a value out of range.
        """
        return read(cls, values, "A toy run's", strict=True)


LIVE = tuple(name for name, setting in settings(ToyConfig).items() if setting.title and not setting.restarts)
"""A course is written in this order, so a new one is declared below those there are."""
