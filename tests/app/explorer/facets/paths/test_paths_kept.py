"""What is kept of paths: sessions, recipes, undo, and that nothing unseen is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flow_explorer.engine.requests import paths as rp
from flow_explorer.explorer.facets.paths.state import PathsState
from flow_explorer.explorer.state import Slot
from flowcore.pictures import recipe
from tests.app.explorer.facets.paths.case import (
    click,
)


def test_the_state_survives_json_and_other_keys_and_refuses_nonsense(three, paths, workspace, client):
    paths.pad.fill()
    paths.show_part("pad")
    client.run()
    state = paths.state
    assert PathsState.from_dict(state.to_dict()) == state and PathsState().to_dict() == {}
    assert {slot.picture for slot in state.corners} <= state.keys and {stop.slot.latent for stop in state.stops} <= state.keys
    moved = state.renamed({key: key.upper() for key in state.keys})
    assert moved.keys == {key.upper() for key in state.keys} and moved.t == state.t
    from flowcore.errors import ConfigError

    wrong: tuple[Any, ...] = (
        {"part": "other"}, {"t": 2}, {"x": float("nan")}, {"corners": [{}]}, {"stops": [{}]}, {"selected": 0},
        {"stops": [{"well": state.corners[0].to_dict(), "seconds": 0}]}, {"loop": 1}, {"fps": 0}, {"path": "zigzag"},
        {"stops": "many"}, {"way": 3}, [],
    )  # fmt: skip
    for bad in wrong:
        with pytest.raises(ConfigError):
            PathsState.from_dict(bad)


def test_a_session_and_a_saved_page_bring_their_paths_back(three, paths, workspace, client):
    saved = workspace.state()
    before = paths.state
    workspace.controller.store.prune(set())
    workspace.restore(saved)
    client.run()
    assert paths.state == before and three.link.ready
    data = workspace.exporter.page(everything=True)
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
    assert (ended.a, ended.b, ended.of("paths").stops, ended.of("paths").corners) == (start.a, start.b, (), (Slot(),) * 4)
    assert ended.of("paths").t == 0.5 and not ended.of("paths").norm_kept
