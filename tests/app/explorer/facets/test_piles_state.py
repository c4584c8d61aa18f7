"""What is set on the piles' page, and what the engine is asked: plain data, without a widget."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from flow_explorer.engine.requests.piles import FitPiles, SaveTranslations, TranslatePage
from flow_explorer.explorer.facets.piles.pair_view import error_words
from flow_explorer.explorer.facets.piles.state import FURTHER, PilesState, Side
from flowcore.errors import ConfigError


def test_the_state_is_plain_data_and_bad_data_is_refused():
    sides = Side("/x/cats"), Side(label=3, model="fashion")
    state = PilesState(*sides, "transport", "ba", 0.25, FURTHER, "p" + 32 * "0", "me.png")
    assert PilesState.from_dict(json.loads(json.dumps(state.to_dict()))) == state and state.keys == {state.further}
    assert PilesState().to_dict() == {} and PilesState.from_dict({}) == PilesState() and PilesState().keys == set()
    assert state.renamed({state.further: "p1"}).further == "p1" and PilesState().renamed({"": "x"}) == PilesState()
    for bad in ({"method": "magic"}, {"direction": "up"}, {"strength": float("nan")}, {"strength": True}, {"a": []},
                {"selected": "x"}, {"selected": -2}, {"further": 3}, {"b": {"folder": 3}}, {"b": {"label": True}}):  # fmt: skip
        with pytest.raises(ConfigError):
            PilesState.from_dict(bad)
    assert PilesState.from_dict({"strength": 7, "selected": -1}) == PilesState(strength=2.0)
    assert Side(label=3, model="fashion").source("other", 0, 0.7, 10) == ()
    assert Side(label=3, model="fashion").source("fashion", 4, 0.7, 10) == ("class", 3, 4, 0.7)


def test_errors_are_told_as_a_share_of_the_range():
    for error, words in ((2.1e-4, "0.0002"), (9.6e-4, "0.0010"), (3.4e-6, "0.000003"), (0.0, "less than 0.000001")):
        assert error_words(error) == f"{words} of the range"


def test_requests_refuse_nonsense():
    good = SimpleNamespace(model="m", source=("folder", "x"), target=("class", 1, 0, 0.7))
    FitPiles(model=good.model, method="transport", source=good.source, target=good.target)
    for bad in ({"method": "magic"}, {"source": ("folder", "")}, {"source": ("class", -1, 0, 0.7)}, {"target": ()},
                {"method": "pair"}):  # fmt: skip
        with pytest.raises(ConfigError):
            FitPiles(**{"model": "m", "method": "transport", "source": good.source, "target": good.target, **bad})
    with pytest.raises(ConfigError, match="plain file names"):
        SaveTranslations(model="m", method="transport", source=good.source, target=good.target, strength=1.0, folder="/x",
                         files=("../up.png",))  # fmt: skip
    with pytest.raises(ConfigError, match="strength"):
        TranslatePage(model="m", method="transport", source=good.source, target=good.target, indices=(0,), strength=3.0)


def test_a_saved_picture_tells_nobody_where_the_piles_are():
    from flow_explorer.explorer.facets.map.state import MapState

    state = PilesState(a=Side("/home/someone/private"), b=Side(label=2, model="m"), strength=1.5)
    assert state.portable() == PilesState(b=Side(label=2, model="m"), strength=1.5)
    assert MapState(source="data", path="/home/someone/private", selected=3).portable() == MapState()
    assert MapState(source="samples", selected=3).portable() == MapState(source="samples", selected=3)
