"""Temperatures by level: taken as one or several, scaled together, and told by a card."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from flowcore import build
from flowcore.errors import CheckpointError, ConfigError
from flowcore.model.card import DEFAULT_TEMPERATURE, default_temperature
from flowcore.model.temperature import by_level, scaled, split

CARD = {"name": "faces", "architecture": {"system": "glow", "shape": [3, 16, 16], "levels": 4}}
PROFILE = (0.35, 0.45, 0.65, 0.75)


def test_one_number_is_every_levels():
    assert by_level(0.7, 3) == (0.7, 0.7, 0.7)
    assert by_level(1, 2) == (1.0, 1.0) and by_level([0.5, 1], 2) == by_level(np.array([0.5, 1.0]), 2) == (0.5, 1.0)
    assert by_level(np.float32(0.5), 2) == (0.5, 0.5)


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), [0.5], [0.5] * 3, [0.5, -0.1], [0.5, float("inf")], "0.5", None, [],
                                   [None, 1]])  # fmt: skip
def test_what_is_no_temperature_gets_one_sentence(wrong):
    with pytest.raises(ConfigError, match="^Temperature must be one number of 0 or more, or 2 of them, not .*\\.$"):
        by_level(wrong, 2)


def test_a_profile_and_its_highest():
    assert split(0.7) == (0.7, ()) and split([0.5, 0.5]) == (0.5, ()) and split(PROFILE) == (0.75, PROFILE)


def test_levels_keep_their_ratios_and_the_highest_is_the_number_itself():
    for number in range(1, 151):
        temperature = number / 100
        got = scaled(PROFILE, temperature)
        assert max(got) == got[3] == temperature
        np.testing.assert_allclose(got, np.array(PROFILE) / 0.75 * temperature, atol=0.005 + 1e-12)
        assert all(each == round(each, 2) for each in got)
    assert scaled(PROFILE, 0.0) == (0.0,) * 4 and scaled((0.0, 0.0), 0.4) == (0.4, 0.4)
    odd = (1 / 3, 0.123456789, 0.7)
    assert scaled(odd, 0.7) == odd  # at its own, to the last bit


@pytest.mark.parametrize(("given", "meant"), [
    ({}, 0.7), ({"default_temperature": 0.6}, 0.6), ({"default_temperature": 1}, 1.0), ({"default_temperature": 0}, 0.0),
    ({"default_temperature": "hot"}, 0.7), ({"default_temperature": True}, 0.7), ({"default_temperature": 10**400}, 0.7),
    ({"default_temperature": float("nan")}, 0.7), ({"default_temperature": [0.7] * 4}, 0.7),
    ({"default_temperatures": list(PROFILE)}, PROFILE), ({"default_temperatures": [1, 1, 1, 1]}, 1.0),
    ({"default_temperature": 0.6, "default_temperatures": list(PROFILE)}, PROFILE),
    ({"default_temperatures": [0, 0, 0, 1.5]}, (0, 0, 0, 1.5)),
])  # fmt: skip
def test_a_cards_own(given, meant):
    assert default_temperature({**CARD, **given}) == meant and DEFAULT_TEMPERATURE == 0.7


@pytest.mark.parametrize("wrong", [0.7, [], [0.7] * 3, [0.7] * 5, [0.7, 0.7, 0.7, "0.7"], [0.7, 0.7, 0.7, float("nan")],
                                   [0.7, 0.7, 0.7, -0.1], [0.7, 0.7, 0.7, 1.6], [0.7, 0.7, 0.7, True], {"a": 1}])  # fmt: skip
def test_a_card_with_a_wrong_list_gets_one_sentence(wrong):
    with pytest.raises(CheckpointError, match="^The card of 'faces' must give 4 default_temperatures .*, not .*\\.$"):
        default_temperature({**CARD, "default_temperatures": wrong})


def test_a_flow_is_sampled_level_by_level():
    flow = build({"system": "glow", "shape": [3, 8, 8], "levels": 2, "steps": 1, "width": 8}).eval()
    z = flow.sample(3, 1.0, seed=5)
    cut = flow.levels[0].stop
    for given in ((0.25, 0.5), [0.25, 0.5], np.array([0.25, 0.5])):
        got = flow.sample(3, given, seed=5)
        assert torch.equal(got[:, :cut], z[:, :cut] * 0.25) and torch.equal(got[:, cut:], z[:, cut:] * 0.5)
    assert torch.equal(flow.sample(3, 0.7, seed=5), flow.sample(3, (0.7, 0.7), seed=5))
    # At 1 a z is itself, to the last bit: a photograph's too.
    assert torch.equal(flow.temper(z, 1.0), z) and torch.equal(flow.temper(z, (1.0, 1.0)), z)
