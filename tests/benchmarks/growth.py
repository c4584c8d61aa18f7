"""How the cost of training grows: time and memory of a step against depth, width, resolution and batch; pictures a second
against processes. Beside each the expected law, and a computed word on where they part."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from .measure import Figure, in_own_process, interleave
from .peers import GlowSize
from .report import Section, Table, number

__all__ = ["PATHS", "SWEEPS", "Sweep", "departure", "measure", "multiply_adds", "parting"]

PATHS = {"stored": "ours, fast fp32", "inverted": "ours, invertible fp32"}
BASE, BASE_BATCH = GlowSize((3, 32, 32), levels=3, steps=4, width=128), 4
NEAR = 1.25
"""Measured and law agree where neither is more than this many times the other."""


@dataclass(frozen=True)
class Sweep:
    """One thing that is varied, and what time and memory should then follow."""

    name: str
    symbol: str
    values: tuple[int, ...]
    size: Callable[[int], tuple[GlowSize, int]]
    time_law: str
    stored_law: str
    inverted_law: str
    memory: Callable[[int], float]
    """Of the stored path, up to a factor."""


def _side(value: int) -> tuple[GlowSize, int]:
    return replace(BASE, shape=(3, value, value)), BASE_BATCH


SWEEPS = (
    Sweep(
        "depth", "K", (2, 4, 8, 16, 32, 64), lambda value: (replace(BASE, steps=value), BASE_BATCH), "∝ K", "∝ K", "constant",
        float,
    ),
    Sweep(
        "width", "w", (32, 64, 128, 256, 512), lambda value: (replace(BASE, width=value), BASE_BATCH),
        "∝ multiply-adds, a·w + b·w²", "∝ w", "∝ w", float,
    ),
    Sweep("resolution", "side", (16, 32, 64, 128), _side, "∝ side²", "∝ side²", "∝ side²", lambda value: float(value) ** 2),
    Sweep("batch", "N", (1, 2, 4, 8, 16, 32, 64, 128), lambda value: (BASE, value), "∝ N", "∝ N", "∝ N", float),
)  # fmt: skip


def multiply_adds(size: GlowSize, batch: int) -> float:
    """Of the couplings' convolutions in one pass: what the time of a step should follow."""
    channels, height, width = size.shape
    total = 0.0
    for _ in range(size.levels):
        channels, height, width = 4 * channels, height // 2, width // 2
        kernel = 9 * (channels // 2) * size.width + size.width**2 + 9 * size.width * channels
        total += size.steps * height * width * kernel
        channels //= 2
    return batch * total


def law(sweep: Sweep, quantity: str, path: str, value: int) -> float:
    """The expected cost up to a factor."""
    if quantity == "time":
        return multiply_adds(*sweep.size(value))
    if path == "inverted" and sweep.inverted_law == "constant":
        return 1.0
    return sweep.memory(value)


def departure(measured: Mapping[int, float], expected: Mapping[int, float]) -> dict[int, float]:
    """Measured over law at each value, the law drawn through the largest value."""
    last = max(measured)
    factor = measured[last] / expected[last]
    return {value: measured[value] / (factor * expected[value]) for value in measured}


def _fixed_part(measured: Mapping[int, float], expected: Mapping[int, float]) -> tuple[float, float]:
    """The a of measured ≈ a + b · law with the least relative error, and the largest relative error that is left."""
    import numpy as np

    values = sorted(measured)
    y = np.array([measured[value] for value in values])
    design = np.stack([np.ones(len(values)), [expected[value] for value in values]], 1) / y[:, None]
    (a, b), *_ = np.linalg.lstsq(design, np.ones(len(values)), rcond=None)
    fitted = a + b * np.array([expected[value] for value in values])
    return float(a), float(np.abs(fitted / y - 1).max())


def parting(symbol: str, unit: str, measured: Mapping[int, float], expected: Mapping[int, float]) -> str:
    """Where measured and law part, in words."""
    ratios = departure(measured, expected)
    apart = {value: times for value, times in ratios.items() if not 1 / NEAR <= times <= NEAR}
    if not apart:
        return f"within {100 * (NEAR - 1):.0f} % of the law throughout"
    worst = max(apart, key=lambda value: max(apart[value], 1 / apart[value]))
    together = [value for value in sorted(ratios) if value not in apart]
    words = f"within {100 * (NEAR - 1):.0f} % of the law for {symbol} = {', '.join(map(str, together))}; at {symbol} = {worst}" \
        f" {number(ratios[worst])} times the law that goes through the largest"  # fmt: skip
    if len(ratios) > 2 and len(set(expected.values())) > 1:
        fixed, left = _fixed_part(measured, expected)
        if fixed > 0 and left < NEAR - 1:
            words += f". A fixed {number(fixed)} {unit} on top of the law accounts for all within {100 * left:.0f} %"
    return words


# -- what runs in processes of its own ------------------------------------------------------------------------------------


def peaks(path: str, sweep_name: str, values: list[int]) -> dict:
    """Peak activation memory in bytes for each value of a sweep."""
    from .glow_memory import one

    sweep = next(each for each in SWEEPS if each.name == sweep_name)
    return {"peaks": [one(PATHS[path], *sweep.size(value))["peak"][0] for value in values]}


def pictures_per_second(path: str, rank: int, processes: int, meeting: str, batch: int, seconds: float) -> dict:
    """Training throughput of one of so many processes that average their gradients after each step."""
    import torch
    import torch.distributed as dist

    from .glow_speed import ours, pictures

    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=processes)
    model = ours(PATHS[path], BASE)
    x = pictures(batch, seed=rank).contiguous(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters, lr=1e-6, fused=True)
    model.module.train()

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with model.around():
            (-model.log_prob(x).mean()).backward()
        if processes > 1:
            gradients = [p.grad for p in model.parameters if p.grad is not None]
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            dist.all_reduce(flat)
            sizes = [gradient.numel() for gradient in gradients]
            for gradient, part in zip(gradients, flat.div_(processes).split(sizes), strict=True):
                gradient.copy_(part.view(gradient.shape))
        optimiser.step()

    for _ in range(3):
        step()
    going, count, start = torch.ones(()), 0, time.perf_counter()
    while going:  # all stop after the same step
        step()
        count += 1
        going = torch.tensor(float(time.perf_counter() - start < seconds))
        dist.all_reduce(going, dist.ReduceOp.MIN)
    return {"rate": count * batch / (time.perf_counter() - start)}


