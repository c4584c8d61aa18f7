"""What `make live` reads from a trace."""

from __future__ import annotations

import math

import pytest

from tests.benchmarks.toy_live import Span, read, summary, table


def trace(seconds=10.0, frame=0.02, drawn=2, heat=10):
    """Frames at a fixed interval; every so many draw other samples, or another density; 3 steps of training a frame."""
    lines, count = [], round(seconds / frame)
    for index in range(1, count + 1):
        now = index * frame
        if index % drawn == 0:
            lines.append({"time": now, "event": "toy_samples", "run": 1, "step": 3 * index})
            lines.append({"time": now, "event": "toy_samples", "run": 1, "step": 3 * index})  # the same ones twice are one
        if index % heat == 0:
            lines.append({"time": now, "event": "toy_heat", "run": 1, "step": 3 * index, "side": 64})
        lines.append({"time": now, "event": "frame", "interval_ms": 1000 * frame if index > 1 else None})
    lines.append({"time": now, "event": "toy_heat", "run": 1, "step": 3 * count + 1, "side": 256})
    return lines


def test_rates_are_of_distinct_steps_and_of_the_stretch_alone():
    span = read(trace(), 2.0, 8.0, (1.2, 5.0))
    assert span.samples == 150 and span.heats == 30 and span.steps == 3 * 298
    assert len(span.intervals) == 300 and set(span.intervals) == {20.0}
    found = summary([span, span], [(200.0, 250.0), (100.0, 250.0)])
    assert found["samples_a_second"] == pytest.approx(25) and found["heats_a_second"] == pytest.approx(5)
    assert found["speed_share"] == pytest.approx(149 / 150) and found["window_cpu_ms_a_frame"] == pytest.approx(4.0)
    assert found["speed_share_by_cpu"] == pytest.approx(894 / 5 / 250)


def test_the_table_says_what_was_missed():
    spans = [Span(10.0, [10.0] * 985 + [60.0] * 15, 400, 60, 900)]
    words = table(summary(spans, [(100.0, 100.0)]))
    assert words.count("reached") == 3 and words.count("**missed**") == 1
    assert "60.0 ms | at most 25 ms | **missed**" in words and "90% | at least 80 %" in words


def test_a_stretch_without_anything_is_no_crash():
    found = summary([read([], 0.0, 1.0)], [(100.0, 100.0)])
    assert found["samples_a_second"] == 0 and math.isnan(found["frame_p99_ms"]) and "**missed**" in table(found)
