"""`flow-explorer toy`: a flow learns a 2-D density whose entropy is known."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.cli.arguments import add_device, add_json, add_seed, integer, number
from app.cli.output import OutputFile, print_json, print_text
from app.cli.progress import Progress

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
        "--flow", choices=("nice", "realnvp", "glow", "spline", "continuous"), default="realnvp", help="(default: realnvp)"
    )
    parser.add_argument(
        "--prior", choices=("gaussian", "logistic", "mixture", "ring"), help="what z is measured against (default: gaussian)"
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
    """Train, save the picture, print one object."""
    out = OutputFile(args.out, (".png",)) if args.out else None

    from app.cli.device import choose_device, run_on

    # A flow of points is small: starting its many little computations on a graphics processor takes longer than doing them.
    device = "cpu" if args.device == "auto" else choose_device(args.device)
    with Progress("Training", args.steps, "steps") as progress:
        if out is None:
            row = run_on(device, lambda where: _learn(args, progress, where, None))
        else:
            row = out.write(lambda file: run_on(device, lambda where: _learn(args, progress, where, file)))
    if args.json:
        print_json(row)
    else:
        print_text(
            f"{args.density}, {args.flow}: {row['nll']:.4f} ± {row['standard_error']:.4f} nats after {args.steps:,} steps "
            f"({row['seconds']:.1f} s); the density's entropy is {row['entropy']:.4f} nats."
        )
    return 0


def _learn(args: argparse.Namespace, progress: Progress, device: str, file: Path | None) -> dict[str, Any]:
    import torch

    from flowcore import toy

    # A step is many small computations: shared among threads each costs more in waiting than it saves, five times more
    # where other programs want the processor too.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return toy.run(
            args.density,
            args.flow,
            args.steps,
            args.seed,
            prior=args.prior,
            depth=args.depth,
            width=args.width,
            learning_rate=args.learning_rate,
            batch=args.batch,
            device=device,
            out=file,
            on_progress=lambda step, _, loss: progress.update(step, f"{loss:.3f} nats"),
        )
    finally:
        torch.set_num_threads(before)
