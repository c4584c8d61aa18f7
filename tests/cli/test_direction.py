"""direction make, show and apply: labels, two folders, principal axes, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def picture(bright: bool, seed: int) -> np.ndarray:
    """A 16×16 picture, dark or bright, with a square in it somewhere."""
    rng = np.random.default_rng([bright, seed])
    pixels = rng.integers(20, 50, (16, 16, 3)) + 120 * bright
    row, column = rng.integers(0, 10, 2)
    pixels[row : row + 6, column : column + 6] = 120
    return pixels.astype(np.uint8)


@pytest.fixture(scope="module")
def piles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders, and a third with the pictures of both and a table of which is bright."""
    root = tmp_path_factory.mktemp("piles")
    for name in ("dark", "bright", "both"):
        (root / name).mkdir()
    rows = []
    for seed in range(40):
        for bright in (False, True):
            name = f"{'bright' if bright else 'dark'}-{seed}.png"
            Image.fromarray(picture(bright, seed)).save(root / name.partition("-")[0] / name)
            Image.fromarray(picture(bright, seed)).save(root / "both" / name)
            rows.append([name, 1 if bright else -1, 1 if seed % 2 else -1])
    with open(root / "table.csv", "w", newline="") as file:
        csv.writer(file).writerows([["file", "Bright", "Odd"], *rows])
    return root


@pytest.fixture
def bright(cli, model, piles, tmp_path) -> Path:
    """A direction of the two folders."""
    path = tmp_path / "bright.safetensors"
    ran = cli("direction", "make", "--model", model, "--more", piles / "bright", "--less", piles / "dark", "--out", path,
              "--device", "cpu")  # fmt: skip
    assert ran.code == 0, ran.err
    assert "tells 100 % of held-out pairs apart" in ran.err
    return path


def test_an_attribute_becomes_a_direction_with_its_held_out_quality(cli, model, piles, tmp_path):
    figures = {}
    for name in ("Bright", "odd"):
        ran = cli("direction", "make", "--model", model, "--attribute", name, "--data", piles / "both", "--attributes",
                  piles / "table.csv", "--out", tmp_path / f"{name}.safetensors", "--device", "cpu", "--json")  # fmt: skip
        assert ran.code == 0, ran.err
        figures[name] = ran.json
    found = figures["Bright"]
    assert found["quality"]["how"] == "held out" and found["quality"]["score"] > 0.95
    assert found["quality"]["more"] + found["quality"]["less"] == 16 and found["made"]["more"] + found["made"]["less"] == 64
    assert figures["odd"]["quality"]["low"] < 0.5  # what the pictures do not show, no direction finds
    assert (found["levels"], found["dims"], found["model"], found["name"]) == ([1, 2], 768, "blobs", "Bright")
    assert (tmp_path / "Bright.safetensors").stat().st_size < 10_000


def test_a_class_of_the_data_is_an_attribute_too(cli, model, piles, tmp_path):
    for name in ("bright", "dark"):
        (tmp_path / "classes" / name).mkdir(parents=True)
        for path in sorted((piles / name).glob("*.png"))[:20]:
            (tmp_path / "classes" / name / path.name).write_bytes(path.read_bytes())
    ran = cli("direction", "make", "--model", model, "--attribute", "bright", "--data", tmp_path / "classes", "--out",
              tmp_path / "b.safetensors", "--device", "cpu", "--json")  # fmt: skip
    assert ran.code == 0 and ran.json["quality"]["score"] > 0.9, ran.err


def test_show_says_what_a_file_holds_and_whether_it_fits(cli, bright, model):
    ran = cli("direction", "show", bright, "--json", "--model", model)
    assert ran.json["name"] == "bright" and ran.json["fits"] is True and ran.json["made"]["by"] == "folders"
    assert cli("direction", "show", bright, "--json", "--model", "mnist").json["fits"] is False
    ran = cli("direction", "show", bright)
    assert ran.code == 0 and "bright, a direction of blobs, levels 1, 2" in ran.out and "held-out pairs" in ran.out


def test_apply_moves_pictures_both_ways_and_by_nothing_not_at_all(cli, bright, model, piles, tmp_path):
    given = sorted((piles / "dark").glob("*.png"))[:2]
    means = {}
    for amount in (-1.0, 0.0, 1.5):
        ran = cli("direction", "apply", *given, "--direction", bright, "--amount", amount, "--model", model, "--out",
                  tmp_path / "out", "--device", "cpu", "--json")  # fmt: skip
        assert ran.code == 0, ran.err
        assert [Path(row["out"]).name for row in ran.json] == [path.name for path in given]
        for row in ran.json:
            (move,) = row["moves"]
            assert move["after"] - move["before"] == pytest.approx(amount, abs=1e-4)
        means[amount] = np.mean([np.asarray(Image.open(row["out"])) for row in ran.json])
    before = np.mean([np.asarray(Image.open(path)) for path in given])
    assert means[0.0] == before and means[-1.0] < before < means[1.5] - 20


