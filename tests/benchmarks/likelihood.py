"""Held-out likelihood after an equal time of training on real pictures: no speed is won by a model that learns less.

    python -m tests.benchmarks.likelihood [--libraries NAME …] [--rates RATE …] [--steps 120]

tries the learning rates of the grid for an equal number of steps: :data:`LEARNING_RATES` is its outcome.
"""

from __future__ import annotations

import argparse
import json
import math
import time

import numpy as np
import torch
from torch import Tensor

from . import peers
from .glow_speed import CLIP_NORM, OURS, checked_peers
from .peers import Model
from .peers.flowcore_flows import fast_at_hand, faster
from .pictures import cells, data_folder
from .report import Claim, Section, Table, number

__all__ = ["measure", "pictures_of"]

BATCH = 16
SECONDS = 25.0
SLICE = 2.5
WARM_UP = 50
HELD_OUT = 500
GRID = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
LEARNING_RATES = {"normflows": 8e-3, "nflows": 1.6e-2, "FrEIA": 8e-3, "ours": 8e-3}
"""The best of :data:`GRID` for each, after 120 steps."""


def pictures_of(split: str, count: int) -> np.ndarray | None:
    """CIFAR-10 pictures (count, 32, 32, 3) uint8 from the folder of data sets; None where it is not at hand."""
    path = data_folder() / "cifar10" / {"train": "train_0.webp", "test": "test.webp"}[split]
    return cells(path)[:count] if path.is_file() else None


class _Learner:
    """One implementation in training, on its own clock; every one sees the same pictures and noise in the same order."""

    def __init__(self, model: Model, train: np.ndarray, learning_rate: float, seconds: float, autocast: bool = False) -> None:
        self.model, self.train, self.rate, self.seconds, self.autocast = model, train, learning_rate, seconds, autocast
        self.clock, self.steps = 0.0, 0
        self.optimiser = torch.optim.Adam(model.parameters, lr=learning_rate, betas=(0.9, 0.99), fused=True)
        model.prepare(self.batch(0, 64))

    def batch(self, step: int, size: int = BATCH) -> Tensor:
        rng = np.random.default_rng([1, step])
        block = torch.from_numpy(self.train[rng.integers(len(self.train), size=size)]).permute(0, 3, 1, 2).float()
        noise = torch.from_numpy(rng.random(block.shape, dtype=np.float32))
        return (block + noise).contiguous(memory_format=torch.channels_last)

    def step(self, done: float) -> None:
        """One step; ``done`` is the share of the time that is spent, and the learning rate falls to nothing with it."""
        self.steps += 1
        x = self.batch(self.steps)
        self.model.module.train()
        self.optimiser.param_groups[0]["lr"] = self.rate * min(1.0, self.steps / WARM_UP) * max(0.02, 1.0 - done)
        self.optimiser.zero_grad(set_to_none=True)
        with self.model.around():
            with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
                loss = -self.model.log_prob(x).mean() / (x[0].numel() * math.log(2))
            loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters, CLIP_NORM)
        self.optimiser.step()

    def learn_until(self, clock: float) -> None:
        while self.clock < clock:
            start = time.perf_counter()
            self.step(self.clock / self.seconds)
            self.clock += time.perf_counter() - start

    @torch.no_grad()
    def bits(self, held: np.ndarray) -> np.ndarray:
        """Bits per dimension of each held-out picture, dequantised, in float32: (N,)."""
        self.model.module.eval()
        x = torch.from_numpy(held).permute(0, 3, 1, 2).float()
        x = x + torch.rand(x.shape, generator=torch.Generator().manual_seed(5))
        found = torch.cat([self.model.log_prob(part).double() for part in x.split(50)])
        return (-found / (x[0].numel() * math.log(2))).numpy()


def _peer(library: str) -> Model:
    torch.manual_seed(0)
    model = peers.glow(library)
    if library != "flowcore":
        peers.base.to_channels_last(model.module)
    return model


def _learners(section: Section, train: np.ndarray, seconds: float) -> dict[str, _Learner]:
    learners = {}
    for library in checked_peers(section):
        for name, autocast in ((library, False), (f"{library}, bf16 autocast", True)):
            learners[name] = _Learner(_peer(library), train, LEARNING_RATES[library], seconds, autocast)
    section.tables.clear()  # the parameters are told in the first group
    for name, kind in OURS.items():
        if (kind is not None and not fast_at_hand()) or name == "ours, invertible fp32":
            continue
        model = _peer("flowcore") if kind is None else faster(_peer("flowcore"), *kind)
        learners[name] = _Learner(model, train, LEARNING_RATES["ours"], seconds)
    return learners


