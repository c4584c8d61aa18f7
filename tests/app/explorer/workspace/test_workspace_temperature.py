"""A model whose card has a temperature for each level: what is drawn, shown, scaled together, undone, reset and kept."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PySide6.QtCore import Qt

from flow_explorer.engine.requests import explorer as r
from flow_explorer.engine.requests.levels import Variations, VariationsPart
from flow_explorer.explorer.model import open_model
from flow_explorer.explorer.moving.exporting import Exporter
from flow_explorer.explorer.samples.film_link import TEMPERATURES
from flow_explorer.explorer.state import ExplorerState
from flowcore.errors import CheckpointError
from flowcore.pictures import recipe
from tests.app.explorer.conftest import write_checkpoint
from tests.app.explorer.workspace.case import drop, state, urls

PROFILE = (0.3, 0.45, 0.6)


@pytest.fixture
def profiled(workspace, client, make_checkpoint):
    """The workspace with such a model; the choice is the only act so far."""
    path = make_checkpoint("profiled", default_temperature=None, default_temperatures=list(PROFILE))
    workspace.controller.choose_model(str(path))
    client.run()
    return workspace


def drawn(client):
    return client.sent(r.SamplePage)[-1].temperature


def test_it_opens_at_the_cards_own(profiled, client):
    panel = profiled.inspector()
    assert drawn(client) == PROFILE == state(profiled).temperatures(3)
    assert panel.temperature.value() == 0.6 and panel.temperature.label.text() == "Temperature, at most"
    assert tuple(slider.value() for slider in panel.levels) == PROFILE
    assert panel.per_level.header.text() == "Per level: 0.60 · 0.45 · 0.30"  # coarse to fine, as the sliders stand
    assert not any(slider.reset_button.isVisibleTo(panel) for slider in (panel.temperature, *panel.levels))
    profiled.history.undo()
    client.run()
    assert drawn(client) == 0.7 and panel.temperature.label.text() == "Temperature"
    assert panel.per_level.header.text() == "Per level"


def test_the_slider_scales_all_together_and_a_drag_is_one_step(profiled, client, qtbot):
    panel, steps = profiled.inspector(), profiled.history.length
    for _ in range(20):
        qtbot.keyClick(panel.temperature.track, Qt.Key.Key_Left)
    client.run()
    assert drawn(client) == (0.2, 0.3, 0.4) and profiled.history.length == steps + 1
    assert tuple(slider.value() for slider in panel.levels) == (0.2, 0.3, 0.4)
    panel.temperature.editing_finished.emit()
    # All the way down and up again: no ratio is lost, not even at 0.
    qtbot.keyClick(panel.temperature.track, Qt.Key.Key_Home)
    client.run()
    assert state(profiled).temperature == 0 and [slider.value() for slider in panel.levels] == [0, 0, 0]
    qtbot.keyClick(panel.temperature.track, Qt.Key.Key_End)
    client.run()
    assert drawn(client) == (0.75, 1.13, 1.5)
    profiled.history.undo()
    profiled.history.undo()
    client.run()
    assert drawn(client) == PROFILE and profiled.history.length == steps


def test_a_level_of_its_own_stays_in_ratio_and_a_reset_brings_the_card_back(profiled, client, qtbot):
    panel = profiled.inspector()
    panel.per_level.set_unfolded(True)
    profiled.acts.set_level_temperature(0, 0.45, 3)
    profiled.acts.rest()
    client.run()
    assert drawn(client) == (0.45, 0.45, 0.6) and panel.temperature.value() == 0.6
    fine, middle, _coarse = panel.levels
    assert fine.reset_button.isVisibleTo(panel) and not middle.reset_button.isVisibleTo(panel)
    # The highest level is where it was, yet the levels are not: the reset above is theirs.
    assert panel.temperature.reset_button.isVisibleTo(panel)
    profiled.acts.set_temperature(0.8)
    profiled.acts.rest()
    client.run()
    assert drawn(client) == (0.6, 0.6, 0.8)
    steps = profiled.history.length
    panel.temperature.reset_button.click()
    client.run()
    assert drawn(client) == PROFILE and profiled.history.length == steps + 1
    assert profiled.history.undo_label == "Reset the temperature" and not panel.temperature.reset_button.isVisibleTo(panel)
    profiled.history.undo()
    client.run()
    assert drawn(client) == (0.6, 0.6, 0.8)
    fine.reset_button.click()
    client.run()
    assert drawn(client) == (0.3, 0.6, 0.8)


def test_a_level_above_all_others_is_the_number_above(profiled, client):
    panel = profiled.inspector()
    profiled.acts.set_level_temperature(0, 1.0, 3)
    client.run()
    assert drawn(client) == (1.0, 0.45, 0.6) and panel.temperature.value() == 1.0
    profiled.acts.set_level_temperature(0, 0.5, 3)
    client.run()
    assert drawn(client) == (0.5, 0.45, 0.6) and panel.temperature.value() == 0.6


def test_the_strip_is_drawn_in_the_profile_and_says_so(profiled, client, qtbot):
    panel, film = profiled.inspector(), profiled.inspector().film
    panel.every_temperature.set_unfolded(True)
    profiled.acts.select(2)
    client.run()
    request, asked = client.sent(r.TemperatureFrames)[-1], len(client.sent(r.TemperatureFrames))
    assert [max(each) for each in request.temperatures] == list(TEMPERATURES)
    assert request.temperatures[3] == PROFILE and request.temperatures[5] == (0.5, 0.75, 1.0)
    assert [film.figure(index) for index in (0, 3, 5)] == ["0.0", "≤ 0.6", "≤ 1.0"]
    film.resize(268, film.heightForWidth(268))
    qtbot.mouseClick(film, Qt.MouseButton.LeftButton, pos=film.cell(5).center().toPoint())
    client.run()
    # What the cell showed is what the page then is, and the strip itself has not changed by that.
    assert drawn(client) == request.temperatures[5] and len(client.sent(r.TemperatureFrames)) == asked
    assert profiled.controller.page.view.picture(2).tobytes() == film._frames[5].tobytes()
    profiled.acts.set_level_temperature(2, 0.5, 3)
    client.run()
    assert client.sent(r.TemperatureFrames)[-1].temperatures[5] == (0.67, 1.0, 0.67)


def test_what_is_kept_draws_the_same(profiled, client, tmp_path, png):
    profiled.acts.set_temperature(0.4)
    client.run()
    now = state(profiled)
    assert now.profile == PROFILE and ExplorerState.from_dict(json.loads(json.dumps(now.to_dict()))) == now
    saved = tmp_path / "page.png"
    saved.write_bytes(Exporter(profiled.controller).page())
    kept = profiled.state()
    script = Exporter(profiled.controller).script(profiled.controller.page.view.slots[1])
    assert "TEMPERATURE = 4, 1, [0.2, 0.3, 0.4]" in script
    profiled.acts.set_level_temperature(1, 1.2, 3)
    client.run()
    drop(profiled.canvas(), urls(saved))
    client.run()
    assert state(profiled) == now and drawn(client) == (0.2, 0.3, 0.4)
    profiled.acts.set_temperature(0.6)
    assert state(profiled).temperatures(3) == PROFILE
    profiled.restore(kept)
    client.run()
    assert state(profiled) == now and drawn(client) == (0.2, 0.3, 0.4)


def test_one_number_in_a_recipe_is_every_levels_whatever_the_card_says(profiled, client, tmp_path, png):
    path = tmp_path / "old.png"
    path.write_bytes(recipe.embed(png(), recipe.new("samples", model=state(profiled).model, seed=3, temperature=0.5,
                                                    level_temperatures=[], count=16)))  # fmt: skip
    drop(profiled.canvas(), urls(path))
    client.run()
    panel = profiled.inspector()
    assert drawn(client) == 0.5 and panel.temperature.label.text() == "Temperature"
    assert panel.temperature.reset_button.isVisibleTo(panel)
    profiled.acts.set_temperature(0.6)
    client.run()
    assert drawn(client) == 0.6 and panel.temperature.reset_button.isVisibleTo(panel)
    panel.temperature.reset_button.click()
    client.run()
    assert drawn(client) == PROFILE


def test_the_cached_first_page_is_that_of_the_profile(workspace, client, bundle):
    model = write_checkpoint(bundle / "models" / "tiny.safetensors", default_temperature=None, default_temperatures=list(PROFILE))
    workspace.acts.set_model("faces")  # away, and back to the one that has changed meanwhile
    workspace.controller.choose_model("tiny")
    client.asked = [entry for entry in client.asked if not isinstance(entry.request, r.SamplePage)]
    client.run()
    opened = open_model("tiny")
    assert opened.path == model and state(workspace).temperatures(3) == opened.default_temperature == PROFILE
    assert [page.tobytes() for page in workspace.controller.page.view.cached] == [page.tobytes() for page in opened.first_page]


def test_a_card_with_another_number_of_levels_is_said_and_changes_nothing(workspace, client, make_checkpoint, notices):
    before = state(workspace)
    path = make_checkpoint("wrong", default_temperatures=[0.5, 0.6])
    workspace.controller.choose_model(str(path))
    client.run()
    assert state(workspace) == before and "3 default_temperatures" in notices[-1][0]
    with pytest.raises(CheckpointError, match="3 default_temperatures"):
        open_model(str(path))


def test_variations_are_drawn_in_the_profile_and_their_levels_say_so(profiled, client, qtbot):
    def answer(request):
        z = np.stack([request.z] * request.count)
        pictures = np.zeros((request.count, 8, 8, 3), np.uint8)
        yield VariationsPart(0, pictures, z, (3.0,) * request.count, done=True)

    client.handlers[Variations] = answer
    profiled.acts.select(0)
    profiled.look_deeper()
    qtbot.mouseClick(profiled.canvas().tabs.button("levels"), Qt.MouseButton.LeftButton)
    client.run()
    levels = profiled.controller.facet
    assert client.sent(Variations)[-1].temperature == (0.35, 0.53, 0.7)
    assert [number.text() for number in levels.part.numbers] == ["0.35", "0.53", ""]  # the coarse level is kept
    assert levels.part.temperature.label.text() == "Temperature, at most"
    levels.part.temperature.value_changed.emit(0.6)
    client.run()
    assert client.sent(Variations)[-1].temperature == PROFILE
    assert [number.text() for number in levels.part.numbers] == ["0.30", "0.45", ""]
    levels.take_preset("fine")
    client.run()
    assert [number.text() for number in levels.part.numbers] == ["", "", "0.60"]
