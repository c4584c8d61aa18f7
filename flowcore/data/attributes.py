"""What is known of each picture beside its pixels: attributes and classes from a table, matched by file name."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from ..errors import DataError, PictureError, said
from ..pictures.images import read_file
from ..texts import decoded, number
from .idx_npz import check_npz

__all__ = ["Attributes", "read_attributes"]

MAX_BYTES = 512 * 2**20
MAX_CLASSES = 1000
MAX_COLUMNS = 10_000
"""Columns of a table, and attributes that its words make."""
_MAX_ALIKE = 1000
_MAX_VALUES = 64
"""A column of words with more different ones than this is text, and no attribute."""


@dataclass
class Attributes:
    """A table with a row a picture.

    ``keys`` are the rows' file names ("" each where rows go by order); ``names`` and ``values`` (rows, A) int8 of -1 and
    1 the attributes; ``words`` the columns of words, from which classes can be made.
    """

    where: str
    keys: list[str]
    names: list[str]
    values: np.ndarray
    words: dict[str, list[str]] = field(default_factory=dict)

    def rows_of(self, pictures: Sequence[str]) -> np.ndarray:
        """The row of each picture, int64; -1 where there is none.

        A row's name is a picture's whole relative name, or its file's name, or that without its ending; or one of the two
        ends as the other does, whatever the case and the separators, where no other row does as well.

        Raises:
            DataError: where no picture has a row, or rows by order are not as many as the pictures.
        """
        if not any(self.keys):
            if len(self.keys) != len(pictures):
                raise DataError(
                    f"{self.where} has {len(self.keys):,} rows without file names, and there are "
                    f"{len(pictures):,} pictures: give a table whose first column is the file name."
                )
            return np.arange(len(pictures))
        known = {key: row for row, key in enumerate(self.keys)}
        loose = _Names(self.keys)
        result = np.full(len(pictures), -1, np.int64)
        for index, name in enumerate(pictures):
            row = known.get(name, known.get(PurePosixPath(name).name))
            result[index] = loose.row(name) if row is None else row
        if len(pictures) and (result < 0).all():
            raise DataError(
                f"{self.where} names none of the pictures: it begins with {self.keys[0]!r}, "
                f"and a picture is {pictures[0]!r}."
            )
        return result

    def classes_from(self, column: str) -> tuple[list[str], np.ndarray]:
        """The classes that a column makes, and each row's number among them, int64.

        Raises:
            DataError: where there is no such column, or it holds too many different words.
        """
        if column in self.words:
            classes, numbers = np.unique(np.array(self.words[column]), return_inverse=True)
            if len(classes) > MAX_CLASSES:
                raise DataError(
                    f"{self.where}: {column} holds {len(classes):,} different words, "
                    f"more than the {MAX_CLASSES:,} classes there can be."
                )
            return [str(name) for name in classes], numbers.astype(np.int64)
        if column in self.names:
            return [f"not {column}", column], (self.values[:, self.names.index(column)] > 0).astype(np.int64)
        columns = [*self.words, *self.names]
        some = ", ".join(columns[:8]) + (" …" if len(columns) > 8 else "")
        raise DataError(f"{self.where} has no column {column!r}: it has {some or 'none'}.")


class _Names:
    """Rows by what their names end with: folders that only one side has, case, backslashes and endings do not count."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._parts = [_parts(key) for key in keys]
        self._by_name: dict[str, list[int]] = {}
        self._by_stem: dict[str, list[int]] = {}
        for row, parts in enumerate(self._parts):
            self._by_name.setdefault(parts[-1], []).append(row)
            self._by_stem.setdefault(_stem(parts[-1]), []).append(row)

    def row(self, picture: str) -> int:
        """The one row of that picture; -1 for none, or several that fit equally well."""
        parts = _parts(picture)
        found = self._best(parts, self._by_name.get(parts[-1], ()), whole=True)
        if found is None:
            found = self._best(parts, self._by_stem.get(_stem(parts[-1]), ()), whole=False)
        return -1 if found is None else found

    def _best(self, parts: tuple[str, ...], rows: Sequence[int], whole: bool) -> int | None:
        """The row with most folders in common; None where none fits, -1 where two fit alike."""
        best, most, alike = None, -1, False
        for row in rows[:_MAX_ALIKE]:
            key = self._parts[row]
            shared = min(len(key), len(parts)) - 1
            if key[len(key) - 1 - shared : -1] != parts[len(parts) - 1 - shared : -1]:
                continue
            if shared > most:
                best, most, alike = row, shared, False
            elif shared == most:
                alike = True
        return -1 if alike else best


def _parts(name: str) -> tuple[str, ...]:
    """A path's parts, to be compared: without case, as one kind of Unicode, whatever separates them."""
    parts = unicodedata.normalize("NFC", name.replace("\\", "/")).casefold().split("/")
    return tuple(part for part in parts if part not in ("", ".")) or ("",)


