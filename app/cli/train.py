"""`flow-explorer train`: train a flow on pictures, into a run folder that can be resumed."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.arguments import add_device, add_json, add_seed, integer, number
from app.cli.output import OutputError, print_json, say
from app.cli.progress import Progress
from flowcore.errors import ConfigError, DataError

if TYPE_CHECKING:
    from flowcore.training import TrainConfig

NAME = "train"
HELP = "train a model on pictures"
DESCRIPTION = (
    "Train a flow by maximum likelihood and write a run folder: config.json, metrics.jsonl, last and best checkpoint, "
    "samples. Ctrl-C saves and stops; --resume goes on from there. The best checkpoint is chosen on held-out pictures, never on "
    "the test split."
)

SYSTEMS = ("glow", "realnvp", "nice")

# Steps and pictures a step where the person names neither; tiny is for tests, the rest for an evening, a night, a week.
PRESETS = {
    "tiny": {"steps": 200, "batch": 16, "log_every": 10},
    "small": {"steps": 20_000, "batch": 64},
    "medium": {"steps": 60_000, "batch": 64},
    "large": {"steps": 200_000, "batch": 64},
}
FOLDER_SIZE = 32  # the side that a folder's pictures are reduced to where --size does not say

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}  # 128 + the signal, as the shell counts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "--data", required=True, metavar="PATH", help="a folder of pictures, idx files or a .npz"
    )
    parser.add_argument("--architecture", choices=SYSTEMS, help="(default: glow)")
    parser.add_argument("--preset", choices=tuple(PRESETS), help="size of the model (default: small)")
    parser.add_argument("--out", required=True, metavar="RUN", help="the run folder to write")
    parser.add_argument("--size", type=integer(2, 1024), metavar="S", help="side of the pictures, in pixels")
    parser.add_argument(
        "--steps", type=integer(1, 10**9), metavar="N", help="updates, also the schedule's horizon"
    )
    parser.add_argument("--batch", type=integer(1, 10**6), metavar="B", help="pictures a step")
    parser.add_argument(
        "--learning-rate",
        type=number(1e-8, 1.0),
        metavar="R",
        help="peak, after the warm-up (default: 0.001)",
    )
    parser.add_argument("--flip", action="store_true", help="mirror pictures left to right at random")
    parser.add_argument(
        "--checkpoint-every", type=integer(1, 10**9), metavar="N", help="steps (default: 500)"
    )
    parser.add_argument("--evaluate-every", type=integer(1, 10**9), metavar="N", help="steps (default: 1000)")
    parser.add_argument("--resume", action="store_true", help="go on with the run that is in RUN")
    parser.add_argument(
        "--name", metavar="TEXT", help="the model's name on its card (default: the run folder's)"
    )
    parser.add_argument(
        "--licence", default="", metavar="TEXT", help="the data's licence, for the model's card"
    )
    parser.add_argument(
        "--credit", default="", metavar="TEXT", help="whom the data comes from, for the model's card"
    )
    add_seed(parser)
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Train; 0 when done, 130 or 143 when stopped by a signal, after saving."""
    from flowcore.training.run_folder import RunFolder

    folder = RunFolder(Path(args.out).expanduser())
    held = _held_config(args, folder) if args.resume else None
    if held is None:
        _check_new(folder)
    training, validation = _open_data(args, held)
    config = _extended(args, held, folder) if held is not None else _new_config(args, folder, training)

    from app.cli.device import choose_device, run_on

    device = choose_device(args.device)
    with _signals() as caught, Progress("Training", config.steps, "steps") as progress:
        result = run_on(
            device, lambda where: _train(args, config, folder, training, validation, caught, progress, where)
        )
    return _report(args, folder, result, caught)


def _held_config(args: argparse.Namespace, folder: Any) -> TrainConfig:
    """The configuration of the run to resume. Raises ConfigError where an argument contradicts it."""
    config = folder.config()
    system = config.architecture.get("system")
    if args.architecture not in (None, system):
        raise ConfigError(
            f"The run in {args.out} is a {system}, so it cannot go on as a {args.architecture}."
        )
    if args.batch not in (None, config.batch):
        raise ConfigError(
            f"The run in {args.out} takes {config.batch} pictures a step, so it cannot go on with {args.batch}."
        )
    height, width = config.architecture["shape"][1:]
    if args.size is not None and (args.size, args.size) != (height, width):
        raise ConfigError(
            f"The run in {args.out} is on {height}×{width} pictures, so it cannot go on with {args.size}."
        )
    return config


def _check_new(folder: Any) -> None:
    """Raise, before any work, where the run folder cannot be written or holds a run already."""
    path = folder.path
    if folder.config_path.exists():
        raise ConfigError(
            f"{path} already holds a run: add --resume to go on with it, or choose another --out."
        )
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is a file, and a run needs a folder: choose another --out.")
    nearest = path
    while not nearest.exists():
        nearest = nearest.parent
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise OutputError(f"The run folder {path} cannot be written ({error.strerror or error}).") from error


