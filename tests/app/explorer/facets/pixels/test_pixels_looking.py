"""Which z a pixel moves, and which pixels a z moves: pointing, walking through the maps, failures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt

from flow_explorer.engine.requests.pixels import MovedByPixel, PixelsMoved
from flow_explorer.explorer.facets.pixels.state import ZPlace
from tests.app.explorer.facets.pixels.case import LEFT, SIZE, SIZES, answers, drag


def test_the_middle_is_looked_at_first_and_each_level_has_its_share(pixels, client, workspace):
    (request,) = client.sent(MovedByPixel)
    subject = workspace.controller.subject()
    assert (request.row, request.column, request.radius) == (4, 4, 0.0)
    assert np.array_equal(request.picture, subject.picture)
    maps = pixels.canvas.look.maps
    assert [tile.title for tile in maps._tiles] == ["Fine", "Middle", "Coarse"]
    assert [tile.note for tile in maps._tiles] == ["50 %", "30 %", "20 %"]
    assert "Row 5, column 5" in pixels.canvas.look.below.text()
    assert not pixels.busy


def test_a_click_and_the_arrow_keys_move_the_point_and_can_be_undone(pixels, client, workspace, qtbot):
    view = pixels.canvas.look.point
    qtbot.mouseClick(view, LEFT, pos=view.point_at(0.2, 0.9).toPoint())
    client.run()
    assert (client.sent(MovedByPixel)[-1].row, client.sent(MovedByPixel)[-1].column) == (7, 1)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.keyClick(view, Qt.Key.Key_Up)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Down)  # at the edge already
    client.run()
    assert (client.sent(MovedByPixel)[-1].row, client.sent(MovedByPixel)[-1].column) == (7, 2)
    qtbot.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    client.run()
    assert client.sent(MovedByPixel)[-1].column == 0
    for _ in range(5):
        workspace.history.undo()
    client.run()
    assert (pixels.state.x, pixels.state.y) == (0.5, 0.5)
    assert (client.sent(MovedByPixel)[-1].row, client.sent(MovedByPixel)[-1].column) == (4, 4)


def test_of_a_drag_the_newest_wins_and_it_is_one_act(pixels, client, workspace):
    before, length = len(client.sent(MovedByPixel)), workspace.history.length
    drag(pixels.canvas.look.point, [(x / 10 + 0.05, 0.1) for x in range(10)])
    client.run()
    asked = client.sent(MovedByPixel)[before:]
    assert len(asked) == 2  # the first, and the last that came meanwhile
    assert (asked[-1].row, asked[-1].column) == (0, 7)
    assert workspace.history.length == length + 1
    assert pixels.looking.maps[0][0, 3] == 1


def test_a_larger_region_moves_together(pixels, client, qtbot):
    slider = pixels.controls.look.reach
    slider.track.setFocus()
    for _ in range(4):
        qtbot.keyClick(slider.track, Qt.Key.Key_Right)
    client.run()
    assert client.sent(MovedByPixel)[-1].radius == pytest.approx(2.0)
    assert slider.value() == 2.0


def test_a_click_in_a_map_shows_the_pixels_that_its_z_moves(pixels, client, workspace, qtbot):
    maps, controls = pixels.canvas.look.maps, pixels.controls.look
    cell = maps.cell(1)
    qtbot.mouseClick(maps, LEFT, pos=cell.center().toPoint())
    (request,) = client.sent(PixelsMoved)
    assert np.array_equal(request.z, workspace.controller.subject().z)
    assert request.level == 1 and request.channel == -1
    client.run()
    assert np.array_equal(pixels.looking.reached, np.ones((SIZE, SIZE), np.float32))
    assert "grey levels" in pixels.canvas.look.below.text()
    assert controls.opacity.isVisible() and not controls.reach.isVisible()
    assert "Middle: row" in controls.place.text()
    assert controls.channel.count() == 13  # all, and each of the twelve
    before = pixels.canvas.look.point.grab().toImage()
    controls.opacity.track.setFocus()
    qtbot.keyClick(controls.opacity.track, Qt.Key.Key_Home)
    assert pixels.state.opacity == 0 and pixels.canvas.look.point.grab().toImage() != before
    # One number of the place alone.
    controls.channel.setCurrentIndex(4)
    controls.channel.activated.emit(4)
    client.run()
    assert client.sent(PixelsMoved)[-1].channel == 3
    qtbot.keyClick(maps, Qt.Key.Key_Escape)
    assert pixels.state.place is None and controls.reach.isVisible() and pixels.looking.reached is None
    workspace.history.undo()
    client.run()
    place = pixels.state.place
    assert place is not None and place.channel == 3 and pixels.looking.reached is not None


def test_a_newer_place_interrupts_one_that_has_said_something(pixels, client, qtbot):
    """Until then it waits: a drag faster than the first answer still shows something."""
    maps = pixels.canvas.look.maps
    maps.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Left):
        qtbot.keyClick(maps, key)
    assert len(client.sent(PixelsMoved)) == 1
    (entry,) = [entry for entry in client.asked if isinstance(entry.request, PixelsMoved)]
    entry.answer(next(answers(entry.request)))
    assert entry.id in client.cancelled and pixels.looking.fraction == 0.5
    newest = client.sent(PixelsMoved)[-1]
    assert len(client.sent(PixelsMoved)) == 2 and (newest.row, newest.column) == (1, 2)
    client.run()
    assert pixels.looking.fraction == 1 and not pixels.busy


def test_whole_pixels_are_shown_on_request(pixels, workspace):
    before = pixels.canvas.look.point.area()
    workspace.toggle_pixels()
    area = pixels.canvas.look.point.area()
    assert not pixels.canvas.look.point.smooth and area.width() % SIZE == 0 and area.width() <= before.width()


def test_maps_are_walked_through_by_the_keyboard(pixels, client, qtbot):
    maps = pixels.canvas.look.maps
    maps.setFocus()
    qtbot.keyClick(maps, Qt.Key.Key_Right)
    client.run()
    assert pixels.state.place == ZPlace(0, 2, 3)
    qtbot.keyClick(maps, Qt.Key.Key_Right)  # at the edge already
    qtbot.keyClick(maps, Qt.Key.Key_Up)
    assert pixels.state.place == ZPlace(0, 1, 3)
    qtbot.keyClick(maps, Qt.Key.Key_PageDown)
    assert pixels.state.place == ZPlace(1, 0, 1)
    qtbot.keyClick(maps, Qt.Key.Key_PageDown)
    client.run()
    assert pixels.state.place == ZPlace(2, 0, 0)
    assert client.sent(PixelsMoved)[-1].level == 2
    qtbot.mouseClick(pixels.canvas.look.point, LEFT, pos=pixels.canvas.look.point.point_at(0.5, 0.5).toPoint())
    assert pixels.state.place is None


def test_places_lie_in_their_maps(pixels):
    maps = pixels.canvas.look.maps
    for index, (_, height, width) in enumerate(SIZES):
        cell = maps.cell(index)
        assert maps.rect().contains(cell.toAlignedRect())
        inner = cell.adjusted(1, 1, -1, -1)
        assert maps.place_at(inner.topLeft()) == (index, 0, 0)
        assert maps.place_at(inner.bottomRight()) == (index, height - 1, width - 1)
    assert maps.place_at(maps.rect().bottomRight().toPointF()) is None


def test_before_the_maps_have_come_there_is_no_place_to_pick(pixels, client, workspace, qtbot):
    workspace.acts.set_subject("A")
    client.run()
    workspace.acts.set_subject("sample")
    maps = pixels.canvas.look.maps
    assert pixels.busy
    qtbot.mouseClick(maps, LEFT, pos=maps.cell(0).center().toPoint())
    maps.setFocus()
    qtbot.keyClick(maps, Qt.Key.Key_Right)
    assert pixels.state.place is None
    client.run()
    qtbot.keyClick(maps, Qt.Key.Key_Right)
    assert pixels.state.place == ZPlace(0, 2, 3)


def test_another_sample_has_other_maps_and_a_place_that_a_model_lacks_is_passed_over(pixels, client, workspace):
    workspace.acts.select(2)
    client.run()
    assert np.array_equal(client.sent(MovedByPixel)[-1].picture, workspace.controller.subject().picture)
    pixels.change(replace(pixels.state, place=ZPlace(7, 0, 0)), "elsewhere")
    client.run()
    assert client.sent(PixelsMoved) == [] and not pixels.busy and pixels.canvas.look.point.isVisible()


def test_a_failure_stands_where_it_happened_and_a_new_engine_is_asked_again(pixels, client, workspace, qtbot):
    client.fail = MovedByPixel
    view = pixels.canvas.look.point
    qtbot.mouseClick(view, LEFT, pos=view.point_at(0.1, 0.1).toPoint())
    client.run()
    problem = pixels.canvas.look.problem
    assert problem.isVisible() and problem.text() == "It could not be computed."
    client.fail = None
    workspace.engine_restarted()
    client.run()
    assert not problem.isVisible() and pixels.looking.maps[0][0, 0] == 1


def test_without_a_picture_one_sentence_and_one_act(pixels, client, workspace, qtbot):
    workspace.acts.set_subject("A")
    client.run()
    assert pixels.canvas.empty.isVisible() and not pixels.canvas.mode.isVisible() and not pixels.controls.isVisible()
    qtbot.mouseClick(pixels.canvas.empty.buttons.itemAt(0).widget(), LEFT)
    client.run()
    assert not pixels.canvas.empty.isVisible() and pixels.canvas.look.point.picture is workspace.controller.subject().picture
