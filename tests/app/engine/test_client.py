"""The client and a real engine process: answers in order, slow windows, progress, errors, nothing heavy here."""

from __future__ import annotations

import gc
import subprocess
import sys
import time

import numpy as np
import pytest
from engine_test_requests import Burst, Count, Echo, Fail, Slide, StrictSlide, Train
from PySide6.QtCore import QTimer

from flow_explorer.engine.client import EngineClient, Message
from flow_explorer.engine.requests.explorer import OpenModel


def test_it_starts_answers_and_becomes_idle(make_engine, qtbot):
    client = make_engine(start=False)
    states, infos, answers = [], [], []
    client.state_changed.connect(states.append)
    client.ready.connect(infos.append)
    client.answered.connect(lambda id_, message: answers.append((id_, message)))
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    client.start()
    id_ = client.send(Echo({"text": "中文 ä", "list": [1, 2.5, None]}, array))
    assert not client.is_idle()
    assert client.wait_until_idle(60_000), client.log
    assert states == ["starting", "busy", "ready"]
    assert infos[0]["devices"][0]["id"] == "cpu" and client.device in ("cpu", "cuda")
    assert infos[0]["versions"]["torch"]
    ((answered_id, message),) = answers
    assert answered_id == id_ == message.id and message.done
    assert message.data["value"] == {"text": "中文 ä", "list": [1, 2.5, None]}
    assert message.data["pid"] == client.pid
    np.testing.assert_array_equal(message.arrays["array"], array)
    assert message.request.array is array
    client.stop()
    assert client.state == "stopped" and client.pid == 0


@pytest.mark.parametrize("kind", [Slide, StrictSlide])
def test_a_burst_of_slider_values_ends_on_the_last_and_never_goes_back(engine, qtbot, kind):
    shown = []
    for burst in range(3):
        for value in range(200):
            engine.send(kind(float(value + 200 * burst)), on_answer=lambda m: shown.append(m.data["value"]))
            if value % 3 == 0:
                qtbot.wait(1)
    assert engine.wait_until_idle()
    assert shown[-1] == 599.0
    assert shown == sorted(set(shown))
    if kind is Slide:
        assert len(shown) > 10, "a drag stays live"


def test_a_strict_request_silences_the_older_at_once(engine, qtbot):
    shown = []
    engine.send(StrictSlide(1.0, turns=50), on_answer=lambda m: shown.append(m.data["value"]))
    qtbot.wait(30)
    engine.send(StrictSlide(2.0), on_answer=lambda m: shown.append(m.data["value"]))
    assert engine.wait_until_idle()
    assert shown == [2.0]


def test_must_finish_requests_report_progress_and_can_be_cancelled(engine, qtbot):
    progress, answers, finished = [], [], []
    engine.finished.connect(finished.append)
    engine.progressed.connect(lambda id_, fraction, text: progress.append((id_, fraction, text)))
    one = engine.send(Count(5), on_answer=answers.append)
    two = engine.send(Count(10**9, pause=0.001), on_answer=answers.append)
    qtbot.waitUntil(lambda: one in finished and any(id_ == two for id_, _, _ in progress), timeout=10_000)
    assert [(f, t) for id_, f, t in progress if id_ == one][-1] == (1.0, "turn 5")
    assert engine.state == "busy"
    engine.cancel(two)
    assert engine.wait_until_idle()
    assert finished == [one, two] and [message.data["turns"] for message in answers] == [5]
    engine.cancel(two)
    engine.cancel(12345)


def test_errors_come_as_a_sentence_and_the_engine_goes_on(engine, qtbot):
    errors = {}
    for how in ("flow", "memory", "nan", "plain"):
        engine.send(Fail(how), on_error=lambda s, t, how=how: errors.update({how: (s, t)}))
    engine.send(OpenModel("no such model"), on_error=lambda s, t: errors.update(model=(s, t)))
    answers = []
    engine.send(Echo(1), on_answer=answers.append)
    assert engine.wait_until_idle()
    assert errors["flow"][0] == "The number of turns must be positive."
    assert "not enough memory" in errors["memory"][0]
    assert "'no such model'" in errors["model"][0]
    for how in ("nan", "plain"):
        assert errors[how][0].startswith("Something went wrong in the engine (")
        assert "engine_test_jobs.py" in errors[how][1]
    assert answers and "this must not reach the pipe" in engine.log


