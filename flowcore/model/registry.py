"""The systems that a card may name, each registered by the file that makes it; your own beside them."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .flow import Flow

__all__ = ["System", "find_system", "register_system", "system_names"]

_MODULES = ("flowcore.model.systems", "flowcore.plane.continuous", "flowcore.plane.stack")
"""They register flowcore's own, and are imported when a system is first asked for."""


@dataclass(frozen=True)
class System:
    """A family of flows."""

    make: Callable[..., Flow]
    """``make(shape, **settings)``: every setting has a default, and a value in a card must be of the default's type."""
    priors: tuple[str, ...] | None
    """What its setting ``prior`` may be; None for those that :func:`flowcore.model.priors.make_prior` knows."""
    limits: Mapping[str, float]
    """The largest value of a setting that costs memory or time, so that no card can ask for too much."""


_systems: dict[str, System] = {}


def register_system(
    name: str, make: Callable[..., Flow], priors: tuple[str, ...] | None = None, limits: Mapping[str, float] | None = None
) -> None:
    """Let :func:`flowcore.build`, and with it ``save`` and ``load``, know a family of flows of your own.

    ``make(shape, **settings)`` returns a :class:`~flowcore.model.flow.Flow` whose ``architecture`` is ``system=name``, its
    ``shape`` as a list and its settings, all JSON-ready. It must be registered before a file of it is loaded.
    """
    _systems[name] = System(make, priors, limits or {})


def find_system(name: object) -> System | None:
    """The system of this name, or None."""
    if not isinstance(name, str):
        return None
    if name not in _systems:
        _register_own()
    return _systems.get(name)


def system_names() -> list[str]:
    """Of all that are registered."""
    _register_own()
    return list(_systems)


def _register_own() -> None:
    for module in _MODULES:
        import_module(module)
