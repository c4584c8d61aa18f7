"""Painting: strokes, palette, keyboard, what is plausible, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt

from flow_explorer.engine.requests.pixels import Repaint
from tests.app.explorer.facets.pixels.case import LEFT, SIZE, drag, paint_on


def test_a_stroke_is_one_act_and_its_z_follows(pixels, client, workspace, qtbot):
    paint_on(pixels, qtbot)
    subject = workspace.controller.subject()
    assert pixels.large() is None and client.sent(Repaint) == []
    length = workspace.history.length
    drag(pixels.canvas.paint.brush, [(0.2, 0.5), (0.5, 0.5), (0.8, 0.5)])
    assert workspace.history.length == length + 1
    painted = pixels.canvas.paint.brush.picture
    assert tuple(painted[4, 4]) == pixels.state.colour and np.array_equal(painted[0], subject.picture[0])
    client.run()
    request = client.sent(Repaint)[-1]
    assert np.array_equal(request.before, subject.picture) and np.array_equal(request.painted, painted)
    assert request.where[4, 4] and not request.where[0].any() and request.amount == 1.0
    # As many as the stroke had places at most, and the newest last.
    assert len(client.sent(Repaint)) <= 2
    trio = pixels.canvas.paint.trio
    assert [part.lines[0] for part in trio._parts] == ["2.00 bits/dim", "4.00 bits/dim", "3.00 bits/dim"]
    assert pixels.canvas.paint.painted_maps._tiles[0].note == f"{2 / np.sqrt(6):.2f} σ"
    assert pixels.canvas.paint.plausible_maps._tiles[0].note == f"{1 / np.sqrt(6):.2f} σ"
    workspace.history.undo()
    client.run()
    assert np.array_equal(pixels.canvas.paint.brush.picture, subject.picture) and pixels.large() is None
    workspace.history.redo()
    client.run()
    assert np.array_equal(pixels.canvas.paint.brush.picture, painted)


def test_what_is_plausible_can_be_taken_with_its_z(pixels, client, workspace, qtbot):
    paint_on(pixels, qtbot)
    drag(pixels.canvas.paint.brush, [(0.2, 0.5), (0.8, 0.5)])
    client.run()
    slider = pixels.controls.paint.amount
    length = workspace.history.length
    slider.track.setFocus()
    for _ in range(5):
        qtbot.keyClick(slider.track, Qt.Key.Key_PageDown)
    client.run()
    assert workspace.history.length == length + 1 and client.sent(Repaint)[-1].amount == pytest.approx(0.5)
    assert pixels.controls.paint.kept.value.text() == "50 %"
    assert "0.5 grey levels" in pixels.controls.paint.outside.value.text()
    latent = workspace.controller.large()
    assert np.array_equal(latent.picture, pixels.painting.plausible)
    assert workspace.controller.shown().title == "Plausible: sample 2, seed 4"
    assert workspace.controller.shown().figures.bpd == 3.0
    workspace.send("B")
    client.run()
    slot = workspace.controller.state.b
    assert np.array_equal(workspace.controller.store.latent(slot.latent), latent.z)
    assert np.array_equal(workspace.controller.store.picture(slot.picture).pixels[..., :3], latent.picture)
    qtbot.keyClick(slider.track, Qt.Key.Key_Home)
    # Until it is known the one before stands, in the column and for whoever takes it.
    assert np.array_equal(workspace.controller.large().picture, latent.picture) and pixels.busy
    assert workspace.controller.shown().title == "Plausible: sample 2, seed 4"
    client.run()
    assert workspace.controller.shown().title == "Painted: sample 2, seed 4"
    assert np.array_equal(pixels.large().picture, pixels.painting.painted)


def test_a_saved_result_brings_back_its_z_and_its_strokes(pixels, client, workspace, qtbot):
    from flow_explorer.explorer.moving.recipes import read_latent
    from flowcore.pictures import recipe

    paint_on(pixels, qtbot)
    drag(pixels.canvas.paint.brush, [(0.2, 0.5), (0.8, 0.5)])
    client.run()
    latent, state = workspace.controller.large(), pixels.state
    data = workspace.exporter.picture(latent, everything=True)
    found = recipe.extract(data, "saved.png")
    assert found is not None and np.array_equal(read_latent(found, data).z, latent.z)
    qtbot.mouseClick(pixels.controls.paint.clear, LEFT)
    pixels.change(replace(pixels.state, mode="look", amount=0.1), "something else")
    workspace.controller.restore_recipe(found)
    client.run()
    assert pixels.state == state and np.array_equal(workspace.controller.large().picture, latent.picture)


def test_eraser_palette_and_brush(pixels, client, workspace, qtbot):
    paint_on(pixels, qtbot)
    controls, brush, subject = pixels.controls.paint, pixels.canvas.paint.brush, workspace.controller.subject()
    qtbot.mouseClick(controls.palette_buttons[2], LEFT)
    assert pixels.state.colour == controls.palette_buttons[2].colour and controls.palette_buttons[2].isChecked()
    controls.brush.track.setFocus()
    qtbot.keyClick(controls.brush.track, Qt.Key.Key_End)
    assert pixels.state.brush == pytest.approx(0.25)
    drag(brush, [(0.3, 0.5), (0.7, 0.5)])
    assert tuple(pixels.painting.painted[4, 3]) == pixels.state.colour
    qtbot.mouseClick(controls.eraser, LEFT)
    assert pixels.state.erasing and controls.eraser.isChecked() and not controls.palette_buttons[2].isChecked()
    drag(brush, [(-0.2, 0.5), (1.2, 0.5)])
    drag(brush, [(-0.2, 0.2), (1.2, 0.8)])
    client.run()
    assert np.array_equal(pixels.painting.painted, subject.picture) and not pixels.painting.dirty and pixels.large() is None
    qtbot.mouseClick(controls.clear, LEFT)
    assert pixels.state.paintings == () and not controls.clear.isEnabled()
    workspace.history.undo()
    assert len(pixels.state.paintings[0][1]) == 3


def test_any_colour_can_be_chosen(pixels, qtbot):
    from PySide6.QtGui import QColor
    from PySide6.QtWidgets import QColorDialog

    paint_on(pixels, qtbot)
    qtbot.mouseClick(pixels.controls.paint.other_colour, LEFT)
    dialog = pixels.controls.window().findChild(QColorDialog)
    dialog.setCurrentColor(QColor(1, 2, 3))
    dialog.accept()
    assert pixels.state.colour == (1, 2, 3) and pixels.controls.paint.other_colour.isChecked()


def test_one_can_paint_by_the_keyboard(pixels, client, qtbot):
    paint_on(pixels, qtbot)
    brush = pixels.canvas.paint.brush
    brush.setFocus()
    qtbot.keyClick(brush, Qt.Key.Key_Left)
    qtbot.keyClick(brush, Qt.Key.Key_Up)
    qtbot.keyClick(brush, Qt.Key.Key_Space)
    client.run()
    (stroke,) = pixels.state.paintings[0][1]
    assert stroke.points == ((0.5 - 1 / SIZE, 0.5 - 1 / SIZE),)
    qtbot.keyClick(brush, Qt.Key.Key_Space)
    assert len(pixels.state.paintings[0][1]) == 2  # a dab of its own


def test_every_picture_keeps_its_own_strokes(pixels, client, workspace, qtbot):
    paint_on(pixels, qtbot)
    drag(pixels.canvas.paint.brush, [(0.2, 0.5), (0.8, 0.5)])
    client.run()
    workspace.acts.select(2)
    client.run()
    assert not pixels.painting.dirty and pixels.painting.plausible is None
    drag(pixels.canvas.paint.brush, [(0.2, 0.2), (0.2, 0.8)])
    client.run()
    workspace.acts.select(1)
    client.run()
    assert pixels.painting.where[4, 4] and not pixels.painting.where[1].any()
    assert len(pixels.state.paintings) == 2


def test_a_failure_of_painting_is_said_and_the_stroke_stays(pixels, client, workspace, qtbot):
    paint_on(pixels, qtbot)
    client.fail = Repaint
    drag(pixels.canvas.paint.brush, [(0.2, 0.5), (0.8, 0.5)])
    client.run()
    assert pixels.canvas.paint.problem.isVisible() and pixels.large() is None and pixels.painting.dirty
    client.fail = None
    workspace.engine_restarted()
    client.run()
    assert not pixels.canvas.paint.problem.isVisible() and pixels.large() is not None


def test_it_is_painted_in_both_themes_at_any_size(pixels, client, workspace, qtbot):
    from flow_explorer import theme

    paint_on(pixels, qtbot)
    drag(pixels.canvas.paint.brush, [(0.2, 0.5), (0.8, 0.5)])
    client.run()
    try:
        for name in ("dark", "light"):
            theme.choose(name)
            for size in ((1366, 840), (900, 560)):
                workspace.window_for_test.resize(*size)
                for mode in ("look", "paint"):
                    qtbot.mouseClick(pixels.canvas.mode.button(mode), LEFT)
                    client.run()
                    assert not pixels.canvas.grab().isNull()
                    half = getattr(pixels.canvas, mode)
                    for part in half.children():
                        if getattr(part, "isVisible", lambda: False)():
                            assert half.rect().contains(part.geometry()), (name, size, mode, part)
    finally:
        theme.choose("system")
