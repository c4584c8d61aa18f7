"""The hand on the map: picking, zooming, lasso, what is made of it, and what comes back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QFileDialog

from flow_explorer.engine.requests import explorer as r
from flow_explorer.engine.requests.map import MapDirection, MapPicture, MapPile, MapPlace
from flow_explorer.explorer.facets.map.state import State
from flowcore.latents.map.points import pack, unpack
from tests.app.explorer.facets.map.case import (
    LEFT,
    around,
    drop,
    encodes,
    lasso,
    state,
    wheel,
)


def test_a_click_picks_a_picture_and_shows_its_neighbours(full, qtbot):
    place = full.canvas.place_of(12).toPoint()
    qtbot.mouseClick(full.canvas, LEFT, pos=place)
    assert state(full).selected == 12
    full.client.run()
    sent = full.client.sent(r.EncodePicture)[-1]
    assert sent.well == "map"
    np.testing.assert_array_equal(sent.picture, full.engine.pictures[12])
    latent = full.facet.large()
    np.testing.assert_allclose(latent.z, full.engine.pictures[12].ravel() / 100, rtol=1e-6)
    assert full.side.near.rows == full.facet.link.data.neighbours[12].tolist() and len(full.side.near.rows) == 8
    panel = full.workspace.inspector()
    assert panel.title.text() == "p12.png"
    qtbot.mouseClick(panel.send_a, LEFT)
    full.client.run()
    assert full.history.state.a.name == "p12.png" and full.history.state.a.latent
    # A hand that trembles still picks.
    qtbot.mousePress(full.canvas, LEFT, pos=full.canvas.place_of(20).toPoint())
    qtbot.mouseMove(full.canvas, full.canvas.place_of(20).toPoint() + QPoint(1, 1))
    qtbot.mouseRelease(full.canvas, LEFT, pos=full.canvas.place_of(20).toPoint() + QPoint(1, 1))
    assert state(full).selected == 20 and state(full).view == ()
    full.history.undo()
    # A neighbour is one click away, and each pick is undone for itself.
    neighbour = full.side.near.rows[0]
    full.side.near.resize(268, full.side.near.heightForWidth(268))
    qtbot.mouseClick(full.side.near, LEFT, pos=full.side.near.cell(0).center().toPoint())
    assert state(full).selected == neighbour
    full.history.undo()
    assert state(full).selected == 12
    empty = QPoint(3, full.canvas.height() - 3)
    assert full.canvas.row_at(QPointF(empty)) == -1
    qtbot.mouseClick(full.canvas, LEFT, pos=empty)
    assert state(full).selected == -1 and full.facet.large() is None and not full.side.near.rows


def test_a_pictures_own_size_is_asked_for_where_the_map_has_a_smaller_one(mapped, tmp_path):
    mapped.engine.side = 2
    mapped.facet.open_path(str(tmp_path))
    mapped.client.run()
    assert mapped.facet.link.data.picture(3).shape == (4, 4, 3)
    mapped.facet.select(3)
    mapped.client.run()
    assert mapped.client.sent(MapPicture)[-1].number == 3
    np.testing.assert_array_equal(mapped.facet.large().picture, mapped.engine.pictures[3])


def test_a_picture_that_cannot_be_encoded_says_so_beside_the_map(full):
    full.client.fail = r.EncodePicture
    full.facet.select(3)
    full.client.run()
    assert full.side.error.text() == "It could not be computed." and full.facet.large() is None


def test_pointing_shows_a_card_and_asks_nothing(full, qtbot):
    before = len(encodes(full)) + len(full.client.sent(r.EncodePicture))
    qtbot.mouseMove(full.canvas, full.canvas.place_of(7).toPoint())
    assert full.canvas.hovered == 7
    plain = full.canvas.grab().toImage()
    qtbot.mouseMove(full.canvas, QPoint(3, full.canvas.height() - 3))
    assert full.canvas.hovered == -1 and full.canvas.grab().toImage() != plain
    assert len(encodes(full)) + len(full.client.sent(r.EncodePicture)) == before


def test_the_wheel_zooms_where_it_points_and_is_no_act(full, qtbot):
    steps = full.history.length
    place = full.canvas.place_of(9)
    wheel(full.canvas, place, 3)
    after = full.canvas.place_of(9)
    assert (after - place).manhattanLength() < 1.0
    qtbot.waitUntil(lambda: bool(state(full).view))
    assert full.history.length == steps and state(full).view[2] == pytest.approx(full.canvas.camera.span)
    span = full.canvas.camera.span
    # Dragged: everything moves with the hand.
    before = full.canvas.place_of(9)
    free = next(QPoint(x, y) for x in range(20, 400, 7) for y in range(20, 400, 7) if full.canvas.row_at(QPointF(x, y)) < 0)
    qtbot.mousePress(full.canvas, LEFT, pos=free)
    qtbot.mouseMove(full.canvas, free + QPoint(20, 10))
    qtbot.mouseMove(full.canvas, free + QPoint(60, 30))
    qtbot.mouseRelease(full.canvas, LEFT, pos=free + QPoint(60, 30))
    moved = full.canvas.place_of(9) - before
    assert (moved - QPointF(60, 30)).manhattanLength() < 1.0 and state(full).selected == -1
    assert full.canvas.camera.span == span
    qtbot.mouseDClick(full.canvas, LEFT, pos=free)
    assert state(full).view == () and full.history.length == steps
    screen = full.canvas.camera.to_screen(full.engine.points, full.canvas.width(), full.canvas.height())
    assert (screen > 0).all() and (screen < [full.canvas.width(), full.canvas.height()]).all()


def test_the_keyboard_picks_zooms_and_lets_go(full, qtbot):
    canvas = full.canvas
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    first = state(full).selected
    assert first >= 0
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    second = state(full).selected
    assert canvas.place_of(second).x() > canvas.place_of(first).x()
    span = canvas.camera.span
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.camera.span < span
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    assert canvas.camera.span == pytest.approx(span)
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert state(full).selected == -1


def test_a_lasso_takes_pictures_and_makes_a_pile_and_a_direction(full, qtbot, tmp_path, notices):
    assert not full.panel.taken.isVisibleTo(full.panel)
    lasso(qtbot, full.canvas, around(full.canvas, 30))
    (chosen,) = np.flatnonzero(unpack(state(full).lasso, 40)).tolist()
    assert chosen == 30 and full.panel.taken.isVisibleTo(full.panel) and full.panel.members.text() == "1 picture in the lasso"
    full.client.run()
    full.canvas.grab()
    # By the tool, and a larger one: it takes the place of the first.
    qtbot.mouseClick(full.panel.lasso, LEFT)
    assert full.canvas.lasso_tool
    middle = full.canvas.width() / 2
    lasso(qtbot, full.canvas, [(1, 1), (middle, 1), (middle, full.canvas.height() - 1), (1, full.canvas.height() - 1)],
          Qt.KeyboardModifier.NoModifier)  # fmt: skip
    assert not full.canvas.lasso_tool
    left = np.flatnonzero(unpack(state(full).lasso, 40))
    screen = full.canvas.camera.to_screen(full.engine.points, full.canvas.width(), full.canvas.height())
    np.testing.assert_array_equal(left, np.flatnonzero(screen[:, 0] < middle))
    full.facet.make_pile(str(tmp_path))
    (pile,) = full.client.sent(MapPile)
    np.testing.assert_array_equal(pile.numbers, left)
    assert full.facet.busy and full.panel.progress.isVisibleTo(full.panel)
    full.client.run()
    assert not full.facet.busy and notices[-1][1] == "good" and f"{len(left)} pictures" in notices[-1][0]
    full.facet.make_direction(str(tmp_path / "d.safetensors"))
    full.client.run()
    (way,) = full.client.sent(MapDirection)
    np.testing.assert_array_equal(way.numbers, left)
    assert "d.safetensors" in notices[-1][0]
    full.history.undo()
    assert np.flatnonzero(unpack(state(full).lasso, 40)).tolist() == [30]
    qtbot.mouseClick(full.panel.clear, LEFT)
    assert not state(full).lasso and not full.panel.taken.isVisibleTo(full.panel)
    full.history.undo()
    full.canvas.setFocus()
    qtbot.keyClick(full.canvas, Qt.Key.Key_Escape)
    assert not state(full).lasso


def test_a_lasso_lives_through_newcomers_and_another_folder(mapped, tmp_path, qtbot):
    mapped.engine.stop_after = "rows"
    mapped.facet.open_path(str(tmp_path))
    mapped.client.run()
    qtbot.waitUntil(lambda: len(mapped.canvas._points) == 16 and mapped.canvas._old_points is None)
    lasso(qtbot, mapped.canvas, around(mapped.canvas, 12, 14))
    assert unpack(state(mapped).lasso, 40)[12]
    mapped.canvas.grab()
    mapped.engine.stop_after = None
    mapped.facet._again()
    mapped.client.run()
    mapped.canvas.grab()
    assert mapped.canvas._members.tolist() == unpack(state(mapped).lasso, 40).tolist()
    # Who is in it has room as a picture before others.
    qtbot.waitUntil(lambda: mapped.canvas._old_points is None)
    mapped.canvas.grab()
    assert 12 in mapped.canvas._thumbs[: int(mapped.canvas._members.sum())]
    mapped.engine.count = 40
    (tmp_path / "other").mkdir()
    mapped.facet.open_path(str(tmp_path / "other"))
    mapped.canvas.grab()
    assert not state(mapped).lasso and mapped.canvas._members is None
    mapped.client.run()


def test_what_a_lasso_makes_can_be_cancelled_and_its_failure_is_told(full, qtbot, tmp_path, notices):
    lasso(qtbot, full.canvas, around(full.canvas, 30))
    entries = full.workspace.save_menu()
    assert [enabled for _, _, enabled in entries[:2]] == [True, True]
    full.facet.make_pile(str(tmp_path))
    asked = full.client.asked[-1]
    asked.progress(0.5, "p30.png")
    assert full.panel.progress.figure.text() == "50 %" and full.panel.progress.cancel_button.text() == "Cancel"
    qtbot.mouseClick(full.panel.progress.cancel_button, LEFT)
    assert asked.id in full.client.cancelled and not full.facet.busy and state(full).limit == 0
    full.client.fail = MapDirection
    full.facet.make_direction(str(tmp_path / "d.safetensors"))
    full.client.run()
    assert notices[-1][0] == "It could not be computed." and not full.facet.busy
    full.facet.change(State("data", full.path, lasso=pack(np.ones(40, bool))), "all")
    full.facet.make_direction(str(tmp_path / "d.safetensors"))
    assert "outside" in notices[-1][0] and len(full.client.sent(MapDirection)) == 1


def test_buttons_ask_where_to(full, qtbot, monkeypatch, tmp_path):
    lasso(qtbot, full.canvas, around(full.canvas, 30))
    asked = []

    def chosen(dialog):
        asked.append(dialog.acceptMode())
        dialog.fileSelected.emit(str(tmp_path / "x.safetensors") if len(asked) > 1 else str(tmp_path))

    monkeypatch.setattr(QFileDialog, "open", chosen)
    qtbot.mouseClick(full.panel.pile, LEFT)
    assert full.client.sent(MapPile)[-1].folder == str(tmp_path)
    full.client.run()
    monkeypatch.setattr(QFileDialog, "open", lambda dialog: asked.append(dialog))
    qtbot.mouseClick(full.panel.direction, LEFT)
    dialog = asked[-1]
    assert dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave and dialog.defaultSuffix() == "safetensors"
    dialog.fileSelected.emit(str(tmp_path / "x.safetensors"))
    assert full.client.sent(MapDirection)[-1].file.endswith("x.safetensors")
    full.client.run()


def test_the_map_is_saved_as_it_is_seen(full, tmp_path, notices):
    from flowcore.pictures.images import read_picture

    text, act, enabled = full.workspace.save_menu()[2]
    assert enabled and "Picture of the map" in text and callable(act)
    full.facet.save_picture(str(tmp_path / "map.png"))
    pixels = read_picture(tmp_path / "map.png").pixels
    assert pixels.shape[0] >= full.canvas.height() and pixels[..., :3].std() > 10
    full.facet.save_picture(str(tmp_path / "missing" / "map.png"))
    assert "cannot be written" in notices[-1][0]


def test_unusual_pictures_are_named_and_one_click_away(full, qtbot):
    assert full.side.unusual.rows == [5]
    full.side.unusual_fold.set_unfolded(True)
    full.side.unusual.resize(268, full.side.unusual.heightForWidth(268))
    full.side.unusual.setFocus()
    qtbot.keyClick(full.side.unusual, Qt.Key.Key_Return)
    assert state(full).selected == 5


def test_the_wells_are_marks_on_the_map(full, bundle):
    drop(full.workspace.window_for_test, bundle / "examples" / "red.png")
    full.client.run()
    places = full.client.sent(MapPlace)
    assert [place.well for place in places] == ["A"] and full.canvas._marks == {"A": (1.0, 2.0), "B": None}
    full.workspace.acts.clear("A")
    full.client.run()
    assert full.canvas._marks["A"] is None


def test_another_model_makes_another_map(full, make_checkpoint):
    full.facet.select(3)
    full.client.run()
    other = make_checkpoint("other")
    full.workspace.controller.choose_model(str(other))
    full.client.run()
    assert encodes(full)[-1].model == str(other) and encodes(full)[-1].have == 0
    assert full.client.sent(r.EncodePicture)[-1].model == str(other)


def test_a_session_brings_the_map_back(full, client):
    full.facet.select(6)
    full.canvas.zoom(4.0)
    full.canvas._rested()
    saved = json.loads(json.dumps(full.workspace.state()))
    full.history.undo()
    full.workspace.restore(saved)
    client.run()
    assert state(full).selected == 6 and full.canvas.camera.span == pytest.approx(state(full).view[2])
