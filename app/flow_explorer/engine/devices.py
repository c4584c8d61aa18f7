"""Which devices there are, how many threads to use, exact arithmetic, and what "out of memory" looks like."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import torch

from flowcore.devices import full_float32
from flowcore.errors import ConfigError
from flowcore.model.precision import has_bfloat16

__all__ = [
    "default_device",
    "fast_bfloat16",
    "is_out_of_memory",
    "list_devices",
    "make_exact",
    "open_device",
    "offers_mps",
    "physical_cores",
    "release_memory",
    "set_threads",
]


def physical_cores() -> int:
    """Physical cores that this process may use: hyper-threads count once, affinity and a container's quota count."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = set()
    for cpu in allowed:
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        try:
            cores.add(siblings.read_text().strip())
        except OSError:
            cores.add(str(cpu))
    count = len(cores)
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        count = min(count, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        pass  # no such file, or the quota is "max"
    return max(1, count)


def set_threads() -> int:
    """Use the physical cores, unless OMP_NUM_THREADS says otherwise; returns the number."""
    if not os.environ.get("OMP_NUM_THREADS") and sys.platform == "linux":
        torch.set_num_threads(physical_cores())
    return torch.get_num_threads()


def make_exact() -> None:
    """fp32 means fp32 (no TF32), and the same request gives the same bits each time."""
    torch.set_float32_matmul_precision("highest")
    full_float32()
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def offers_mps() -> bool:
    """Whether Apple's graphics are there and were asked for by FLOW_EXPLORER_MPS=1: no Mac has run this on them yet."""
    return os.environ.get("FLOW_EXPLORER_MPS") == "1" and torch.backends.mps.is_available()


def list_devices() -> list[dict[str, str]]:
    """[{"id", "title"}], the CPU first; Apple's graphics only where `offers_mps`."""
    threads = torch.get_num_threads()
    devices = [{"id": "cpu", "title": f"CPU, {threads} thread{'s' if threads != 1 else ''}"}]
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            id_ = "cuda" if index == 0 else f"cuda:{index}"
            devices.append({"id": id_, "title": torch.cuda.get_device_name(index)})
    if offers_mps():
        devices.append({"id": "mps", "title": "Apple GPU"})
    return devices


def default_device() -> torch.device:
    """A CUDA GPU where there is one. Not MPS unless chosen: it has no 64-bit floats, which exact encoding may need."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def open_device(id_: str) -> torch.device:
    """The device of an id from `list_devices`; "cuda:0" is "cuda". Raises `ConfigError`, naming those that there are."""
    known = [device["id"] for device in list_devices()]
    id_ = {"cuda:0": "cuda", "mps:0": "mps"}.get(id_, id_)
    if id_ not in known:
        raise ConfigError(f"There is no device {id_!r} on this computer; it has {', '.join(known)}.")
    return torch.device(id_)


def fast_bfloat16(device: torch.device) -> bool:
    """Whether a draft in bfloat16 is drawn faster. Of a card's few pictures it is not: starting its kernels takes the time."""
    return device.type == "cpu" and has_bfloat16(device)


def release_memory() -> None:
    """Give back to the system what no tensor holds any more: torch keeps a device's memory for the next one."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory, of the GPU or of the computer, has run out."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text or "CUBLAS_STATUS_ALLOC_FAILED" in text
    )
