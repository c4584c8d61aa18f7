"""The engine process: ``python -m flow_explorer.engine [--preload MODEL] [--device ID]``, fed by the window through a pipe.

The order matters. The pipe is taken away from file descriptors 0 and 1 first, so that nothing that a library prints can
fall into it; `hello` goes out; then torch is imported, with the reader already listening, so that the process ends at
once whenever the pipe closes.
"""

from __future__ import annotations

import argparse
import gc
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .protocol import ProtocolError, encode_frame, read_frame

__all__ = ["main"]


def main(argv: list[str] | None = None, job_modules: Mapping[str, str] | None = None) -> None:
    """Serve until the pipe closes; never returns. `job_modules`: as `loop.JOB_MODULES`, for tests."""
    parser = argparse.ArgumentParser(prog="flow_explorer.engine")
    parser.add_argument("--preload")
    parser.add_argument("--device")
    options = parser.parse_args(argv)

    # Ctrl-C in a terminal, and its end, are the window's to answer.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    source, sink = _take_pipe()
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    outbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_write, args=(sink, outbox), daemon=True, name="writer").start()
    threading.Thread(target=_read, args=(source, inbox), daemon=True, name="reader").start()

    def emit(header: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        outbox.put(encode_frame(header, arrays))

    emit({"type": "hello", "pid": os.getpid()}, {})

    # Idle OpenMP threads sleep instead of spinning. Beside another busy process (a training) spinning costs a decode
    # its time slices: 39 s for a page of 64 on two cores, against 0.8 s. GNU's OpenMP may spin for some microseconds
    # first, or waking a thread for each small kernel would double the time of one picture. Read when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

    import torch

    from flowcore.errors import FlowError

    from . import devices
    from .loop import JOB_MODULES, Loop

    devices.make_exact()
    devices.set_threads()
    device = devices.default_device()
    if options.device is not None:
        try:
            device = devices.open_device(options.device)
        except FlowError as error:
            emit({"type": "notice", "sentence": str(error)}, {})
    versions = {"python": sys.version.split()[0], "torch": torch.__version__}
    info = {"devices": devices.list_devices(), "device": str(device), "versions": versions}
    emit({"type": "ready", "info": info}, {})

    loop = Loop(inbox, emit, device, job_modules if job_modules is not None else JOB_MODULES)
    if options.preload is not None:
        with suppress(FlowError):  # whoever asks for this model is told
            loop.models.get(options.preload)
    gc.collect()
    gc.freeze()  # what torch brought stays; later collections need not look at it
    loop.run_forever()


def _take_pipe() -> tuple[int, int]:
    """Move the pipe to descriptors of its own; 0 becomes empty and 1 the error output."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


def _read(source: int, inbox: queue.SimpleQueue) -> None:
    """Feed the inbox until the pipe closes, then end the process, whatever it is doing."""
    stream = os.fdopen(source, "rb", buffering=1 << 16)

    def read_exactly(count: int) -> bytes:
        data = stream.read(count)
        if len(data) < count:
            raise EOFError
        return data

    try:
        while True:
            inbox.put(read_frame(read_exactly))
    except (EOFError, OSError):
        os._exit(0)
    except ProtocolError as error:
        os.write(2, f"engine: {error}\n".encode())
        os._exit(3)


def _write(sink: int, outbox: queue.SimpleQueue[bytes]) -> None:
    """Empty the outbox into the pipe; only this thread waits for a slow window."""
    try:
        while True:
            left = memoryview(outbox.get())
            while left:
                left = left[os.write(sink, left) :]
    except OSError:
        os._exit(0)


if __name__ == "__main__":
    main()
