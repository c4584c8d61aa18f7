"""Ten thousand samples of every bundled model at temperature 1: finite, bounded, none black, none like the next."""

from __future__ import annotations

import os

import pytest
import torch

from flow_explorer import assets
from flowcore.fast import accelerate
from flowcore.model import checkpoint

COUNT = int(os.environ.get("FLOW_EXPLORER_SOAK_SAMPLES", "10000"))
BATCH = 200
BOUND = 8 * 256.0
"""Grey levels beyond which a value, before it is clamped to a byte, has run away."""
FLAT = 1.0
"""Grey levels of standard deviation below which a picture shows nothing."""


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("path", assets.models(), ids=lambda path: path.stem)
def test_samples_are_finite_bounded_and_various(path):
    torch.set_num_threads(os.cpu_count() or 1)
    flow = checkpoint.load(path).flow
    fast, farthest, flattest, outside, flat = accelerate(flow), 0.0, float("inf"), 0.0, 0
    total = torch.zeros(flow.event_shape, dtype=torch.float64)
    squares = torch.zeros_like(total)
    for first in range(0, COUNT, BATCH):
        label = (torch.arange(first, first + BATCH) % flow.num_classes) if flow.num_classes else None
        x = fast.decode(flow.sample(BATCH, 1.0, seed=0, first=first), label).double()
        assert torch.isfinite(x).all(), first
        farthest = max(farthest, (x - 128).abs().max().item())
        seen = x.clamp(0, 255)
        outside += (x != seen).double().mean().item() * BATCH / COUNT
        spread_of_each = seen.flatten(1).std(1)
        flattest = min(flattest, spread_of_each.min().item())
        flat += int((spread_of_each <= FLAT).sum())
        total += seen.sum(0)
        squares += seen.square().sum(0)
    spread = (squares / COUNT - (total / COUNT).square()).clamp_min(0).sqrt().mean().item()
    print(f"\n{path.stem}: {COUNT:,} samples, farthest value {farthest:.0f} from the middle, {100 * outside:.1f} % clamped, "
          f"flattest picture {flattest:.1f} grey levels, {flat} show nothing, {spread:.1f} between pictures")
    assert farthest < BOUND
    assert flat == 0
    assert spread > 10
