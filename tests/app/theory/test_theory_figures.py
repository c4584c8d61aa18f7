"""The six figures in the real window: dragged, turned by keys, and every number on them held against flowcore's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from flow_explorer import assets, theme
from flow_explorer.theory.state import FIGURES
from flow_explorer.widgets.pixels import from_image
from flowcore.theory.coupling import passes
from flowcore.theory.curve import Curve, straight
from flowcore.theory.parallelogram import Matrix


def ink(widget) -> int:
    """How many different colours a widget has been painted with."""
    pixels = from_image(widget.grab().toImage())
    return len(np.unique(np.ascontiguousarray(pixels[::4, ::4]).view(np.uint32)))


@pytest.mark.parametrize("tone", ["light", "dark"])
def test_the_figures_paint_in_both_themes_and_at_any_size(page, tone):
    theme.choose(tone)
    try:
        for figure in FIGURES:
            page.go(figure)
            assert ink(page.figure) > 8
            for size in ((480, 280), (2100, 1000)):
                page.figure.resize(*size)
                for handle in page.figure.handles():
                    assert page.figure.rect().contains(handle.at.toPoint()), (figure, size, handle.key)
                assert ink(page.figure) > 8
            assert page.figure.accessibleName() and page.figure.accessibleDescription()
    finally:
        theme.choose("light")


# -- figure 1 -----------------------------------------------------------------------------------------------------------


def test_dragging_the_ends_changes_slope_and_offset_and_no_area(page):
    page.go("affine")
    scale = page.figure._scale()
    page.drag("slope", (round(-scale), 0))
    assert page.state.affine.slope == pytest.approx(1.0, abs=0.03) and page.state.affine.offset == 1.0
    page.drag("offset", (round(-2 * scale), 0))
    assert page.state.affine.offset == pytest.approx(-1.0, abs=0.03)
    assert page.number("area") == page.number("z_area") == 1.0
    assert page.number("width") * page.number("density") == pytest.approx(1.0, abs=2e-3)
    assert page.number("log_pi") + page.number("log_det") == pytest.approx(page.number("log_p"), abs=1e-9)
    assert page.controller.history.length == 2  # a drag is one act
    page.controller.history.undo()
    assert page.state.affine.offset == 1.0


def test_dragging_through_zero_turns_it_over(page):
    page.go("affine")
    scale = page.figure._scale()
    page.drag("slope", (round(-4 * scale), 0))
    assert page.state.affine.slope == pytest.approx(-2.0, abs=0.05)
    assert page.number("density") == pytest.approx(0.5, abs=0.02) and page.number("area") == 1.0


def test_a_slider_jumps_over_zero_too(page):
    page.go("affine")
    page.slide("slope", 0.1)
    assert page.state.affine.slope == 0.5 and page.panel.controls["slope"].value() == 0.5
    page.slide("slope", -0.3)
    assert page.state.affine.slope == -0.5 and page.number("density") == 2.0


def test_arrow_keys_move_the_handle_that_tab_has_chosen(page):
    figure = page.go("affine")
    page.window.activateWindow()
    figure.clearFocus()  # a click of an earlier test may have left it here, and then no key did
    figure.setFocus(Qt.FocusReason.TabFocusReason)
    page.qtbot.waitUntil(lambda: figure.focus_visible, timeout=2000)
    QTest.keyClick(figure, Qt.Key.Key_Right)
    assert page.state.affine.offset == pytest.approx(1.05)
    QTest.keyClick(figure, Qt.Key.Key_Tab)
    assert figure.hasFocus() and figure.active == 1
    QTest.keyClick(figure, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert page.state.affine.slope == pytest.approx(1.5)
    for _ in range(25):
        QTest.keyClick(figure, Qt.Key.Key_Left)
    assert page.state.affine.slope < 0  # over 0, where there is no density
    QTest.keyClick(figure, Qt.Key.Key_Tab)
    assert not figure.hasFocus() and page.window.focusWidget() is not None  # the last handle was the second


# -- figure 2 -----------------------------------------------------------------------------------------------------------


def test_a_bent_curve_keeps_what_is_in_the_strip(page):
    page.go("curve")
    page.drag("knot-5", (0, -25))
    heights = page.state.curve.heights
    assert heights[5] > straight()[5] and heights[4] == straight()[4]
    curve = Curve(heights)
    part = page.state.curve
    _, _, below, left = curve.strip(part.z, part.width)
    assert below == pytest.approx(left, abs=1e-6)
    assert page.number("mass") == pytest.approx(below, abs=1e-4)
    assert page.number("log_pi") + page.number("log_slope") == pytest.approx(page.number("log_p"), abs=2e-3)
    assert page.number("log_p") == pytest.approx(float(curve.log_prob(curve.x(part.z))), abs=1e-3)


def test_a_thin_strips_two_products_agree(page):
    page.go("curve", width=0.05)
    assert page.number("below") == pytest.approx(page.number("left"), abs=2e-4)


def test_the_strip_follows_a_press_anywhere_and_the_keys(page):
    figure = page.go("curve")
    place = figure._point(-1.0, 1.0).toPoint()
    QTest.mouseClick(figure, Qt.MouseButton.LeftButton, pos=place)
    assert page.state.curve.z == pytest.approx(-1.0, abs=0.02)
    figure.active = len(figure.handles()) - 1
    QTest.keyClick(figure, Qt.Key.Key_Right)
    assert page.state.curve.z == pytest.approx(-0.95, abs=0.02)


def test_the_areas_of_the_figure_are_true_to_scale(page):
    figure = page.go("curve")
    below, left = figure._room()
    first, second = figure._point(0, 0), figure._point(1, 1)
    across, along = second.x() - first.x(), first.y() - second.y()
    assert below * across == pytest.approx(left * along, rel=1e-9)


def test_the_curve_learns_pauses_and_is_undone_as_one_act(page):
    page.go("curve")
    QTest.mouseClick(page.panel.play, Qt.MouseButton.LeftButton)
    assert page.controller.learning and page.panel.play.text() == "Pause" and not page.workspace.is_idle()
    page.qtbot.waitUntil(lambda: page.state.curve.steps >= 12, timeout=20_000)
    gap = page.number("gap")
    QTest.mouseClick(page.panel.play, Qt.MouseButton.LeftButton)
    assert not page.controller.learning and page.workspace.is_idle()
    assert page.number("loss") - page.number("entropy") == pytest.approx(page.number("gap"), abs=2e-3)
    assert gap < 0.3
    learned = page.state.curve
    page.controller.history.undo()
    assert page.state.curve.heights == straight() and page.state.curve.steps == 0
    page.controller.history.redo()
    assert page.state.curve == learned
    QTest.mouseClick(page.panel.step, Qt.MouseButton.LeftButton)
    assert page.state.curve.steps == learned.steps + 1


def test_a_moved_knot_stops_the_learning_and_another_target_does_not(page):
    page.go("curve")
    page.controller.learn()
    page.qtbot.waitUntil(lambda: page.state.curve.steps >= 2, timeout=20_000)
    page.choose("target", "box")
    page.qtbot.waitUntil(lambda: page.state.curve.steps >= 6, timeout=20_000)
    assert page.controller.learning and page.state.curve.target == "box"
    page.drag("knot-3", (0, 8))
    assert not page.controller.learning and page.state.curve.steps == 0
    page.controller.learn()
    page.controller.show_figure("matrix")
    assert not page.controller.learning


# -- figure 3 -----------------------------------------------------------------------------------------------------------


def test_dragging_an_edge_changes_the_area_that_is_drawn(page):
    import torch

    page.go("matrix")
    scale = page.figure._scale()
    page.drag("first", (round(0.5 * scale), round(0.2 * scale)))
    part = page.state.matrix
    assert (part.a, part.c) == (pytest.approx(2.0, abs=0.03), pytest.approx(0.2, abs=0.03))
    corners = page.figure._places(Matrix(part.a, part.b, part.c, part.d).corners, page.figure._planes()[1])
    drawn = abs(Matrix.shoelace(np.array([(p.x(), p.y()) for p in corners]))) / scale**2
    _, log_abs_det = torch.linalg.slogdet(torch.tensor([[part.a, part.b], [part.c, part.d]], dtype=torch.float64))
    assert drawn == pytest.approx(math.exp(log_abs_det), rel=1e-9)
    assert page.number("area") == pytest.approx(drawn, abs=1e-3) and page.number("mass") == 1.0
    assert page.number("ad") + page.number("bc") == pytest.approx(page.number("det"), abs=2e-3)


def test_a_flip_and_a_line_are_said(page):
    page.go("matrix", a=0.5, b=1.5, c=1.2, d=0.4)
    assert page.number("det") == pytest.approx(-1.6) and page.panel.rows["det"].value.property("tone") == "warning"
    page.go("matrix", a=1.6, b=0.8, c=1.0, d=0.5)
    assert page.number("density") == math.inf and page.row("log_det").startswith("−∞") and page.row("mass") == "–"
    assert ink(page.figure) > 8


# -- figure 4 -----------------------------------------------------------------------------------------------------------


def test_the_column_adds_up_to_the_log_determinant(page):
    page.go("coupling")
    for layers, value in (("one", -1.3), ("same", 0.4), ("swap", 1.9)):
        page.choose("layers", layers)
        page.slide("x-2", value)
        steps = passes(page.state.coupling.x, layers)
        logs = [page.number(f"log-{layer}-{order}") for layer in range(1, len(steps) + 1) for order in (1, 2)]
        assert sum(logs) == pytest.approx(page.number("log_det"), abs=3e-3)
        assert page.number("det") == pytest.approx(math.exp(sum(step.log_det for step in steps)), abs=1e-3)
        assert page.number("whole") == pytest.approx(page.number("det"), abs=1e-3)  # by elimination, of all there is
        assert page.panel.controls["matrix"].isVisible() == (len(steps) == 2)


def test_dragging_a_copied_number_moves_the_others_and_a_transformed_one_only_itself(page):
    page.go("coupling")
    before = page.figure.steps[0].z
    page.drag("x-3", (15, 0))
    after = page.figure.steps[0].z
    assert np.flatnonzero(after != before).tolist() == [3]
    page.drag("x-0", (-15, 0))
    assert np.flatnonzero(page.figure.steps[0].z != after).tolist() == [0, 2, 3]


# -- figure 5 -----------------------------------------------------------------------------------------------------------


def test_steps_by_button_drag_and_key(page):
    page.go("masks")
    QTest.mouseClick(page.panel.on, Qt.MouseButton.LeftButton)
    assert page.state.masks.phase == 1 and page.number("changed") == 0
    QTest.keyClick(page.figure, Qt.Key.Key_Right)
    assert page.state.masks.phase == 2 and page.number("changed") == 1536
    assert page.number("copied") + page.number("changed") == page.number("all") == 3072
    left, right, _ = page.figure._track()
    page.drag("phase", (round(right - left), 0))
    assert page.state.masks.phase == 4 and page.number("changed") == 3072 and not page.panel.on.isEnabled()
    QTest.mouseClick(page.panel.back, Qt.MouseButton.LeftButton)
    assert page.state.masks.phase == 3
    page.choose("mask", "cycle")
    assert page.state.masks.phase == 0 and page.panel.on.isEnabled()


def test_the_third_picture_shows_what_has_changed(page):
    page.go("masks", phase=2)
    masked, (_, _, changed) = page.figure._content()
    tones = {tuple(changed[0, 0]), tuple(changed[0, 1])}
    assert len(tones) == 2  # row + column even was copied, odd has changed
    assert np.array_equal(masked.done.all(0), (changed == changed[0, 1]).all(2))


# -- figure 6 -----------------------------------------------------------------------------------------------------------


def test_the_rotation_at_120_degrees_is_the_permutation(page):
    figure = page.go("convolution")
    plain = figure.mixed()
    page.choose("kind", "rotation")
    page.settle()
    assert np.allclose(figure.mixed().z, plain.z, atol=1e-12) and page.number("log_det") == 0.0
    centre, radius = figure._dial()
    handle = page.handle("angle").at
    page.drag("angle", (round(centre.x() - handle.x()), round(centre.y() - radius - handle.y())))
    assert page.state.convolution.angle == 0.0
    assert np.allclose(figure.mixed().z, figure.mixed().x, atol=1e-12)
    figure.active = 0
    QTest.keyClick(figure, Qt.Key.Key_Left)
    assert page.state.convolution.angle == -1.0


def test_the_learned_convolution_is_the_layers(page):
    import torch

    from flowcore.bijections import LULinear
    from flowcore.model.checkpoint import load

    figure = page.go("convolution", kind="learned", step=3, channel=5)
    flow = load(assets.resolve_model("faces"), dtype=torch.float64).flow
    layers = [layer for layer in flow.layers if isinstance(layer, LULinear)]
    mixed = figure.mixed()
    z, log_det = layers[2].encode(torch.tensor(mixed.x)[None])
    assert np.allclose(mixed.z, z[0].detach().numpy(), atol=1e-12)
    assert mixed.log_det == pytest.approx(log_det.item(), abs=1e-8)
    assert page.number("log_det") == pytest.approx(mixed.log_det, abs=0.06)
    there = float(mixed.z[5, 16, 16])
    assert float(page.row("z_there").split("=")[1].replace("−", "-")) == pytest.approx(there, abs=1e-3)
    x_there = float(page.row("x_there").split("=")[1].replace("−", "-"))
    assert page.number("largest") * x_there + page.number("rest") == pytest.approx(there, abs=3e-3)


def test_a_row_is_chosen_on_the_matrix_on_a_picture_and_by_its_handle(page):
    figure = page.go("convolution", kind="learned")
    area = figure._matrix_area()
    row = QPointF(area.center().x(), area.top() + area.height() * 7.5 / 12)
    QTest.mouseClick(figure, Qt.MouseButton.LeftButton, pos=row.toPoint())
    assert page.state.convolution.channel == 7
    tile = figure._tiles(figure._fields()[2])[2]
    QTest.mouseClick(figure, Qt.MouseButton.LeftButton, pos=tile.center().toPoint())
    assert page.state.convolution.channel == 2
    QTest.keyClick(figure, Qt.Key.Key_Down)
    assert page.state.convolution.channel == 3


# -- motion -------------------------------------------------------------------------------------------------------------


def test_a_jump_eases_and_a_drag_does_not(page, monkeypatch):
    figure = page.go("affine")
    monkeypatch.setattr(theme, "animations_enabled", lambda: True)
    page.controller.change("test", slope=-2.0)
    assert not figure.is_still() and figure.shown[0] > -2.0 and not page.workspace.is_idle()
    page.qtbot.waitUntil(figure.is_still, timeout=3000)
    assert figure.shown[0] == -2.0
    start = page.handle("offset").at.toPoint()
    QTest.mousePress(figure, Qt.MouseButton.LeftButton, pos=start)
    page._move(start + QPointF(40, 0).toPoint())
    assert figure.is_still() and figure.shown[1] == page.state.affine.offset
    QTest.mouseRelease(figure, Qt.MouseButton.LeftButton, pos=start)


def test_no_motion_where_the_system_asks_for_none(page, monkeypatch):
    figure = page.go("affine")
    monkeypatch.setattr(theme, "animations_enabled", lambda: False)
    page.controller.change("test", slope=-2.0)
    assert figure.is_still() and figure.shown[0] == -2.0


def test_the_pointer_tells_what_can_be_taken(page):
    figure = page.go("matrix")
    QTest.mouseMove(figure, page.handle("first").at.toPoint())
    page.qtbot.waitUntil(lambda: figure.cursor().shape() == Qt.CursorShape.SizeAllCursor, timeout=2000)
    assert "first edge" in figure.toolTip()
