"""The timeline of keyframes: edited, played, exported."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtWidgets import QApplication, QMenu

from flow_explorer.engine.requests import paths as rp
from flow_explorer.explorer.moving.animating import Animated
from flow_explorer.explorer.moving.animation_sheet import AnimationSheet
from flow_explorer.explorer.state import ExplorerState
from flowcore.latents.timeline import sample
from flowcore.pictures import recipe
from tests.app.explorer.facets.paths.case import (
    LEFT,
    _filled,
    click,
    drag,
)


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
    np.testing.assert_array_equal(workspace.controller.store.latent(new.slot.latent), at.z)


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
    names = lambda: [stop.slot.name for stop in paths.state.stops]  # noqa: E731
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
    z = sample(np.stack([workspace.controller.store.latent(stop.slot.latent) for stop in paths.state.stops]),
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
    three.add(paths.state.stops[0].slot)
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
        assert getattr(image, "n_frames", 1) == 2 * 25 - 2 and image.size == (16, 16)
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
