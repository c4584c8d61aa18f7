"""Points of a table (.csv, .tsv, .txt, .npy) as a target: nothing unpickled, nothing assumed. Torch-free."""
from __future__ import annotations

import os
import stat
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import ConfigError, DataError
from ...fields import shown
from .estimate import KernelEstimate, best_estimate
from .grid import MAX_TITLE, pack, unpack
from .outliers import leave_out, said_of_outliers
from .tables import TextTable

__all__ = ["MAX_FILE_BYTES", "MAX_ROWS", "MIN_ROWS", "Columns", "PointsDensity", "columns", "from_points"]

MAX_ROWS = 20_000
"""Of a longer table so many rows are drawn: 160 kB before they are packed."""
MIN_ROWS = 10
MAX_FILE_BYTES = 256 * 2**20
MAX_COLUMNS = 1000
HELD_OUT_SHARE = 0.2
_SPLIT_SEED = 2**42
_PREVIEW = 100


@dataclass(frozen=True)
class Columns:
    """What a table holds: the columns' names, its first rows (n, columns) with NaN for what is no number, all rows' count."""

    names: tuple[str, ...]
    preview: np.ndarray
    rows: int


class PointsDensity:
    """Rows drawn again and again; a fifth of them, the same ones every time, are held out and never trained on.

    The density that they come from is not known, and so neither is its entropy; ``estimated`` is only to look at.
    """

    known = False
    entropy = entropy_error = None

    def __init__(self, name: str, title: str, points: np.ndarray) -> None:
        self.name, self.title = name, title
        order = np.random.default_rng(_SPLIT_SEED).permutation(len(points))
        kept = max(1, round(HELD_OUT_SHARE * len(points)))
        points = points.astype(np.float64)
        self._held_out, self._points = points[order[:kept]], points[order[kept:]]
        reach = 4.0 * max(1.0, min(2.0, np.ceil(float(np.quantile(np.abs(points), 0.998))) / 4))
        self.bounds = (-reach, reach, -reach, reach)
        self._estimate: KernelEstimate | None = None

    def estimated(self) -> Generator[None, None, KernelEstimate]:
        """The density estimated from all rows, held out or not, once, a piece at a time.

        It is for a picture, never for an entropy or a gap.
        """
        if self._estimate is None:
            self._estimate = yield from best_estimate(self._points, self._held_out, self.bounds)
        return self._estimate

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw ``n`` of the rows to train on, with replacement: (n, 2) float64."""
        return self._points[rng.integers(len(self._points), size=n)]

    def held_out(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """The rows held out, at most ``n``: (m, 2) float64."""
        return self._held_out[:n]

    def log_prob(self, points: np.ndarray) -> np.ndarray:
        """Not known.

        Raises:
            ConfigError: always.
        """
        raise ConfigError("Only points of this density are known, not the density itself.")

    def measure(self) -> Generator[None, None, None]:
        """There is nothing to compute."""
        return
        yield


def columns(path: str | os.PathLike[str]) -> Columns:
    """What there is to choose from in a table.

    Raises:
        DataError: with one sentence, if it is no table with two columns.
    """
    table = _open(path)
    return Columns(table.names, table.cells(np.arange(min(_PREVIEW, table.rows)), range(len(table.names))), table.rows)


def from_points(
    path: str | os.PathLike[str], x_column: int | str, y_column: int | str, seed: int, without: Sequence[float] = ()
) -> dict:
    """Two columns of a table, standardised, as a target; its note says what was done.

    Of more than MAX_ROWS rows that many are drawn, decided by ``seed``. Rows in which one of the two is no finite
    number are left out and counted, and so are those in which one is of ``without``. Rows that lie far outside are told of.

    Raises:
        DataError: with one sentence, for whatever cannot be used.
    """
    name, table = Path(path).name, _open(path)
    chosen = [_column(table.names, wanted, name) for wanted in (x_column, y_column)]
    if chosen[0] == chosen[1]:
        raise DataError(f"Column {shown(table.names[chosen[0]])} was chosen twice: choose two different ones.")
    rows, notes = np.arange(table.rows), []
    if table.rows > MAX_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(table.rows, MAX_ROWS, replace=False))
        notes.append(f"{MAX_ROWS:,} of {table.rows:,} rows were drawn (seed {seed}).")
    values = table.cells(rows, chosen)
    good = np.asarray(np.isfinite(values).all(1))
    if len(without):
        kept = leave_out(values, without)
        if (good & ~kept).any():
            notes.append(f"{int((good & ~kept).sum()):,} rows with {' or '.join(f'{v:g}' for v in without)} were left out.")
        values, good = values[kept], good[kept]
    for place, column in enumerate(chosen):
        if not np.isfinite(values[:, place]).any():
            raise DataError(f"Column {shown(table.names[column])} of {name} holds no numbers: choose another.")
    left = int((~good).sum())
    if left:
        rows_were = "rows without two finite numbers were" if left > 1 else "row without two finite numbers was"
        notes.append(f"{left:,} {rows_were} left out.")
    values = values[good]
    if len(values) < MIN_ROWS:
        raise DataError(f"{name} has {len(values)} usable row{'s' if len(values) != 1 else ''}; at least {MIN_ROWS} are needed.")
    if outside := said_of_outliers(values, [table.names[column] for column in chosen]):
        notes.append(outside)
    centre = np.median(values, 0)
    # Halved first, so that not even the difference of the largest numbers there are overflows.
    away = values / 2 - centre / 2
    size = np.abs(away).max(0)
    for place, column in enumerate(chosen):
        if size[place] <= 1e-12 * abs(centre[place]) or size[place] == 0:
            raise DataError(f"Column {shown(table.names[column])} of {name} has the same value in every row: choose another.")
    away /= size
    points = (away - away.mean(0)) / away.std(0)
    data = np.ascontiguousarray(points, dtype="<f4")
    if abs(float(np.corrcoef(points.T)[0, 1])) > 1 - 1e-9:
        raise DataError(f"The two columns of {name} lie on one straight line, which has no density: choose another pair.")
    held = f"{round(HELD_OUT_SHARE * len(points)):,} of {len(points):,} points"
    notes.append(f"Both columns are standardised; {held} are held out.")
    title = f"{Path(path).stem}: {table.names[chosen[0]]}, {table.names[chosen[1]]}"
    return {"kind": "points", "title": title[:MAX_TITLE], "note": " ".join(notes), "values": pack(data.tobytes())}


def points_of(target: dict) -> np.ndarray:
    """The points of a target: (n, 2) float32.

    Raises:
        ConfigError: if it is damaged.
    """
    data = unpack(target.get("values"), 8 * MAX_ROWS, "The table of points is")
    if len(data) % 8 or len(data) < 8 * MIN_ROWS or not all(isinstance(target.get(key), str) for key in ("title", "note")):
        raise ConfigError("The table of points is damaged, so it cannot be used: load it anew.")
    points = np.frombuffer(data, "<f4").reshape(-1, 2)
    if not np.isfinite(points).all() or np.abs(points).max() > 1e4:
        raise ConfigError("The table of points holds what is no number, so it cannot be used: load it anew.")
    return points


# -- reading ----------------------------------------------------------------------------------------------------


class _Array:
    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":
                raise DataError(f"{path.name} is no .npy array: save one with numpy.save.")
        try:
            # Mapped, not read: of a huge array only the rows that are drawn are.
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # numpy's reader of headers raises nearly everything on damaged ones
            raise DataError(f"{path.name} is damaged, or holds Python objects, which are never loaded.") from error
        if array.dtype.kind not in "fiub":
            raise DataError(f"{path.name} holds {array.dtype}, not real numbers.")
        if array.ndim != 2:
            raise DataError(f"{path.name} has {array.ndim} dimension{'s' if array.ndim != 1 else ''}; a table of points has two.")
        self.array, self.rows = array, array.shape[0]
        self.names = tuple(f"column {place}" for place in range(1, min(array.shape[1], MAX_COLUMNS + 1) + 1))

    def cells(self, rows: np.ndarray, wanted: range | list[int]) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.asarray(self.array[rows][:, list(wanted)], dtype=np.float64)


def _open(path: str | os.PathLike[str]) -> TextTable | _Array:
    path = Path(path)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise DataError(f"{path.name} is no file: choose a .csv, .tsv, .txt or .npy file.")
        if about.st_size == 0:
            raise DataError(f"{path.name} is empty: choose a table with two columns of numbers.")
        is_array = path.suffix.lower() == ".npy"
        if not is_array and about.st_size > MAX_FILE_BYTES:
            raise DataError(f"{path.name} is larger than {MAX_FILE_BYTES >> 20} MiB: save its two columns as .npy instead.")
        table = _Array(path) if is_array else TextTable(path)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror or 'the system refused'}.") from error
    except MemoryError as error:
        raise DataError(f"{path.name} needs more memory than there is.") from error
    if len(table.names) < 2:
        raise DataError(f"{path.name} has one column; points of the plane need two.")
    if len(table.names) > MAX_COLUMNS:
        raise DataError(f"{path.name} has more than {MAX_COLUMNS:,} columns: save the two that matter.")
    if table.rows == 0:
        raise DataError(f"{path.name} has no rows of numbers.")
    return table


def _column(names: tuple[str, ...], wanted: int | str, file: str) -> int:
    if isinstance(wanted, str) and wanted in names:
        return names.index(wanted)
    if not isinstance(wanted, bool) and isinstance(wanted, int) and 0 <= wanted < len(names):
        return wanted
    raise DataError(f"{file} has no column {shown(wanted)}.")
