"""The pad between four pictures."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QMenu

from flow_explorer.engine.requests import explorer as r
from flow_explorer.engine.requests import paths as rp
from flow_explorer.explorer.facets.paths.pad_link import GRID
from flow_explorer.explorer.facets.paths.state import State
from flow_explorer.explorer.state import Well
from flowcore.latents.timeline import bilinear, bilinear_label
from tests.app.explorer.facets.paths.case import (
    LEFT,
    SIZE,
    click,
    corners,
    drag,
    drop,
    latent,
)


def test_the_empty_pad_is_filled_by_one_press_from_a_b_and_samples(pad, paths, workspace, client, qtbot):
    workspace.acts.put_latent("A", latent(workspace, 3))
    client.run()
    assert pad.panel().empty.isVisible() and not pad.panel().pad.isVisible() and client.sent(rp.PadAt) == []
    click(qtbot, pad.panel().fill)
    client.run()
    state = paths.state
    assert state.full and state.corners[0].name == latent(workspace, 3).name and len({well.latent for well in state.corners}) == 4
    assert pad.panel().pad.isVisible() and all(picture is not None for picture in pad.link.grid) and len(pad.link.grid) == GRID**2
    workspace.history.undo()
    client.run()
    assert not paths.state.full and pad.link.latent is None


def test_dragging_the_point_is_one_act_newest_wins_and_double_click_centres(full, paths, workspace, client, qtbot):
    view = full.panel().pad
    before, sent = workspace.history.length, len(client.sent(rp.PadAt))
    drag(view, view.point(0.5, 0.5), view.point(0.6, 0.3), view.point(0.8, 0.2), view.point(1, 0.25))
    assert (paths.state.x, paths.state.y) == pytest.approx((1, 0.25), abs=2e-3) and workspace.history.length == before + 1
    client.run()
    asked = client.sent(rp.PadAt)[sent:]
    assert asked[-1].x == paths.state.x and not paths.busy
    np.testing.assert_array_equal(full.link.latent.z, bilinear(corners(paths, workspace), paths.state.x, paths.state.y))
    large = workspace.controller.large()
    assert large is full.link.latent and "pad at 1.00, 0.25" in large.name and workspace.controller.shown().figures.bpd == 2.25
    qtbot.mouseDClick(view, LEFT, pos=view.point(0.9, 0.9).toPoint())
    assert (paths.state.x, paths.state.y) == (0.5, 0.5)
    workspace.history.undo()
    assert paths.state.x == pytest.approx(1, abs=2e-3)


def test_the_point_takes_the_arrow_keys_and_the_length_of_z_is_kept_on_request(full, paths, workspace, client, qtbot):
    view = full.panel().pad
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert (paths.state.x, paths.state.y) == pytest.approx((0.52, 0.4))
    for _ in range(8):
        qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert paths.state.y == 1
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert (paths.state.x, paths.state.y) == (0.5, 0.5)
    client.run()
    assert full.link.place == (0.5, 0.5)
    plain = np.linalg.norm(full.link.latent.z)
    full.panel().norm.click()
    client.run()
    norms = np.linalg.norm(corners(paths, workspace), axis=1)
    kept = np.linalg.norm(full.link.latent.z)
    assert paths.state.norm_kept and kept == pytest.approx(norms.mean(), rel=1e-5) and kept > plain
    workspace.history.undo()
    client.run()
    assert not paths.state.norm_kept and not full.panel().norm.isChecked()


def test_corners_take_drops_pastes_and_samples_and_are_cleared(pad, paths, workspace, client, qtbot, png, tmp_path):
    view = pad.panel().corners
    path = tmp_path / "red.png"
    path.write_bytes(png((200, 40, 60), (31, 17)))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    drop(view[2], mime)
    well = paths.state.corners[2]
    assert well.name == "red.png" and not well.latent
    # Of a person's picture only what the model sees is kept.
    assert workspace.controller.store.picture(well.picture).pixels.shape[:2] == (SIZE, SIZE)
    client.run()
    assert pad.corners.get(well) is not None and [request.well for request in client.sent(r.EncodePicture)][-1] == "paths.corner"
    drop(view[0], workspace.transfers.mime(latent(workspace, 5)))
    assert paths.state.corners[0].latent and not any(entry.request.kind == "explorer.encode" for entry in client.asked)
    QGuiApplication.clipboard().setMimeData(workspace.transfers.mime(latent(workspace, 6)))
    view[1].setFocus()
    event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    event.ignore()
    assert view[1].event(event) and event.isAccepted()  # the window does not paste into A meanwhile
    qtbot.keyClick(view[1], Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert paths.state.corners[1].name == latent(workspace, 6).name and workspace.history.state.a.empty
    workspace.drop(workspace.transfers.mime(latent(workspace, 7)))  # beside the corners: the first empty one
    assert paths.state.corners[3].name == latent(workspace, 7).name and workspace.history.state.a.empty
    client.run()
    assert pad.link.latent is not None
    qtbot.keyClick(view[1], Qt.Key.Key_Delete)
    assert paths.state.corners[1].empty and pad.panel().empty.isVisible()


def test_a_corners_menu_offers_what_is_at_hand(pad, paths, workspace, client):
    workspace.acts.select(4)
    client.run()
    menu = pad.corner_menu(0)
    offered = {action.text(): action for action in menu.actions() if action.text()}
    assert offered["The selected sample"].isEnabled() and not offered["The picture in A"].isEnabled()
    assert not offered["Clear"].isEnabled()
    offered["The selected sample"].trigger()
    client.run()
    assert paths.state.corners[0].name == latent(workspace, 4).name
    assert {action.text(): action for action in pad.corner_menu(0).actions()}["Clear"].isEnabled()


def test_what_cannot_be_used_is_said_in_its_place_and_nothing_is_lost(full, paths, workspace, client, tmp_path, png):
    pad, broken = full, tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnonsense")
    before = paths.state
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(broken))])
    drop(full.panel().corners[1], mime)
    assert "broken.png" in full.panel().problem.text() and paths.state == before
    full.put(0, before.corners[1])
    assert full.panel().problem.text() == ""
    client.fail = r.EncodePicture
    well = Well(picture=workspace.controller.store.put_picture(png()), name="red")
    pad.put(1, well)
    client.run()
    assert pad.panel().corners[1].error == "It could not be computed."
    pad.put(1, Well(picture="p" + "0" * 32, name="lost"))
    client.run()
    assert "missing" in pad.panel().corners[1].error and not paths.busy


def test_the_samples_menu_sends_to_a_corner_and_to_the_timeline(workspace, client, monkeypatch):
    shown = []
    monkeypatch.setattr(QMenu, "popup", lambda self, _place: shown.append(self))
    workspace._sample_menu(3, QPoint(0, 0))
    menu = shown[-1]
    corner = next(action.menu() for action in menu.actions() if action.menu() is not None)
    corner.actions()[2].trigger()
    next(action for action in menu.actions() if action.text() == "Add as keyframe").trigger()
    state = workspace.history.state.of("paths")
    assert state.corners[2].name == latent(workspace, 3).name == state.stops[0].well.name
    workspace.history.undo()
    workspace.history.undo()
    assert workspace.history.state.of("paths") == State()


def test_a_conditional_models_classes_go_with_the_point(kinds, client, workspace, paths):
    client.classes = 3
    workspace.controller.choose_model(str(kinds))
    client.run()
    paths.show_part("pad")
    paths.pad.fill()
    paths.pad.panel().pad.moved.emit(0.25, 0.5)
    client.run()
    labels = [well.label for well in paths.state.corners]
    assert all(labels) and client.sent(rp.PadAt)[-1].labels == tuple(labels)
    assert paths.pad.link.latent.label == bilinear_label(labels, 0.25, 0.5) and workspace.controller.shown().label


def test_another_model_encodes_the_corners_pictures_anew(full, paths, workspace, client, make_checkpoint):
    other = make_checkpoint("other", title="Other")
    sent = len(client.sent(r.EncodePicture))
    workspace.controller.choose_model(str(other))
    client.run()
    assert len([request for request in client.sent(r.EncodePicture)[sent:] if request.well == "paths.corner"]) == 4
    assert full.link.latent.model == str(other) and client.sent(rp.PadAt)[-1].model == str(other)
