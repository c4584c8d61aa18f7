"""What each of several processes runs in test_processes.py: `process_worker.py FOLDER`, started by :func:`launch`."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import save_file

from flowcore.errors import DataError, ProcessError
from flowcore.training import Processes, TrainConfig, architecture_for, processes, train
from flowcore.training.trainer import Trainer

ROOT = Path(__file__).parents[3]

CASES = {
    "glow": ("glow", "store", 0),
    "glow-invert": ("glow", "invert", 0),
    "glow-classes": ("glow", "store", 3),
    "realnvp": ("realnvp", "store", 0),
    "realnvp-invert": ("realnvp", "invert", 0),
    "nice": ("nice", "store", 0),
}
BATCH = 13  # six and seven: the shares need not be even


def launch(arguments: list, count: int, **options) -> list[subprocess.Popen]:
    """So many processes that find each other as torchrun's would."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = os.pathsep.join([str(ROOT / "app"), str(ROOT)])
    shared = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path, "MASTER_ADDR": "127.0.0.1",
              "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}  # fmt: skip
    return [
        subprocess.Popen(
            [sys.executable, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}, **options,
        )
        for rank in range(count)
    ]  # fmt: skip


def pictures(count: int, size: int = 8, classes: int = 0) -> SimpleNamespace:
    """Smooth pictures with a little noise, always the same."""
    rng = np.random.default_rng(0)
    rows, columns = np.indices((size, size)) / size
    a, b, c = rng.random((3, count, 1, 1, 1))
    smooth = 30 + 160 * (a * rows[None, ..., None] + b * columns[None, ..., None]) / 2 + 40 * c
    labels = np.arange(count) % classes if classes else None
    return SimpleNamespace(pictures=(smooth + rng.random(smooth.shape) * 8).astype(np.uint8), labels=labels)


def config(**changes) -> TrainConfig:
    base = TrainConfig(
        architecture_for("glow", "tiny", (1, 8, 8)), steps=30, batch=BATCH, log_every=5, evaluate_every=10,
        checkpoint_every=10, warm_up=5, flip=True, jitter=True, precision="float32", name="tiny",
    )  # fmt: skip
    return dataclasses.replace(base, **changes)


class ExactTrainer(Trainer):
    """In float64 throughout."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.flow.double()
        self.average.double()

    def make_batch(self, *args):
        x, label = super().make_batch(*args)
        return x.double(), label


def gradients(name: str, together: Processes) -> dict[str, torch.Tensor]:
    """Gradients of the joined batch of step 3, weights moved away from where they start, and its bits per dimension."""
    system, memory, classes = CASES[name]
    data = pictures(40, classes=classes)
    options = {"classes": classes} if classes else {}
    trainer = ExactTrainer(config(architecture=architecture_for(system, "tiny", (1, 8, 8), **options), memory=memory),
                           processes=together)  # fmt: skip
    trainer.initialise(data.pictures, data.labels)
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in trainer.flow.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=rng, dtype=torch.float64))
    bpd = trainer.gradients(*trainer.make_batch(data.pictures, data.labels, 3))
    found = {key: p.grad.clone() for key, p in trainer.flow.named_parameters() if p.grad is not None}
    return {**found, "bpd": bpd}


def run_to(folder: Path, step: int, together: Processes, resume: bool, **changes) -> Trainer:
    """Train in a run folder until after a step."""
    trainers = iter(range(10**6))
    already = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])["step"] if resume else 0
    return train(
        config(**changes), pictures(50), folder, pictures(16), resume=resume, processes=together,
        should_stop=lambda: already + next(trainers) + 1 >= step,
    )  # fmt: skip


def main(folder: Path) -> None:
    together = Processes.join()
    assert together.count == 2 and together.rows(BATCH) == (slice(0, 6), slice(6, 13))[together.rank]
    for name in CASES:
        found = gradients(name, together)
        save_file({key: value.contiguous() for key, value in found.items()}, folder / f"{name}.{together.rank}")

    # A run begun by one process, and two runs of their own: unbroken, and in two parts.
    run_to(folder / "continued", 20, together, resume=True)
    run_to(folder / "whole-of-two", 12, together, resume=False)
    run_to(folder / "parts-of-two", 7, together, resume=False)
    run_to(folder / "parts-of-two", 12, together, resume=True)

    # One of the two is asked to stop: both do, after the same step.
    steps = iter(range(10**6))
    stopped = train(config(), pictures(50), folder / "stopped", processes=together,
                    should_stop=lambda: 15 if next(steps) == 6 and together.rank == 1 else 0)  # fmt: skip
    assert (stopped.step, stopped.stopped) == (7, 15)

    # The writer works longer than any message is waited for.
    usual, impatient = together._control, dist.new_group(backend="gloo", timeout=timedelta(seconds=2))
    assert isinstance(impatient, dist.ProcessGroup)
    together._control = impatient
    processes.BEAT = 0.3
    worked = together.alone(lambda: time.sleep(3.5) or "worked")
    assert worked == ("worked" if together.writer else None)
    together._control = usual

    # Data that differ are noticed, and what fails in the writer ends the others.
    expect(DataError, lambda: train(config(), pictures(50 + together.rank), folder / "unequal", processes=together))
    assert not (folder / "unequal").exists()
    expect(ZeroDivisionError if together.writer else ProcessError, lambda: together.alone(lambda: 1 / 0))
    together.leave()


def expect(kind: type[Exception], job) -> None:
    try:
        job()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
