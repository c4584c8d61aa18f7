"""The engine's loop: one thread, no locks. It picks a job by priority, lets it run to its next yield, and again.

The window's messages come through a queue that a reader thread fills; what jobs answer goes to a queue that a writer
thread empties, so neither a burst of requests nor a slow window ever holds a job. How a job is written, and what it is
given, is in `context`.

Slots: a request with a slot waits while an older one of the slot runs, and a newer one replaces it there. The running
one is stopped, at its next yield, once it has answered something and had its `grace` (so a drag faster than the
computation still shows pictures), or at once when it is `strict`. A request that `adopts` is left for the running job
to take.
"""

from __future__ import annotations

import importlib
import importlib.util
import queue
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from flowcore.errors import FlowError

from .context import BLOCKED, JOBS, STREAM_LIMIT, JobContext, JobKind, Steps
from .devices import is_out_of_memory, open_device, release_memory
from .models import ModelCache
from .protocol import ProtocolError
from .requests.base import Request, from_fields

__all__ = ["JOB_MODULES", "Loop", "Running"]

JOB_MODULES: dict[str, str] = {}
"""Which module's import fills the job table with the kinds before the dot, where it is not `jobs_<what is before it>` of this
package. Imported on first use."""

Inbox = queue.SimpleQueue[tuple[dict[str, Any], dict[str, np.ndarray]]]


@dataclass(eq=False)
class Running:
    """A job that has been started (or is about to be)."""

    id: int
    request: Request
    kind: JobKind
    steps: Steps | None = None
    turns: int = 0
    started: float = 0.0
    last_turn: float = 0.0
    not_before: float = 0.0
    blocked: bool = False
    answered: bool = False
    cancelled: bool = False
    unacknowledged: int = 0
    fell_back: bool = False
    arrived: float = field(default_factory=time.monotonic)
    threads: int = 0
    """How many threads its kernels take; 0 for all."""
    in_hand: bool = False
    """A picture that follows a hand: between it and another of the same priority turns are not shared, since then both would
    be there only when both are done."""
    former_ids: set[int] = field(default_factory=set)

    @property
    def waits_since(self) -> float:
        """When it had its last turn, or came."""
        return self.last_turn or self.arrived


