"""Samples sorted by likelihood: scored when the page is there, shown in that order, worked on by their own numbers."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from flow_explorer.engine.requests import explorer as r

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def sorted_page(workspace, client, qtbot):
    client.run()
    workspace.look_deeper()
    qtbot.mouseClick(workspace.canvas().order, LEFT)
    client.run()
    return workspace


def in_order(workspace) -> list[int]:
    return workspace.controller.page.view.order(workspace.history.state.order)


def test_nobody_scores_a_page_that_stands_as_drawn(workspace, client):
    client.run()
    assert client.sent(r.ScorePage) == [] and in_order(workspace) == list(range(16))
    assert workspace.canvas().order.isHidden()  # at first sight there is nothing to sort


def test_the_likeliest_come_first_and_keep_their_numbers(sorted_page, client, qtbot):
    (request,) = client.sent(r.ScorePage)
    slots = sorted_page.controller.page.view.slots
    assert np.array_equal(request.z, np.stack([slot.z for slot in slots]))
    means = [slot.z.mean() for slot in slots]
    assert in_order(sorted_page) == list(np.argsort(means, kind="stable")) != list(range(16))
    grid = sorted_page.grid
    qtbot.mouseClick(grid, LEFT, pos=grid.cell(3).center().toPoint())
    third = in_order(sorted_page)[3]
    assert sorted_page.history.state.selected == third and grid.current == 3
    assert sorted_page.controller.large() is slots[third]
    grid.activated.emit(0)
    kept = sorted_page.controller.store.latent(sorted_page.history.state.a.latent)
    assert np.array_equal(kept, slots[in_order(sorted_page)[0]].z)


def test_while_a_temperature_moves_samples_stay_where_they_stood(sorted_page, client):
    before = in_order(sorted_page)
    sorted_page.acts.set_temperature(0.9)
    assert in_order(sorted_page) == before
    client.run()
    assert len(client.sent(r.ScorePage)) == 2
    sorted_page.acts.new_samples()
    assert in_order(sorted_page) == list(range(16))
    client.run()
    assert len(client.sent(r.ScorePage)) == 3 and in_order(sorted_page) != list(range(16))


def test_undo_lets_them_stand_as_drawn(sorted_page, client):
    sorted_page.history.undo()
    assert in_order(sorted_page) == list(range(16)) and not sorted_page.canvas().order.isChecked()


def test_what_failed_stands_above_the_page(workspace, client):
    client.run()
    client.fail = r.ScorePage
    workspace.acts.set_order("likelihood")
    client.run()
    assert workspace.canvas().problem.text() == "It could not be computed." and not workspace.controller.page.busy
    client.fail = None
    workspace.engine_restarted()
    client.run()
    assert in_order(workspace) != list(range(16))
