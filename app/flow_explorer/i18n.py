"""Translation of every text a person reads: ``tr("New samples")``.

Catalogues are flat JSON files, English text to translated text, in ``assets/translations/LANGUAGE.json``.
English is the source language, so a missing catalogue or a missing entry shows the English text, never a key.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

_catalogue: dict[str, str] = {}
_language = "en"


def tr(text: str, /, **values: object) -> str:
    """``text`` in the window's language, with ``{name}`` fields filled from ``values``."""
    translated = _catalogue.get(text, text)
    return translated.format(**values) if values else translated


def plural(count: int, one: str, many: str, /, **values: object) -> str:
    """``one`` or ``many`` by ``count``, translated, with ``{count}`` (thousands separated) and ``values`` filled in."""
    return tr(one if count == 1 else many, count=f"{count:,}", **values)


def language() -> str:
    """The language in use, an ISO 639 code."""
    return _language


def load(code: str, folder: Path) -> bool:
    """Use the catalogue ``folder/code.json``; returns False, and stays with English, where there is none."""
    global _catalogue, _language
    _catalogue, _language = {}, "en"
    if re.fullmatch(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*", code) is None:
        return False
    try:
        loaded = json.loads((folder / f"{code}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    if not isinstance(loaded, dict):
        return False
    _catalogue = {k: v for k, v in loaded.items() if isinstance(k, str) and isinstance(v, str) and v}
    _language = code
    return True
