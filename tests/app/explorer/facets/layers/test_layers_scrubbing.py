"""A picture followed through its layers: what is asked for, scrubbed, stepped and played."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from flow_explorer.engine.requests.layers import DecodeLayers, EncodeLayers
from flow_explorer.explorer.facets.layers.names import signed
from flow_explorer.explorer.facets.layers.scrubber import Scrubber
from tests.app.explorer.facets.layers.case import (
    COUNT,
    LEFT,
    filled,
    own,
)


@pytest.fixture(scope="module")
def engine(qapp):
    from flow_explorer.engine.client import EngineClient

    made = EngineClient(environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
    made.start()
    assert made.wait_until_idle(60_000), made.log
    yield made
    made.stop()


def test_each_picture_is_asked_for_once_and_scrubbing_asks_nothing(workspace, client, facet, qtbot):
    (request,) = client.sent(EncodeLayers)
    assert np.array_equal(request.picture, workspace.controller.selected().picture)
    assert facet.link.view.complete and not facet.busy
    for key in (Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_Home):
        qtbot.keyClick(facet.panel.scrubber.track, key)
    assert not any(isinstance(entry.request, EncodeLayers) for entry in client.asked)
    assert len(client.sent(EncodeLayers)) == 1
    workspace.acts.select(2)
    client.run()
    assert len(client.sent(EncodeLayers)) == 2
    workspace.engine_restarted()
    client.run()
    assert len(client.sent(EncodeLayers)) == 3


def test_the_other_way_asks_for_the_z_itself(workspace, client, facet, qtbot):
    panel = facet.panel
    qtbot.mouseClick(panel.way.button("decode"), LEFT)
    (request,) = client.sent(DecodeLayers)
    assert np.array_equal(request.z, workspace.controller.selected().z)
    assert own(workspace).way == "decode" and facet.busy
    client.run()
    assert panel.note.isVisibleTo(panel) and facet.link.view.complete
    workspace.history.undo()
    client.run()
    assert panel.way.current() == "encode" and not panel.note.isVisibleTo(panel)


def test_until_the_new_stages_come_the_older_ones_stand(workspace, client, facet):
    workspace.acts.select(3)
    view = facet.link.view
    assert all(view.fresh) and facet.busy
    entry = next(entry for entry in client.asked if isinstance(entry.request, EncodeLayers))
    parts = list(client.work(entry.request))

    def answer(number):
        entry.answer(parts[number])

    answer(0)
    assert not any(view.fresh) and all(picture is not None for picture in view.pictures) and view.bpd is not None
    answer(1)
    assert sum(view.fresh) == 6 and not view.complete


def test_nothing_is_followed_while_another_view_is_in_front(workspace, client, facet):
    workspace.acts.show_facet("samples")
    workspace.acts.select(5)
    client.run()
    assert len(client.sent(EncodeLayers)) == 1
    workspace.acts.show_facet("layers")
    workspace.acts.show_facet("samples")  # gone before it has come
    assert not any(isinstance(entry.request, EncodeLayers) for entry in client.asked)
    workspace.acts.show_facet("layers")
    client.run()
    assert facet.link.view.complete and not facet.link.stopped


def test_a_drag_is_one_act_and_shows_that_stage_at_once(workspace, facet, qtbot):
    track, panel = facet.panel.scrubber.track, facet.panel
    y = track.height() // 2
    qtbot.mousePress(track, LEFT, pos=QPoint(round(track.position_x(0.2)), y))
    for share in (0.4, 0.6, 5 / (COUNT - 1)):
        qtbot.mouseMove(track, QPoint(round(track.position_x(share)), y))
    qtbot.mouseRelease(track, LEFT, pos=QPoint(round(track.position_x(5 / (COUNT - 1))), y))
    assert own(workspace).stage == 5
    assert panel.check.value.text() == "the same stages"
    assert panel.held_out.value.text() == "3.00 (1.10 to 4.90)"  # from the card
    assert panel.stage._before[0, 0, 0] == 50
    assert (panel.name.text(), panel.place.text()) == ("Coupling", "level 1, step 1 of 2")
    assert panel.range.text() == "black −6.5, white 2"
    assert "log-det +40.0 nats" in track.accessibleDescription()
    workspace.history.undo()
    assert own(workspace).stage == 0 and panel.stage._before[0, 0, 0] == 0


def test_keys_step_by_layer_and_by_step(workspace, facet, qtbot):
    track = facet.panel.scrubber.track
    assert track.hasFocus()
    for key, stage in ((Qt.Key.Key_Right, 1), (Qt.Key.Key_Right, 2), (Qt.Key.Key_PageUp, 5), (Qt.Key.Key_End, COUNT - 1),
                       (Qt.Key.Key_Left, COUNT - 2), (Qt.Key.Key_Home, 0)):  # fmt: skip
        qtbot.keyClick(track, key)
        assert own(workspace).stage == stage
    # Wherever the focus is in the facet, unless what has it wants the key itself.
    qtbot.keyClick(facet.panel, Qt.Key.Key_Right)
    assert own(workspace).stage == 1


def test_a_click_on_a_bar_jumps_and_its_tooltip_tells(workspace, facet, qtbot):
    bars = facet.panel.scrubber.bars
    qtbot.mouseClick(bars, LEFT, pos=QPoint(round(bars.x_of(9)), bars.height() // 2))
    assert own(workspace).stage == 9
    lines = bars.tip(9).split("\n")
    assert lines[0] == "Split: half of it leaves, level 1"
    assert lines[1] == f"log-det +60.0 nats: {signed(-60 / 192 / math.log(2), 3)} bits per dimension"
    assert "ε = (h − μ)" in lines[-1]
    assert bars.tip(99) == "" and bars.stage_at(-50) == 0 and bars.stage_at(1e6) == COUNT - 1


def test_bars_stand_above_their_place_on_the_slider(qtbot):
    scrubber = Scrubber()
    qtbot.addWidget(scrubber)
    scrubber.resize(700, 140)
    scrubber.show_view(filled())
    scrubber.show()
    for stage in (0, 4, COUNT - 1):
        assert scrubber.bars.x_of(stage) == pytest.approx(scrubber.track.position_x(stage / (COUNT - 1)), abs=0.5)
        assert scrubber.bars.stage_at(scrubber.bars.x_of(stage)) == stage


def test_space_plays_to_the_noise_and_stops_as_one_act(workspace, facet, qtbot):
    track, panel = facet.panel.scrubber.track, facet.panel
    qtbot.keyClick(track, Qt.Key.Key_Space)
    assert facet.player.playing and facet.busy and panel.play.accessibleName() == "Stay here"
    qtbot.waitUntil(lambda: facet.panel._at > 1.2, timeout=15_000)
    assert own(workspace).stage == 0  # playing is no state
    assert panel.stage._after is not None
    qtbot.mouseClick(panel.play, LEFT)
    stage = own(workspace).stage
    assert stage >= 1 and not facet.busy and panel._at == stage
    workspace.history.undo()
    assert own(workspace).stage == 0


def test_playing_ends_at_the_noise_and_goes_back_from_a_z(workspace, client, facet, qtbot):
    facet._play_to(COUNT - 1.0)
    facet._stay()
    assert own(workspace).stage == COUNT - 1
    facet.change(replace(facet.state, way="decode"), "way")
    client.run()
    facet.toggle_play()
    assert facet.player.place_after(0) == COUNT - 1 and facet.player.place_after(100) == 0
    workspace.acts.show_facet("samples")
    assert not facet.player.playing
