"""The card of a checkpoint: what it is, what it was trained on, under which licence, and how good it is.

A checkpoint is one .safetensors file; its card is JSON in that file's metadata, so that the two cannot part. Reading a
card needs neither torch nor the weights.
"""
from __future__ import annotations

import itertools
import json
import math
import os
import stat
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from pathlib import Path

from .. import plain_json
from ..errors import CheckpointError
from ..fields import is_finite, is_number, shown
from .temperature import TEMPERATURE_MAX, Temperature, split

__all__ = [
    "DEFAULT_TEMPERATURE",
    "FORMAT_VERSION",
    "QUANTILES",
    "SYSTEM_NAMES",
    "class_names",
    "default_temperature",
    "eye_positions",
    "find_checkpoint",
    "held_out_bpd",
    "held_out_norms",
    "level_count",
    "likelier_than",
    "read_card",
    "read_header",
    "run_checkpoints",
    "typicality",
]

FORMAT_VERSION = 1
QUANTILES = 201
NORM_SHARES = (0.025, 0.5, 0.975)
"""Of held-out pictures, below which the card tells |z|."""
SYSTEM_NAMES = {
    "nice": "NICE", "realnvp": "RealNVP", "glow": "Glow", "glow-plus": "Glow plus", "spline": "Neural spline",
    "continuous": "Continuous", "stack": "Own layers",
}  # fmt: skip
"""What a person reads for a card's ``system``."""
_MAX_HEADER = 32 * 2**20


def find_checkpoint(path: str | os.PathLike) -> Path:
    """A checkpoint file, or the best (else the last) one of a run folder.

    Raises:
        CheckpointError: if there is none.
    """
    path = Path(path)
    try:
        if path.is_dir():
            for name in ("best.safetensors", "last.safetensors"):
                if (path / name).is_file():
                    return path / name
            raise CheckpointError(f"The folder '{path}' holds no checkpoint (best.safetensors or last.safetensors).")
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise CheckpointError(f"There is no model at '{path}'.") from None
    except OSError as error:
        raise CheckpointError(f"The model '{path}' cannot be opened: {error.strerror or error}.") from None
    if not stat.S_ISREG(mode):
        raise CheckpointError(f"'{path}' is not a file, so it cannot be a model.")
    return path


