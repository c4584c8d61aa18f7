"""The bundled models, by name, from the command line."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from flow_explorer import assets
from flowcore.model.card import read_card
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import read_picture

NAMES = assets.model_names()


def test_avatars_come_first_and_each_says_whose_its_data_is(cli):
    rows = cli("models", "--json").json
    assert [row["name"] for row in rows] == NAMES
    assert NAMES[:2] == ["avatars", "faces"] and "fashion" in NAMES
    for row in rows:
        assert row["system"] in ("glow-plus", "glow", "realnvp", "nice") and len(row["size"]) == 2 and row["channels"] in (1, 3)
        assert row["licence"] and row["data"] and 0 < row["bpd"] < 8
    faces = next(row for row in rows if row["name"] == "faces")
    assert "non-commercial" in faces["licence"].lower()
    assert rows[0]["licence"] == "CC BY 4.0"
    assert sum(assets.resolve_model(name).stat().st_size for name in NAMES) <= 40 * 2**20


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_model_is_small_and_states_what_it_must(name):
    path = assets.resolve_model(name)
    assert path.stat().st_size <= 12 * 2**20
    card = read_card(path)
    assert card["name"] == name and card["held_out"]["count"] >= 400
    assert card["bpd_split"] == "test" and card["bpd_standard_error"] > 0
    quantiles = card["held_out"]["bpd_quantiles"]
    assert len(quantiles) == 201 and quantiles == sorted(quantiles)
    # Nothing of the machine that it was made on.
    assert "/home/" not in str(card) and "/root" not in str(card) and "/tmp" not in str(card) and "/work" not in str(card)


@pytest.mark.parametrize("name", NAMES)
def test_the_cached_first_page_is_what_sample_draws(cli, tmp_path, name):
    out = tmp_path / "page.png"
    card = read_card(assets.resolve_model(name))
    assert cli("sample", "--model", name, "--seed", card["default_seed"], "--out", out, "--device", "cpu").code == 0
    live = np.asarray(Image.open(out)).astype(int)
    cached = np.asarray(Image.open(assets.resolve_model(name).with_suffix(".png"))).astype(int)
    assert live.shape[:2] == cached.shape[:2]
    # Another processor may round a value on the edge between two levels the other way.
    assert np.abs(live - cached).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_an_example_comes_back_byte_for_byte_in_a_fresh_process(cli, tmp_path, name):
    card = read_card(assets.resolve_model(name))
    (height, width), channels = card["size"], card["channels"]
    source = assets.examples()[0]
    latent, back = tmp_path / "z.safetensors", tmp_path / "back.png"
    assert cli("encode", source, "--model", name, "--out", latent, "--device", "cpu").code == 0
    assert load_file(latent)["z"].shape == (height * width * channels,)
    decode = [sys.executable, "-m", "flow_explorer", "decode", latent, "--model", name, "--out", back, "--device", "cpu"]
    subprocess.run([str(part) for part in decode], check=True, timeout=120)
    seen = apply_crop(read_picture(source), Crop(), height, width, channels)
    decoded = np.asarray(Image.open(back)).reshape(seen.shape)
    assert np.array_equal(decoded, seen)
    assert cli("score", source, "--model", name, "--json", "--device", "cpu").json[0]["roundtrip_error"] == 0
