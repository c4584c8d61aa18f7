"""Several processes that train one flow together, on one machine or on many. Alone, the same calls cost nothing.

Each process computes the gradient of its rows of the joined batch, and one sum over all processes, in one message, makes it
the joined batch's. PyTorch's DistributedDataParallel would hook itself to every parameter and send in buckets while the
backward pass still runs; but a run of Glow's steps is one node of the graph, whose gradients all come at once, and its
threads want the cores meanwhile. A flow's gradient is a few megabytes: one message is simple and costs little.

Beside the sums there is a *control* group, always over gloo on the CPU: what is agreed there waits for no GPU, and learns
at once, by a closed connection, of a process that ended.
"""
from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from ..errors import ConfigError, ProcessError

__all__ = ["Processes", "are_launched", "local_device"]

T = TypeVar("T")

PATIENCE = timedelta(minutes=10)
"""How long a message is waited for. A process that ends is noticed at once; this is for a cable pulled out."""

BEAT = 15.0
"""Seconds between the signs of life of a process that works alone, so that no wait lasts longer than that."""

_WORKING, _DONE, _FAILED = 1, 2, 3


def are_launched() -> bool:
    """Whether torchrun, or whoever sets what it sets, started this process as one of several."""
    return "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"


def local_device(device: str) -> str:
    """This process's own GPU where ``device`` is "cuda": by its number on its machine."""
    return f"cuda:{int(os.environ.get('LOCAL_RANK', '0'))}" if device == "cuda" and are_launched() else device


class Processes:
    """``count`` processes, of which this is number ``rank``. The first is the writer: it alone touches the run folder.

    Every method is called by all of them, in the same order.
    """

    def __init__(self) -> None:
        self.rank, self.count, self.backend = 0, 1, ""
        self.device = torch.device("cpu")
        self._control: dist.ProcessGroup | None = None

    @classmethod
    def join(cls, device: str | torch.device = "cpu", patience: timedelta = PATIENCE) -> Processes:
        """Find the others, as torchrun's environment variables say; alone where there are none.

        Raises:
            ConfigError: if they cannot be found.
        """
        found = cls()
        if not are_launched():
            return found
        found.device = torch.device(device)
        if found.device.type not in ("cpu", "cuda"):
            raise ConfigError(f"Several processes train on the CPU or on CUDA devices, not on {found.device.type}.")
        found.backend = "nccl" if found.device.type == "cuda" else "gloo"
        if found.device.type == "cuda":
            torch.cuda.set_device(found.device)
        try:
            dist.init_process_group(found.backend, timeout=patience)
            found.rank, found.count = dist.get_rank(), dist.get_world_size()
            control = dist.new_group(backend="gloo", timeout=patience)
            assert isinstance(control, dist.ProcessGroup)  # all take part
            found._control = control
        except (RuntimeError, ValueError) as error:
            where = f"{os.environ.get('MASTER_ADDR', '?')}:{os.environ.get('MASTER_PORT', '?')}"
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ConfigError(f"The processes of this run could not find each other at {where}: {first}.") from None
        return found

    @property
    def writer(self) -> bool:
        """Whether this process writes the run folder and speaks to the person."""
        return self.rank == 0

    def rows(self, batch: int) -> slice:
        """This process's rows of a joined batch: as even a share as there is."""
        return slice(batch * self.rank // self.count, batch * (self.rank + 1) // self.count)

    # -- numbers on the device ----------------------------------------------------------------------------------

    def add_up(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The sums over all processes of tensors of one dtype, in one message. The same bits in every process.

        Raises:
            ProcessError: if another process is gone; so does every method below.
        """
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with _reaching():
            dist.all_reduce(flat)
        parts = flat.split([tensor.numel() for tensor in tensors])
        return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]

    @torch.no_grad()
    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Give all processes the writer's values, in place."""
        if self.count == 1:
            return
        for tensor in tensors:
            there = tensor.detach().to(self.device, copy=True)
            with _reaching():
                dist.broadcast(there, 0)
            if not self.writer:
                tensor.copy_(there)

    # -- agreements ---------------------------------------------------------------------------------------------

    def agree(self, value: int) -> int:
        """The largest value that any process gave."""
        if self.count == 1:
            return value
        told = torch.tensor([value])
        with _reaching():
            dist.all_reduce(told, dist.ReduceOp.MAX, self._control)
        return int(told)

    def agrees(self, value: int) -> bool:
        """Whether all processes gave the same value."""
        return self.agree(value) == -self.agree(-value)

    def tell(self, value: T) -> T:
        """What the writer gave, plain data that JSON can hold, in all processes."""
        if self.count == 1:
            return value
        text = json.dumps(value).encode() if self.writer else b""
        size = self.agree(len(text))
        told = torch.frombuffer(bytearray(text), dtype=torch.uint8) if self.writer else torch.empty(size, dtype=torch.uint8)
        with _reaching():
            dist.broadcast(told, 0, self._control)
        return value if self.writer else json.loads(told.numpy().tobytes())

    def alone(self, job: Callable[[], T]) -> T | None:
        """``job()`` in the writer while the others wait, however long it takes; they get None.

        Raises:
            ProcessError: in the others, if the job raised; in the writer, what it raised.
        """
        if self.count == 1:
            return job()
        if not self.writer:
            outcome = _WORKING
            while outcome == _WORKING:
                outcome = self.agree(0)
            if outcome == _FAILED:
                raise ProcessError("The process that writes this run had to stop, so the others stop as well.")
            return None
        outcome = _FAILED
        with self._signs_of_life() as end:
            try:
                result = job()
                outcome = _DONE
            finally:
                end(outcome)
        return result

    @contextmanager
    def _signs_of_life(self) -> Iterator[Callable[[int], None]]:
        finished = threading.Event()
        lost: list[ProcessError] = []

        def beat() -> None:
            try:
                while not finished.wait(BEAT):
                    self.agree(_WORKING)
            except ProcessError as error:
                lost.append(error)

        def end(outcome: int) -> None:
            finished.set()
            thread.join()
            if outcome == _FAILED:
                with contextlib.suppress(ProcessError):  # the job's own error is the one to tell
                    if not lost:
                        self.agree(outcome)
            elif lost:
                raise lost[0]
            else:
                self.agree(outcome)

        thread = threading.Thread(target=beat, name="signs of life", daemon=True)
        thread.start()
        yield end

    def leave(self) -> None:
        """Say goodbye, when nothing more is to be sent."""
        if self.count > 1 and dist.is_initialized():
            with contextlib.suppress(RuntimeError):
                dist.destroy_process_group()


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise ProcessError(
            "Another process of this run ended or cannot be reached, so this one stops as well; "
            "resuming goes on from the last checkpoint."
        ) from error
