"""z files and a direction as they were written at 853f5d9: their weights are here, others have their name, or none has."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flow_explorer import assets
from flow_explorer.explorer.moving.recipes import read_latent
from flow_explorer.shipped import SHIPPED, weights_of, weights_of_file
from flowcore.model.checkpoint import update_card
from flowcore.model.codec import load_latent, save_latent
from flowcore.model.weights import fingerprint
from tests.cli.read_back import recipe_in

WRITTEN = Path(__file__).resolve().parents[1] / "fixtures" / "853f5d9"
MODELS = assets.root() / "models"


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A copy's bundled models: none yet. `put(name, which)` bundles the model of the fixtures' folder under that name."""
    folder = tmp_path / "assets"
    (folder / "models").mkdir(parents=True)
    monkeypatch.setattr(assets, "root", lambda: folder)

    def put(name: str, which: str = "glow-classes-half") -> Path:
        path = folder / "models" / f"{name}.safetensors"
        shutil.copy(WRITTEN / "models" / f"{which}.safetensors", path)
        update_card(path, name=name)
        return path

    return put


@pytest.mark.parametrize("name", ["faces", "mnist", "fashion"])
def test_a_z_file_gives_the_picture_that_it_gave(name, cli, tmp_path):
    z, out = WRITTEN / f"z-{name}.safetensors", tmp_path / "out.png"
    meta = load_latent(z)[1]
    assert meta["fingerprint"] in SHIPPED[name].files and "weights" not in meta
    ran = cli("decode", z, "--model", name, "--out", out)
    if fingerprint(assets.resolve_model(name)) != weights_of(name):  # trained again since
        assert ran.code == 2 and f"a z of other weights of '{name}'" in ran.err
        return
    assert ran.code == 0
    picture = np.asarray(Image.open(out))
    assert np.array_equal(picture, np.asarray(Image.open(WRITTEN / f"decoded-{name}.png")))
    kept = read_latent(recipe_in(out), out.read_bytes())
    assert (kept.model, kept.weights) == (name, weights_of(name)) and np.array_equal(kept.z, load_latent(z)[0])


def test_the_same_weights_are_known_in_a_file_whose_card_was_reworded(cli, tmp_path):
    name = next(name for name in SHIPPED if (MODELS / f"{name}.safetensors").exists()
                and fingerprint(MODELS / f"{name}.safetensors") == weights_of(name))  # fmt: skip
    path, z, out = tmp_path / "a.safetensors", tmp_path / "z.safetensors", tmp_path / "out.png"
    shutil.copy(MODELS / f"{name}.safetensors", path)
    update_card(path, title="Another title", name="another")
    size = int(np.prod([*recipe_size(path)]))
    save_latent(z, np.zeros(size, np.float32), {"model": name, "fingerprint": SHIPPED[name].files[0], "label": 0})
    assert cli("decode", z, "--model", path, "--out", out).code == 0
    save_latent(z, np.zeros(size, np.float32), {"model": name, "label": 0})
    assert cli("decode", z, "--model", path, "--out", out).code == 0


def recipe_size(path: Path) -> tuple[int, ...]:
    from flowcore.model.card import read_card

    card = read_card(path)
    return (*card["size"], card["channels"])


def test_a_z_of_weights_that_are_no_longer_here_is_refused(cli, refused, models, tmp_path):
    models("mnist")
    models("fashion", "glow-plain")
    out = tmp_path / "out.png"
    for verb in (["decode"], ["interpolate", WRITTEN / "z-mnist.safetensors"]):
        sentence = refused(*verb, WRITTEN / "z-mnist.safetensors", "--model", "mnist", "--out", out)
        assert "is a z of other weights of 'mnist' than those here" in sentence and "encode its picture again" in sentence
    # Of as many numbers as the model takes, and so once decoded to whatever it came to.
    z, meta = load_latent(WRITTEN / "z-mnist.safetensors")
    for known in (meta, {"model": "mnist"}, {**meta, "weights": "0" * 16}):
        save_latent(tmp_path / "small.safetensors", z[:64], known)
        assert "other weights of 'mnist'" in refused("decode", tmp_path / "small.safetensors", "--model", "mnist", "--out", out)
    assert not out.exists()
    # One that does not say whose it is stays its owner's to know; of one that names a file that was never bundled, which may
    # have changed in its card alone, it is said.
    for known, is_said in (({"label": 0}, False), ({"label": 0, "model": "mnist", "fingerprint": "0" * 16}, True)):
        save_latent(tmp_path / "small.safetensors", z[:64], known)
        ran = cli("decode", tmp_path / "small.safetensors", "--model", "mnist", "--out", out)
        assert ran.code == 0 and ("the picture may be another" in ran.err) is is_said


