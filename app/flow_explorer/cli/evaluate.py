"""`flow-explorer evaluate`: a model's bits per dimension on a data set."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flow_explorer.cli.arguments import add_device, add_json, add_model, add_seed, integer
from flow_explorer.cli.classes import labels_of
from flow_explorer.cli.opening import event_shape, load_model, model_name, open_card
from flow_explorer.cli.reading import add_data, add_loading, data_path, loading, of_card, tell_left_out
from flow_explorer.terminal.output import print_json, print_text
from flow_explorer.terminal.progress import TerminalProgress

if TYPE_CHECKING:
    import numpy as np

    from flowcore.data.picture_set import Pictures
    from flowcore.model.evaluation import Result

NAME = "evaluate"
HELP = "a model's bits per dimension on a data set"
DESCRIPTION = (
    "Bits per dimension on a data set, with its standard error: the dequantised bound on the pictures' 8-bit values, "
    "at temperature 1. Lower is better."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_model(parser)
    add_data(parser)
    parser.add_argument(
        "--split", choices=("train", "validation", "test"), default="test", help="(default: test)"
    )
    parser.add_argument(
        "--limit", type=integer(1), metavar="N", help="the first N pictures only, for a quick look"
    )
    parser.add_argument(
        "--samples",
        type=integer(1, 1000),
        default=1,
        metavar="N",
        help="draws of the dequantisation noise a picture (default: 1)",
    )
    parser.add_argument(
        "--attributes", metavar="FILE", help="the table that the model's classes came from, or one like it"
    )
    add_loading(parser)
    add_seed(parser, "seed of the dequantisation noise (default: 0)")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate and print one object."""
    path, card = open_card(args)
    height, width, channels = event_shape(path, card)

    from flowcore.data.datasets import open_dataset

    reading = replace(of_card(card.get("data")), channels=channels)
    labels_from = (card.get("data") or {}).get("labels_from") if args.attributes else None
    with TerminalProgress("Reading pictures", 0) as progress:
        data = open_dataset(
            data_path(args.data), args.split, (height, width), **vars(reading), on_progress=progress.of,
            attributes=args.attributes, labels_from=labels_from, **loading(args),
        )  # fmt: skip
    tell_left_out(data)
    pictures, _ = data.first(args.limit)
    labels = labels_of(data, card)
    labels = None if labels is None else labels[: args.limit]

    from flow_explorer.cli.device import choose_device, run_on

    device = choose_device(args.device)
    with TerminalProgress("Evaluating", len(pictures), "pictures") as progress:
        result = run_on(device, lambda where: _evaluate(args, path, pictures, labels, progress, where))
    row = {
        "model": model_name(path, card),
        "data": data.name,
        "split": args.split,
        "bpd": float(result.bpd),
        "standard_error": float(result.standard_error),
        "entropy": None,  # nobody knows the entropy of real pictures
        "count": int(result.count),
        "seconds": float(result.seconds),
    }
    if args.json:
        print_json(row)
    else:
        print_text(
            f"{row['bpd']:.4f} ± {row['standard_error']:.4f} bits per dimension on {row['count']:,} pictures "
            f"({row['data']}, {row['split']}), {row['seconds']:.1f} s"
        )
    return 0


def _evaluate(
    args: argparse.Namespace,
    path: Path,
    pictures: Pictures,
    labels: np.ndarray | None,
    progress: TerminalProgress,
    device: str,
) -> Result:
    from flowcore.model.evaluation import bits_per_dim

    flow = load_model(path, device)
    return bits_per_dim(flow, pictures, labels, args.seed, args.samples, on_progress=progress.of)
