"""`flow-explorer toy`: a flow learns a 2-D density whose entropy is known."""

from __future__ import annotations

import argparse

from app.cli.arguments import add_device, add_json, add_seed, integer, number
from app.cli.output import OutputFile

NAME = "toy"
HELP = "let a flow learn a 2-D density"
DESCRIPTION = "Let a flow learn a 2-D density, save a picture of data and model, and print its loss against the entropy."

DENSITIES = (
    "two-moons", "eight-gaussians", "two-spirals", "rings", "checkerboard", "pinwheel", "swiss-roll", "gaussian-grid",
    "bridge", "gaussian",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("density", metavar="DENSITY", choices=DENSITIES, help=", ".join(DENSITIES))
    parser.add_argument(
        "--flow", choices=("nice", "realnvp", "glow"), default="realnvp", help="(default: realnvp)"
    )
    parser.add_argument(
        "--steps", type=integer(1, 10_000_000), default=2000, metavar="N", help="(default: 2000)"
    )
    parser.add_argument(
        "--depth", type=integer(1, 64), metavar="N", help="couplings (default: the toy lab's)"
    )
    parser.add_argument("--width", type=integer(1, 1024), metavar="N", help="units of a coupling's network")
    parser.add_argument(
        "--learning-rate", type=number(1e-7, 1.0), metavar="R", help="(default: the toy lab's)"
    )
    parser.add_argument("--batch", type=integer(2, 1_000_000), metavar="B", help="points a step")
    add_seed(parser)
    parser.add_argument("--out", metavar="FILE.png", help="the picture to write")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Train, print one object."""
    out = OutputFile(args.out, (".png",)) if args.out else None
    raise SystemExit(3)
