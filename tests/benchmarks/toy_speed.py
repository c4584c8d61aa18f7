"""Flows of points: training steps a second, and the density of a picture's worth of points."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from . import peers
from .checks import check, same_function
from .measure import Figure, best_of, interleave, ratio
from .peers.flowcore_flows import flow_of
from .report import Claim, Section, Table, number
from .toy_training import BATCH, DENSITY, OURS, PeerTrainer, Recipe, draw, our_trainer

__all__ = ["checked_peers", "measure"]

DEPTH, WIDTH = 8, 64
STEPS = 20
"""Taken together and timed as one, since one alone is a few milliseconds."""
SIDE = 256
PIECES = (SIDE * SIDE, 4096)
COUPLINGS = {"affine": ("realnvp", peers.TOY_PEERS), "spline": ("spline", peers.SPLINE_PEERS)}


def checked_peers(coupling: str, section: Section, table: Table | None = None) -> list[str]:
    """The libraries whose flow of points passes every check."""
    passed = []
    x = draw(64, 7)
    wanted = peers.toy("flowcore", coupling, DEPTH, WIDTH).network_parameter_count
    for library in ("flowcore", *COUPLINGS[coupling][1]):
        name = "ours" if library == "flowcore" else library
        try:
            torch.manual_seed(0)
            model, small = peers.toy(library, coupling, DEPTH, WIDTH), peers.toy(library, coupling, 4, 8)
            for each in (model, small):
                each.prepare(x)
            model.disturb()
            small.disturb(scale=0.3)
            wrong = check(model, small, x, x[:3], wanted)
        except ImportError as error:
            section.failures.append(f"{name}, {coupling}: not installed ({error}); `pip install -e .[bench]`")
            continue
        section.failures += [f"{name}, {coupling}: {words}" for words in wrong]
        if table is not None:
            extra = f" ({model.note})" if model.note else ""
            table.put(name, f"parameters, {coupling}", f"{model.parameter_count:,}{extra}")
        if not wrong and library != "flowcore":
            passed.append(library)
    return passed


def grid() -> Tensor:
    """Centres of 256 × 256 cells, (65536, 2)."""
    side = (torch.arange(SIDE) + 0.5) / SIDE * 8 - 4
    return torch.cartesian_prod(side, side)


def _in_pieces(log_prob: Callable[[Tensor], Tensor], points: Tensor, size: int) -> Callable[[], object]:
    def run() -> None:
        with torch.inference_mode():
            for piece in points.split(size):
                log_prob(piece)

    return run


def _fast_density(trainer, section: Section, coupling: str) -> Callable[[Tensor], Tensor] | None:
    """The fast path's log-density of the averaged weights, once it agrees with the plain one in value and gradient."""
    try:
        from flowcore.fast.points.flow import PointsFlow
    except ImportError:
        return None
    flow = trainer.average
    fast = trainer.shown
    x = draw(BATCH, 8)
    value = same_function(lambda: fast.log_prob(x), lambda: flow.log_prob(x))
    plain = peers.toy("flowcore", coupling, DEPTH, WIDTH)
    plain.module.load_state_dict(flow.state_dict())
    learner = PointsFlow(flow_of(plain))
    learner.loss_and_gradients(x)
    found = learner.flat.gradient.clone()
    learner.flat.clear_gradient()
    (-plain.log_prob(x).mean()).backward()
    gradient = float((found - learner.flat.gradient).norm() / learner.flat.gradient.norm())
    if value > 1e-5 or gradient > 1e-4:
        section.failures.append(f"ours, fast, {coupling}: off from the plain path by {value:.1e}, its gradient by {gradient:.1e}")
        return None
    return fast.log_prob


