"""Sliders that stack, the strip, what is kept and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt

from flow_explorer.engine.requests import directions as rd
from flow_explorer.engine.requests.base import from_fields
from flow_explorer.explorer.facets.directions.link import AMOUNTS
from flow_explorer.explorer.facets.directions.state import DirectionEntry, DirectionsState
from flow_explorer.explorer.facets.directions.strip_view import PLACES
from flow_explorer.explorer.state import ExplorerState
from flowcore.errors import ConfigError
from tests.app.explorer.facets.directions.case import LEFT, Answers, card, edits, rows, vector


@pytest.fixture(scope="module")
def engine(qapp):
    from flow_explorer.engine.client import EngineClient

    client = EngineClient(environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    client.start()
    assert client.wait_until_idle(60_000), client.log
    yield client
    client.stop()


def ask(engine, request) -> list:
    """Every answer to a request; raises what it failed with."""
    answers, errors = [], []
    engine.send(request, on_answer=answers.append, on_error=lambda sentence, _details: errors.append(sentence))
    assert engine.wait_until_idle(60_000)
    if errors:
        raise ConfigError(errors[0])
    return answers


def test_the_bundled_directions_are_listed_with_their_quality_in_words(facet, client):
    assert [row.slider.label.text() for row in rows(facet)] == ["Smile", "Glasses"]
    assert rows(facet)[0].quality.text() == "Tells 93 % of held-out pairs apart"
    assert "90.0 to 95.0 %" in rows(facet)[0].quality.toolTip() and "480 with and 520 without" in rows(facet)[0].quality.toolTip()
    assert facet.state == DirectionsState() and edits(client) == []
    (request,) = client.sent(rd.ListDirections)
    assert request.folder.endswith("directions/tiny")
    # Nothing is moved yet: the picture is the sample itself, and the strip shows where the first direction leads.
    assert facet.large() is facet.host.controller.selected() and sorted(facet.link.frames) == sorted(PLACES)
    shape = facet.host.controller.selected().picture
    assert np.array_equal(facet.link.frames[0.0], shape) and not np.array_equal(facet.link.frames[3.0], shape)


def test_sliders_stack_and_a_drag_is_one_step_that_undo_takes_back(facet, client, workspace, qtbot):
    sample = facet.host.controller.selected()
    smile, glasses = rows(facet)
    track = smile.slider.track
    qtbot.mousePress(track, LEFT, pos=track.rect().center())
    for position in (35, 40, 45):
        track._take(position)
    qtbot.mouseRelease(track, LEFT)
    client.run()
    assert facet.state.find(smile.key).amount == 1.5 and facet.state.hand == smile.key
    qtbot.keyClick(glasses.slider.track, Qt.Key.Key_Left)
    client.run()
    request = edits(client)[-1]
    assert [move[1] for move in request.moves] == [1.5, -0.1] and len(request.vectors) == 2
    moved = facet.large()
    assert np.array_equal(moved.picture, facet.widget().stage.moved.array()) and moved.z is not sample.z
    assert np.allclose(moved.z, Answers(client).moved(request)) and moved.label == sample.label
    shown = facet.shown()
    assert shown.title == "Smile +1.5, Glasses −0.1" and shown.figures.bpd == 3.25
    workspace.history.undo()
    assert facet.state.find(glasses.key) is None
    workspace.history.undo()
    client.run()
    assert facet.state == DirectionsState() and facet.large() is sample and facet.shown() is None


def test_the_newest_value_wins_and_an_older_answer_never_comes_after_it(facet, client):
    key = rows(facet)[0].key
    for amount in (0.5, 1.0, 2.0):
        facet.set_amount(key, amount)
    waiting = [entry for entry in client.asked if isinstance(entry.request, rd.Edit)]
    assert [entry.request.moves[0][1] for entry in waiting] == [0.5, 1.0, 2.0]
    client.answer(waiting[0])
    # An older amount's picture is a draft; the figures wait for the newest.
    assert facet.link.edited is not None and not facet.link.fresh and facet.busy and facet.link.bpd is None
    client.run()
    assert facet.link.fresh and not facet.busy
    assert np.allclose(facet.large().z, Answers(client).moved(waiting[2].request))


def test_dragging_the_direction_in_hand_asks_for_no_new_strip(facet, client):
    smile, glasses = (row.key for row in rows(facet))
    facet.set_amount(smile, 1.0)
    client.run()
    before = len(client.sent(rd.Strip))
    facet.set_amount(smile, 2.0)
    client.run()
    assert len(client.sent(rd.Strip)) == before
    facet.set_amount(glasses, 1.0)
    client.run()
    request = client.sent(rd.Strip)[-1]
    assert len(client.sent(rd.Strip)) == before + 1 and request.amounts == AMOUNTS and [m[1] for m in request.moves] == [2.0]


def test_a_click_and_the_arrow_keys_in_the_strip_take_an_amount(facet, client, qtbot):
    strip, key = facet.widget().strip, rows(facet)[0].key
    qtbot.mouseClick(strip, LEFT, pos=strip.cell(5).center().toPoint())
    assert facet.state.find(key).amount == 2.0
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    client.run()
    assert facet.state.find(key).amount == 1.0 and rows(facet)[0].slider.value() == 1.0
    qtbot.mouseClick(strip, LEFT, pos=strip.cell(3).center().toPoint())
    client.run()
    assert facet.state.find(key) is None and facet.link.edited is None


def test_levels_and_what_is_left_alone_go_into_the_move(facet, client, qtbot):
    smile, glasses = rows(facet)
    qtbot.mouseClick(smile.more, LEFT)
    assert smile.details.isVisibleTo(facet.widget())
    facet.set_amount(smile.key, 1.0)
    qtbot.mouseClick(smile._levels[0], LEFT)
    smile.menu.actions()[0].trigger()
    client.run()
    assert smile.menu.actions()[0].text() == "Glasses" and smile.without.text() == "Glasses"
    (move,) = edits(client)[-1].moves
    assert move[3] == (1, 2) and move[4] == (1,) and len(edits(client)[-1].vectors) == 2
    assert facet.state.keys == {smile.key, glasses.key}
    smile.menu.actions()[0].trigger()
    qtbot.mouseClick(smile._levels[0], LEFT)
    client.run()
    assert facet.state.find(smile.key) == replace(facet.state.find(smile.key), levels=None, without=())
    facet.widget().reset.click()
    assert facet.state.held == ()


def test_without_a_subject_or_directions_it_says_what_goes_here(answers, workspace, client):
    answers.bundled = []
    workspace.acts.select(-1)
    workspace.look_deeper()
    workspace._canvas.tabs.button("directions").click()
    client.run()
    facet = workspace.controller.facets["directions"]
    view = facet.widget()
    assert view.left.currentIndex() == 1 and "Select a sample" in view.nothing.label.text()
    assert view.empty.isVisibleTo(view)
    workspace._canvas.subject.button("A").click()
    assert "Put a picture in A" in view.nothing.label.text() and view.nothing_act.text() == "Choose a picture…"
    workspace._canvas.subject.button("walk").click()
    view.nothing_act.click()
    client.run()
    assert not workspace.history.state.b.empty and view.left.currentIndex() == 0
    workspace._canvas.subject.button("sample").click()
    view.nothing_act.click()
    client.run()
    assert workspace.history.state.selected == 0 and view.left.currentIndex() == 0
    view.empty.findChildren(type(view.reset))[0].click()
    assert view.panes.currentIndex() == 1


def test_another_models_direction_stands_there_disabled_and_moves_nothing(facet, client):
    store = facet.host.controller.store
    held = DirectionEntry(store.put_latent(vector(7)), json.dumps(card("Old", fingerprint="there")), own=True, amount=2.0)
    facet.change(facet.state.put(held), "Open")
    lost = replace(held, key="z" + "0" * 32)
    facet.change(facet.state.put(lost), "Open")
    client.run()
    other, missing = rows(facet)[2:]
    assert not other.slider.isEnabled() and "another model" in other.quality.text()
    assert not missing.slider.isEnabled() and "not at hand" in missing.quality.text()
    assert edits(client) == [] and facet.shown() is None


def test_a_failed_move_says_so_under_the_picture_and_a_new_engine_tries_again(facet, client, workspace):
    client.fail = rd.Edit
    facet.set_amount(rows(facet)[0].key, 1.0)
    client.run()
    assert facet.widget().stage.problem.text() == "It could not be computed." and not facet.busy
    client.fail = None
    workspace.engine_restarted()
    client.run()
    assert facet.link.edited is not None and facet.widget().stage.problem.text() == ""


def test_a_session_brings_the_directions_back(facet, client, workspace):
    facet.set_amount(rows(facet)[1].key, -2.5)
    facet._mark(3)
    client.run()
    saved = json.loads(json.dumps(workspace.state()))
    before, keys = facet.state, facet.state.keys
    assert keys <= {path.name for path in workspace._kept.files.folder.iterdir()}
    workspace.history.reset(ExplorerState(model=workspace.history.state.model))
    workspace.controller.store.prune(set())
    workspace.restore(saved)
    client.run()
    assert facet.state == before and all(key in workspace.controller.store for key in keys)
    assert facet.link.edited is not None


def test_a_state_survives_json_and_refuses_what_is_out_of_range():
    held = DirectionEntry("z" + "a" * 32, json.dumps(card("Smile")), True, "Grin", -1.5, (1, 2), ("z" + "b" * 32,))
    state = DirectionsState((held,), held.key, more=("z" + "c" * 32,), less=("z" + "d" * 32,), more_folder="/a")
    data = json.loads(json.dumps(state.to_dict()))
    assert DirectionsState.from_dict(data) == state
    assert DirectionsState.from_dict({}) == DirectionsState() and DirectionsState().to_dict() == {}
    assert state.keys == {"z" + letter * 32 for letter in "abcd"}
    moved = state.renamed({"z" + "a" * 32: "z" + "e" * 32, "z" + "b" * 32: "z" + "f" * 32})
    assert moved.held[0].key == moved.hand == "z" + "e" * 32 and moved.held[0].without == ("z" + "f" * 32,)
    for wrong in (
        {"held": {}}, {"held": [{}]}, {"held": [{**data["held"][0], "amount": 4}]},
        {"held": [{**data["held"][0], "key": "../x"}]},
        {"held": [{**data["held"][0], "levels": ["1"]}]}, {"held": data["held"] * 2}, {"more": "z"}, {"hand": "x"},
        {"held": [{**data["held"][0], "card": {"name": "x"}}]}, {"held": [{**data["held"][0], "amount": True}]},
        {"more_folder": 3}, {"held": [{**data["held"][0], "without": [3]}]}, {"held": [{**data["held"][0], "name": "n" * 99}]},
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            DirectionsState.from_dict(wrong)


def test_requests_refuse_what_cannot_be():
    z, v = np.zeros(4, np.float32), np.ones((1, 4), np.float32)
    rd.Edit("m", z, v, ((0, 1.0, 1.0, None, ()),))
    for move in ((1, 1.0, 1.0, None, ()), (0, 99.0, 1.0, None, ()), (0, 1.0, 1.0, (-1,), ()), (0, 1.0, 1.0, None, (3,))):
        with pytest.raises(ConfigError):
            rd.Edit("m", z, v, (move,))
    with pytest.raises(ConfigError):
        rd.Edit("m", z, v * np.nan, ())
    with pytest.raises(ConfigError):
        rd.Strip("m", z, v, (), (0, 0.0, 1.0, None, ()), ())
    assert isinstance(from_fields("directions.list", {"model": "m", "folder": ""}, {}), rd.ListDirections)
