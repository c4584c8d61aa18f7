"""`flow-explorer train --estimate`: what a run would cost, by taking a few of its steps and throwing them away."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_explorer.terminal.output import print_json, print_table

if TYPE_CHECKING:
    from flowcore.training import TrainConfig

__all__ = ["estimate", "measure"]

STEPS, SECONDS = 3, 0.5
"""At least so many steps and so long are measured, after one step that is not: it initialises, and fills the caches."""
PATIENCE = 20.0
"""Seconds after which fewer steps must do."""


class _Enough(Exception):
    """The steps that were wanted have been taken."""


def estimate(args: argparse.Namespace, config: TrainConfig, training: Any, validation: Any) -> int:
    """Print parameters, memory and time of the run that ``config`` describes, on the device that was asked for."""
    from flow_explorer.cli.device import choose_device, run_on

    device = choose_device(args.device)
    row = run_on(device, lambda where: measure(config, training, where))
    row["held_out"] = 0 if validation is None else len(validation)
    if args.json:
        print_json(row)
    else:
        memory = "unknown" if row["memory_bytes"] is None else f"{row['memory_bytes'] / 2**20:,.0f} MiB"
        print_table(
            ("figure", "value"),
            [
                ("pictures", f"{row['pictures']:,}"), ("held out", f"{row['held_out']:,}"),
                ("parameters", f"{row['parameters']:,}"), ("memory", memory),
                ("a step", f"{row['seconds_per_step']:.3f} s"), ("an epoch", f"{row['seconds_per_epoch']:,.1f} s"),
                (f"{row['steps']:,} steps", f"{row['seconds_total']:,.0f} s"),
            ],
        )  # fmt: skip
    return 0


def measure(config: TrainConfig, training: Any, device: str) -> dict[str, Any]:
    """The figures of :func:`estimate` as JSON values: real steps of the real loop, in a folder that is removed."""
    import torch

    from flowcore.model.checkpoint import parameter_count
    from flowcore.model.systems import build
    from flowcore.training import train

    parameters = parameter_count(build(config.architecture))
    short = replace(config, log_every=1, checkpoint_every=10**9, evaluate_every=10**9, keep_every=0)
    times: list[float] = []
    started = time.perf_counter()

    def on_progress(_update: Any) -> None:
        times.append(time.perf_counter())
        enough = len(times) > STEPS and times[-1] - times[0] > SECONDS
        late = len(times) > 1 and times[-1] - started > PATIENCE
        if enough or late:
            raise _Enough

    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    with tempfile.TemporaryDirectory() as folder, suppress(_Enough):
        train(short, training, Path(folder) / "run", device=device, on_progress=on_progress)
    # The first of the times is when the step that is not measured was done; a run of a single step has no other.
    first = times[0] if len(times) > 1 else started
    seconds = (times[-1] - first) / max(1, len(times) - 1)
    steps_per_epoch = len(training) / config.batch
    return {
        "pictures": len(training),
        "shape": list(training.shape),
        "classes": len(training.classes),
        "parameters": parameters,
        "device": device,
        "memory_bytes": _peak(device),
        "batch": config.batch,
        "seconds_per_step": seconds,
        "steps_per_epoch": steps_per_epoch,
        "seconds_per_epoch": seconds * steps_per_epoch,
        "steps": config.steps,
        "seconds_total": seconds * config.steps,
    }


def _peak(device: str) -> int | None:
    """The most memory held so far: the device's, or on the CPU this whole process's, its pictures included."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    try:
        # Of this program alone; what getrusage tells includes the one that started it.
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    if os.name != "posix":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
