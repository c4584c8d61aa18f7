"""What is kept of pixels, and the colours of its maps."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from flow_explorer.explorer.facets.pixels import colours
from flow_explorer.explorer.facets.pixels.state import PAINTINGS, PixelsState, ZPlace, picture_key, scaled
from flow_explorer.explorer.state import ExplorerState
from flowcore.errors import ConfigError
from flowcore.pictures.painting import Stroke
from tests.app.explorer.facets.pixels.case import LEFT, drag, paint_on


def test_a_state_is_written_and_read_to_the_last_stroke(pixels, client, workspace, qtbot):
    paint_on(pixels, qtbot)
    drag(pixels.canvas.paint.brush, [(0.2, 0.5), (0.33, 0.41), (0.8, 0.5)])
    qtbot.mouseClick(pixels.controls.paint.eraser, LEFT)
    drag(pixels.canvas.paint.brush, [(0.8, 0.5), (0.9, 0.5)])
    pixels.change(replace(pixels.state, place=ZPlace(1, 0, 1, 2), amount=0.25, x=0.1), "all of it")
    data = json.loads(json.dumps(workspace.history.state.to_dict()))
    assert ExplorerState.from_dict(data).of("pixels") == pixels.state
    assert PixelsState.from_dict({}) == PixelsState() and PixelsState().to_dict() == {}
    assert pixels.state.keys == set()


@pytest.mark.parametrize("data", [
    {"mode": "dance"}, {"x": 2}, {"x": float("nan")}, {"brush": "wide"}, {"colour": [1, 2]}, {"colour": [1, 2, 256]},
    {"place": [0, 0, -1, 0]}, {"place": [0, 0]}, {"erasing": 1}, {"paintings": {}},
    {"paintings": [{"picture": "a", "strokes": []}]},
    {"paintings": [{"picture": "a", "strokes": [{"points": [1], "radius": 0.1}]}]},
    {"paintings": [{"picture": "a", "strokes": [{"points": [0.1, 9], "radius": 0.1}]}]},
    {"paintings": [{"picture": "a", "strokes": [{"points": [0.1, 0.1], "radius": 0.1, "colour": "red"}]}]},
    {"paintings": [{"picture": str(n), "strokes": [{"points": [0, 0], "radius": 0}]} for n in range(PAINTINGS + 1)]},
], ids=str)  # fmt: skip
def test_a_broken_state_is_refused_in_a_sentence(data):
    with pytest.raises(ConfigError, match="Pixels"):
        PixelsState.from_dict(data)


def test_only_the_pictures_painted_on_last_are_remembered():
    state, stroke = PixelsState(), Stroke(((0.5, 0.5),), 0.1, (1, 2, 3))
    for number in range(PAINTINGS + 3):
        state = state.with_strokes(str(number), (stroke,))
    assert [key for key, _ in state.paintings] == [str(number) for number in range(3, PAINTINGS + 3)]
    assert state.strokes("0") == () and state.with_strokes("9", ()).strokes("9") == ()
    (pixel_stroke,) = scaled((stroke,), 10, 20)
    assert (pixel_stroke.points, pixel_stroke.radius) == (((10.0, 5.0),), 2.0)
    grey, colour = np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4, 3), np.uint8)
    assert len({picture_key("a", grey), picture_key("b", grey), picture_key("a", colour)}) == 3


@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_purple_scale_is_perceptually_even(name, monkeypatch):
    from flow_explorer import theme

    monkeypatch.setattr(theme, "_current", {"dark": theme.DARK, "light": theme.LIGHT}[name])
    lab = colours.to_oklab(colours.scale() / 255)
    steps = np.linalg.norm(np.diff(lab[::8], axis=0), axis=1)
    assert steps.max() < 1.35 * steps.min()
    lightness = np.diff(lab[::8, 0])
    assert (lightness > 0).all() if name == "dark" else (lightness < 0).all()
    # It goes through the colour of z, and begins at that of a raised surface.
    purple = colours.to_oklab(np.array([0xCC, 0x79, 0xA7]) / 255)
    assert np.linalg.norm(lab - purple, axis=1).min() < 0.01
    shown = colours.shade(np.array([[0.0, 1.0]]), 1.0)
    assert np.array_equal(shown[0, 0], colours.scale()[0]) and np.array_equal(shown[0, 1], colours.scale()[-1])
    assert colours.shade(np.zeros((2, 2)), 0.0).shape == (2, 2, 3)
    laid = colours.overlay(np.array([[0.0, 1.0]]), 1.0, 0.5)
    assert laid[0, 0, 3] < laid[0, 1, 3] == 128