def test_levels_and_orthogonal_directions_limit_what_is_moved(cli, bright, model, piles, tmp_path):
    clean = tmp_path / "clean.safetensors"
    ran = cli("direction", "make", "--model", model, "--more", piles / "bright", "--less", piles / "dark", "--levels", "2",
              "--orthogonal-to", bright, "--out", clean, "--device", "cpu", "--json")  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.json["levels"] == [2] and ran.json["made"]["without"] == ["bright"]
    picture = next((piles / "dark").glob("*.png"))
    ran = cli("direction", "apply", picture, "--direction", clean, bright, "--amount", 2, 0, "--model", model, "--out", tmp_path,
              "--device", "cpu", "--json")  # fmt: skip
    moves = ran.json[0]["moves"]
    assert moves[0]["after"] - moves[0]["before"] == pytest.approx(2.0, abs=1e-3)
    assert moves[1]["after"] == pytest.approx(moves[1]["before"], abs=1e-3)


def test_principal_axes_are_a_file_each(cli, model, piles, tmp_path):
    ran = cli("direction", "make", "--model", model, "--pca", 2, "--data", piles / "both", "--out", tmp_path / "a.safetensors",
              "--device", "cpu", "--json")  # fmt: skip
    assert ran.code == 0, ran.err
    assert [Path(row["file"]).name for row in ran.json] == ["a-1.safetensors", "a-2.safetensors"]
    first, second = (row["quality"] for row in ran.json)
    assert first["how"] == "variance" and first["score"] > second["score"] > 0 and first["more"] == 20
    assert all(Path(row["file"]).is_file() for row in ran.json)


def test_what_cannot_be_is_refused_in_one_sentence(refused, bright, model, piles, tmp_path):
    make = ("direction", "make", "--model", model, "--out", tmp_path / "x.safetensors")
    assert "needs --less" in refused(*make, "--more", piles / "dark")
    assert "needs --data" in refused(*make, "--attribute", "Bright")
    assert "has no attribute 'Blue': it has Bright, Odd" in refused(
        *make, "--attribute", "Blue", "--data", piles / "both", "--attributes", piles / "table.csv")  # fmt: skip
    assert "no level 5" in refused(*make, "--more", piles / "bright", "--less", piles / "dark", "--levels", "5")
    assert "one of the arguments" in refused(*make)
    assert "do not differ" in refused(*make, "--more", piles / "dark", "--less", piles / "dark", "--device", "cpu")
    assert "does not end in .safetensors" in refused("direction", "make", "--model", model, "--out", tmp_path / "x.png",
                                                     "--more", piles / "bright", "--less", piles / "dark")  # fmt: skip
    assert "There is no direction at" in refused("direction", "show", tmp_path / "none.safetensors")
    assert "holds no direction" in refused("direction", "show", model)
    picture = next((piles / "dark").glob("*.png"))
    apply = ("direction", "apply", picture, "--direction", bright, "--out", tmp_path)
    assert "not a bundled one" in refused(*apply, "--amount", 1)
    assert "1 directions and 2 amounts" in refused(*apply, "--amount", 1, 2, "--model", model)
    assert "required" in refused("direction")


def test_another_models_direction_is_refused(refused, bright, piles, tmp_path):
    picture = next((piles / "dark").glob("*.png"))
    told = refused("direction", "apply", picture, "--direction", bright, "--amount", 1, "--model", "faces", "--out", tmp_path)
    assert "'bright' is a direction of another model" in told and not list(tmp_path.glob("dark*"))


@pytest.mark.parametrize("name", ["avatars", "faces"])
def test_the_directions_that_ship_are_of_the_models_that_ship(name):
    import json

    from flow_explorer import assets
    from flowcore.latents.directions.files import check, fingerprint, load_direction
    from flowcore.model import checkpoint

    files = sorted((assets.root() / "directions" / name).glob("*.safetensors"))
    assert len(files) >= 3, f"run python assets/directions/make.py {name} DATA_FOLDER"
    flow = checkpoint.load(assets.resolve_model(name)).flow
    mark = fingerprint(flow)
    told = json.loads((Path(__file__).resolve().parents[2] / "docs" / "directions.json").read_text())[name]
    assert told["fingerprint"] == mark and [row["file"] for row in told["rows"] if row["file"]] == [file.name for file in files]
    for file in files:
        direction = load_direction(file)
        check(direction, flow, mark)
        assert file.stat().st_size < 200_000 and direction.model == name
        assert direction.quality.how == "variance" or direction.quality.low > 0.5
