"""Paths in the Explorer, through their real widgets on a stand-in for the engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QMenu

from app.engine import requests as r
from app.engine import requests_paths as rp
from app.explorer.animating import Animated
from app.explorer.animation_sheet import AnimationSheet
from app.explorer.facets.paths.pad_link import GRID
from app.explorer.facets.paths.side_link import POINTS
from app.explorer.facets.paths.state import WAYS, State
from app.explorer.state import ExplorerState, Well
from flowcore import recipe
from flowcore.latent import walk
from flowcore.timeline import PIXELS, bilinear, bilinear_label, pixel_blend, sample

LEFT = Qt.MouseButton.LeftButton
SIZE = 8


def decode(z: np.ndarray) -> np.ndarray:
    return np.clip(np.round(z * 100), 0, 255).astype(np.uint8).reshape(SIZE, SIZE, 3)


def answers(request):
    """What the engine would answer; None for what the stand-in knows already."""
    if isinstance(request, rp.PathRows):
        for start in range(0, len(request.ts), 4):
            for way in request.ways:
                ts = request.ts[start : start + 4]
                z = walk(request.a, request.b, ts, "linear" if way == PIXELS else way)
                pictures = [pixel_blend(request.picture_a, request.picture_b, t) for t in ts] if way == PIXELS else map(decode, z)
                done = start + 4 >= len(request.ts) and way == request.ways[-1]
                data = {"way": way, "first": start, "bpd": [3 - t + WAYS.index(way) for t in ts], "done": done}
                yield data, {"pictures": np.stack(list(pictures))}, done
    elif isinstance(request, rp.PathsAt):
        z = np.concatenate([walk(request.a, request.b, (request.t,), way) for way in request.ways if way != PIXELS])
        blend = pixel_blend(request.picture_a, request.picture_b, request.t)
        yield {"t": request.t}, {"pictures": np.stack([*map(decode, z), blend]), "z": z}, False
        yield {"t": request.t, "bpd": [1.0, 2.0, 3.0, 4.0]}, {"z_pixels": (blend / 100).astype(np.float32).ravel()}, True
    elif isinstance(request, rp.PadGrid):
        last = request.side - 1
        points = [(column / last, row / last) for row in range(request.side) for column in range(request.side)]
        pictures = np.stack([decode(bilinear(request.corners, x, y, request.norm_kept)) for x, y in points])
        yield {"first": 0, "count": len(points), "done": True}, {"pictures": pictures}, True
    elif isinstance(request, rp.PadAt):
        z = bilinear(request.corners, request.x, request.y, request.norm_kept)
        yield {"x": request.x, "y": request.y}, {"picture": decode(z), "z": z}, False
        yield {"x": request.x, "y": request.y, "bpd": 2.25}, {}, True
    elif isinstance(request, rp.TimelineAt):
        z = sample(request.keys, request.timeline(), (request.time,))[0]
        yield {"time": request.time}, {"picture": decode(z), "z": z}, False
        yield {"time": request.time, "bpd": 2.5}, {}, True
    elif isinstance(request, rp.TimelineFrames):
        pictures = np.stack(list(map(decode, sample(request.keys, request.timeline(), request.times))))
        order = [*range(1, len(pictures), 2), *range(0, len(pictures), 2)]
        for part in (order[: len(order) // 2], order[len(order) // 2 :]):
            done = part[-1] == order[-1]
            if part:
                yield {"indices": part, "done": done}, {"pictures": pictures[part]}, done


@pytest.fixture
def client(client):
    known = client.work

    def work(request):
        return answers(request) if request.kind.startswith("paths.") else known(request)

    client.work = work
    return client


@pytest.fixture
def paths(workspace, client):
    """The facet in front, as a person comes to it."""
    workspace.look_deeper()
    workspace._canvas.tabs.button("paths").click()
    client.run()
    facet = workspace.controller.facet
    assert facet is not None and facet.id == "paths" and facet.widget().isVisible()
    return facet


def click(qtbot, button) -> None:
    qtbot.mouseClick(button, LEFT)


def drag(widget, *points: QPointF) -> None:
    """Press at the first point, move through the others, let go at the last."""
    def send(kind, point, buttons) -> None:
        button = LEFT if kind != QEvent.Type.MouseMove else Qt.MouseButton.NoButton
        QApplication.sendEvent(widget, QMouseEvent(kind, point, QPointF(widget.mapToGlobal(point.toPoint())), button, buttons,
                                                   Qt.KeyboardModifier.NoModifier))

    send(QEvent.Type.MouseButtonPress, points[0], LEFT)
    for point in points[1:]:
        send(QEvent.Type.MouseMove, point, LEFT)
    send(QEvent.Type.MouseButtonRelease, points[-1], Qt.MouseButton.NoButton)


def latent(workspace, index: int):
    return workspace.controller.page.view.slots[index]


# Side by side


def test_without_ends_it_says_what_goes_here_and_one_press_fills_it(paths, workspace, client, qtbot):
    panel = paths.side.panel()
    assert panel.empty.isVisible() and not panel.track.isVisible() and client.sent(rp.PathRows) == []
    click(qtbot, panel.empty.buttons.itemAt(0).widget())
    client.run()
    assert not panel.empty.isVisible() and panel.track.isVisible()
    (request,) = client.sent(rp.PathRows)
    assert request.ways == WAYS and len(request.ts) == POINTS and sorted(request.ts) == [i / 16 for i in range(17)]


def test_every_row_shows_its_own_way_with_one_scale_for_all_curves(paths, workspace, client):
    paths.side.use_two_samples()
    client.run()
    a, b = (workspace.controller.well_latent(which) for which in "AB")
    for way, view in paths.side.panel().rows.items():
        row = paths.side.link.rows[way]
        assert all(frame is not None for frame in row.frames) and view.curve._limits == (2, 6)
        middle = pixel_blend(a.picture, b.picture, 0.5) if way == PIXELS else decode(walk(a.z, b.z, (0.5,), way)[0])
        np.testing.assert_array_equal(row.frames[8], middle)
        np.testing.assert_array_equal(row.picture, middle)
        np.testing.assert_array_equal(row.frames[0], a.picture)
    norms = {way: paths.side.link.rows[way].norm for way in WAYS}
    assert norms["linear"] < 1 and norms["spherical"] == pytest.approx(1, abs=1e-6) == norms["norm-kept"]
    note = paths.side.panel().rows["linear"].note.text()
    assert "% as long" in note and "1.00 bpd" in note


def test_one_position_moves_all_is_one_act_and_the_newest_wins(paths, workspace, client, qtbot):
    paths.side.use_two_samples()
    client.run()
    panel = paths.side.panel()
    before = workspace.history.length
    panel.track.setFocus()
    for _ in range(3):
        qtbot.keyClick(panel.track, Qt.Key.Key_Right)
    assert paths.state.t == pytest.approx(0.53) and workspace.history.length == before + 1
    client.run()
    assert client.sent(rp.PathsAt)[-1].t == paths.state.t and paths.side.link.shown_t == paths.state.t
    assert len(client.sent(rp.PathRows)) == 1  # the strips are of the same path
    workspace.history.undo()
    assert paths.state.t == 0.5
    client.run()
    # The newest position wins, and a failure stands in the panel.
    sent = len(client.sent(rp.PathsAt))
    for t in (0.1, 0.2, 0.3, 0.9):
        paths.side.panel().moved.emit(t)
    client.run()
    assert [request.t for request in client.sent(rp.PathsAt)[sent:]] == [0.1, 0.2, 0.3, 0.9]
    assert paths.side.link.shown_t == 0.9 and not paths.busy
    client.fail = rp.PathsAt
    paths.side.panel().moved.emit(0.4)
    client.run()
    assert paths.side.panel().problem.text() == "It could not be computed."
    client.fail = None
    workspace.engine_restarted()
    client.run()
    assert paths.side.link.shown_t == 0.4 and not paths.busy


def test_the_row_that_is_clicked_is_what_the_column_shows_and_sends(paths, workspace, client, qtbot):
    paths.side.use_two_samples()
    client.run()
    assert workspace.controller.large() is paths.side.link.latent("linear")
    row = paths.side.panel().rows["spherical"]
    qtbot.mouseClick(row.strip, LEFT, pos=row.strip.cell(2).center().toPoint())
    client.run()
    assert paths.state.way == "spherical" and paths.state.t == 0.25
    a, b = (workspace.controller.well_latent(which) for which in "AB")
    large = workspace.controller.large()
    np.testing.assert_array_equal(large.z, walk(a.z, b.z, (0.25,), "spherical")[0])
    assert workspace.controller.shown().figures.bpd == 2.0
    click(qtbot, paths.side.panel().rows["pixels"].picture)
    large = workspace.controller.large()
    np.testing.assert_array_equal(large.picture, pixel_blend(a.picture, b.picture, 0.25))
    np.testing.assert_array_equal(decode(large.z), large.picture)  # the cross-fade's own z, encoded
    workspace.send("A")
    client.run()
    assert workspace.history.state.a.name == "cross-fade at 0.25"


# Pad


@pytest.fixture
def pad(paths, workspace, client, qtbot):
    click(qtbot, paths.switch.button("pad"))
    return paths.pad


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


@pytest.fixture
def full(pad, client):
    pad.fill()
    client.run()
    return pad


def corners(paths, workspace) -> np.ndarray:
    return np.stack([workspace.controller.store.latent(well.latent) for well in paths.state.corners])


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


def drop(widget, mime: QMimeData) -> None:
    from PySide6.QtGui import QDropEvent

    widget.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, LEFT, Qt.KeyboardModifier.NoModifier))


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


# Keyframes


@pytest.fixture
def keys(paths, workspace, client, qtbot):
    click(qtbot, paths.switch.button("keys"))
    return paths.timeline


@pytest.fixture
def three(keys, paths, workspace, client):
    for index in (1, 2, 3):
        keys.add(workspace.acts.well_of(latent(workspace, index)))
    client.run()
    assert len(paths.state.stops) == 3 and keys.link.ready
    return keys


def test_an_empty_timeline_says_what_goes_here_and_begins_with_one_press(keys, paths, workspace, client, qtbot):
    panel = keys.panel()
    assert panel.empty.isVisible() and not panel.view.isVisible()
    assert panel.use_ends.text() == "Use two samples"
    click(qtbot, panel.use_ends)
    client.run()
    assert len(paths.state.stops) == 2 and panel.view.isVisible() and keys.link.latent is not None
    workspace.history.undo()
    assert paths.state.stops == ()


def test_add_offers_all_that_is_at_hand(three, paths, workspace, client):
    menu = QMenu()
    three.panel().add_menu.emit(menu)
    offered = {action.text(): action for action in menu.actions() if action.text()}
    assert offered["The selected sample"].isEnabled() and offered["The frame at this time"].isEnabled()
    assert not offered["The picture in A"].isEnabled() and not offered["The pad's point"].isEnabled()
    three._scrub(0.7)
    client.run()
    at = three.link.latent
    {action.text(): action for action in _filled(three).actions()}["The frame at this time"].trigger()
    client.run()
    new = paths.state.stops[paths.state.selected]
    np.testing.assert_array_equal(workspace.controller.store.latent(new.well.latent), at.z)


def _filled(part) -> QMenu:
    menu = QMenu(part.panel())
    part.panel().add_menu.emit(menu)
    return menu


def test_dragging_a_key_moves_it_in_time_as_one_act_between_its_neighbours(three, paths, workspace, client):
    view = three.panel().view
    assert paths.state.timeline().starts == (0, 1.5, 3) and paths.state.duration == 4.5
    before = workspace.history.length
    start = view.cell(1).center()
    drag(view, start, start + QPointF(8, 0), QPointF(view.x_of(2.2), start.y()))
    assert paths.state.timeline().starts == pytest.approx((0, 2.2, 3), abs=0.02) and workspace.history.length == before + 1
    start = view.cell(1).center()
    drag(view, start, start + QPointF(8, 0), QPointF(view.x_of(4.4), start.y()))
    assert paths.state.timeline().starts == pytest.approx((0, 2.9, 3), abs=0.02)  # not past the next one
    start = view.cell(2).center() + QPointF(26, 0)  # beside the one before, which lies on top
    drag(view, start, start + QPointF(8, 0), start + QPointF(60, 0))
    assert paths.state.duration > 4.6  # the last one makes the whole longer
    start = view.cell(0).center()
    first = paths.state
    drag(view, start, start + QPointF(8, 0), start + QPointF(80, 0))
    assert paths.state.stops == first.stops  # the first is at 0


def test_keys_are_chosen_nudged_reordered_duplicated_and_deleted_by_keyboard(three, paths, workspace, qtbot):
    view = three.panel().view
    names = lambda: [stop.well.name for stop in paths.state.stops]  # noqa: E731
    one, two, last = names()
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Home)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert paths.state.selected == 1 and paths.state.time == 1.5
    qtbot.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert paths.state.timeline().starts[1] == pytest.approx(1.6)
    qtbot.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert names() == [one, last, two] and paths.state.selected == 2
    assert paths.state.timeline().starts[1] == pytest.approx(1.6)  # the times stay
    qtbot.keyClick(view, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert names() == [one, last, two, two] and paths.state.selected == 3
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert names() == [one, last]
    for _ in range(5):
        workspace.history.undo()
    assert names() == [one, two, last] and paths.state.timeline().starts == (0, 1.5, 3)


def test_the_controls_change_the_chosen_key_and_the_timeline(three, paths, workspace, client, qtbot):
    panel = three.panel()
    qtbot.mouseClick(panel.view, LEFT, pos=panel.view.cell(0).center().toPoint())
    assert paths.state.selected == 0 and panel.heading.text() == "Keyframe 1 of 3"
    click(qtbot, panel.easing.button("hold"))
    panel.seconds.track.setFocus()
    qtbot.keyClick(panel.seconds.track, Qt.Key.Key_Right)
    assert (paths.state.stops[0].easing, paths.state.stops[0].seconds) == ("hold", 1.6)
    click(qtbot, panel.later)
    assert paths.state.selected == 1
    panel.loop.click()
    assert not paths.state.loop and paths.state.duration == pytest.approx(3.1)
    qtbot.mouseClick(panel.view, LEFT, pos=panel.view.cell(2).center().toPoint())
    assert not panel.seconds.isEnabled()  # after the last there is a way only in a loop
    panel.path.setFocus()
    panel.path.setCurrentIndex(panel.path.findData("catmull-rom"))
    panel.path.activated.emit(panel.path.currentIndex())
    client.run()
    assert paths.state.path == "catmull-rom" and client.sent(rp.TimelineAt)[-1].path == "catmull-rom"


def test_scrubbing_is_one_act_and_shows_the_picture_at_the_time(three, paths, workspace, client):
    view = three.panel().view
    before, sent = workspace.history.length, len(client.sent(rp.TimelineAt))
    y = view.height() - 5
    drag(view, QPointF(view.x_of(0.3), y), QPointF(view.x_of(0.6), y), QPointF(view.x_of(0.9), y))
    assert paths.state.time == pytest.approx(0.9, abs=0.02) and workspace.history.length == before + 1
    client.run()
    assert [request.time for request in client.sent(rp.TimelineAt)[sent:]][-1] == paths.state.time
    z = sample(np.stack([workspace.controller.store.latent(stop.well.latent) for stop in paths.state.stops]),
               paths.state.timeline(), (paths.state.time,))[0]  # fmt: skip
    np.testing.assert_array_equal(three.link.latent.z, z)
    assert workspace.controller.large() is three.link.latent


def test_play_decodes_at_even_times_shows_frames_and_keeps_where_it_stopped(three, paths, workspace, client, qtbot):
    panel = three.panel()
    three._scrub(0.0)
    client.run()
    workspace.toggle_play()  # Space
    assert three.player.playing and panel.play.text() == "Pause" and panel.progress.isVisible()
    (request,) = client.sent(rp.TimelineFrames)
    assert len(request.times) == round(4.5 * 15) and request.times[1] == pytest.approx(4.5 / 68, rel=0.02)
    client.run()
    assert not panel.progress.isVisible() and three.link.complete
    before = workspace.history.length
    qtbot.waitUntil(lambda: three._frame >= 3, timeout=5000)
    np.testing.assert_array_equal(panel.picture.array(), three.link.frames[three._frame])
    click(qtbot, panel.play)
    stopped = three._frame
    assert not three.player.playing and paths.state.time == pytest.approx(three.link.times[stopped], abs=1e-3)
    assert workspace.history.length == before + 1
    client.run()
    click(qtbot, panel.play)  # the frames are there: nothing is asked for again
    assert len(client.sent(rp.TimelineFrames)) == 1
    three.add(paths.state.stops[0].well)
    assert not three.player.playing


def test_a_timeline_that_is_no_loop_ends_and_an_undo_stops_it(three, paths, workspace, client, qtbot):
    three.panel().loop.click()
    three._scrub(paths.state.duration - 0.15)
    client.run()
    workspace.toggle_play()
    client.run()
    qtbot.waitUntil(lambda: not three.player.playing, timeout=5000)
    assert paths.state.time == pytest.approx(paths.state.duration)
    workspace.toggle_play()
    assert three.player.playing and three.player._first == 0
    for _ in range(4):
        workspace.history.undo()
    assert not three.player.playing


def test_decoding_can_be_cancelled_and_leaving_stops_the_playing(three, paths, workspace, client, qtbot):
    three.play()
    entry = next(entry for entry in client.asked if isinstance(entry.request, rp.TimelineFrames))
    click(qtbot, three.panel().progress.cancel_button)
    assert entry.id in client.cancelled and not three.player.playing and not three.panel().progress.isVisible()
    client.run()
    assert not paths.busy
    three.play()  # and leaving stops it too
    workspace._canvas.tabs.button("samples").click()
    client.run()
    assert not three.player.playing and workspace.controller.facet is None


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_export_writes_and_the_file_restores_the_timeline(three, paths, workspace, client, qtbot, notices, tmp_path, suffix):
    three.panel().loop.click()
    client.run()
    path = tmp_path / f"timeline{suffix}"
    three.saver.save(str(path), Animated(suffix, 2, 8.0, True))
    assert three.busy and three.panel().progress.isVisible()
    client.run()
    qtbot.waitUntil(lambda: not three.saver.busy, timeout=20_000)
    assert notices[-1] == (f"Saved {path}.", "good", None) and not three.panel().progress.isVisible()
    with Image.open(path) as image:
        assert image.n_frames == 2 * 25 - 2 and image.size == (16, 16)
    assert recipe.extract(path)["kind"] == "timeline"
    before = paths.state
    for index in (2, 1, 0):
        three.panel().view.deleted.emit(index)
    workspace.acts.rest()
    workspace.controller.store.prune(set())
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    workspace.drop(mime)
    client.run()
    assert paths.state == before and three.link.ready
    # What was decoded for the picture in front is what was saved.
    state = ExplorerState.from_dict(workspace.history.state.to_dict())
    assert state.of("paths") == before


def test_export_takes_played_frames_can_be_cancelled_and_says_failures(three, paths, client, qtbot, notices, tmp_path):
    three.play()
    client.run()
    three.stop_playing()
    three.saver.save(str(tmp_path / "t.webp"), Animated(".webp", 1, 15.0, False))
    qtbot.waitUntil(lambda: not three.saver.busy, timeout=20_000)
    assert client.sent(rp.TimelineExport) == []
    with Image.open(tmp_path / "t.webp") as image:
        image.seek(7)
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), three.link.frames[7])
    (tmp_path / "t.webp").unlink()
    three.saver.save(str(tmp_path / "t.webp"), Animated(".webp", 1, 8.0, False))
    entry = next(entry for entry in client.asked if isinstance(entry.request, rp.TimelineExport))
    click(qtbot, three.panel().progress.cancel_button)
    assert entry.id in client.cancelled and notices[-1][0] == "Cancelled: nothing was saved." and not three.saver.busy
    client.fail = rp.TimelineExport
    three.saver.save(str(tmp_path / "t.webp"), Animated(".webp", 1, 9.0, False))
    client.run()
    assert notices[-1][0] == "It could not be computed." and list(tmp_path.glob("t.*")) == [] and not three.busy
    click(qtbot, three.panel().export)
    sheet = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, AnimationSheet) and widget.isVisible())
    assert sheet.what.value.text() == "68 frames of 64×64, 4.5 s" and not sheet.back.isChecked()
    sheet.accept()


# The whole


def test_the_state_survives_json_and_other_keys_and_refuses_nonsense(three, paths, workspace, client):
    paths.pad.fill()
    paths.show_part("pad")
    client.run()
    state = paths.state
    assert State.from_dict(state.to_dict()) == state and State().to_dict() == {}
    assert {well.picture for well in state.corners} <= state.keys and {stop.well.latent for stop in state.stops} <= state.keys
    moved = state.renamed({key: key.upper() for key in state.keys})
    assert moved.keys == {key.upper() for key in state.keys} and moved.t == state.t
    from flowcore.errors import ConfigError

    for bad in ({"part": "other"}, {"t": 2}, {"x": float("nan")}, {"corners": [{}]}, {"stops": [{}]}, {"selected": 0},
                {"stops": [{"well": state.corners[0].to_dict(), "seconds": 0}]}, {"loop": 1}, {"fps": 0}, {"path": "zigzag"},
                {"stops": "many"}, {"way": 3}, []):  # fmt: skip
        with pytest.raises(ConfigError):
            State.from_dict(bad)


def test_a_session_and_a_saved_page_bring_their_paths_back(three, paths, workspace, client):
    saved = workspace.state()
    before = paths.state
    workspace.controller.store.prune(set())
    workspace.restore(saved)
    client.run()
    assert paths.state == before and three.link.ready
    data = workspace.exporter.page()
    workspace.history.reset(replace(workspace.history.state, facets=()))
    workspace.controller.restore_recipe(recipe.extract(data))
    client.run()
    assert paths.state == before and three.link.ready


def test_no_part_that_is_not_in_front_asks_anything(full, paths, workspace, client, qtbot):
    click(qtbot, paths.switch.button("side"))
    client.run()
    sent = len(client.sent(rp.PadAt))
    workspace.acts.select(3)
    client.run()
    assert len(client.sent(rp.PadAt)) == sent
    click(qtbot, paths.switch.button("pad"))
    client.run()
    assert full.link.latent is not None and not paths.busy


def test_everything_can_be_undone_back_to_the_start(paths, workspace, client, qtbot):
    start = workspace.history.state
    paths.side.use_two_samples()
    client.run()
    paths.side.panel().moved.emit(0.3)
    paths.show_part("pad")
    paths.pad.fill()
    paths.pad.panel().pad.moved.emit(0.1, 0.9)
    paths.pad.panel().norm.click()
    client.run()
    click(qtbot, paths.pad.panel().key)
    paths.show_part("keys")
    click(qtbot, paths.timeline.panel().double)
    paths.timeline.panel().view.key_moved.emit(1, 2.0)
    client.run()
    assert len(paths.state.stops) == 2
    while workspace.history.can_undo:
        workspace.history.undo()
    client.run()
    ended = workspace.history.state
    assert (ended.a, ended.b, ended.of("paths").stops, ended.of("paths").corners) == (start.a, start.b, (), (Well(),) * 4)
    assert ended.of("paths").t == 0.5 and not ended.of("paths").norm_kept
