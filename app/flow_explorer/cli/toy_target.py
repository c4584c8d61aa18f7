"""What a toy flow learns on the command line: a density by name, reshaped or not, a file's points or darkness, a formula."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from flowcore.errors import ConfigError, DataError

__all__ = ["DENSITIES", "add_target", "target_of"]

DENSITIES = (
    "two-moons", "eight-gaussians", "two-spirals", "rings", "checkerboard", "pinwheel", "swiss-roll", "gaussian-grid",
    "bridge", "gaussian",
)  # fmt: skip
TABLES = (".csv", ".tsv", ".txt", ".npy")


def add_target(parser: argparse.ArgumentParser) -> None:
    """DENSITY, and what may stand in its place."""
    parser.add_argument("density", metavar="DENSITY", nargs="?", choices=DENSITIES, help=", ".join(DENSITIES))
    group = parser.add_argument_group("another shape, or a target of your own in place of DENSITY")
    group.add_argument(
        "--parameter", action="append", default=[], metavar="KEY=VALUE",
        help="of DENSITY: noise, modes, turns and others, such as turns=2; may be given again for another",
    )  # fmt: skip
    group.add_argument(
        "--target", metavar="FILE", help="a table of points (.csv, .tsv, .txt or .npy), or a picture whose darkness counts"
    )
    group.add_argument(
        "--columns", nargs=2, metavar=("X", "Y"),
        help="of the table, by name or by number from 1 (default: the first two with numbers)",
    )  # fmt: skip
    group.add_argument(
        "--leave-out", action="append", default=[], type=float, metavar="VALUE",
        help="of the table, rows with this number, as --leave-out=-9999 where that stands for a missing one; may be given again",
    )  # fmt: skip
    group.add_argument(
        "--formula", metavar="TEXT",
        help="the log-density in x and y up to a constant, with where(x > 0, …, -inf) for cases; one that begins with a minus "
        "as --formula='-(x^2 + y^2)'",
    )  # fmt: skip


def target_of(args: argparse.Namespace) -> tuple[str, dict[str, Any] | None]:
    """The density's name, and what stands in its place; None for a density as it is.

    Raises:
        FlowError: with one sentence, for whatever cannot be used.
    """
    given = [value for value in (args.density, args.target, args.formula) if value is not None]
    if len(given) != 1:
        what = "Nothing was given" if not given else "More than one target was given"
        raise ConfigError(f"{what} to learn: name one density, or one --target FILE, or one --formula TEXT.")
    if args.parameter and args.density is None:
        raise ConfigError("--parameter reshapes a density that is named; a file or a formula has none.")
    if args.columns and not _is_table(args.target):
        raise ConfigError("--columns chooses of a table, so it needs --target with a .csv, .tsv, .txt or .npy file.")
    if args.leave_out and not _is_table(args.target):
        raise ConfigError("--leave-out is of the rows of a table, so it needs --target with a .csv, .tsv, .txt or .npy file.")
    if args.density is None:
        target = _formula(args.formula) if args.target is None else _file(args.target, args.columns, args.seed, args.leave_out)
        return DENSITIES[0], target
    return args.density, _parameters(args.parameter, args.density) if args.parameter else None


def _is_table(path: str | None) -> bool:
    return path is not None and Path(path).suffix.lower() in TABLES


def _formula(text: str) -> dict[str, Any]:
    from flowcore.plane.targets import targets as toy_targets

    return toy_targets.from_formula(text)


def _file(path: str, wanted: list[str] | None, seed: int, without: list[float]) -> dict[str, Any]:
    from flowcore.plane.targets import targets as toy_targets

    if not _is_table(path):
        from flowcore.pictures.images import read_picture

        return toy_targets.from_pixels(read_picture(path).pixels, Path(path).stem)
    import numpy as np

    table = toy_targets.columns(path)
    if wanted is None:
        has_numbers = np.isfinite(table.preview).any(0)
        # Of a table without any the first two, so that reading them finds the words for it.
        chosen = [*np.flatnonzero(has_numbers).tolist(), *np.flatnonzero(~has_numbers).tolist()][:2]
        chosen.sort()
    else:
        chosen = [_column(table.names, text, path) for text in wanted]
    return toy_targets.from_points(path, chosen[0], chosen[1], seed, without)


def _column(names: tuple[str, ...], text: str, path: str) -> int:
    if text in names:
        return names.index(text)
    # Shorter than what Python refuses to read as a number.
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= len(names):
        return int(text) - 1
    told = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    raise DataError(f"{Path(path).name} has no column {text[:40]!r}; it has {told}.")


def _parameters(given: list[str], density: str) -> dict[str, Any]:
    from flowcore.plane.targets import targets as toy_targets

    target: dict[str, Any] = {"kind": "parameters"}
    for text in given:
        key, sign, value = text.partition("=")
        key = key.strip()
        if not sign or not key or key in target:
            again = "was given twice" if key in target and key != "kind" else "is not KEY=VALUE, such as noise=0.2"
            raise ConfigError(f"The parameter {text[:40]!r} {again}.")
        try:
            target[key] = float(value)
        except ValueError:
            raise ConfigError(f"The parameter {text[:40]!r} has no number after its =.") from None
    toy_targets.check(target, density)
    return target
