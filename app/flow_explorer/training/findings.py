"""What a run's figures say that a person should know: overfitting, skipped steps, a disk that fills up. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from flow_explorer.i18n import plural, tr
from flow_explorer.training.record import RunSnapshot

__all__ = ["Finding", "findings", "overfitting_since", "smoothed", "thinned", "time_words"]

AFTER_BEST = 3
"""So many evaluations in a row must be worse than the best one."""
RISE = 0.01
"""... and the last of them by this share."""
FREE_CHECKPOINTS = 4
MIN_FREE = 200 * 2**20
_BLOCK = 128


@dataclass(frozen=True)
class Finding:
    """A sentence; ``kind`` is "error" or "notice"."""

    kind: str
    sentence: str


def smoothed(values: np.ndarray, weight: float) -> np.ndarray:
    """An exponential moving average, each point divided by the weights it really has, so that it starts unbiased."""
    if weight <= 0 or not len(values):
        return values
    # By blocks: within one a matrix of powers, from one to the next only the last average.
    count = min(_BLOCK, len(values))
    lags = np.arange(count)[:, None] - np.arange(count)
    within = np.where(lags >= 0, (1.0 - weight) * weight ** np.maximum(lags, 0), 0.0)
    fading = weight ** np.arange(1, count + 1)
    result = np.empty(len(values))
    last = 0.0
    for start in range(0, len(values), count):
        block = values[start : start + count]
        size = len(block)
        result[start : start + size] = within[:size, :size] @ block + fading[:size] * last
        last = result[start + size - 1]
    result /= 1.0 - weight ** np.arange(1, len(values) + 1)
    return result


def thinned(across: np.ndarray, values: np.ndarray, count: int, extremes: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """At most about ``count`` points of a curve, evenly ``across`` (ascending), its last among them.

    With ``extremes`` the lowest and the highest of each part, so that what is noisy looks as noisy as it is.
    """
    if len(values) <= count:
        return across, values
    if extremes:
        parts = np.digitize(across, np.linspace(across[0], across[-1], max(2, count // 2)))
        order = np.lexsort((values, parts))
        first = np.flatnonzero(np.diff(parts[order], prepend=-1))
        keep = np.concatenate([order[first], order[np.append(first[1:], len(order)) - 1], [len(values) - 1]])
    else:
        keep = np.searchsorted(across, np.linspace(across[0], across[-1], count)).clip(0, len(values) - 1)
    keep = np.unique(keep)
    return across[keep], values[keep]


def overfitting_since(run: RunSnapshot) -> int | None:
    """The step from which held-out bpd has risen while the training's fell; None where it has not."""
    held = run.held_bpd
    if len(held) <= AFTER_BEST:
        return None
    best = int(held.argmin())
    after = held[best + 1 :]
    if len(after) < AFTER_BEST or after[-1] < held[best] + RISE * abs(held[best]):
        return None
    since = run.held_steps[best]
    width = max(1, (run.steps > since).sum() // 3)
    then = run.bpd[run.steps <= since][-width:]
    now = run.bpd[-width:]
    if not len(then) or now.mean() >= then.mean():
        return None
    return int(since)


def findings(run: RunSnapshot) -> list[Finding]:
    """What is to be said, the most urgent first."""
    told = []
    if run.state in ("failed", "gone") and run.sentence:
        told.append(Finding("error", run.sentence))
    if run.notice:
        told.append(Finding("error", run.notice))
    needed = max(MIN_FREE, FREE_CHECKPOINTS * run.checkpoint_bytes)
    if run.is_live and run.free_bytes is not None and run.free_bytes < needed:
        free = f"{run.free_bytes / 2**20:,.0f} MB"
        told.append(Finding("error", tr("Only {free} are left on the disk: checkpoints may soon not fit.", free=free)))
    since = overfitting_since(run)
    if since is not None:
        words = tr(
            "Held-out bpd has been rising since step {step} while the training's still falls: the model learns its "
            "pictures by heart. The best checkpoint is kept; more pictures or a smaller model would help.",
            step=f"{since:,}",
        )
        told.append(Finding("notice", words))
    if run.skipped:
        words = plural(
            run.skipped,
            "{count} step had a gradient that was not finite, and was skipped.",
            "{count} steps had gradients that were not finite, and were skipped.",
        )
        told.append(Finding("notice", words))
    return told


def time_words(seconds: float | None) -> str:
    """A time as a person says it: "12 s", "4 min", "3 h 20 min", "2 days"."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 0.95:
        return tr("{n} ms", n=f"{1000 * seconds:.0f}")
    if seconds < 10:
        return tr("{n} s", n=f"{seconds:.1f}")
    if seconds < 90:
        return tr("{n} s", n=f"{seconds:.0f}")
    minutes = round(seconds / 60)
    if minutes < 90:
        return tr("{n} min", n=minutes)
    if minutes < 36 * 60 and minutes % 60 == 0:
        return tr("{h} h", h=minutes // 60)
    if minutes < 36 * 60:
        return tr("{h} h {m} min", h=minutes // 60, m=minutes % 60)
    return tr("{n} days", n=f"{minutes / 1440:.1f}")
