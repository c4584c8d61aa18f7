"""Tables of text as programs of many countries write them: what parts columns, what is the decimal sign. Torch-free."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np

from ...errors import DataError
from ...texts import decoded, is_grouped, number

__all__ = ["TextTable", "separator", "split_line"]

MAX_LINES = 20_000_000
_LOOKED_AT = 200
"""Lines by which the signs are chosen, spread over the whole table."""
_LONGEST = 50_000
"""Bytes of a line that are looked at: of a thousand columns more than enough."""
_PREAMBLE = 20
"""Lines of words, at most, that may stand before the columns' names."""
_SEPARATORS = ("\t", ";", ",", "|", None)
"""None is any white space. The first of those that serve alike is taken."""

class TextTable:
    """Lines of columns: ``names`` of these, ``rows`` their number; what a line holds is found out when it is asked for."""

    def __init__(self, path: Path) -> None:
        data, self._encoding = decoded(path.read_bytes(), path.name)
        if b"\n" not in data:
            data = data.replace(b"\r", b"\n")
        if data.count(b"\n") > MAX_LINES:
            raise DataError(f"{path.name} has more than {MAX_LINES:,} lines: save a part of it, or its two columns as .npy.")
        self._data, signs = data, np.frombuffer(data, np.uint8)
        ends = np.append(np.flatnonzero(signs == 10), len(data))
        starts = np.append(0, ends[:-1] + 1)
        # White space alone is no line, and neither is a remark
        seen = np.add.reduceat(np.append(signs > 32, False), np.minimum(starts, len(data)), dtype=np.int32)
        full = (seen > 0) & (starts < len(data)) & (ends > starts)
        self._starts, self._ends = starts[full], ends[full]
        remark = np.isin(signs[self._starts], (ord("#"), ord("%")))
        self._starts, self._ends = self._starts[~remark], self._ends[~remark]
        given = re.fullmatch(r"\"?sep=(.)\"?", self._lines(np.arange(min(1, len(self._starts))))[0].strip()) if len(
            self._starts) else None  # fmt: skip
        if given:  # a line that Excel is told the separator by
            self._drop(1)
        if not len(self._starts):
            raise DataError(f"{path.name} is empty: choose a table with two columns of numbers.")
        spread = np.unique(np.linspace(min(1, len(self._starts) - 1), len(self._starts) - 1, _LOOKED_AT).astype(int))
        looked = self._lines(spread)
        self.separator, self.decimal, width = separator(looked, given[1] if given else "")
        self._name(width, [row for row in (self._split(line, 0) for line in looked) if len(row) == width])
        self.rows = len(self._starts)

    def _name(self, width: int, looked: list[list[str]]) -> None:
        """Take the names of ``width`` columns from the first line, where it has any, and drop what stands before it."""
        cells = [self._split(line, 0) for line in self._lines(np.arange(min(_PREAMBLE, len(self._starts))))]
        fits = next((place for place, row in enumerate(cells) if len(row) == width or 1 < len(row) == width - 1), 0)
        first = cells[fits]
        words = [not _is_nan(cell) and np.isnan(number(cell, self.decimal)) for cell in first]
        header = not any(first) or any(words)
        if any(words) and len(first) == width:
            # Words where other rows have words too are no names, if some column has numbers from the first row on
            usual = np.mean([[not np.isnan(number(cell, self.decimal)) for cell in row] for row in looked], axis=0) > 0.5
            header = not usual.any() or any(word and other for word, other in zip(words, usual, strict=True))
        # R writes rows that begin with their names, and none above these
        if header and len(first) == width - 1 and width > 1:
            first = ["", *first]
        if not header and len(first) < width:
            first = first + [""] * (width - len(first))
        names = [cell.strip() for cell in first] if header else [""] * len(first)
        self.names = tuple((name or f"column {place}")[:80] for place, name in enumerate(names, 1))
        self._drop(fits + header)

    def _split(self, line: str, width: int) -> list[str]:
        return _trimmed(split_line(line, self.separator), width)

    def _drop(self, count: int) -> None:
        self._starts, self._ends = self._starts[count:], self._ends[count:]

    def _lines(self, numbers: np.ndarray) -> list[str]:
        return [
            self._data[start : min(end, start + _LONGEST)].decode(self._encoding, "replace").strip("\r\n")
            for start, end in zip(self._starts[numbers].tolist(), self._ends[numbers].tolist(), strict=True)
        ]

    def cells(self, rows: np.ndarray, wanted: range | list[int]) -> np.ndarray:
        """Numbers (rows, columns); NaN for what is none, or is in a row with too few or too many values."""
        out = np.full((len(rows), len(wanted)), np.nan)
        for place, line in enumerate(self._lines(rows)):
            parts = self._split(line, len(self.names))
            if len(parts) != len(self.names):
                continue
            for column, index in enumerate(wanted):
                out[place, column] = number(parts[index], self.decimal)
        return out


def separator(lines: list[str], given: str = "") -> tuple[str | None, str, int]:
    """What parts the columns of these lines, their decimal sign, and how many columns there are.

    The pair is taken that gives most numbers in lines of one width.
    """
    best: tuple[tuple[float, ...], str | None, str, int] | None = None
    for sign in (given,) if given else _SEPARATORS:
        rows = [_trimmed(split_line(line, sign), 0) for line in lines]
        width = Counter(len(row) for row in rows).most_common(1)[0][0] if rows else 1
        alike = [row for row in rows if len(row) == width]
        for decimal in (".", ","):
            if decimal == sign:
                continue
            share = float(np.mean([[_likeness(cell, decimal) for cell in row] for row in alike]))
            even = len(alike) / max(1, len(lines))
            score = (width > 1, round(share * even, 2), share * even * width)
            if best is None or score > best[0]:
                best = score, sign, decimal, width
    assert best is not None
    return best[1:]


def split_line(line: str, sign: str | None) -> list[str]:
    """A line's cells; of one with a quote that is never closed, without quotes."""
    if sign is None:
        return line.split()
    if '"' not in line:
        return [cell.strip() for cell in line.split(sign)]
    if line.count('"') % 2 == 0:
        try:
            return next(csv.reader([line], delimiter=sign, skipinitialspace=True))
        except (csv.Error, StopIteration):
            pass
    return [cell.strip() for cell in line.replace('"', "").split(sign)]


def _likeness(text: str, decimal: str) -> float:
    """1 for a number, a little less for one with a sign between thousands (5,126 may be either), 0 for none."""
    return 0.0 if np.isnan(number(text, decimal)) else 0.9 if is_grouped(text, decimal) else 1.0


def _trimmed(cells: list[str], width: int) -> list[str]:
    """The cells without the empty ones behind the ``width``-th that signs at a line's end make."""
    count = len(cells)
    while count > max(1, width) and not cells[count - 1].strip():
        count -= 1
    return cells[:count]


def _is_nan(text: str) -> bool:
    return text.strip().lower() in ("", "nan", "na", "n/a", "null", "inf", "-inf", "+inf", "infinity")
