"""The theory page's state: plain data that goes to JSON and back, and refuses what is not legal."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flow_explorer.theory.figures.affine import legal_slope
from flow_explorer.theory.state import MIN_SLOPE, CurveState, TheoryState
from flow_explorer.theory.texts import texts, try_line
from flowcore.errors import ConfigError
from flowcore.theory.curve import KNOTS, MIN_RISE


def test_every_state_survives_json():
    state = TheoryState("masks")
    state = state.changed("affine", slope=-1.5).changed("curve", target="box", heights=tuple(range(-6, KNOTS - 6)))
    state = state.changed("masks", mask="cycle", phase=6, picture="/some/where/mine.png")
    state = state.changed("convolution", kind="rotation", angle=-30.0).changed("coupling", x=(0.0, 1.0, -1.0, 2.0))
    assert TheoryState.from_dict(json.loads(json.dumps(state.to_dict()))) == state


def test_what_is_unknown_is_left_out_and_what_is_missing_takes_its_default():
    assert TheoryState.from_dict({"later": 1, "affine": {"slope": 1.0, "later": 2}}) == TheoryState().changed("affine", slope=1.0)


BAD = [
        {"figure": "other"}, {"affine": 3}, {"affine": {"slope": 0.1}}, {"affine": {"slope": "2"}},
        {"affine": {"offset": float("nan")}},
        {"curve": {"heights": [0.0] * KNOTS}}, {"curve": {"heights": [1.0]}}, {"curve": {"heights": 5}},
        {"curve": {"target": "x"}},
        {"curve": {"steps": -1}}, {"matrix": {"a": True}}, {"coupling": {"x": [1, 2]}}, {"coupling": {"x": [1, 2, 3, 0]}},
        {"coupling": {"layers": ["one"]}}, {"masks": {"phase": 5}}, {"masks": {"phase": 1.0}}, {"masks": {"picture": ""}},
        {"convolution": {"channel": 12}}, {"convolution": {"angle": 200}}, {"convolution": {"kind": None}}, [1],
]  # fmt: skip


def test_a_damaged_state_is_refused_in_a_sentence():
    for values in BAD:
        with pytest.raises(ConfigError) as caught:
            TheoryState.from_dict(values)
        assert str(caught.value).endswith("."), values


def test_a_knot_stops_at_its_neighbours():
    state = CurveState()
    moved = state.with_knot(4, 99.0)
    assert moved.heights[4] == pytest.approx(state.heights[5] - MIN_RISE)
    assert moved.with_knot(4, -99.0).heights[4] == pytest.approx(state.heights[3] + MIN_RISE)
    assert replace(state, steps=7).with_knot(0, -3.5).steps == 0


def test_a_slope_jumps_over_zero():
    assert legal_slope(0.3, 2.0) == MIN_SLOPE and legal_slope(-0.3, 2.0) == -MIN_SLOPE
    assert legal_slope(0.05, -1.0) == -MIN_SLOPE and legal_slope(99.0, 1.0) == 2.5


def test_every_try_this_is_legal_and_changes_something():
    for figure, text in texts().items():
        html, acts = try_line(text, "#123456")
        assert html.count("<a ") == len(acts) >= 2 and "[" not in html and "]" not in html
        for act in acts:
            if isinstance(act, dict):
                TheoryState().changed(figure, **act)
            else:
                assert act in ("learn", "learn:box", "step")
        assert any(isinstance(act, str) or TheoryState().changed(figure, **act) != TheoryState() for act in acts)
        assert text.sentence.count(".") in (1, 2, 3) and text.formula
