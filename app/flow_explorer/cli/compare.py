"""`flow-explorer compare`: which of two models finds the same pictures likelier, and by how much."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from flow_explorer import assets
from flow_explorer.cli.arguments import add_crop, add_device, add_json, add_seed, integer
from flow_explorer.cli.classes import labels_of, likeliest
from flow_explorer.cli.opening import event_shape, load_model, model_name, read_as_seen
from flow_explorer.cli.reading import add_loading, data_path, loading, of_card, tell_left_out
from flow_explorer.terminal.output import print_json, print_table, print_text
from flow_explorer.terminal.progress import TerminalProgress
from flowcore.errors import ConfigError

NAME = "compare"
HELP = "two models' bits per dimension on the same pictures"
DESCRIPTION = (
    "Bits per dimension of the same pictures under two models that see them in the same size, the mean difference, and its "
    "standard error over the pictures' own differences: what is easy or hard for both cancels. Pictures that are named are "
    "scored at their bin centres, as `score` does, a data set by the dequantised bound of `evaluate`, with the same noise for "
    "both. A difference above 0 means that the first model finds the pictures likelier."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "models", metavar="MODEL", nargs=2, help="two of: a bundled model's name, a checkpoint, a run folder"
    )
    parser.add_argument(
        "--picture", dest="pictures", metavar="IMAGE", nargs="+", action="extend", default=[],
        help="the pictures; a conditional model takes each under the class where it is likeliest",
    )  # fmt: skip
    parser.add_argument(
        "--data", metavar="PATH",
        help="instead of pictures a data set: a folder or zip, idx files, a .npz or .npy, or hf:NAME[:split]",
    )  # fmt: skip
    parser.add_argument(
        "--split", choices=("train", "validation", "test"), default="test", help="of the data (default: test)"
    )
    parser.add_argument("--limit", type=integer(1), metavar="N", help="the data's first N pictures only")
    parser.add_argument(
        "--attributes", metavar="FILE", help="the table that the models' classes came from, or one like it"
    )
    add_crop(parser)
    add_loading(parser)
    add_seed(parser, "seed of the dequantisation noise (default: 0)")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Compare, and print the figures of both."""
    from flowcore.model.card import read_card

    if bool(args.pictures) == bool(args.data):
        raise ConfigError("compare takes pictures to compare on: give --picture or --data, one of the two.")
    paths = [assets.resolve_model(name) for name in args.models]
    cards = [read_card(path) for path in paths]
    shapes = [event_shape(path, card) for path, card in zip(paths, cards, strict=True)]
    if shapes[0] != shapes[1]:
        sizes = [f"{width}×{height}, {channels} channel{'s' * (channels > 1)}" for height, width, channels in shapes]
        raise ConfigError(
            f"{args.models[0]} sees pictures of {sizes[0]}, and {args.models[1]} of {sizes[1]}: compare models of the same size."
        )
    if args.data:
        name, pictures, labels = _read_data(args, cards, shapes[0])
    else:
        name, pictures, labels = "", read_as_seen(args.pictures, cards[0], paths[0], args), [None, None]

    from flow_explorer.cli.device import choose_device, run_on

    device = choose_device(args.device, exact=not args.data)
    with TerminalProgress("Comparing", 2 * len(pictures), "pictures") as progress:
        bpds = run_on(device, lambda where: _bits(args, paths, pictures, labels, progress, where))
    _tell(args, [model_name(path, card) for path, card in zip(paths, cards, strict=True)], name, bpds)
    return 0


def _read_data(args: argparse.Namespace, cards: list[dict[str, Any]], shape: tuple[int, int, int]) -> tuple[str, Any, list]:
    """The data set's name, its pictures as the first model's card reads them, and each model's labels of them."""
    from flowcore.data.datasets import open_dataset

    height, width, channels = shape
    labels_from = next((card["data"]["labels_from"] for card in cards if (card.get("data") or {}).get("labels_from")), None)
    with TerminalProgress("Reading pictures", 0) as progress:
        data = open_dataset(
            data_path(args.data), args.split, (height, width), **vars(replace(of_card(cards[0].get("data")), channels=channels)),
            on_progress=progress.of, attributes=args.attributes, labels_from=labels_from if args.attributes else None,
            **loading(args),
        )  # fmt: skip
    tell_left_out(data)
    pictures, _ = data.first(args.limit)
    labels = [labels_of(data, card) for card in cards]
    return data.name, pictures, [None if each is None else each[: args.limit] for each in labels]


def _bits(
    args: argparse.Namespace, paths: list[Path], pictures: Any, labels: list, progress: TerminalProgress, device: str
) -> list:
    """Bits per dimension (N,) under each model."""
    import numpy as np

    from flowcore.model.evaluation import bits_per_picture
    from flowcore.model.labels import to_array

    found, done = [], 0
    for path, known in zip(paths, labels, strict=True):
        flow = load_model(path, device)
        if args.pictures:
            known = to_array([likeliest(flow, picture, ()) for picture in pictures], flow.num_classes)
        seed = args.seed if args.data else None
        found.append(bits_per_picture(flow, np.asarray(pictures), known, seed,
                                      on_progress=lambda now, _count, before=done: progress.update(before + now)))  # fmt: skip
        done += len(pictures)
    return found


def _tell(args: argparse.Namespace, names: list[str], data: str, bpds: list) -> None:
    from flowcore.latents.comparison import paired

    result = paired(*bpds)
    rows = [
        {"file": file, "bpd": [float(one), float(other)], "difference": float(other - one)}
        for file, one, other in zip(args.pictures, *bpds, strict=True)
    ] if args.pictures else []  # fmt: skip
    if args.json:
        about = {"pictures": rows} if rows else {"data": data, "split": args.split}
        print_json({"models": names, **about, "bpd": list(result.bpd), "difference": result.difference,
                    "standard_error": result.standard_error, "count": result.count})  # fmt: skip
        return
    if rows:
        # Two models of a name, such as a run's checkpoints, are told apart by what was typed.
        heads = names if names[0] != names[1] else args.models
        lines = [(row["file"], *(f"{bpd:.4f}" for bpd in row["bpd"]), f"{row['difference']:+.4f}") for row in rows]
        print_table(("file", *heads, "difference"), lines)
    error = "" if result.standard_error is None else f" ± {result.standard_error:.4f}"
    on = f"{result.count:,} pictures" if result.count > 1 else "1 picture"
    on += f" ({data}, {args.split})" if data else ""
    means = " and ".join(f"{bpd:.4f}" for bpd in result.bpd)
    print_text(f"{means} bits per dimension on {on}; difference {result.difference:+.4f}{error}")
