"""Toy flows on devices that are not there: they learn and show what they do on the CPU, and go where they are quicker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from flowcore.plane.config import FLOWS, PRIORS
from flowcore.plane.frames import ToyFrames
from flowcore.plane.place import SMALL, quicker_device
from flowcore.plane.probe import ToyProbe
from flowcore.plane.trainer import ToyConfig, ToyTrainer
from flowcore.work import finish
from tests.pretend import has_mps_kernel, pretend

pytestmark = pytest.mark.usefixtures("one_thread")
TINY = ToyConfig(depth=2, width=8, batch=32, bins=4)
CONFIGS = {flow: replace(TINY, flow=flow) for flow in FLOWS} | {
    prior: replace(TINY, prior=prior, learned=prior == "mixture") for prior in PRIORS if prior != "gaussian"
}


@pytest.mark.parametrize("device", ["cuda:1", "mps:0"])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_toy_flow_is_the_cpus(monkeypatch, name, device):
    config = CONFIGS[name]
    here = ToyTrainer(config, fast=False)
    losses = [here.step() for _ in range(3)]
    with pretend(monkeypatch) as pretence:
        there = ToyTrainer(config, device)
        assert [there.step() for _ in range(3)] == pytest.approx(losses, rel=1e-4)
        assert {str(p.device) for p in there.average.parameters()} == {device}
        frames, expected = ToyFrames(there), ToyFrames(here)
        np.testing.assert_allclose(frames.samples(), expected.samples(), atol=1e-3)
        np.testing.assert_allclose(frames.layers(), expected.layers(), atol=1e-3)
        np.testing.assert_allclose(frames.heat(8), expected.heat(8), atol=1e-3)
        assert there.held_out(200).nll == pytest.approx(here.held_out(200).nll, abs=1e-3)
        probe, right = ToyProbe(there.average).at((0.3, -0.2)), ToyProbe(here.average).at((0.3, -0.2))
        assert probe.log_prob == pytest.approx(right.log_prob, abs=1e-3)
        # It goes on where it was left, on another device too.
        again = ToyTrainer.from_snapshot(there.snapshot(), "cuda:0")
        assert again.step() == pytest.approx(here.step(), rel=1e-4) and str(again.device) == "cuda:0"
        assert ToyTrainer.from_snapshot(again.snapshot()).step_count == 4
    assert [operator for operator in pretence.operators.get("mps", ()) if not has_mps_kernel(operator)] == []


def times(*taken: float):
    """A clock whose successive spans are these."""
    now, ends = 0.0, []
    for span in taken:
        ends += [now, now + span]
        now += span
    return iter(ends).__next__


def test_a_small_run_stays_on_the_cpu_and_is_not_measured():
    def asked() -> float:
        raise AssertionError("nothing is to be measured")

    assert SMALL == 512 * 256
    assert finish(quicker_device(replace(TINY, batch=512, width=256), torch.device("cuda"), asked)) == torch.device("cpu")
    assert finish(quicker_device(TINY, torch.device("cpu"), asked)) == torch.device("cpu")


def test_a_large_run_goes_where_its_steps_take_less_time(monkeypatch):
    monkeypatch.setattr("flowcore.plane.place.SMALL", 1)
    with pretend(monkeypatch):
        card = torch.device("cuda:1")
        # The first two steps there, which also start it, and the first here do not count against them.
        assert finish(quicker_device(TINY, card, times(9, 9, 3, 2, 3, 5, 4, 3, 2.5))) == card
        assert finish(quicker_device(TINY, card, times(9, 9, 3, 2, 3, 5, 4, 1))) == torch.device("cpu")
