"""Scrubbing inside a race: what is kept of each flow, how much of it, and the way back to now. Then with the real engine."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage

from flow_explorer import theme
from flow_explorer.engine.client import Message
from flow_explorer.engine.requests.toy import RunToy
from flow_explorer.history import History
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.history.training_history import CAP, Frame, TrainingHistory
from flow_explorer.toylab.race.curves import RaceCurves
from flow_explorer.toylab.race.marks import MARKS
from flow_explorer.toylab.race.panels import RacerPanel
from flow_explorer.toylab.run import Run, Runs
from flow_explorer.toylab.state import ToyState

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def controller(silent):
    controller = ToyController(silent, History(ToyState()))
    controller.start()
    controller.race.begin()
    return controller


def answer(silent, kind, seconds, steps, told=None, **arrays):
    request, on_answer, _ = next(sent for sent in reversed(silent.sent) if isinstance(sent[0], RunToy))
    header = {"run": request.run, "seconds": seconds, "steps": steps, "longest_turn": 0.01, **(told or {})}
    number = next(i for i, sent in enumerate(silent.sent, 1) if sent[0] is request)
    on_answer(Message(number, kind, header, {k: np.asarray(v) for k, v in arrays.items()}, kind == "rest", request))


def samples(step, count=2):
    return {f"samples{n}": np.full((1000, 2), 0.001 * step + n, np.float32) for n in range(count)}


def begin(silent):
    answer(silent, "start", [0.0, 0.0], [0, 0], {"entropy": 1.5, "reach": 4.0}, data=np.zeros((4, 2)))
    answer(silent, "truth", [0.0, 0.0], [0, 0], truth=np.ones((8, 8), np.float32))


def measured(nll):
    return {"nll": [nll, nll + 1], "standard_error": [0.1, 0.2], "leader": 0}


def test_all_flows_go_back_together_and_to_now(controller, silent):
    begin(silent)
    past, link = controller.race.past, controller.race
    for step in range(1, 11):
        answer(silent, "loss", [0.1 * step] * 2, [step, 2 * step], measured(3 - 0.1 * step))
        answer(silent, "points", [0.1 * step] * 2, [step, 2 * step], **samples(step))
    assert [frame.steps for frame in past.history.frames] == [(step, 2 * step) for step in range(1, 11)]
    asked, told = len(silent.sent), []
    controller.arrived.connect(lambda: told.append(1))
    past.go_to(past.history.frames[3])
    shown = past.shown
    assert told and len(silent.sent) == asked  # nothing is computed again
    assert shown is not link.run and shown.steps == [4, 8] and shown.least_seconds == pytest.approx(0.4)
    assert [entry.nll for entry in shown.entries] == [pytest.approx(2.6), pytest.approx(3.6)] and shown.leader == 0
    for entry, now, wanted in zip(shown.entries, link.run.entries, samples(4).values(), strict=True):
        assert np.abs(entry.arrays["samples"] - wanted).max() < 1e-3 and entry.entropy == 1.5
        assert entry.arrays["truth"] is now.arrays["truth"] and entry.curve is now.curve
    assert shown.marked_seconds == pytest.approx(0.4) and link.run.marked_seconds is None
    answer(silent, "points", [1.1, 1.1], [11, 22], **samples(11))  # it goes on underneath
    assert past.shown is shown and link.run.steps == [11, 22] and len(past.history.frames) == 11
    past.back_to_now()
    assert past.shown is link.run and past.frame is None


def test_another_race_is_shown_as_it_is_and_has_a_history_of_its_own(controller, silent):
    begin(silent)
    answer(silent, "points", [0.1, 0.1], [1, 1], **samples(1))
    past = controller.race.past
    past.go_to(past.history.frames[0])
    controller.reset()
    assert past.frame is None and past.shown is controller.race.run and not past.history.frames
    controller.history.undo()
    assert len(past.history.frames) == 1


def test_what_died_with_the_engine_is_forgotten(controller, silent):
    begin(silent)
    past = controller.race.past
    for step in (1, 2, 3):
        answer(silent, "points", [0.1 * step] * 2, [step, step], **samples(step))
    past.go_to(past.history.frames[2])
    answer(silent, "start", [0.2, 0.2], [2, 2], {"entropy": 1.5, "reach": 4.0}, data=np.zeros((4, 2)))
    assert [frame.step for frame in past.history.frames] == [2, 4] and past.frame is None


def test_densities_are_kept_while_they_are_looked_at_and_only_fresh_ones(controller, silent):
    begin(silent)
    link = controller.race
    heat = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    answer(silent, "heat", [0.1, 0.1], [1, 1], heat0=heat, heat1=heat)
    answer(silent, "points", [0.1, 0.1], [2, 2], **samples(2))
    link.show_density(True)
    answer(silent, "points", [0.1, 0.1], [3, 3], **samples(3))  # the density at hand is an old one
    answer(silent, "heat", [0.1, 0.1], [4, 4], heat1=heat)
    answer(silent, "points", [0.1, 0.1], [4, 4], **samples(4))
    kept = [set(frame.arrays()) for frame in link.past.history.frames]
    points = {"samples0", "samples1"}
    assert kept == [points, points, points | {"heat1"}]
    assert np.abs(link.past.history.frames[-1].arrays()["heat1"] - heat).max() < 1 / 255
    link.show_density(False)


def race_of(number, racers=4):
    run = Run(number, [{}] * racers)
    rng = np.random.default_rng(number)
    arrays = {f"samples{n}": rng.normal(size=(1000, 2)).astype(np.float32) for n in range(racers)}
    arrays |= {f"heat{n}": rng.random((64, 64)).astype(np.float32) for n in range(racers)}
    run.take("points", {"seconds": [1.0] * racers, "steps": [1] * racers}, arrays)
    return run


def test_a_long_race_of_four_stays_under_its_cap_and_evenly_spread():
    run = race_of(1)
    one = Frame.of(run, True)
    assert one.nbytes < 40_000 and CAP // one.nbytes > 600
    run.history = TrainingHistory(cap=30 * one.nbytes)
    for step in range(1, 1500):
        for entry in run.entries:
            entry.step = step
        run.history.offer(Frame.of(run, True))
        assert run.history.nbytes <= 30 * one.nbytes
    gaps = set(np.diff([frame.step for frame in run.history.frames]))
    assert gaps == {4 * run.history.stride} and run.history.frames[0].step == 4


def test_frames_of_old_runs_go_first_and_their_weights_stay():
    frame = Frame.of(race_of(1), True)
    runs = Runs(histories=3 * frame.nbytes)
    for number in range(6):
        run = runs.get(number, [{}])
        run.history.offer(frame)
        run.entries[0].put("snapshot", np.zeros(10, np.uint8))
    runs.get(5, [{}])
    assert runs.history_bytes <= 3 * frame.nbytes
    assert [len(runs.find(number, 1).history.frames) for number in (0, 5)] == [0, 1]
    assert runs.find(0, 1).entries[0].snapshot.size == 10


def test_of_points_the_estimate_sets_the_scale_of_all_panels(qtbot, controller, silent):
    answer(silent, "start", [0.0, 0.0], [0, 0], {"entropy": None, "reach": 4.0}, data=np.zeros((4, 2)))
    answer(silent, "estimate", [0.0, 0.0], [0, 0], {"points": 300}, estimate=np.full((8, 8), 0.4))
    answer(silent, "heat", [0.1, 0.1], [1, 1], heat0=np.full((64, 64), 0.2, np.float32))
    panel = RacerPanel(0)
    qtbot.addWidget(panel)
    panel.show_racer(controller.run.entries[0], True)
    assert np.asarray(panel.image.levels)[1] == pytest.approx(0.4) and "truth" not in controller.run.entries[0].arrays


@pytest.mark.parametrize("size", [(420, 300), (1900, 1000)])
def test_the_curves_are_drawn_in_windows_of_any_size(qtbot, size):
    curves, run = RaceCurves(), race_of(1)
    qtbot.addWidget(curves)
    curves.resize(*size)
    curves.show()
    for racer, entry in enumerate(run.entries):
        for n in range(12):
            entry.step, entry.seconds = n, 0.1 * n
            entry.measured(3.0 / (n + 1) + racer, 0.1)
    assert curves.show_race(run)
    drawn = curves.plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    pixels = np.frombuffer(drawn.constBits(), np.uint8).reshape(drawn.height(), drawn.bytesPerLine())
    pixels = pixels[:, : 3 * drawn.width()].reshape(-1, 3).astype(int)
    for mark in MARKS:
        tone = theme.color(mark.tone)
        wanted = [tone.red(), tone.green(), tone.blue()]
        assert (np.abs(pixels - wanted).max(1) < 12).sum() > 20, mark.tone


# -- in the window, with the real engine --


def test_a_race_is_scrubbed_in_the_window(qtbot, lab):
    link, view = lab.controller.race, lab.canvas().race
    qtbot.mouseClick(lab.inspector().pace.race, LEFT)
    lab.controller.play()
    qtbot.waitUntil(lambda: len(link.run.history.frames) >= 8 and len(link.run.entries[0].curve.points) > 1, timeout=60_000)
    lab.controller.pause()
    qtbot.waitUntil(lab.canvas().window().is_idle, timeout=60_000)
    lab.canvas().draw()
    frames, bar = link.past.history.frames, view.bar
    assert bar.isVisible() and not bar.now.isVisible() and bar.words.text().startswith("now, ")
    assert frames[-1].steps == tuple(link.run.steps)
    asked = []
    lab.context.engine.asked.connect(lambda _id, request: asked.append(request))
    qtbot.mouseClick(bar.track, LEFT, pos=QPoint(1, bar.track.height() // 2))
    assert link.past.frame is frames[0]
    lab.canvas().draw()
    for index in (0, 1):
        assert np.array_equal(view.panels[index].samples._points, frames[0].arrays()[f"samples{index}"])
        assert f"{frames[0].steps[index]:,} steps" in view.table.rows[index][2]
    assert view.curves.marked.isVisible() and view.curves.marked.value() == pytest.approx(frames[0].least_seconds)
    assert f"{frames[0].least_seconds:,.2f} of" in bar.words.text() and not asked
    reached = sum(link.run.steps)
    lab.controller.play()  # the race goes on under the old moment
    qtbot.waitUntil(lambda: sum(link.run.steps) > reached + 10, timeout=20_000)
    lab.canvas().draw()
    assert f"{frames[0].steps[0]:,} steps" in view.table.rows[0][2]
    lab.controller.pause()
    qtbot.waitUntil(lab.canvas().window().is_idle, timeout=60_000)
    link.show_density(True)
    lab.canvas().draw()
    assert view.panels[1].caption.text() == "no density kept" and not view.panels[1].image.isVisible()
    assert view.panels[1].samples.isVisible()
    qtbot.mouseClick(bar.now, LEFT)
    qtbot.waitUntil(lab.canvas().window().is_idle, timeout=60_000)
    lab.canvas().draw()
    assert link.past.shown is link.run and view.panels[1].image.isVisible() and view.panels[1].caption.isHidden()
    assert not view.curves.marked.isVisible() and f"{link.run.steps[0]:,} steps" in view.table.rows[0][2]
    link.show_density(False)
    qtbot.mouseClick(lab.inspector().pace.race, LEFT)
    qtbot.waitUntil(lab.canvas().window().is_idle, timeout=60_000)
