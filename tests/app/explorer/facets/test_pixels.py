"""Pixels through its real widgets on the stand-in engine: looking, painting, undo, what is asked and what is shown."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.engine.requests_pixels import MovedByPixel, PixelsMoved, Repaint
from app.explorer.facets.pixels import colours
from app.explorer.facets.pixels.state import PAINTINGS, State, ZPlace, picture_key, scaled
from app.explorer.state import ExplorerState
from flowcore.errors import ConfigError
from flowcore.painting import Stroke

LEFT = Qt.MouseButton.LeftButton
SIZE = 8
SIZES = [[6, 4, 4], [12, 2, 2], [48, 1, 1]]


def answers(request):
    """What the engine would say, in kind: maps with their strongest place where the pixel is."""
    if isinstance(request, MovedByPixel):
        maps = {}
        for number, (_, height, width) in enumerate(SIZES):
            shown = np.full((height, width), 0.1, np.float32)
            shown[request.row * height // SIZE, request.column * width // SIZE] = 1 + request.row
            maps[f"map{number}"] = shown
        yield {"shares": [0.5, 0.3, 0.2], "sizes": SIZES, "done": True}, maps, True
    elif isinstance(request, PixelsMoved):
        for fraction in (0.5, 1.0):
            shown = np.full((SIZE, SIZE), fraction, np.float32)
            yield {"fraction": fraction, "done": fraction == 1}, {"map": shown}, fraction == 1
    elif isinstance(request, Repaint):
        figures = {name: {"bpd": bpd, "likelier_than": None, "typicality": None} for name, bpd in
                   (("before", 2.0), ("painted", 4.0), ("plausible", 3.0))}  # fmt: skip
        change = {f"change{n}": np.full(size[1:], 2.0, np.float32) for n, size in enumerate(SIZES)}
        left = {f"left{n}": np.full(size[1:], 1.0, np.float32) for n, size in enumerate(SIZES)}
        figured = {name: figures[name] for name in ("before", "painted")}
        yield {**figured, "channels": [size[0] for size in SIZES], "done": False}, change, False
        mixed = (request.painted * (1 - request.amount) + request.before * request.amount).astype(np.uint8)
        yield {"done": False}, {"picture": mixed}, False
        data = {"amount": request.amount, "kept": 1 - request.amount, "inside": 5.0, "outside": 0.5,
                "plausible": figures["plausible"], "done": True}  # fmt: skip
        yield data, {"z": (mixed / 100).astype(np.float32).ravel(), "picture": mixed, **left}, True


@pytest.fixture
def pixels(workspace, client):
    """The facet in front, about a sample, its first maps answered."""
    plain = client.work
    client.work = lambda request: answers(request) if request.kind.startswith("pixels.") else plain(request)
    workspace.look_deeper()
    workspace.acts.select(1)
    client.run()
    workspace.acts.show_facet("pixels")
    client.run()
    made = workspace.controller.facets["pixels"]
    assert made.canvas.isVisible()
    return made


def paint_on(pixels, qtbot) -> None:
    """To painting, with a brush that covers whole pixels of so small a picture."""
    qtbot.mouseClick(pixels.canvas.mode.button("paint"), LEFT)
    pixels.change(replace(pixels.state, brush=0.15), "A larger brush")
    assert pixels.canvas.paint.brush.isVisible()


def drag(view, places) -> None:
    points = [view.point_at(*place).toPoint() for place in places]
    QTest.mousePress(view, LEFT, pos=points[0])
    for point in points[1:]:
        QTest.mouseMove(view, point)
    QTest.mouseRelease(view, LEFT, pos=points[-1])


# -- looking ------------------------------------------------------------------------------------------------------------


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
    assert pixels.state.place.channel == 3 and pixels.looking.reached is not None


def test_a_newer_place_interrupts_one_that_has_said_something(pixels, client, qtbot):
    """Until then it waits: a drag faster than the first answer still shows something."""
    maps = pixels.canvas.look.maps
    maps.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Left):
        qtbot.keyClick(maps, key)
    assert len(client.sent(PixelsMoved)) == 1
    (entry,) = [entry for entry in client.asked if isinstance(entry.request, PixelsMoved)]
    first = next(answers(entry.request))
    entry.answer(SimpleNamespace(id=entry.id, kind="", data=first[0], arrays=first[1], done=False, request=entry.request))
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


# -- painting -----------------------------------------------------------------------------------------------------------


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
    well = workspace.controller.state.b
    assert np.array_equal(workspace.controller.store.latent(well.latent), latent.z)
    assert np.array_equal(workspace.controller.store.picture(well.picture).pixels[..., :3], latent.picture)
    qtbot.keyClick(slider.track, Qt.Key.Key_Home)
    # Until it is known the one before stands, in the column and for whoever takes it.
    assert np.array_equal(workspace.controller.large().picture, latent.picture) and pixels.busy
    assert workspace.controller.shown().title == "Plausible: sample 2, seed 4"
    client.run()
    assert workspace.controller.shown().title == "Painted: sample 2, seed 4"
    assert np.array_equal(pixels.large().picture, pixels.painting.painted)


def test_a_saved_result_brings_back_its_z_and_its_strokes(pixels, client, workspace, qtbot):
    from app.explorer.recipes import read_latent
    from flowcore import recipe

    paint_on(pixels, qtbot)
    drag(pixels.canvas.paint.brush, [(0.2, 0.5), (0.8, 0.5)])
    client.run()
    latent, state = workspace.controller.large(), pixels.state
    data = workspace.exporter.picture(latent)
    found = recipe.extract(data, "saved.png")
    assert np.array_equal(read_latent(found, data).z, latent.z)
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
    qtbot.mouseClick(pixels.controls.paint.well, LEFT)
    dialog = pixels.controls.window().findChild(QColorDialog)
    dialog.setCurrentColor(QColor(1, 2, 3))
    dialog.accept()
    assert pixels.state.colour == (1, 2, 3) and pixels.controls.paint.well.isChecked()


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
    from app import theme

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


# -- state and colours ----------------------------------------------------------------------------------------------------


def test_a_state_is_written_and_read_to_the_last_stroke(pixels, client, workspace, qtbot):
    paint_on(pixels, qtbot)
    drag(pixels.canvas.paint.brush, [(0.2, 0.5), (0.33, 0.41), (0.8, 0.5)])
    qtbot.mouseClick(pixels.controls.paint.eraser, LEFT)
    drag(pixels.canvas.paint.brush, [(0.8, 0.5), (0.9, 0.5)])
    pixels.change(replace(pixels.state, place=ZPlace(1, 0, 1, 2), amount=0.25, x=0.1), "all of it")
    data = json.loads(json.dumps(workspace.history.state.to_dict()))
    assert ExplorerState.from_dict(data).of("pixels") == pixels.state
    assert State.from_dict({}) == State() and State().to_dict() == {}
    assert pixels.state.keys == set()


@pytest.mark.parametrize("data", [
    {"mode": "dance"}, {"x": 2}, {"x": float("nan")}, {"brush": "wide"}, {"colour": [1, 2]}, {"colour": [1, 2, 256]},
    {"place": [0, 0, -1, 0]}, {"place": [0, 0]}, {"erasing": 1}, {"paintings": {}},
    {"paintings": [{"picture": "a", "strokes": []}]},
    {"paintings": [{"picture": "a", "strokes": [{"points": [1], "radius": 0.1}]}]},
    {"paintings": [{"picture": "a", "strokes": [{"points": [0.1, 9], "radius": 0.1}]}]},
    {"paintings": [{"picture": "a", "strokes": [{"points": [0.1, 0.1], "radius": 0.1, "colour": "red"}]}]},
    {"paintings": [{"picture": str(n), "strokes": [{"points": [0, 0], "radius": 0}]} for n in range(PAINTINGS + 1)]},
], ids=str)  # fmt: skip
def test_a_broken_state_is_refused_in_a_sentence(data):
    with pytest.raises(ConfigError, match="Pixels"):
        State.from_dict(data)


def test_only_the_pictures_painted_on_last_are_remembered():
    state, stroke = State(), Stroke(((0.5, 0.5),), 0.1, (1, 2, 3))
    for number in range(PAINTINGS + 3):
        state = state.with_strokes(str(number), (stroke,))
    assert [key for key, _ in state.paintings] == [str(number) for number in range(3, PAINTINGS + 3)]
    assert state.strokes("0") == () and state.with_strokes("9", ()).strokes("9") == ()
    (pixel_stroke,) = scaled((stroke,), 10, 20)
    assert (pixel_stroke.points, pixel_stroke.radius) == (((10.0, 5.0),), 2.0)
    grey, colour = np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4, 3), np.uint8)
    assert len({picture_key("a", grey), picture_key("b", grey), picture_key("a", colour)}) == 3


@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_purple_scale_is_perceptually_even(name, monkeypatch):
    from app import theme

    monkeypatch.setattr(theme, "_current", {"dark": theme.DARK, "light": theme.LIGHT}[name])
    lab = colours.to_oklab(colours.scale() / 255)
    steps = np.linalg.norm(np.diff(lab[::8], axis=0), axis=1)
    assert steps.max() < 1.35 * steps.min()
    lightness = np.diff(lab[::8, 0])
    assert (lightness > 0).all() if name == "dark" else (lightness < 0).all()
    # It goes through the colour of z, and begins at that of a raised surface.
    purple = colours.to_oklab(np.array([0xCC, 0x79, 0xA7]) / 255)
    assert np.linalg.norm(lab - purple, axis=1).min() < 0.01
    shown = colours.shade(np.array([[0.0, 1.0]]), 1.0)
    assert np.array_equal(shown[0, 0], colours.scale()[0]) and np.array_equal(shown[0, 1], colours.scale()[-1])
    assert colours.shade(np.zeros((2, 2)), 0.0).shape == (2, 2, 3)
    laid = colours.overlay(np.array([[0.0, 1.0]]), 1.0, 0.5)
    assert laid[0, 0, 3] < laid[0, 1, 3] == 128


