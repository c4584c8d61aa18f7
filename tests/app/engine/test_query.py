"""The window's one guard: what is asked, what is passed on, and what is known meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from flow_explorer.engine.query import Query, same
from flow_explorer.engine.requests.base import Request


@dataclass(frozen=True, eq=False)
class Ask(Request):
    kind = "query.ask"
    slot = "query"

    value: int
    z: np.ndarray


@dataclass(frozen=True, eq=False)
class Task(Request):
    kind = "query.task"

    value: int


class Client:
    """Keeps what was sent until it is answered by hand."""

    def __init__(self) -> None:
        self.sent: list[SimpleNamespace] = []
        self.cancelled: list[int] = []

    def send(self, request, *, on_answer, on_error, on_progress) -> int:
        self.sent.append(SimpleNamespace(request=request, error=on_error, progress=on_progress,
                                         answer=lambda done=True: on_answer(SimpleNamespace(done=done, request=request))))
        return len(self.sent) - 1

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    @property
    def values(self) -> list[int]:
        return [entry.request.value for entry in self.sent]


def ask(value: int, z=(0.0, 1.0)) -> Ask:
    return Ask(value, np.array(z, np.float32))


@pytest.fixture
def client():
    return Client()


def test_requests_are_the_same_by_value():
    assert same(ask(1), ask(1)) and same(None, None) and not same(ask(1), None)
    assert not same(ask(1), ask(2)) and same(ask(1), ask(2), "z") and not same(ask(1), Task(1))
    assert not same(ask(1), ask(1, (0.0, 2.0))) and not same(ask(1), Ask(1, np.array((0.0, 1.0))))


def test_one_is_on_its_way_and_the_newest_follows_it(client):
    query, came = Query(client), []
    for value in (1, 1, 2, 3):
        query.want(ask(value), lambda message, newest: came.append((message.request.value, newest)))
    assert client.values == [1] and query.busy
    client.sent[0].answer(done=False)
    client.sent[0].answer()
    assert client.values == [1, 3] and came == [(1, False), (1, False)] and query.busy
    client.sent[1].answer()
    assert came[-1] == (3, True) and not query.busy
    query.want(ask(3))
    assert client.values == [1, 3]


def test_at_once_gives_up_what_is_on_its_way(client):
    query, came = Query(client), []
    query.want(ask(1), lambda *answer: came.append(answer))
    query.want(ask(2), lambda *answer: came.append(answer), at_once=True)
    client.sent[0].answer()
    assert client.values == [1, 2] and client.cancelled == [0] and not came and query.busy
    query.want(None)
    client.sent[1].answer()
    assert client.cancelled == [0, 1] and not came and not query.busy


def test_each_value_is_sent_where_the_engine_leaves_older_ones_out(client):
    query, came = Query(client, each=True), []
    for value in (1, 2):
        query.want(ask(value), lambda message, newest: came.append((message.request.value, newest)))
    assert client.values == [1, 2]
    client.sent[0].answer()
    assert came == [(1, False)] and query.busy
    client.sent[1].answer()
    assert came[-1] == (2, True) and not query.busy


def test_an_error_is_of_the_newest_alone_and_goes_with_the_next(client):
    changes = []
    query = Query(client, lambda: changes.append((query.busy, query.error)))
    query.want(ask(1))
    query.want(ask(2))
    client.sent[0].error("No.", "trace")
    assert query.error == "" and client.values == [1, 2]
    client.sent[1].error("No.", "trace")
    assert (query.error, query.details, query.busy) == ("No.", "trace", False) and changes[-1] == (False, "No.")
    query.want(ask(2))
    assert len(client.sent) == 2, "what failed is not asked for by itself again"
    query.want(ask(3))
    assert query.error == "" and query.busy


def test_what_is_stopped_stays_wanted_until_it_is_forgotten(client):
    query, came = Query(client), []
    query.want(ask(1), lambda *answer: came.append(answer))
    query.stop()
    query.want(ask(1))
    client.sent[0].answer()
    assert client.cancelled == [0] and client.values == [1] and not came and not query.busy
    query.forget()
    query.want(ask(1))
    assert client.values == [1, 1] and query.busy


def test_after_a_restart_it_is_asked_again_and_nothing_old_comes(client):
    query, came = Query(client), []
    query.want(ask(1), lambda *answer: came.append(answer))
    query.forget()
    assert not query.busy and not client.cancelled
    client.sent[0].answer()
    query.want(ask(1), lambda *answer: came.append(answer))
    assert client.values == [1, 1] and not came
    client.sent[1].answer()
    assert len(came) == 1


def test_what_must_finish_tells_how_far_it_is_and_is_ended_when_it_is_forgotten(client):
    query = Query(client)
    query.want(Task(1))
    client.sent[0].progress(0.5, "half")
    assert query.progress == (0.5, "half")
    query.forget()
    assert client.cancelled == [0] and query.progress is None
    query.want(Task(1))
    client.sent[1].answer()
    assert not query.busy and query.progress is None


def test_what_has_answered_something_makes_way_for_a_newer_value(client):
    query, came = Query(client, yields=True), []
    for value in (1, 2):
        query.want(ask(value), lambda message, newest: came.append((message.request.value, newest)))
    assert client.values == [1] and not client.cancelled
    client.sent[0].answer(done=False)
    assert came == [(1, False)] and client.cancelled == [0] and client.values == [1, 2]
    client.sent[1].answer(done=False)
    query.want(ask(3))
    assert client.cancelled == [0, 1] and client.values == [1, 2, 3]


def test_an_answer_may_ask_for_more(client):
    query = Query(client)
    query.want(ask(1), lambda *_: query.want(ask(2)))
    client.sent[0].answer()
    assert client.values == [1, 2] and query.busy