def read_header(path: str | os.PathLike) -> dict:
    """The JSON header of a .safetensors file, checked against the file's length; nothing else is read.

    Raises:
        CheckpointError: if the file is no complete safetensors file.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if len(start) < 8 or length > min(size - 8, _MAX_HEADER):
                raise CheckpointError(f"'{path}' is not a Flow Explorer checkpoint (no safetensors header); choose another file.")
            header = plain_json.loads(file.read(length).decode("utf-8"))
    except OSError as error:
        raise CheckpointError(f"The model '{path}' cannot be read: {error.strerror or error}.") from None
    except ValueError:
        raise CheckpointError(
            f"'{path}' is not a Flow Explorer checkpoint (its header is not JSON); choose another file."
        ) from None
    if not isinstance(header, dict):
        raise CheckpointError(f"'{path}' is not a Flow Explorer checkpoint (its header is not a table).")
    try:
        end = max((t["data_offsets"][1] for name, t in header.items() if name != "__metadata__"), default=0)
    except (TypeError, KeyError, IndexError):
        raise CheckpointError(f"'{path}' is not a Flow Explorer checkpoint (its header is malformed).") from None
    if not isinstance(end, int) or 8 + length + end != size:
        told = 8 + length + (end if isinstance(end, int) else 0)
        raise CheckpointError(
            f"'{path}' is cut short or damaged: it has {size:,} bytes where its header tells of {told:,}."
        )
    return header


def read_card(path: str | os.PathLike) -> dict:
    """The card of a checkpoint or run folder.

    Raises:
        CheckpointError: if there is no checkpoint, or it is broken, or of another format version.
    """
    path = find_checkpoint(path)
    metadata = read_header(path).get("__metadata__")
    if not isinstance(metadata, dict) or metadata.get("format") != "flow-explorer":
        raise CheckpointError(f"'{path}' holds weights but no Flow Explorer card, so the model cannot be rebuilt from it.")
    try:
        card = plain_json.loads(metadata["card"])
        version = card["format_version"]
    except (ValueError, KeyError, TypeError):
        raise CheckpointError(f"The card of '{path}' is damaged.") from None
    if not is_number(version) or version != FORMAT_VERSION:
        raise CheckpointError(
            f"'{path}' has format version {shown(version)}; this Flow Explorer reads version {FORMAT_VERSION}."
        )
    return card


def run_checkpoints(folder: str | os.PathLike) -> tuple[list[tuple[int, Path]], list[str]]:
    """The checkpoints that a run folder holds, (steps, file) each, fewest steps first; and why others cannot be read.

    ``best`` and ``last`` are among them, ``last`` after others of its step, and those that were kept for good.
    """
    found, why = [], []
    for path in sorted(Path(folder).glob("*.safetensors")):
        if path.name.startswith("."):  # being written
            continue
        try:
            steps = read_card(path).get("steps")
        except CheckpointError as error:
            why.append(str(error))
            continue
        found.append((steps if type(steps) is int else 0, path))
    return sorted(found, key=lambda entry: (entry[0], entry[1].stem == "last", entry[1].name)), why


def level_count(card: Mapping) -> int:
    """How many levels the model's z has (``len(flow.levels)``): those of a multi-scale model of pictures, else 1."""
    architecture = card.get("architecture")
    if not isinstance(architecture, dict) or architecture.get("system") not in ("realnvp", "glow", "glow-plus"):
        return 1
    shape, levels = architecture.get("shape"), architecture.get("levels")
    of_pictures = isinstance(shape, list) and len(shape) == 3
    return levels if of_pictures and type(levels) is int and levels > 0 else 1


DEFAULT_TEMPERATURE = 0.7
"""Of a card that names none."""


def default_temperature(card: Mapping) -> Temperature:
    """What the model's samples look best at: one number for all levels, or one for each, the finest first.

    A card holds either ``default_temperature``, a number, or ``default_temperatures``, as many as the model's z has levels.

    Raises:
        CheckpointError: where ``default_temperatures`` is no such list.
    """
    profile = card.get("default_temperatures")
    if profile is None:
        value = card.get("default_temperature")
        return float(value) if is_number(value) and 0 <= value <= 100 else DEFAULT_TEMPERATURE
    levels = level_count(card)
    known = isinstance(profile, list) and len(profile) == levels
    if not known or not all(is_number(each) and 0 <= each <= TEMPERATURE_MAX for each in profile):
        raise CheckpointError(
            f"The card of '{card.get('name')}' must give {levels} default_temperatures from 0 to {TEMPERATURE_MAX:g}, "
            f"one for each level of its z, the finest first, not {json.dumps(profile)[:200]}."
        )
    highest, differing = split([float(each) for each in profile])
    return differing or highest


def class_names(card: Mapping) -> list[str]:
    """The names of the classes that the model is conditional on, by number; empty for a model without classes.

    Where the card does not name as many as its architecture has, they are called by their numbers.
    """
    architecture = card.get("architecture")
    count = architecture.get("classes") if isinstance(architecture, dict) else None
    if type(count) is not int or not 0 < count <= 100_000:
        return []
    names = card.get("classes")
    if isinstance(names, list) and len(names) == count and all(isinstance(name, str) and name for name in names):
        return list(names)
    return [str(number) for number in range(count)]


KNOWN_EYES = {"CelebA, the first 10,000 aligned pictures": ((0.37, 0.515), (0.63, 0.515))}
"""By how the data's name begins, for cards that do not say it themselves. CelebA's are measured on the mean of its aligned
pictures (see ``assets/models/data.py``) and made symmetric, since they were trained on mirrored as well."""


