"""Text files of many systems, and the numbers in them as many countries write them. Torch-free."""

from __future__ import annotations

import codecs
import re

import numpy as np

from .errors import DataError

__all__ = ["decoded", "is_grouped", "number"]

_ALIKE = str.maketrans({
    **dict.fromkeys("\u2212\u2012\u2013\u2010\u2011\ufe63\uff0d", "-"),
    **dict.fromkeys("\u00a0\u202f\u2009\u2007", " "), "\u2019": "'", "\u066b": ".",
})  # fmt: skip
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)
_GROUPED = {
    ".": re.compile(r"[+-]?\d{1,3}([,' ]\d{3})+(\.\d*)?", re.ASCII),
    ",": re.compile(r"[+-]?\d{1,3}([.' ]\d{3})+(,\d*)?", re.ASCII),
}
_BOMS = ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF16_LE, "utf-16-le"),
         (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF8, "utf-8"))  # fmt: skip


def decoded(data: bytes, name: str) -> tuple[bytes, str]:
    """A text's bytes and their encoding, in which a line's end is one byte: UTF-16 and UTF-32 become UTF-8.

    Raises:
        DataError: for what is no text.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            data = data[len(mark) :]
            return (data, "utf-8") if encoding == "utf-8" else (_recoded(data, encoding), "utf-8")
    head = data[:4096]
    if b"\0" in head:
        for encoding, nulls in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
            if nulls.count(0) > 0.7 * len(nulls) and head.count(0) < 1.2 * nulls.count(0):
                return _recoded(data, encoding), "utf-8"
        raise DataError(f"{name} is no table of text: choose a .csv, .tsv, .txt or .npy file.")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data, "cp1252"
    return data, "utf-8"


def number(text: str, decimal: str = ".") -> float:
    """The number that a cell holds, perhaps with a sign between thousands; NaN for anything else."""
    if len(text) > 400:
        return np.nan
    text = text.strip()
    if not text.isascii():
        text = text.translate(_ALIKE).strip()
    # Most cells by far
    plain = text if decimal == "." else text.replace(",", ".") if "." not in text else ""
    if _PLAIN.fullmatch(plain):
        return float(plain.replace("d", "e").replace("D", "e"))
    if _GROUPED[decimal].fullmatch(text):
        whole = re.sub(r"[,' ]" if decimal == "." else r"[.' ]", "", text)
        return float(whole.replace(",", "."))
    return np.nan


def is_grouped(text: str, decimal: str = ".") -> bool:
    """Whether a number has signs between its thousands: 1,234 by a decimal point."""
    return _GROUPED[decimal].fullmatch(text.strip()) is not None


def _recoded(data: bytes, encoding: str) -> bytes:
    return data.decode(encoding, "replace").encode("utf-8", "replace")
