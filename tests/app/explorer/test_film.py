"""The strip of one z at every temperature: asked for while it is looked at, and a way to choose a temperature."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from flow_explorer.engine.requests import explorer as r
from flow_explorer.explorer.samples.film_link import TEMPERATURES

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def film(workspace):
    """The inspector's strip, with a page of samples beside it."""
    return workspace.inspector().film


def strips(client) -> list:
    return client.sent(r.TemperatureFrames)


def test_nothing_is_asked_for_while_nobody_looks(workspace, client, film):
    workspace.acts.select(2)
    client.run()
    assert strips(client) == []
    panel = workspace.inspector()
    panel.every_temperature.set_unfolded(True)
    client.run()
    (request,) = strips(client)
    assert (request.index, request.temperatures) == (2, TEMPERATURES)
    assert all(isinstance(frame, np.ndarray) for frame in film._frames) and film.isVisibleTo(panel)
    panel.every_temperature.set_unfolded(False)
    workspace.acts.select(3)
    client.run()
    assert len(strips(client)) == 1


def test_a_click_and_the_arrow_keys_take_a_temperature_that_can_be_undone(workspace, client, film, qtbot):
    panel = workspace.inspector()
    panel.every_temperature.set_unfolded(True)
    workspace.acts.select(0)
    client.run()
    film.resize(268, film.heightForWidth(268))
    qtbot.mouseClick(film, LEFT, pos=film.cell(5).center().toPoint())
    assert workspace.history.state.temperature == 1.0
    qtbot.keyClick(film, Qt.Key.Key_Right)
    assert workspace.history.state.temperature == 1.2
    qtbot.keyClick(film, Qt.Key.Key_Up)
    assert workspace.history.state.temperature == 0.4
    for expected in (1.2, 1.0, 0.7):
        workspace.history.undo()
        assert workspace.history.state.temperature == pytest.approx(expected)
    assert len(strips(client)) == 1  # z is the same, whatever the page's temperature


def test_without_a_sample_it_says_what_would_be_here(workspace, client, film):
    panel = workspace.inspector()
    panel.every_temperature.set_unfolded(True)
    workspace.acts.select(-1)
    client.run()
    assert not film.isVisibleTo(panel) and panel.film_empty.isVisibleTo(panel)
    workspace.acts.select(1)
    client.run()
    assert film.isVisibleTo(panel) and not panel.film_empty.isVisibleTo(panel)


def test_a_failure_stands_where_it_happened(workspace, client, film):
    panel = workspace.inspector()
    client.fail = r.TemperatureFrames
    panel.every_temperature.set_unfolded(True)
    workspace.acts.select(1)
    client.run()
    assert panel.film_empty.text() == "It could not be computed." and not film.isVisibleTo(panel)
    client.fail = None
    workspace.engine_restarted()
    client.run()
    assert film.isVisibleTo(panel)


def test_pictures_lie_inside_in_order(film):
    film.resize(268, film.heightForWidth(268))
    cells = [film.cell(index) for index in range(len(TEMPERATURES))]
    assert all(film.rect().contains(cell.toAlignedRect()) for cell in cells)
    assert all(film.index_at(cell.center()) == index for index, cell in enumerate(cells))
    assert not any(a.intersects(b) for a in cells for b in cells if a is not b)
