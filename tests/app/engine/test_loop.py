"""The loop in this process, without a pipe: priorities, slots, flow control, errors, devices."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from loop_machine import Machine

from flow_explorer.engine.context import BLOCKED, JOBS, STREAM_LIMIT, job
from flow_explorer.engine.loop import Loop
from flow_explorer.engine.requests.base import Priority, Request

TRACE: list[str] = []


@dataclass(frozen=True, eq=False)
class Work(Request):
    kind = "unit.work"
    priority = Priority.EXPORT

    name: str
    turns: int = 3


@dataclass(frozen=True, eq=False)
class Urgent(Work):
    kind = "unit.urgent"
    priority = Priority.INTERACTIVE


@dataclass(frozen=True, eq=False)
class Hand(Work):
    """Its turns are not shared with its equals."""

    kind = "unit.hand"
    priority = Priority.INTERACTIVE


@dataclass(frozen=True, eq=False)
class Follower(Request):
    """What follows a hand when it is this long overdue; each value takes the place of one that has not begun."""

    kind = "unit.follower"
    slot = "unit.follower"
    priority = Priority.PAGE
    patience = 0.05

    name: str


@dataclass(frozen=True, eq=False)
class Page(Request):
    """Answers three times, with turns between."""

    kind = "unit.page"
    slot = "unit.page"
    priority = Priority.PAGE
    grace = 0.0

    name: str


@dataclass(frozen=True, eq=False)
class PatientPage(Page):
    kind = "unit.page.patient"
    slot = "unit.page.patient"
    grace = 3600.0


@dataclass(frozen=True, eq=False)
class StrictPage(Page):
    kind = "unit.page.strict"
    slot = "unit.page.strict"
    strict = True


@dataclass(frozen=True, eq=False)
class Sleepy(Request):
    """Answers in its second turn, then sleeps."""

    kind = "unit.sleepy"
    slot = "unit.sleepy"
    sleep = 4.0

    name: str


@dataclass(frozen=True, eq=False)
class Trainer(Request):
    kind = "unit.trainer"
    slot = "unit.trainer"
    priority = Priority.TOY
    adopts = True

    rate: float


@dataclass(frozen=True, eq=False)
class Hungry(Request):
    kind = "unit.hungry"

    message: str = "CUDA out of memory. Tried to allocate 139 GiB"
    always: bool = False


@job(Urgent.kind)
@job(Work.kind)
def work(context, request):
    for _ in range(request.turns):
        TRACE.append(request.name)
        yield
    context.send(request.kind, {"grad": torch.is_grad_enabled()}, done=True)


@job(Hand.kind)
def hand(context, request):
    context.keep_turns()
    yield from work(context, request)


@job(Follower.kind)
def follower(context, request):
    TRACE.append(request.name)
    yield


@job(StrictPage.kind)
@job(PatientPage.kind)
@job(Page.kind)
def page(context, request):
    try:
        for part in range(3):
            yield
            context.send("page", {"name": request.name, "part": part})
            yield
    finally:
        TRACE.append(f"{request.name} closed")


@job(Sleepy.kind)
def sleepy(context, request):
    yield
    context.send(request.kind, {"name": request.name})
    yield request.sleep


@job(Trainer.kind, grad=True)
def trainer(context, request):
    step = 0
    while True:
        step += 1
        assert torch.is_grad_enabled()
        context.try_stream("frame", {"step": step, "rate": request.rate})
        request = context.take() or request
        yield


@job(Hungry.kind)
def hungry(context, request):
    context.send(request.kind, {"device": str(context.device)})
    yield
    if request.always or context.device.type != "cpu":
        raise torch.cuda.OutOfMemoryError(request.message)
    context.send(request.kind, {"device": str(context.device)}, done=True)


@pytest.fixture
def machine():
    TRACE.clear()
    return Machine()


def test_the_urgent_goes_first_and_equals_take_turns(machine):
    machine.send(Work("export"))
    machine.run(1)
    machine.send(Urgent("a"))
    machine.send(Urgent("b"))
    machine.run()
    assert TRACE == ["export", "a", "b", "a", "b", "a", "b", "export", "export"]


def test_nothing_starves_beside_endless_urgent_work(machine):
    machine.send(Work("export", turns=3))
    machine.run(1)
    machine.send(Urgent("drag", turns=10**9))
    start = time.monotonic()
    while not machine.of(1) and time.monotonic() - start < 10:
        machine.loop.turn(wait=False)
    assert machine.of(1)
    assert TRACE.count("drag") > 10 * TRACE.count("export")


def test_what_follows_a_hand_has_its_turns_at_a_stretch_once_it_has_begun(machine):
    for name in "ab":
        machine.send(Hand(name))
    machine.run()
    assert TRACE == ["a", "a", "a", "b", "b", "b"]


def test_what_is_replaced_while_it_waits_becomes_overdue_all_the_same(machine):
    machine.send(Urgent("drag", turns=10**9))
    machine.run(1)
    start, sent = time.monotonic(), 0
    while "follows" not in TRACE and time.monotonic() - start < 10:
        machine.send(Follower("follows"))
        sent += 1
        machine.loop.turn(wait=False)
        time.sleep(0.001)
    assert "follows" in TRACE and sent > 5 and time.monotonic() - start >= Follower.patience


def test_a_newer_request_replaces_the_one_that_waits(machine):
    first = machine.send(Page("first"))
    machine.run(1)
    second, third = machine.send(Page("second")), machine.send(Page("third"))
    machine.run()
    assert len(machine.of(first)) == 1, "stopped after its first answer, for its grace is over"
    assert machine.of(second) == []
    assert len(machine.of(third)) == 3
    assert [machine.of(id_, "over") != [] for id_ in (first, second, third)] == [True, True, True]
    assert TRACE == ["first closed", "third closed"]


def test_one_that_never_ran_is_replaced_without_a_trace(machine):
    ids = [machine.send(Page(str(number))) for number in range(200)]
    machine.run()
    assert {header["data"]["name"] for header in machine.said if header["type"] == "answer"} == {"199"}
    assert all(len(machine.of(id_, "over")) == 1 for id_ in ids)


def test_grace_lets_a_page_finish(machine):
    first = machine.send(PatientPage("first"))
    machine.run(3)
    second = machine.send(PatientPage("second"))
    machine.run()
    assert len(machine.of(first)) == 3
    assert len(machine.of(second)) == 3


def test_strict_stops_at_once(machine):
    first = machine.send(StrictPage("first"))
    machine.run(1)
    second = machine.send(StrictPage("second"))
    machine.run()
    assert machine.of(first) == []
    assert len(machine.of(second)) == 3


def test_cancel_closes_a_running_and_a_waiting_request(machine):
    first = machine.send(Page("first"))
    machine.run(1)
    second = machine.send(Page("second"))
    machine.tell(type="cancel", id=second)
    machine.tell(type="cancel", id=first)
    machine.tell(type="cancel", id=99)
    machine.run()
    assert machine.of(first) == machine.of(second) == []
    assert machine.of(first, "over") and machine.of(second, "over")
    assert TRACE == ["first closed"]


def test_a_trainer_adopts_newer_settings_and_goes_on(machine):
    first = machine.send(Trainer(1.0))
    machine.run(1)
    second = machine.send(Trainer(2.0))
    machine.run(2)
    machine.tell(type="ack", id=first)
    machine.tell(type="ack", id=first)
    machine.run(1)
    assert machine.of(first, "over")
    steps = [(header["data"]["step"], header["data"]["rate"]) for header in machine.of(second)]
    assert steps and all(rate == 2.0 for _, rate in steps)
    assert min(step for step, _ in steps) > 1, "the same trainer went on"


def test_a_stream_holds_at_most_two_frames_and_resumes_on_acknowledgement(machine):
    @dataclass(frozen=True, eq=False)
    class Stream(Request):
        kind = "unit.stream"

    @job(Stream.kind)
    def stream(context, request):
        for number in range(5):
            yield from context.stream("frame", {"number": number})

    try:
        id_ = machine.send(Stream())
        machine.run()
        assert len(machine.of(id_)) == STREAM_LIMIT
        assert machine.loop.turn(wait=False) is False, "a blocked job takes no turns"
        for expected in (3, 4, 5, 5, 5):
            machine.tell(type="ack", id=id_)
            machine.run()
            assert len(machine.of(id_)) == expected
        assert [header["data"]["number"] for header in machine.of(id_)] == [0, 1, 2, 3, 4]
        assert machine.of(id_, "over")
    finally:
        JOBS.pop(Stream.kind)
        Request._by_kind.pop(Stream.kind)


def test_a_trainer_drops_frames_rather_than_wait(machine):
    id_ = machine.send(Trainer(1.0))
    machine.run(50)
    assert [header["data"]["step"] for header in machine.of(id_)] == [1, 2]
    machine.tell(type="ack", id=id_)
    machine.run(10)
    assert machine.of(id_)[-1]["data"]["step"] == 51


def test_a_job_does_not_sleep_while_a_newer_one_waits(machine):
    first = machine.send(Sleepy("first"))
    machine.run(1)
    second = machine.send(Sleepy("second"))  # it came before the first went to sleep
    began = time.monotonic()
    while not machine.of(second) and time.monotonic() - began < 5:
        machine.loop.turn(wait=False)
    assert machine.of(first) and machine.of(second) and time.monotonic() - began < Sleepy.sleep / 2


def test_a_job_may_sleep(machine):
    @dataclass(frozen=True, eq=False)
    class Nap(Request):
        kind = "unit.nap"

    @job(Nap.kind)
    def nap(context, request):
        yield 0.05
        context.send("awake")

    try:
        id_ = machine.send(Nap())
        start = time.monotonic()
        machine.run(2)
        assert not machine.of(id_)
        while not machine.of(id_):
            machine.loop.turn()
        assert 0.05 <= time.monotonic() - start < 2
    finally:
        JOBS.pop(Nap.kind)
        Request._by_kind.pop(Nap.kind)


def test_gradients_are_off_in_a_job_and_on_where_it_asks(machine):
    machine.send(Trainer(1.0))
    id_ = machine.send(Urgent("a"))
    machine.run(20)
    assert machine.of(id_)[0]["data"]["grad"] is False
    assert machine.of(1)
    assert torch.is_grad_enabled()


def test_out_of_memory_falls_back_to_the_cpu_and_says_so():
    machine = Machine("cuda")
    id_ = machine.send(Hungry())
    machine.run()
    assert [header["data"]["device"] for header in machine.of(id_)] == ["cuda", "cpu", "cpu"]
    assert machine.of(id_)[-1]["done"] and machine.of(id_, "over") and not machine.of(id_, "error")
    notices = [header["sentence"] for header in machine.said if header["type"] == "notice"]
    assert len(notices) == 1 and "ran out of memory" in notices[0] and "CPU" in notices[0]
    assert {"type": "device", "device": "cpu"} in machine.said
    assert machine.loop.device == torch.device("cpu")


def test_out_of_memory_on_the_cpu_too_is_an_error_not_a_circle():
    machine = Machine("cuda")
    id_ = machine.send(Hungry(always=True))
    machine.run()
    (error,) = machine.of(id_, "error")
    assert "not enough memory" in error["sentence"]


def test_the_models_are_forgotten_when_the_device_changes(machine, small_model):
    before = machine.loop.models.get(str(small_model))
    assert machine.loop.models.get(str(small_model)) is before
    machine.tell(type="device", device="cpu")
    machine.run(1)
    assert machine.loop.models.get(str(small_model)) is before
    machine.loop._use(torch.device("meta"))
    machine.loop._use(torch.device("cpu"))
    assert machine.loop.models.get(str(small_model)) is not before


def test_a_device_that_is_not_there_is_a_notice(machine):
    machine.tell(type="device", device="cuda:99")
    machine.run(1)
    assert "no device 'cuda:99'" in machine.said[0]["sentence"]
    assert machine.said[1] == {"type": "device", "device": "cpu"}


def test_a_replaced_checkpoint_is_read_again_and_two_are_kept(machine, small_model, tmp_path):
    models = machine.loop.models
    paths = [tmp_path / f"{name}.safetensors" for name in "abc"]
    for path in paths:
        path.write_bytes(small_model.read_bytes())
    a = models.get(str(paths[0]))
    fresh = tmp_path / "fresh"
    fresh.write_bytes(small_model.read_bytes())
    fresh.replace(paths[0])
    assert models.get(str(paths[0])) is not a
    b = models.get(str(paths[1]))
    models.get(str(paths[2]))
    assert models.get(str(paths[1])) is b
    assert len(models._loaded) == 2


def test_unknown_and_malformed_requests_are_errors_and_the_loop_goes_on(machine):
    machine.inbox.put(({"type": "request", "id": 7, "kind": "nothing.here", "fields": {}}, {}))
    machine.inbox.put(({"type": "request", "id": 8, "kind": Work.kind, "fields": {"nom": 1}}, {}))
    machine.inbox.put(({"type": "nonsense"}, {}))
    machine.count = 8
    id_ = machine.send(Work("after"))
    machine.run()
    assert machine.of(7, "error") and machine.of(8, "error") and machine.of(id_)


def test_answers_carry_arrays_as_they_were():
    sent = []
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    loop = Loop(inbox, lambda header, arrays: sent.append(arrays), torch.device("cpu"), {})

    @dataclass(frozen=True, eq=False)
    class Give(Request):
        kind = "unit.give"

    @job(Give.kind)
    def give(context, request):
        context.send("given", {}, {"a": np.arange(3)})
        yield BLOCKED  # nothing is on its way, so this is an ordinary yield
        context.send("given", {}, {"a": np.arange(4)})

    try:
        inbox.put(({"type": "request", "id": 1, "kind": Give.kind, "fields": {}}, {}))
        for _ in range(5):
            loop.turn(wait=False)
        assert [arrays["a"].tolist() for arrays in sent if arrays] == [[0, 1, 2], [0, 1, 2, 3]]
    finally:
        JOBS.pop(Give.kind)
        Request._by_kind.pop(Give.kind)
