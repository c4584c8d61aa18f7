"""Any target for the toy lab, made from plain JSON: a built-in density reshaped, ink, a picture, points, a formula.

``None`` is the built-in density as it is. Otherwise a dictionary with a ``kind``:

- ``{"kind": "parameters", "noise": 0.1, …}``: of the built-in density, the keys of ``PARAMETERS[density]``;
- ``{"kind": "grid", "title", "source": "drawn" | "picture", "side", "values"}``: zlib in base64 of side² bytes, 0 bare;
- ``{"kind": "points", "title", "note", "values"}``: the same of (n, 2) little-endian float32, standardised;
- ``{"kind": "formula", "text"}``, perhaps with a ``note``: the log-density up to a constant.

Torch-free.
"""
from __future__ import annotations

import json
from functools import lru_cache

import numpy as np

from ...errors import ConfigError
from ...fields import is_finite, shown
from .. import densities
from ..densities import Density
from .formula import density_of, from_formula
from .grid import GridDensity, from_grid, from_pixels, grid_of
from .points import Columns, PointsDensity, columns, from_points, points_of
from .shapes import PARAMETERS, Parameter, ShapedDensity

__all__ = [
    "KINDS", "MAX_BYTES", "PARAMETERS", "Columns", "Parameter", "check", "columns", "from_formula", "from_grid", "from_pixels",
    "from_points", "grid_of", "key", "make", "origin", "picture",
]  # fmt: skip

KINDS = ("parameters", "grid", "points", "formula")
MAX_BYTES = 600_000
"""The most that a target's JSON may hold."""

Target = Density | ShapedDensity | GridDensity | PointsDensity


def check(target: dict | None, density: str) -> None:
    """Raise one sentence if the target cannot be made; quick for one that was checked before.

    Raises:
        ConfigError: for whatever is wrong with it.
    """
    make(target, density)


def make(target: dict | None, density: str) -> Target:
    """The target with ``sample``, ``log_prob``, ``held_out``, ``entropy``, ``bounds``, ``title`` and ``known``.

    ``known`` is False of points alone: their ``entropy`` is None and ``log_prob`` raises. ``measure()`` computes the
    entropy a piece at a time; otherwise the first who asks for it waits.

    Raises:
        ConfigError: for whatever is wrong with it.
    """
    if not isinstance(density, str):
        raise ConfigError(f"There is no density named {shown(density)}.")
    if target is None:
        return densities.get(density)
    return _make(key(target, density))


def key(target: dict | None, density: str) -> str:
    """The same text for the same target.

    Raises:
        ConfigError: if it is no plain JSON, or too much of it.
    """
    if target is not None and (not isinstance(target, dict) or target.get("kind") not in KINDS):
        raise ConfigError(f"A target is one of {', '.join(KINDS)}, or none for the density as it is.")
    if target is not None and isinstance(target.get("values"), str) and len(target["values"]) > MAX_BYTES:
        raise ConfigError(f"The target is larger than {MAX_BYTES // 1000} kB, so it cannot be used.")
    try:
        text = json.dumps([density, target], sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError("The target is no plain JSON, so it cannot be used.") from error
    if len(text) > MAX_BYTES:
        raise ConfigError(f"The target is larger than {MAX_BYTES // 1000} kB, so it cannot be used.")
    return text


@lru_cache(maxsize=16)
def _make(text: str) -> Target:
    density, target = json.loads(text)
    kind = target["kind"]
    if kind == "parameters":
        values = _values(target, density)
        same = all(values.get(one.key, one.default) == one.default for one in PARAMETERS[density])
        return densities.get(density) if same else ShapedDensity(density, values)
    allowed = {
        "grid": {"title", "source", "side", "values"}, "points": {"title", "note", "values"}, "formula": {"text", "note"},
    }[kind]  # fmt: skip
    unknown = sorted(set(target) - allowed - {"kind"})
    if unknown:
        raise ConfigError(f"A target of kind {kind} has no setting {shown(unknown[0])}.")
    if kind == "grid":
        return GridDensity("grid", target.get("title", ""), grid_of(target))
    if kind == "points":
        return PointsDensity("points", target.get("title", ""), points_of(target))
    if not isinstance(target.get("note", ""), str):
        raise ConfigError("The note of a formula is text.")
    return density_of(target.get("text"))[0]


def _values(target: dict, density: str) -> dict[str, float]:
    densities.get(density)
    known = {parameter.key: parameter for parameter in PARAMETERS[density]}
    values = {}
    for name, value in target.items():
        if name == "kind":
            continue
        if name not in known:
            raise ConfigError(f"{density} has no parameter {shown(name)}; it has {', '.join(known)}.")
        one = known[name]
        if not is_finite(value) or not one.low - 1e-9 <= value <= one.high + 1e-9 or (one.whole and value != int(value)):
            what = "a whole number" if one.whole else "a number"
            raise ConfigError(f"The {one.title.lower()} must be {what} from {one.low:g} to {one.high:g}, not {shown(value)}.")
        values[name] = int(value) if one.whole else float(value)
    return values


def origin(target: dict | None) -> dict[str, str]:
    """``licence`` and ``note`` for the card of a model: nobody here can license what a person drew or brought along."""
    if target is not None and target["kind"] == "points":
        return {"licence": "", "note": f"Rows of a table. {target['note']}".strip()}
    if target is not None and target["kind"] == "grid":
        what = "a picture's darkness" if target["source"] == "picture" else "a drawing"
        return {"licence": "", "note": f"Points drawn from {what}."}
    return {"licence": "CC0-1.0", "note": "Points drawn from a density of the plane."}


def picture(target: dict | None, density: str, side: int) -> np.ndarray | None:
    """√p, (side, side), row 0 on top; None where the density is not known.

    Raises:
        ConfigError: as :func:`make`.
    """
    made = make(target, density)
    if not made.known:
        return None
    reach = made.bounds[1]
    axis = reach * (2 * (np.arange(side) + 0.5) / side - 1)
    return np.exp(0.5 * made.log_prob(np.stack(np.meshgrid(axis, -axis), axis=-1)))
