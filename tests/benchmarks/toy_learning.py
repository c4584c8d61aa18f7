"""Learning two moons: wall time to 0.05 nat above the entropy, and the held-out loss after an equal time.

    python -m tests.benchmarks.toy_learning [--libraries NAME …] [--rates RATE …] [--steps 800]

tries every recipe of the grid for every peer and prints the steps that each took: :data:`RECIPES` is its outcome.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from . import peers
from .measure import Figure
from .report import Claim, Section, Table, number
from .toy_speed import DEPTH, WIDTH, checked_peers
from .toy_training import DENSITY, OURS, PeerTrainer, Recipe, draw, excess_nats, our_trainer

if TYPE_CHECKING:
    from flowcore.plane.trainer import ToyTrainer

__all__ = ["RECIPES", "measure"]

GOAL = 0.05
SECONDS = 10.0
LONGEST = 16.0
SLICE = 0.05
SEEDS = (0, 1, 2)
LEARNING_RATES = (1e-3, 2e-3, 4e-3, 8e-3)
GAINS = (1.0, 4.0)

RECIPES = {library: Recipe(4e-3, average=True, gain=4.0) for library in peers.TOY_PEERS}
"""The best of the grid for each peer: fewest steps to the goal, the median of three seeds."""


@dataclass
class _Run:
    """One trainer on its own clock."""

    trainer: PeerTrainer | ToyTrainer
    clock: float = 0.0
    steps: int = 0
    reached: float | None = None
    curve: list[tuple[float, float]] = field(default_factory=list)
    final: tuple[float, float] = (math.nan, math.nan)
    """Excess and standard error at the last check; after the race, those after the equal time."""

    def learn_until(self, clock: float) -> None:
        while self.clock < clock:
            start = time.perf_counter()
            self.trainer.step(2)
            self.clock += time.perf_counter() - start
            self.steps += 2

    def check(self) -> None:
        excess, error = excess_nats(self.trainer)
        self.curve.append((self.clock, excess))
        if self.reached is None and excess <= GOAL:
            self.reached = self.clock
        self.final = excess, error


def _race(run, makers: dict, seed: int) -> dict[str, _Run]:
    """All of them learn in slices, in turns; measuring does not count. Ends when all have had their time and, within
    :data:`LONGEST`, reached the goal."""
    runs = {name: _Run(make(seed)) for name, make in makers.items()}
    seconds, longest = (3.0, 3.0) if run.quick else (SECONDS, LONGEST)
    names = list(runs)
    equal: dict[str, tuple[tuple[float, float], int]] = {}
    for number_of_slice in itertools.count(1):
        clock = number_of_slice * SLICE
        turn = number_of_slice % len(names)
        for name in names[turn:] + names[:turn]:
            each = runs[name]
            if name in equal and each.reached is not None:
                continue
            each.learn_until(clock)
            last = name not in equal and clock >= seconds - 1e-9
            if each.reached is None or last:
                each.check()
            if last:
                equal[name] = each.final, each.steps
        if clock >= longest - 1e-9 or all(name in equal and runs[name].reached is not None for name in names):
            break
    for name, (final, steps) in equal.items():
        runs[name].final, runs[name].steps = final, steps
    return runs


def measure(run) -> Section:
    """Group "learning"."""
    section = Section(
        "learning", "Learning two moons",
        text=[
            f"Each library at its best recipe (learning rate of {', '.join(map(str, LEARNING_RATES))}, a moving average of the"
            " weights or none, the networks' first layer widened at the start as the toy lab does or not; fused Adam with a"
            " warm-up for all). All"
            f" learn in turns, in slices of {SLICE} s of their own clocks, on one thread; after each slice the loss is measured"
            " on the same 10,000 held-out points, and measuring does not count. Medians over the seeds"
            f" {', '.join(map(str, SEEDS))}."
        ],
    )  # fmt: skip
    makers = {}
    for library in checked_peers("affine", section):
        makers[library] = lambda seed, library=library: _peer(library, RECIPES.get(library, Recipe()), seed)
    for name, fast in OURS.items():
        if our_trainer(fast) is None:
            section.failures.append(f"{name}: this flowcore has no such path")
        else:
            makers[name] = lambda seed, fast=fast: our_trainer(fast, seed=seed)
    torch.set_num_threads(1)
    seeds = SEEDS[:1] if run.quick else SEEDS
    results: dict[str, list[_Run]] = {name: [] for name in makers}
    for seed in seeds:
        run.tell(f"seed {seed}")
        for name, each in _race(run, makers, seed).items():
            results[name].append(each)
    torch.set_num_threads(run.threads)
    _tell(section, results, [name for name in makers if name not in OURS], 3.0 if run.quick else SECONDS)
    return section


def _peer(library: str, recipe: Recipe, seed: int) -> PeerTrainer:
    torch.manual_seed(seed)
    model = peers.toy(library, "affine", DEPTH, WIDTH)
    model.prepare(draw(4096, seed, 2, 0))
    return PeerTrainer(model, recipe, seed)


def _tell(section: Section, results: dict[str, list[_Run]], bars: list[str], seconds: float) -> None:
    works = [f"s to {GOAL} nat", f"nat above the entropy after {seconds:g} s", "steps in that time", "recipe"]
    table = Table(f"{DENSITY}, 8 affine couplings", works)
    times: dict[str, Figure] = {}
    losses: dict[str, Figure] = {}
    for name, runs in results.items():
        reached = [each.reached if each.reached is not None else math.inf for each in runs]
        times[name] = Figure.of(reached)
        losses[name] = Figure.of([each.final[0] for each in runs])
        error = max(each.final[1] for each in runs)
        late = sum(math.isinf(value) for value in reached)
        table.put(name, works[0], times[name] if not late else f"not within the time for {late} of {len(runs)} seeds")
        table.put(name, works[1], f"{losses[name].median:.4f} [{losses[name].low:.4f}–{losses[name].high:.4f}] ± {error:.4f}")
        table.put(name, works[2], f"{sorted(each.steps for each in runs)[len(runs) // 2]:,}")
        recipe = RECIPES.get(name)
        table.put(name, works[3], "the toy lab's own" if name in OURS else _recipe_text(recipe or Recipe()))
    section.tables.append(table)
    section.data["curves"] = {
        name: [[[round(clock, 2), round(excess, 4)] for clock, excess in each.curve] for each in runs]
        for name, runs in results.items()
    }
    best = min(bars, key=lambda name: times[name].median, default=None)
    calmest = min(bars, key=lambda name: losses[name].median, default=None)
    for name in OURS:
        target = 1 / 3 if name == "ours, fast" else None
        title = f"toy: wall time to {GOAL} nat of the entropy, {name.removeprefix('ours, ')} path"
        if best is None or calmest is None or name not in times or math.isinf(times[name].median):
            section.claims.append(Claim(title, None, target, True))
            continue
        value = times[name].median / times[best].median if math.isfinite(times[best].median) else 0.0
        section.claims.append(
            Claim(
                title, value, target, True, peer=f"{best}: {number(times[best].median)} s",
                ours=f"{number(times[name].median)} s",
            )  # fmt: skip
        )
        section.claims.append(
            Claim(
                f"toy: held-out loss after {seconds:g} s against the best peer, {name.removeprefix('ours, ')} path",
                losses[name].median - losses[calmest].median, 0.0, True, unit="nat",
                peer=f"{calmest}: {losses[calmest].median:.4f} above the entropy", ours=f"{losses[name].median:.4f}",
            )  # fmt: skip
        )


def _recipe_text(recipe: Recipe) -> str:
    average = "moving average" if recipe.average else "no average"
    return f"lr {recipe.learning_rate:g}, {average}, first layer × {recipe.gain:g}"


def main() -> None:
    """Search the grid. Counts steps, not seconds, so what else the machine does leaves the outcome as it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--libraries", nargs="*", default=list(peers.TOY_PEERS))
    parser.add_argument("--rates", nargs="*", type=float, default=list(LEARNING_RATES))
    parser.add_argument("--gains", nargs="*", type=float, default=list(GAINS))
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--every", type=int, default=25)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for library, rate, gain in itertools.product(args.libraries, args.rates, args.gains):
        found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for seed in SEEDS:
            trainer = _peer(library, Recipe(rate, True, gain), seed)
            reached: dict[bool, float] = {True: math.inf, False: math.inf}
            final: dict[bool, float] = {}
            for step in range(args.every, args.steps + 1, args.every):
                trainer.step(args.every)
                for averaged in (True, False):
                    if math.isinf(reached[averaged]) or step == args.steps:
                        final[averaged] = excess_nats(trainer, averaged)[0]
                        if final[averaged] <= GOAL:
                            reached[averaged] = min(reached[averaged], step)
            for averaged in (True, False):
                found[averaged].append((reached[averaged], final[averaged]))
        for averaged, pairs in found.items():
            row = {
                "library": library, "learning_rate": rate, "gain": gain, "average": averaged,
                "steps": sorted(pair[0] for pair in pairs)[len(pairs) // 2],
                "final": round(sorted(pair[1] for pair in pairs)[len(pairs) // 2], 4),
            }  # fmt: skip
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
