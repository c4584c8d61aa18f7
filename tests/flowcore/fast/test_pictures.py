"""The fast path of pictures gives the numbers of the layers, which are the definition."""

from __future__ import annotations

import copy
import gc
import weakref

import numpy as np
import pytest
import torch

from flowcore.bijections import ActNorm, AffineCoupling
from flowcore.errors import ConfigError, NonFiniteError, UntrainedError
from flowcore.fast import accelerate, sharing
from flowcore.fast.pictures.run import LONGEST
from flowcore.fast.pictures.segments import GlowSteps
from flowcore.fast.threads import in_threads, shares
from flowcore.model.flow import Flow
from flowcore.model.networks import ConvNetwork, set_reduced_precision
from flowcore.model.systems import build
from flowcore.modules import bias_of
from flowcore.work import finish

SMALL = {"shape": [3, 8, 8], "levels": 2, "steps": 3, "width": 16}
CASES = {
    "lu": {"system": "glow", **SMALL},
    "plain, additive": {"system": "glow", **SMALL, "permutation": "plain", "coupling": "additive"},
    "reverse": {"system": "glow", **SMALL, "permutation": "reverse"},
    "logistic": {"system": "glow", **SMALL, "prior": "logistic"},
    "mixture": {"system": "glow", **SMALL, "prior": "mixture"},
    "by class, grey": {"system": "glow", **SMALL, "shape": [1, 8, 8], "classes": 3},
    "longer than a run": {"system": "glow", **SMALL, "levels": 1, "steps": LONGEST + 2},
    "realnvp": {"system": "realnvp", "shape": [3, 8, 8], "levels": 2, "width": 4, "blocks": 1},
    "realnvp, cycle": {"system": "realnvp", "shape": [3, 8, 8], "levels": 2, "width": 4, "blocks": 1, "masks": "cycle"},
    "plus": {"system": "glow-plus", **SMALL, "split_width": 8},
    "plus, by class": {"system": "glow-plus", **SMALL, "split_width": 0, "classes": 3},
    "plus, bounded": {"system": "glow-plus", **SMALL, "split_width": 8, "input_bound": 1.5},
    "plus, grown": {"system": "glow-plus", **SMALL, "split_width": 8, "split_blocks": 1, "growth": 2.0, "width": 32,
                    "squeeze": "haar", "axes": "principal-all", "input_bound": 2.0, "places": True},
    "nice": {"system": "nice", "shape": [1, 4, 4], "depth": 4, "width": 16, "hidden": 1},
}
CLOSE = {torch.float64: 1e-11, torch.float32: 1e-5}


def trained(case: str, dtype: torch.dtype = torch.float64, count: int = 10) -> tuple[Flow, torch.Tensor, torch.Tensor | None]:
    """A flow away from its start, pixels, and labels where it wants them."""
    torch.manual_seed(0)
    flow = build(CASES[case]).to(dtype)
    # Away from the edges of the bins, where variational dequantisation stops.
    x = torch.randint(0, 256, (count, *flow.event_shape)) + 0.02 + 0.96 * torch.rand(count, *flow.event_shape, dtype=dtype)
    flow.initialise(x)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    label = torch.arange(count) % flow.num_classes if flow.num_classes else None
    return flow.eval(), x, label


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """Largest difference as a share of the largest value."""
    return ((a - b).abs().max() / b.abs().max().clamp_min(1e-30)).item()


