"""The walk: dragged, played, saved."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from flow_explorer.engine.requests.explorer import WalkAt
from flowcore.errors import PictureError
from flowcore.pictures import recipe
from tests.app.explorer.workspace.case import fill, state


def test_the_walk_slider(workspace, bundle, client, qtbot):
    fill(workspace, bundle, client)
    track = workspace.walk.track
    track.setFocus()
    qtbot.keyClick(track, Qt.Key.Key_Right)
    assert state(workspace).walk.t == 0.51
    qtbot.keyClick(track, Qt.Key.Key_End)
    client.run()
    assert state(workspace).walk.t == 1.0 and client.sent(WalkAt)[-1].t == 1.0
    shown = workspace.inspector().picture.array()
    np.testing.assert_array_equal(shown, workspace.controller.walk.view.frames[-1])
    assert workspace.inspector().title.text() == "Walk at 1.00"
    workspace.history.undo()
    assert track.value() == 500


def test_click_on_a_frame_goes_there(workspace, bundle, client, qtbot):
    fill(workspace, bundle, client)
    strip = workspace.walk.strip
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.cell(2).center().toPoint())
    assert state(workspace).walk.t == 0.25
    curve = workspace.walk.curve
    qtbot.mouseClick(curve, Qt.MouseButton.LeftButton, pos=QPoint(round(curve.inset), 20))
    assert state(workspace).walk.t == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("mode", ["spherical", "norm-kept"])
def test_another_path(workspace, bundle, client, qtbot, mode):
    fill(workspace, bundle, client)
    qtbot.mouseClick(workspace.walk.mode.button(mode), Qt.MouseButton.LeftButton)
    assert client.asked[0].request.mode == mode
    workspace.history.undo()
    assert workspace.walk.mode.current() == "linear"


def test_play_and_pause(workspace, bundle, client, qtbot):
    fill(workspace, bundle, client)
    steps = workspace.history.length
    qtbot.mouseClick(workspace.walk.play, Qt.MouseButton.LeftButton)
    assert workspace.player.playing and not workspace.is_idle() and workspace.walk.play.text() == "Pause"
    qtbot.waitUntil(lambda: workspace.controller.position > 0.52, timeout=3000)
    client.run()
    workspace.toggle_play()
    client.run()
    assert not workspace.player.playing and state(workspace).walk.t > 0.52
    assert workspace.history.length == steps + 1
    workspace.toggle_play()
    workspace.hidden()
    assert not workspace.player.playing


def test_two_samples_by_one_button(workspace, client, qtbot):
    (button,) = [workspace.walk.empty.buttons.itemAt(i).widget() for i in range(workspace.walk.empty.buttons.count())]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    client.run()
    assert workspace.controller.walk.possible and workspace.history.length == 1


def test_gif_animation(workspace, client, bundle, tmp_path):
    fill(workspace, bundle, client)
    from PIL import Image

    path = tmp_path / "walk.gif"
    workspace.transfers.write(str(path), lambda: workspace.exporter.animation(8))
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == 64 and image.size == (64, 64)
    assert recipe.extract(path)["kind"] == "walk"


def test_a_strip_of_an_older_path_cannot_be_saved_as_the_present_one(workspace, bundle, client):
    fill(workspace, bundle, client)
    assert workspace.exporter.strip()
    workspace.acts.set_mode("spherical")
    frames = workspace.controller.walk.view.frames
    assert all(frame is not None for frame in frames), "the older strip stays on screen"
    assert not workspace.walk.save.isEnabled() and workspace.controller.strip_latent(0.5) is None
    with pytest.raises(PictureError, match="not complete"):
        workspace.exporter.strip()
    client.run()
    assert workspace.walk.save.isEnabled() and workspace.exporter.strip()
