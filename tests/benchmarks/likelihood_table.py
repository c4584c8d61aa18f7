"""`make likelihood`: NICE, RealNVP, Glow and Glow plus on three data sets, each column's systems trained for the same time.

    python -m tests.benchmarks.likelihood_table [--minutes 60] [--cells mnist/nice cifar10/glow …] [--runs FOLDER]

A cell is a run folder like any other: it is trained for so many minutes, its checkpoint chosen on held-out training pictures,
and evaluated once on the whole test set. A cell that was interrupted goes on where it was, one that is done is passed over.
Results go to docs/likelihood.json as they come, and to docs/likelihood.md. On a processor a cell's time is that which its threads
computed for, so that what else the machine does takes nothing away from it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import torch

from flowcore.errors import DataError
from flowcore.model.card import SYSTEM_NAMES
from flowcore.model.checkpoint import load, parameter_count
from flowcore.model.evaluation import bits_per_dim
from flowcore.training import RunFolder, TrainConfig, architecture_for, train
from flowcore.training.trainer import Trainer

from .machine import about as machine
from .measure import ROOT
from .pictures import DATA_SETS, read

__all__ = ["PUBLISHED", "main", "to_markdown"]

SYSTEMS = ("nice", "realnvp", "glow", "glow-plus")
PUBLISHED = {
    "nice": {"mnist": 4.36, "cifar10": 4.48}, "realnvp": {"mnist": 1.06, "cifar10": 3.49},
    "glow": {"mnist": 1.05, "cifar10": 3.35}, "glow-plus": {},
}  # fmt: skip
"""Bits per dimension on the test set, as the papers (and, for MNIST, later ones that measured them) give them."""
TRIAL = (4, 12)
"""Steps that are passed over, and steps that are timed, to tell how many fit into a cell's time."""


def _config(data: str, system: str, preset: str, seed: int) -> TrainConfig:
    pictures = read(data, "train").pictures
    shape = (pictures.shape[3], *pictures.shape[1:3])
    return TrainConfig(
        architecture=architecture_for(system, preset, shape), batch=64, warm_up=200, name=f"{data}-{system}", seed=seed,
        evaluate_every=250, checkpoint_every=250, evaluate_pictures=1000, ema_decay=0.998, flip=data == "cifar10",
    )  # fmt: skip


def _steps_in(config: TrainConfig, data: str, seconds: float, device: str) -> int:
    """How many steps of training fit, evaluations left out of account: a few are taken and timed."""
    clock = time.perf_counter if device != "cpu" else lambda: time.process_time() / torch.get_num_threads()
    training = read(data, "train")
    trainer = Trainer(replace(config, steps=10**6), device)
    trainer.initialise(training.pictures, None)
    began = 0.0
    for step in range(sum(TRIAL)):
        if step == TRIAL[0]:
            began = clock()
        loss, _ = trainer.train_step(*trainer.make_batch(training.pictures, None, step))
    loss.item()
    return max(100, round(seconds * TRIAL[1] / (clock() - began)))


def measure(data: str, system: str, args: argparse.Namespace) -> dict:
    """One cell: trains, or goes on with training, and evaluates on the whole test set."""
    folder = RunFolder(args.runs / f"{data}-{system}-{args.minutes:g}min")
    training, held = read(data, "train"), read(data, "validation")
    resume = folder.config_path.exists()
    if not resume:
        config = _config(data, system, args.preset, args.seed)
        config = replace(config, steps=_steps_in(config, data, 60 * args.minutes, args.device))
    else:
        config = folder.config()

    def tell(progress) -> None:
        if progress.held_out_bpd is not None:
            held_out = f"{progress.held_out_bpd:.4f} held out"
            print(f"  {data}/{system}: step {progress.step:,} of {progress.steps:,}, {held_out}", flush=True)

    trainer = train(config, training, folder.path, held, resume=resume, device=args.device, on_progress=tell)
    flow = load(folder.path, args.device).flow
    result = bits_per_dim(flow, read(data, "test").pictures)
    return {
        "data": data, "system": system, "minutes": args.minutes, "preset": args.preset, "bpd": round(result.bpd, 4),
        "standard_error": round(result.standard_error, 4), "count": result.count, "steps": trainer.step,
        "training_seconds": round(trainer.seconds, 1), "parameters": parameter_count(flow),
        "threads": torch.get_num_threads(), "device": args.device, "date": date.today().isoformat(), "torch": torch.__version__,
    }  # fmt: skip


