"""`flow-explorer train`: train a flow on pictures, into a run folder that can be resumed."""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_explorer import assets
from flow_explorer.cli.arguments import add_device, add_json, add_seed, integer, number
from flow_explorer.cli.classes import conditional_options, names_to_learn, refuse_unlabelled
from flow_explorer.cli.reading import (
    add_data,
    add_loading,
    add_reading,
    check_unchanged,
    chosen,
    data_path,
    loading,
    of_card,
    tell_left_out,
)
from flow_explorer.cli.together import agreed, join, one_voice
from flow_explorer.terminal.ending import EXIT_CODES, noting
from flow_explorer.terminal.output import OutputError, print_json, say
from flow_explorer.terminal.progress import TerminalProgress
from flow_explorer.training.process_record import RunLock, at_work, stop_requested
from flowcore.errors import CheckpointError, ConfigError, DataError
from flowcore.model.card import class_names, read_card
from flowcore.model.precision import PRECISIONS

if TYPE_CHECKING:
    from flowcore.training import Processes, TrainConfig

NAME = "train"
HELP = "train a model on pictures"
DESCRIPTION = (
    "Train a flow by maximum likelihood and write a run folder: config.json, metrics.jsonl, last and best checkpoint, "
    "samples. Ctrl-C saves and stops; --resume goes on from there. The best checkpoint is chosen on held-out pictures, never on "
    "the test split. Under torchrun several processes share every step's pictures: docs/training.md says how."
)

SYSTEMS = ("glow-plus", "glow", "realnvp", "nice")  # the first is taken where nobody chooses

