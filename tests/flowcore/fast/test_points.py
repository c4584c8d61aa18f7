"""The fast path of points gives the numbers of the layers, which are the definition."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from flowcore.bijections import (
    ActNorm,
    AffineCoupling,
    ChannelMask,
    Householder,
    InvertibleLinear,
    Permutation,
)
from flowcore.errors import ConfigError, NonFiniteError, UntrainedError
from flowcore.fast.points.flat import FlatAdam, FlatParameters
from flowcore.fast.points.flow import CHUNK, TRAINING_CHUNK, PointsFlow
from flowcore.model.flow import Flow
from flowcore.model.networks import MLP
from flowcore.model.priors import StandardPrior
from flowcore.model.systems import build
from flowcore.plane.trainer import ToyConfig, ToyTrainer

SIZES = {"depth": 4, "width": 16}
CASES = {
    f"{system}, {activation}, {prior}": {"system": system, "shape": [2], **SIZES, "activation": activation, "prior": prior}
    for system in ("nice", "realnvp", "glow")
    for activation in ("silu", "relu", "tanh")
    for prior in ("gaussian", "logistic")
} | {
    "realnvp, five dimensions": {"system": "realnvp", "shape": [5], **SIZES},
    "glow, five dimensions": {"system": "glow", "shape": [5], **SIZES},
    "glow, plain": {"system": "glow", "shape": [2], **SIZES, "permutation": "plain"},
    "glow, reverse": {"system": "glow", "shape": [2], **SIZES, "permutation": "reverse"},
    "glow, additive": {"system": "glow", "shape": [2], **SIZES, "coupling": "additive"},
    "realnvp, mixture": {"system": "realnvp", "shape": [2], **SIZES, "prior": "mixture"},
    "spline": {"system": "spline", "shape": [2], **SIZES},
}
CLOSE = {torch.float64: 1e-10, torch.float32: 2e-5}


def trained(case: str, dtype: torch.dtype = torch.float64, count: int = 200) -> tuple[Flow, torch.Tensor]:
    """A flow away from its start, and points."""
    torch.manual_seed(0)
    flow = build(CASES[case]).to(dtype)
    x = torch.randn(count, *flow.event_shape, dtype=dtype)
    flow.initialise(x)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return flow.eval(), x


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).abs().max() / b.abs().max().clamp_min(1e-30)).item()


def gradients(flow: Flow) -> list[torch.Tensor]:
    found = [parameter.grad for parameter in flow.parameters() if parameter.grad is not None]
    assert len(found) == sum(1 for _ in flow.parameters())
    return found


@pytest.mark.parametrize("dtype", CLOSE, ids=["fp64", "fp32"])
@pytest.mark.parametrize("case", CASES)
def test_every_pass(case, dtype):
    flow, x = trained(case, dtype)
    plain = copy.deepcopy(flow)
    fast = PointsFlow(flow)
    with torch.no_grad():
        z, log_det = plain.encode(x)
        fast_z, fast_log_det = fast.encode(x)
        assert distance(fast_z, z) < CLOSE[dtype] and distance(fast_log_det, log_det) < CLOSE[dtype]
        assert distance(fast.log_prob(x), plain.log_prob(x)) < CLOSE[dtype]
        assert distance(fast.decode(z), plain.decode(z)) < CLOSE[dtype]
        steps, wanted = list(fast.decode_steps(z)), list(plain.decode_steps(z))
        assert [step.name for step in steps] == [step.name for step in wanted]
        assert all(distance(mine.h, other.h) < CLOSE[dtype] for mine, other in zip(steps, wanted, strict=True))


@pytest.mark.parametrize("dtype", CLOSE, ids=["fp64", "fp32"])
@pytest.mark.parametrize("case", CASES)
def test_every_gradient(case, dtype):
    flow, x = trained(case, dtype)
    plain = copy.deepcopy(flow)
    fast = PointsFlow(flow)
    loss = -plain.log_prob(x).mean()
    loss.backward()
    assert abs(fast.loss_and_gradients(x) - loss.item()) < CLOSE[dtype] * max(1, abs(loss.item()))
    scale = max(p.grad.abs().max() for p in plain.parameters() if p.grad is not None)
    for (name, mine), other in zip(flow.named_parameters(), plain.parameters(), strict=True):
        wanted = torch.zeros_like(other) if other.grad is None else other.grad
        assert (mine.grad - wanted).abs().max() < 10 * CLOSE[dtype] * scale, name
    # Nothing is left over from one call to the next.
    fast.loss_and_gradients(x[:50])
    first = fast.flat.gradient.clone()
    fast.loss_and_gradients(x)
    fast.loss_and_gradients(x[:50])
    assert torch.equal(fast.flat.gradient, first)


@pytest.mark.parametrize("case", ["nice, silu, gaussian", "realnvp, silu, gaussian", "glow, silu, gaussian", "spline"])
def test_the_layers_have_kernels(case):
    assert PointsFlow(trained(case)[0]).by_autograd == []


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("count", [1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 3])
def test_pieces_and_threads_change_nothing(count, threads):
    flow, _ = trained("realnvp, silu, gaussian")
    fast = PointsFlow(flow)
    x = torch.randn(count, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.no_grad():
            assert distance(fast.log_prob(x), flow.log_prob(x)) < 1e-10
            z = fast.encode(x)[0]
            assert distance(z, flow.encode(x)[0]) < 1e-10
            assert distance(fast.decode(z), x) < 1e-9
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("case", ["realnvp, silu, gaussian", "glow, silu, logistic", "spline"])
def test_inference_mode_and_out_of_it(case):
    flow, _ = trained(case)
    fast = PointsFlow(flow)
    x = torch.randn(5 * CHUNK, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with torch.inference_mode():
            inside = fast.log_prob(x)
            fast.decode(fast.encode(x)[0])
        assert torch.equal(fast.log_prob(x), inside)
        fast.decode(fast.encode(x)[0])
        fast.loss_and_gradients(x[:100])
    finally:
        torch.set_num_threads(before)


def test_a_batch_larger_than_a_piece():
    flow, x = trained("realnvp, silu, gaussian", count=TRAINING_CHUNK + 100)
    plain = copy.deepcopy(flow)
    fast = PointsFlow(flow)
    (-plain.log_prob(x).mean()).backward()
    fast.loss_and_gradients(x)
    assert all(distance(a, b) < 1e-9 for a, b in zip(gradients(flow), gradients(plain), strict=True))


def test_a_mask_whose_rows_do_not_adjoin_and_reflections():
    torch.manual_seed(0)
    layers = [
        ActNorm(5), InvertibleLinear(5), Householder(5), Householder(5), AffineCoupling(ChannelMask(5, [0, 2, 4]), MLP(3, 4, 8)),
        Permutation([4, 1, 0, 2, 3]), AffineCoupling(ChannelMask(5, [1, 3]), MLP(2, 6, 8)),
    ]  # fmt: skip
    flow = Flow(layers, StandardPrior((5,)), (5,)).double()
    x = torch.randn(64, 5, dtype=torch.float64)
    flow.initialise(x)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    plain, fast = copy.deepcopy(flow), PointsFlow(flow)
    (-plain.log_prob(x).mean()).backward()
    fast.loss_and_gradients(x)
    assert all(distance(a, b) < 1e-9 for a, b in zip(gradients(flow), gradients(plain), strict=True))
    assert fast.by_autograd == []
    with torch.no_grad():
        assert distance(fast.decode(fast.encode(x)[0]), x) < 1e-11


def test_the_caller_keeps_its_points():
    flow, x = trained("glow, silu, gaussian")
    fast = PointsFlow(flow)
    before = x.clone()
    z = fast.encode(x)[0]
    kept = z.clone()
    fast.log_prob(x)
    fast.loss_and_gradients(x)
    fast.decode(z)
    assert torch.equal(x, before) and torch.equal(z, kept)


def test_what_is_not_finite_is_named():
    flow, x = trained("realnvp, silu, gaussian", torch.float32)
    fast = PointsFlow(flow)
    with pytest.raises(NonFiniteError, match="layer"):
        fast.log_prob(torch.full_like(x, float("nan")))
    with pytest.raises(NonFiniteError, match="layer"):
        fast.decode(torch.full_like(x, float("inf")))


def test_bad_input_gets_a_sentence():
    flow, x = trained("realnvp, silu, gaussian")
    with pytest.raises(ConfigError, match="works on 2 values"):
        PointsFlow(flow).encode(x[:, :1])
    with pytest.raises(ConfigError):
        PointsFlow(flow).decode(x[:, :1])
    with pytest.raises(UntrainedError):
        PointsFlow(build(CASES["realnvp, silu, gaussian"])).decode(x.float())
    with pytest.raises(ConfigError, match="flows of points"):
        PointsFlow(build({"system": "nice", "shape": [1, 4, 4], "depth": 2, "width": 4, "hidden": 1}))


# -- flat parameters ------------------------------------------------------------------------------------------------


def test_flat_parameters_change_nothing_about_the_module():
    flow, x = trained("glow, silu, gaussian")
    before = {name: value.clone() for name, value in flow.state_dict().items()}
    flat = FlatParameters(flow)
    assert list(flow.state_dict()) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in flow.state_dict().items())
    with torch.no_grad():
        flat.values.mul_(1.1)
    assert all(torch.equal(p, before[name] * 1.1) for name, p in flow.named_parameters())
    flow.load_state_dict(before)
    flat.check()
    (-flow.log_prob(x).mean()).backward()
    grads = torch.cat([p.grad.flatten() for p in flow.parameters()])
    assert grads.abs().max() > 0 and torch.isclose(flat.gradient.square().sum(), grads.square().sum())


def test_a_copy_or_a_move_breaks_the_tie_and_says_so():
    flow, _ = trained("realnvp, silu, gaussian")
    flat = FlatParameters(flow)
    copied = copy.deepcopy(flow)
    with torch.no_grad():
        flat.values.zero_()
    assert any(p.abs().max() > 0 for p in copied.parameters())
    flow.to(torch.float32)
    with pytest.raises(RuntimeError, match="moved"):
        flat.check()


@pytest.mark.parametrize("clip", [None, 0.1])
def test_adam_is_torchs(clip):
    flow, x = trained("realnvp, silu, gaussian")
    plain = copy.deepcopy(flow)
    flat = FlatParameters(flow)
    mine, other = FlatAdam(flat, (0.9, 0.99)), torch.optim.Adam(plain.parameters(), lr=1e-2, betas=(0.9, 0.99))
    for _ in range(5):
        flat.clear_gradient()
        (-flow.log_prob(x).mean()).backward()
        norm = mine.step(1e-2, clip)
        other.zero_grad()
        (-plain.log_prob(x).mean()).backward()
        wanted = torch.nn.utils.clip_grad_norm_(plain.parameters(), clip or 1e9)
        other.step()
        assert norm == pytest.approx(wanted.item(), rel=1e-9)
    assert all(distance(a, b) < 1e-9 for a, b in zip(flow.parameters(), plain.parameters(), strict=True))


def test_a_gradient_that_is_not_finite_changes_nothing():
    flow, _ = trained("realnvp, silu, gaussian")
    flat = FlatParameters(flow)
    adam = FlatAdam(flat)
    before = flat.values.clone()
    flat.gradient.fill_(float("nan"))
    assert not np.isfinite(adam.step(1e-2, 1.0))
    assert torch.equal(flat.values, before) and adam.count == 0


# -- the trainer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", ["nice", "realnvp", "glow", "spline"])
def test_two_hundred_steps_end_where_the_plain_path_ends(flow):
    config = ToyConfig(flow=flow, depth=4, width=16, batch=128)
    fast, plain = ToyTrainer(config), ToyTrainer(config, fast=False)
    assert fast.fast and not plain.fast
    assert fast.step(5) == pytest.approx(plain.step(5), rel=1e-4)
    fast.step(195), plain.step(195)
    # Rounding grows along the way; both have learned the same, and much.
    mine, other = fast.held_out(), plain.held_out()
    assert mine.nll == pytest.approx(other.nll, abs=0.02)
    assert mine.nll < ToyTrainer(config).held_out().nll - 0.3


def test_both_paths_restore_each_other():
    config = ToyConfig(depth=4, width=16, batch=64)
    fast = ToyTrainer(config)
    fast.step(20)
    plain = ToyTrainer(config, fast=False)
    plain.restore(fast.snapshot())
    assert plain.step(3) == pytest.approx(fast.step(3), rel=1e-5)