class Loop:
    """Runs jobs for requests. `emit(header, arrays)` puts a message on its way to the window."""

    def __init__(
        self,
        inbox: Inbox,
        emit: Callable[[Mapping[str, Any], Mapping[str, np.ndarray]], None],
        device: torch.device,
        job_modules: Mapping[str, str] = JOB_MODULES,
    ) -> None:
        self._inbox, self._emit = inbox, emit
        self._job_modules = dict(job_modules)
        self._jobs: list[Running] = []
        self._starved_last = False
        self._threads = self._all_threads = torch.get_num_threads()
        self.device = device
        self.models = ModelCache(lambda: self.device)
        self.shared: dict[str, Any] = {}
        self.on_device: dict[str, Any] = {}
        self._leaving: list[Running] = []
        self.waiting: dict[str, tuple[int, Request]] = {}
        self.newest: dict[str, Request] = {}

    def run_forever(self) -> None:
        """Serve until the process ends."""
        while True:
            self.turn()

    def turn(self, wait: bool = True) -> bool:
        """Take what has arrived, then one step of one job. Waits for something to do; False if there was nothing."""
        self._receive_all()
        now = time.monotonic()
        running = self._choose(now)
        if running is None:
            if wait:
                self._wait(now)
            return False
        self._step(running, now)
        return True

    # What arrives

    def _receive_all(self) -> None:
        while not self._inbox.empty():
            self._receive(*self._inbox.get())

    def _wait(self, now: float) -> None:
        sleeping = [job.not_before for job in self._jobs if not job.blocked]
        with suppress(queue.Empty):
            self._receive(*self._inbox.get(timeout=max(0.0, min(sleeping) - now) if sleeping else None))

    def _receive(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        type_ = header.get("type")
        if type_ == "request":
            self._receive_request(header, arrays)
        elif type_ == "cancel":
            self._cancel(header["id"])
        elif type_ == "ack":
            for job in self._jobs:
                if job.id == header["id"] or header["id"] in job.former_ids:
                    job.unacknowledged -= 1
                    job.blocked = job.blocked and job.unacknowledged >= STREAM_LIMIT
        elif type_ == "ping":
            self.emit({"type": "pong"})
        elif type_ == "device":
            self._change_device(header["device"])

    def _receive_request(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        id_ = header["id"]
        try:
            kind = self._job_kind(header["kind"])
            request = from_fields(header["kind"], header["fields"], arrays)
        except Exception as error:
            self._report(id_, error)
            return
        slot = request.slot
        if slot is None:
            self._jobs.append(Running(id_, request, kind))
            return
        self.newest[slot] = request
        current = next((job for job in self._jobs if job.request.slot == slot), None)
        if current is None or current.turns == 0:
            running = Running(id_, request, kind)
            if current is not None:
                self._end(current)
                if not request.strict:  # in a drag each value replaces the one before, and none would ever be overdue
                    running.arrived = current.arrived
            self._jobs.append(running)
            return
        older = self.waiting.get(slot)
        if older is not None:
            self.emit({"type": "over", "id": older[0]})
        self.waiting[slot] = (id_, request)
        current.blocked, current.not_before = False, 0.0
        if request.strict and not current.request.adopts:
            self._end(current)

    def _job_kind(self, kind: str) -> JobKind:
        if kind not in JOBS:
            group = kind.partition(".")[0]
            module = self._job_modules.get(group, f"{__package__}.jobs.{group}")
            if group.isidentifier() and importlib.util.find_spec(module) is not None:
                importlib.import_module(module)
        if kind not in JOBS:
            raise ProtocolError(f"no job is registered for {kind!r}")
        return JOBS[kind]

    def _cancel(self, id_: int) -> None:
        for slot, (waiting_id, _) in list(self.waiting.items()):
            if waiting_id == id_:
                del self.waiting[slot]
                self.emit({"type": "over", "id": id_})
        for job in [job for job in self._jobs if job.id == id_]:
            job.cancelled = True
            self._end(job)

    # What runs

    def _choose(self, now: float) -> Running | None:
        ready = [job for job in self._jobs if not job.blocked and job.not_before <= now]
        if not ready:
            return None
        best = min(ready, key=lambda job: (job.request.priority, not (job.in_hand and not job.answered), job.last_turn, job.id))
        if not self._starved_last:
            overdue = [job for job in ready if job is not best and now - job.waits_since > job.request.patience]
            if overdue:
                self._starved_last = True
                return min(overdue, key=lambda job: job.waits_since)
        self._starved_last = False
        return best

    def _step(self, job: Running, now: float) -> None:
        if self._is_stale(job, now):
            self._end(job)
            return
        if job.steps is None:
            job.steps, job.started = job.kind.function(JobContext(self, job), job.request), now
        job.turns += 1
        threads = job.threads or self._all_threads
        if threads != self._threads:  # kept from turn to turn: changing it costs some microseconds of every kernel after it
            torch.set_num_threads(threads)
            self._threads = threads
        try:
            with torch.set_grad_enabled(job.kind.grad):
                wish = next(job.steps)
        except StopIteration:
            self._end(job, close=False)
        except Exception as error:
            self._on_error(job, error)
        else:
            job.last_turn = time.monotonic()
            if wish is BLOCKED:
                job.blocked = job.unacknowledged >= STREAM_LIMIT and job.request.slot not in self.waiting
            # What a newer one waits for does not sleep.
            elif isinstance(wish, int | float) and job.request.slot not in self.waiting:
                job.not_before = job.last_turn + float(wish)

    def _is_stale(self, job: Running, now: float) -> bool:
        """Whether a newer request should now take this job's place."""
        request = job.request
        if request.slot not in self.waiting or request.adopts:
            return False
        return request.strict or (job.answered and now - job.started >= request.grace)

    def _end(self, job: Running, close: bool = True) -> None:
        """Take a job off the list, tell the window, and start what waits in its slot."""
        if job not in self._jobs:
            return
        self._jobs.remove(job)
        if close and job.steps is not None:
            try:
                job.steps.close()
            except Exception as error:
                self._report(job.id, error)
        if job in self._leaving:
            self._leaving.remove(job)
            job.steps = None
            release_memory()
        self.emit({"type": "over", "id": job.id})
        if job.request.slot in self.waiting:
            id_, request = self.waiting.pop(job.request.slot)
            self._jobs.append(Running(id_, request, JOBS[request.kind]))

    def _on_error(self, job: Running, error: Exception) -> None:
        if is_out_of_memory(error) and not job.fell_back and self._fall_back(error):
            # From the start, on the CPU: what it had already answered is answered again, with the same numbers.
            job.fell_back, job.steps, job.blocked, job.not_before = True, None, False, 0.0
            return
        self._report(job.id, error)
        self._end(job, close=False)

    def _report(self, id_: int, error: Exception) -> None:
        details = "".join(traceback.format_exception(error))
        self.emit({"type": "error", "id": id_, "sentence": sentence_of(error), "traceback": details})

    # Devices

    def _change_device(self, id_: str) -> None:
        try:
            device = open_device(id_)
        except FlowError as error:
            self.emit({"type": "notice", "sentence": str(error)})
        else:
            self._use(device)
        self.emit({"type": "device", "device": str(self.device)})

    def _use(self, device: torch.device) -> None:
        if device != self.device:
            self.device = device
            self.models.clear()
            self.on_device.clear()
            # What began on the device that is left holds memory there until it ends.
            self._leaving = list(self._jobs)
            release_memory()

    def _fall_back(self, error: Exception) -> bool:
        """After the GPU ran out of memory: on to the CPU. False if there is nothing to fall back to."""
        if self.device.type == "cpu":
            return False
        told: BaseException | None = error
        while told is not None:
            traceback.clear_frames(told.__traceback__)  # their variables are what fills the GPU
            told = told.__cause__ or told.__context__
        self._use(torch.device("cpu"))
        self.emit({
            "type": "notice",
            "sentence": "The GPU ran out of memory, so the work goes on with the CPU, which is slower.",
        })  # fmt: skip
        self.emit({"type": "device", "device": "cpu"})
        return True

    # What jobs use, through their context

    def emit(self, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> None:
        """A message to the window."""
        self._emit(header, arrays or {})

    def answer(
        self,
        job: Running,
        kind: str,
        data: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray],
        done: bool,
        *,
        stream: bool,
    ) -> None:
        """A job's answer; one that is part of a stream counts until the window acknowledges it."""
        header = {"type": "answer", "id": job.id, "kind": kind, "data": dict(data), "done": done, "stream": stream}
        self.emit(header, arrays)
        job.answered = True
        job.unacknowledged += stream

    def adopt(self, job: Running) -> Request | None:
        """Give a running job the request that waits in its slot, and its number."""
        slot = job.request.slot
        if slot is None or slot not in self.waiting:
            return None
        self.emit({"type": "over", "id": job.id})
        if job.unacknowledged:
            job.former_ids.add(job.id)
        else:
            job.former_ids.clear()
        job.id, job.request = self.waiting.pop(slot)
        return job.request


def sentence_of(error: Exception) -> str:
    """One sentence for the person. Only our own errors carry one; of the rest the person gets the kind."""
    if isinstance(error, FlowError):
        return str(error)
    if is_out_of_memory(error):
        return "There was not enough memory for this; fewer pictures at once, or a smaller model, need less."
    return f"Something went wrong in the engine ({type(error).__name__}); the details tell where."
