"""Every system on devices that are not there: the CPU's numbers, no two devices mixed, and what MPS has not asked for nowhere."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from flowcore.fast import accelerate
from flowcore.latents.map.encoding import encode_rows
from flowcore.model.codec import class_log_probs, decode_batch, encode_picture, from_pixels, label_tensor
from flowcore.model.evaluation import bits_per_picture
from flowcore.model.flow import Flow
from flowcore.model.labels import single
from tests.flowcore.fast.test_pictures import CASES, trained
from tests.pretend import Pretence, has_mps_kernel, pretend

DEVICES = ("cuda:1", "mps:0")


@pytest.fixture
def pretence(monkeypatch, one_thread):
    with pretend(monkeypatch) as made:
        yield made
    check_kernels(made)


def check_kernels(pretence: Pretence) -> None:
    """What ran on MPS has a kernel there."""
    assert [name for name in sorted(pretence.operators.get("mps", ())) if not has_mps_kernel(name)] == []


def on(device: str, flow: Flow) -> Flow:
    return copy.deepcopy(flow).to(device)


def same(here: torch.Tensor, there: torch.Tensor, device: str, close: float = 1e-5) -> None:
    """What was computed there is there, and as it is here."""
    assert str(there.device) == device
    torch.testing.assert_close(there.detach().cpu(), here.detach(), rtol=close, atol=close)


def passes(flow: Flow, x: torch.Tensor, label: torch.Tensor | None, fast: bool) -> list[torch.Tensor]:
    """z, log-det, x again, log p, and the gradients of its mean."""
    way = accelerate(flow) if fast else flow
    with torch.no_grad():
        z, log_det = way.encode(x, label)
        back = way.decode(z, label)
    flow.zero_grad()
    log_prob = way.log_prob(x, label)
    log_prob.mean().backward()
    gradients = [p.grad for p in flow.parameters() if p.grad is not None]
    assert gradients
    return [z, log_det, back, log_prob, *gradients]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", CASES)
def test_a_system_of_pictures_gives_the_cpus_numbers(pretence, case, device):
    flow, x, label = trained(case, torch.float32, count=3)
    moved, x_there, label_there = on(device, flow), x.to(device), None if label is None else label.to(device)
    for fast in (False, True):
        for here, there in zip(passes(flow, x, label, fast), passes(moved, x_there, label_there, fast), strict=True):
            same(here, there, device, 1e-4)


CODED = [(case, "mps:0") for case in CASES] + [(case, "cuda:1") for case in ("lu", "realnvp", "plus, by class")]
"""Of the two, MPS is the stricter; on a card float64 is done there."""


@pytest.mark.parametrize(("case", "device"), CODED)
def test_its_codec_and_its_figures_are_the_cpus(pretence, case, device):
    flow, x, _ = trained(case, torch.float32, count=3)
    moved, pictures = on(device, flow), from_pixels(x)
    labels = [single(1)] * 3 if flow.num_classes else [()] * 3
    given = np.ones(3, np.int64) if flow.num_classes else None
    there, here = (encode_picture(f, pictures[0], label_tensor(f, labels[:1])) for f in (moved, flow))
    assert there.z.dtype == here.z.dtype and there.differing == here.differing == 0
    np.testing.assert_allclose(there.z, here.z, atol=1e-4)
    rows = encode_rows(moved, pictures)
    np.testing.assert_allclose(rows.bpd, encode_rows(flow, pictures).bpd, rtol=1e-5)
    z = moved.sample(2, 0.7, seed=3)
    same(flow.sample(2, 0.7, seed=3), z, device)
    decoded = decode_batch(moved, z.cpu().numpy(), label_tensor(moved, labels[:2]))
    assert np.abs(decoded.astype(int) - decode_batch(flow, z.cpu().numpy(), label_tensor(flow, labels[:2]))).max() <= 1
    np.testing.assert_allclose(bits_per_picture(moved, pictures, given), bits_per_picture(flow, pictures, given), rtol=1e-5)
    if flow.num_classes:
        np.testing.assert_allclose(class_log_probs(moved, pictures[0]), class_log_probs(flow, pictures[0]), rtol=1e-5)
