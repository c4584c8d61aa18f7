"""A training step on devices that are not there: the CPU's weights, and no wait for the device."""

from __future__ import annotations

import copy

import pytest
import torch

from flowcore.model.systems import build
from flowcore.training import RunFolder, architecture_for, train
from flowcore.training.trainer import Trainer
from tests.flowcore.training.test_training import config, pictures
from tests.pretend import WaitedError, has_mps_kernel, no_waiting, pretend

pytestmark = pytest.mark.usefixtures("one_thread")
SYSTEMS = ("nice", "realnvp", "glow", "glow-plus")


def step(trainer: Trainer, data) -> tuple[torch.Tensor, torch.Tensor]:
    return trainer.train_step(*trainer.make_batch(data.pictures, data.labels, trainer.step))


@pytest.mark.parametrize("device", ["cuda:1", "mps:0"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_steps_are_the_cpus_and_wait_for_no_card(monkeypatch, system, device):
    data, settings = pictures(16), config(architecture=architecture_for(system, "tiny", (1, 8, 8)), precision="float32")
    here = Trainer(settings)
    here.initialise(data.pictures, data.labels)
    told = [step(here, data) for _ in range(2)]
    with pretend(monkeypatch) as pretence:
        there = Trainer(settings, device)
        there.initialise(data.pictures, data.labels)
        seen = [step(there, data)]
        if device.startswith("cuda"):  # the second: the first makes what the others keep
            with no_waiting():
                seen.append(step(there, data))
        else:
            seen.append(step(there, data))
        for (bpd, norm), (expected, length) in zip(seen, told, strict=True):
            assert str(bpd.device) == device
            torch.testing.assert_close(bpd.cpu(), expected, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(norm.cpu(), length, rtol=2e-3, atol=1e-4)
        for moved, own in ((there.flow, here.flow), (there.average, here.average)):
            for name, value in moved.state_dict().items():
                torch.testing.assert_close(value.cpu(), own.state_dict()[name], rtol=1e-3, atol=2e-3)
        assert there.skipped == 0 and not there.has_diverged
    assert [operator for operator in pretence.operators.get("mps", ()) if not has_mps_kernel(operator)] == []


def test_a_wait_in_a_step_would_be_seen(monkeypatch):
    with pretend(monkeypatch):
        x = torch.ones(3, device="cuda:0")
        for wait in (x.sum().item, x.cpu, x.nonzero, x.tolist, lambda: bool(x.sum() > 1), lambda: float(x[0]),
                     lambda: torch.ones(3).to("cuda:0"), torch.cuda.synchronize):  # fmt: skip
            with no_waiting(), pytest.raises(WaitedError):
                wait()
        with no_waiting():
            torch.ones(3).pin_memory().to("cuda:0", non_blocking=True).add_(x)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_run_is_trained_measured_kept_and_taken_up_there(monkeypatch, tmp_path, device):
    settings = config(steps=4, evaluate_every=2, checkpoint_every=2, log_every=2, precision="float32")
    with pretend(monkeypatch) as pretence:
        train(settings, pictures(16), tmp_path / "run", pictures(4), device=device, should_stop=lambda: True)
        trainer = train(settings, pictures(16), tmp_path / "run", pictures(4), resume=True, device=device)
        assert trainer.step == 4 and str(trainer.flow.device) == f"{device}:0"
        there = RunFolder(tmp_path / "run").metrics()
    assert [operator for operator in pretence.operators.get("mps", ()) if not has_mps_kernel(operator)] == []
    train(settings, pictures(16), tmp_path / "here", pictures(4))
    here = RunFolder(tmp_path / "here").metrics()
    for name in ("bpd", "held_out_bpd"):  # Adam's first steps go by signs, those of what is nearly 0 too
        last, expected = ([line[name] for line in lines if name in line][-1] for lines in (there, here))
        assert last == pytest.approx(expected, rel=5e-3)


@pytest.fixture
def fresh_tf32(monkeypatch):
    """TF32 as torch has it at first, convolutions may; and put back afterwards."""
    monkeypatch.setattr("flowcore.devices._float32_is_full", False)
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def test_a_flow_moved_to_a_card_turns_tf32_off_once(monkeypatch, fresh_tf32):
    flow = build(config().architecture)
    flow.to("cpu")
    assert torch.backends.cudnn.allow_tf32
    with pretend(monkeypatch):
        copy.deepcopy(flow).to("cuda:0")
        assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
        torch.backends.cudnn.allow_tf32 = True
        copy.deepcopy(flow).to("cuda:0")
        assert torch.backends.cudnn.allow_tf32  # whoever wants it afterwards keeps it