def eye_positions(card: Mapping) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Where the faces that a model was trained on have their eyes: the viewer's left one, then the right one, each as shares
    of the picture's width and height; None for a model of anything else.
    """
    value = card.get("eyes")
    if isinstance(value, list) and len(value) == 2 and all(isinstance(eye, list) and len(eye) == 2 for eye in value):
        shares = [share for eye in value for share in eye]
        if all(is_number(share) and 0.0 <= share <= 1.0 for share in shares) and shares[0] < shares[2]:
            return (float(shares[0]), float(shares[1])), (float(shares[2]), float(shares[3]))
    data = card.get("data")
    name = data.get("name") if isinstance(data, dict) else None
    return next((eyes for known, eyes in KNOWN_EYES.items() if isinstance(name, str) and name.startswith(known)), None)


def _held_out(card: Mapping) -> list[float]:
    """The quantiles, ascending; empty where the card has none, or has something else in their place."""
    held_out = card.get("held_out")
    quantiles = held_out.get("bpd_quantiles") if isinstance(held_out, dict) else None
    if not isinstance(quantiles, list) or len(quantiles) < 2:
        return []
    if not all(is_finite(value) for value in quantiles):
        return []
    return quantiles if all(a <= b for a, b in itertools.pairwise(quantiles)) else []


def _distribution_function(quantiles: list[float], value: float) -> float:
    """F(value) in [0, 1] by linear interpolation between evenly spaced quantiles."""
    if value < quantiles[0]:
        return 0.0
    if value >= quantiles[-1]:
        return 1.0
    low, high = bisect_left(quantiles, value), bisect_right(quantiles, value)
    if high > low:
        return (low + high - 1) / 2 / (len(quantiles) - 1)
    a, b = quantiles[low - 1], quantiles[low]
    return (low - 1 + (value - a) / (b - a)) / (len(quantiles) - 1)


def held_out_bpd(card: Mapping) -> tuple[float, float, float] | None:
    """(low, median, high) bits per dimension of held-out pictures, 95 % between the ends; None where the card has none."""
    quantiles = _held_out(card)
    if not quantiles:
        return None
    low, median, high = (quantiles[round(share * (len(quantiles) - 1))] for share in (0.025, 0.5, 0.975))
    return low, median, high


def held_out_norms(card: Mapping, levels: int) -> list[tuple[float, float, float]] | None:
    """(low, median, high) of held-out pictures' |z|, one for each of so many levels, the finest first, then one for all of z.

    None where the card does not say, as those of models trained before this was measured do not.
    """
    held_out = card.get("held_out")
    rows = held_out.get("norm_quantiles") if isinstance(held_out, dict) else None
    if not isinstance(rows, list) or len(rows) != levels + 1:
        return None
    for row in rows:
        if not isinstance(row, list) or len(row) != len(NORM_SHARES):
            return None
        if not all(is_finite(value) and value >= 0 for value in row) or row != sorted(row):
            return None
    return [(row[0], row[1], row[2]) for row in rows]


def likelier_than(card: Mapping, bpd: float) -> float | None:
    """Percent of held-out pictures that this one is likelier than (whose bpd is higher); None where the card has none."""
    quantiles = _held_out(card)
    if not quantiles or not math.isfinite(bpd):
        return None
    return 100.0 * (1.0 - _distribution_function(quantiles, bpd))


def typicality(card: Mapping, bpd: float) -> float | None:
    """Two-sided, in percent: 100 · 2 · min(F, 1 − F), F the held-out pictures' distribution function of bpd.

    100 for a picture as likely as the median one, 0 for one that is less likely, *or more likely*, than any of them:
    high likelihood is not typicality (Nalisnick et al. 2019).
    """
    quantiles = _held_out(card)
    if not quantiles or not math.isfinite(bpd):
        return None
    f = _distribution_function(quantiles, bpd)
    return 100.0 * 2.0 * min(f, 1.0 - f)
