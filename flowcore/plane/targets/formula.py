"""A formula for a log-density in x and y: parsed by Python's own parser, and never evaluated by Python. Torch-free.

Cases are told apart by ``where(x > 0, a, b)`` or ``a if x > 0 else b``; ``-inf`` is the log-density where there is none.
"""
from __future__ import annotations

import ast
import functools
import math
import warnings
from typing import TypeGuard

import numpy as np

from ...errors import ConfigError
from ..densities import BOUNDS
from .grid import GridDensity

__all__ = ["FUNCTIONS", "MAX_DEPTH", "MAX_LENGTH", "density_of", "evaluate", "from_formula", "parse"]

MAX_LENGTH = 1000
MAX_DEPTH = 100
SIDE = 256
"""Cells a side that a formula is evaluated, normalised and sampled on: what is narrower than one of 0.03 is blurred."""

FUNCTIONS = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "tanh": np.tanh, "exp": np.exp, "log": np.log, "sqrt": np.sqrt,
    "abs": np.abs, "hypot": np.hypot, "min": np.minimum, "max": np.maximum,
}  # fmt: skip
_TWO_OR_MORE, _TWO = ("min", "max"), ("hypot",)
_CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf}
_OPERATORS = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power}
_COMPARISONS = {ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal}
_JOINS = {ast.And: np.logical_and, ast.Or: np.logical_or}
_WRITTEN = {
    "^": "**", "−": "-", "–": "-", "·": "*", "×": "*", "π": "pi", "∞": "inf", "≤": "<=", "≥": ">=", "∧": " and ",
    "∨": " or ", "¬": " not ",
}  # fmt: skip
_CASES = "where"
_MAY = f"x, y, numbers, pi, e, inf, + - * / ^, brackets, {', '.join(FUNCTIONS)}, comparisons, and, or, not, where and if … else"
_NUMBER, _CONDITION = "number", "condition"


def parse(text: str) -> ast.expr:
    """The formula as a tree of allowed nodes only.

    Raises:
        ConfigError: with one sentence, for anything else.
    """
    if not isinstance(text, str) or not text.strip():
        raise ConfigError("The formula is empty: type one in x and y, such as -(x^2 + y^2).")
    if len(text) > MAX_LENGTH:
        raise ConfigError(f"The formula has {len(text):,} characters; {MAX_LENGTH:,} are the most.")
    plain = " ".join(text.split())
    for written, meant in _WRITTEN.items():
        plain = plain.replace(written, meant)
    depth = deepest = 0
    for sign in plain:
        depth += (sign == "(") - (sign == ")")
        deepest = max(deepest, depth)
        if depth < 0:
            raise ConfigError("The formula closes a bracket that was never opened.")
    if depth:
        raise ConfigError(f"The formula leaves {depth} bracket{'s' if depth > 1 else ''} open: close with ).")
    too_deep = ConfigError(f"The formula is nested too deep; {MAX_DEPTH} levels are the most.")
    if deepest > MAX_DEPTH:
        raise too_deep
    try:
        with warnings.catch_warnings():  # `1if x > 0 else 2` is no good Python, and a formula all the same
            warnings.simplefilter("ignore")
            tree = ast.parse(plain, mode="eval").body
    except SyntaxError as error:
        place = f" near place {error.offset}" if error.offset else ""
        raise ConfigError(f"The formula cannot be read{place}: something is missing or misplaced there.") from error
    except (ValueError, OverflowError) as error:
        raise ConfigError("The formula holds a sign or a number that cannot be read.") from error
    except (RecursionError, MemoryError) as error:
        raise too_deep from error
    level = [(tree, _NUMBER)]
    for _ in range(MAX_DEPTH):
        level = [child for node, wanted in level for child in _parts(node, wanted)]
        if not level:
            return tree
    raise too_deep


def _parts(node: ast.expr, wanted: str) -> list[tuple[ast.expr, str]]:
    """What an allowed node is made of, each with whether a number or a condition belongs there."""
    if _is_condition(node):
        if wanted == _NUMBER:
            raise ConfigError("A comparison is no number: put it into where(x > 0, …, …), or between if and else.")
        if isinstance(node, ast.Compare):
            if any(type(sign) not in _COMPARISONS for sign in node.ops):
                raise ConfigError("A formula compares by <, <=, > or >= only.")
            return [(part, _NUMBER) for part in (node.left, *node.comparators)]
        return [(part, _CONDITION) for part in (node.values if isinstance(node, ast.BoolOp) else [node.operand])]
    if wanted == _CONDITION:
        raise ConfigError("In where(…), before else and beside and, or and not there has to be a comparison such as x > 0.")
    if isinstance(node, ast.IfExp):
        return [(node.test, _CONDITION), (node.body, _NUMBER), (node.orelse, _NUMBER)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == _CASES:
        if node.keywords or len(node.args) != 3 or any(isinstance(part, ast.Starred) for part in node.args):
            raise ConfigError("The function where takes three values: a comparison, what holds if it is so, and what if not.")
        return list(zip(node.args, (_CONDITION, _NUMBER, _NUMBER), strict=True))
    return [(part, _NUMBER) for part in _children(node)]


def _is_condition(node: ast.expr) -> TypeGuard[ast.Compare | ast.BoolOp | ast.UnaryOp]:
    return isinstance(node, ast.Compare | ast.BoolOp) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))


