"""Learning curves: their ticks, what is drawn of many points, ranges, and the mark of a step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from flow_explorer.training.chart import POINTS, Chart, Look, ticks
from flow_explorer.training.record import RunSnapshot


@pytest.mark.parametrize(
    ("low", "high", "logarithmic", "wanted"),
    [(0, 10, False, [0, 2, 4, 6, 8, 10]), (3.2, 3.61, False, [3.2, 3.3, 3.4, 3.5, 3.6]), (1, 1, False, []),
     (0, float("nan"), False, []), (1, 100, True, [1, 2, 5, 10, 20, 50, 100]), (20, 200_000, True, [100, 1e3, 1e4, 1e5]),
     (3, 4, True, [3.0, 3.2, 3.4, 3.6, 3.8, 4.0])],
)  # fmt: skip
def test_ticks_are_round(low, high, logarithmic, wanted):
    assert ticks(low, high, 5, logarithmic) == pytest.approx(wanted)


def run_of(count: int) -> RunSnapshot:
    steps = 20.0 * np.arange(1, count + 1)
    bpd = 3 + 50 / steps
    return RunSnapshot(path=Path("run"), steps=steps, seconds=steps / 4, bpd=bpd, held_steps=steps[::10],
                       held_seconds=steps[::10] / 4, held_bpd=bpd[::10] + 0.1)  # fmt: skip


@pytest.fixture
def chart(qtbot):
    # Within a window, as it always is: pyqtgraph's views take themselves apart when they are closed.
    window, chart = QWidget(), Chart()
    QVBoxLayout(window).addWidget(chart)
    qtbot.addWidget(window)
    window.resize(600, 300)
    window.show()
    yield chart


def test_items_are_made_once_and_many_points_are_thinned(chart):
    chart.show_runs([run_of(10_000)], Look())
    before = list(chart.box.addedItems)
    (curves,) = chart._curves
    x, y = curves.train.getData()
    assert len(x) <= POINTS + 2 and x[-1] == 200_000 and y.min() >= 3
    for count in (0, 1, 5, 10_001):
        chart.show_runs([run_of(count)], Look())
        chart.grab()
    assert chart.box.addedItems == before


def test_ranges_follow_what_is_drawn(chart):
    run = run_of(100)
    chart.show_runs([run], Look(smoothing=0.0))
    (left, right), (low, high) = chart.box.viewRange()
    assert left == 0 and right == pytest.approx(2000, rel=0.03)
    assert low < run.bpd.min() and high < run.bpd.max()  # the first steps do not press the rest to the floor
    chart.show_runs([run], Look(True, 0.0, True))
    (left, right), (low, high) = chart.box.viewRange()
    assert 10**left == pytest.approx(5, rel=0.1) and 10**right == pytest.approx(500, rel=0.15) and 10**high > run.bpd.max()
    chart.mark(1000)
    assert chart.marker.isVisible() and 10 ** chart.marker.value() == pytest.approx(250)
    chart.show_runs([run, run_of(10)], Look())
    assert not chart.marker.isVisible() and len(chart._curves) == 2
    chart.show_runs([], Look())
    assert not any(item.isVisible() for curves in chart._curves for item in curves.items)
