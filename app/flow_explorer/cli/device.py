"""Which device the mathematics runs on, and what happens when its memory runs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flow_explorer.terminal.output import say
from flowcore.errors import ConfigError, FlowError

__all__ = ["OutOfMemoryError", "choose_device", "is_out_of_memory", "run_on"]

Result = TypeVar("Result")


class OutOfMemoryError(FlowError):
    """The computer's own memory is not enough."""


def choose_device(name: str, exact: bool = False) -> str:
    """The torch device meant by auto, cpu, cuda, cuda:N or mps. Loads torch.

    `exact` work (encoding to files, decoding them) needs float64 at times, which MPS has not: auto leaves it out there. MPS is
    taken where FLOW_EXPLORER_MPS is 1. Raises ConfigError where the device is not there.
    """
    import torch

    from flow_explorer.engine.devices import offers_mps
    from flowcore.devices import full_float32

    full_float32()  # the byte-exact promise needs every bit
    cuda, mps = torch.cuda.is_available(), offers_mps()
    if name == "auto":
        if cuda:
            return "cuda"
        return "mps" if mps and not exact else "cpu"
    if name.startswith("cuda"):
        count = torch.cuda.device_count() if cuda else 0
        if count == 0:
            raise ConfigError(f"--device {name}: this PyTorch finds no CUDA device here; --device cpu works.")
        if ":" in name and int(name.split(":")[1]) >= count:
            raise ConfigError(f"--device {name}: the CUDA devices here are cuda:0 to cuda:{count - 1}.")
    if name == "mps" and not mps and torch.backends.mps.is_available():
        raise ConfigError(
            "--device mps: no Mac has run this on its graphics processor yet, so it is left out; --device cpu works, and with "
            "FLOW_EXPLORER_MPS=1 in the environment mps is taken."
        )
    if name == "mps" and not mps:
        raise ConfigError(
            "--device mps: this PyTorch finds no Apple graphics processor here; --device cpu works."
        )
    return name


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device's or the computer's memory ran out."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text or "CUBLAS_STATUS_ALLOC_FAILED" in text
    )


def run_on(device: str, job: Callable[[str], Result], again: bool = True) -> Result:
    """job(device), and where the device's memory runs out, once more on the CPU, saying so (unless not `again`).

    Raises OutOfMemoryError where the CPU's memory is not enough either.
    """
    if device != "cpu" and again:
        from flow_explorer.engine.devices import release_memory

        reason = None
        try:
            return job(device)
        except Exception as error:
            # MPS has no float64, which hard pictures need.
            if is_out_of_memory(error):
                reason = f"{device} is out of memory"
            elif device == "mps" and isinstance(error, TypeError) and "float64" in str(error):
                reason = "mps has no float64, which this needs"
            if reason is None:
                raise
        # Outside of the handler, so that the traceback no longer holds the tensors that filled the memory.
        say(f"flow-explorer: {reason}, going on with the CPU.")
        release_memory()
    try:
        return job("cpu" if again else device)
    except Exception as error:
        if is_out_of_memory(error):
            raise OutOfMemoryError(
                "There is not enough memory for this: ask for fewer pictures at a time or a smaller model."
            ) from error
        raise
