"""What each part of glow-plus is worth at an equal time: python -m tests.benchmarks.ablation [--minutes 5] [--only NAME …].

Every variant trains on one thread for the same processor time, on the same pictures in the same order, with the learning
rate falling to nothing as that time runs out. Held-out bits per dimension of validation pictures, uniform noise, float32.
Writes a line a variant to --out as it goes (JSON lines), and passes over what is there already; --table prints them as Markdown.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from flowcore.errors import NonFiniteError
from flowcore.fast import accelerate
from flowcore.model.checkpoint import parameter_count
from flowcore.model.evaluation import bits_per_picture
from flowcore.training import TrainConfig
from flowcore.training.trainer import Trainer

from .pictures import DATA_SETS, read

RECIPE = {"learning_rate": 4e-3, "batch": 32}
PLAIN = {"system": "glow-plus", "dequantisation": "uniform", "equalise": False, "split_width": 0}
PLUS = {"system": "glow-plus"}
VARIANTS: dict[str, tuple[dict, dict]] = {
    "Glow, batch 64, rate 1.5e-3": ({"system": "glow"}, {"learning_rate": 1.5e-3, "batch": 64}),
    "Glow": ({"system": "glow"}, RECIPE),
    "Glow + prior by place": (PLAIN, RECIPE),
    "… + equalised levels": ({**PLAIN, "equalise": True}, RECIPE),
    "… + variational dequantisation": ({**PLUS, "split_width": 0}, RECIPE),
    "… + hidden layer in the splits = Glow plus": (PLUS, RECIPE),
    "Glow plus without equalised levels": ({**PLUS, "equalise": False}, RECIPE),
    "width 64": ({**PLUS, "width": 64}, RECIPE),
    "width 192": ({**PLUS, "width": 192}, RECIPE),
    "4 steps a level": ({**PLUS, "steps": 4}, RECIPE),
    "rate 2e-3": (PLUS, {**RECIPE, "learning_rate": 2e-3}),
    "rate 8e-3": (PLUS, {**RECIPE, "learning_rate": 8e-3}),
    "batch 16": (PLUS, {**RECIPE, "batch": 16}),
    "batch 64": (PLUS, {**RECIPE, "batch": 64}),
}
AXES = {"axes": "principal-all"}
LATER: dict[str, dict] = {
    "bounded": {},
    "axes at the first level": {"axes": "principal"},
    "axes at every level": AXES,
    "Haar squeeze": {"squeeze": "haar"},
    "Haar squeeze, axes at every level": {"squeeze": "haar", **AXES},
    "growing widths": {"growth": 1.4},
    "growing widths, axes": {"growth": 1.4, **AXES},
    "strong splits": {"split_blocks": 1, "split_width": 48},
    "strong splits, axes": {"split_blocks": 1, "split_width": 48, **AXES},
    "places, axes": {"places": True, **AXES},
    "places, axes, hidden layer in the splits": {"places": True, "split_width": 64, **AXES},
    "strong splits, growing widths, axes": {"split_blocks": 1, "split_width": 48, "growth": 1.4, **AXES},
}
"""The settings that came later, each on a Glow plus without what it costs time ("plain") and on one with all of it ("plus")."""
VARIANTS |= {
    f"{name}, {kind}": ({**base, "input_bound": 4.0, **change}, RECIPE)
    for kind, base in (("plain", PLAIN), ("plus", PLUS)) for name, change in LATER.items()
}  # fmt: skip
HELD_OUT = 1000


class TimedTrainer(Trainer):
    """Its learning rate is a function of the share of the time that is spent, not of the step."""

    spent = 0.0

    def learning_rate(self, step: int) -> float:
        warm = min(1.0, (step + 1) / max(1, self.config.warm_up))
        return self.config.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, self.spent))))


def train_for(architecture: dict, options: dict, data: str, seconds: float) -> dict:
    """One cell: trains for so many seconds of the processor's time, and measures."""
    training, held = read(data, "train"), read(data, "validation")
    shape = list(training.pictures.shape[3:]) + list(training.pictures.shape[1:3])
    levels = min(4 if shape[1] > 32 else 3, min((side & -side).bit_length() - 1 for side in shape[1:]))
    config = TrainConfig(
        architecture={**architecture, "shape": shape, "levels": levels},
        **{"steps": 10**6, "warm_up": 50, "batch": 64, "ema_decay": 0.99, **options},
    )
    trainer = TimedTrainer(config)
    trainer.initialise(training.pictures, None)
    began = time.process_time()
    while trainer.spent < 1.0:
        trainer.train_step(*trainer.make_batch(training.pictures, None, trainer.step))
        trainer.spent = (time.process_time() - began) / seconds
        if trainer.has_diverged:
            return {"bpd": None, "steps": trainer.step, "note": "diverged"}
    try:
        bits = bits_per_picture(trainer.average, held.pictures[:HELD_OUT], seed=0)
    except NonFiniteError as error:
        return {"bpd": None, "steps": trainer.step, "note": str(error)}
    return {
        "bpd": round(float(bits.mean()), 4), "error": round(float(bits.std(ddof=1) / math.sqrt(len(bits))), 4),
        "steps": trainer.step, "parameters": parameter_count(trainer.flow), "skipped": trainer.skipped,
        "decode_ms": _decode_time(trainer),
    }  # fmt: skip


def _decode_time(trainer: Trainer) -> float:
    """Milliseconds to decode one picture, median of nine."""
    flow, times = trainer.average, []
    z = flow.sample(1, 0.7)
    for _ in range(10):
        began = time.perf_counter()
        accelerate(flow).decode(z)
        times.append(time.perf_counter() - began)
    return round(1000 * float(np.median(times[1:])), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="cifar10", help=f"{', '.join(DATA_SETS)}, or an .npz file")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS), choices=list(VARIANTS), metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("ablation.jsonl"))
    parser.add_argument("--width", type=int, help="of every variant that does not say, in place of 128")
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    done = [json.loads(line) for line in args.out.read_text().splitlines()] if args.out.exists() else []
    if args.table:
        for row in sorted(done, key=lambda row: (row["data"], row["bpd"] or math.inf)):
            print(f"| {row['data']} | {row['variant']} | {row['bpd']} | {row['steps']:,} | {row.get('decode_ms', '')} |")
        return
    torch.set_num_threads(1)
    for name in args.only:
        if any(row["variant"] == name and row["data"] == args.data and row["minutes"] == args.minutes for row in done):
            continue
        row = {"variant": name, "data": args.data, "minutes": args.minutes}
        architecture, options = VARIANTS[name]
        if args.width:
            architecture = {"width": args.width, **architecture}
        row |= train_for(architecture, options, args.data, 60 * args.minutes)
        with args.out.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
