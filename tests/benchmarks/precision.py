"""python -m tests.benchmarks.precision [--batch N] [--rounds N]: is `auto` ever slower than float32?

One training step of the small Glow plus on 32×32 colour pictures, in each precision in turn, by a fresh process for each limit
on what instructions oneDNN may use: without one, and held to older processors. It computes on one thread and counts its own
processor time, so that it can be told on a busy machine, too. Ends with 1 where auto takes over 5 % longer than float32.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

from .measure import ROOT, Figure, interleave

__all__ = ["ALLOWED", "to_table"]

LIMITS = ("AVX2", "AVX512_CORE", "AVX512_CORE_BF16", "")
"""Of ONEDNN_MAX_CPU_ISA: laptops, servers of 2017, those of 2020 with AVX512-BF16, and whatever this processor has."""
ALLOWED = 1.05
"""How many times float32's median auto's may be."""
PRECISIONS = ("auto", "float32", "bfloat16")


def measured(batch: int, rounds: int) -> dict:
    """Milliseconds of a step in each precision, in this process, and what auto is here."""
    import numpy as np

    from flowcore.training import TrainConfig, architecture_for
    from flowcore.training.trainer import Trainer

    pictures = np.random.default_rng(0).integers(0, 256, (batch, 32, 32, 3), np.uint8)
    architecture = architecture_for("glow-plus", "small", (3, 32, 32))
    acts, auto = {}, ""
    for precision in PRECISIONS:
        trainer = Trainer(TrainConfig(architecture, batch=batch, precision=precision))
        trainer.initialise(pictures, None)
        x, _ = trainer.make_batch(pictures, None, 0)
        acts[precision] = lambda trainer=trainer, x=x: trainer.train_step(x, None)
        auto = auto or trainer.config.precision
    figures = interleave(acts, rounds, seconds=600.0, clock=time.process_time)
    return {"auto": auto, "steps": {name: figure.to_dict() for name, figure in figures.items()}}


def to_table(found: dict[str, dict]) -> tuple[str, bool]:
    """The table of what :func:`measured` found under each limit, and whether auto held everywhere."""
    lines, held = [f"{'oneDNN may use':<18}{'auto is':<10}{'auto':>8}{'float32':>9}{'bfloat16':>10}   auto / float32"], True
    for limit, row in found.items():
        steps = {name: Figure(**figure) for name, figure in row["steps"].items()}
        ratio = steps["auto"].median / steps["float32"].median
        held = held and ratio <= ALLOWED
        times = f"{steps['auto'].median:8.0f}{steps['float32'].median:9.0f}{steps['bfloat16'].median:10.0f}"
        verdict = "" if ratio <= ALLOWED else f"   missed: {ALLOWED:.2f} is allowed"
        lines.append(f"{limit or 'all there is':<18}{row['auto']:<10}{times}   {ratio:.3f}{verdict}")
    return "\n".join([*lines, "Medians of milliseconds of processor time a step, one thread."]), held


def main() -> int:
    """Measure under each limit, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.precision", description=__doc__)
    parser.add_argument("--batch", type=int, default=8, help="pictures a step (default: 8)")
    parser.add_argument("--rounds", type=int, default=15, help="steps in each precision (default: 15)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.here:
        print(json.dumps(measured(args.batch, args.rounds)))
        return 0
    found = {}
    for limit in LIMITS:
        environment = {name: value for name, value in os.environ.items() if not name.endswith("_MAX_CPU_ISA")}
        environment["OMP_NUM_THREADS"] = "1"
        if limit:
            environment["ONEDNN_MAX_CPU_ISA"] = limit
        command = [sys.executable, "-m", __spec__.name, "--here", "--batch", str(args.batch), "--rounds", str(args.rounds)]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        found[limit] = json.loads(done.stdout.splitlines()[-1])
    text, held = to_table(found)
    print(text)
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