def _stem(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return stem if dot and stem and 1 <= len(ending) <= 4 else name


def read_attributes(path: Path) -> Attributes:
    """A table of attributes: .csv (comma, semicolon or tab), CelebA's own .txt, or .npz with attr_names and attr.

    A CSV's first column is the file name; the others hold -1 and 1, 0 and 1, or words. A column of a few words gives an
    attribute "column=word" each.

    Raises:
        DataError: in one sentence that names the line, for a table that cannot be understood.
    """
    if path.suffix.lower() == ".npz":
        return _from_npz(path)
    try:
        data = read_file(path, path.name, MAX_BYTES)
    except PictureError as error:
        raise DataError(f"The attributes cannot be read: {error}") from None
    data, encoding = decoded(data, path.name)
    if encoding != "utf-8":
        raise DataError(f"{path} is not text in UTF-8: save it as a CSV with that encoding.")
    text = data.decode("utf-8")
    lines = text.splitlines()
    if lines and lines[0].strip().isdigit():
        header, rows = _celeba(path, lines)
    else:
        header, rows = _csv(path, text)
    return _table(path, header, rows)


def _csv(path: Path, text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}.") from None
    return (rows[0][1], rows[1:]) if rows else ([], [])


def _celeba(path: Path, lines: list[str]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """A line with the count, one with the attributes' names, and then a file name and its values a line."""
    names = lines[1].split() if len(lines) > 1 else []
    return ["file", *names], [(n, line.split()) for n, line in enumerate(lines[2:], 3) if line.strip()]


def _table(path: Path, header: list[str], rows: list[tuple[int, list[str]]]) -> Attributes:
    while len(header) > 2 and not header[-1] and all(len(row) < len(header) or not row[len(header) - 1] for _, row in rows):
        # A sign at each line's end makes no column
        rows = [(line, row[: len(header) - 1]) for line, row in rows]
        header = header[:-1]
    columns = header[1:]
    if not columns or not rows:
        raise DataError(
            f"{path} holds no attributes: its first line must name a column of file names and at least one more, "
            "and a line for each picture follows."
        )
    times = Counter(columns)
    if len(times) < len(columns) or "" in times:
        wrong = next(name for name in columns if not name or times[name] > 1)
        raise DataError(f"{path}: the column name {wrong[:80]!r} is empty or given twice.")
    if len(columns) > MAX_COLUMNS:
        raise DataError(f"{path} has {len(columns):,} columns, more than {MAX_COLUMNS:,}: keep those that matter.")
    seen: dict[str, int] = {}
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(f"{path}, line {line}: {len(row)} values where the first line names {len(header)}.")
        if not row[0]:
            raise DataError(f"{path}, line {line}: there is no file name.")
        if row[0] in seen:
            raise DataError(f"{path}, line {line}: {row[0]} has a row already, on line {seen[row[0]]}.")
        seen[row[0]] = line
    names: list[str] = []
    values: list[np.ndarray] = []
    words: dict[str, list[str]] = {}
    for position, column in enumerate(columns, 1):
        cells = [row[position] for _, row in rows]
        distinct = set(cells)
        numbers = _signs(distinct)
        if numbers is not None:
            names.append(column)
            values.append(np.array([numbers[cell] for cell in cells], np.int8))
            continue
        if "" in distinct:
            line = rows[cells.index("")][0]
            raise DataError(f"{path}, line {line}: {column} is empty.")
        words[column] = cells
        if len(distinct) <= _MAX_VALUES:
            ordered = sorted(distinct)
            if len(names) + len(ordered) > MAX_COLUMNS:
                raise DataError(f"{path} makes more than {MAX_COLUMNS:,} attributes of its words: keep the columns that matter.")
            place = {word: number for number, word in enumerate(ordered)}
            numbered = np.array([place[cell] for cell in cells])
            names += [f"{column}={word}" for word in ordered]
            values += [np.where(numbered == number, 1, -1).astype(np.int8) for number in range(len(ordered))]
    stacked = np.stack(values, axis=1) if values else np.zeros((len(rows), 0), np.int8)
    return Attributes(str(path), list(seen), names, stacked, words)


def _signs(cells: set[str]) -> dict[str, int] | None:
    """-1 and 1 for the words of a column that are -1 and 1, or 0 and 1; None for any other column."""
    numbers = {}
    for cell in cells:
        value = number(cell, "," if "," in cell else ".")
        if np.isnan(value):
            return None
        numbers[cell] = value
    found = set(numbers.values())
    if not (found <= {-1.0, 1.0} or found <= {0.0, 1.0}):
        return None
    return {cell: 1 if value > 0 else -1 for cell, value in numbers.items()}


def _from_npz(path: Path) -> Attributes:
    try:
        check_npz(path)
        with np.load(path, allow_pickle=False) as file:
            names, values = [str(name) for name in file["attr_names"]], np.asarray(file["attr"])
            keys = [str(name) for name in file["names"]] if "names" in file.files else [""] * len(values)
    except DataError:
        raise
    except KeyError:
        raise DataError(f"{path} has no attributes: the arrays attr_names and attr are needed.") from None
    except Exception as error:  # zipfile, zlib and numpy raise nearly everything on damaged archives
        raise DataError(f"{path} cannot be read as a .npz of numbers: {said(error)}.") from error
    if values.dtype.kind not in "iu" or values.shape != (len(keys), len(names)):
        raise DataError(f"{path}: attr has shape {values.shape}, not a row a picture of {len(names)} numbers.")
    found = set(np.unique(values).tolist())
    if not (found <= {-1, 1} or found <= {0, 1}):
        raise DataError(f"{path}: attr holds other numbers than -1 and 1, or 0 and 1.")
    return Attributes(str(path), keys, names, np.where(values > 0, 1, -1).astype(np.int8))
