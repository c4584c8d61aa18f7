"""The ways from one pile of pictures to another, by name: what each is called, what it needs, how it is fitted. Torch-free.

The command, the window and the engine all read this table: a further method is a function that fits it, and an entry here. A
command's help reads it too, so nothing is imported before a map is fitted.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import ConfigError

if TYPE_CHECKING:
    import numpy as np

    from .transport import AffineMap

__all__ = ["METHODS", "STRENGTH_MAX", "Method", "allowed", "method"]

STRENGTH_MAX = 2.0
"""0 changes nothing, 1 goes all the way, and so far beyond the window goes."""


@dataclass(frozen=True)
class Method:
    """One way, and what a person reads about it."""

    name: str
    """On the command line, and in sessions."""
    title: str
    line: str
    """What it does, in a sentence."""
    details: str
    """Why, and the formula."""
    needs: Literal["piles", "classes", "pair"] = "piles"
    """Only two piles; a conditional flow, whose classes they are of; or two flows with one prior, and no second pile."""
    by: str = ""
    """"module.function" beside this one that makes the map, where all that is needed are the piles."""

    def fit(self, a: np.ndarray, b: np.ndarray) -> AffineMap:
        """The map from the latents (N, D) of one pile to those (M, D) of another; raises `ConfigError` as its function does."""
        module, _, name = self.by.partition(".")
        return getattr(importlib.import_module(f"{__package__}.{module}"), name)(a, b)


METHODS = {each.name: each for each in (
    Method("mean-shift", "Mean shift", "Moves every z by what lies between the piles' means",
           "Plain and safe: what the piles differ in on average is added.\nT(z) = z + m_B − m_A", by="transport.mean_shift"),
    Method("shrunk-shift", "Shrunk shift", "Mean shift without what may be chance between small piles",
           "Each coordinate's shift d shrinks by what its own standard error s explains.\n"
           "T(z) = z + max(0, 1 − s² / d²) d,  d = m_B − m_A", by="transport.shrunk_shift"),
    Method("transport", "Transport", "Also bends z from the one pile's spread to the other's",
           "The shortest way from one Gaussian to the other, in the directions in which the piles vary most.\n"
           "T(z) = m_B + Σ_A^-½ (Σ_A^½ Σ_B Σ_A^½)^½ Σ_A^-½ (z − m_A)", by="transport.gaussian_transport"),
    Method("entropic", "Entropic transport", "Pairs the piles' pictures softly, and bends z as the pairs lie",
           "Each z of A has a partner, the mean of what Sinkhorn's plan pairs it with in B; a new z moves by the affine part of "
           "these pairs.\nT(z) = m_B + S (z − m_A),  S symmetric, S (x − m_A) ≈ x + ŷ − x̂ − m_B",
           by="entropic.entropic_transport"),
    Method("conditional", "By class", "Encodes under A's class and decodes under B's",
           "The model itself knows what the classes differ in; a pile is of the class under which most of it is "
           "likeliest.\ny = f_B⁻¹(f_A(x))", needs="classes"),
    Method("pair", "By pair", "Encodes with A's own flow and decodes with B's",
           "Two flows that share one prior, as train-pair makes them; there is no way in between, so the strength is 1.\n"
           "y = f_B⁻¹(f_A(x))", needs="pair"),
)}  # fmt: skip
"""In the order in which they are offered; the first is the default."""


def method(name: str) -> Method:
    """The method of a name.

    Raises:
        ConfigError: for a name that there is not.
    """
    if name not in METHODS:
        raise ConfigError(f"Piles are translated by {', '.join(METHODS)}, not by {name!r}.")
    return METHODS[name]


def allowed(classes: bool, pair: bool) -> tuple[str, ...]:
    """The names of the methods that a model allows: one that knows classes, one that is half of a pair."""
    have = {"piles": True, "classes": classes, "pair": pair}
    return tuple(each.name for each in METHODS.values() if have[each.needs])