def _throughput(run, section: Section) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    seconds = 2.0 if run.hurried else 5.0
    for path in PATHS:
        for words, processes, threads in (("1 process, 1 thread", 1, 1), ("1 process, 2 threads", 1, 2), ("2 processes", 2, 1)):
            run.tell(f"throughput, {path}, {words}")
            with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(processes) as pool:
                jobs = [
                    pool.submit(
                        in_own_process, __name__, "pictures_per_second", path, rank, processes, f"{folder}/meeting",
                        16 // processes, seconds, threads=threads,
                    )  # fmt: skip
                    for rank in range(processes)
                ]
                try:
                    found.setdefault(path, {})[words] = sum(job.result()["rate"] for job in jobs)
                except (RuntimeError, OSError) as error:
                    section.failures.append(f"throughput, {path}, {words}: {error}")
    return found


# -- the group --------------------------------------------------------------------------------------------------------


def _times(run, sweep: Sweep, values: list[int]) -> dict[str, dict[int, Figure]]:
    import torch

    from .glow_speed import ours, pictures, training_step

    found: dict[str, dict[int, Figure]] = {path: {} for path in PATHS}
    for value in values:
        size, batch = sweep.size(value)
        x = pictures(batch, size.shape).contiguous(memory_format=torch.channels_last)
        acts = {path: training_step(ours(name, size), x) for path, name in PATHS.items()}
        for path, figure in interleave(acts, 3 if run.hurried else 7, 6.0, warm_up=1).items():
            found[path][value] = figure
    return found


