"""Whole flows: the passes, the levels of z, temperature, sampling, and the errors."""
from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch

from flowcore.bijections import ActNorm, LULinear
from flowcore.bijections.base import soft_clamp
from flowcore.errors import ConfigError, NonFiniteError, UntrainedError
from flowcore.model.card import level_count
from flowcore.model.priors import MixturePrior, standard_draw
from flowcore.model.systems import build

FLOWS = {
    "nice": dict(system="nice", shape=[1, 4, 4], width=16, hidden=2),
    "realnvp": dict(system="realnvp", shape=[1, 8, 8], levels=2, width=8, blocks=1, conditional=True),
    "realnvp-cycle": dict(system="realnvp", shape=[3, 4, 4], levels=2, width=8, blocks=1, masks="cycle"),
    "glow": dict(system="glow", shape=[3, 4, 4], levels=2, steps=2, width=8),
    "glow-plain": dict(system="glow", shape=[1, 4, 4], levels=1, steps=2, width=8, permutation="plain"),
    "glow-additive": dict(system="glow", shape=[1, 8, 8], levels=2, steps=2, width=8, coupling="additive", permutation="reverse"),
    "glow-classes": dict(system="glow", shape=[1, 4, 4], levels=1, steps=2, width=8, classes=3),
    "glow-logistic": dict(system="glow", shape=[1, 4, 4], levels=2, steps=1, width=8, prior="logistic"),
    "glow-mixture": dict(system="glow", shape=[1, 4, 4], levels=2, steps=1, width=8, prior="mixture"),
    "plus": dict(system="glow-plus", shape=[1, 8, 8], levels=2, steps=2, width=8, split_width=8),
    "plus-classes": dict(system="glow-plus", shape=[3, 4, 4], levels=1, steps=2, width=8, classes=3),
    "plus-uniform": dict(system="glow-plus", shape=[1, 4, 4], levels=2, steps=1, width=8, dequantisation="uniform"),
    "toy-nice": dict(system="nice", shape=[2], width=16, hidden=2),
    "toy-realnvp": dict(system="realnvp", shape=[2], depth=4, width=16),
    "toy-glow": dict(system="glow", shape=[2], depth=3, width=16),
    "toy-mixture": dict(system="realnvp", shape=[2], depth=4, width=16, prior="mixture"),
    "toy-spline": dict(system="spline", shape=[2], depth=4, width=16),
    "spline-vector": dict(system="spline", shape=[5], depth=3, width=16, bins=4, bound=3.0),
    "vector": dict(system="realnvp", shape=[5], depth=4, width=16),
}


def trained(name: str, dtype=torch.float64):
    """A flow with weights moved away from where they start, its input and its labels."""
    torch.manual_seed(0)
    flow = build(FLOWS[name])
    shape = flow.event_shape
    x = torch.randint(0, 256, (6, *shape)).float() + 0.5 if len(shape) == 3 else torch.randn(6, *shape)
    flow.initialise(x)
    with torch.no_grad():
        for p in flow.parameters():
            p.add_(0.05 * torch.randn_like(p))
    label = torch.arange(6) % 3 if flow.num_classes else None
    return flow.to(dtype).eval(), x.to(dtype), label


@pytest.mark.parametrize("name", FLOWS)
def test_round_trip_and_log_det(name):
    flow, x, label = trained(name)
    z, log_det = flow.encode(x, label)
    assert z.shape == (6, flow.num_dims)
    assert (flow.decode(z, label) - x).abs().max() <= 1e-9 * x.abs().max()
    row = x[:1]
    one = label[:1] if label is not None else None
    jacobian = torch.autograd.functional.jacobian(lambda v: flow.encode(v, one)[0], row).reshape(flow.num_dims, -1)
    expected = torch.linalg.slogdet(jacobian)[1]
    assert (log_det[0] - expected).abs() <= 1e-8 * expected.abs()


@pytest.mark.parametrize("name", FLOWS)
def test_steps_add_up_to_the_whole(name):
    flow, x, label = trained(name)
    z, log_det = flow.encode(x, label)
    steps = list(flow.encode_steps(x, label))
    terms = [step.log_det for step in steps if step.log_det is not None]
    assert torch.allclose(torch.stack(terms).sum(0), log_det)
    assert len(steps) == len(flow.layers) + 1
    backwards = list(flow.decode_steps(z, label))
    assert torch.allclose(backwards[-1].h, x, atol=1e-9)
    assert [s.name for s in backwards[1:]] == [s.name for s in reversed(steps[:-1])]


