"""sample, encode, decode, interpolate and score, from the command line to the files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import read_picture


def as_seen(path: Path, **crop: Any) -> np.ndarray:
    return apply_crop(read_picture(path), Crop(**crop), 16, 16, 3)


def test_sample_writes_a_grid_that_the_seed_alone_decides(cli, model, tmp_path):
    def grid(name: str, *more: object) -> np.ndarray:
        out = tmp_path / name
        ran = cli("sample", "--model", model, "--count", 6, "--out", out, *more)
        assert ran.code == 0, ran.err
        return np.asarray(Image.open(out))

    first = grid("a.png", "--seed", 3, "--temperature", 0.7)
    assert first.shape == (32, 48, 3)
    assert np.array_equal(first, grid("b.png", "--seed", 3, "--temperature", 0.7))
    assert not np.array_equal(first, grid("c.png", "--seed", 4, "--temperature", 0.7))
    assert not np.array_equal(first, grid("d.png", "--seed", 3, "--temperature", 1.0))
    # The default temperature is the card's.
    assert np.array_equal(first, grid("e.png", "--seed", 3))
    # One temperature a level.
    assert np.array_equal(first, grid("f.png", "--seed", 3, "--temperature", "0.7,0.7"))
    large = grid("g.png", "--seed", 3, "--enlarge", 2, "--columns", 6)
    assert large.shape == (32, 192, 3)
    assert np.array_equal(large[::2, ::2][:, :48], first[:16])


def test_sample_json_is_a_row_a_picture(cli, model, tmp_path):
    rows = cli("sample", "--model", model, "--count", 3, "--out", tmp_path / "a.png", "--json").json
    assert [row["index"] for row in rows] == [0, 1, 2]
    for row in rows:
        assert 0 < row["bpd"] < 20
        assert 0 <= row["likelier_than"] <= 100 and 0 <= row["typicality"] <= 100


def test_temperature_zero_gives_the_same_picture_throughout(cli, model, tmp_path):
    out = tmp_path / "zero.png"
    assert cli("sample", "--model", model, "--count", 2, "--temperature", 0, "--out", out).code == 0
    pixels = np.asarray(Image.open(out))
    assert np.array_equal(pixels[:, :16], pixels[:, 16:])


def test_encode_decode_in_a_fresh_process_gives_every_byte_back(cli, model, image, tmp_path):
    latent, back = tmp_path / "z.safetensors", tmp_path / "back.png"
    row = cli("encode", image, "--model", model, "--out", latent, "--json").json[0]
    assert row["numbers"] == 16 * 16 * 3 and row["differing_bytes"] == 0
    z = load_file(latent)
    assert list(z) == ["z"] and z["z"].size == 16 * 16 * 3
    decode = [sys.executable, "-m", "flow_explorer", "decode", latent, "--model", model, "--out", back]
    subprocess.run([str(part) for part in decode], check=True, timeout=120)
    assert np.array_equal(np.asarray(Image.open(back)), as_seen(image))


@pytest.mark.parametrize("kind", ["noise", "black", "white", "stripes", "checkerboard", "salt"])
def test_ugly_pictures_come_back_byte_for_byte(cli, model, tmp_path, kind):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:16, 0:16]
    pixels = {
        "noise": rng.integers(0, 256, (16, 16, 3)),
        "black": np.zeros((16, 16, 3)),
        "white": np.full((16, 16, 3), 255),
        "stripes": np.repeat((x % 2 * 255)[..., None], 3, 2),
        "checkerboard": np.repeat(((x + y) % 2 * 255)[..., None], 3, 2),
        "salt": np.where(rng.random((16, 16, 1)) < 0.1, 255, np.zeros((16, 16, 3))),
    }[kind].astype(np.uint8)
    source, latent, back = tmp_path / "in.png", tmp_path / "z.safetensors", tmp_path / "out.png"
    Image.fromarray(pixels).save(source)
    assert cli("encode", source, "--model", model, "--out", latent).code == 0
    assert load_file(latent)["z"].size == pixels.size
    assert cli("decode", latent, "--model", model, "--out", back).code == 0
    assert np.array_equal(np.asarray(Image.open(back)), pixels)


def test_a_changed_number_changes_the_picture(cli, model, image, tmp_path):
    from flowcore.model.codec import load_latent, save_latent

    latent, changed, back = tmp_path / "z.safetensors", tmp_path / "y.safetensors", tmp_path / "out.png"
    assert cli("encode", image, "--model", model, "--out", latent).code == 0
    z, meta = load_latent(latent)
    z = z.copy()
    z[100] += 3
    save_latent(changed, z, meta)
    assert cli("decode", changed, "--model", model, "--out", back).code == 0
    assert not np.array_equal(np.asarray(Image.open(back)), as_seen(image))


def test_a_latent_is_decoded_by_its_own_weights_alone_whatever_their_name(cli, refused, model, image, tmp_path):
    import torch

    from flowcore.model import checkpoint

    latent, other, out = tmp_path / "z.safetensors", tmp_path / "other.safetensors", tmp_path / "out.png"
    loaded = checkpoint.load(model)
    checkpoint.save(other, loaded.flow, {**loaded.card, "name": "other"})
    assert cli("encode", image, "--model", other, "--out", latent).code == 0
    assert cli("decode", latent, "--model", model, "--out", out).code == 0
    assert np.array_equal(np.asarray(Image.open(out)), as_seen(image))
    out.unlink()
    with torch.no_grad():
        next(loaded.flow.parameters()).add_(0.01)
    checkpoint.save(other, loaded.flow, {**loaded.card, "name": "other"})
    assert "a z of other weights of 'other'" in refused("decode", latent, "--model", other, "--out", out)
    assert cli("encode", image, "--model", model, "--out", latent).code == 0
    assert "a z of 'blobs', and means nothing to 'other'" in refused("decode", latent, "--model", other, "--out", out)
    assert "a z of 'blobs'" in refused("interpolate", latent, image, "--model", other, "--out", out)
    assert not out.exists()


def test_the_crop_options_reach_the_picture(cli, model, image, tmp_path):
    latent, back = tmp_path / "z.safetensors", tmp_path / "out.png"
    crop = ["--zoom", 2, "--center", 0.3, 0.6, "--angle", 15]
    assert cli("encode", image, "--model", model, "--out", latent, *crop).code == 0
    assert cli("decode", latent, "--model", model, "--out", back).code == 0
    seen = as_seen(image, zoom=2, center_x=0.3, center_y=0.6, angle=15)
    assert np.array_equal(np.asarray(Image.open(back)), seen)
    assert not np.array_equal(seen, as_seen(image))


def test_the_paths_are_those_of_the_library():
    from flow_explorer.cli.interpolate import PATHS
    from flowcore.latents.latent import MODES

    assert PATHS == MODES


@pytest.mark.parametrize("options", [(), ("--spherical",), ("--path", "norm-kept")])
def test_interpolate_ends_on_the_two_pictures_byte_for_byte(cli, model, image, tmp_path, options):
    other, out = tmp_path / "other.png", tmp_path / "strip.png"
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(other)  # black needs float64
    ran = cli("interpolate", image, other, "--model", model, "--steps", 5, *options, "--out", out, "--json")
    assert ran.code == 0, ran.err
    assert [row["t"] for row in ran.json] == [0, 0.25, 0.5, 0.75, 1]
    strip = np.asarray(Image.open(out))
    assert strip.shape == (16, 5 * 16, 3)
    assert np.array_equal(strip[:, :16], as_seen(image))
    assert np.array_equal(strip[:, -16:], as_seen(other))
    assert not np.array_equal(strip[:, 32:48], strip[:, :16])


def test_interpolate_writes_a_gif_there_and_back_and_takes_latents(cli, model, image, tmp_path):
    latent, out = tmp_path / "z.safetensors", tmp_path / "walk.gif"
    other = tmp_path / "other.png"
    Image.fromarray(np.full((20, 20, 3), 130, np.uint8)).save(other)
    assert cli("encode", image, "--model", model, "--out", latent).code == 0
    ran = cli("interpolate", latent, other, "--model", model, "--steps", 4, "--enlarge", 2, "--out", out)
    assert ran.code == 0, ran.err
    with Image.open(out) as animation:
        assert getattr(animation, "n_frames", 1) == 6 and animation.size == (32, 32)


def test_score_gives_a_row_a_picture_in_the_order_given(cli, model, image, tmp_path):
    black = tmp_path / "black.png"
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(black)
    rows = cli("score", black, image, black, "--model", model, "--json").json
    assert [row["file"] for row in rows] == [str(black), str(image), str(black)]
    assert set(rows[0]) == {"file", "bpd", "roundtrip_error", "likelier_than", "typicality"}
    assert all(row["roundtrip_error"] == 0 for row in rows)
    assert rows[0]["bpd"] == pytest.approx(rows[2]["bpd"]) and rows[0]["bpd"] != pytest.approx(rows[1]["bpd"])
    table = cli("score", black, image, "--model", model).out.splitlines()
    assert len(table) == 3 and str(black) in table[1] and str(image) in table[2]


def test_a_foreign_safetensors_file_is_no_latent(refused, model, tmp_path):
    foreign = tmp_path / "weights.safetensors"
    save_file({"z": np.zeros(768, np.float32)}, foreign)
    assert str(foreign) in refused("decode", foreign, "--model", model, "--out", tmp_path / "out.png")
