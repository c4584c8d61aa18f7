"""A target of one's own in sessions, in saved pictures and on the way to the engine."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PySide6.QtGui import QImage

from flow_explorer.toylab.keep.writing import read_settings, save_panels
from flow_explorer.toylab.run import RunEntry
from flow_explorer.toylab.state import ToyState
from flowcore.errors import ConfigError
from flowcore.plane.targets import targets as toy_targets


@pytest.fixture(scope="module")
def largest(tmp_path_factory):
    """As many points as a target ever holds."""
    path = tmp_path_factory.mktemp("points") / "many.npy"
    np.save(path, np.random.default_rng(0).normal(size=(30_000, 2)))
    return toy_targets.from_points(path, 0, 1, 0)


def test_a_saved_picture_brings_the_target_back(qapp, tmp_path, largest):
    image = QImage(40, 30, QImage.Format.Format_RGB888)
    image.fill(0)
    values = np.random.default_rng(0).integers(0, 256, (128, 128), dtype=np.uint8)
    for target in (largest, toy_targets.from_grid(values, "Noise"), toy_targets.from_formula("-x^2 - y^2")):
        state = ToyState(target=target)
        save_panels(image, str(tmp_path / "panels.png"), state, RunEntry(1))
        assert read_settings(str(tmp_path / "panels.png")) == state


def test_a_session_brings_the_target_back_and_old_ones_still_load(largest):
    state = ToyState(density="two-spirals", target={"kind": "parameters", "turns": 2.5})
    assert ToyState.from_dict(json.loads(json.dumps(state.to_dict()))) == state
    assert ToyState.from_dict(json.loads(json.dumps(ToyState(target=largest).to_dict()))).target == largest
    assert ToyState.from_dict({"density": "rings"}).target is None


def test_another_target_is_another_run():
    target = toy_targets.from_formula("-x^2 - y^2")
    changed = ToyState().changed("target", target, 7)
    assert changed.run == 7 and changed.config()["target"] == target


@pytest.mark.parametrize("target", [{"kind": "pickle"}, {"kind": "parameters", "turns": 1}, {"kind": "formula", "text": "x."}, 3])
def test_a_damaged_target_is_a_sentence(target):
    with pytest.raises(ConfigError) as error:
        ToyState.from_dict({"density": "rings", "target": target})
    assert str(error.value).endswith(".")
