"""interpolate --out walk.webp and walk.mp4, and --eyes wherever pictures are read."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from flow_explorer.cli.interpolate import FORMATS
from flowcore.errors import CheckpointError
from flowcore.model.checkpoint import load, update_card
from flowcore.pictures.animation import FORMATS as LIBRARY_FORMATS
from flowcore.pictures.animation import has_video
from flowcore.pictures.crop import apply_crop, crop_for_eyes
from flowcore.pictures.images import read_picture

EYES = ((0.37, 0.515), (0.63, 0.515))


@pytest.fixture(scope="module")
def faces(model, tmp_path_factory):
    """The small model with a card that says where eyes are."""
    path = tmp_path_factory.mktemp("faces") / "faces.safetensors"
    path.write_bytes(model.read_bytes())
    update_card(path, eyes=[list(eye) for eye in EYES])
    return path


def test_a_changed_card_leaves_every_weight_and_the_rest_of_the_card(model, faces):
    before, after = load(model), load(faces)
    assert after.card == {**before.card, "eyes": [list(eye) for eye in EYES]}
    for name, tensor in before.flow.state_dict().items():
        assert tensor.equal(after.flow.state_dict()[name])
    with pytest.raises(CheckpointError, match="belong to the weights"):
        update_card(faces, architecture={})


def test_the_formats_are_those_of_the_library():
    assert FORMATS == LIBRARY_FORMATS


def test_a_webp_goes_there_and_back_without_loss_at_the_pace_asked_for(cli, model, image, tmp_path):
    out, strip = tmp_path / "walk.webp", tmp_path / "walk.png"
    other = tmp_path / "other.png"
    Image.fromarray(np.full((20, 20, 3), 130, np.uint8)).save(other)
    common = ["interpolate", image, other, "--model", model, "--steps", 4, "--out"]
    assert cli(*common, out, "--fps", 8).code == 0 and cli(*common, strip).code == 0
    expected = np.split(np.asarray(Image.open(strip)), 4, axis=1)
    with Image.open(out) as animation:
        assert getattr(animation, "n_frames", 1) == 6
        for index in range(6):
            animation.seek(index)
            animation.load()
            assert animation.info["duration"] == 125
            np.testing.assert_array_equal(np.asarray(animation.convert("RGB")), (expected + expected[-2:0:-1])[index])


def test_fps_and_seconds_are_one_or_the_other(refused, model, image, tmp_path):
    assert "not allowed" in refused("interpolate", image, image, "--model", model, "--seconds", 1, "--fps", 9,
                                    "--out", tmp_path / "x.gif")  # fmt: skip


def test_an_mp4_without_pyav_says_what_to_install_and_writes_nothing(refused, model, image, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not installed
    out = tmp_path / "walk.mp4"
    assert "pip install 'flow-explorer[video]'" in refused("interpolate", image, image, "--model", model, "--out", out)
    assert not out.exists()


@pytest.mark.skipif(not has_video(), reason="PyAV is not installed: pip install 'flow-explorer[video]'")
def test_an_mp4_is_written(cli, model, image, tmp_path):
    out = tmp_path / "walk.mp4"
    assert cli("interpolate", image, image, "--model", model, "--steps", 4, "--enlarge", 4, "--out", out).code == 0
    assert out.read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize("marked", ["10,14,22,12", "22,12,10,14", "0.25,0.4666666666666667,0.55,0.4"])
def test_eyes_align_the_picture_in_pixels_or_parts_and_in_any_order(cli, faces, image, tmp_path, marked):
    latent, back = tmp_path / "z.safetensors", tmp_path / "back.png"
    assert cli("encode", image, "--model", faces, "--eyes", marked, "--out", latent).code == 0
    assert cli("decode", latent, "--model", faces, "--out", back).code == 0
    picture = read_picture(image)
    crop = crop_for_eyes((10, 14), (22, 12), EYES, (40, 30), (16, 16))
    np.testing.assert_array_equal(np.asarray(Image.open(back)), apply_crop(picture, crop, 16, 16, 3))


def test_eyes_of_each_end_of_a_walk(cli, faces, image, tmp_path):
    out = tmp_path / "walk.png"
    ran = cli("interpolate", image, image, "--model", faces, "--steps", 2, "--eyes", "10,14,22,12", "--eyes", "15,10,25,10",
              "--out", out)  # fmt: skip
    assert ran.code == 0, ran.err
    picture, strip = read_picture(image), np.asarray(Image.open(out))
    for index, eyes in enumerate([((10, 14), (22, 12)), ((15, 10), (25, 10))]):
        crop = crop_for_eyes(*eyes, EYES, (40, 30), (16, 16))
        np.testing.assert_array_equal(strip[:, 16 * index : 16 * index + 16], apply_crop(picture, crop, 16, 16, 3))


def test_eyes_that_cannot_be_used_are_answered_with_a_sentence(refused, model, faces, image, tmp_path):
    out = ["--out", tmp_path / "z.safetensors"]
    assert "no model of faces" in refused("encode", image, "--model", model, "--eyes", "1,2,3,4", *out)
    assert "two different points" in refused("encode", image, "--model", faces, "--eyes", "5,5,5,5", *out)
    assert "leave --center" in refused("encode", image, "--model", faces, "--eyes", "1,2,3,4", "--zoom", 2, *out)
    assert "2 times for 1" in refused("encode", image, "--model", faces, *["--eyes", "1,2,3,4"] * 2, *out)
    assert "X1,Y1,X2,Y2" in refused("score", image, "--model", faces, "--eyes", "1,2,3")