def measure(run) -> Section:
    """Group "growth"."""
    import torch

    from .peers.flowcore_flows import fast_at_hand

    torch.set_num_threads(run.threads)
    section = Section(
        "growth", "How cost grows",
        text=[
            "Training steps of our fast path in fp32, activations stored or computed again by invertible backpropagation. Where"
            f" it is not varied, Glow is 3×32×32 with L = 3, K = {BASE.steps}, {BASE.width} channels, batch {BASE_BATCH},"
            f" {run.threads} threads. Dashed: the law, drawn through the largest value. Throughput is that of data-parallel"
            " training, a batch of 16 in all, the gradients averaged after each step (gloo)."
        ],
    )  # fmt: skip
    if not fast_at_hand():
        section.failures.append("this flowcore has no fast path")
        return section
    data: dict = {}
    for sweep in SWEEPS:
        values = list(sweep.values[1::2] if run.quick else sweep.values)
        run.tell(f"time against {sweep.name}")
        times = _times(run, sweep, values)
        run.tell(f"memory against {sweep.name}")
        data[sweep.name] = {"values": values, "time": {}, "memory": {}, "law": {}}
        for path in PATHS:
            data[sweep.name]["time"][path] = [times[path][value].median for value in values]
            try:
                found = in_own_process(__name__, "peaks", path, sweep.name, values)["peaks"]
                data[sweep.name]["memory"][path] = [byte / 1e6 for byte in found]
            except (RuntimeError, OSError) as error:
                section.failures.append(f"memory against {sweep.name}, {path}: {error}")
            for quantity in ("time", "memory"):
                data[sweep.name]["law"][f"{quantity}, {path}"] = [law(sweep, quantity, path, value) for value in values]
        _tell(section, sweep, data[sweep.name])
    data["throughput"] = _throughput(run, section)
    _tell_throughput(section, data["throughput"])
    section.data = data
    try:
        from .growth_plot import draw
    except ImportError:
        section.failures.append("the plots: matplotlib is not installed; `pip install -e .[bench]`")
    else:
        draw(data, run.folder / "cost.png")
        section.text.append("![Time and memory of a training step against depth, width, resolution and batch](cost.png)")
    return section


def _tell(section: Section, sweep: Sweep, data: dict) -> None:
    table = Table(f"Against {sweep.name}", [f"{sweep.symbol} = {value}" for value in data["values"]])
    for quantity, unit in (("time", "ms"), ("memory", "MB")):
        for path, figures in data[quantity].items():
            for value, figure in zip(data["values"], figures, strict=True):
                table.put(f"{quantity}, {path}, {unit}", f"{sweep.symbol} = {value}", number(figure))
            measured = dict(zip(data["values"], figures, strict=True))
            expected = dict(zip(data["values"], data["law"][f"{quantity}, {path}"], strict=True))
            words = sweep.time_law if quantity == "time" else getattr(sweep, f"{path}_law")
            table.notes.append(
                f"- {quantity}, {path}: expected {words}; {parting(sweep.symbol, unit, measured, expected)}."
            )
    section.tables.append(table)


def _tell_throughput(section: Section, rates: dict[str, dict[str, float]]) -> None:
    works = ["1 process, 1 thread", "1 process, 2 threads", "2 processes"]
    table = Table("Pictures a second in training", works)
    for path, found in rates.items():
        for words, rate in found.items():
            table.put(path, words, number(rate))
        if works[0] in found and works[2] in found:
            table.notes.append(
                f"- {path}: expected twice with two processes; measured {number(found[works[2]] / found[works[0]])} times one"
                f" process with one thread, and {number(found.get(works[1], float('nan')) / found[works[0]])} times with two"
                " threads in one process."
            )
    section.tables.append(table)


if __name__ == "__main__":
    act, *arguments = (json.loads(argument) for argument in sys.argv[1:])
    print(json.dumps({"peaks": peaks, "pictures_per_second": pictures_per_second}[act](*arguments)))
