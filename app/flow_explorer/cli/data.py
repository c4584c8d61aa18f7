"""`flow-explorer data`: what is found in a folder of pictures, or other data, before anything is trained on it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from flow_explorer.cli.arguments import add_json, integer
from flow_explorer.cli.reading import CHANNELS, add_data, data_path
from flow_explorer.terminal.output import print_json, print_table, print_text
from flow_explorer.terminal.progress import TerminalProgress

if TYPE_CHECKING:
    from flowcore.data.survey import Survey

NAME = "data"
HELP = "what is found in pictures before training on them"
DESCRIPTION = (
    "How many pictures there are, of which sizes and kinds, in which classes and splits, what is left out and why, and "
    "whether they fit in memory. Of single pictures the headers alone are read."
)

_LEFT_OUT = 20  # named without --json
_CLASSES = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_data(parser, positional=True)
    parser.add_argument(
        "--size", type=integer(1, 4096), metavar="S", help="the side to reckon memory with (default: the commonest size)"
    )
    parser.add_argument("--channels", choices=tuple(CHANNELS), default="auto", help="(default: auto)")
    parser.add_argument(
        "--min-size", type=integer(1, 10**6), default=1, metavar="N", help="leave out pictures with a smaller side"
    )
    parser.add_argument("--attributes", metavar="FILE", help="a table with a row a picture, as `train` takes it")
    parser.add_argument("--labels-from", metavar="COLUMN", help="the column of that table that makes the classes")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Look, and say what was found."""
    from flowcore.data.survey import survey

    with TerminalProgress("Looking at pictures", 0) as progress:
        found = survey(
            data_path(args.data),
            args.size,
            channels=CHANNELS[args.channels],
            minimum=args.min_size,
            attributes=None if args.attributes is None else Path(args.attributes).expanduser(),
            labels_from=args.labels_from,
            on_progress=progress.of,
        )
    if args.json:
        print_json(found.to_dict())
    else:
        _print(found)
    return 0


def _print(found: Survey) -> None:
    pictures = "picture" if found.count == 1 else "pictures"
    print_text(f"{found.path}: {found.count:,} {pictures}, {_bytes(found.bytes)}")
    rows = [(title, text) for title, text in _rows(found) if text]
    for title, text in rows:
        print_text(f"  {title:<12}{text}")
    if found.classes:
        print_text("")
        shown = list(found.classes.items())[:_CLASSES]
        print_table(("class", "pictures"), [(name, f"{count:,}") for name, count in shown])
        if len(found.classes) > _CLASSES:
            print_text(f"and {len(found.classes) - _CLASSES:,} more classes (--json tells all)")
    if found.left_out:
        print_text("")
        print_text(f"{len(found.left_out):,} left out:")
        for name, sentence in found.left_out[:_LEFT_OUT]:
            print_text(f"  {sentence if name in sentence else f'{name}: {sentence}'}")
        if len(found.left_out) > _LEFT_OUT:
            print_text(f"  and {len(found.left_out) - _LEFT_OUT:,} more (--json tells all)")


def _rows(found: Survey) -> list[tuple[str, str]]:
    smallest, largest = found.smallest, found.largest
    sizes = ""
    if smallest and largest:
        sizes = f"{smallest[0]}×{smallest[1]}"
        if not found.one_size:
            width, height, count = found.sizes[0]
            sizes += f" to {largest[0]}×{largest[1]}, {count:,} of {width}×{height}"
    sides = ", ".join(
        f"{count:,} of {f'{low} to {high - 1}' if high is not None else f'{low} or more'}"
        for low, high, count in found.sides
    )
    memory = ""
    if found.size:
        kind = "grey" if found.channels == 1 else "colour"
        held = "more than is held: decoded while training" if found.streamed else "held in memory"
        memory = f"{_bytes(found.memory)} at {found.size[1]}×{found.size[0]} in {kind} ({held})"
    return [
        ("sizes", sizes),
        ("short sides", sides if not found.one_size else ""),
        ("kinds", ", ".join(f"{count:,} {name}" for name, count in found.modes.items())),
        ("formats", ", ".join(f"{count:,} {name}" for name, count in found.formats.items())),
        ("splits", ", ".join(f"{count:,} {name}" for name, count in found.splits.items())),
        ("attributes", ", ".join(f"{name} {count:,}" for name, count in found.attributes.items())),
        ("memory", memory),
    ]


def _bytes(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
