"""Which class a picture is taken under, as plain data: one class, or a place between several. Torch-free.

A label is a tuple of (class, weight) pairs, ascending by class, the weights above 0 and 1 together: ``((3, 1.0),)`` is
class 3, ``((3, 0.75), (5, 0.25))`` a quarter of the way from 3 to 5, and ``()`` says nothing, as a model without classes
needs it. Between classes a prior's locations and log-scales are the weighted means of theirs.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..fields import is_number

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Label", "between", "describe", "find_class", "from_json", "single", "to_array", "to_json"]

Label = tuple[tuple[int, float], ...]

MAX_CLASS = 100_000
_TOLD = 12


def single(number: int) -> Label:
    """The label of one class."""
    return ((int(number), 1.0),)


def between(a: Label, b: Label, t: float) -> Label:
    """The label at t on the way from ``a`` to ``b``: the weights go evenly. At 0 it is ``a`` itself, at 1 ``b``.

    Where one of them says nothing, so does what lies between.
    """
    if not a or not b:
        return ()
    if a == b or t == 0.0:
        return a
    if t == 1.0:
        return b
    weights: dict[int, float] = {}
    for label, part in ((a, 1.0 - t), (b, t)):
        for number, weight in label:
            weights[number] = weights.get(number, 0.0) + part * weight
    return tuple((number, weights[number]) for number in sorted(weights) if weights[number] > 0.0)


def to_json(label: Label) -> int | list | None:
    """The class's number; a list of [class, weight] between classes; None where nothing is said."""
    if len(label) == 1:
        return label[0][0]
    return [[number, weight] for number, weight in label] or None


def from_json(value: object) -> Label:
    """Read what :func:`to_json` wrote.

    Raises:
        ConfigError: if it is no label.
    """
    if value is None:
        return ()
    if type(value) is int and 0 <= value <= MAX_CLASS:
        return single(value)
    if isinstance(value, (list, tuple)) and value:
        pairs: list[tuple[Any, Any]] = [
            tuple(pair) if isinstance(pair, (list, tuple)) and len(pair) == 2 else (None, None) for pair in value
        ]
        numbers, weights = [number for number, _ in pairs], [weight for _, weight in pairs]
        if (
            all(type(number) is int and 0 <= number <= MAX_CLASS for number in numbers)
            and all(is_number(weight) and 0.0 < weight <= 1.0 for weight in weights)
            and numbers == sorted(set(numbers))
            and math.isclose(sum(weights), 1.0, abs_tol=1e-6)
        ):
            return tuple((number, float(weight)) for number, weight in pairs)
    raise ConfigError("A class is a whole number of 0 or more, or pairs of such a number and its weight.")


def to_array(labels: Sequence[Label], classes: int) -> np.ndarray | None:
    """Labels as a prior takes them: int64 (N,), or float64 (N, classes) of weights where one lies between classes.

    None for a model without classes.

    Raises:
        ConfigError: if a label does not fit a model of so many classes.
    """
    import numpy as np  # a command line that only shows its help does without

    if not classes:
        if any(labels):
            raise ConfigError("This model knows no classes, so none can be chosen.")
        return None
    for label in labels:
        if not label:
            raise ConfigError(f"This model is conditional: give a class from 0 to {classes - 1}.")
        if label[-1][0] >= classes or label[0][0] < 0:
            raise ConfigError(f"This model has classes 0 to {classes - 1}, and {label[-1][0]} is none of them.")
    if all(len(label) == 1 for label in labels):
        return np.array([label[0][0] for label in labels], np.int64)
    weights = np.zeros((len(labels), classes))
    for row, label in zip(weights, labels, strict=True):
        for number, weight in label:
            row[number] = weight
    return weights


def find_class(text: str, names: Sequence[str]) -> int:
    """The class that a person means by its name, in any case, or by its number.

    Raises:
        ConfigError: if there is none, telling which there are.
    """
    wanted = text.strip()
    for same in (lambda name: name == wanted, lambda name: name.casefold() == wanted.casefold()):
        for number, name in enumerate(names):
            if same(name):
                return number
    if wanted.isascii() and wanted.isdigit() and int(wanted) < len(names):
        return int(wanted)
    told = ", ".join(names[:_TOLD]) + (", …" if len(names) > _TOLD else "")
    raise ConfigError(f"There is no class {text!r}: this model has {told} (or a number from 0 to {len(names) - 1}).")


def describe(label: Label, names: Sequence[str]) -> str:
    """A label in words: "Dress", or "Dress 75 %, Coat 25 %" between classes; empty where nothing is said."""
    known = [(names[number] if number < len(names) else str(number), weight) for number, weight in label]
    if len(known) == 1:
        return known[0][0]
    return ", ".join(f"{name} {100 * weight:.0f} %" for name, weight in sorted(known, key=lambda pair: -pair[1]))
