"""A card or a recipe may hold anything anywhere: it is refused in a sentence, or what is odd in it is passed over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flow_explorer.explorer.model import figures, open_model
from flow_explorer.explorer.moving.recipes import (
    changed,
    is_reshaped,
    keeping,
    located,
    read_latent,
    read_recipe,
)
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.explorer.store import Store
from flowcore.errors import FlowError
from flowcore.pictures import recipe
from tests.app.explorer.conftest import card, write_checkpoint
from tests.app.explorer.test_state import ODD, places, put

WRITTEN = Path(__file__).resolve().parents[2] / "fixtures" / "853f5d9"


def test_a_card(tmp_path):
    whole = card(classes=["a", "b"])
    whole["held_out"]["bpd_quantiles"] = whole["held_out"]["bpd_quantiles"][:4]
    opened = 0
    for path in places(json.loads(json.dumps(whole))):
        for value in ODD:
            file = write_checkpoint(tmp_path / "odd.safetensors", **{**whole, **put(whole, path, value)})
            try:
                model = open_model(str(file))
            except FlowError as error:
                assert str(error).endswith("."), path
                continue
            opened += 1
            assert isinstance(model.summary + model.title + model.licence + model.sees, str)
            assert model.levels > 0 and model.default_seed >= 0 and model.temperatures(0.5) is not None
            assert figures(model.card, 3.0).bpd == 3.0 and model.eyes is None
    assert opened > 50


@pytest.mark.parametrize("name", ["sample-mnist-enlarged.png", "strip-window-mnist.png", "page-mnist.png"])
def test_a_recipe(name):
    data = (WRITTEN / name).read_bytes()
    whole, opened = recipe.extract(data), 0
    assert whole is not None
    for path in places(whole):
        for value in (each for each in ODD if each == each):
            try:
                found = located(recipe.validate(put(whole, path, value)), ["fashion"])
                changed(found, "fashion")
                is_reshaped(found, data, "fashion")
                read_latent(found, data, "fashion")
                state = read_recipe(found, Store())
            except FlowError as error:
                assert str(error).endswith("."), path
                continue
            opened += 1
            assert json.dumps(keeping(found, state, ExplorerState()).to_dict(), allow_nan=False)
    assert opened > 10
