"""How long things take, printed, and held against the convolutions that no Glow can do without, in the same run.

Run by `make bench`. Milliseconds depend on the machine and on who else uses it; the ratios hardly do.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from flowcore import build
from flowcore.networks import ConvNetwork

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
BATCH = 16


def milliseconds(act: Callable[[], object], times: int = 5) -> float:
    act()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        act()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


@pytest.fixture(scope="module")
def flow():
    torch.manual_seed(0)
    flow = build({"system": "glow", "shape": [3, 32, 32], "levels": 3, "steps": 8, "width": 256})
    flow.initialise(torch.rand(BATCH, 3, 32, 32) * 255)
    return flow


@pytest.fixture(scope="module")
def bare():
    """The coupling networks of that Glow alone, with inputs of their sizes."""
    inputs = []
    for channels, side in ((12, 16), (24, 8), (48, 4)):
        network = ConvNetwork(channels // 2, channels, 256)
        inputs += [(network, torch.randn(BATCH, channels // 2, side, side)) for _ in range(8)]
    return inputs


def test_glow_against_its_own_convolutions(flow, bare):
    pixels = torch.rand(BATCH, 3, 32, 32) * 255
    z = flow.sample(BATCH, 0.7)

    def step() -> None:
        flow.train()
        flow.zero_grad(set_to_none=True)
        flow.bits_per_dim(flow.log_prob(pixels)).mean().backward()
        flow.eval()

    def bare_step() -> None:
        for network, h in bare:
            network(h).square().mean().backward()

    flow.eval()
    with torch.no_grad():
        convolutions = milliseconds(lambda: [network(h) for network, h in bare])
        encode = milliseconds(lambda: flow.encode(pixels))
        decode = milliseconds(lambda: flow.decode(z))
        one = milliseconds(lambda: flow.decode(z[:1]))
    training, bare_training = milliseconds(step, 3), milliseconds(bare_step, 3)
    print(f"\nGlow 3×32×32, L=3, K=8, 256 channels, batch {BATCH}, {torch.get_num_threads()} threads, medians in ms")
    print(f"  convolutions alone {convolutions:7.1f}   with their gradients {bare_training:7.1f}")
    print(f"  encode             {encode:7.1f}   {encode / convolutions:.2f} times the convolutions")
    print(f"  sample             {decode:7.1f}   {decode / convolutions:.2f} times;  one picture {one:.1f}")
    print(f"  forward, backward  {training:7.1f}   {training / bare_training:.2f} times")
    assert encode < 2.5 * convolutions and decode < 2.5 * convolutions and training < 2.5 * bare_training


def test_the_command_line_answers_at_once():
    command = [sys.executable, "-m", "app", "models"]
    taken = milliseconds(lambda: subprocess.run(command, cwd=ROOT, capture_output=True, check=True))
    bare = milliseconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True))
    print(f"\nflow-explorer models: {taken:.0f} ms, of which Python's own start is {bare:.0f} ms")
    assert taken < bare + 500
