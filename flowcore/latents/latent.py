"""What one does in z without the flow: the walks between two latents.

Latents are flat arrays (D,) of whitened coordinates, as a flow's ``encode`` gives them. Walks are computed in
float64 and returned in the latents' own precision; both ends come back exactly, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ConfigError

__all__ = ["MODES", "linear", "norm_kept", "spherical", "walk"]

MODES = ("linear", "spherical", "norm-kept")


def linear(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """The point a + t (b - a); at t = 0 it is a, at t = 1 it is b."""
    a, b = _pair(a, b)
    return _ends(a, b, t, lambda p, q: (1 - t) * p + t * q)


def spherical(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """The point at t on the great circle from a's direction to b's, its norm going evenly from |a| to |b|.

    A walk in a straight line passes through norms that are rare under a Gaussian in many dimensions; this one
    keeps to the shell. Where the directions are equal or opposite, or an end is zero, no one great circle
    exists and the walk is the straight one. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH
    1985.
    """
    a, b = _pair(a, b)

    def point(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        norm_p, norm_q = np.linalg.norm(p), np.linalg.norm(q)
        if norm_p == 0.0 or norm_q == 0.0:
            return (1 - t) * p + t * q
        unit_p, unit_q = p / norm_p, q / norm_q
        # accurate for small angles too, where arccos of the inner product is not (Kahan)
        angle = 2.0 * np.arctan2(np.linalg.norm(unit_p - unit_q), np.linalg.norm(unit_p + unit_q))
        sine = np.sin(angle)
        if sine < 1e-9:
            return (1 - t) * p + t * q
        direction = (np.sin((1 - t) * angle) * unit_p + np.sin(t * angle) * unit_q) / sine
        return ((1 - t) * norm_p + t * norm_q) * direction

    return _ends(a, b, t, point)


def norm_kept(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """The straight walk's point, scaled so that its norm goes evenly from |a| to |b|."""
    a, b = _pair(a, b)

    def point(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        straight = (1 - t) * p + t * q
        norm = np.linalg.norm(straight)
        wanted = (1 - t) * np.linalg.norm(p) + t * np.linalg.norm(q)
        return straight if norm < 1e-9 * wanted or norm == 0.0 else straight * (wanted / norm)

    return _ends(a, b, t, point)


def walk(a: np.ndarray, b: np.ndarray, ts: Sequence[float] | np.ndarray, mode: str = "linear") -> np.ndarray:
    """The points at every t of a walk of one of ``MODES``: (len(ts), D).

    Raises:
        ConfigError: for another mode, or latents of different sizes.
    """
    table = {"linear": linear, "spherical": spherical, "norm-kept": norm_kept}
    if mode not in table:
        raise ConfigError(f"There is no walk named {mode!r}: choose one of {', '.join(MODES)}.")
    a, b = _pair(a, b)
    points = [table[mode](a, b, float(t)) for t in ts]
    return np.stack(points) if points else np.empty((0, *a.shape), np.result_type(a, b))


def _pair(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise ConfigError(f"A walk needs two latents of one model: these have {a.size} and {b.size} numbers.")
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        a, b = a.astype(np.float64), b.astype(np.float64)
    return a, b


def _ends(a: np.ndarray, b: np.ndarray, t: float, point) -> np.ndarray:
    if not np.isfinite(t):
        raise ConfigError(f"A walk's position must be a finite number, not {t}.")
    dtype = np.result_type(a, b)
    if t == 0.0:
        return a.astype(dtype)
    if t == 1.0:
        return b.astype(dtype)
    return point(a.astype(np.float64), b.astype(np.float64)).astype(dtype)
