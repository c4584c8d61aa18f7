"""Jobs on devices that are not there: the tests of the jobs once more, with the engine on a card and on Apple's graphics.

Not the pixels': forward differentiation makes tensors in torch's C++, to which the pretended ones are the CPU's.
"""

from __future__ import annotations

import gc
import weakref

import pytest
import test_jobs_explorer
import torch
from loop_machine import Machine
from test_jobs_explorer import *  # noqa: F403
from test_jobs_layers import *  # noqa: F403
from test_jobs_map import *  # noqa: F403
from test_jobs_toy import NICE, taken, told, train

from flow_explorer.engine import devices
from flow_explorer.engine.jobs.toy_session import SESSION
from flow_explorer.engine.requests.explorer import DraftPage, SamplePage
from flow_explorer.engine.requests.toy import RunToy
from flow_explorer.engine.requests.toy_views import ProbeToy
from flowcore.plane.trainer import ToyConfig, ToyTrainer
from tests.pretend import has_mps_kernel, pretend

del test_the_longest_turn_is_short  # noqa: F821 - the pretence itself takes long
picture = test_jobs_explorer.picture  # the map has a function of this name


def pytest_generate_tests(metafunc):
    """The Explorer's on both; elsewhere the stricter one will do."""
    if "pretence" in metafunc.fixturenames:
        both = metafunc.function.__module__ == test_jobs_explorer.__name__
        metafunc.parametrize("pretence", ["cuda:1", "mps:0"] if both else ["mps:0"], indirect=True)


@pytest.fixture
def pretence(request, monkeypatch, one_thread):
    with pretend(monkeypatch) as made:
        yield request.param
    assert [operator for operator in made.operators.get("mps", ()) if not has_mps_kernel(operator)] == []


@pytest.fixture
def machine(pretence):
    return Machine(pretence)


@pytest.fixture
def cards(monkeypatch, one_thread):
    with pretend(monkeypatch):
        yield


@pytest.fixture
def measured(monkeypatch):
    """Every toy run has been measured to be quicker on the card."""

    def card(config, device):
        yield
        return device

    monkeypatch.setattr("flow_explorer.engine.jobs.toy_session.quicker_device", card)


def place(machine) -> str:
    return str(machine.loop.shared[SESSION].trainer.device)


def test_a_toy_run_stays_on_the_cpu_where_a_card_is_chosen(cards):
    machine = Machine("cuda")
    train(machine, RunToy(1, (NICE,), False, goal=3, views=("samples",)))
    alone = ToyTrainer(ToyConfig.from_dict(NICE))
    alone.step(3)
    assert taken(told(machine), 1, [NICE]).entries[0].snapshot.tobytes() == alone.snapshot()
    assert place(machine) == "cpu"


def test_a_toy_run_follows_the_device_while_it_plays_and_goes_on_exactly(cards, measured):
    machine = Machine("cuda:1")
    machine.acknowledging = True
    id_ = machine.send(RunToy(1, (NICE,), True, views=("samples",)))
    machine.run(30)
    before = machine.loop.shared[SESSION]
    assert place(machine) == "cuda:1" and before.steps[0] > 0
    for id_of_device, there in (("cuda:0", "cuda"), ("cpu", "cpu")):
        machine.tell(type="device", device=id_of_device)
        machine.run(30)
        assert place(machine) == there and str(machine.loop.device) == there and not machine.of(id_, "error")
    steps = machine.loop.shared[SESSION].steps[0]
    assert steps > before.steps[0]
    alone = ToyTrainer(ToyConfig.from_dict(NICE))
    alone.step(steps)
    for name, value in machine.loop.shared[SESSION].trainer.average.state_dict().items():
        torch.testing.assert_close(value, alone.average.state_dict()[name], rtol=1e-3, atol=1e-3)


def test_what_lies_on_a_card_is_let_go_when_it_is_left(cards, measured, model):
    machine = Machine("cuda")
    machine.ask(SamplePage(model, 1, 0, 4, 0.7))
    machine.ask(DraftPage(model, 1, (0, 1), 0.7))
    train(machine, RunToy(1, (NICE,), False, goal=2))
    machine.ask(ProbeToy(1, (0.1, 0.2)))
    flow = weakref.ref(machine.loop.models.get(model).flow)
    trainer = weakref.ref(machine.loop.shared[SESSION].trainer)
    assert machine.loop.on_device
    assert machine.loop._fall_back(torch.cuda.OutOfMemoryError("CUDA out of memory"))
    gc.collect()
    assert flow() is None and not machine.loop.on_device
    train(machine, RunToy(1, (NICE,), False, goal=4))
    gc.collect()
    assert trainer() is None and place(machine) == "cpu"


def test_cuda_0_is_the_first_card_and_mps_is_offered_where_it_is_asked_for(cards, monkeypatch):
    monkeypatch.delenv("FLOW_EXPLORER_MPS", raising=False)
    assert [device["id"] for device in devices.list_devices()] == ["cpu", "cuda", "cuda:1"]
    assert devices.open_device("cuda:0") == devices.open_device("cuda") == torch.device("cuda")
    with pytest.raises(Exception, match="no device 'mps'"):
        devices.open_device("mps")
    monkeypatch.setenv("FLOW_EXPLORER_MPS", "1")
    assert [device["id"] for device in devices.list_devices()] == ["cpu", "cuda", "cuda:1", "mps"]
    assert devices.open_device("mps").type == "mps" and devices.default_device() == torch.device("cuda")