def _children(node: ast.expr) -> list[ast.expr]:
    """What an allowed node that is a number is made of; the allow-list itself."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise ConfigError(f"A formula may hold {_MAY}; not {str(node.value)[:20]!r}.")
        return []
    if isinstance(node, ast.Name):
        if node.id in FUNCTIONS or node.id == _CASES:
            raise ConfigError(f"The function {node.id} needs its brackets: {node.id}(…).")
        if node.id not in ("x", "y", *_CONSTANTS):
            raise ConfigError(f"A formula may hold {_MAY}; not the name {node.id[:20]!r}.")
        return []
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        return [node.operand]
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""  # where() has been dealt with
        if name in ("x", "y", *_CONSTANTS) or isinstance(node.func, ast.Constant | ast.BinOp):
            raise ConfigError("A multiplication sign is missing before a bracket in the formula.")
        if name not in FUNCTIONS or node.keywords or any(isinstance(part, ast.Starred) for part in node.args):
            words = f"the function {name[:20]!r}" if name else "a call of that kind"
            raise ConfigError(f"A formula may hold {_MAY}; not {words}.")
        count = len(node.args)
        right = count >= 2 if name in _TWO_OR_MORE else count == (2 if name in _TWO else 1)
        if not right:
            wanted = "two values or more" if name in _TWO_OR_MORE else "two values" if name in _TWO else "one value"
            raise ConfigError(f"The function {name} takes {wanted}, not {count}.")
        return list(node.args)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        raise ConfigError("Conditions are joined by the words and, or, not: x > 0 and y > 0.")
    kinds = {"Attribute": "a name with a dot", "Subscript": "square brackets", "Lambda": "a lambda"}
    raise ConfigError(f"A formula may hold {_MAY}; not {kinds.get(type(node).__name__, 'what is written there')}.")


def evaluate(tree: ast.expr, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Values at the places x, y: float64 throughout, so that a huge power is infinite at once and nothing grows."""
    values: dict[str, np.ndarray | np.generic] = {name: np.float64(value) for name, value in _CONSTANTS.items()}
    values |= {"x": x, "y": y}

    def value(node: ast.expr) -> np.ndarray | np.generic:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            try:
                return np.float64(node.value)
            except OverflowError:
                return np.float64(math.inf)
        if isinstance(node, ast.Name):
            return values[node.id]
        if isinstance(node, ast.BinOp):
            return _OPERATORS[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.UnaryOp):
            inner = value(node.operand)
            if isinstance(node.op, ast.Not):
                return np.logical_not(inner)
            return np.negative(inner) if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.Compare):
            sides = [value(part) for part in (node.left, *node.comparators)]
            steps = zip(node.ops, sides, sides[1:], strict=False)
            return functools.reduce(np.logical_and, [_COMPARISONS[type(sign)](a, b) for sign, a, b in steps])
        if isinstance(node, ast.BoolOp):
            return functools.reduce(_JOINS[type(node.op)], map(value, node.values))
        if isinstance(node, ast.IfExp):
            return np.where(value(node.test), value(node.body), value(node.orelse))
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)  # nothing else was let through
        if node.func.id == _CASES:
            return np.where(*map(value, node.args))
        return functools.reduce(FUNCTIONS[node.func.id], map(value, node.args)) if len(node.args) > 1 else (
            FUNCTIONS[node.func.id](value(node.args[0]))
        )  # fmt: skip

    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(value(tree), np.float64), np.broadcast_shapes(x.shape, y.shape))


def density_of(text: str) -> tuple[GridDensity, float, float]:
    """The density, and the shares of the square on which the formula has no value, and on which it is minus infinity.

    There is no density on either.

    Raises:
        ConfigError: if the formula cannot be read, or makes no density.
    """
    tree = parse(text)
    step = (BOUNDS[1] - BOUNDS[0]) / SIDE
    axis = BOUNDS[0] + step * (np.arange(SIDE) + 0.5)
    level = evaluate(tree, axis[None, :], axis[::-1, None])
    undefined = np.isnan(level)
    if undefined.all():
        raise ConfigError("The formula has no value anywhere in the square from -4 to 4.")
    if np.isposinf(level).any():
        raise ConfigError("The formula grows beyond all numbers in the square from -4 to 4, so it is no density there.")
    level = np.where(undefined, -np.inf, level)
    top = float(level.max())
    if not math.isfinite(top):
        raise ConfigError("The formula is minus infinity all over the square from -4 to 4: the density is never positive.")
    weights = np.exp(level - top)
    log_normaliser = top + math.log(float(weights.sum()) * step**2)
    title = "log p = " + " ".join(text.split())
    shares = float(undefined.mean()), float((np.isneginf(level) & ~undefined).mean())
    return GridDensity("formula", title, weights, log_normaliser), *shares


def from_formula(text: str) -> dict:
    """A formula as a target, its normaliser in the note.

    Raises:
        ConfigError: as :func:`density_of`.
    """
    density, undefined, bare = density_of(text)
    note = f"Normalised over the square: log Z = {density.log_normaliser:.4g}."
    if bare:
        note += f" It is minus infinity on {100 * bare:.3g} % of the square; there is no density there."
    if undefined:
        note += f" It has no value on {100 * undefined:.3g} % of the square; there is no density there."
    return {"kind": "formula", "text": text, "note": note}
