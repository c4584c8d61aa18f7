"""An engine that does not answer is told of, and heard again or restarted; one that computes for long is left alone."""

from __future__ import annotations

import os
import signal

import pytest
from engine_helpers import is_alive
from engine_test_requests import Count, Echo, Spin, Train

from flow_explorer.engine import watchdog

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="there is no kill -STOP here")


@pytest.fixture
def engine(make_engine, monkeypatch):
    """An engine whose seconds are short, and what was told of it."""
    monkeypatch.setattr(watchdog, "BEAT_MS", 200)
    client = make_engine()
    client.told = []
    client.trouble.connect(lambda words, help: client.told.append((words, help)))
    return client


def test_a_stopped_engine_is_told_of_and_heard_again(engine, qtbot):
    answers = []
    os.kill(engine.pid, signal.SIGSTOP)
    engine.send(Echo(1), on_answer=answers.append)
    qtbot.waitUntil(lambda: bool(engine.told), timeout=60_000)
    assert "does not answer" in engine.told[0][0] and engine.told[0][1] == "Restart the engine" and engine.silent
    os.kill(engine.pid, signal.SIGCONT)
    qtbot.waitUntil(lambda: bool(answers) and len(engine.told) == 2, timeout=60_000)
    assert engine.told[1] == ("", "") and not engine.silent


def test_a_stopped_engine_can_be_restarted_and_does_what_was_asked(engine, qtbot):
    old, notices, answers = engine.pid, [], []
    engine.notice.connect(notices.append)
    os.kill(old, signal.SIGSTOP)
    engine.send(Echo("kept"), on_answer=lambda message: answers.append(message.data["value"]))
    qtbot.waitUntil(lambda: engine.silent, timeout=60_000)
    with qtbot.waitSignal(engine.restarted, timeout=60_000):
        engine.restart()
    assert engine.told[-1] == ("", "") and engine.pid != old and not is_alive(old)
    assert notices == ["The engine is being started again."]
    qtbot.waitUntil(lambda: answers == ["kept"], timeout=60_000)
    assert not engine.silent


def test_what_hangs_it_again_is_given_up_and_the_rest_goes_on(engine, qtbot):
    errors, answers = [], []
    engine.send(Spin(), on_error=lambda sentence, _details: errors.append(sentence))
    for _ in range(2):
        qtbot.waitUntil(lambda: engine.silent, timeout=60_000)
        with qtbot.waitSignal(engine.restarted, timeout=60_000):
            engine.restart()
    assert len(errors) == 1 and "twice" in errors[0]
    engine.send(Echo("after"), on_answer=answers.append)
    assert engine.wait_until_idle(60_000) and len(answers) == 1


def test_work_that_takes_long_blames_nobody(engine, qtbot):
    done = []
    engine.send(Train(1.0))  # for ever, with frames
    engine.send(Count(30, pause=0.1), on_answer=done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=60_000)
    assert engine.told == []


def test_a_window_that_was_busy_itself_blames_nobody(engine, qtbot):
    import time

    engine.send(Train(1.0))
    for _ in range(3):
        qtbot.wait(120)
        time.sleep(1.0)  # several beats, of which its loop lives through one
    assert engine.told == []


def test_after_giving_up_the_way_out_is_named_and_works(make_engine, qtbot, monkeypatch):
    from engine_helpers import ENVIRONMENT

    from flow_explorer.engine import process

    monkeypatch.setattr(process, "BACK_OFF_MS", (0, 10, 20))
    client, told, answers = make_engine(start=False, environment={**ENVIRONMENT, "ENGINE_TEST_DIE": "1"}), [], []
    client.trouble.connect(lambda *what: told.append(what))
    client.start()
    qtbot.waitUntil(lambda: client.state == "stopped", timeout=60_000)
    assert "Start the engine again" in told[-1][0] and told[-1][1] == "Start the engine again"
    client._process._environment.pop("ENGINE_TEST_DIE")
    client.restart()
    assert told[-1] == ("", "")
    client.send(Echo(2), on_answer=answers.append)
    qtbot.waitUntil(lambda: bool(answers), timeout=60_000)