def measure(run) -> Section:
    """Group "likelihood"."""
    seconds = 5.0 if run.quick else SECONDS
    section = Section("likelihood", f"Held-out likelihood after {seconds:g} s of training on CIFAR-10")
    train, held = pictures_of("train", 10_000), pictures_of("test", 50 if run.quick else HELD_OUT)
    if train is None or held is None:
        section.text.append("Not measured: the data set cifar10 is not in the folder of data sets (set FLOW_EXPLORER_DATA).")
        section.claims.append(Claim("held-out likelihood after an equal time", None, note="not measured: data not at hand"))
        return section
    section.text.append(
        f"The Glow above, {BATCH} pictures a step, {run.threads} threads. All learn in turns, in slices of {SLICE:g} s of their"
        f" own clocks, from the same pictures in the same order; fused Adam, {WARM_UP} steps of warm-up, then the learning rate"
        " falls with the time that is left. Each has the best learning rate of"
        f" {', '.join(f'{rate:g}' for rate in GRID)}. Bits per"
        f" dimension of {len(held)} test pictures, dequantised with the same noise, in fp32, ± standard error; the difference to"
        " the best fp32 peer is paired, picture by picture."
    )
    torch.set_num_threads(run.threads)
    learners = _learners(section, train, seconds)
    names, slices = list(learners), max(1, round(seconds / SLICE))
    for number_of_slice in range(slices):
        run.tell(f"slice {number_of_slice + 1} of {slices}")
        turn = number_of_slice % len(names)
        for name in names[turn:] + names[:turn]:
            learners[name].learn_until(seconds * (number_of_slice + 1) / slices)
    bits = {}
    for name, learner in learners.items():
        found = learner.bits(held)
        if np.isfinite(found).all():
            bits[name] = found
        else:
            section.failures.append(f"{name}: its held-out likelihood is not finite")
    _tell(section, learners, bits)
    return section


def _paired(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    difference = a - b
    return float(difference.mean()), float(difference.std(ddof=1) / math.sqrt(len(difference)))


def _tell(section: Section, learners: dict[str, _Learner], bits: dict[str, np.ndarray]) -> None:
    table = Table("Bits per dimension, lower is better", ["held-out bpd", "against the best fp32 peer", "steps", "learning rate"])
    bars = [name for name in bits if name in peers.GLOW_PEERS]
    best = min(bars, key=lambda name: bits[name].mean(), default=None)
    for name, values in bits.items():
        error = values.std(ddof=1) / math.sqrt(len(values))
        table.put(name, table.works[0], f"{values.mean():.3f} ± {error:.3f}")
        if best is not None:
            difference, spread = _paired(values, bits[best])
            table.put(name, table.works[1], f"{difference:+.3f} ± {spread:.3f}")
        table.put(name, table.works[2], f"{learners[name].steps:,}")
        table.put(name, table.works[3], f"{learners[name].rate:g}")
    section.tables.append(table)
    pairs = [
        (name, other, words)
        for other, words in ((best, "the best peer"), ("ours, plain fp32", "our plain path"))
        for name in ("ours, fast bf16", "ours, fast fp32")
        if name in bits and other in bits
    ]
    for name, other, words in pairs:
        difference, spread = _paired(bits[name], bits[other])
        section.claims.append(
            Claim(
                f"Glow: held-out bpd after an equal time, {name.removeprefix('ours, ')} minus {words}", difference, 0.0, True,
                unit="bpd", peer=f"{other}: {bits[other].mean():.3f}" if words == "the best peer" else "",
                ours=f"{bits[name].mean():.3f}", note=f"± {number(spread)}, paired",
            )  # fmt: skip
        )


def main() -> None:
    """Search the grid: an equal number of steps, so what else the machine does leaves the outcome as it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--libraries", nargs="*", default=["flowcore", *peers.GLOW_PEERS])
    parser.add_argument("--rates", nargs="*", type=float, default=list(GRID))
    parser.add_argument("--steps", type=int, default=120)
    args = parser.parse_args()
    train, held = pictures_of("train", 10_000), pictures_of("test", 200)
    if train is None or held is None:
        parser.error("the data set cifar10 is not at hand")
    for library in args.libraries:
        for rate in args.rates:
            learner = _Learner(_peer(library), train, rate, 1.0)
            for step in range(args.steps):
                learner.step(step / args.steps)
            print(json.dumps({"library": library, "rate": rate, "bpd": round(float(learner.bits(held).mean()), 4)}), flush=True)


if __name__ == "__main__":
    main()
