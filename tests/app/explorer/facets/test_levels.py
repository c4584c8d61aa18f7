"""The Levels view, driven through its widgets."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from flow_explorer.engine.requests.levels import Variations, VariationsPart
from flow_explorer.explorer.facets.levels.state import COUNT, State
from flow_explorer.explorer.state import ExplorerState
from flowcore.errors import ConfigError

LEFT = Qt.MouseButton.LeftButton


def answer(request: Variations):
    """The stand-in's variations: they differ, and the later ones are likelier."""
    for first in range(0, request.count, 4):
        z = np.stack([request.z * (1 - 0.01 * (first + i)) for i in range(4)])
        pictures = np.stack([to_bytes(row) for row in z])
        bpd = tuple(3 - 0.1 * (first + i) for i in range(4))
        yield VariationsPart(first, pictures, z, bpd, done=first + 4 == request.count)


def to_bytes(z: np.ndarray) -> np.ndarray:
    return np.clip(np.round(z * 100), 0, 255).astype(np.uint8).reshape(8, 8, 3)


@pytest.fixture
def levels(workspace, client, qtbot):
    """The facet, in front, about the first sample."""
    client.handlers[Variations] = answer
    client.run()
    workspace.acts.select(0)
    workspace.look_deeper()
    canvas = workspace.canvas()
    qtbot.mouseClick(canvas.tabs.button("levels"), LEFT)
    client.run()
    assert workspace.controller.facet is not None and workspace.controller.facet.id == "levels"
    return workspace.controller.facet


def asked(client) -> list[Variations]:
    return client.sent(Variations)


def test_the_first_view_is_as_simple_as_it_was(workspace, client):
    client.run()
    canvas = workspace.canvas()
    assert canvas.tabs.isHidden() and not canvas.deeper.isHidden() and canvas.grid.isVisibleTo(canvas)


def test_it_stands_in_front_and_goes_away(workspace, client, levels, qtbot):
    canvas = workspace.canvas()
    assert levels.view.isVisibleTo(canvas) and not canvas.grid.isVisibleTo(canvas) and not canvas.walk.isVisibleTo(canvas)
    assert not workspace.inspector().temperature.isVisibleTo(workspace.inspector())
    qtbot.mouseClick(canvas.tabs.button("samples"), LEFT)
    assert not levels.view.isVisibleTo(canvas) and canvas.grid.isVisibleTo(canvas)
    assert workspace.inspector().temperature.isVisibleTo(workspace.inspector())
    assert workspace.controller.facet is None


def test_variations_of_the_subject_come_and_can_be_sent(workspace, client, levels, qtbot):
    (request,) = asked(client)
    subject = workspace.controller.subject()
    assert np.array_equal(request.z, subject.z) and request.actions == ("draw", "draw", "keep") and request.count == COUNT
    assert levels.link.page.complete and not levels.busy
    grid = levels.grid
    grid.resize(300, 300)
    qtbot.mouseClick(grid, LEFT, pos=grid.cell(5).center().toPoint())
    assert workspace.controller.large() is levels.link.page.slots[5]
    qtbot.mouseClick(workspace.inspector().send_a, LEFT)
    client.run()
    well = workspace.history.state.a
    assert np.array_equal(workspace.controller.store.latent(well.latent), levels.link.page.slots[5].z)


def test_levels_and_presets_ask_anew_and_can_be_undone(workspace, client, levels, qtbot):
    part = levels.part
    qtbot.mouseClick(part.levels[0].button("keep"), LEFT)
    client.run()
    assert asked(client)[-1].actions == ("keep", "draw", "keep")
    qtbot.mouseClick(part.presets["fine"], LEFT)
    client.run()
    assert asked(client)[-1].actions == ("keep", "keep", "draw")
    workspace.history.undo()
    workspace.history.undo()
    client.run()
    assert levels.state == State() and asked(client)[-1].actions == ("draw", "draw", "keep")
    assert part.levels[0].current() == "draw"