@pytest.mark.parametrize("name", FLOWS)
def test_levels_cover_z_once(name):
    flow, x, label = trained(name)
    assert level_count({"architecture": flow.architecture}) == len(flow.levels)
    assert flow.levels[0].start == 0
    assert flow.levels[-1].stop == flow.num_dims
    for a, b in zip(flow.levels, flow.levels[1:], strict=False):
        assert a.stop == b.start
    for level in flow.levels:
        assert math.prod(level.shape) == level.stop - level.start


@pytest.mark.parametrize("name", FLOWS)
def test_same_z_at_another_temperature(name):
    flow, _, _ = trained(name)
    warm, cold = flow.sample(3, 1.0, seed=5), flow.sample(3, 0.25, seed=5)
    if "mixture" not in name:
        assert torch.allclose(cold, 0.25 * warm)
    assert torch.allclose(flow.temper(warm, 1.0), warm)
    if len(flow.levels) == 2 and "mixture" not in name:
        mixed = flow.temper(warm, [1.0, 0.0])
        cut = flow.levels[0].stop
        assert torch.equal(mixed[:, :cut], warm[:, :cut])
        assert (mixed[:, cut:] == 0).all()


def test_a_sample_depends_on_seed_and_number_alone():
    flow, _, _ = trained("glow")
    page = flow.sample(8, seed=3)
    assert torch.equal(flow.sample(2, seed=3, first=4), page[4:6])
    assert not torch.equal(flow.sample(8, seed=4), page)
    assert len(np.unique(page.numpy())) == page.numel()


def numbered(flow, seed: int, index: int) -> np.ndarray:
    """A draw as recipes written before had it: a generator of its own for every number."""
    rng = np.random.Generator(np.random.Philox(key=[seed % 2**64, index % 2**64]))
    fine = standard_draw(rng, flow.levels[-1].start, flow.prior.kind)
    if isinstance(flow.prior, MixturePrior):
        channels, places = flow.prior.shape[0], math.prod(flow.prior.shape[1:])
        weights = torch.softmax(flow.prior.weight_logits.double(), 0).detach().numpy()
        chosen = rng.choice(flow.prior.components, size=places, p=weights / weights.sum())
        location = flow.prior.location.detach().double().numpy()[chosen].T
        scale = soft_clamp(flow.prior.raw_log_scale, flow.prior.bound).detach().double().exp().numpy()[chosen].T
        top = (location + scale * rng.standard_normal((channels, places))).astype(np.float32).ravel()
    else:
        top = standard_draw(rng, flow.num_dims - flow.levels[-1].start, flow.prior.kind)
    return np.concatenate([fine, top])


@pytest.mark.parametrize("name", ["glow", "glow-logistic", "glow-mixture", "toy-mixture", "toy-spline", "vector"])
def test_numbered_samples_keep_their_bits(name):
    flow, _, _ = trained(name, torch.float32)
    for seed, first in ((0, 0), (3, 2**40), (-1, 2**64 - 2)):
        expected = np.stack([numbered(flow, seed, first + i) for i in range(5)])
        assert np.array_equal(flow.sample(5, seed=seed, first=first).numpy(), expected)
        assert np.array_equal(flow.base_sample(seed, first + 3), expected[3])
    assert flow.sample(0).shape == flow.draw(0, np.random.default_rng()).shape == (0, flow.num_dims)


@pytest.mark.parametrize("name", ["glow", "glow-logistic", "toy-mixture"])
def test_draws_at_once_follow_the_base_density_as_numbered_ones_do(name):
    flow, _, _ = trained(name)
    count = 20_000 if flow.num_dims == 2 else 2000
    drawn, numbered = flow.draw(count, np.random.default_rng(1), 0.7), flow.sample(count, 0.7, seed=1)
    assert drawn.dtype == flow.dtype and drawn.shape == numbered.shape
    for power in (1, 2):
        assert ((drawn**power).mean() - (numbered**power).mean()).abs() < 0.05
    assert (flow.base_log_prob(drawn).mean() - flow.base_log_prob(numbered).mean()).abs() < 0.02 * flow.num_dims


