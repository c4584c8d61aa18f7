"""Any text as one line that a terminal or a label can show: names of files and cards come from anywhere. Torch-free."""
from __future__ import annotations

import re
import unicodedata

__all__ = ["LIMIT", "one_line"]

LIMIT = 300
"""Characters of a sentence, about four lines of a terminal: what is longer is not read."""
_WORD = 80
_BREAKS = re.compile("[ ]*[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029][\\s\x1c-\x1f]*")
_JOINERS = "\u200c\u200d"
"""Of Persian words, and of pictures made of several: they move no cursor and turn no direction."""


def one_line(text: object, limit: int = LIMIT) -> str:
    r"""The same words in one line of at most ``limit`` characters, with nothing in them that acts on a terminal.

    Line breaks and tabs are spaces. Escapes and other control characters, marks that turn the direction of writing, and bytes of
    a name that are no text are shown as Python writes them: ``\x1b``. Of what is too long the middle is left out, first of
    words that are long themselves, as paths are.
    """
    words = str(text)
    if len(words) <= limit and words.isprintable():
        return words
    if len(words) > 40 * limit:
        words = _without_middle(words, 40 * limit)
    words = _BREAKS.sub(" ", words)
    if not words.isprintable():
        words = "".join(sign if sign.isprintable() else _shown(sign) for sign in words)
    if len(words) > limit:
        words = re.sub(rf"\S{{{_WORD + 1},}}", lambda found: _without_middle(found[0], _WORD), words)
    return _without_middle(words, limit)


def _without_middle(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    end = (limit - 1) // 2
    return f"{text[: limit - 1 - end]}…{text[len(text) - end :]}"


def _shown(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind == "Zs":  # another width of space
        return " "
    if sign in _JOINERS or kind not in ("Cc", "Cf", "Cs"):
        return sign
    code = ord(sign)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no text, as Python holds it in a file's name
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