def test_a_slow_window_neither_stalls_nor_floods(engine, qtbot):
    """Half a second without reading: the trainer trains on, and two frames are waiting, not hundreds."""
    frames = []
    id_ = engine.send(Train(1.0), on_answer=lambda m: frames.append(m.data["step"]))
    qtbot.waitUntil(lambda: len(frames) >= 5, timeout=10_000)
    assert engine.is_idle(), "a background request does not count"
    before = len(frames)
    time.sleep(0.5)
    received_at_once = []
    QTimer.singleShot(0, lambda: received_at_once.append(len(frames)))
    qtbot.waitUntil(lambda: len(frames) >= before + 6, timeout=10_000)
    steps = np.diff(frames[before - 1 : before + 6])
    assert steps.max() > 20, "it went on while the window slept"
    assert received_at_once[0] - before <= 2
    engine.cancel(id_)


def test_newer_settings_reach_the_trainer_that_runs(engine, qtbot):
    frames = []
    engine.send(Train(1.0), on_answer=lambda m: frames.append(m))
    qtbot.waitUntil(lambda: len(frames) >= 3, timeout=10_000)
    second = engine.send(Train(2.0), on_answer=lambda m: frames.append(m))
    qtbot.waitUntil(lambda: frames[-1].id == second and frames[-1].data["rate"] == 2.0, timeout=10_000)
    assert frames[-1].data["step"] > frames[0].data["step"]
    engine.cancel_slot("test.train")
    qtbot.waitUntil(lambda: not engine._pending, timeout=10_000)


def test_large_frames_arrive_whole_and_in_order_while_others_are_served(engine, qtbot):
    frames, echo_delay = [], []
    engine.send(Burst(30, size=2_000_000), on_answer=lambda m: frames.append((m.data["number"], m.arrays["frame"].size)))
    qtbot.waitUntil(lambda: len(frames) > 3, timeout=20_000)
    start = time.monotonic()
    engine.send(Echo(1), on_answer=lambda m: echo_delay.append((time.monotonic() - start, len(frames))))
    assert engine.wait_until_idle(60_000)
    assert frames == [(number, 2_000_000) for number in range(30)]
    assert echo_delay[0][1] < 30, "the echo did not wait for the stream's end"


def test_50_000_signal_emits_survive(qapp):
    """PySide has crashed on many emits with Python objects; here nothing is lost, and nothing is kept."""
    client = EngineClient()
    counts = {"answered": 0, "failed": 0}

    def on_answer(id_, message):
        counts["answered"] += message.data["value"] == id_

    client.answered.connect(on_answer)
    client.failed.connect(lambda id_, sentence, details: counts.update(failed=counts["failed"] + len(sentence)))
    request = Echo(1)
    array = np.zeros(16, np.uint8)
    gc.collect()
    before = sys.getrefcount(request), sys.getrefcount(array)
    for number in range(50_000):
        client.answered.emit(number, Message(number, "echo", {"value": number}, {"a": array}, True, request))
        client.failed.emit(number, "x", "")
    qapp.processEvents()
    gc.collect()
    assert counts == {"answered": 50_000, "failed": 50_000}
    assert (sys.getrefcount(request), sys.getrefcount(array)) == before
    client.deleteLater()


def test_a_callback_of_a_deleted_widget_is_skipped_and_one_that_raises_stops_nothing(engine, qtbot):
    from PySide6.QtCore import QObject

    class Receiver(QObject):
        def take(self, message):
            raise AssertionError("it was deleted")

    receiver = Receiver()
    engine.send(Echo(1), on_answer=receiver.take)
    import shiboken6

    shiboken6.delete(receiver)
    assert engine.wait_until_idle()

    seen = []

    def raising(message):
        seen.append(message.data["number"])
        raise ValueError("in the window")

    with qtbot.captureExceptions() as caught:
        engine.send(Burst(5), on_answer=raising)
        assert engine.wait_until_idle()
    assert seen == [0, 1, 2, 3, 4] and len(caught) == 5


def test_requests_made_before_the_start_are_kept_and_the_slots_last_wins(make_engine, qtbot):
    client = make_engine(start=False)
    shown = []
    for value in range(5):
        client.send(Slide(float(value)), on_answer=lambda m: shown.append(m.data["value"]))
    client.start()
    assert client.wait_until_idle(60_000), client.log
    assert shown == [4.0]


def test_the_clients_modules_import_no_torch():
    code = (
        "import sys, flow_explorer.engine.client, flow_explorer.engine.requests.base\n"
        "assert 'torch' not in sys.modules and 'PySide6.QtWidgets' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_files_in_the_current_folder_are_not_imported(make_engine, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise SystemExit('imported from the current folder')")
    monkeypatch.chdir(tmp_path)
    client = make_engine()
    assert client.versions["torch"], client.log
