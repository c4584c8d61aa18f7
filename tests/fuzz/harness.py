"""What must hold of every reader: a file is read, or refused in a sentence, soon, in bounded memory, and nothing is written.

A reader is a :class:`Target` of ``targets/``. The inputs come from a seed that is another one every day and is in the message of
whatever fails; ``FLOW_EXPLORER_FUZZ_SEED`` sets it.
"""

from __future__ import annotations

import datetime
import os
import random
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flowcore.errors import FlowError

from .mutate import mutated

try:
    import resource
except ImportError:  # Windows, where neither limit can be set: the answers are still looked at
    resource = None

__all__ = ["SECONDS", "Target", "answer", "fuzz", "inputs", "quick_folder", "seed_of_the_day"]

SECONDS = 5
MEMORY = 2 * 2**30
LARGEST = 2 * 2**20
LONGEST = 6000
"""Characters of a sentence before ``one_line`` shortens it to 300: one that quotes a whole file is longer."""


@dataclass(frozen=True)
class Target:
    """A reader: files that it reads, and how it is asked."""

    name: str
    suffix: str
    seeds: Callable[[], Sequence[bytes]]
    read: Callable[[Path], Any]
    mutate: Callable[..., bytes] = mutated
    refuses: tuple[type[Exception], ...] = field(default=(FlowError,))
    bears_all: bool = False
    """Of a reader that passes over what it cannot read."""


class TooSlow(BaseException):
    """A reader took longer than it may. No Exception, so that nothing on the way takes it for an answer."""


def seed_of_the_day() -> int:
    """Another one every day, the same for all tests of a day."""
    chosen = os.environ.get("FLOW_EXPLORER_FUZZ_SEED")
    return int(chosen) if chosen else int(datetime.date.today().strftime("%Y%m%d"))


@contextmanager
def quick_folder() -> Iterator[Path]:
    """An empty folder, in memory where there is such a place: 200 files for each of 50 readers are written there."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() and os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@contextmanager
def limits() -> Iterator[None]:
    """At most SECONDS, and MEMORY more than is taken now."""
    in_main = threading.current_thread() is threading.main_thread()
    if resource is None or not in_main or not Path("/proc/self/statm").exists():
        yield
        return
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)

    def ring(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY if hard == -1 else min(hard, taken + MEMORY), hard))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def answer(target: Target, data: bytes, folder: Path) -> str:
    """"" where the reader bears the file, else its sentence. Raises AssertionError for anything else."""
    path = folder / f"input{target.suffix}"
    path.write_bytes(data)
    said = ""
    try:
        with warnings.catch_warnings(), limits():
            warnings.simplefilter("ignore")
            target.read(path)
    except target.refuses as error:
        said = str(error)
        assert said.strip() and len(said) <= LONGEST, f"no sentence: {said[:2000]!r}"
    except TooSlow:
        raise AssertionError(f"not answered within {SECONDS} s") from None
    left = [other.name for other in folder.iterdir() if other != path]
    assert not left, f"written: {left}"
    return said


def inputs(target: Target, count: int, seed: int) -> Iterator[bytes]:
    """The files as they are, then so many that are nearly right. Number i depends on seed and i alone."""
    seeds = list(target.seeds())
    assert seeds, f"{target.name} has no file to begin with"
    yield from seeds
    for index in range(count):
        rng = random.Random(f"{target.name} {seed} {index}")
        yield target.mutate(rng, rng.choice(seeds), seeds)[:LARGEST]


def fuzz(target: Target, count: int, folder: Path, seed: int | None = None, keep: Path | None = None) -> tuple[int, float]:
    """Give the reader ``count`` files; how many it refused, and how long the slowest took. The files as they are must be read.

    Raises:
        AssertionError: with what the reader did and the seed; the file is kept as ``keep``.
    """
    seed = seed_of_the_day() if seed is None else seed
    whole, refused, slowest = len(list(target.seeds())), 0, 0.0
    for index, data in enumerate(inputs(target, count, seed)):
        start = time.monotonic()
        try:
            said = answer(target, data, folder)
            assert index >= whole or not said, f"a good file is refused: {said}"
        except BaseException as error:
            where = (keep or folder.parent) / f"{target.name}-{seed}-{index}{target.suffix}"
            where.write_bytes(data)
            which = f"{target.name}, input {index} of FLOW_EXPLORER_FUZZ_SEED={seed}, kept as {where}"
            raise AssertionError(f"{which}: {type(error).__name__}: {error!s:.500}") from error
        refused += bool(said)
        slowest = max(slowest, time.monotonic() - start)
    return refused, slowest
