"""How `make latency` reads a trace, and that the window's trace tells what it reads."""

from __future__ import annotations

import json
import math

import pytest

from tests.benchmarks.latency import carried, lags, percentile, read, table


def test_a_replaced_request_counts_until_a_newer_one_is_seen():
    requests = [(0.0, 1), (0.010, 2), (0.020, 3), (0.030, 4), (0.9, 9)]
    seen = [(0.050, 1), (0.070, 3), (0.075, 2), (0.100, 4)]
    assert lags(requests, seen) == pytest.approx([50, 60, 50, 70]), "the last was never answered"


def test_moves_wait_for_the_request_that_takes_them_along():
    requests = [(0.011, 1), (0.060, 2)]
    assert carried([0.010, 0.030, 0.050, 0.070], requests) == [(0.010, 1), (0.030, 2), (0.050, 2)]
    seen = [(0.050, 1), (0.100, 2)]
    assert lags(carried([0.010, 0.030, 0.050], requests), seen) == pytest.approx([40, 70, 50])


def test_percentiles():
    assert percentile(list(range(1, 101)), 0.95) == 95 and percentile([7.0], 0.5) == 7.0
    assert percentile([1, 2, 3], 0.5) == 2 and math.isnan(percentile([], 0.95))


def test_a_page_is_seen_when_all_of_it_is():
    def line(time, event, **data):
        return {"time": time, "event": event, **data}

    lines = [
        line(1.0, "request", id=1, kind="explorer.page", slot="explorer.page"),
        line(1.05, "answer", id=1, kind="explorer.page", first=0, count=2, done=True), line(1.06, "frame", interval_ms=None),
        line(1.1, "request", id=2, kind="explorer.draft", slot="explorer.draft"),
        line(1.2, "answer", id=2, kind="explorer.draft", indices=[1], done=False), line(1.21, "frame", interval_ms=150),
        line(1.3, "answer", id=2, kind="explorer.draft", indices=[0], done=True), line(1.31, "frame", interval_ms=100),
        line(1.4, "exact", what="page", first=0, count=2), line(1.42, "frame", interval_ms=110),
    ]  # fmt: skip
    drag = read(lines, "explorer.page", selected=1, count=2, start=0.9, stop=1.15)
    assert drag.picture == pytest.approx([60, 110]) and drag.page == pytest.approx([60, 210])
    assert drag.rest == pytest.approx(320)
    words, rows = table({"Temperature": drag})
    assert [row["reached"] for row in rows] == [False, True] and "**missed**" in words


def test_the_window_traces_requests_answers_and_frames(qtbot, tmp_path, monkeypatch):
    from PySide6.QtWidgets import QWidget

    from flow_explorer.engine.client import EngineClient, Message
    from flow_explorer.engine.requests.explorer import WalkAt
    from flow_explorer.shell.trace import Trace
    from flow_explorer.shell.watch import Watch

    trace = Trace(tmp_path / "trace.jsonl")
    assert trace.wanted and not Trace().wanted
    window, engine = QWidget(), EngineClient()
    qtbot.addWidget(window)
    Watch(window, engine, trace)
    window.show()
    qtbot.waitExposed(window)
    import numpy as np

    z = np.zeros(3, np.float32)
    request = WalkAt("m", z, z, "linear", 0.5)
    id_ = engine.send(request)
    engine.answered.emit(id_, Message(id_, request.kind, {"t": 0.5, "first": 3, "count": 1}, {}, False, request))
    engine.failed.emit(id_, "It failed.", "Traceback")
    for _ in range(2):
        window.update()
        qtbot.wait(30)
    engine.stop()
    trace.close()
    lines = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    by_event = {line["event"]: line for line in lines}
    asked = [by_event["request"][name] for name in ("id", "kind", "slot")]
    assert asked == [id_, request.kind, request.slot]
    assert by_event["answer"]["first"] == 3 and 0 <= by_event["answer"]["age_ms"] < 5000
    assert by_event["failed"]["sentence"] == "It failed."
    assert len([line for line in lines if line["event"] == "frame"]) >= 2 and by_event["frame"]["interval_ms"] > 0
