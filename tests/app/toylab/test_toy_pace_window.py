"""Race, scrubbing, fast-forward, slow motion and fast clicks in the real window with the real engine."""

from __future__ import annotations

import json
import os
import signal
import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from flow_explorer.shell.trace import Trace
from flow_explorer.toylab.keep.toy_trace import ToyTrace
from flow_explorer.toylab.pace_bar import PaceBar
from flow_explorer.toylab.slow.matching import ARROWS, SHORTER
from flow_explorer.toylab.slow.motion import STAGE_S

LEFT = Qt.MouseButton.LeftButton


def at_rest(qtbot, lab):
    qtbot.waitUntil(lab.canvas().window().is_idle, timeout=60_000)


def train(qtbot, lab, steps):
    lab.controller.play()
    qtbot.waitUntil(lambda: lab.controller.training.step >= steps, timeout=30_000)
    lab.controller.pause()
    at_rest(qtbot, lab)


def test_a_race_is_run_measured_and_left(qtbot, lab):
    train(qtbot, lab, 5)
    kept, step = lab.controller.training.arrays["samples"].copy(), lab.controller.training.step
    qtbot.mouseClick(lab.inspector().pace.race, LEFT)
    panel, race, view = lab.inspector().race, lab.controller.race, lab.canvas().race
    assert panel.isVisible() and len(panel.rows) == 1
    qtbot.mouseClick(panel.add_flow, LEFT)
    qtbot.mouseClick(panel.rows[0].remove, LEFT)
    lab.controller.set("speed", "full")
    lab.controller.play()
    qtbot.waitUntil(lambda: race.run.least_seconds > 0.04 and len(race.run.entries[0].curve.points) > 1, timeout=60_000)
    lab.controller.pause()
    at_rest(qtbot, lab)
    run = race.run
    assert run.is_shown() and len(run.seconds) == 2 and min(run.steps) > 1
    assert max(run.seconds) - min(run.seconds) <= run.longest_turn
    lab.canvas().draw()
    assert view.isVisible() and not lab.canvas().strip.isEnabled()
    assert view.panels[1].samples.count() == 1000 and not view.panels[2].isVisible()
    assert [row[0] for row in view.table.rows] == ["RealNVP 4×16", view.panels[1].title.text()]
    assert f"{run.entries[0].nll:.3f} ±" in view.table.rows[0][1] and "same training time" in view.fair.text()
    qtbot.mouseClick(view.which.button("density"), LEFT)
    at_rest(qtbot, lab)
    lab.canvas().draw()
    assert run.entries[1].arrays["heat"].shape == (128, 128) and view.panels[1].image.isVisible()
    lab.history.undo()  # before the removal: three flows, another race
    at_rest(qtbot, lab)
    assert len(race.run.seconds) == 3 and max(race.run.steps) == 0
    lab.history.redo()
    at_rest(qtbot, lab)
    assert race.run.steps == run.steps and race.run.seconds == run.seconds  # taken up where it was left
    qtbot.mouseClick(lab.inspector().pace.race, LEFT)
    at_rest(qtbot, lab)
    lab.canvas().draw()
    assert not view.isVisible() and lab.canvas().strip.isEnabled()
    assert lab.controller.training.step == step and np.array_equal(lab.controller.training.arrays["samples"], kept)
    race.show_density(False)


