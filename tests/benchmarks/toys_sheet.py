"""Draw docs/toys.webp: the ten densities, and what a flow has made of each after a minute of one core.

    python -m tests.benchmarks.toys_sheet [--seconds 60] [--flow realnvp] [--out docs/toys.webp]

The minute is counted in processor time, so that what else the machine does leaves the sheet as it is. Prints, as JSON, each
density's loss above its entropy.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from flowcore.pictures.animation import animation_bytes
from flowcore.plane import densities
from flowcore.plane.picture import sheet
from flowcore.plane.trainer import ToyConfig, ToyTrainer

from .toy_budget import train


def learn(config: ToyConfig, seconds: float) -> bytes:
    """The snapshot after so many seconds of processor time."""
    trainer = train(config, seconds).trainer
    loss = trainer.held_out()
    row = {
        "density": config.density, "flow": config.flow, "steps": trainer.step_count, "nll": round(loss.nll, 4),
        "standard_error": round(loss.standard_error, 4), "entropy": round(densities.get(config.density).entropy, 4),
    }  # fmt: skip
    print(json.dumps(row), flush=True)
    return trainer.snapshot()


def main() -> None:
    """Train them, two at a time, and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--flow", default="realnvp")
    parser.add_argument("--depth", type=int, default=ToyConfig.depth)
    parser.add_argument("--width", type=int, default=ToyConfig.width)
    parser.add_argument("--jobs", type=int, default=2, help="densities at a time")
    parser.add_argument("--names", nargs="*", default=list(densities.NAMES))
    parser.add_argument("--out", type=Path, default=Path("docs/toys.webp"))
    args = parser.parse_args()
    configs = [ToyConfig(name, args.flow, depth=args.depth, width=args.width) for name in args.names]
    with ProcessPoolExecutor(args.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        snapshots = list(pool.map(learn, configs, [args.seconds] * len(configs)))
    trainers = [ToyTrainer.from_snapshot(snapshot) for snapshot in snapshots]
    args.out.write_bytes(animation_bytes(args.out.suffix, [sheet(trainers)]))


if __name__ == "__main__":
    main()