# Steps and pictures a step where the person names neither; tiny is for tests, the rest for an evening, a night, a week.
PRESETS = {
    "tiny": {"steps": 200, "batch": 16, "log_every": 10},
    "small": {"steps": 20_000, "batch": 64},
    "medium": {"steps": 60_000, "batch": 64},
    "large": {"steps": 200_000, "batch": 64},
}
RATES = {"glow-plus": 4e-3}  # of learning, where it is not the configuration's own; docs/glow-plus.md has the reason
FOLDER_SIZE = 32  # the side that a folder's pictures are reduced to where --size does not say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_data(parser)
    add_options(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """All of them but the data."""
    parser.add_argument("--architecture", choices=SYSTEMS, help=f"(default: {SYSTEMS[0]})")
    parser.add_argument("--preset", choices=tuple(PRESETS), help="size of the model (default: small)")
    parser.add_argument(
        "--set", dest="settings", metavar="NAME=VALUE", action="append", default=[],
        help="a setting of the architecture other than the preset's, such as width=96 or levels=4; may be given several times",
    )  # fmt: skip
    parser.add_argument("--out", metavar="RUN", help="the run folder to write")
    parser.add_argument(
        "--estimate",
        action="store_true",
        help="take a few steps, print parameters, memory and time of the whole run, and keep nothing",
    )
    parser.add_argument("--size", type=integer(2, 1024), metavar="S", help="side of the pictures, in pixels")
    parser.add_argument(
        "--steps", type=integer(1, 10**9), metavar="N", help="updates, also the schedule's horizon"
    )
    parser.add_argument(
        "--stop-at", type=integer(1, 10**9), metavar="N",
        help="stop after step N and save, as Ctrl-C would; the schedule's horizon stays",
    )  # fmt: skip
    parser.add_argument("--batch", type=integer(1, 10**6), metavar="B", help="pictures a step")
    parser.add_argument(
        "--learning-rate",
        type=number(1e-8, 1.0),
        metavar="R",
        help="peak, after the warm-up (default: 0.004 for glow-plus, else 0.0015)",
    )
    parser.add_argument(
        "--memory",
        choices=("store", "invert"),
        help="store a step's activations, or compute them again from its output: a third slower, in memory that does "
        "not grow with depth (default: store)",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="the numbers of the coupling networks while training: bfloat16 is quicker where the processor or the card has "
        "it, and far slower elsewhere (default: auto, which asks it)",
    )
    parser.add_argument("--flip", action="store_true", help="mirror pictures left to right at random")
    parser.add_argument(
        "--jitter",
        action="store_true",
        help="cut each picture anew from its source at each visit: moved, sized and turned a little, at random",
    )
    parser.add_argument(
        "--conditional",
        action="store_true",
        help="learn the data's classes (subfolders or labels), so that one can ask for a class",
    )
    parser.add_argument(
        "--class-names", metavar="NAME,…", help="names for them, in the order of their numbers (default: the data's)"
    )
    parser.add_argument(
        "--checkpoint-every", type=integer(1, 10**9), metavar="N", help="steps (default: 500)"
    )
    parser.add_argument(
        "--keep-every", type=integer(1, 10**9), metavar="N",
        help="keep the averaged weights every N steps as step-NNNNNN.safetensors, to compare them later (default: never)",
    )  # fmt: skip
    parser.add_argument("--evaluate-every", type=integer(1, 10**9), metavar="N", help="steps (default: 1000)")
    parser.add_argument(
        "--from", dest="start_from", metavar="MODEL",
        help="begin with the weights of this model, of whatever pictures it is: a bundled name, a checkpoint or a run folder; "
        "the new run has its architecture",
    )  # fmt: skip
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
    add_loading(parser)
    add_seed(parser)
    add_device(parser)
    add_json(parser)
    add_reading(parser)


def run(args: argparse.Namespace) -> int:
    """Train; 0 when done, 130 or 143 when stopped by a signal, after saving."""
    from flowcore.training.run_folder import RunFolder

    if args.estimate:
        return _estimate(args)
    if args.out is None:
        raise ConfigError("train needs --out RUN, the run folder to write (only --estimate works without).")
    folder = RunFolder(Path(args.out).expanduser())
    device, processes = join(args)
    try:
        with one_voice(processes):
            held = agreed(processes, lambda: _held_config(args, folder) if args.resume else _check_new(folder))
            with at_work(folder.path, args.data, lambda sentence: say(f"flow-explorer: {sentence}")) as work:
                result = _run(args, folder, held, work, device, processes)
            return _report(args, folder, result) if processes.writer else result["code"]
    finally:
        # Also after an error: threads of the group that still run when Python ends would abort the process.
        processes.leave()


def _estimate(args: argparse.Namespace) -> int:
    from flow_explorer.cli.estimate import estimate
    from flowcore.training.run_folder import RunFolder

    training, validation = _open_data(args, None)
    return estimate(args, _new_config(args, RunFolder(Path(args.out or "run")), training), training, validation)


def _run(
    args: argparse.Namespace, folder: Any, held: TrainConfig | None, work: RunLock, device: str, processes: Processes
) -> dict[str, Any]:
    training, validation = _open_data(args, held)
    if held is not None:
        refuse_unlabelled(args, held, training)
    config = agreed(
        processes, lambda: _extended(args, held, folder) if held is not None else _new_config(args, folder, training)
    )

    from flow_explorer.cli.device import choose_device, run_on

    device = device or choose_device(args.device)
    if processes.writer:
        work.begin()
    with noting(processes.count > 1) as caught, TerminalProgress("Training", config.steps, "steps") as progress:
        work.stepping = True
        result = run_on(
            device,
            lambda where: _train(args, config, folder, training, validation, caught, progress, where, processes),
            again=processes.count == 1,
        )
        work.stopped = bool(result["code"]) or stop_requested(folder.path)
    return result


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
    if args.jitter and not config.jitter:
        raise ConfigError(f"The run in {args.out} was begun without --jitter, so it cannot go on with it.")
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
    from flowcore.data.datasets import holds_arrays, open_dataset

    path = data_path(args.data)
    size: int | tuple[int, int] | None = args.size
    options = {**loading(args), "on_broken": _tell_broken}
    if held is not None:
        reading = of_card(held.data)
        check_unchanged(args, reading)
        channels, *shape = held.architecture["shape"]
        reading, size = replace(reading, channels=channels), (shape[0], shape[1])
        labels_from = held.data.get("labels_from")
        if args.labels_from not in (None, labels_from):
            raise ConfigError(f"The run in {args.out} has other classes than those from {args.labels_from!r}.")
    else:
        reading, labels_from = chosen(args), args.labels_from
        if size is None and not holds_arrays(path):
            size = FOLDER_SIZE if args.start_from is None else read_card(assets.resolve_model(args.start_from))["size"][0]
    options |= {"attributes": args.attributes, "labels_from": labels_from}
    jitter = args.jitter if held is None else held.jitter
    with TerminalProgress("Reading pictures", 0) as progress:
        training = open_dataset(path, "train", size, **vars(reading), on_progress=progress.of, **options, anew=jitter)
    tell_left_out(training)
    if training.streamed and not jitter:  # with it they are decoded whatever their size, and the held-out ones need not be
        say(f"flow-explorer: {len(training):,} pictures are decoded while training; --data-memory says how many are held.")
        options["memory"] = 0
    channels, height, width = training.shape
    reading = replace(reading, channels=channels)
    try:
        validation = open_dataset(path, "validation", (height, width), **vars(reading), **options)
    except DataError:
        validation = None
        say(
            "flow-explorer: the data is too small to hold pictures out, so the last checkpoint is the only one."
        )
    return training, validation


def _tell_broken(name: str, sentence: str) -> None:
    say(f"flow-explorer: {name} can no longer be read, so another picture takes its place: {sentence}")


def _new_config(args: argparse.Namespace, folder: Any, training: Any) -> TrainConfig:
    from flowcore.model.systems import build
    from flowcore.training import TrainConfig, architecture_for

    preset = args.preset or "small"
    options = {**PRESETS[preset], "seed": args.seed, "flip": args.flip, "jitter": args.jitter}
    system = args.architecture or SYSTEMS[0]
    if system in RATES:
        options["learning_rate"] = RATES[system]
    for name in ("steps", "batch", "learning_rate", "checkpoint_every", "keep_every", "evaluate_every", "memory", "precision"):
        if getattr(args, name) is not None:
            options[name] = getattr(args, name)
    if args.start_from is not None:
        architecture, classes = _begun_with(args, training)
    else:
        classes = names_to_learn(args, training, system)
        conditional = conditional_options(classes, training.shape, system)
        architecture = architecture_for(system, preset, training.shape, **{**conditional, **_settings(args)})
        build(architecture, meta=True)  # refuses what cannot be, before anything is written
    return TrainConfig(
        architecture=architecture,
        classes=classes,
        # A tenth of a short run, so that it too reaches its learning rate.
        warm_up=min(500, max(1, options["steps"] // 10)),
        name=args.name or folder.path.resolve().name,
        command=shlex.join(["flow-explorer", *sys.argv[1:]]),
        data=_about(args, training),
        **options,
    )


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    """What --set gives, by name: numbers, true and false as what they are, all else as words. Raises ConfigError."""
    settings = {}
    for text in args.settings:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not name or not sign or not value:
            raise ConfigError(f"--set {text} is not NAME=VALUE: write, for example, --set width=96.")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    if {"system", "shape", "classes"} & set(settings):
        raise ConfigError("--set is for an architecture's sizes; system, shape and classes come from the other arguments.")
    return settings


def _begun_with(args: argparse.Namespace, training: Any) -> tuple[dict[str, Any], list[str]]:
    """Architecture and classes of the model whose weights a run begins with. Raises ConfigError where data and model differ."""
    from flowcore.model.systems import build
    from flowcore.training.beginning import carried_over

    path = assets.resolve_model(args.start_from)
    card = read_card(path)
    architecture, names = card["architecture"], class_names(card)
    if args.architecture not in (None, architecture.get("system")) or args.preset is not None:
        raise ConfigError("--from takes the architecture of its model, so leave --architecture and --preset away.")
    before = build(architecture, meta=True)
    architecture = {**architecture, **_settings(args)}
    try:
        carried_over(before, build(architecture, meta=True))
    except ConfigError:
        raise ConfigError(
            f"--from {args.start_from} brings weights, and --set may not ask for others: leave sizes away."
        ) from None
    if list(architecture.get("shape", [])) != list(training.shape):
        wanted, got = (f"{shape[2]}×{shape[1]}, {shape[0]} channels" for shape in (architecture["shape"], training.shape))
        raise ConfigError(f"--from {args.start_from} sees pictures of {wanted}, and these are {got}: give --size and --channels.")
    if not names:
        return architecture, []
    classes = names_to_learn(argparse.Namespace(**{**vars(args), "conditional": True}), training, architecture["system"])
    if len(classes) != len(names):
        raise ConfigError(f"--from {args.start_from} knows {len(names)} classes, and {training.name} has {len(classes)}.")
    return architecture, classes


def _about(args: argparse.Namespace, training: Any) -> dict[str, Any]:
    """What the card and a later evaluation must know of the data: whose it is, and how its pictures were read."""
    _, height, width = training.shape
    about: dict[str, Any] = {"name": training.name, "licence": args.licence, "credit": args.credit}
    if note := chosen(args).sentence(height, width):
        about["note"] = note
    about["reading"] = training.reading.to_dict()
    if args.labels_from is not None:
        about["labels_from"] = args.labels_from
    return about


def _extended(args: argparse.Namespace, held: TrainConfig, folder: Any) -> TrainConfig:
    """The held configuration; more --steps than it has move the schedule's horizon, and that is said. So is --precision."""
    changes = {}
    if args.steps is not None and args.steps > held.steps:
        say(f"flow-explorer: the schedule's horizon moves from {held.steps:,} to {args.steps:,} steps.")
        changes["steps"] = args.steps
    for name in ("checkpoint_every", "keep_every", "evaluate_every", "memory"):
        if getattr(args, name) is not None:
            changes[name] = getattr(args, name)
    if args.precision not in (None, held.precision):
        asked = "what this device is quicker in" if args.precision == "auto" else args.precision
        say(f"flow-explorer: the run was in {held.precision} and goes on in {asked}.")
        changes["precision"] = args.precision
    if changes:
        held = replace(held, **changes)
        folder.write_config(held)
    return held


def _train(
    args: argparse.Namespace,
    config: TrainConfig,
    folder: Any,
    training: Any,
    validation: Any,
    caught: list[int],
    progress: TerminalProgress,
    device: str,
    processes: Processes,
) -> dict[str, Any]:
    from flowcore.training import train

    seen: dict[str, Any] = {"step": 0, "bpd": None, "held_out_bpd": None, "seconds": 0.0, "skipped": 0, "code": 0}

    def on_progress(update: Any) -> None:
        bpd = update.bpd if math.isfinite(update.bpd) else None
        seen.update(step=update.step, bpd=bpd, seconds=update.seconds, skipped=update.skipped)
        if update.held_out_bpd is not None:
            seen["held_out_bpd"] = update.held_out_bpd
        held = f", held out {seen['held_out_bpd']:.3f}" if seen["held_out_bpd"] is not None else ""
        progress.update(
            update.step, f"{update.bpd:.3f} bpd{held}, {update.pictures_per_second:,.0f} pictures/s"
        )

    # On the second try, after a device ran out of memory, the run folder is there already.
    resume = args.resume or (processes.count == 1 and folder.config_path.exists())
    step = _steps_of(folder.last) if processes.writer and resume and folder.last.exists() else 0
    step = processes.tell(step)
    goal = min(args.steps or config.steps, args.stop_at or config.steps)
    if step >= goal:
        more = "--stop-at" if goal == args.stop_at else "--steps"
        say(f"flow-explorer: the run in {args.out} has its {step:,} steps already; a larger {more} goes on.")
        return {**seen, "step": step}

    def should_stop() -> int:
        nonlocal step
        step += 1
        return EXIT_CODES[caught[0]] if caught else int(step >= goal or stop_requested(folder.path))

    trainer = train(
        config, training, folder.path, validation, resume=resume, device=device, on_progress=on_progress,
        should_stop=should_stop, on_notice=lambda sentence: say(f"flow-explorer: {sentence}"), processes=processes,
        start_from=None if args.start_from is None else assets.resolve_model(args.start_from),
    )  # fmt: skip
    # Of several processes one may have been given the signal, and all answer it.
    code = trainer.stopped if trainer.stopped in EXIT_CODES.values() else 0
    return {**seen, "step": trainer.step, "seconds": trainer.seconds, "code": code}


def _steps_of(last: Path) -> int:
    """How far a run had come. Raises CheckpointError where its checkpoint does not say."""
    steps = read_card(last).get("steps")
    if type(steps) is not int or steps < 0:
        raise CheckpointError(f"The card of '{last}' is damaged: it does not say after how many steps it was saved.")
    return steps


def _report(args: argparse.Namespace, folder: Any, result: dict[str, Any]) -> int:
    row = {
        "run": os.fspath(folder.path),
        "step": result["step"],
        "bpd": result["bpd"],
        "held_out_bpd": result["held_out_bpd"],
        "seconds": result["seconds"],
        "skipped": result["skipped"],
    }
    if args.json:
        print_json(row)
    elif result["code"]:
        say(f"Stopped after step {row['step']:,} and saved in {args.out}; --resume goes on from there.")
    else:
        figure = (
            "" if row["bpd"] is None else f", {row['bpd']:.3f} bits per dimension on the training pictures"
        )
        held = "" if row["held_out_bpd"] is None else f", {row['held_out_bpd']:.3f} on held-out ones"
        say(f"{row['step']:,} steps in {row['seconds']:.1f} s{figure}{held}; saved in {args.out}.")
    return result["code"]
