"""Processes that decode pictures ahead of a training step, each driven by a thread of its own.

They are started as a module and spoken to in JSON and raw bytes: nothing is forked beside torch's threads, and nothing
is pickled. No torch here.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, PictureError
from .reading import Reading
from .worker import read_message, write_message

__all__ = ["Decoded", "DecodingPool", "Item", "shared_pool"]

MAX_TRIES = 2
"""Pictures on which so many processes ended are given up."""

_WORKER = "flowcore.data.worker"


@dataclass(frozen=True)
class Item:
    """One picture to decode: its name, its file or a function that gives the bytes, and a move (4,) where it is cut anew."""

    name: str
    path: str | None = None
    read: Callable[[], bytes] | None = None
    move: Sequence[float] | None = None


@dataclass(frozen=True)
class Decoded:
    """``rows`` uint8 (n, H, W, C), zeros where ``errors`` has a sentence for that position."""

    rows: np.ndarray
    errors: dict[int, str]


@dataclass(order=True)
class _Job:
    urgency: int
    number: int
    items: Sequence[Item]
    reading: Reading
    shape: tuple[int, int, int]
    answer: Future


class DecodingPool:
    """``workers`` processes; :meth:`submit` gives a future. They end with this process, or on :meth:`close`."""

    def __init__(self, workers: int, module: str = _WORKER) -> None:
        self.workers, self._module = workers, module
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self.closed = False
        self._workers = [_Worker(module) for _ in range(workers)]
        self._threads = [
            threading.Thread(target=self._drive, args=(worker,), daemon=True, name="pictures")
            for worker in self._workers
        ]
        for thread in self._threads:
            thread.start()

    def submit(
        self, items: Sequence[Item], reading: Reading, shape: tuple[int, int, int], urgent: bool = False
    ) -> Future:
        """Decode these pictures, before all others where ``urgent``; the future gives a :class:`Decoded`.

        The future raises DataError where the processes end on these pictures.
        """
        answer: Future = Future()
        if self.closed:
            answer.set_exception(DataError("The pictures are closed already: open them again."))
            return answer
        self._jobs.put(_Job(0 if urgent else 1, next(self._numbers), items, reading, shape, answer))
        return answer

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes that run now."""
        return [worker.process.pid for worker in self._workers if worker.process is not None]

    def close(self) -> None:
        """End the processes; what is still asked for is answered with an error."""
        self.closed = True
        for _ in self._threads:
            self._jobs.put(_Job(-1, next(self._numbers), (), Reading(), (0, 0, 0), Future()))
        for worker in self._workers:
            worker.stop()
        for thread in self._threads:
            thread.join(timeout=5)
        for worker in self._workers:
            worker.bury()
        while not self._jobs.empty():
            answer = self._jobs.get().answer
            if answer.set_running_or_notify_cancel():
                answer.set_exception(DataError("The pictures were closed while they were read."))

    def _drive(self, worker: _Worker) -> None:
        while True:
            job = self._jobs.get()
            if not job.items and job.urgency < 0:
                return
            if not job.answer.set_running_or_notify_cancel():
                continue
            try:
                job.answer.set_result(self._decode(worker, job))
            except BaseException as error:  # it belongs to whoever waits for the pictures
                job.answer.set_exception(error)

    def _decode(self, worker: _Worker, job: _Job) -> Decoded:
        errors: dict[int, str] = {}
        listed, payload = [], []
        for position, item in enumerate(job.items):
            data = b""
            if item.read is not None:
                try:
                    data = item.read()
                except PictureError as error:
                    errors[position] = str(error)
            listed.append([item.name, item.path, len(data), item.move])
            payload.append(data)
        request = {"shape": job.shape, "reading": job.reading.to_dict(), "items": listed}
        count = len(listed) * int(np.prod(job.shape))
        for _ in range(MAX_TRIES):
            answer = worker.ask(request, b"".join(payload), count)
            if answer is not None:
                header, data = answer
                told = {int(position): sentence for position, sentence in header["errors"].items()}
                return Decoded(np.frombuffer(data, np.uint8).reshape(-1, *job.shape), {**told, **errors})
            if self.closed:
                raise DataError("The pictures were closed while they were read.")
        last = f": {worker.last_words}" if worker.last_words else ""
        named = job.items[0].name + (f" to {job.items[-1].name}" if len(job.items) > 1 else "")
        raise DataError(
            f"The process that decodes pictures ended by itself {MAX_TRIES} times on {named} "
            f"({worker.how_ended}{last}): there may be too little memory, so try fewer --workers."
        )


class _Worker:
    """One process, started when first needed and again where it ended."""

    def __init__(self, module: str) -> None:
        self._module = module
        self.process: subprocess.Popen | None = None
        self.how_ended = ""
        self.last_words = ""

    def ask(self, request: dict, payload: bytes, count: int) -> tuple[dict, bytes] | None:
        """The answer's header and its ``count`` bytes, or None where the process ended instead of answering."""
        process = self.process or self._start()
        assert process.stdin is not None and process.stdout is not None  # it was started with pipes
        try:
            write_message(process.stdin, request, payload)
            header = read_message(process.stdout)
            data = process.stdout.read(count) if header is not None else b""
        except (OSError, ValueError):
            header, data = None, b""
        if header is not None and len(data) == count:
            return header, data
        self.bury()
        return None

    def stop(self) -> None:
        """End the process at once: it holds nothing that could be lost."""
        process = self.process
        if process is not None:
            process.kill()

    def _start(self) -> subprocess.Popen:
        above = str(Path(__file__).resolve().parents[2])
        paths = [above, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}
        # A group of its own, so that Ctrl-C is for the trainer alone, which finishes its step and saves
        if os.name == "nt":
            apart: dict = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        else:
            apart = {"start_new_session": True}
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process is buried
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", self._module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._words, env=environment, **apart,
        )  # fmt: skip
        return self.process

    def bury(self) -> None:
        """Take note of how the process ended, and let go of what it held."""
        process = self.process
        if process is None:
            return
        process.kill()
        code = process.wait()
        self.how_ended = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._words.seek(0)
        lines = self._words.read().decode("utf-8", "replace").strip().splitlines()
        self.last_words = lines[-1][:200] if lines else ""
        self._words.close()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self.process = None


_shared: DecodingPool | None = None
_shared_lock = threading.Lock()


def shared_pool(workers: int | None = None) -> DecodingPool:
    """The pool of this process, made on the first call: by default a process less than there are cores.

    Trainers that share a machine (torchrun tells how many in LOCAL_WORLD_SIZE) share its cores too.
    """
    global _shared
    with _shared_lock:
        if _shared is None or _shared.closed:
            sharing = os.environ.get("LOCAL_WORLD_SIZE", "1")
            allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
            cores = allowed // max(1, int(sharing) if sharing.isdigit() else 1)
            _shared = DecodingPool(workers or max(1, min(16, cores - 1)))
        return _shared


@atexit.register
def _close() -> None:
    if _shared is not None and not _shared.closed:
        _shared.close()
