"""`make toys`: every density by every flow, the held-out loss held against the true entropy.

    python -m tests.benchmarks.toys_table [--seconds 60] [--cells two-moons/spline …] [--flows realnvp …] [--out docs/toys.json]

A cell is a training of so many seconds of one thread, counted in processor time, so that what else the machine does takes
nothing away from it. Results go to docs/toys.json as they come, and to docs/toys.md; a cell that is there with the same recipe
and the same time is passed over, so an interrupted table goes on where it was. Ends with 1 where a cell is not finite, or where
a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import torch

from flowcore.atomic import replacing
from flowcore.errors import NonFiniteError
from flowcore.model.card import SYSTEM_NAMES
from flowcore.plane import densities
from flowcore.plane.config import FLOWS, ToyConfig

from .machine import about as machine
from .measure import ROOT
from .toy_budget import train

__all__ = ["GOALS", "RECIPES", "NEAR", "Cell", "config_of", "least_for_nice", "main", "measure", "reached", "to_markdown"]

NEAR = 0.05
"""Nats above the entropy that count as learned."""
GOALS = {"realnvp": 3, "glow": 3, "spline": 8}
"""Of the ten densities, how many a flow has to learn: affine couplings three, spline couplings eight."""

RECIPES: dict[str, dict] = {
    "nice": {"depth": 16, "width": 32, "learning_rate": 4e-3, "batch": 512},
    "realnvp": {"depth": 8, "width": 64, "learning_rate": 4e-3, "batch": 512},
    "glow": {"depth": 12, "width": 32, "learning_rate": 4e-3, "batch": 512},
    "spline": {"depth": 8, "width": 64, "learning_rate": 4e-3, "batch": 512, "bins": 16},
    "continuous": {"depth": 8, "width": 64, "learning_rate": 1e-2, "batch": 512},
}
"""How each flow is trained, on every density alike; a flow that is not named takes the toy lab's own settings.

