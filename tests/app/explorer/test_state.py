"""The state is plain data: it comes back from JSON equal, and what is hostile or from elsewhere is refused in words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flow_explorer.explorer.state import ExplorerState, Slot, Walk
from flowcore.errors import FlowError
from flowcore.model.labels import between, single
from flowcore.pictures.crop import Crop

FULL = ExplorerState(
    model="faces", seed=18, temperature=0.65, profile=(0.2, 0.65, 1.0), count=36, selected=5, shown="walk",
    a=Slot(picture="p1", name="photo.jpg", crop=Crop(center_x=0.3, zoom=2.0, angle=15.0)),
    b=Slot(picture="p2", name="sample", latent="z1", latent_model="faces"),
    walk=Walk(0.62, "spherical"),
)  # fmt: skip


CONDITIONAL = replace(FULL, sampled_class=7, a=replace(FULL.a, label=single(3), latent_model="faces"),
                      b=replace(FULL.b, label=between(single(2), single(5), 0.3)))  # fmt: skip


@pytest.mark.parametrize("state", [ExplorerState(), FULL, CONDITIONAL])
def test_json_round_trip(state):
    assert ExplorerState.from_dict(json.loads(json.dumps(state.to_dict()))) == state


@pytest.mark.parametrize(("temperature", "levels", "drawn"), [
    (0.7, [], 0.7), (0.7, [0.67, 0.7, 0.7], (0.67, 0.7, 0.7)), (0.7, [0.123456, 0.3, 1.2], (0.123456, 0.3, 1.2)),
    (0.0, [0.0, 0.4, 0.1], (0.0, 0.4, 0.1)), (0.9, [0.5, 0.5, 0.5], 0.5), (0.9, [0.0, 0.0, 0.0], 0.0),
])  # fmt: skip
def test_a_file_of_before_profiles_is_drawn_at_the_very_numbers_that_it_holds(temperature, levels, drawn):
    old = {"schema": 1, "model": "faces", "temperature": temperature, "level_temperatures": levels}
    state = ExplorerState.from_dict(old)
    assert state.temperatures(3) == drawn and state.temperature == (max(drawn) if isinstance(drawn, tuple) else drawn)
    again = state.to_dict()
    assert again["level_temperatures"] == (levels if isinstance(drawn, tuple) else []) and "profile" not in again
    assert ExplorerState.from_dict(again) == state


def test_what_is_drawn_at_stands_in_the_file_and_the_profile_only_where_it_is_needed():
    assert FULL.temperatures(3) == (0.13, 0.42, 0.65) and FULL.temperatures(2) == 0.65
    saved = FULL.to_dict()
    assert saved["level_temperatures"] == [0.13, 0.42, 0.65] and saved["profile"] == [0.2, 0.65, 1.0]
    # What was drawn at is believed, not a profile that says otherwise.
    for wrong in ([0.2, 0.65, 0.9], [0.2, 1.0], [0.0, 0.0, 0.0], []):
        state = ExplorerState.from_dict({**saved, "profile": wrong})
        assert state.temperatures(3) == (0.13, 0.42, 0.65) and state.profile == (0.13, 0.42, 0.65)
    plain = replace(FULL, profile=())
    assert plain.to_dict()["level_temperatures"] == [] and "profile" not in plain.to_dict()


def test_the_schema_is_the_second_where_classes_are_named_and_else_as_it_was():
    assert CONDITIONAL.to_dict()["schema"] == 2 and FULL.to_dict()["schema"] == 1
    assert not {"sampled_class", "label"} & {*FULL.to_dict(), *FULL.to_dict()["b"]}
    assert replace(FULL, sampled_class=0).conditional and not FULL.conditional


def test_a_class_belongs_to_its_model():
    assert CONDITIONAL.a.label_for("faces") == single(3) and CONDITIONAL.a.label_for("fashion") == ()
    assert CONDITIONAL.sampled_label(10) == single(7)
    assert CONDITIONAL.sampled_label(7) == CONDITIONAL.sampled_label(0) == FULL.sampled_label(10) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", 4), ("schema", None), ("schema", True), ("sampled_class", -2), ("sampled_class", "Dress"),
        ("a", {"picture": "p", "label": [[1, 0.5]]}), ("seed", -1), ("seed", 10**12), ("seed", True), ("seed", "4"),
        ("temperature", float("nan")), ("temperature", 9), ("temperature", None), ("level_temperatures", 0.7),
        ("level_temperatures", [0.7, "1"]), ("level_temperatures", [float("nan")]), ("level_temperatures", [0.7] * 99),
        ("profile", 0.7), ("profile", [0.7, None]), ("profile", [2.0]),
        ("count", 10**12), ("count", 5),
        ("selected", 36), ("model", 3), ("model", "x" * 5000), ("a", []), ("walk", {"t": 2}),
        ("walk", {"mode": "__import__('os')"}), ("a", {"picture": 7}), ("a", {"picture": "p", "crop": {"zoom": 0}}),
    ],
)  # fmt: skip
def test_refuses_in_one_sentence(name, value):
    with pytest.raises(FlowError) as caught:
        ExplorerState.from_dict({**FULL.to_dict(), name: value})
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "state", 3])
def test_refuses_what_is_no_object(data):
    with pytest.raises(FlowError):
        ExplorerState.from_dict(data)


def test_first_empty_slot():
    full = Slot(picture="p")
    assert ExplorerState().first_empty_slot == "A"
    assert ExplorerState(a=full).first_empty_slot == "B"
    assert ExplorerState(a=full, b=full).first_empty_slot == "A"


def test_a_latent_belongs_to_its_model():
    assert FULL.b.keeps_latent("faces") and not FULL.b.keeps_latent("fashion")
    assert not FULL.a.keeps_latent("faces")


def test_keys_are_what_the_slots_need():
    assert FULL.keys == {"p1", "p2", "z1"}
    assert replace(FULL, b=Slot()).keys == {"p1"}


ODD = [10**400, -(10**400), float("inf"), float("-inf"), float("nan"), True, [], {}, ["glow"], {"a": 1}, "\ud800" * 5000, 1e308]


def places(data, path=()):
    """Every place in a saved state."""
    if path:
        yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


def put(data, path, value):
    copy = json.loads(json.dumps(data))
    at = copy
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return copy


@pytest.mark.parametrize("state", [FULL, CONDITIONAL], ids=["full", "conditional"])
def test_whatever_stands_anywhere_is_refused_in_a_sentence_or_can_be_saved(state):
    whole = state.to_dict()
    for path in places(whole):
        for value in ODD:
            try:
                read = ExplorerState.from_dict(put(whole, path, value) if value == value else put(whole, path, float("nan")))
            except FlowError as error:
                assert str(error).endswith(".") and "\n" not in str(error) and len(str(error)) < 400, path
            else:
                again = json.loads(json.dumps(read.to_dict(), allow_nan=False))
                assert ExplorerState.from_dict(again) == read, path


@pytest.mark.parametrize("name", ["center_x", "center_y", "zoom", "angle", "background", "aligned"])
@pytest.mark.parametrize("value", ODD[:-1], ids=range(len(ODD) - 1))
def test_a_crop_is_refused_too(name, value):
    if (name, value) == ("aligned", True):
        return
    with pytest.raises(FlowError) as caught:
        Slot.from_dict({"picture": "p", "crop": {name: value}})
    assert len(str(caught.value)) < 200
