"""Plain keys, which a focused field may want for itself, and those with Ctrl, which the window may bind."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence


def is_plain(key: str) -> bool:
    """Whether ``key`` is pressed without Ctrl, Alt or Meta and is no function key, so that a field may want it."""
    head, _, tail = key.rpartition("+")
    return not any(name in head for name in ("Ctrl", "Alt", "Meta")) and not (len(tail) > 1 and tail[0] == "F")


def matches(key: str, pressed: QKeySequence, text: str) -> bool:
    """Whether the key press is ``key``; characters ("?") count however the keyboard's layout makes them."""
    return QKeySequence(key) == pressed or (len(key) == 1 and not key.isalnum() and text == key)
