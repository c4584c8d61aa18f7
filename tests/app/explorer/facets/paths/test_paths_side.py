"""The ways between two pictures, side by side."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from flow_explorer.engine.requests import paths as rp
from flow_explorer.explorer.facets.paths.side_link import POINTS
from flow_explorer.explorer.facets.paths.state import WAYS
from flowcore.latents.latent import walk
from flowcore.latents.timeline import PIXELS, pixel_blend
from tests.app.explorer.facets.paths.case import (
    LEFT,
    click,
    decode,
)


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
    a, b = (workspace.controller.slot_latent(which) for which in "AB")
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
    a, b = (workspace.controller.slot_latent(which) for which in "AB")
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