def to_markdown(about: dict) -> str:
    """docs/likelihood.md."""
    cells = {(cell["data"], cell["system"]): cell for cell in about["cells"]}
    lines = [
        "# Likelihood of the systems", "",
        "Written by `make likelihood`: do not edit. Test bits per dimension (lower is likelier): the dequantised bound on the",
        "original pixels, at temperature 1, over the whole test set, ± its standard error. The checkpoint is chosen on held-out",
        "training pictures. In brackets what the papers give, for models and times orders of magnitude larger.", "",
        *[f"- {name}: {words}" for name, words in about["machine"].items()], "",
        "| | " + " | ".join(DATA_SETS.values()) + " |", "|---|" + "---|" * len(DATA_SETS),
    ]  # fmt: skip
    for system in SYSTEMS:
        row = []
        for data in DATA_SETS:
            cell, known = cells.get((data, system)), PUBLISHED[system].get(data)
            told = f"{cell['bpd']:.3f} ± {cell['standard_error']:.3f}" if cell else "not yet"
            row.append(told + (f" ({known:.2f})" if known else ""))
        lines.append(f"| {SYSTEM_NAMES[system]} | " + " | ".join(row) + " |")
    lines += ["", "| cell | time | threads | steps | parameters | test pictures | date |", "|---|---|---|---|---|---|---|"]
    for (data, system), cell in sorted(cells.items(), key=lambda item: (item[0][0], SYSTEMS.index(item[0][1]))):
        where = "" if cell["device"] == "cpu" else f" on {cell['device']}"
        lines.append(
            f"| {DATA_SETS[data]}, {SYSTEM_NAMES[system]} | {cell['minutes']:g} min{where} | {cell['threads']} |"
            f" {cell['steps']:,} | {cell['parameters']:,} | {cell['count']:,} | {cell['date']} |"
        )
    return "\n".join(lines) + "\n"


def _write(about: dict, out: Path) -> None:
    for path, text in ((out, json.dumps(about, indent=1) + "\n"), (out.with_suffix(".md"), to_markdown(about))):
        temporary = path.with_name(f"{path.name}.part")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = [f"{data}/{system}" for data in DATA_SETS for system in SYSTEMS]
    parser.add_argument("--minutes", type=float, default=60.0, help="of training a cell (default: 60)")
    parser.add_argument("--cells", nargs="*", default=every, choices=every, metavar="DATA/SYSTEM")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--runs", type=Path, default=Path("runs/likelihood"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "likelihood.json", help="(and .md beside it)")
    args = parser.parse_args(arguments)

    def written() -> dict:
        return json.loads(args.out.read_text()) if args.out.exists() else {"format": 1, "cells": []}

    about = written()
    about["machine"] = machine()["machine"]
    for name in args.cells:
        data, system = name.split("/")
        longest = max((c["minutes"] for c in about["cells"] if (c["data"], c["system"]) == (data, system)), default=0.0)
        if longest >= args.minutes:
            continue
        try:
            cell = measure(data, system, args)
        except DataError as error:
            print(f"{name}: {error}")
            continue
        if not math.isfinite(cell["bpd"]):
            print(f"{name}: its test likelihood is not finite, so it is left out")
            continue
        # Others may write cells meanwhile.
        others = [c for c in written()["cells"] if (c["data"], c["system"]) != (data, system)]
        about["cells"] = [*others, cell]
        _write(about, args.out)
        print(f"{name}: {cell['bpd']:.4f} ± {cell['standard_error']:.4f} bpd after {cell['steps']:,} steps", flush=True)


if __name__ == "__main__":
    main()
