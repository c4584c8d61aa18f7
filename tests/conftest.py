"""What every test shares: where the data sets are, and one thread for the mathematics."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# The window's tests paint off screen wherever a display was not chosen on purpose.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# A thread of the mathematics that spins while it waits starves whatever else runs on few cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

# Numbers are held against the processor's, and engines choose a card by themselves; one that is named is used.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

# Under nohup, or in the background of a script, some signals are ignored, and every child would ignore them too: the tests that
# send them would wait for ever. One that is handled is at its default in a child.
for _name in ("SIGINT", "SIGHUP", "SIGQUIT"):
    _signal = getattr(signal, _name, None)
    if _signal is not None and signal.getsignal(_signal) == signal.SIG_IGN:
        signal.signal(_signal, signal.default_int_handler if _name == "SIGINT" else lambda *_: None)

# One process of several: each has a core to itself, and a second thread would wait for the other's.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"


def data_root() -> Path:
    """The folder of data sets: `FLOW_EXPLORER_DATA`, else `../shared/data` beside the checkout."""
    chosen = os.environ.get("FLOW_EXPLORER_DATA")
    return Path(chosen) if chosen else ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """A function from a data set's name to its folder; the test is skipped where it is not at hand."""

    def find(name: str) -> Path:
        path = data_root() / name
        if not path.exists():
            pytest.skip(
                f"the data set {name} is not at hand (set FLOW_EXPLORER_DATA to the folder of data sets)"
            )
        return path

    return find


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small models are faster on one thread, and the suite's timings do not depend on who else is computing."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
