"""Pixels on the real engine: a bundled model's maps, and a painting that is taken away with its exact z."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.facets.base import Host
from flow_explorer.explorer.facets.pixels.facet import Pixels
from flow_explorer.explorer.facets.pixels.state import PixelsState, ZPlace
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.history import History
from flow_explorer.settings import Settings
from flow_explorer.workspace import WorkspaceContext


def test_look_paint_and_take_the_result(engine, qtbot, tmp_path):
    controller = Controller(engine, History(ExplorerState(model="fashion-realnvp", count=4, selected=1, facet="pixels")))
    context = WorkspaceContext(engine, Settings(tmp_path / "settings.json"))
    transfers: Any = None  # no picture is moved
    controller.start()
    pixels = Pixels(Host(controller, context, transfers))
    controller.add_facet(pixels)

    def rest() -> None:
        qtbot.waitUntil(lambda: not controller.busy and engine.is_idle(), timeout=60_000)

    rest()
    assert len(pixels.looking.maps) == 2 and sum(pixels.looking.shares) == pytest.approx(1)
    # A pixel moves the z at its own place most.
    row, column = np.unravel_index(pixels.looking.maps[0].argmax(), pixels.looking.maps[0].shape)
    assert abs(row - 7) <= 1 and abs(column - 7) <= 1
    pixels.change(replace(pixels.state, place=ZPlace(0, 3, 10)), "a place")
    rest()
    assert pixels.looking.fraction == 1
    row, column = np.unravel_index(pixels.looking.reached.argmax(), (28, 28))
    assert abs(row - 7) <= 4 and abs(column - 21) <= 4

    pixels.change(replace(pixels.state, mode="paint", amount=0.0, brush=0.1), "paint")
    pixels._draw(((0.2, 0.2), (0.4, 0.2)))
    rest()
    painted, there = pixels.large(), pixels.painting.painted
    assert painted is not None and there is not None and np.array_equal(painted.picture, there)
    pixels.change(replace(pixels.state, amount=1.0), "plausible")
    rest()
    plausible = pixels.large()
    assert plausible is not None and not np.array_equal(plausible.picture, painted.picture)
    better, worse = pixels.painting.plausible_figures.bpd, pixels.painting.painted_figures.bpd
    assert better is not None and worse is not None and better < worse
    # In a well it is the same picture to the byte, from that z.
    controller.acts.put_latent("A", plausible)
    rest()
    view = controller.slots["A"].view
    assert view.differing == 0 and view.reconstruction is not None
    assert np.array_equal(view.reconstruction, plausible.picture)
    while controller.history.undo():
        pass
    rest()
    assert pixels.state == PixelsState()
