"""How pictures are read, on the command line: what several commands ask of data, and what a model says of its own."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_explorer.cli.arguments import integer, number
from flow_explorer.terminal.output import say
from flowcore.errors import ConfigError

if TYPE_CHECKING:
    from flowcore.data.picture_set import PictureSet
    from flowcore.data.reading import Reading

__all__ = ["CHANNELS", "add_data", "add_loading", "add_reading", "check_unchanged", "chosen", "data_path", "loading", "of_card",
           "tell_left_out"]  # fmt: skip

CHANNELS = {"auto": None, "grey": 1, "colour": 3}

_TOLD = 20  # files left out that are named one by one


def add_data(parser: argparse.ArgumentParser, positional: bool = False) -> None:
    """--data, or PATH."""
    what = "a folder or zip of pictures, idx files, a .npz or .npy, or hf:NAME[:split] of the Hugging Face hub"
    if positional:
        parser.add_argument("data", metavar="PATH", help=what)
    else:
        parser.add_argument("--data", required=True, metavar="PATH", help=what)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """What is done to pictures of many sizes and kinds, and what table goes with them."""
    group = parser.add_argument_group("how pictures are read")
    group.add_argument(
        "--channels", choices=tuple(CHANNELS), help="(default: auto, grey where every picture is grey)"
    )
    group.add_argument(
        "--fit",
        choices=("crop", "pad", "stretch"),
        help="pictures of another shape: the largest part in the middle, the whole with bars around, or the whole squeezed "
        "(default: crop)",
    )
    group.add_argument(
        "--background",
        type=background,
        metavar="COLOUR",
        help="behind transparent pixels and in the bars: white, black, checker or #rrggbb (default: white, and black bars)",
    )
    group.add_argument(
        "--min-size", type=integer(1, 10**6), metavar="N", help="leave out pictures with a side of less than N pixels"
    )
    group.add_argument(
        "--attributes", metavar="FILE", help="a table with a row a picture: .csv with the file name first, or .npz"
    )
    group.add_argument("--labels-from", metavar="COLUMN", help="the column of that table that makes the classes")


def add_loading(parser: argparse.ArgumentParser) -> None:
    """How much is held in memory, and who decodes the rest."""
    parser.add_argument(
        "--data-memory",
        type=number(0, 10**6),
        metavar="GIB",
        help="pictures that need more are read from disk while training; 0 always does (default: a quarter of what is free)",
    )
    parser.add_argument(
        "--workers", type=integer(1, 256), metavar="N", help="processes that decode those (default: one less than cores)"
    )


def background(text: str) -> str:
    """An argument type: white, black, checker or #rrggbb."""
    if text not in ("white", "black", "checker") and not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no background: give white, black, checker or #rrggbb")
    return text.lower()


def data_path(text: str) -> str | Path:
    """What --data names: a path with the home folder filled in, or a name on the hub as it is."""
    return text if text.startswith("hf:") else Path(text).expanduser()


def chosen(args: argparse.Namespace) -> Reading:
    """The reading that the arguments ask for."""
    from flowcore.data.reading import Reading

    return Reading(CHANNELS[args.channels or "auto"], args.background, args.fit or "crop", args.min_size or 1)


def loading(args: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `open_dataset` that change nothing but memory and speed."""
    memory = None if args.data_memory is None else int(args.data_memory * 2**30)
    return {"memory": memory, "workers": args.workers}


def of_card(data: Mapping[str, Any] | None) -> Reading:
    """How the pictures that a model was trained on were read, by its card's or its run's `data`."""
    from flowcore.data.reading import Reading

    found = data.get("reading") if isinstance(data, Mapping) else None
    return Reading.from_dict(dict(found)) if isinstance(found, Mapping) else Reading()


def check_unchanged(args: argparse.Namespace, held: Reading) -> None:
    """Raise ConfigError where a resumed run would read its pictures in another way."""
    asked = chosen(args)
    for name, given, was, is_now in (
        ("--fit", args.fit, held.fit, asked.fit),
        ("--background", args.background, held.background, asked.background),
        ("--min-size", args.min_size, held.minimum, asked.minimum),
        ("--channels", CHANNELS[args.channels or "auto"], held.channels, asked.channels),
    ):
        if given is not None and was != is_now:
            raise ConfigError(
                f"The run in {args.out} was begun with another {name} ({_said(was)}), so it cannot go on with {_said(is_now)}."
            )


def _said(value: object) -> str:
    return "none" if value is None else str(value)


def tell_left_out(data: PictureSet) -> None:
    """Name what could not be read, on stderr."""
    for name, sentence in data.skipped[:_TOLD]:
        say(f"flow-explorer: {name} is left out: {sentence}")
    if len(data.skipped) > _TOLD:
        say(f"flow-explorer: {len(data.skipped) - _TOLD:,} more are left out; `flow-explorer data` names them all.")
