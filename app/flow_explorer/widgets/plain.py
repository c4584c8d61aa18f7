"""Foreign words (names of files, models, runs, classes) where Qt would read more than words in them.

A tooltip, a label or a message box that looks like HTML is shown as HTML, and `<img src='…'>` makes Qt open that path; in the
text of a button or a menu `&` is a mnemonic. `Label` is plain text already.
"""

from __future__ import annotations

from PySide6.QtGui import Qt

__all__ = ["plain", "unmarked"]

_JOINER = "\u2060"
"""Word joiner: seen by nobody, and no part of a tag."""


def plain(text: str) -> str:
    """The same words for a tooltip, of which Qt makes no HTML."""
    return text.replace("<", "<" + _JOINER).replace("&lt;", f"&{_JOINER}lt;") if Qt.mightBeRichText(text) else text


def unmarked(text: str) -> str:
    """The same words for a button or a menu, none of whose letters becomes a mnemonic."""
    return text.replace("&", "&&")
