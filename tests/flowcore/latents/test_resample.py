"""Variations that keep a part of z: by level, by place, and from another picture."""

from __future__ import annotations

import numpy as np
import pytest

from flowcore.errors import ConfigError
from flowcore.latents.resample import default_actions, kept_places, mixed

LEVELS = [(0, 24, (6, 2, 2)), (24, 32, (8, 1, 1))]
SIZE = (4, 4)
OWN, DRAWN, OTHER = (np.full(32, value, np.float32) for value in (1.0, 2.0, 3.0))


def test_each_level_has_a_fate_of_its_own():
    z = mixed(OWN, DRAWN, OTHER, LEVELS, ("draw", "keep"), SIZE)
    assert (z[:24] == 2).all() and (z[24:] == 1).all()
    z = mixed(OWN, DRAWN, OTHER, LEVELS, ("keep", "other"), SIZE)
    assert (z[:24] == 1).all() and (z[24:] == 3).all()
    assert (OWN == 1).all()


def test_a_locked_region_keeps_its_places_on_every_level():
    region = np.zeros(SIZE, bool)
    region[0, 3] = True
    z = mixed(OWN, DRAWN, None, LEVELS, ("draw", "draw"), SIZE, region, "inside")
    fine = z[:24].reshape(6, 2, 2)
    assert (fine[:, 0, 1] == 1).all() and (fine[:, 0, 0] == 2).all() and (fine[:, 1] == 2).all()
    assert (z[24:] == 1).all()  # the only place of the coarse level lies under it
    z = mixed(OWN, DRAWN, None, LEVELS, ("draw", "keep"), SIZE, region, "outside")
    fine = z[:24].reshape(6, 2, 2)
    assert (fine[:, 0, 1] == 2).all() and (fine[:, 0, 0] == 1).all() and (fine[:, 1] == 1).all()


def test_a_region_that_is_empty_locks_nothing():
    z = mixed(OWN, DRAWN, None, LEVELS, ("draw", "draw"), SIZE, np.zeros(SIZE, bool), "inside")
    assert np.array_equal(z, DRAWN)


def test_a_flat_z_is_taken_as_the_pictures_values():
    region = np.zeros(SIZE, bool)
    region[1, 2] = True
    kept = kept_places((48,), SIZE, region, "inside").reshape(3, 4, 4)
    assert kept[:, 1, 2].all() and kept.sum() == 3


def test_own_precision_is_kept():
    assert mixed(OWN.astype(np.float64), DRAWN, None, LEVELS, ("draw", "keep"), SIZE).dtype == np.float64


def test_defaults_keep_the_coarsest_alone():
    assert default_actions(3) == ("draw", "draw", "keep") and default_actions(1) == ("draw",)


@pytest.mark.parametrize(
    ("actions", "other", "words"),
    [(("keep",), OTHER, "each of the 2 levels"), (("keep", "burn"), OTHER, "each of"),
     (("keep", "other"), None, "no other picture"), (("keep", "other"), OTHER[:5], "no other picture")],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(actions, other, words):
    with pytest.raises(ConfigError, match=words):
        mixed(OWN, DRAWN, other, LEVELS, actions, SIZE)


def test_a_region_of_another_size_is_refused():
    with pytest.raises(ConfigError, match="4×4"):
        kept_places((6, 2, 2), SIZE, np.zeros((5, 4), bool), "inside")
    with pytest.raises(ConfigError, match="no places"):
        kept_places((6, 3, 3), SIZE, np.zeros(SIZE, bool), "inside")