def test_base_samples_follow_the_base_density():
    for name in ("glow", "glow-logistic", "toy-mixture"):
        flow, _, _ = trained(name)
        z = flow.sample(4000 if flow.num_dims == 2 else 400, seed=1)
        entropy = -flow.base_log_prob(z).mean().detach()
        if name == "glow":
            expected = flow.num_dims * 0.5 * math.log(2 * math.pi * math.e)
        elif name == "glow-logistic":
            expected = flow.num_dims * 2.0
        else:
            grid = torch.linspace(-9, 9, 400, dtype=torch.float64)
            points = torch.stack(torch.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
            density = flow.base_log_prob(points)
            cell = (grid[1] - grid[0]) ** 2
            assert (density.exp().sum() * cell - 1).abs() < 1e-3
            expected = -(density.exp() * density).sum().detach() * cell
        assert abs(entropy.item() - float(expected)) < 0.02 * float(expected) + 0.05


def test_density_of_a_toy_flow_integrates_to_one():
    for name in ("toy-realnvp", "toy-glow", "toy-mixture", "toy-nice", "toy-spline"):
        flow, _, _ = trained(name)
        grid = torch.linspace(-14, 14, 700, dtype=torch.float64)
        points = torch.stack(torch.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
        with torch.no_grad():
            mass = flow.log_prob(points).exp().sum() * (grid[1] - grid[0]) ** 2
        assert (mass - 1).abs() < 5e-3, name


def test_a_class_changes_the_density_and_is_required():
    flow, x, label = trained("glow-classes")
    assert not torch.allclose(flow.log_prob(x, label), flow.log_prob(x, (label + 1) % 3))
    with pytest.raises(ConfigError, match="class"):
        flow.encode(x)


@pytest.mark.parametrize("name", ["nice", "realnvp", "glow", "toy-glow"])
def test_an_untrained_flow_says_so(name):
    flow = build(FLOWS[name]).eval()
    with pytest.raises(UntrainedError, match="not been trained"):
        flow.decode(flow.sample(1))


@pytest.mark.parametrize("name", ["nice", "glow", "toy-realnvp", "toy-spline"])
def test_a_flow_that_one_s_own_loop_trained_may_sample(name):
    torch.manual_seed(0)
    flow = build(FLOWS[name])
    x = 256 * torch.rand(8, *flow.event_shape)
    optimiser = torch.optim.Adam(flow.parameters(), 0.01)
    for _ in range(3):
        assert flow.initialised == bool(optimiser.state)
        (-flow.log_prob(x).mean()).backward()
        optimiser.step()
    before = copy.deepcopy(flow)
    flow.initialise(100 * x)
    assert all(torch.equal(a, b) for a, b in zip(flow.parameters(), before.parameters(), strict=True))
    assert flow.decode(flow.sample(2)).shape == (2, *flow.event_shape)
    loaded = build(FLOWS[name])
    loaded.load_state_dict(flow.state_dict())
    assert before.initialised and loaded.initialised


def test_other_weights_than_the_first_are_no_training():
    flow = build(FLOWS["glow"])
    flow.log_prob(torch.rand(4, 3, 4, 4))
    copied = copy.deepcopy(flow)
    copied.log_prob(torch.rand(4, 3, 4, 4))
    flow.load_state_dict(build(FLOWS["glow"]).state_dict())
    actnorm, mixer = flow.layers[2], flow.layers[3]
    assert isinstance(actnorm, ActNorm) and isinstance(mixer, LULinear)
    with torch.no_grad():
        mixer.lower.mul_(0.5)  # a start of one's own, before any pass
    assert not flow.initialised and not copied.initialised
    flow.initialise(256 * torch.rand(8, 3, 4, 4))
    assert actnorm.bias.any()


def test_wrong_shapes_and_temperatures_are_refused():
    flow, x, _ = trained("glow")
    with pytest.raises(ConfigError, match="3 × 4 × 4"):
        flow.encode(x[:, :1])
    with pytest.raises(ConfigError, match="48 numbers"):
        flow.decode(torch.zeros(1, 47, dtype=torch.float64))
    for bad in (float("nan"), -1.0, float("inf"), [1.0], [1.0, float("nan")]):
        with pytest.raises(ConfigError, match="Temperature"):
            flow.sample(1, bad)


def test_a_value_that_is_not_finite_is_blamed_on_its_layer():
    flow, x, _ = trained("glow")
    actnorm = flow.layers[5]
    assert isinstance(actnorm, ActNorm)
    with torch.no_grad():
        actnorm.bias[0] = float("nan")
    with pytest.raises(NonFiniteError, match="ActNorm") as caught:
        flow.encode(x)
    assert caught.value.layer.startswith("6 ")
    with pytest.raises(NonFiniteError):
        flow.decode(torch.zeros(1, 48, dtype=torch.float64))


@pytest.mark.parametrize(
    "change",
    [
        {"system": "diffusion"},
        {"width": 10**9},
        {"width": "64"},
        {"levels": True},
        {"levels": 0},
        {"shape": [3, 4]},
        {"shape": [3, 0, 4]},
        {"shape": [3, 6, 6]},
        {"import": "os"},
        {"prior": "cauchy"},
        {"permutation": "none"},
    ],
)
def test_architectures_that_cannot_be_are_refused(change):
    with pytest.raises(ConfigError):
        build({**FLOWS["glow"], **change}, meta=True)


def test_repr_reads_like_a_table():
    assert "AffineCoupling" in repr(build(FLOWS["glow"]))
