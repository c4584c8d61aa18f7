"""A picture that the command line saved carries its recipe, and the Explorer understands it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from flow_explorer.explorer.moving.recipes import read_latent, read_recipe
from flow_explorer.explorer.store import Store
from flowcore.model.codec import load_latent
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import read_picture
from tests.cli.read_back import recipe_in


def test_a_grid_restores_model_seed_temperature_and_count(cli, model, tmp_path):
    out = tmp_path / "grid.png"
    ran = cli("sample", "--model", model, "--count", 4, "--seed", 9, "--temperature", 0.6, "--enlarge", 2, "--out", out)
    assert ran.code == 0, ran.err
    state = read_recipe(recipe_in(out), Store())
    assert (state.model, state.seed, state.temperature, state.count) == (model.name, 9, 0.6, 4)


def test_a_temperature_a_level_comes_back_as_one(cli, model, tmp_path):
    out = tmp_path / "grid.png"
    assert cli("sample", "--model", model, "--temperature", "0.6,0.8", "--out", out).code == 0
    state = read_recipe(recipe_in(out), Store())
    assert state.temperatures(2) == (0.6, 0.8) and state.temperature == 0.8


def test_a_decoded_picture_keeps_its_z(cli, model, image, tmp_path):
    latent, out = tmp_path / "z.safetensors", tmp_path / "out.png"
    assert cli("encode", image, "--model", model, "--out", latent).code == 0
    assert cli("decode", latent, "--model", model, "--out", out).code == 0
    kept = read_latent(recipe_in(out), out.read_bytes())
    z, _ = load_latent(latent)
    assert kept.name == "picture" and kept.model == model.name and kept.z.dtype == z.dtype and np.array_equal(kept.z, z)


@pytest.mark.parametrize("name", ["walk.png", "walk.gif", "walk.webp"])
def test_a_walk_restores_both_ends(cli, model, image, tmp_path, name):
    latent, out = tmp_path / "z.safetensors", tmp_path / name
    assert cli("encode", image, "--model", model, "--zoom", 2, "--out", latent).code == 0
    assert cli("interpolate", image, latent, "--model", model, "--steps", 3, "--spherical", "--out", out).code == 0
    store = Store()
    state = read_recipe(recipe_in(out), store)
    assert state.model == model.name and state.walk.mode == "spherical"
    seen = apply_crop(read_picture(image), Crop(), 16, 16, 3)
    assert np.array_equal(store.picture(state.a.picture).pixels[..., :3], seen)
    assert np.array_equal(store.latent(state.b.latent), load_latent(latent)[0])
    assert state.a.name == "picture" and not state.a.latent


def test_no_folder_and_no_file_name_of_the_person_travels(cli, model, image, tmp_path):
    latent = tmp_path / "z of my cat.safetensors"
    made = [tmp_path / name for name in ("page.png", "one.png", "walk.png")]
    assert cli("encode", image, "--model", model, "--out", latent).code == 0
    assert cli("sample", "--model", model, "--out", made[0]).code == 0
    assert cli("decode", latent, "--model", model, "--out", made[1]).code == 0
    assert cli("interpolate", image, latent, "--model", model, "--steps", 3, "--out", made[2]).code == 0
    for path in made:
        said = json.dumps(recipe_in(path))
        assert model.name in said and str(model.parent) not in said and str(tmp_path) not in said
        assert image.name not in said and "my cat" not in said
