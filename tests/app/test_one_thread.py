"""Work on another thread comes back to the window's, in order, or not at all where nobody waits any more."""

from __future__ import annotations

import threading

import pytest

from flow_explorer.one_thread import OneThread


@pytest.fixture
def one():
    made = OneThread()
    yield made
    made.wait()


def test_the_result_comes_to_the_window_s_thread(one, qtbot):
    told = []
    one.run_in_thread(threading.get_ident, lambda ident: told.append((ident, threading.get_ident())))
    assert one.awaited == 1
    qtbot.waitUntil(lambda: bool(told))
    ((there, here),) = told
    assert here == threading.get_ident() != there and one.awaited == 0


def test_works_are_done_one_after_another(one, qtbot):
    at_once, most, told = [], [], []

    def work(number):
        at_once.append(number)
        most.append(len(at_once))
        at_once.remove(number)
        return number

    for number in range(20):
        one.run_in_thread(lambda number=number: work(number), told.append)
    qtbot.waitUntil(lambda: len(told) == 20)
    assert told == list(range(20)) and max(most) == 1


def test_an_error_goes_to_who_asked(one, qtbot):
    told, failed = [], []
    one.run_in_thread(lambda: 1 // 0, told.append, failed.append)
    qtbot.waitUntil(lambda: bool(failed))
    assert isinstance(failed[0], ZeroDivisionError) and not told and one.awaited == 0


def test_an_error_that_nobody_asked_for_is_raised_here(one, qtbot):
    with qtbot.capture_exceptions() as raised:
        one.run_in_thread(lambda: 1 // 0, print)
        qtbot.waitUntil(lambda: bool(raised))
    assert raised[0][0] is ZeroDivisionError


def test_what_is_abandoned_is_not_told_and_what_waits_is_not_begun(one, qtbot):
    begun, free, told, did = threading.Event(), threading.Event(), [], []

    def slow():
        begun.set()
        free.wait(10)
        return "old"

    one.run_in_thread(slow, told.append)
    one.run_in_thread(lambda: did.append("waited"), told.append)
    assert begun.wait(10)
    one.abandon()
    one.run_in_thread(lambda: "new", told.append)
    free.set()
    qtbot.waitUntil(lambda: bool(told))
    assert told == ["new"] and not did


def test_an_owner_that_is_gone_is_told_nothing(qtbot):
    from PySide6.QtCore import QCoreApplication, QEvent, QObject

    parent, free, told = QObject(), threading.Event(), []
    one = OneThread(parent)
    pool = one._pool
    pool.setParent(None)
    one.run_in_thread(lambda: free.wait(10), told.append)
    parent.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    free.set()
    pool.waitForDone()
    QCoreApplication.processEvents()
    assert not told
