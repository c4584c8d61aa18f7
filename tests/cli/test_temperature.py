"""A model whose card has a temperature for each level, from the command line: sampled, told, bundled, looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flow_explorer import assets
from flow_explorer.child_process import python_path
from flow_explorer.explorer.model import open_model
from flow_explorer.explorer.moving.recipes import read_recipe
from flow_explorer.explorer.store import Store
from flowcore.model.card import default_temperature, read_card
from flowcore.model.checkpoint import update_card
from tests.cli.read_back import recipe_in

ROOT = Path(__file__).resolve().parents[2]
PROFILE = (0.35, 0.8)


@pytest.fixture
def profiled(model, tmp_path) -> Path:
    """The small model with a card that has a temperature a level."""
    path = Path(shutil.copy(model, tmp_path / "profiled.safetensors"))
    update_card(path, default_temperature=None, default_temperatures=list(PROFILE))
    return path


@pytest.fixture
def page(cli, tmp_path):
    def draw(path: Path, *more: object) -> np.ndarray:
        out = tmp_path / "page.png"
        ran = cli("sample", "--model", path, "--count", 4, "--seed", 3, "--out", out, *more)
        assert ran.code == 0, ran.err
        return np.asarray(Image.open(out))

    return draw


def test_the_default_is_the_cards_by_level_and_one_number_is_every_levels(page, profiled, model, tmp_path):
    own = page(profiled)
    assert default_temperature(read_card(profiled)) == PROFILE
    # The weights are the same: so another card draws the same at the same temperatures.
    assert np.array_equal(own, page(model, "--temperature", "0.35,0.8"))
    state = read_recipe(recipe_in(tmp_path / "page.png"), Store())
    assert state.temperatures(2) == PROFILE and state.temperature == 0.8
    one = page(profiled, "--temperature", 0.7)
    assert np.array_equal(one, page(model)) and not np.array_equal(one, own)
    assert np.array_equal(one, page(profiled, "--temperature", "0.7,0.7"))


def test_json_tells_what_was_drawn_at(cli, profiled, model, tmp_path):
    def told(path: Path, *more: object) -> list:
        rows = cli("sample", "--model", path, "--count", 2, "--out", tmp_path / "a.png", "--json", *more).json
        return [row["temperature"] for row in rows]

    assert told(profiled) == [list(PROFILE)] * 2 and told(model) == [0.7] * 2
    assert told(profiled, "--temperature", "0.2,0.5") == [[0.2, 0.5]] * 2 and told(profiled, "--temperature", 1) == [1.0] * 2
    assert all(row["temperature"] for row in cli("models", "--json").json)


def test_a_wrong_card_is_said_where_its_default_is_needed(refused, page, profiled, tmp_path):
    update_card(profiled, default_temperatures=[0.5, 0.6, 0.7])
    out = tmp_path / "out.png"
    sentence = refused("sample", "--model", profiled, "--out", out)
    assert "2 default_temperatures" in sentence and "[0.5, 0.6, 0.7]" in sentence and not out.exists()
    assert page(profiled, "--temperature", "0.35,0.8").any()


def run_script(script: str, *arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / script), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": python_path()}
    return subprocess.run(command, capture_output=True, text=True, timeout=280, env=environment)


def bundled(model: Path, pictures: Path, out: Path, temperature: str) -> subprocess.CompletedProcess:
    out.mkdir(exist_ok=True)
    options = ("--data", pictures, "--temperature", temperature, "--seed", 3, "--out", out)
    return run_script("assets/models/bundle.py", model, *options)


@pytest.mark.parametrize(("given", "entries"), [
    ("0.35,0.8", {"default_temperature": None, "default_temperatures": [0.35, 0.8]}),
    ("0.6", {"default_temperature": 0.6, "default_temperatures": None}),
])  # fmt: skip
def test_a_bundled_page_is_what_the_window_and_sample_draw(cli, model, picture_folder, tmp_path, monkeypatch, given, entries):
    run = Path(shutil.copy(model, tmp_path / "run.safetensors"))
    update_card(run, steps=20, training_seconds=1.0, command="none", default_temperature=None, default_temperatures=[0.5, 0.5])
    done = bundled(run, picture_folder, tmp_path / "models", given)
    assert done.returncode == 0, done.stderr
    target = tmp_path / "models" / "blobs.safetensors"
    card = read_card(target)
    assert {key: card.get(key) for key in entries} == entries and card["default_seed"] == 3
    drawn = tmp_path / "drawn.png"
    assert cli("sample", "--model", target, "--seed", 3, "--out", drawn).code == 0
    cached, live = (np.asarray(Image.open(path)).astype(int) for path in (target.with_suffix(".png"), drawn))
    # Sixteen at once may round a value on the edge between two grey levels otherwise than the command's own batches.
    assert cached.shape == live.shape and np.abs(cached - live).max() <= 1
    monkeypatch.setattr(assets, "root", lambda: tmp_path)
    window = open_model("blobs")
    assert window.default_temperature == default_temperature(card) and len(window.first_page) == 16
    assert np.array_equal(window.first_page[5], cached[16:32, 16:32])


def test_a_bundle_with_as_many_temperatures_as_no_level_has_is_not_made(model, picture_folder, tmp_path):
    done = bundled(model, picture_folder, tmp_path / "models", "0.5,0.6,0.7")
    assert done.returncode == 2 and "2 default_temperatures" in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
    assert not list((tmp_path / "models").iterdir())


def test_candidates_stand_side_by_side(model, tmp_path):
    out = tmp_path / "candidates.png"
    done = run_script("docs/sheets.py", "--model", model, "--out", out, "--temperature", "0.7", "0.35,0.8")
    assert done.returncode == 0, done.stderr
    pixels = np.asarray(Image.open(out))
    assert pixels.shape[:2] == (8 * 16, 2 * 8 * 16 + 12)
    assert not np.array_equal(pixels[:, : 8 * 16], pixels[:, 8 * 16 + 12 :])
