"""Time and memory: interleaved rounds of many implementations, and the peak of one process's resident memory."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Figure", "best_of", "interleave", "in_own_process", "peak_over_baseline", "ratio", "resident", "saved_bytes"]

ROOT = Path(__file__).resolve().parents[2]


K = TypeVar("K")


@dataclass(frozen=True)
class Figure:
    """A measured quantity: the median of ``count`` values, and the lowest and highest of them."""

    median: float
    low: float
    high: float
    count: int = 1

    @classmethod
    def of(cls, values: list[float]) -> Figure:
        return cls(statistics.median(values), min(values), max(values), len(values))

    def to_dict(self) -> dict:
        return {"median": self.median, "low": self.low, "high": self.high, "count": self.count}

    def per_second(self, amount: float) -> Figure:
        """The rate of ``amount`` things done in this many milliseconds."""
        median, low, high = (1000 * amount / ms for ms in (self.median, self.high, self.low))
        return Figure(median, low, high, self.count)


def ratio(ours: Figure, peer: Figure, lower_is_better: bool = True) -> float:
    """How many times better ours is than the peer's, by their medians: 2 is twice as fast, or twice as much a second."""
    return peer.median / ours.median if lower_is_better else ours.median / peer.median


def best_of(figures: Mapping[str, Figure], names: list[str], lower_is_better: bool = True) -> str | None:
    """Which of ``names`` has the best median; None where none was measured."""
    known = [name for name in names if name in figures]
    if not known:
        return None
    pick = min if lower_is_better else max
    return pick(known, key=lambda name: figures[name].median)


def interleave(
    acts: Mapping[K, Callable[[], object]], rounds: int = 9, seconds: float = 60.0, warm_up: int = 2,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[K, Figure]:
    """Milliseconds of each act by ``clock``. Every round takes each act once, the order turning by one from round to round.

    So what else the machine does falls on all alike. Ends after ``rounds`` rounds, or after the third that is past ``seconds``.
    """
    names = list(acts)
    taken: dict[K, list[float]] = {name: [] for name in names}
    began = time.perf_counter()
    for _ in range(warm_up):
        for name in names:
            acts[name]()
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            turn = number % max(1, len(names))
            for name in names[turn:] + names[:turn]:
                start = clock()
                acts[name]()
                taken[name].append(1000 * (clock() - start))
            gc.collect(0)
            if number >= 2 and time.perf_counter() - began > seconds:
                break
    finally:
        gc.enable()
    return {name: Figure.of(values) for name, values in taken.items()}


# -- memory -------------------------------------------------------------------------------------------------------------


def resident(field: str = "VmRSS") -> int:
    """Bytes of this process that are in memory now (VmRSS), or the most since the last reset (VmHWM). Linux only."""
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(field + ":"):
                return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no {field}")


def _give_back_what_is_free() -> None:
    gc.collect()
    # With another C library freed pages may stay resident, and the baseline is then higher for all alike.
    with contextlib.suppress(OSError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def peak_over_baseline(act: Callable[[], object]) -> int:
    """Bytes by which resident memory rises above where it stands, at most, while ``act`` runs.

    Best in a process of its own, started with :func:`in_own_process`: there every large block goes back to the system when
    it is freed, so that pages left over from earlier work do not hide what ``act`` takes.
    """
    _give_back_what_is_free()
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    baseline = resident()
    act()
    return max(0, resident("VmHWM") - baseline)


def saved_bytes(act: Callable[[], object], besides: Iterable[Tensor] = ()) -> int:
    """Bytes that autograd keeps for the backward pass while ``act`` runs, each storage once, those of ``besides`` left out."""
    import torch

    known = {tensor.untyped_storage().data_ptr() for tensor in besides}
    found: dict[int, int] = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = act()
    del kept
    return sum(found.values())


def in_own_process(module: str, *arguments: object, threads: int = 2, timeout: float = 300.0) -> dict:
    """Run ``python -m module`` with the arguments as JSON; returns the object that it prints last.

    glibc hands every block of 128 KiB and more back to the system when it is freed, so that resident memory is memory in use.

    Raises:
        RuntimeError: with the end of what it printed, if it failed.
    """
    environment = {
        **os.environ, "OMP_NUM_THREADS": str(threads), "MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072",
    }  # fmt: skip
    command = [sys.executable, "-W", "ignore", "-m", module, *[json.dumps(argument) for argument in arguments]]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise RuntimeError(said[-1] if said else f"it ended with code {done.returncode}")
    return json.loads(done.stdout.strip().splitlines()[-1])
