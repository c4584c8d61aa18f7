"""`flow-explorer score`: how likely and how typical pictures are, and whether they come back whole."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from flow_explorer.cli.arguments import add_crop, add_device, add_json, add_model, add_seed
from flow_explorer.cli.classes import add_class, chosen, said
from flow_explorer.cli.opening import load_model, open_card, read_as_seen
from flow_explorer.terminal.output import print_json, print_table
from flow_explorer.terminal.progress import TerminalProgress
from flowcore.model.card import class_names
from flowcore.model.labels import Label

NAME = "score"
HELP = "bits per dimension, typicality and round trip of pictures"
DESCRIPTION = (
    "Score pictures, as the model sees them: bits per dimension at the bin centres, the part of held-out pictures that are less "
    "likely, typicality (two-sided: 100 in the middle of the held-out pictures, 0 beyond them on either side), and the "
    "largest difference after encoding and decoding."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="the pictures")
    add_model(parser)
    add_class(parser, "score under this one (default: the class under which each picture is likeliest)")
    add_crop(parser)
    add_seed(parser, "accepted like everywhere, and without effect: scoring is deterministic")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Score and print a row a picture, in the order given."""
    path, card = open_card(args)
    label = chosen(args.class_name, path, card)
    pictures = read_as_seen(args.images, card, path, args)

    from flow_explorer.cli.device import choose_device, run_on

    device = choose_device(args.device, exact=True)
    rows = run_on(device, lambda where: _score(args.images, pictures, path, card, label, where))
    if args.json:
        print_json(rows)
    else:
        print_table(
            (
                "file",
                *(["class"] if class_names(card) else []),
                "bpd",
                "round-trip error (levels)",
                "likelier than (% held out)",
                "typicality (%)",
            ),
            [
                (
                    row["file"],
                    *([row["class"]] if "class" in row else []),
                    f"{row['bpd']:.3f}",
                    f"{row['roundtrip_error']:g}",
                    _percent(row["likelier_than"]),
                    _percent(row["typicality"]),
                )
                for row in rows
            ],
        )
    return 0


def _percent(value: float | None) -> str:
    return "not stated" if value is None else f"{value:.1f}"


def _score(
    names: list[str], pictures: list[Any], path: Path, card: dict[str, Any], label: Label, device: str
) -> list[dict[str, Any]]:
    from flowcore.model import evaluation

    flow = load_model(path, device)
    rows = []
    with TerminalProgress("Scoring", len(names), "pictures") as progress:
        for name, picture in zip(names, pictures, strict=True):
            scored = evaluation.score(flow, card, picture, label)
            rows.append(
                {
                    "file": name,
                    **said(scored["label"], card),
                    "bpd": float(scored["bpd"]),
                    "roundtrip_error": scored["roundtrip_error"],
                    "likelier_than": scored["likelier_than"],
                    "typicality": scored["typicality"],
                }
            )
            progress.update(len(rows))
    return rows