def measure(run) -> Section:
    """Group "toy"."""
    section = Section(
        "toy", "Flows of points: 8 couplings, MLPs of 2 × 64, batch 512",
        text=[
            f"A step draws {BATCH} fresh points of {DENSITY}, then zero_grad, log-likelihood, backward, a clip of the gradient"
            " and fused Adam; ours also keeps the moving average of the weights. Each with one thread and with two; the better"
            " is the bar. The density is that of all cells of a 256 × 256 heat map, in one call and in pieces of 4,096 points:"
            " the better of the two is each library's. FrEIA's release has no splines."
        ],
    )  # fmt: skip
    counts = Table("Parameters", [f"parameters, {coupling}" for coupling in COUPLINGS])
    section.tables.append(counts)
    rounds = 3 if run.quick else 7
    for coupling, (flow, _) in COUPLINGS.items():
        libraries = checked_peers(coupling, section, counts)
        acts: dict[str, Callable[[], object]] = {}
        densities: dict[str, Callable[[Tensor], Tensor]] = {}
        for library in libraries:
            torch.manual_seed(0)
            trainer = PeerTrainer(peers.toy(library, coupling, DEPTH, WIDTH), Recipe(1e-3))
            trainer.step(5)
            acts[library] = lambda t=trainer: t.step(STEPS)
            densities[library] = trainer.model.log_prob
        for name, fast in OURS.items():
            trainer = our_trainer(fast, flow)
            if trainer is None:
                section.failures.append(f"{name}: this flowcore has no such path")
                continue
            trainer.step(5)
            acts[name] = lambda t=trainer: t.step(STEPS)
            density = _fast_density(trainer, section, coupling) if fast else trainer.average.log_prob
            if density is not None:
                densities[name] = density
        _steps(run, section, coupling, libraries, acts, rounds)
        _densities(run, section, coupling, libraries, densities, rounds)
    torch.set_num_threads(run.threads)
    return section


def _steps(run, section: Section, coupling: str, libraries: list[str], acts: dict, rounds: int) -> None:
    table = Table(f"Training steps a second, {coupling} couplings", ["1 thread", "2 threads"])
    best: dict[str, Figure] = {}
    for threads, work in zip((1, 2), table.works, strict=True):
        torch.set_num_threads(threads)
        run.tell(f"{coupling} steps, {work}")
        for name, taken in interleave(acts, rounds, 20.0, warm_up=1).items():
            rate = taken.per_second(STEPS)
            table.put(name, work, rate)
            if name not in best or rate.median > best[name].median:
                best[name] = rate
    section.tables.append(table)
    section.claims.append(_claim(f"toy: training steps a second, {coupling}", best, libraries, "ours, fast", 2.5, "steps/s"))
    section.claims.append(
        _claim(f"toy: training steps a second, {coupling}, plain path", best, libraries, "ours, plain", None, "steps/s")
    )


def _densities(run, section: Section, coupling: str, libraries: list[str], log_probs: dict, rounds: int) -> None:
    torch.set_num_threads(run.threads)
    run.tell(f"{coupling} densities")
    points = grid()
    works = ["one call", "pieces of 4,096"]
    table = Table(f"Log-densities, {coupling} couplings, million points a second", works)
    acts: dict[tuple[str, str], Callable[[], object]] = {
        (name, work): _in_pieces(log_prob, points, size)
        for name, log_prob in log_probs.items()
        for work, size in zip(works, PIECES, strict=True)
    }
    best: dict[str, Figure] = {}
    single: dict[str, Figure] = {}
    for (name, work), taken in interleave(acts, rounds, 25.0, warm_up=1).items():
        rate = taken.per_second(SIDE * SIDE / 1e6)
        table.put(name, work, rate)
        if work == "one call":
            single[name] = rate
        if name not in best or rate.median > best[name].median:
            best[name] = rate
    section.tables.append(table)
    unit = "M points/s"
    title = f"toy: density on 256 × 256, {coupling}"
    section.claims.append(_claim(f"{title}, each in one call", single, libraries, "ours, fast", 2.0, unit))
    section.claims.append(_claim(f"{title}, each in the better pieces", best, libraries, "ours, fast", 2.0, unit))


def _claim(title: str, figures: dict[str, Figure], bars: list[str], ours: str, target: float | None, unit: str) -> Claim:
    best = best_of(figures, bars, lower_is_better=False)
    if best is None or ours not in figures:
        return Claim(title, None, target, note="not measured: see the checks")
    return Claim(
        title, ratio(figures[ours], figures[best], lower_is_better=False), target,
        peer=f"{best}: {number(figures[best].median)} {unit}", ours=f"{number(figures[ours].median)} {unit}",
    )  # fmt: skip