def gradients(flow: Flow, log_prob: torch.Tensor) -> list[torch.Tensor]:
    flow.zero_grad(set_to_none=True)
    flow.bits_per_dim(log_prob).mean().backward()
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in flow.parameters()]


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", CLOSE, ids=["fp64", "fp32"])
@pytest.mark.parametrize("case", CASES)
def test_both_directions(case, dtype, threads):
    flow, x, label = trained(case, dtype)
    fast = accelerate(flow)
    with torch.no_grad():
        z, log_det = flow.encode(x, label)
        fast_z, fast_log_det = fast.encode(x, label)
        stepwise_z, stepwise_log_det = finish(fast.encode_steps(x, label))
        assert distance(fast_z, z) < CLOSE[dtype] and distance(fast_log_det, log_det) < CLOSE[dtype]
        assert distance(stepwise_z, z) < CLOSE[dtype] and distance(stepwise_log_det, log_det) < CLOSE[dtype]
        back = flow.decode(z, label)
        assert distance(fast.decode(z, label), back) < CLOSE[dtype]
        assert distance(finish(fast.decode_steps(z, label)), back) < CLOSE[dtype]
        assert distance(fast.decode(fast_z, label), x) < CLOSE[dtype]


@pytest.mark.parametrize("memory", ["store", "invert"])
@pytest.mark.parametrize("case", CASES)
def test_every_gradient(case, memory, threads):
    flow, x, label = trained(case)
    flow.train()
    fast = accelerate(flow)
    fast.memory = memory
    wanted = gradients(flow, flow.log_prob(x, label))
    with sharing():
        found = gradients(flow, fast.log_prob(x, label))
    for (name, _), mine, plain in zip(flow.named_parameters(), found, wanted, strict=True):
        assert distance(mine, plain) < 1e-9, name
    assert sum(plain.abs().max() > 0 for plain in wanted) > len(wanted) // 2


@pytest.mark.parametrize("memory", ["store", "invert"])
def test_the_gradient_of_the_picture(memory):
    flow, x, _ = trained("lu")
    flow.train()
    fast = accelerate(flow)
    fast.memory = memory
    wanted = torch.autograd.grad(flow.log_prob(x.requires_grad_()).sum(), x)[0]
    assert distance(torch.autograd.grad(fast.log_prob(x).sum(), x)[0], wanted) < 1e-9


@pytest.mark.parametrize("memory", ["store", "invert"])
def test_reduced_precision_is_near(memory, threads):
    flow, x, _ = trained("lu", torch.float32)
    flow.train()
    fast = accelerate(flow)
    fast.memory = memory
    exact = gradients(flow, flow.log_prob(x))
    set_reduced_precision(flow, True)
    plain = gradients(flow, flow.log_prob(x))
    found = gradients(flow, fast.log_prob(x))

    def error(values: list[torch.Tensor]) -> float:
        return torch.cat([(a - b).flatten() for a, b in zip(values, exact, strict=True)]).norm().item()

    assert error(found) < 1.5 * error(plain) + 1e-6
    assert error(found) > 0


def test_weights_that_change_are_noticed():
    flow, x, _ = trained("lu", torch.float32)
    fast = accelerate(flow)
    z = fast.encode(x)[0].detach()
    fast.decode(z)
    actnorm, coupling = flow.layers[2], flow.layers[4]
    assert isinstance(actnorm, ActNorm) and isinstance(coupling, AffineCoupling)
    assert isinstance(coupling.network, ConvNetwork)
    with torch.no_grad():
        actnorm.bias.add_(0.5)
        bias_of(coupling.network.last).add_(0.1)
    assert distance(fast.decode(z), flow.decode(z)) < 1e-5
    double = copy.deepcopy(flow).double()
    assert distance(accelerate(double).decode(z.double()), double.decode(z.double())) < 1e-11
    assert accelerate(double) is not fast and accelerate(flow) is fast


def test_a_draft_is_near_and_not_the_picture():
    flow, x, _ = trained("lu", torch.float32)
    fast = accelerate(flow)
    with torch.no_grad():
        z = flow.encode(x)[0]
        exact = fast.decode(z)
        many = z.repeat(16, 1)  # enough places for bfloat16 to be the faster
        draft, beside = fast.decode(many, draft=True)[: len(z)], fast.decode(z[:1], draft=True)
    assert torch.equal(beside, fast.decode(z[:1])), "few places are no faster in bfloat16"
    assert 0 < (draft - exact).abs().max() < 16
    assert torch.equal(fast.decode(z), exact)


