"""Every facet's state by its declared fields: written without what is at its default, and nothing else is read."""

from __future__ import annotations

import json
import math

import pytest

from flow_explorer.explorer.facets import REGISTRY, initial, read
from flowcore.errors import ConfigError
from flowcore.fields import settings

IDS = [entry.id for entry in REGISTRY]
FIELDS = [(id_, name) for id_ in IDS for name in settings(initial(id_))]
NUMBERS = [(id_, name) for id_, name in FIELDS if settings(initial(id_))[name].kind in ("number", "whole")]


def short(value: object) -> str:
    return str(value)[:9]


@pytest.mark.parametrize("id_", IDS)
def test_a_state_at_rest_writes_nothing_and_an_unknown_name_of_a_later_version_is_passed_over(id_):
    assert initial(id_).to_dict() == {} and read(id_, {}) == initial(id_) == read(id_, {"of a later version": 1})


@pytest.mark.parametrize("id_", IDS)
@pytest.mark.parametrize("data", [[], None, "text", 3])
def test_what_is_no_object_is_refused(id_, data):
    with pytest.raises(ConfigError, match="damaged"):
        read(id_, data)


@pytest.mark.parametrize(("id_", "name"), NUMBERS)
@pytest.mark.parametrize("value", [10**400, -(10**400), math.inf, math.nan, True, "1", None, [1]], ids=short)
def test_what_is_no_number_of_its_range_is_refused_in_a_sentence(id_, name, value):
    with pytest.raises(ConfigError) as refused:
        read(id_, {name: value})
    assert str(refused.value).endswith(".") and len(str(refused.value)) < 250


@pytest.mark.parametrize(("id_", "name"), FIELDS)
@pytest.mark.parametrize("value", [{"a": 1}, 10**400, [[]], [{}], "\0", [10**400]], ids=short)
def test_what_is_of_another_kind_is_refused_in_a_sentence(id_, name, value):
    with pytest.raises(ConfigError) as refused:
        read(id_, {name: value})
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 250


@pytest.mark.parametrize(("id_", "name"), [(id_, name) for id_, name in NUMBERS if name != "selected"])
def test_both_ends_of_a_range_come_back(id_, name):
    setting = settings(initial(id_))[name]
    for value in (setting.low, setting.high):
        state = read(id_, {name: value})
        assert getattr(state, name) == value and read(id_, json.loads(json.dumps(state.to_dict()))) == state
