"""`flow-explorer train-pair`: two flows with one prior, one a pile, for translating between the piles."""

from __future__ import annotations

import argparse
from pathlib import Path

from flow_explorer.cli import train
from flowcore.errors import ConfigError

NAME = "train-pair"
HELP = "train two flows that share a prior, to translate between two piles"
DESCRIPTION = (
    "Train a flow on pile A and one on pile B, into RUN/a and RUN/b, for `translate --method pair --model RUN`. B's begins "
    "with A's weights, so that what the piles have in common keeps its place in z. Takes the options of `train`; with --resume "
    "it goes on where it was stopped."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("pile_a", metavar="A", help="the pictures of pile A, as --data of `train`")
    parser.add_argument("pile_b", metavar="B", help="those of pile B")
    train.add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Train A's flow, then B's from its weights; 0 when both are done."""
    from flowcore.training.run_folder import RunFolder

    if args.out is None:
        raise ConfigError("train-pair needs --out RUN, the folder for the two runs.")
    if args.conditional or args.estimate:
        raise ConfigError("train-pair trains one class a pile: leave --conditional and --estimate away.")
    base = Path(args.out).expanduser()
    first = argparse.Namespace(**{**vars(args), "data": args.pile_a, "out": str(base / "a")})
    second = argparse.Namespace(**{
        **vars(args), "data": args.pile_b, "out": str(base / "b"), "start_from": str(base / "a"), "architecture": None,
        "preset": None, "settings": [],
    })  # fmt: skip
    for name in ("steps", "batch", "learning_rate", "checkpoint_every", "evaluate_every"):
        # Without --preset the second run would take another one's numbers.
        if getattr(second, name) is None:
            setattr(second, name, _of_preset(args, name))
    for part in (first, second):
        part.resume = args.resume and RunFolder(Path(part.out)).config_path.exists()
        if part.resume:
            part.start_from = None
        code = train.run(part)
        if code:
            return code
    return 0


def _of_preset(args: argparse.Namespace, name: str) -> int | float | None:
    if name == "learning_rate":
        return train.RATES.get(args.architecture or train.SYSTEMS[0])
    return train.PRESETS[args.preset or "small"].get(name)
