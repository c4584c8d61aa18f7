"""Views and probe in the window, with the real engine, driven as a person would."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication

from flow_explorer.engine.requests.toy_views import DEFAULT_VIEWS
from flow_explorer.toylab.state import ToyState

LEFT = Qt.MouseButton.LeftButton
FURTHER = ("displacement", "stretch", "trajectories", "gradients")


def at_rest(qtbot, lab):
    qtbot.waitUntil(lab.canvas().window().is_idle, timeout=30_000)


def switch(lab, *names):
    for name in names:
        action = lab.canvas().views.actions_by_name[name]
        assert action.isEnabled(), name
        action.trigger()


def place(plot, x, y) -> QPoint:
    return plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, y)))


def figures(ledger) -> list[float]:
    return [float(value.replace("−", "-")) for _, value, _ in ledger.rows.rows()]


def total(ledger) -> float:
    return float(ledger.sum.value.replace("−", "-"))


def test_views_are_switched_one_by_one_and_come_back(qtbot, lab):
    canvas = lab.canvas()
    assert len(canvas.gallery.shown) == 6 and not canvas.views.actions_by_name["stretch"].isEnabled()
    switch(lab, "prior", "loss", "grid", "layers")
    assert [panel.isVisible() for panel in (canvas.samples, canvas.density, canvas.prior)] == [True, True, False]
    switch(lab, *FURTHER)
    at_rest(qtbot, lab)
    run = lab.controller.training
    assert run.arrays["stretch"].shape == (256, 256) and run.arrays["displacement"].shape == (5, 169, 2)
    assert len(canvas.gallery.shown) == 6 and all(panel.isVisible() for panel in canvas.gallery.shown)
    widths, heights = zip(*((panel.width(), panel.height()) for panel in canvas.gallery.shown), strict=True)
    assert max(widths) - min(widths) <= 1 and max(heights) - min(heights) <= 1
    names = dict(zip(canvas.gallery.names, canvas.gallery.shown, strict=True))
    assert np.array_equal(names["stretch"].image.image, run.arrays["stretch"])
    assert np.allclose(names["stretch"].image.levels, (-6, 6))
    assert names["displacement"].lines.count() == 3 * 169 and names["trajectories"].lines.count() == 4 * 160
    assert ToyState.from_dict(lab.state()).views == lab.controller.state.views
    before = run.version["prior"]
    lab.controller.step()
    qtbot.waitUntil(lambda: run.step == 1, timeout=20_000)
    at_rest(qtbot, lab)
    assert run.version["prior"] == before  # what nobody looks at is not computed
    assert len(run.gradients.steps) == 1 and len(run.gradients.names) == 4
    assert names["gradients"].note.text() == f"together {np.linalg.norm(run.gradients.norms[-1]):.3g}"
    for _ in range(8):
        lab.history.undo()
    assert lab.controller.state.views == DEFAULT_VIEWS and canvas.prior.isVisible()


# A menu takes the keyboard, which the off-screen platform cannot give.
@pytest.mark.qt_log_ignore(r"This plugin does not support (grabbing the keyboard|raise\(\))")
def test_the_menu_stays_open_while_one_chooses(qtbot, lab):
    button = lab.canvas().views
    menu, action = button.menu(), button.actions_by_name["grid"]
    menu.popup(button.mapToGlobal(QPoint(0, 0)))
    qtbot.mouseMove(menu, menu.actionGeometry(action).center())
    qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())
    assert menu.isVisible() and "grid" not in lab.controller.state.views and not action.isChecked()
    menu.setActiveAction(button.actions_by_name["trajectories"])
    qtbot.keyClick(menu, Qt.Key.Key_Space)
    assert menu.isVisible() and "trajectories" in lab.controller.state.views
    menu.setActiveAction(button.actions_by_name["stretch"])  # a seventh: refused, and nothing happens
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    assert menu.isVisible() and "stretch" not in lab.controller.state.views
    menu.close()
    button.restored.emit()
    assert lab.controller.state.views == DEFAULT_VIEWS and lab.history.length == 3
    at_rest(qtbot, lab)


def test_a_restored_session_shows_its_views_and_its_probe(qtbot, lab):
    state = lab.state() | {"views": ["samples", "stretch"], "probe": [0.25, 0.5], "run": lab.controller.state.run + 1}
    lab.restore(state)
    at_rest(qtbot, lab)
    canvas = lab.canvas()
    assert canvas.gallery.names == ("points", "stretch") and canvas.probing.link.data.x == (0.25, 0.5)
    assert canvas.probing.ledger.isVisible() and set(lab.controller.training.arrays) >= {"samples", "stretch", "layers"}
    assert not {"heat", "prior", "grid"} & set(lab.controller.training.arrays)


def test_data_and_samples_apart_and_the_density_s_two_ways(qtbot, lab):
    canvas = lab.canvas()
    switch(lab, "data")
    assert canvas.samples.title.text() == "Samples" and not canvas.samples.data.isVisible()
    switch(lab, "data", "samples")
    assert canvas.samples.title.text() == "Data" and not canvas.samples.samples.isVisible()
    at_rest(qtbot, lab)
    assert canvas.density.lines.count() == len(lab.controller.training.arrays["contours"])
    switch(lab, "contours", "logarithmic")
    at_rest(qtbot, lab)
    assert canvas.density.lines.count() == 0
    log_p = 2 * np.log(np.maximum(lab.controller.training.arrays["heat"], 1e-30))
    assert np.allclose(canvas.density.image.image, log_p) and canvas.density.image.levels[0] == -10


def test_a_click_probes_and_the_ledger_adds_up(qtbot, lab):
    canvas = lab.canvas()
    ledger, plot = canvas.probing.ledger, canvas.samples.plot
    assert not ledger.isVisible()
    qtbot.mouseClick(plot.viewport(), LEFT, pos=place(plot, 0.8, -0.4))
    x = lab.controller.state.probe
    assert x == pytest.approx((0.8, -0.4), abs=0.06)
    at_rest(qtbot, lab)
    assert ledger.isVisible() and len(ledger.rows.rows()) == 5
    assert sum(round(100 * value) for value in figures(ledger)) == round(100 * total(ledger))
    data = canvas.probing.link.data
    exact = [float(words) for _, _, words in ledger.rows.rows()]
    assert sum(exact) == pytest.approx(data.log_prob, abs=1e-7) and f"{data.log_prob:+.8f}" in ledger.sum.toolTip()
    # The same number as the map of the density has at this place.
    heat, reach = lab.controller.training.arrays["heat"], lab.controller.training.reach
    column, row = (int((number + reach) / (2 * reach) * 256) for number in x)
    assert data.log_prob == pytest.approx(2 * np.log(heat[row, column]), abs=0.2)
    ledger.copy.click()
    copied = QApplication.clipboard().text()
    assert f"{data.log_prob:+.6f} nat" in copied and "Affine coupling" in copied
    assert re.search(r"log π\(z\)\s+[+-]\d", copied)


def test_keys_move_the_probe_and_escape_puts_it_away(qtbot, lab):
    canvas = lab.canvas()
    plot = canvas.density.plot
    qtbot.mouseClick(plot.viewport(), LEFT, pos=place(plot, 0.0, 0.0))
    at_rest(qtbot, lab)
    before = lab.controller.state.probe
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    qtbot.keyClick(plot, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert lab.controller.state.probe == pytest.approx((before[0] + 0.05, before[1] + 0.5))
    assert lab.history.length == 3  # the click, and each key
    assert lab.controller.training.step == 0  # the arrow was the probe's, not a step of training
    at_rest(qtbot, lab)
    assert canvas.probing.link.data.x == lab.controller.state.probe
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    canvas.draw()
    assert lab.controller.state.probe is None and not canvas.probing.ledger.isVisible()
    assert not any(mark.is_set() for _, mark in canvas.probing.marks)
    lab.history.undo()
    at_rest(qtbot, lab)
    canvas.draw()
    assert canvas.probing.ledger.isVisible() and all(mark.is_set() for _, mark in canvas.probing.marks)


def test_a_probe_set_in_z_lands_where_the_flow_sends_it(qtbot, lab):
    canvas = lab.canvas()
    plot = canvas.prior.plot
    qtbot.mouseClick(plot.viewport(), LEFT, pos=place(plot, 1.0, -1.0))
    at_rest(qtbot, lab)
    data = canvas.probing.link.data
    assert data.z == pytest.approx((1.0, -1.0), abs=0.06) and lab.controller.state.probe == data.x
    assert lab.history.undo_label == "Probe" and lab.history.length == 1
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    at_rest(qtbot, lab)
    assert canvas.probing.link.data.z[0] == pytest.approx(data.z[0] - 0.05, abs=1e-5) and lab.history.length == 2


def test_the_square_follows_the_strip_in_true_size(qtbot, lab):
    canvas = lab.canvas()
    lab.controller.history.do(ToyState(**{**vars(lab.controller.state), "probe": (0.5, 0.25)}), "Probe")
    at_rest(qtbot, lab)
    data, rows = canvas.probing.link.data, canvas.probing.ledger.rows
    rows.setFocus()
    for boundary in range(1, 5):
        qtbot.keyClick(rows, Qt.Key.Key_Down)
        canvas.draw()
        assert canvas.strip.position == 4 - boundary and rows.boundary == boundary
        corners = next(mark for side, mark in canvas.probing.marks if side == "path").shape_corners()
        x, y = (corners - corners.mean(0)).T
        area = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
        expected = 0.25**2 * np.exp(sum(data.log_dets[:boundary]))
        assert area == pytest.approx(expected, rel=1e-6)
        assert f"× {np.exp(sum(data.log_dets[:boundary])):.3g}" in canvas.probing.ledger.caption.text()


def test_the_probe_follows_the_training_and_adds_up_all_along(qtbot, lab):
    canvas = lab.canvas()
    canvas.probing.link.put((0.5, 0.25))
    at_rest(qtbot, lab)
    seen = []
    canvas.probing.link.changed.connect(lambda: seen.append(canvas.probing.link.data))
    qtbot.mouseClick(lab.inspector().play, LEFT)
    qtbot.waitUntil(lambda: len({data.step for data in seen}) >= 4, timeout=20_000)
    qtbot.mouseClick(lab.inspector().play, LEFT)
    at_rest(qtbot, lab)
    assert seen[-1].step == lab.controller.training.step
    for data in seen:
        assert sum(data.rounded) == data.total == round(100 * data.log_prob)
    assert len({data.log_prob for data in seen}) >= 4
