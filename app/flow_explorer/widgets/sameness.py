"""Whether a view is asked to show what it shows already: what is not asked for anew is not painted anew."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["same"]


def same(before: Any, now: Any) -> bool:
    """Whether two things to show are equal. Pictures are compared by identity: one that is shown is never changed afterwards."""
    if before is now:
        return True
    if isinstance(before, np.ndarray) or isinstance(now, np.ndarray):
        return False
    if isinstance(before, (list, tuple)) and isinstance(now, (list, tuple)):
        return len(before) == len(now) and all(map(same, before, now))
    if isinstance(before, dict) and isinstance(now, dict):
        return before.keys() == now.keys() and all(same(value, now[key]) for key, value in before.items())
    return bool(before == now)
