"""flowcore as a library: own systems and priors, what cannot be saved, plain arrays, and the sentences for common slips."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import flowcore
from flowcore.bijections import DiagonalScale
from flowcore.errors import CheckpointError, ConfigError, DataError
from flowcore.fast import FastFlow
from flowcore.fast.points.continuous import ContinuousPasses
from flowcore.fast.points.flat import FlatParameters
from flowcore.fast.points.flow import PointsFlow
from flowcore.model import checkpoint
from flowcore.model.flow import Flow
from flowcore.model.passes import Passes
from flowcore.model.priors import StandardPrior
from flowcore.model.registry import system_names
from flowcore.plane.continuous import ContinuousFlow
from flowcore.training import TrainConfig, train


def scaling(shape, bound: float = 6.0) -> Flow:
    architecture = {"system": "test-scaling", "shape": list(shape), "bound": bound}
    return Flow([DiagonalScale(tuple(shape), bound)], StandardPrior(tuple(shape)), shape, architecture)


def test_a_system_of_one_s_own_is_saved_and_loaded(tmp_path):
    flow = scaling((3,), 2.0)
    flow.initialise(torch.randn(50, 3))
    with pytest.raises(CheckpointError, match="Unknown system 'test-scaling'.*register_system"):
        flowcore.save(tmp_path / "a.safetensors", flow, {"name": "a"})
    assert not list(tmp_path.iterdir())
    flowcore.register_system("test-scaling", scaling)
    flowcore.save(tmp_path / "a.safetensors", flow, {"name": "a"})
    loaded = flowcore.load(tmp_path / "a.safetensors").flow
    x = torch.randn(4, 3)
    assert torch.equal(loaded.log_prob(x), flow.log_prob(x)) and loaded.layers[0].bound == 2.0


def test_a_flow_that_is_not_what_it_says_is_not_saved(tmp_path):
    flow = flowcore.realnvp((2,), depth=2, width=8)
    with pytest.raises(CheckpointError, match="None"):
        flowcore.save(tmp_path / "a.safetensors", Flow(flow.layers, flow.prior, (2,)), {})
    longer = Flow([*flow.layers, DiagonalScale((2,))], flow.prior, (2,), flow.architecture)
    with pytest.raises(CheckpointError, match="layers.2.raw_log_scale"):
        flowcore.save(tmp_path / "a.safetensors", longer, {})


def test_a_prior_of_one_s_own_is_a_setting_of_every_system(tmp_path):
    class Wide(StandardPrior):
        def log_prob(self, z):
            return super().log_prob(z / 3) - self.num_dims * np.log(3.0)

        def draw(self, rng):
            return 3 * super().draw(rng)

    with pytest.raises(ConfigError, match="one of gaussian, logistic, mixture"):
        flowcore.build({"system": "realnvp", "shape": [2], "prior": "test-wide"})
    flowcore.register_prior("test-wide", Wide)
    flow = flowcore.build({"system": "realnvp", "shape": [2], "prior": "test-wide"})
    flow.initialise(torch.randn(9, 2))
    checkpoint.save(tmp_path / "a.safetensors", flow, {})
    assert isinstance(checkpoint.load(tmp_path / "a.safetensors").flow.prior, Wide)
    assert 2.5 < flow.sample(400).std() < 3.5


def test_flowcore_s_own_systems_are_all_there():
    assert {"nice", "realnvp", "glow", "glow-plus", "spline", "continuous", "stack"} <= set(system_names())


def test_pictures_may_be_a_plain_array(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (24, 4, 4, 1), dtype=np.uint8)
    architecture = {"system": "glow", "shape": [1, 4, 4], "levels": 1, "steps": 1, "width": 8, "classes": 2}
    config = TrainConfig(architecture=architecture, steps=2, batch=8)
    trainer = train(config, pictures, tmp_path / "run", labels=np.arange(24) % 2)
    assert trainer.step == 2 and trainer.flow.initialised
    with pytest.raises(DataError, match="4×4×1"):
        train(config, pictures[:, :2], tmp_path / "other", labels=np.arange(24) % 2)


def test_common_slips_are_told_in_a_sentence():
    flow = flowcore.realnvp((2,), depth=2, width=8)
    flow.initialise(torch.randn(9, 2))
    with pytest.raises(ConfigError, match="computes in float32, and was given float64"):
        flow.log_prob(torch.zeros(3, 2, dtype=torch.float64))
    with pytest.raises(ConfigError, match="computes in float32, and was given int64"):
        flow.decode(torch.zeros(3, 2, dtype=torch.int64))
    with pytest.raises(ConfigError, match=r"x\[None\], of shape \(1, 2\)"):
        flow.log_prob(torch.zeros(2))
    with pytest.raises(ConfigError, match="StandardPrior.*not Normal"):
        wrong: Any = torch.distributions.Normal(0.0, 1.0)
        Flow(flow.layers, wrong, (2,))


def test_the_definition_and_its_fast_paths_share_one_protocol():
    flow = flowcore.realnvp((2,), depth=2, width=8)
    flow.initialise(torch.randn(9, 2))
    waves = flowcore.build({"system": "continuous", "shape": [2], "depth": 2, "width": 8})
    waves.initialise(torch.randn(9, 2))
    x = torch.randn(5, 2)
    assert isinstance(waves, ContinuousFlow)
    several: dict[Flow, list[Passes]] = {
        flow: [flow, FastFlow(flow), PointsFlow(flow)], waves: [waves, ContinuousPasses(waves, FlatParameters(waves), 32)],
    }  # fmt: skip
    for passes in several.values():
        assert all(isinstance(one, Passes) for one in passes)
        with torch.no_grad():
            for one in passes:
                assert torch.allclose(one.decode(one.encode(x)[0]), x, atol=1e-3)
                assert torch.allclose(one.log_prob(x), passes[0].log_prob(x), atol=1e-4)
        for one in passes:
            with pytest.raises(ConfigError, match="numbers a picture"):
                one.decode(torch.zeros(1, 3))
