"""The toy lab in its window, with the real engine: driven by its widgets, killed, and put back."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication

from flow_explorer.toylab.state import FLOWS, ToyState
from flow_explorer.widgets.banner import Banner
from flow_explorer.workspace import INSPECTOR_WIDTH
from flowcore.model.card import read_card
from flowcore.pictures import recipe

LEFT = Qt.MouseButton.LeftButton
ALL = {"data", "samples", "prior", "grid", "layers", "heat", "truth", "contours", "true_contours", "snapshot"}


def at_rest(qtbot, lab):
    qtbot.waitUntil(lab.canvas().window().is_idle, timeout=30_000)


def pixels(lab) -> np.ndarray:
    image = lab.canvas().grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    return np.frombuffer(image.constBits(), np.uint8).copy()


def hide_banners(qtbot, lab):
    """The notice of a new engine takes a line from the canvas; without it the canvas is as large as before."""
    for banner in lab.canvas().window().findChildren(Banner):
        banner.hide()
    qtbot.wait(50)


def play_until(qtbot, lab, step):
    qtbot.mouseClick(lab.inspector().play, LEFT)
    assert lab.controller.playing
    qtbot.waitUntil(lambda: lab.controller.training.step >= step, timeout=30_000)


def test_first_view_is_complete(lab):
    run = lab.controller.training
    assert set(run.arrays) == ALL and run.step == 0
    assert run.arrays["heat"].shape == (256, 256) and run.arrays["layers"].shape[0] == 5
    assert lab.canvas().samples.samples.count() == 1000 and lab.canvas().prior.points.count() == 1000
    assert "step 0" in lab.canvas().loss.note.text()


def test_play_shows_distinct_frames_and_pause_the_fine_density(qtbot, lab):
    seen, kinds = [], []
    lab.context.engine.answered.connect(lambda _id, message: (
        kinds.append(message.kind),
        "samples0" in message.arrays and seen.append(message.arrays["samples0"].tobytes()),
    ))
    play_until(qtbot, lab, 60)
    qtbot.waitUntil(lambda: kinds.count("snapshot") >= 1, timeout=10_000)
    qtbot.mouseClick(lab.inspector().play, LEFT)
    at_rest(qtbot, lab)
    assert len(set(seen[:-2])) > 10 and kinds.count("heat") > 2
    run = lab.controller.training
    assert run.arrays["heat"].shape == (256, 256) and run.snapshot_step == run.step
    assert len(run.curve.steps) > 2 and run.curve.losses[-1] < run.curve.losses[0]


def test_killed_at_rest_the_same_pixels_come_back(qtbot, lab):
    play_until(qtbot, lab, 30)
    qtbot.mouseClick(lab.inspector().play, LEFT)
    at_rest(qtbot, lab)
    hide_banners(qtbot, lab)
    lab.canvas().draw()  # the clock may not have ticked since the last answer
    before, step = pixels(lab), lab.controller.training.step
    arrays = {name: array.copy() for name, array in lab.controller.training.arrays.items()}
    counts = dict(lab.controller.training.version)
    os.kill(lab.context.engine.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: lab.controller.training.version["samples"] > counts["samples"], timeout=30_000)
    at_rest(qtbot, lab)
    assert lab.controller.training.step == step
    for name, array in arrays.items():
        assert np.array_equal(array, lab.controller.training.arrays[name]), name
    hide_banners(qtbot, lab)
    lab.canvas().draw()
    after = pixels(lab)
    assert np.array_equal(before, after)


def test_killed_while_it_plays_it_plays_on_from_the_snapshot(qtbot, lab):
    play_until(qtbot, lab, 30)
    qtbot.waitUntil(lambda: lab.controller.training.snapshot_step > 0, timeout=10_000)
    kept = lab.controller.training.snapshot_step
    starts = []
    lab.context.engine.answered.connect(lambda _id, m: m.kind == "start" and starts.append(m.data["steps"][0]))
    os.kill(lab.context.engine.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: bool(starts), timeout=30_000)
    assert starts[0] >= kept
    qtbot.waitUntil(lambda: lab.controller.training.step > starts[0] + 5, timeout=30_000)
    assert lab.controller.playing
    lab.controller.pause()
    at_rest(qtbot, lab)


def test_steps_reset_and_undo_by_the_buttons(qtbot, lab):
    panel = lab.inspector()
    for _ in range(3):
        qtbot.mouseClick(panel.step, LEFT)
    at_rest(qtbot, lab)
    assert lab.controller.training.step == 3
    before = lab.controller.training.arrays["samples"].copy()
    qtbot.mouseClick(panel.reset, LEFT)
    at_rest(qtbot, lab)
    assert lab.controller.training.step == 0 and not np.array_equal(before, lab.controller.training.arrays["samples"])
    lab.canvas().window().undo()
    at_rest(qtbot, lab)
    assert lab.controller.training.step == 3 and np.array_equal(before, lab.controller.training.arrays["samples"])


def test_live_settings_do_not_start_again(qtbot, lab):
    play_until(qtbot, lab, 10)
    slider = lab.inspector().form.controls["learning_rate"]
    slider.track.setFocus()
    qtbot.keyClick(slider.track, Qt.Key.Key_Left)
    reached, number = lab.controller.training.step, lab.controller.training.number
    qtbot.waitUntil(lambda: lab.controller.training.step > reached + 5, timeout=10_000)
    assert lab.controller.training.number == lab.controller.state.run == number
    assert lab.controller.state.learning_rate < ToyState().learning_rate
    lab.controller.pause()
    at_rest(qtbot, lab)


# A sheet takes the keyboard, which the off-screen platform cannot give.
@pytest.mark.qt_log_ignore(r"This plugin does not support (grabbing the keyboard|raise\(\))")
def test_a_click_in_the_sheet_chooses_a_density(qtbot, lab):
    picker = lab.inspector().density
    qtbot.mouseClick(picker, LEFT)
    tile = next(tile for tile in picker._sheet.tiles if tile.name == "rings")
    qtbot.mouseClick(tile, LEFT)
    assert lab.controller.state.density == "rings" and not picker._sheet.isVisible()
    at_rest(qtbot, lab)
    assert lab.controller.training.entropy > 3
    assert lab.history.undo_label == "Density"


def test_every_flow_at_once_keeps_only_the_last(qtbot, lab):
    for flow in ("glow", "nice", "realnvp", "glow", "nice") * 4:
        lab.controller.set("flow", flow)
    at_rest(qtbot, lab)
    state = lab.controller.state
    assert state.flow == "nice" and lab.controller.training.number == state.run and lab.controller.training.is_shown()


def test_every_flow_is_offered_and_learns(qtbot, lab):
    offered = lab.inspector().form.controls["flow"]
    assert offered.sizeHint().width() <= INSPECTOR_WIDTH - 32
    for flow in FLOWS:
        qtbot.mouseClick(offered.button(flow), LEFT)
        assert lab.controller.state.flow == flow and len(offered.button(flow).toolTip().splitlines()) == 2
        lab.controller.step()
        qtbot.waitUntil(lambda: lab.controller.training.step == 1, timeout=20_000)
        at_rest(qtbot, lab)
        assert lab.canvas().strip.count() == lab.controller.state.depth


def test_the_strip_is_scrubbed_and_played(qtbot, lab):
    canvas = lab.canvas()
    strip = canvas.strip
    assert strip.count() == 4 and strip.position == 4
    qtbot.mousePress(strip, LEFT, pos=QPoint(2, 20))
    qtbot.mouseRelease(strip, LEFT, pos=QPoint(2, 20))
    assert strip.position == 0
    canvas.draw()
    assert "after 0 of 4" in canvas.layers.note.text()
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert strip.position == 1
    at_rest(qtbot, lab)
    reach = canvas.layers.plot.box.viewRange()
    qtbot.mouseClick(canvas.play_layers, LEFT)
    qtbot.waitUntil(lambda: strip.position > 2, timeout=5_000)
    assert not lab.is_idle() and canvas.layers.plot.box.viewRange() == reach
    qtbot.mouseClick(canvas.play_layers, LEFT)
    at_rest(qtbot, lab)


def test_true_density_on_the_same_scale(qtbot, lab):
    panel = lab.canvas().density
    qtbot.mouseClick(panel.which.button("truth"), LEFT)
    assert np.array_equal(panel.image.image, lab.controller.training.arrays["truth"])
    levels = panel.image.levels
    qtbot.mouseClick(panel.which.button("model"), LEFT)
    assert np.array_equal(panel.image.image, lab.controller.training.arrays["heat"])
    assert np.array_equal(panel.image.levels, levels)


def test_save_the_panels_and_the_model(qtbot, lab, tmp_path):
    lab.write_panels(str(tmp_path / "panels.png"))
    assert recipe.extract(tmp_path / "panels.png")["state"]["density"] == "two-moons"
    with qtbot.waitSignal(lab.controller.saved, timeout=20_000):
        lab.controller.save_model(str(tmp_path / "moons.safetensors"))
    assert read_card(tmp_path / "moons.safetensors")["system"] == "realnvp"
    told = []
    lab.controller.failed.connect(lambda sentence, _details: told.append(sentence))
    lab.controller.save_model(str(tmp_path / "absent" / "moons.safetensors"))
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert "cannot be written" in told[0]


def test_clock_sleeps_at_rest_and_garbage_is_collected_again(qtbot, lab):
    import gc

    qtbot.waitUntil(lambda: not lab.canvas().clock.isActive(), timeout=10_000)
    assert gc.isenabled()
    lab.canvas().wake()
    assert lab.canvas().clock.isActive() and not gc.isenabled()
    qtbot.waitUntil(lambda: not lab.canvas().clock.isActive(), timeout=10_000)
    assert gc.isenabled()


def test_space_plays_and_the_session_keeps_the_settings(qtbot, lab):
    qtbot.keyClick(lab.canvas().window(), Qt.Key.Key_Space)
    assert lab.controller.playing
    qtbot.keyClick(lab.canvas().window(), Qt.Key.Key_Space)
    assert not lab.controller.playing
    at_rest(qtbot, lab)
    assert lab.state()["depth"] == 4


def drop(widget, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    rest = (Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(20, 20), *rest))
    QApplication.sendEvent(widget, QDropEvent(QPointF(20, 20), *rest))


def test_a_saved_picture_dropped_brings_its_settings_back(qtbot, lab, tmp_path, monkeypatch):
    lab.controller.set("density", "bridge")
    at_rest(qtbot, lab)
    lab.write_panels(str(tmp_path / "bridge.png"))
    lab.controller.set("density", "rings")
    drop(lab.canvas(), tmp_path / "bridge.png")
    at_rest(qtbot, lab)
    assert lab.controller.state.density == "bridge" and lab.controller.training.step == 0
    lab.history.undo()
    at_rest(qtbot, lab)
    assert lab.controller.state.density == "rings"
    told = []
    monkeypatch.setattr(lab.context, "notify", lambda sentence, *_rest, **_more: told.append(sentence))
    (tmp_path / "text.png").write_text("no picture")
    drop(lab.canvas(), tmp_path / "text.png")
    assert len(told) == 1 and told[0].endswith(".") and lab.controller.state.density == "rings"