def test_a_z_of_a_model_that_is_no_longer_bundled_is_refused(refused, models, tmp_path):
    models("fashion")
    out = tmp_path / "out.png"
    sentence = refused("decode", WRITTEN / "z-mnist.safetensors", "--model", "mnist", "--out", out)
    assert "'mnist' is no longer part of Flow Explorer" in sentence and "fashion" in sentence
    sentence = refused("decode", WRITTEN / "z-mnist.safetensors", "--model", "fashion", "--out", out)
    assert "a z of 'mnist', which is no longer bundled" in sentence
    sentence = refused("direction", "apply", WRITTEN / "decoded-faces.png", "--direction", WRITTEN / "smile-faces.safetensors",
                       "--amount", 1, "--out", tmp_path / "moved")  # fmt: skip
    assert "(faces) is not a bundled one" in sentence


def test_a_z_says_its_weights_and_outlives_a_card(cli, models, tmp_path):
    path, picture = models("mnist"), tmp_path / "in.png"
    z, out = tmp_path / "z.safetensors", tmp_path / "out.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)).save(picture)
    assert cli("encode", picture, "--model", "mnist", "--out", z, "--class", "kind 1").code == 0
    assert load_latent(z)[1]["weights"] == fingerprint(path) != weights_of("mnist")
    update_card(path, title="Digits, trained again")
    assert cli("decode", z, "--model", "mnist", "--out", out).code == 0
    assert np.array_equal(np.asarray(Image.open(out)), np.asarray(Image.open(picture)))
    assert recipe_in(out)["weights"] == recipe_in(out)["latent"]["weights"] == fingerprint(path)
    assert cli("sample", "--model", "mnist", "--count", 2, "--out", out).code == 0
    assert recipe_in(out)["weights"] == fingerprint(path)
    assert cli("interpolate", z, picture, "--model", "mnist", "--steps", 2, "--class", "kind 1", "--out", out).code == 0
    found = recipe_in(out)
    assert found["weights"] == found["explorer"]["a"]["latent_weights"] == fingerprint(path)


def test_a_direction_of_other_weights_is_refused(cli, refused, models, tmp_path):
    models("faces", "glow-plus")
    smile = WRITTEN / "smile-faces.safetensors"
    sentence = refused("direction", "apply", WRITTEN / "decoded-faces.png", "--direction", smile, "--amount", 1,
                       "--out", tmp_path / "moved")  # fmt: skip
    assert "a direction of another model (faces, or a version of it with other weights)" in sentence
    assert not list(tmp_path.glob("moved/*"))
    assert cli("direction", "show", smile, "--model", "faces", "--json").json["fits"] is False


def test_the_written_direction_fits_the_faces_that_it_is_of(cli):
    told = cli("direction", "show", WRITTEN / "smile-faces.safetensors", "--model", "faces", "--json").json
    same = fingerprint(assets.resolve_model("faces")) == weights_of("faces")
    assert told["name"] == "Smile of 853f5d9" and told["fits"] is same


def test_the_table_tells_every_file_of_its_models_and_no_other():
    assert all(weights_of_file(digest) == known.weights for known in SHIPPED.values() for digest in known.files)
    assert weights_of_file("0" * 16) == weights_of("blobs") == ""
    assert len({known.weights for known in SHIPPED.values()}) == len(SHIPPED)
