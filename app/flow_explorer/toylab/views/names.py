"""The views by name: what the menu says of each, which share a panel, which the engine has to compute. No Qt."""

from __future__ import annotations

from flow_explorer.engine.requests.toy_views import DEFAULT_VIEWS, VIEWS, check_views
from flowcore.errors import ConfigError

__all__ = ["MOST_PANELS", "TEXTS", "can_switch", "check_shown", "needs", "panels_of", "switched"]

MOST_PANELS = 6

TEXTS = {
    "data": ("Data", "Points of the density itself."),
    "samples": ("Samples", "Points that the model makes of always the same noise.\nx = f⁻¹(z)"),
    "density": ("Density", "How dense the model's points lie, and how dense they should.\np(x) = π(f(x)) |det ∂f/∂x|"),
    "contours": ("Contours on the density", "Lines of equal density, two nats apart.\nlog p(x) = 0, −2, −4, −6, −8"),
    "logarithmic": ("Density on a log scale", "Colour by log p(x), so that the tails show; else by its root.\nlog p(x)"),
    "prior": ("Prior side", "Where the flow sends the data.\nz = f(x)"),
    "loss": ("Held-out likelihood", "How well unseen points are explained, step by step.\n−E[log p(x)]"),
    "grid": ("Warped grid", "A regular grid in z, bent into the density.\nf⁻¹"),
    "layers": ("Layer by layer", "The same noise after a number of layers.\nh₀ = z, h_K = x"),
    "displacement": ("Displacement field", "How far the flow carries each point of a grid.\nx − z"),
    "stretch": ("Stretching of space", "Where the flow stretches space and where it shrinks it.\nlog |det ∂f/∂x|"),
    "trajectories": ("Trajectories", "The paths of points through the layers.\nh₀ → h₁ → … → h_K"),
    "gradients": ("Gradient norms", "How strongly each layer is pulled, step by step.\n‖∂L/∂θ‖"),
}
"""(title, what the tooltip says), in English; shown through tr()."""

_PANELS = {"data": "points", "samples": "points", "contours": "", "logarithmic": ""}
_FROM_THE_ENGINE = ("samples", "density", "contours", "prior", "grid", "displacement", "stretch")


def panels_of(views: tuple[str, ...]) -> tuple[str, ...]:
    """The panels that show ``views``, in their order: data and samples share "points", contours lie on the density."""
    panels = (_PANELS.get(name, name) for name in VIEWS if name in views)
    return tuple(dict.fromkeys(panel for panel in panels if panel))


def check_shown(views: object) -> None:
    """Raises ConfigError unless these are known views for one to six panels."""
    check_views(views)
    assert isinstance(views, tuple)  # as it was checked
    if not 1 <= len(panels_of(views)) <= MOST_PANELS:
        raise ConfigError(f"The toy lab shows one to {MOST_PANELS} panels.")


def switched(views: tuple[str, ...], name: str) -> tuple[str, ...]:
    """``views`` with one switched on or off, in the usual order."""
    return tuple(view for view in VIEWS if (view in views) != (view == name))


def can_switch(views: tuple[str, ...], name: str) -> bool:
    """Whether switching this one leaves one to six panels (and contours have a density to lie on)."""
    if name in ("contours", "logarithmic") and "density" not in views:
        return False
    return 1 <= len(panels_of(switched(views, name))) <= MOST_PANELS


def needs(views: tuple[str, ...]) -> tuple[str, ...]:
    """Those that the engine computes for the view alone; the data, the layers and the curves come anyway."""
    return tuple(name for name in views if name in _FROM_THE_ENGINE)


assert set(TEXTS) == set(VIEWS) and len(panels_of(DEFAULT_VIEWS)) <= MOST_PANELS