def test_a_level_of_another_picture_needs_that_picture(workspace, client, levels, qtbot):
    qtbot.mouseClick(levels.part.presets["swap"], LEFT)
    client.run()
    assert "fill B first" in levels.view.problem.text() and levels.part.other_row.isVisibleTo(levels.part)
    workspace.acts.put_latent("B", workspace.controller.page.view.slots[3])
    client.run()
    request = asked(client)[-1]
    assert levels.view.problem.text() == "" and request.actions == ("keep", "keep", "other")
    assert np.array_equal(request.other, workspace.controller.page.view.slots[3].z)


def test_brushing_locks_places_and_tells_what_drifts(workspace, client, levels, qtbot):
    view = levels.view
    view.region.resize(240, 240)
    area = view.region.area()
    qtbot.mousePress(view.region, LEFT, pos=area.center().toPoint())
    qtbot.mouseMove(view.region, pos=area.center().toPoint() + QPoint(30, 0))
    qtbot.mouseRelease(view.region, LEFT, pos=area.center().toPoint() + QPoint(30, 0))
    client.run()
    request = asked(client)[-1]
    assert request.region[4, 4] and not request.region[0, 0] and request.lock == "inside"
    assert "drift" in view.drift.text() and view.lock.isEnabled()
    qtbot.mouseClick(view.lock.button("outside"), LEFT)
    client.run()
    assert asked(client)[-1].lock == "outside"
    qtbot.mouseClick(view.clear, LEFT)
    client.run()
    assert not asked(client)[-1].region.any() and view.drift.text() == ""
    workspace.history.undo()
    client.run()
    assert asked(client)[-1].region[4, 4]


def test_brushing_by_keyboard_and_erasing(levels, qtbot):
    region = levels.view.region
    region.resize(240, 240)
    qtbot.keyClick(region, Qt.Key.Key_Right)
    qtbot.keyClick(region, Qt.Key.Key_Space)
    painted = levels.state.region
    assert painted
    qtbot.mouseClick(levels.view.tool.button("erase"), LEFT)
    qtbot.keyClick(region, Qt.Key.Key_Space)
    assert levels.state.region == ""


def test_the_likeliest_come_first(workspace, client, levels):
    levels.view.order.chosen.emit("likelihood")
    bpds = [levels.link.page.bpds[levels._index(place)] for place in range(COUNT)]
    assert bpds == sorted(bpds) and len(set(bpds)) == COUNT
    levels.select(0)
    assert levels.state.selected == int(np.argmin(levels.link.page.bpds))


def test_without_a_subject_there_is_one_act_that_helps(workspace, client, levels, qtbot):
    workspace.acts.select(-1)
    client.run()
    assert levels.view.empty.isVisibleTo(levels.view) and workspace.controller.large() is None
    levels.view.fill_wanted.emit()
    client.run()
    assert not levels.view.empty.isVisibleTo(levels.view) and levels.link.page.complete


def test_a_failure_stands_where_it_happened_and_another_engine_is_asked_again(workspace, client, levels):
    client.fail = Variations
    levels.draw_again()
    client.run()
    assert levels.view.problem.text() == "It could not be computed."
    client.fail = None
    workspace.engine_restarted()
    client.run()
    assert levels.view.problem.text() == "" and levels.link.page.complete


def test_its_state_goes_through_json_and_the_session(workspace, client, levels):
    levels.set_region(np.eye(8, dtype=bool))
    levels.part.temperature.value_changed.emit(1.1)
    levels.take_preset("fine")
    client.run()
    state = workspace.history.state
    again = ExplorerState.from_dict(state.to_dict())
    assert again == state and again.facet == "levels" and levels.state.region in again.keys
    wrongs = ({"actions": ["burn"]}, {"temperature": float("nan")}, {"seed": -1}, {"order": 3}, {"region": 7}, {"selected": True})
    for wrong in wrongs:
        with pytest.raises(ConfigError):
            State.from_dict(wrong)
