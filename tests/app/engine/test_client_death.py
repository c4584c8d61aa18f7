"""The engine dies, in every way it can: the client says so, starts another, and the same comes out again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from engine_helpers import ENVIRONMENT, HERE, is_alive
from engine_test_requests import Count, Echo, Slide, Spin, Train

from flow_explorer.engine import process
from flow_explorer.engine.requests.explorer import SamplePage, WalkAt

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
ROOT = HERE.parents[2]


@pytest.fixture
def engine(make_engine):
    """An engine of the test's own, since three quick deaths are remembered."""
    return make_engine()


def kill(client) -> int:
    pid = client.pid
    os.kill(pid, signal.SIGKILL)
    return pid


def gone(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not is_alive(pid):
            return True
        time.sleep(0.02)
    return False


def test_killed_while_decoding_it_comes_back_with_the_same_pixels(engine, qtbot, small_model):
    model = str(small_model)

    def page():
        pictures = []
        engine.send(SamplePage(model, 0, 0, 16, 0.7), on_answer=pictures.append)
        assert engine.wait_until_idle(60_000)
        return [np.concatenate([getattr(part, name) for part in pictures]) for name in ("pictures", "z")]

    before = page()
    notices, restarts, states, must = [], [], [], []
    engine.notice.connect(notices.append)
    engine.state_changed.connect(states.append)
    engine.restarted.connect(lambda: restarts.append(engine.pid))
    engine.send(SamplePage(model, 0, 0, 4096, 1.0))
    engine.send(Count(3, pause=0.05), on_answer=must.append)
    qtbot.wait(60)
    old = kill(engine)
    with qtbot.waitSignal(engine.restarted, timeout=60_000):
        pass
    assert engine.wait_until_idle(60_000), engine.log
    assert len(notices) == 1 and "started again" in notices[0]
    assert restarts == [engine.pid] and engine.pid != old
    assert states[-3:] == ["restarting", "busy", "ready"] or states[-2:] == ["restarting", "ready"]
    assert [message.data["turns"] for message in must] == [3], "the must-finish request was sent again"
    for array, again in zip(before, page(), strict=True):
        np.testing.assert_array_equal(array, again)
    shown = []
    z = np.array(before[1][3])
    engine.send(WalkAt(model, z, z, "linear", 0.0), on_answer=shown.append)
    assert engine.wait_until_idle()
    assert np.abs(shown[0].picture.astype(int) - before[0][3].astype(int)).max() <= 1


def test_killed_while_streaming_the_workspace_sends_its_state_and_the_frames_go_on(engine, qtbot):
    frames = []

    def play():
        engine.send(Train(2.0), on_answer=lambda m: frames.append((m.id, m.data["step"])))

    engine.restarted.connect(play)
    play()
    qtbot.waitUntil(lambda: len(frames) >= 5, timeout=20_000)
    first = frames[-1][0]
    kill(engine)
    qtbot.waitUntil(lambda: frames[-1][0] > first and frames[-1][1] > 5, timeout=60_000)
    assert [id_ for id_, _ in frames] == sorted(id_ for id_, _ in frames)


def test_requests_made_while_it_is_down_are_answered(engine, qtbot):
    kill(engine)
    shown = []
    engine.send(Slide(1.0), on_answer=lambda m: shown.append(m.data["value"]))
    engine.send(Echo("kept"), on_answer=lambda m: shown.append(m.data["value"]))
    qtbot.waitUntil(lambda: "kept" in shown, timeout=60_000)
    assert engine.wait_until_idle(60_000)


def test_a_request_that_kills_it_twice_is_given_up_and_the_rest_goes_on(engine, qtbot):
    errors, answers = [], []
    engine.send(Count(5, die_at=2), on_error=lambda s, t: errors.append(s), on_answer=answers.append)
    qtbot.waitUntil(lambda: bool(errors), timeout=60_000)
    assert "twice" in errors[0] and not answers
    engine.send(Echo("after"), on_answer=answers.append)
    assert engine.wait_until_idle(60_000)
    assert [message.data["value"] for message in answers] == ["after"]


def test_it_gives_up_after_quick_deaths_with_a_sentence_and_can_be_started_again(make_engine, qtbot, monkeypatch):
    monkeypatch.setattr(process, "BACK_OFF_MS", (0, 10, 20))
    client = make_engine(start=False, environment={**ENVIRONMENT, "ENGINE_TEST_DIE": "1"})
    notices, errors, states = [], [], []
    client.notice.connect(notices.append)
    client.state_changed.connect(states.append)
    client.start()
    client.send(Echo(1), on_error=lambda s, t: errors.append((s, t)))
    qtbot.waitUntil(lambda: client.state == "stopped", timeout=60_000)
    assert len(notices) == 4 and "not started again" in notices[-1]
    assert errors[0][0] == notices[-1] and "told to die" in errors[0][1]
    assert client.is_idle()
    client._process._environment.pop("ENGINE_TEST_DIE")
    answers = []
    client.send(Echo(2), on_answer=answers.append)
    client.start()
    qtbot.waitUntil(lambda: bool(answers), timeout=60_000)


def test_whoever_waits_for_a_replaceable_answer_is_told_too_when_it_gives_up(engine, qtbot, monkeypatch):
    monkeypatch.setattr(process, "BACK_OFF_MS", (0, 10, 20))
    errors = []
    assert engine.wait_until_idle(60_000)
    engine._process._environment["ENGINE_TEST_DIE"] = "1"
    engine.send(Spin())
    engine.send(Slide(0.0), on_error=lambda s, t: errors.append(s))
    os.kill(engine.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: engine.state == "stopped", timeout=60_000)
    assert len(errors) == 1 and "not started again" in errors[0] and engine.is_idle()


PARENT = """
import sys
from PySide6.QtCore import QCoreApplication, QTimer
from flow_explorer.engine.client import EngineClient
from engine_test_requests import Count, Spin
from flow_explorer.engine.requests.explorer import SamplePage
application = QCoreApplication([])
client = EngineClient(module="engine_under_test")
when = sys.argv[1]
client.start()
if when == "importing":
    QTimer.singleShot(150, lambda: print(client.pid, flush=True))
else:
    request = Spin() if when == "spinning" else SamplePage(sys.argv[2], 0, 0, 4096, 1.0)
    client.send(request)
    client.ready.connect(lambda _: QTimer.singleShot(300, lambda: print(client.pid, flush=True)))
application.exec()
"""


@pytest.mark.parametrize("when", ["importing", "decoding", "spinning"])
def test_no_orphan_is_left_when_the_window_is_killed(when, small_model):
    paths = [str(ROOT / "app"), str(ROOT), str(HERE)]
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(paths)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, when, str(small_model)], stdout=subprocess.PIPE, env=environment, text=True
    )
    try:
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists() or not Path("/proc").exists()
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    assert gone(pid, 2.0)
