"""Conditional models from the command line: train --conditional, --class everywhere, latents and recipes that keep it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flow_explorer.explorer.moving.recipes import read_latent, read_recipe
from flow_explorer.explorer.store import Store
from flowcore.model.card import read_card
from flowcore.model.codec import load_latent, save_latent
from flowcore.model.labels import between, single
from flowcore.pictures.images import read_picture
from flowcore.pictures.recipe import VERSION_KEY
from tests.cli.read_back import recipe_in

NAMES = ["blue", "green", "red"]


def colour(kind: int, seed: int) -> np.ndarray:
    """A 16×16 picture of one colour, blue, green or red, with a little noise."""
    pixels = np.random.default_rng(seed).integers(20, 60, (16, 16, 3))
    pixels[..., 2 - kind] += 150
    return pixels.astype(np.uint8)


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of three colours, a subfolder a colour."""
    folder = tmp_path_factory.mktemp("kinds")
    for split, seeds in (("train", range(12)), ("test", range(200, 204))):
        for kind, name in enumerate(NAMES):
            (folder / split / name).mkdir(parents=True)
            for seed in seeds:
                Image.fromarray(colour(kind, 10 * seed + kind)).save(folder / split / name / f"{seed}.png")
    return folder


@pytest.fixture(scope="session")
def trained(kinds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that the command has written, of a few steps."""
    from flow_explorer.cli import main

    run = tmp_path_factory.mktemp("conditional") / "run"
    options = ["--architecture", "glow", "--preset", "tiny", "--size", "16", "--batch", "12", "--steps", "3", "--device", "cpu"]
    assert main(["train", "--data", str(kinds), "--conditional", "--out", str(run), *options]) == 0
    return run


@pytest.fixture(scope="session")
def coloured(kinds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a tiny conditional Glow that has learned the three colours, in two levels, so that it is quick."""
    from flowcore.data.datasets import open_dataset
    from flowcore.training import TrainConfig, architecture_for, train

    data = open_dataset(kinds, "train", (16, 16), 3)
    architecture = architecture_for("glow", "tiny", data.shape, classes=3)
    run = tmp_path_factory.mktemp("coloured") / "run"
    train(TrainConfig(architecture, steps=60, batch=12, learning_rate=0.01, warm_up=6, classes=data.classes), data, run)
    return run


@pytest.fixture
def red(tmp_path: Path) -> Path:
    path = tmp_path / "red.png"
    Image.fromarray(colour(2, 7)).save(path)
    return path


@pytest.fixture
def blue(tmp_path: Path) -> Path:
    path = tmp_path / "blue.png"
    Image.fromarray(colour(0, 8)).save(path)
    return path


# -- training -------------------------------------------------------------------------------------------------------


def test_the_card_names_the_classes_and_the_sheet_has_a_row_for_each(trained):
    card = read_card(trained)
    assert card["classes"] == NAMES and card["architecture"]["classes"] == 3
    sheet = np.asarray(Image.open(sorted((trained / "samples").glob("*.png"))[-1]))
    assert sheet.shape == (3 * 16, 8 * 16, 3)


def test_the_last_level_sees_the_whole_picture(cli, kinds, trained, tmp_path):
    assert read_card(trained)["architecture"]["levels"] == 4, "16, 8, 4, 2, 1"
    common = ("train", "--data", kinds, "--preset", "tiny", "--batch", 4, "--steps", 2, "--conditional")
    ran = cli(*common, "--size", 28, "--architecture", "glow", "--out", tmp_path / "a")
    assert ran.code == 0 and "power of two, such as 16" in ran.err
    assert read_card(tmp_path / "a")["architecture"]["levels"] == 2
    ran = cli(*common, "--size", 16, "--architecture", "realnvp", "--out", tmp_path / "b")
    assert ran.code == 0 and "power of two" not in ran.err
    # Its prior has a place for everything, so that any level will do.
    ran = cli(*common, "--size", 28, "--architecture", "glow-plus", "--out", tmp_path / "c")
    assert ran.code == 0 and "power of two" not in ran.err
    assert cli("sample", "--model", tmp_path / "b", "--class", "red", "--count", 2, "--out", tmp_path / "s.png").code == 0


def test_without_conditional_nothing_changes(cli, kinds, tmp_path):
    run = tmp_path / "run"
    assert cli("train", "--data", kinds, "--size", 16, "--preset", "tiny", "--batch", 4, "--steps", 2, "--out", run).code == 0
    card = read_card(run)
    assert "classes" not in card and not card["architecture"]["classes"]


def test_names_for_the_classes_can_be_given(cli, kinds, refused, tmp_path):
    common = ("train", "--data", kinds, "--size", 16, "--preset", "tiny", "--batch", 4, "--steps", 2, "--conditional")
    assert cli(*common, "--class-names", "Sky, Grass ,Rose", "--out", tmp_path / "a").code == 0
    assert read_card(tmp_path / "a")["classes"] == ["Sky", "Grass", "Rose"]
    for names in ("Sky,Grass", "Sky,Sky,Rose", "Sky,,Rose"):
        assert "3 different names" in refused(*common, "--class-names", names, "--out", tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_what_cannot_be_conditional_is_said_in_a_sentence(refused, kinds, trained, picture_folder, tmp_path):
    out = tmp_path / "run"
    assert "subfolder a class" in refused("train", "--data", picture_folder, "--size", 16, "--conditional", "--out", out)
    assert "NICE" in refused("train", "--data", kinds, "--size", 16, "--conditional", "--architecture", "nice", "--out", out)
    assert "--class-names" in refused("train", "--data", kinds, "--size", 16, "--class-names", "a,b,c", "--out", out)
    assert "conditional on 3 classes" in refused("train", "--data", picture_folder, "--resume", "--out", trained)
    assert not out.exists()


def test_a_run_without_classes_does_not_go_on_with_them(cli, kinds, refused, tmp_path):
    common = ("train", "--data", kinds, "--size", 16, "--preset", "tiny", "--batch", 4, "--out", tmp_path / "run")
    assert cli(*common, "--steps", 2).code == 0
    assert "not conditional" in refused(*common, "--resume", "--conditional")


# -- sample ---------------------------------------------------------------------------------------------------------


def test_a_page_goes_through_all_classes_a_column_each(cli, coloured, tmp_path):
    out = tmp_path / "all.png"
    rows = cli("sample", "--model", coloured, "--count", 9, "--temperature", 0.5, "--out", out, "--json").json
    assert [row["class"] for row in rows] == NAMES * 3
    sheet = np.asarray(Image.open(out)).astype(float)
    assert sheet.shape == (48, 48, 3)
    for kind, column in enumerate(np.split(sheet, 3, 1)):
        assert column.mean((0, 1)).argmax() == 2 - kind, "each class has its own colour"
    recipe = recipe_in(out)
    assert recipe[VERSION_KEY] == 1 and read_recipe(recipe, Store()).sampled_class == -1


def test_one_class_by_name_or_number(cli, coloured, tmp_path):
    out = tmp_path / "red.png"
    rows = cli("sample", "--model", coloured, "--class", "Red", "--count", 4, "--temperature", 0.5, "--out", out, "--json").json
    assert [row["class"] for row in rows] == ["red"] * 4
    sheet = np.asarray(Image.open(out))
    assert sheet.shape == (32, 32, 3) and sheet.mean((0, 1)).argmax() == 0
    again = tmp_path / "again.png"
    assert cli("sample", "--model", coloured, "--class", 2, "--count", 4, "--temperature", 0.5, "--out", again).code == 0
    assert np.array_equal(sheet, np.asarray(Image.open(again)))
    recipe = recipe_in(out)
    assert recipe[VERSION_KEY] == 2 and read_recipe(recipe, Store()).sampled_class == 2


def test_a_class_that_is_none_is_said_in_a_sentence(refused, coloured, model, image, tmp_path):
    out = tmp_path / "x.png"
    for text in ("pink", "3", "-1"):
        assert "blue, green, red" in refused("sample", "--model", coloured, f"--class={text}", "--out", out)
    latent = tmp_path / "x.safetensors"
    for command in (("sample", "--out", out), ("encode", image, "--out", latent), ("score", image)):
        assert "knows no classes" in refused(*command, "--model", model, "--class", "red")
    assert not out.exists() and not latent.exists()


# -- encode and decode ----------------------------------------------------------------------------------------------


def test_a_picture_is_encoded_under_its_likeliest_class_and_decoded_without_a_word(cli, coloured, red, tmp_path):
    latent, back = tmp_path / "z.safetensors", tmp_path / "back.png"
    ran = cli("encode", red, "--model", coloured, "--out", latent)
    assert ran.code == 0 and "of the class red, under which it is likeliest" in ran.err
    assert load_latent(latent)[1]["label"] == 2
    assert cli("decode", latent, "--model", coloured, "--out", back).code == 0
    assert np.array_equal(np.asarray(Image.open(back)), np.asarray(Image.open(red)))
    kept = read_latent(recipe_in(back), back.read_bytes())
    assert kept.label == single(2) and recipe_in(back)[VERSION_KEY] == 2


def test_another_class_gives_every_byte_back_too_and_another_z(cli, coloured, red, tmp_path):
    paths = {name: tmp_path / f"{name}.safetensors" for name in NAMES}
    bits = {}
    for name, latent in paths.items():
        row = cli("encode", red, "--model", coloured, "--class", name, "--out", latent, "--json").json[0]
        assert (row["class"], row["differing_bytes"]) == (name, 0)
        bits[name] = row["bpd"]
        back = tmp_path / f"{name}.png"
        assert cli("decode", latent, "--model", coloured, "--out", back).code == 0
        assert np.array_equal(np.asarray(Image.open(back)), np.asarray(Image.open(red)))
    assert min(bits, key=lambda name: bits[name]) == "red"
    assert not np.array_equal(load_latent(paths["red"])[0], load_latent(paths["blue"])[0])
    # The z of a red picture, taken for a blue one's, is another picture.
    assert cli("decode", paths["red"], "--model", coloured, "--class", "blue", "--out", tmp_path / "other.png").code == 0
    other = np.asarray(Image.open(tmp_path / "other.png")).astype(float)
    assert other[..., 2].mean() > np.asarray(Image.open(red))[..., 2].mean() + 10


def test_a_latent_that_names_no_class_needs_one(cli, refused, coloured, red, tmp_path):
    latent, bare = tmp_path / "z.safetensors", tmp_path / "bare.safetensors"
    assert cli("encode", red, "--model", coloured, "--out", latent).code == 0
    z, meta = load_latent(latent)
    save_latent(bare, z, {name: value for name, value in meta.items() if name not in ("label", "class")})
    out = tmp_path / "out.png"
    assert "give --class" in refused("decode", bare, "--model", coloured, "--out", out)
    assert cli("decode", bare, "--model", coloured, "--class", "red", "--out", out).code == 0
    assert np.array_equal(np.asarray(Image.open(out)), np.asarray(Image.open(red)))
    save_latent(bare, z, {**meta, "label": "red; import os"})
    assert "names no class" in refused("decode", bare, "--model", coloured, "--out", out)


def test_a_latent_between_classes_is_decoded_there(cli, coloured, tmp_path):
    latent, out = tmp_path / "z.safetensors", tmp_path / "out.png"
    save_latent(latent, np.zeros(768, np.float32), {"label": [[0, 0.5], [2, 0.5]]})
    row = cli("decode", latent, "--model", coloured, "--out", out, "--json").json[0]
    assert row["class"] == "blue 50 %, red 50 %"
    assert read_latent(recipe_in(out), out.read_bytes()).label == between(single(0), single(2), 0.5)


# -- walks, scores, evaluation --------------------------------------------------------------------------------------


@pytest.mark.parametrize("spherical", [False, True])
def test_a_walk_from_class_to_class_ends_in_both_pictures(cli, coloured, red, blue, tmp_path, spherical):
    out = tmp_path / "walk.png"
    mode = ["--spherical"] if spherical else []
    rows = cli("interpolate", blue, red, "--model", coloured, "--steps", 5, *mode, "--out", out, "--json").json
    assert [row["class"] for row in rows] == [
        "blue", "blue 75 %, red 25 %", "blue 50 %, red 50 %", "red 75 %, blue 25 %", "red",
    ]  # fmt: skip
    strip = np.asarray(Image.open(out))
    assert np.array_equal(strip[:, :16], np.asarray(Image.open(blue)))
    assert np.array_equal(strip[:, -16:], np.asarray(Image.open(red)))


def test_a_walk_keeps_the_classes_of_its_latents_and_takes_those_that_are_given(cli, refused, coloured, red, blue, tmp_path):
    latent, out = tmp_path / "z.safetensors", tmp_path / "walk.png"
    assert cli("encode", red, "--model", coloured, "--class", "green", "--out", latent).code == 0
    common = ("--model", coloured, "--steps", 2, "--out", out, "--json")
    rows = cli("interpolate", latent, blue, *common).json
    assert [row["class"] for row in rows] == ["green", "blue"]
    store = Store()
    state = read_recipe(recipe_in(out), store)
    assert state.a.label == single(1) and state.a.latent and state.b.label == ()
    rows = cli("interpolate", red, blue, "--class", "red", "--class", "green", *common).json
    assert [row["class"] for row in rows] == ["red", "green"]
    assert np.array_equal(np.asarray(Image.open(out))[:, -16:], np.asarray(Image.open(blue)))
    assert read_recipe(recipe_in(out), Store()).b.label == single(1)
    rows = cli("interpolate", red, blue, "--class", "blue", *common).json
    assert [row["class"] for row in rows] == ["blue", "blue"]
    assert "3 times" in refused("interpolate", red, blue, *["--class", "red"] * 3, *common)


def test_scores_say_the_class(cli, coloured, red, blue):
    rows = cli("score", red, blue, "--model", coloured, "--json").json
    assert [row["class"] for row in rows] == ["red", "blue"]
    other = cli("score", red, "--model", coloured, "--class", "green", "--json").json[0]
    assert other["class"] == "green" and other["bpd"] > rows[0]["bpd"] and other["roundtrip_error"] == 0
    table = cli("score", red, "--model", coloured).out.splitlines()
    assert "class" in table[0] and "red" in table[1]


def test_evaluation_goes_by_the_names_of_the_classes(cli, refused, coloured, kinds, tmp_path):
    found = cli("evaluate", "--model", coloured, "--data", kinds, "--json").json
    assert found["count"] == 12 and np.isfinite(found["bpd"])
    # The same pictures as arrays, their classes in another order: by name they are the same.
    names = sorted(NAMES, reverse=True)
    files = sorted((kinds / "test").rglob("*.png"))
    pictures = np.stack([read_picture(file).pixels[..., :3] for file in files])
    labels = np.array([names.index(file.parent.name) for file in files])
    for classes, same in ((names, True), (["0", "1", "2"], False)):
        data = tmp_path / f"{classes[0]}.npz"
        np.savez(data, x_test=pictures, y_test=labels, classes=np.array(classes))
        bpd = cli("evaluate", "--model", coloured, "--data", data, "--json").json["bpd"]
        assert (bpd == pytest.approx(found["bpd"], abs=0.02)) == same
    np.savez(tmp_path / "strange.npz", x_test=pictures, y_test=labels, classes=np.array(["blue", "pink", "red"]))
    assert "pink" in refused("evaluate", "--model", coloured, "--data", tmp_path / "strange.npz")
    np.savez(tmp_path / "bare.npz", x_test=pictures)
    assert "no classes" in refused("evaluate", "--model", coloured, "--data", tmp_path / "bare.npz")


def test_a_recipe_of_a_conditional_page_is_json_like_any_other(cli, coloured, tmp_path):
    out = tmp_path / "red.png"
    assert cli("sample", "--model", coloured, "--class", "red", "--count", 1, "--out", out).code == 0
    assert json.loads(json.dumps(recipe_in(out)))["sampled_class"] == 2
