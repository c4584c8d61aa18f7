"""`flow-explorer toy`: a flow learns a 2-D density, and its loss is told against the entropy where that is known."""

from __future__ import annotations

import argparse
from typing import Any

from flow_explorer.cli.arguments import add_device, add_fields, add_json, add_seed, integer, number
from flow_explorer.cli.toy_target import add_target, target_of
from flow_explorer.terminal.output import OutputFile, print_json, print_text
from flow_explorer.terminal.progress import TerminalProgress
from flowcore.fields import settings
from flowcore.one_line import one_line
from flowcore.plane.config import ToyConfig

NAME = "toy"
HELP = "let a flow learn a 2-D density"
DESCRIPTION = "Let a flow learn a 2-D density, save a picture of data and model, and print its loss against the entropy."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_target(parser)
    parser.add_argument(
        "--steps", type=integer(1, 10_000_000), default=2000, metavar="N", help="(default: 2000)"
    )
    add_fields(parser, ToyConfig, without=("seed",))
    add_seed(parser)
    parser.add_argument("--out", metavar="FILE.png", help="the picture to write")
    film = parser.add_argument_group("the training as an animation, and its curve")
    film.add_argument("--animation", metavar="FILE", help="the .gif, .webp or .mp4 (with the extra 'video') to write")
    film.add_argument("--seconds", type=number(0.5, 120), default=6.0, metavar="S", help="of the animation (default: 6)")
    film.add_argument("--frames", type=integer(2, 1000), default=60, metavar="N", help="moments that it shows (default: 60)")
    film.add_argument("--panel", type=integer(64, 800), default=240, metavar="PX", help="the side of a panel (default: 240)")
    film.add_argument(
        "--curves", metavar="FILE.csv", help="held-out loss, its standard error, seconds and learning rate by step, to write"
    )
    add_device(parser)
    add_json(parser)


_NAMED = ("density", "target", "seed")
FORMATS = (".gif", ".webp", ".mp4")
"""As in `flowcore.pictures.animation`, which needs numpy: a command line that only shows its help does without."""
POINTS = 200
"""Of a curve."""


def run(args: argparse.Namespace) -> int:
    """Train, save the picture, the animation and the curve, print one object."""
    read = [] if args.target is None else [args.target]
    out = OutputFile(args.out, (".png",), read) if args.out else None
    film = OutputFile(args.animation, FORMATS, read) if args.animation else None
    table = OutputFile(args.curves, (".csv",), read) if args.curves else None
    if film is not None:
        from flowcore.pictures.animation import require_video
        from flowcore.plane.drawing import check_film

        # Before the work, not after it.
        check_film(min(args.frames, args.steps + 1), args.panel)
        if film.suffix == ".mp4":
            require_video()

    density, target = target_of(args)

    from flow_explorer.cli.device import choose_device, run_on

    # A flow of points is small: starting its many little computations on a graphics processor takes longer than doing them.
    device = "cpu" if args.device == "auto" else choose_device(args.device)
    recorder = None
    if film is not None or table is not None:
        from flowcore.plane.film import Recorder

        recorder = Recorder(args.steps, args.frames if film else 0, POINTS if table else 0)
    with TerminalProgress("Training", args.steps, "steps") as progress:
        row, picture = run_on(device, lambda where: _learn(args, density, target, progress, where, out is not None, recorder))
    if out is not None:
        from flowcore.pictures.images import to_png_bytes

        out.write_bytes(to_png_bytes(picture))
    if table is not None and recorder is not None:
        from flowcore.plane.film_frames import curve_csv

        table.write_bytes(curve_csv(recorder.curve, row["entropy"]).encode())
    if film is not None and recorder is not None and recorder.scene is not None:
        from flowcore.plane.drawing import DARK, film_bytes

        with TerminalProgress("Drawing", 100, "%") as progress:
            film.write_bytes(film_bytes(
                film.suffix, recorder.scene, recorder.shots, args.seconds, args.panel, DARK,
                tick=lambda share: progress.update(round(100 * share)),
            ))  # fmt: skip
    if target is not None:
        row["target"] = {name: value for name, value in target.items() if name != "values"}
    if args.json:
        print_json(row)
    else:
        entropy = "not known" if row["entropy"] is None else f"{row['entropy']:.4f} nats"
        about = target or {}
        note = f" {about['note']}" if about.get("note") else ""
        title = one_line(about.get("title") or about.get("text") or density, 200)
        print_text(
            f"{title}, {row['flow']}: {row['nll']:.4f} ± {row['standard_error']:.4f} "
            f"nats after {args.steps:,} steps ({row['seconds']:.1f} s); the density's entropy is {entropy}.{note}"
        )
    return 0


def _learn(
    args: argparse.Namespace, density: str, target: dict[str, Any] | None, progress: TerminalProgress, device: str,
    draws: bool, recorder: Any,
) -> tuple[dict[str, Any], Any]:
    """The figures, and the picture (H, W, C) where it is asked for."""
    import torch

    from flowcore.plane import trainer as toy
    from flowcore.plane.picture import draw

    # A step is many small computations: shared among threads each costs more in waiting than it saves, five times more
    # where other programs want the processor too.
    chosen = {name: value for name, value in vars(args).items() if name in settings(ToyConfig) and name not in _NAMED}
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    seen: list[Any] = []

    def on_step(trainer: Any, seconds: float) -> None:
        seen[:] = [trainer]
        if recorder is not None:
            recorder(trainer, seconds)

    try:
        row = toy.run(
            density,
            steps=args.steps,
            seed=args.seed,
            target=target,
            **chosen,
            device=device,
            on_progress=lambda step, _, loss: progress.update(step, f"{loss:.3f} nats"),
            on_step=on_step,
        )
        return row, draw(seen[0]) if draws else None
    finally:
        torch.set_num_threads(before)