def test_decoding_leaves_z_alone():
    flow, x, _ = trained("longer than a run", torch.float32)
    with torch.no_grad():
        z = flow.encode(x)[0]
        before = z.clone()
        accelerate(flow).decode(z)
        accelerate(flow).encode(x)
    assert torch.equal(z, before)


def test_no_picture_depends_on_another(threads):
    flow, x, _ = trained("lu")
    with torch.no_grad():
        together = accelerate(flow).log_prob(x)
        alone = torch.cat([accelerate(flow).log_prob(x[i : i + 1]) for i in range(len(x))])
    assert distance(alone, together) < 1e-12


def test_what_is_not_finite_is_named():
    flow, x, _ = trained("lu", torch.float32)
    with pytest.raises(NonFiniteError, match="layer"):
        accelerate(flow).encode(torch.full_like(x, float("nan")))
    z = torch.full((2, flow.num_dims), float("inf"))
    with pytest.raises(NonFiniteError, match="layer"):
        accelerate(flow).decode(z)


def test_bad_input_gets_a_sentence():
    flow = build(CASES["lu"])
    with pytest.raises(UntrainedError):
        accelerate(flow).decode(torch.zeros(1, flow.num_dims))
    flow, x, _ = trained("lu", torch.float32)
    with pytest.raises(ConfigError, match="3 × 8 × 8"):
        accelerate(flow).encode(x[:, :1])
    with pytest.raises(ConfigError, match="numbers a picture"):
        accelerate(flow).decode(torch.zeros(1, 5))
    with pytest.raises(ConfigError, match="'store'"):
        accelerate(flow).memory = "forget"


def test_steps_are_run_together_but_not_without_bound():
    flow = trained("longer than a run")[0]
    steps = [segment for segment in accelerate(flow).segments if isinstance(segment, GlowSteps)]
    assert [len(run.steps) for segment in steps for run in segment.runs] == [LONGEST, 2]


def test_inverting_keeps_nothing_that_grows_with_depth():
    """What autograd and the graph hold between forward and backward, in bytes of live tensors."""

    def held(steps: int, memory: str) -> int:
        torch.manual_seed(0)
        flow = build({"system": "glow", "shape": [3, 16, 16], "levels": 1, "steps": steps, "width": 8})
        x = torch.rand(32, 3, 16, 16) * 256
        flow.initialise(x)
        flow.train()
        fast = accelerate(flow)
        fast.memory = memory
        gc.collect()
        before = {id(t) for t in gc.get_objects() if issubclass(type(t), torch.Tensor)}
        loss = fast.log_prob(x).sum()
        tape = [t for t in gc.get_objects() if issubclass(type(t), torch.Tensor) and id(t) not in before]
        size = sum(t.numel() * t.element_size() for t in tape)
        loss.backward()
        return size

    assert held(16, "invert") <= held(8, "invert") * 1.05
    assert held(8, "invert") < held(8, "store")


def test_a_flow_and_its_fast_path_are_freed():
    flow = trained("lu")[0]
    accelerate(flow).decode(torch.zeros(1, flow.num_dims, dtype=torch.float64))
    gone = weakref.ref(flow)
    del flow
    gc.collect()
    assert gone() is None


def test_shares_cover_the_batch_and_restore_the_threads(threads):
    x = torch.zeros(11, 1)
    parts = shares(x)
    assert len(parts) == threads
    assert np.concatenate([np.arange(11)[part] for part in parts]).tolist() == list(range(11))
    with sharing():
        assert torch.get_num_threads() == 1
        assert len(shares(x)) == threads
        with sharing():
            assert len(shares(x)) == threads
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == threads


def test_an_error_in_a_share_is_raised():
    def work(number: int) -> int:
        if number == 1:
            raise ValueError("share 1")
        return number

    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="share 1"):
        in_threads(work, 3)
    assert torch.get_num_threads() == before
    assert in_threads(lambda number: number * 2, 3) == [0, 2, 4]
