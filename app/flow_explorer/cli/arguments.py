"""Types and groups of arguments that several commands share. A bad value is answered with a sentence."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from flowcore.fields import settings
from flowcore.model.temperature import Temperature

__all__ = [
    "add_crop",
    "add_device",
    "add_enlarge",
    "add_fields",
    "add_json",
    "add_model",
    "add_seed",
    "device_name",
    "integer",
    "number",
    "temperatures",
]


def number(minimum: float, maximum: float) -> Callable[[str], float]:
    """An argument type: a finite number from `minimum` to `maximum`, both included."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and minimum <= value <= maximum):
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {minimum:g} to {maximum:g}")
        return value

    return parse


def integer(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """An argument type: a whole number from `minimum` on, to `maximum` where there is one."""

    def parse(text: str) -> int:
        value = _whole(text)
        if value is None or value < minimum or (maximum is not None and value > maximum):
            upto = f"from {minimum} to {maximum}" if maximum is not None else f"from {minimum} up"
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {upto}")
        return value

    return parse


def _whole(text: str) -> int | None:
    # 1e12 is how a person types a large count, so it is understood and then answered for what it is.
    if len(text) > 40:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if math.isfinite(value) and value == int(value) and abs(value) <= 1e18 else None


def temperatures(text: str) -> Temperature:
    """One temperature, or one a level divided by commas, each from 0 to 100."""
    parse = number(0.0, 100.0)
    values = tuple(parse(part.strip()) for part in text.split(","))
    return values[0] if len(values) == 1 else values


def add_fields(parser: argparse.ArgumentParser, of: Any, without: Iterable[str] = ()) -> list[str]:
    """An argument for each declared field that has a title and can be typed; without it on the line its value is None.

    Returns the fields' names.
    """
    names: list[str] = []
    for name, setting in settings(of).items():
        if not setting.title or setting.kind not in ("whole", "number", "choice", "flag") or name in without:
            continue
        names.append(name)
        value = getattr(of, name)  # of the class: making an object would check it, which may need numpy
        what = re.split(r"[\n;]", setting.help)[0].rstrip(".").replace("%", "%%")
        how: dict[str, Any] = {"type": integer if setting.kind == "whole" else number, "metavar": "N"}
        if setting.kind == "choice":
            how = {"choices": tuple(setting.options)}
        elif setting.kind == "flag":
            how = {"action": argparse.BooleanOptionalAction}
        else:
            how["type"] = how["type"](setting.low, setting.high)
        told = f"default: {value}" if setting.kind == "choice" else f"default: {value:g}"
        told = "(not by default)" if value is False else "(by default)" if value is True else f"({told})"
        help_text = f"{setting.title}: {what[:1].lower()}{what[1:]} {told}" if what else told
        parser.add_argument(f"--{name.replace('_', '-')}", default=None, help=help_text, **how)
    return names


def device_name(text: str) -> str:
    """auto, cpu, mps, cuda or cuda:N; whether it is there is asked when torch is loaded."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d{1,3})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no device: give auto, cpu, cuda, cuda:1 or mps")
    return text


def color(text: str) -> str:
    """A colour as #rrggbb."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no colour: give it as #rrggbb, such as #ffffff")
    return text.lower()


def eyes(text: str) -> tuple[float, float, float, float]:
    """Two points, X1,Y1,X2,Y2: in pixels, or, where no number is above 1, as parts of a picture's width and height."""
    parse = number(-1e6, 1e6)
    values = [parse(part.strip()) for part in text.split(",")]
    if len(values) != 4:
        raise argparse.ArgumentTypeError(f"{text!r} is not two points: give X1,Y1,X2,Y2, such as 120,200,180,196")
    return values[0], values[1], values[2], values[3]


def add_model(parser: argparse.ArgumentParser) -> None:
    """--model."""
    parser.add_argument(
        "--model",
        metavar="M",
        help="a bundled model's name, a checkpoint or a run folder (default: the first of `flow-explorer models`)",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """--device."""
    parser.add_argument(
        "--device",
        type=device_name,
        default="auto",
        metavar="D",
        help="auto, cpu, cuda, cuda:1 or mps (default: auto, the graphics processor where there is one)",
    )


def add_seed(
    parser: argparse.ArgumentParser, help_text: str = "seed of all that is random (default: 0)"
) -> None:
    """--seed."""
    parser.add_argument("--seed", type=integer(0, 2**63 - 1), default=0, metavar="N", help=help_text)


def add_json(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def add_enlarge(parser: argparse.ArgumentParser) -> None:
    """--enlarge."""
    parser.add_argument(
        "--enlarge", type=integer(1, 32), default=1, metavar="N", help="write every pixel as N×N (default: 1)"
    )


def add_crop(parser: argparse.ArgumentParser) -> None:
    """What the model sees of a picture: a square of it, moved, zoomed and turned."""
    group = parser.add_argument_group("what the model sees (default: the largest centred square)")
    group.add_argument(
        "--center",
        nargs=2,
        type=number(0, 1),
        default=(0.5, 0.5),
        metavar=("X", "Y"),
        help="the middle of the square, as parts of the picture's width and height",
    )
    group.add_argument("--zoom", type=number(0.25, 64), default=1.0, metavar="Z", help="2 sees half as much")
    group.add_argument(
        "--angle", type=number(-360, 360), default=0.0, metavar="DEG", help="turned by this much"
    )
    group.add_argument(
        "--background", type=color, default="#ffffff", metavar="#RRGGBB", help="behind transparent pixels"
    )
    group.add_argument(
        "--eyes",
        type=eyes,
        action="append",
        metavar="X1,Y1,X2,Y2",
        help="of a model of faces, instead of the above: turn, zoom and move the picture so that these two points, the eyes, "
        "come where the model's training pictures have them; in the picture's pixels, or as parts of its width and height. Given "
        "once, of every picture; or once for each",
    )
