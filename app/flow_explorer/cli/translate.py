"""`flow-explorer translate`: pictures of one pile as their counterparts in another."""

from __future__ import annotations

import argparse
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_explorer.cli.arguments import add_crop, add_device, add_json, add_model, add_seed, integer, number
from flow_explorer.cli.opening import event_shape, load_model, open_card, read_as_seen
from flow_explorer.cli.reading import data_path, tell_left_out
from flow_explorer.terminal.output import OutputFile, picture_files, print_json, say
from flow_explorer.terminal.progress import TerminalProgress
from flowcore.errors import ConfigError, DataError
from flowcore.latents.translation_methods import METHODS
from flowcore.model.card import class_names, read_card
from flowcore.model.labels import find_class, single
from flowcore.work import finish

if TYPE_CHECKING:
    import numpy as np

    from flowcore.latents.fitting import Side
    from flowcore.latents.translation import Translation

NAME = "translate"
HELP = "turn pictures of one pile into their counterparts in another"
DESCRIPTION = (
    "Turn pictures of pile A into their counterparts in pile B, one file each. "
    + " ".join(f"{each.name}: {each.line[:1].lower()}{each.line[1:]}." for each in METHODS.values())
    + " Every picture is taken back again in floating point, to prove that nothing is lost."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("images", nargs="+", metavar="PICTURE", help="the pictures to translate")
    parser.add_argument("--from", dest="pile_a", metavar="A", help="pile A: a folder or other data, or a class's name")
    parser.add_argument("--to", dest="pile_b", metavar="B", help="pile B, likewise")
    parser.add_argument("--method", choices=tuple(METHODS), default="mean-shift", help="(default: mean-shift)")
    add_model(parser)
    parser.add_argument("--out", required=True, metavar="FOLDER", help="the folder for the pictures, made if it is missing")
    parser.add_argument(
        "--strength", type=number(-2, 3), default=1.0, metavar="S",
        help="0 changes nothing, 1 goes all the way, more goes beyond (default: 1)",
    )
    parser.add_argument(
        "--pile", type=integer(1, 10**6), default=2000, metavar="N", help="pictures of each pile to look at (default: 2,000)"
    )
    add_crop(parser)
    add_seed(parser, "accepted like everywhere, and without effect: a translation is deterministic")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Read both piles, make the map, translate, save; a row a picture with --json."""
    needs = METHODS[args.method].needs
    if needs == "pair":
        args.model, second = _pair_of(args)
        if args.strength != 1.0:
            raise ConfigError("Between the two flows of a pair there is no way, so --strength is 1 with --method pair.")
    path, card = open_card(args)
    read = [pile for pile in (args.pile_a, args.pile_b) if pile is not None and needs != "pair"]
    targets = picture_files(args.out, args.images, (path, *args.images), read)
    pictures = read_as_seen(args.images, card, path, args)
    sides: list[Side] = []
    if needs != "pair":
        if args.pile_a is None or args.pile_b is None:
            raise ConfigError(f"--method {args.method} needs both piles: give --from A and --to B.")
        if needs == "classes" and not class_names(card):
            raise ConfigError("This model knows no classes, so --method conditional cannot be; try mean-shift or transport.")
        sides = [_side(text, args, path, card) for text in (args.pile_a, args.pile_b)]

    from flow_explorer.cli.device import choose_device, run_on

    def work(where: str) -> list[Any]:
        flow = load_model(path, where)
        flow_to = load_model(second, where) if needs == "pair" else None
        return _translate(args, flow, _way(args, flow, flow_to, sides), pictures)

    done = run_on(choose_device(args.device, exact=True), work)
    rows = _save(args, done, targets)
    if args.json:
        print_json(rows)
    else:
        worst = max(row["cycle_error"] for row in rows)
        say(f"{len(rows)} pictures translated into {args.out}; A → B → A differs by {worst:.1e} of the range at most.")
    return 0


def _pair_of(args: argparse.Namespace) -> tuple[str, Path]:
    """The two run folders that `train-pair` wrote. Raises ConfigError where --model names none."""
    folder = Path(args.model or "").expanduser()
    runs = [folder / "a", folder / "b"]
    if args.model is None or not all(run.is_dir() for run in runs):
        raise ConfigError("--method pair needs --model RUN, a folder that `flow-explorer train-pair A B --out RUN` wrote.")
    read_card(runs[1])
    return os.fspath(runs[0]), runs[1]


def _side(text: str, args: argparse.Namespace, path: Path, card: dict[str, Any]) -> Side:
    """The class that a text names, where classes are what counts; else the pictures of the data that it names."""
    import numpy as np

    from flowcore.latents.fitting import Side

    if METHODS[args.method].needs == "classes" and not Path(text).expanduser().exists():
        return Side(text, np.empty((0, 0, 0, 0), np.uint8), label=single(find_class(text, class_names(card))))
    from flowcore.data.datasets import open_dataset

    height, width, channels = event_shape(path, card)
    with TerminalProgress(f"Reading {text}", 0) as progress:
        found = open_dataset(data_path(text), "all", (height, width), channels, on_progress=progress.of)
    tell_left_out(found)
    if not len(found.pictures):
        raise DataError(f"{text} holds no pictures.")
    return Side(text, found.pictures[: args.pile], found.names[: args.pile])


def _way(args: argparse.Namespace, flow: Any, flow_to: Any, sides: list[Side]) -> Translation:
    from flowcore.latents.fitting import way_job

    with ExitStack() as stack:
        bars: dict[int, TerminalProgress] = {}

        def tell(index: int, done: int, total: int) -> None:
            if index not in bars:
                stack.close()
                bars[index] = stack.enter_context(TerminalProgress(f"Encoding {sides[index].title}", total, "pictures"))
            bars[index].update(done)

        return finish(way_job(args.method, flow, sides, flow_to, at_once=True, tell=tell))


def _translate(args: argparse.Namespace, flow: Any, way: Translation, pictures: list[np.ndarray]) -> list[Any]:
    from flowcore.latents.translation import CYCLE_BOUND, translate_followed

    done, told = [], []
    with TerminalProgress("Translating", len(pictures), "pictures") as progress:
        for name, picture in zip(args.images, pictures, strict=True):
            done.append(translate_followed(flow, way, picture, args.strength))
            progress.update(len(done))
            if done[-1].cycle_error > CYCLE_BOUND:
                told.append(f"{name} does not come back: it is too unlike what the model knows for numbers to follow it.")
            elif done[-1].strength != args.strength:
                told.append(f"{name} is too unlike what the model knows to be followed at a strength of {args.strength:g}; "
                            f"it was taken at {done[-1].strength:.2g}.")  # fmt: skip
    for sentence in told:
        say(sentence)
    return done


def _save(args: argparse.Namespace, done: list[Any], targets: list[OutputFile]) -> list[dict[str, Any]]:
    from flowcore.pictures import images

    rows = []
    for image, result, target in zip(args.images, done, targets, strict=True):
        target.write_bytes(images.to_png_bytes(result.picture))
        rows.append({"file": image, "out": os.fspath(target.path), "cycle_error": result.cycle_error, "double": result.precise,
                     "strength": result.strength})  # fmt: skip
    return rows
