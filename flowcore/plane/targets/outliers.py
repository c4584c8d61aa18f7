"""Rows that lie far outside all others: numbers that stand for "missing", slips of a pen, instruments gone wrong. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["far_outside", "leave_out", "said_of_outliers"]

_FAR = 20.0
"""Times the middle half's width from the median; of a normal distribution no row in the world's life, of heavy tails few."""


def far_outside(values: np.ndarray) -> np.ndarray:
    """Which of the numbers (n, columns) lie far outside the others of their column, bool."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    width = high / 2 - low / 2
    # Where half of them are one number, a wider part tells how the others spread
    spread = np.quantile(values, 0.95, axis=0) / 2 - np.quantile(values, 0.05, axis=0) / 2
    width = np.where(width > 0, width, spread)
    with np.errstate(over="ignore"):
        return (np.abs(values / 2 - middle / 2) > _FAR * width) & (width > 0)


def leave_out(values: np.ndarray, without: Sequence[float]) -> np.ndarray:
    """Which rows (n, columns) hold none of those numbers, bool."""
    alike = np.isclose(values[..., None], np.asarray(without, np.float64), rtol=1e-6, atol=0.0)
    return np.logical_not(alike.any(axis=(1, 2)))


def said_of_outliers(values: np.ndarray, names: Sequence[str]) -> str:
    """A sentence about the rows (n, columns) that lie far outside, and how to leave them out; empty where there are none."""
    far = far_outside(values)
    count = int(far.any(axis=1).sum())
    if not count:
        return ""
    found, times = np.unique(values[far], return_counts=True)
    common = float(found[times.argmax()])
    holding = np.logical_and(far, values == common)
    with_it, column = int(holding.any(axis=1).sum()), int(holding.sum(axis=0).argmax())
    rows = "row lies" if count == 1 else "rows lie"
    most = f", {with_it:,} of them" if 1 < with_it < count else ""
    return (
        f"{count:,} {rows} far outside the others{most} with {common:g}, as in {names[column][:40]!r}, so that these are "
        f"squeezed together: delete such rows in the table, or give --leave-out={common:g}."
    )