def _open_data(args: argparse.Namespace, held: TrainConfig | None) -> tuple[Any, Any]:
    """The training pictures and the held-out ones, or None where the data is too small to hold any out."""
    from flowcore.dataset_arrays import is_idx_folder
    from flowcore.datasets import open_dataset

    path = Path(args.data).expanduser()
    size: int | tuple[int, int] | None = args.size
    channels = None
    if held is not None:
        channels, *shape = held.architecture["shape"]
        size = (shape[0], shape[1])
    elif (
        size is None and path.is_dir() and not is_idx_folder(path)
    ):
        size = FOLDER_SIZE
    with Progress("Reading pictures", 0) as progress:
        training = open_dataset(path, "train", size, channels, on_progress=progress.of)
    for name, sentence in training.skipped:
        say(f"flow-explorer: {name} is left out: {sentence}")
    channels, height, width = training.shape
    try:
        validation = open_dataset(path, "validation", (height, width), channels)
    except DataError:
        validation = None
        say(
            "flow-explorer: the data is too small to hold pictures out, so the last checkpoint is the only one."
        )
    return training, validation


def _new_config(args: argparse.Namespace, folder: Any, training: Any) -> TrainConfig:
    from flowcore.training import TrainConfig, architecture_for

    preset = args.preset or "small"
    options = {**PRESETS[preset], "seed": args.seed, "flip": args.flip}
    for name in ("steps", "batch", "learning_rate", "checkpoint_every", "evaluate_every"):
        if getattr(args, name) is not None:
            options[name] = getattr(args, name)
    return TrainConfig(
        architecture=architecture_for(args.architecture or "glow", preset, training.shape),
        # A tenth of a short run, so that it too reaches its learning rate.
        warm_up=min(500, max(1, options["steps"] // 10)),
        name=args.name or folder.path.resolve().name,
        command=shlex.join(["flow-explorer", *sys.argv[1:]]),
        data={"name": training.name, "licence": args.licence, "credit": args.credit},
        **options,
    )


def _extended(args: argparse.Namespace, held: TrainConfig, folder: Any) -> TrainConfig:
    """The held configuration; more --steps than it has move the schedule's horizon, and that is said."""
    changes = {}
    if args.steps is not None and args.steps > held.steps:
        say(f"flow-explorer: the schedule's horizon moves from {held.steps:,} to {args.steps:,} steps.")
        changes["steps"] = args.steps
    for name in ("checkpoint_every", "evaluate_every"):
        if getattr(args, name) is not None:
            changes[name] = getattr(args, name)
    if changes:
        held = replace(held, **changes)
        folder.write_config(held)
    return held


@contextmanager
def _signals() -> Iterator[list[int]]:
    """While inside, the first Ctrl-C or SIGTERM is only noted, so that the step can finish and be saved."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return

    def note(number: int, frame: object) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
        say("flow-explorer: stopping after this step, and saving (once more to stop at once).")

    before = {number: signal.signal(number, note) for number in EXIT_CODES}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _train(
    args: argparse.Namespace,
    config: TrainConfig,
    folder: Any,
    training: Any,
    validation: Any,
    caught: list[int],
    progress: Progress,
    device: str,
) -> dict[str, Any]:
    from flowcore.card import read_card
    from flowcore.training import train

    seen: dict[str, Any] = {"step": 0, "bpd": None, "held_out_bpd": None, "seconds": 0.0}

    def on_progress(update: Any) -> None:
        seen.update(step=update.step, bpd=update.bpd, seconds=update.seconds)
        if update.held_out_bpd is not None:
            seen["held_out_bpd"] = update.held_out_bpd
        held = f", held out {seen['held_out_bpd']:.3f}" if seen["held_out_bpd"] is not None else ""
        progress.update(
            update.step, f"{update.bpd:.3f} bpd{held}, {update.pictures_per_second:,.0f} pictures/s"
        )

    # On the second try, after a device ran out of memory, the run folder is there already.
    resume = args.resume or folder.config_path.exists()
    step = read_card(folder.last)["steps"] if resume and folder.last.exists() else 0
    goal = args.steps or config.steps
    if step >= goal:
        say(f"flow-explorer: the run in {args.out} has its {step:,} steps already; a larger --steps goes on.")
        return {**seen, "step": step}

    def should_stop() -> bool:
        nonlocal step
        step += 1
        return bool(caught) or step >= goal

    trainer = train(
        config, training, folder.path, validation, resume=resume, device=device, on_progress=on_progress,
        should_stop=should_stop,
    )  # fmt: skip
    return {**seen, "step": trainer.step, "seconds": trainer.seconds}


def _report(args: argparse.Namespace, folder: Any, result: dict[str, Any], caught: list[int]) -> int:
    row = {
        "run": os.fspath(folder.path),
        "step": result["step"],
        "bpd": result["bpd"],
        "held_out_bpd": result["held_out_bpd"],
        "seconds": result["seconds"],
    }
    if args.json:
        print_json(row)
    elif caught:
        say(f"Stopped after step {row['step']:,} and saved in {args.out}; --resume goes on from there.")
    else:
        figure = (
            "" if row["bpd"] is None else f", {row['bpd']:.3f} bits per dimension on the training pictures"
        )
        held = "" if row["held_out_bpd"] is None else f", {row['held_out_bpd']:.3f} on held-out ones"
        say(f"{row['step']:,} steps in {row['seconds']:.1f} s{figure}{held}; saved in {args.out}.")
    return EXIT_CODES[signal.Signals(caught[0])] if caught else 0
