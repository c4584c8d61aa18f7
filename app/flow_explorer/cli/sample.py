"""`flow-explorer sample`: pictures drawn from a model, as a grid."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_explorer.cli.arguments import (
    add_device,
    add_enlarge,
    add_json,
    add_model,
    add_seed,
    integer,
    temperatures,
)
from flow_explorer.cli.classes import add_class, chosen, cycled, said
from flow_explorer.cli.opening import (
    check_pixels,
    event_shape,
    load_model,
    model_name,
    open_card,
    picture_output,
)
from flow_explorer.cli.recipes import page_recipe
from flow_explorer.terminal.output import print_json, say
from flow_explorer.terminal.progress import TerminalProgress
from flowcore.errors import ConfigError
from flowcore.model.card import class_names, default_temperature
from flowcore.model.labels import Label, describe, to_array
from flowcore.model.temperature import Temperature

if TYPE_CHECKING:
    import numpy as np

NAME = "sample"
HELP = "draw pictures"
DESCRIPTION = "Draw pictures from a model and save them as a grid."

MAX_COUNT = 10_000
PAGE = 32  # pictures decoded at a time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_model(parser)
    parser.add_argument("--count", type=integer(1), default=16, metavar="N", help="how many (default: 16)")
    parser.add_argument(
        "--temperature",
        type=temperatures,
        metavar="T",
        help="width of the prior, 0 to 100: one for all levels, or one a level divided by commas, finest first "
        "(default: the model's own, by level where its card says so)",
    )
    add_class(parser, "draw this one alone (default: all classes in turn)")
    add_seed(parser)
    parser.add_argument(
        "--columns", type=integer(1, MAX_COUNT), metavar="N", help="pictures in a row of the grid"
    )
    add_enlarge(parser)
    parser.add_argument("--out", required=True, metavar="FILE.png", help="the picture to write")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Sample, save the grid, print a row a picture with --json."""
    path, card = open_card(args)
    shape = event_shape(path, card)
    label = chosen(args.class_name, path, card)
    check_count(args.count, shape, args.enlarge)
    out = picture_output(args, (".png",), path)
    temperature = args.temperature if args.temperature is not None else default_temperature(card)

    from flow_explorer.cli.device import choose_device, run_on
    from flowcore.pictures import images

    started = time.monotonic()
    device = choose_device(args.device)
    pictures, rows = run_on(device, lambda where: _sample(args, path, card, temperature, label, where))
    columns = args.columns or _columns(args.count, 0 if label else len(class_names(card)))
    sheet = images.enlarge(images.grid(pictures, columns), args.enlarge)
    out.write_bytes(images.to_png_bytes(sheet, page_recipe(args, path, temperature, label)))
    if args.json:
        print_json(rows)
    else:
        seconds = time.monotonic() - started
        kind = f"{describe(label, class_names(card))}, " if label else ""
        say(f"{args.count} pictures of {kind}{model_name(path, card)} saved as {args.out} ({seconds:.1f} s).")
    return 0


def check_count(count: int, shape: tuple[int, int, int], enlarge: int = 1) -> None:
    """Raise ConfigError where so many pictures make no sensible grid: the limit, and the memory that they would take."""
    height, width, channels = shape
    # The pixels of every picture, and of its enlarged place in the grid.
    needed = count * height * width * channels * (1 + enlarge**2)
    if count > MAX_COUNT:
        raise ConfigError(
            f"--count {count}: at most {MAX_COUNT:,} pictures go into one grid, "
            f"and this many would take {_bytes(needed)} of memory."
        )
    check_pixels(count, shape, enlarge)


def _bytes(count: float) -> str:
    return f"{count / 1e9:,.0f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


def _sample(
    args: argparse.Namespace,
    path: Path,
    card: dict[str, Any],
    temperature: Temperature,
    label: Label,
    device: str,
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    import numpy as np

    from flowcore.model import codec, evaluation

    flow = load_model(path, device)
    pictures, rows = [], []
    with TerminalProgress("Sampling", args.count, "pictures") as progress:
        for first in range(0, args.count, PAGE):
            number = min(PAGE, args.count - first)
            z = flow.sample(number, temperature=temperature, seed=args.seed, first=first)
            labels = cycled(label, first, number, flow.num_classes)
            page = codec.decode_batch(flow, z.cpu().numpy(), codec.label_tensor(flow, labels))
            pictures.append(page)
            if args.json:
                bits = evaluation.bits_per_picture(flow, page, to_array(labels, flow.num_classes))
                for index, (own, bpd) in enumerate(zip(labels, bits, strict=True)):
                    described = evaluation.describe(card, float(bpd))
                    drawn = {"index": first + index, "seed": args.seed, "temperature": temperature}
                    rows.append({**drawn, **said(own, card), **described})
            progress.update(first + number)
    return np.concatenate(pictures), rows


def _columns(count: int, classes: int) -> int | None:
    """A column a class where the grid comes out even, so that each stands under its like; else None, a square."""
    return classes if classes and count % classes == 0 and count > classes else None