def test_scrubbing_back_computes_nothing_and_training_goes_on_from_there(qtbot, lab):
    train(qtbot, lab, 40)
    bar, past = lab.canvas().pace, lab.controller.past
    lab.canvas().draw()
    frames = past.history.frames
    assert isinstance(bar, PaceBar) and len(frames) >= 2 and frames[-1].step == lab.controller.training.step
    asked = []
    lab.context.engine.asked.connect(lambda _id, request: asked.append(request))
    qtbot.mouseClick(bar.track, LEFT, pos=QPoint(1, bar.track.height() // 2))
    assert past.frame is frames[0] and past.shown.step == frames[0].step
    lab.canvas().draw()
    assert np.allclose(lab.canvas().density.image.image, frames[0].arrays()["heat0"])
    assert f"{frames[0].step:,} of" in bar.words.text() and bar.now.isVisible()
    assert lab.canvas().loss.marked.value() == frames[0].step
    assert not asked
    number = lab.controller.training.number
    lab.controller.play()  # training goes on under the old moment
    reached = lab.controller.training.step
    qtbot.waitUntil(lambda: lab.controller.training.step > reached + 5, timeout=20_000)
    assert past.shown.step == frames[0].step
    lab.controller.pause()
    at_rest(qtbot, lab)
    lab.canvas().draw()
    qtbot.mouseClick(bar.now, LEFT)
    assert past.shown is lab.controller.run and not bar.track.isSliderDown()
    past.go_to(past.history.frames[-1])
    lab.canvas().draw()
    step, _ = past.snapshot()
    qtbot.mouseClick(bar.go_on, LEFT)
    at_rest(qtbot, lab)
    assert lab.controller.training.number != number and lab.controller.training.step == step and past.frame is None
    lab.history.undo()
    at_rest(qtbot, lab)
    assert lab.controller.training.number == number and lab.controller.training.step > reached


def test_fast_forward_goes_without_frames_and_is_cancelled(qtbot, lab):
    kinds = []
    lab.context.engine.answered.connect(lambda _id, message: kinds.append(message.kind))
    qtbot.mouseClick(lab.inspector().pace.forward, LEFT)
    forward, bar = lab.controller.forward, lab.canvas().pace
    assert forward.active and not lab.is_idle()
    qtbot.waitUntil(lambda: kinds.count("forward") >= 2 and lab.controller.training.step > 20, timeout=30_000)
    lab.canvas().draw()
    assert "points" not in kinds[kinds.index("forward") :] and bar.progress.isVisible() and not bar.track.isVisible()
    qtbot.mouseClick(bar.progress.cancel_button, LEFT)
    at_rest(qtbot, lab)
    lab.canvas().draw()
    assert not forward.active and bar.track.isVisible() and kinds[-1] == "rest"
    assert len(lab.controller.training.curve.losses) >= 2


def test_slow_motion_shows_four_stages_and_takes_the_step(qtbot, lab):
    lab.controller.set("speed", "stages")
    slow, view = lab.controller.slow, lab.canvas().slow
    qtbot.waitUntil(lambda: slow.detail is not None, timeout=30_000)
    lab.canvas().draw()
    assert view.isVisible() and slow.stage == 0 and lab.controller.training.step == 0
    for stage in (1, 2, 3):
        qtbot.mouseClick(lab.inspector().step, LEFT)
        assert slow.stage == stage
    lab.canvas().draw()
    data = slow.detail.data
    assert f"= {data['loss']:.3f} nat" in view.stages[1].figures.text()
    qtbot.mouseClick(lab.inspector().step, LEFT)
    qtbot.waitUntil(lambda: lab.controller.training.step == 1 and slow.detail.data["step"] == 2, timeout=30_000)
    assert slow.stage == 0
    lab.controller.play()
    began = now = time.monotonic() + 1.0
    slow.tick(now)
    gone = slow.gone
    while slow.stage == 0 and now < began + 5:
        now += 0.05
        slow.tick(now)
    assert now - began == pytest.approx(STAGE_S[0] - gone, abs=0.06)
    lab.controller.pause()
    lab.controller.set("speed", "full")
    at_rest(qtbot, lab)
    lab.canvas().draw()
    assert not view.isVisible()


def test_slow_motion_of_a_continuous_flow_shows_matching(qtbot, lab):
    lab.controller.set("flow", "continuous")
    lab.controller.set("speed", "stages")
    slow, view = lab.controller.slow, lab.canvas().slow
    qtbot.waitUntil(lambda: slow.detail is not None and "place" in slow.detail.arrays, timeout=30_000)
    lab.canvas().draw()
    data, arrays = slow.detail.data, slow.detail.arrays
    assert not slow.sentence and view.isVisible() and view.stages[0].title.text() == "1 Draw times"
    assert view.panel.starts.count() == view.panel.ends.count() == view.panel.points.count() == ARROWS
    slow.skip()
    slow.gone = STAGE_S[1]
    lab.canvas().draw()
    figures = view.stages[1].figures.text()
    assert f"L = mean |v − (x − z)|² = {data['loss']:.3f}" in figures and f"{data['wanted_square']:.3f}" in figures
    assert view.panel.arrows.count() == 2 * 3 * ARROWS  # a shaft and a head of two strokes, asked for and the field's own
    ends = np.stack([arrays["place"] + arrays[name] / SHORTER for name in ("field", "wanted")], 1)
    assert len(view.panel.paths._lines) == ARROWS  # the gaps, from tip to tip
    first = view.panel.paths._lines[0]
    assert np.allclose([[first[k].x(), first[k].y()] for k in (0, 1)], ends[0], atol=1e-5)
    slow.skip()
    slow.gone = STAGE_S[2]
    lab.canvas().draw()
    assert f"{data['norm']:.3g}" in view.stages[2].figures.text() and len(view.norms._norms) == 3
    assert np.sqrt((view.norms._norms.astype(np.float64) ** 2).sum()) == pytest.approx(data["norm"], rel=1e-4)
    assert "network" in view.norms._words
    slow.skip()
    slow.skip()
    qtbot.waitUntil(lambda: lab.controller.training.step == 1 and slow.detail.data["step"] == 2, timeout=30_000)
    lab.controller.set("flow", "nice")
    qtbot.waitUntil(lambda: slow.detail is not None and "path" in slow.detail.arrays, timeout=30_000)
    lab.canvas().draw()
    assert view.stages[0].title.text() == "1 Forward" and not view.panel.arrows.count() and view.panel.legend.isHidden()
    lab.controller.set("speed", "full")
    at_rest(qtbot, lab)


def test_twenty_fast_clicks_leave_one_trainer_and_the_right_picture(qtbot, lab):
    panel, names = lab.inspector(), ("rings", "two-moons", "bridge")
    for index in range(20):
        qtbot.mouseClick(panel.play if index % 2 else panel.reset, LEFT)
        if index % 3 == 0:
            lab.controller.set("density", names[index % len(names)])
        if index % 7 == 3:
            qtbot.mouseClick(panel.pace.race, LEFT)
    if lab.controller.state.rivals:
        qtbot.mouseClick(panel.pace.race, LEFT)
    steps = []
    engine = lab.context.engine
    lab.controller.play()
    number = lab.controller.state.run
    # A race that was left says its last word, which undo goes back to; then there is this training alone.
    qtbot.waitUntil(lambda: lab.controller.training.step > 5 and engine.is_idle(), timeout=30_000)
    engine.answered.connect(lambda _id, m: steps.append(m.data["run"]))
    reached = lab.controller.training.step
    qtbot.waitUntil(lambda: lab.controller.training.step > reached + 20, timeout=30_000)
    assert set(steps) == {number}  # nobody else trains
    lab.controller.pause()
    at_rest(qtbot, lab)
    run, state = lab.controller.training, lab.controller.state
    assert run.number == state.run == number
    lab.canvas().draw()
    panel_image = lab.canvas().density.image.image
    assert np.array_equal(panel_image, run.arrays["heat"])
    from flowcore.plane.densities import get

    assert run.entropy == pytest.approx(get(state.density).entropy)
    quiet = []
    engine.answered.connect(lambda _id, m: quiet.append(m.kind))
    qtbot.wait(300)
    assert not quiet  # at rest nothing trains on


def test_killed_in_a_race_it_is_put_back(qtbot, lab):
    lab.controller.race.begin()
    lab.controller.play()
    race = lab.controller.race
    qtbot.waitUntil(lambda: race.run.least_seconds > 0.02, timeout=30_000)
    lab.controller.pause()
    at_rest(qtbot, lab)
    before, steps = race.run.entries[1].arrays["samples"].copy(), list(race.run.steps)
    count = race.run.entries[1].version["samples"]
    os.kill(lab.context.engine.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: race.run.entries[1].version["samples"] > count, timeout=60_000)
    at_rest(qtbot, lab)
    assert race.run.steps == steps and np.array_equal(race.run.entries[1].arrays["samples"], before)
    race.leave()
    at_rest(qtbot, lab)


def test_the_trace_tells_what_was_new_in_each_frame(qtbot, lab, tmp_path):
    trace = Trace(tmp_path / "trace.jsonl")
    lab.canvas().trace = ToyTrace(trace)
    train(qtbot, lab, 300)
    lab.canvas().draw()
    lab.canvas().trace = None
    trace.close()
    lines = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    samples = [line["step"] for line in lines if line["event"] == "toy_samples"]
    assert len(samples) > 3 and samples == sorted(samples) and samples[-1] == lab.controller.training.step
    assert {line["side"] for line in lines if line["event"] == "toy_heat"} == {64, 256}