Chosen by trials of five seconds on two moons and the Swiss roll (NICE, Glow) or the pinwheel (RealNVP): depth 8 or 12 of
width 64, depth 12 or 16 of width 32, each with a learning rate of 0.004 or 0.008. The continuous flow's learning rate by trials
of twenty seconds on the pinwheel, the grid and the rings: 0.004, 0.008, 0.01, 0.012 or 0.015."""
_ORDER = ("spline", "realnvp", "glow", "nice")
"""Those with a goal first: a table that is cut short is then of more use."""


@dataclass(frozen=True)
class Cell:
    """One density by one flow, after its time."""

    density: str
    flow: str
    seconds: float
    recipe: dict
    nll: float | None
    standard_error: float | None
    entropy: float
    steps: int
    processor: float
    wall: float
    parameters: int
    date: str
    torch: str
    problem: str = ""
    """Why there is no loss, where there is none."""

    @property
    def name(self) -> str:
        """DENSITY/FLOW."""
        return f"{self.density}/{self.flow}"

    @property
    def is_finite(self) -> bool:
        """There is a loss, and it is a number."""
        return self.nll is not None and math.isfinite(self.nll) and math.isfinite(self.standard_error or 0.0)

    @property
    def gap(self) -> float:
        """Nats above the entropy; infinite where there is no loss."""
        return self.nll - self.entropy if self.nll is not None and self.is_finite else math.inf


def config_of(density: str, flow: str, seed: int = 0) -> ToyConfig:
    """The run of a cell."""
    return ToyConfig(density=density, flow=flow, seed=seed, **RECIPES.get(flow, {}))


def measure(density: str, flow: str, seconds: float, seed: int = 0) -> Cell:
    """Train one cell and measure it on 10,000 held-out points."""
    config = config_of(density, flow, seed)
    about = {
        "density": density, "flow": flow, "seconds": seconds, "recipe": _recipe(flow, seed),
        "entropy": densities.get(density).entropy, "date": date.today().isoformat(), "torch": torch.__version__,
    }  # fmt: skip
    try:
        run = train(config, seconds)
    except NonFiniteError as error:
        return Cell(**about, nll=None, standard_error=None, steps=0, processor=0.0, wall=0.0, parameters=0, problem=str(error))
    loss = run.trainer.held_out()
    finite = math.isfinite(loss.nll) and math.isfinite(loss.standard_error)
    return Cell(
        **about, nll=round(loss.nll, 5) if finite else None, standard_error=round(loss.standard_error, 5) if finite else None,
        steps=run.trainer.step_count, processor=round(run.processor, 2), wall=round(run.wall, 2),
        parameters=sum(parameter.numel() for parameter in run.trainer.flow.parameters()),
        problem="" if finite else "the held-out loss is not finite",
    )  # fmt: skip


@cache
def least_for_nice(density: densities.Density, half: float = 6.0, count: int = 240) -> float:
    """The least gap, in nats, of any q(x) = c · π(f(x)) where π is a Gaussian and f scales all areas alike.

    Where q is above a height depends on the height alone: its area is exponentially distributed under q. The best f puts the
    hills where p has them, and with a(x) the area where p is above p(x), the loss is then log A + E[a]/A, least at A = E[a].
    """
    axis = -half + (np.arange(count) + 0.5) * 2 * half / count
    points = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    cell = (2 * half / count) ** 2
    mass = np.sort(np.exp(density.log_prob(points)))[::-1] * cell
    area = (np.arange(len(mass)) + 0.5) * cell
    return max(0.0, 1.0 + math.log((mass * area).sum() / mass.sum()) - density.entropy)


def reached(cells: Sequence[Cell], flow: str) -> int:
    """How many densities a flow has learned."""
    return sum(cell.flow == flow and cell.gap <= NEAR for cell in cells)


def to_markdown(cells: Sequence[Cell], seconds: float, about: dict[str, str], flows: Sequence[str] = FLOWS) -> str:
    """docs/toys.md."""
    found = {(cell.density, cell.flow): cell for cell in cells}
    titles = [_title(flow) for flow in flows]
    lines = [
        "# The ten densities, learned by every flow", "",
        f"Written by `make toys`: do not edit. Every flow has had the same time for every density: {seconds:g} s of one thread,",
        "counted in processor time. The loss is −E[log q] in nats on 10,000 held-out points, ± its standard error; no model's",
        "can be below the density's entropy, and what it is above it is the gap. The learning rate falls to nothing by the end",
        "of the time, the weights that are measured are their moving average, and one recipe serves all ten densities.", "",
        *[f"- {name}: {words}" for name, words in about.items()], "", "## Gap to the entropy", "",
        "| | entropy | " + " | ".join(titles) + " | least for NICE |", "|---|---|" + "---|" * (len(titles) + 1),
    ]  # fmt: skip
    for name in densities.NAMES:
        density, row = densities.get(name), []
        for flow in flows:
            cell = found.get((name, flow))
            if cell is None:
                row.append("not yet")
            elif not cell.is_finite:
                row.append("**not finite**")
            else:
                words = f"{cell.gap:+.3f} ± {cell.standard_error:.3f}"
                row.append(f"**{words}**" if cell.gap <= NEAR else words)
        lines.append(f"| {density.title} | {density.entropy:.3f} | " + " | ".join(row) + f" | {least_for_nice(density):.3f} |")
    lines += [
        "", f"Bold: at most {NEAR:g} nat above the entropy. The last column is the least gap that any map can have that scales",
        "all areas alike, as NICE does: it can only move its Gaussian's hills and valleys about, never change their heights.",
        "", "## Goals", "",
    ]  # fmt: skip
    lines += [_goal(cells, flow) for flow in flows]
    lines += [
        "", "## Recipes", "",
        "Chosen by trials of five seconds on one or two of the densities, the continuous flow's learning rate by trials of",
        "twenty on three; splines have the toy lab's own.", "",
        "| flow | layers | width | bins | learning rate | batch |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for flow, title in zip(flows, titles, strict=True):
        config = config_of(densities.NAMES[0], flow)
        bins = str(config.bins) if flow == "spline" else "–"
        lines.append(f"| {title} | {config.depth} | {config.width} | {bins} | {config.learning_rate:g} | {config.batch:,} |")
    lines += [
        "", "## Every cell", "",
        "| density | flow | held-out loss | entropy | gap | steps | processor | wall | parameters | date |", "|" + "---|" * 10,
    ]  # fmt: skip
    for name in densities.NAMES:
        for flow, title in zip(flows, titles, strict=True):
            cell = found.get((name, flow))
            if cell is None:
                continue
            told = f"{cell.nll:.4f} ± {cell.standard_error:.4f}" if cell.is_finite else cell.problem
            gap = f"{cell.gap:+.4f}" if cell.is_finite else "–"
            lines.append(
                f"| {densities.get(name).title} | {title} | {told} | {cell.entropy:.4f} | {gap} | {cell.steps:,} |"
                f" {cell.processor:.1f} s | {cell.wall:.1f} s | {cell.parameters:,} | {cell.date} |"
            )
    return "\n".join(lines) + "\n"


def _goal(cells: Sequence[Cell], flow: str) -> str:
    mine = [cell for cell in cells if cell.flow == flow]
    count, goal, total = reached(cells, flow), GOALS.get(flow), len(densities.NAMES)
    missing = total - len(mine)
    words = f"- {_title(flow)}: at most {NEAR:g} nat on {count} of {total}"
    if goal is not None:
        open_ = missing and count + missing >= goal
        verdict = "reached" if count >= goal else "not measured to the end" if open_ else "**missed**"
        words += f", where at least {goal} were asked for: {verdict}"
    broken = [cell.density for cell in mine if not cell.is_finite]
    words += f"; not finite: {', '.join(broken)}" if broken else "; all finite" if mine else ""
    return words + (f" ({missing} not measured yet)." if missing else ".")


def _title(flow: str) -> str:
    return SYSTEM_NAMES.get(flow, flow.capitalize())


def _recipe(flow: str, seed: int) -> dict:
    config = config_of(densities.NAMES[0], flow, seed)
    return {name: getattr(config, name) for name in ("depth", "width", "learning_rate", "batch", "bins", "seed")}


def _read(path: Path) -> list[Cell]:
    if not path.exists():
        return []
    return [Cell(**cell) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def _write(path: Path, cells: Sequence[Cell], seconds: float, about: dict[str, str], flows: Sequence[str]) -> None:
    data = {"format": 1, "seconds": seconds, "machine": about, "cells": [vars(cell) for cell in cells]}
    texts = {path: json.dumps(data, indent=1) + "\n", path.with_suffix(".md"): to_markdown(cells, seconds, about, flows)}
    for where, text in texts.items():
        with replacing(where) as temporary:
            temporary.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the table; what it says is in the module's own words above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    order = [flow for flow in (*_ORDER, *FLOWS) if flow in FLOWS]
    order = list(dict.fromkeys(order))
    every = [f"{density}/{flow}" for flow in order for density in densities.NAMES]
    parser.add_argument("--seconds", type=float, default=60.0, help="of one thread a cell (default: 60)")
    parser.add_argument("--cells", nargs="*", default=every, choices=every, metavar="DENSITY/FLOW")
    parser.add_argument("--flows", nargs="*", default=order, choices=order, metavar="FLOW")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "toys.json", help="(and .md beside it)")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    about = machine()["machine"] | {"torch": torch.__version__}
    for name in args.cells:
        density, flow = name.split("/")
        wanted = _recipe(flow, args.seed)
        done = [cell for cell in _read(args.out) if cell.name == name]
        if flow not in args.flows or any(c.is_finite and c.seconds == args.seconds and c.recipe == wanted for c in done):
            continue
        cell = measure(density, flow, args.seconds, args.seed)
        # Others may write cells meanwhile, and those of another time do not stand beside these.
        others = [other for other in _read(args.out) if other.name != name and other.seconds == args.seconds]
        _write(args.out, [*others, cell], args.seconds, about, FLOWS)
        told = f"{cell.nll:.4f} ± {cell.standard_error:.4f}, gap {cell.gap:+.4f}" if cell.is_finite else cell.problem
        print(f"{name}: {told} after {cell.steps:,} steps, {cell.wall:.0f} s on the wall", flush=True)
    cells = [cell for cell in _read(args.out) if cell.seconds == args.seconds]
    if cells:
        _write(args.out, cells, args.seconds, about, FLOWS)
    problems = [f"{cell.name}: {cell.problem}" for cell in cells if not cell.is_finite]
    counted = {flow: sum(cell.flow == flow for cell in cells) for flow in GOALS}
    problems += [
        f"{flow}: {reached(cells, flow)} of {goal} densities reached" for flow, goal in GOALS.items()
        if counted[flow] == len(densities.NAMES) and reached(cells, flow) < goal
    ]  # fmt: skip
    for problem in problems:
        print(problem, flush=True)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
