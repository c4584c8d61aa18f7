"""Work in steps: run to its end, taken part by part, and done in a thread beside whoever waits."""

from __future__ import annotations

import threading

import pytest

from flowcore.work import beside, finish, parts


def steps():
    yield
    yield "first"
    yield 0.0
    yield "second"
    return 7


def test_parts_are_what_is_yielded_beside_the_times():
    found = parts(steps())
    assert [next(found), next(found)] == ["first", "second"] and finish(steps()) == 7


def test_work_beside_is_done_in_another_thread_and_what_it_says_is_told():
    said, threads = [], []
    here = threading.get_ident()

    def work(told):
        told(1, 3)
        return threading.get_ident()

    assert finish(beside(work, lambda *now: said.append(now), threads.append)) not in (here, None)
    assert said in ([], [(1, 3)]) and len(threads) == 1


def test_its_error_is_raised_where_it_is_waited_for():
    def work(_told):
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        finish(beside(work))


def test_it_ends_once_nobody_waits():
    begun, go, threads = threading.Event(), threading.Event(), []

    def work(told):
        begun.set()
        go.wait(10)
        told(1)
        threads.append("went on")

    waiting = beside(work, started=threads.append)
    next(waiting)
    begun.wait(10)
    waiting.close()
    go.set()
    threads[0].join(10)
    assert not threads[0].is_alive() and len(threads) == 1
