"""map: coordinates, neighbours and pictures of a folder in z; broken pictures are named, bad requests refused."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from flowcore.latents.map import latent_map
from flowcore.model.weights import fingerprint


def picture(kind: int, seed: int) -> np.ndarray:
    """16×16: bright above or below, so that two kinds are apart in any z."""
    rng = np.random.default_rng([kind, seed])
    pixels = rng.normal(60, 8, (16, 16, 3))
    pixels[:8] += 120 * kind
    pixels[8:] += 120 * (1 - kind)
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two kinds in two folders, and a broken picture."""
    root = tmp_path_factory.mktemp("kinds")
    for kind, name in enumerate(("below", "above")):
        (root / name).mkdir()
        for seed in range(9):
            Image.fromarray(picture(kind, seed)).save(root / name / f"{seed}.png")
    (root / "above" / "broken.png").write_bytes(b"no picture at all")
    return root


def test_json_has_places_neighbours_and_what_was_left_out(cli, model, folder, tmp_path):
    out = tmp_path / "map.json"
    ran = cli("map", "--data", folder, "--model", model, "--out", out, "--device", "cpu", "--neighbours", 3, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["count"] == 18 and ran.json["skipped"] == 1 and "broken.png" in ran.err
    made = json.loads(out.read_text())
    rows = {row["file"]: row for row in made["pictures"]}
    assert len(rows) == 18 and made["levels"] == [1, 2] and made["skipped"][0]["file"].endswith("broken.png")
    assert made["weights"] == fingerprint(model)
    assert all(row["class"] == Path(row["file"]).parent.name and np.isfinite(row["bpd"]) for row in rows.values())
    # Pictures of a kind lie together, and are each other's neighbours.
    for row in rows.values():
        assert len(row["neighbours"]) == 3 and row["distances"] == sorted(row["distances"])
        assert {rows[other]["class"] for other in row["neighbours"]} == {row["class"]}
    sides = {kind: np.sign([row["x"] for row in rows.values() if row["class"] == kind]) for kind in ("above", "below")}
    assert abs(sides["above"].sum()) == abs(sides["below"].sum()) == 9 and sides["above"][0] != sides["below"][0]
    assert made["share"][0] > made["share"][1] > 0 and sum(made["share"]) <= 1


def test_distances_are_those_of_z(cli, model, folder, tmp_path):
    from flowcore.model import checkpoint
    from flowcore.model.codec import encode_picture

    out = tmp_path / "map.json"
    assert cli("map", "--data", folder, "--model", model, "--out", out, "--device", "cpu").code == 0
    row = json.loads(out.read_text())["pictures"][0]
    flow = checkpoint.load(model).flow
    z = [encode_picture(flow, np.asarray(Image.open(folder / name))).z for name in (row["file"], row["neighbours"][0])]
    # 17 axes hold everything that 18 pictures can differ in.
    assert row["distances"][0] == pytest.approx(float(np.linalg.norm(z[0] - z[1])), rel=1e-3)


def test_csv_of_the_coarsest_level(cli, model, folder, tmp_path):
    out = tmp_path / "map.csv"
    ran = cli("map", "--data", folder, "--model", model, "--out", out, "--levels", "coarsest", "--neighbours", 2,
              "--device", "cpu")  # fmt: skip
    assert ran.code == 0 and "18 pictures on the map" in ran.out
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18 and {"file", "x", "y", "bpd", "class", "unusual", "neighbour_2", "distance_2"} <= set(rows[0])
    cli("map", "--data", folder, "--model", model, "--out", tmp_path / "two.csv", "--levels", "2", "--neighbours", 2,
        "--device", "cpu")  # fmt: skip
    assert (tmp_path / "two.csv").read_bytes() == out.read_bytes()


def test_a_picture_of_the_map_shows_pictures_in_the_colours_of_their_class(cli, model, folder, tmp_path):
    out = tmp_path / "map.png"
    ran = cli("map", "--data", folder, "--model", model, "--out", out, "--width", 400, "--device", "cpu")
    assert ran.code == 0, ran.err
    pixels = np.asarray(Image.open(out).convert("RGB"))
    assert pixels.shape == (300, 400, 3)
    from flowcore.latents.map.picture import GROUND, TONES

    counts = {tone: int((pixels == tone).all(2).sum()) for tone in (GROUND, TONES[0], TONES[1])}
    assert counts[GROUND] > 10_000 and counts[TONES[0]] > 50 and counts[TONES[1]] > 50


def test_a_part_by_a_seed(cli, model, folder, tmp_path):
    def files(seed: int) -> list[str]:
        out = tmp_path / "map.json"
        common = ("map", "--data", folder, "--model", model, "--out", out, "--device", "cpu")
        assert cli(*common, "--limit", 6, "--seed", seed).code == 0
        return [row["file"] for row in json.loads(out.read_text())["pictures"]]

    assert len(files(0)) == 6 and files(0) == files(0) != files(1)


def test_what_cannot_be_is_one_sentence(refused, model, folder, tmp_path, monkeypatch):
    out = tmp_path / "map.json"
    common = ("map", "--model", model, "--device", "cpu", "--out")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "one").mkdir()
    Image.fromarray(picture(0, 0)).save(tmp_path / "one" / "0.png")
    assert "no pictures" in refused(*common, out, "--data", tmp_path / "nothing")
    assert "at least two" in refused(*common, out, "--data", tmp_path / "one")
    assert "1 (the finest) to 2" in refused(*common, out, "--data", folder, "--levels", "3")
    assert "such as 1,2" in refused(*common, out, "--data", folder, "--levels", "big")
    assert ".png or .json or .csv" in refused(*common, tmp_path / "map.txt", "--data", folder)
    monkeypatch.setattr(latent_map, "has_umap", lambda: False)
    assert "pip install 'flow-explorer[map]'" in refused(*common, out, "--data", folder, "--method", "umap")
    assert not out.exists()


def test_umap_lays_out_what_pca_found(cli, model, folder, tmp_path, monkeypatch):
    class Made:
        def __init__(self, **options):
            assert options["random_state"] == 5

        def fit_transform(self, coordinates):
            assert coordinates.shape == (18, 17)
            return np.arange(36, dtype=np.float32).reshape(18, 2)

    monkeypatch.setattr(latent_map, "has_umap", lambda: True)
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Made))
    out = tmp_path / "map.json"
    ran = cli("map", "--data", folder, "--model", model, "--out", out, "--method", "umap", "--seed", 5, "--device", "cpu")
    assert ran.code == 0, ran.err
    made = json.loads(out.read_text())
    assert made["method"] == "umap" and [row["y"] for row in made["pictures"]] == list(range(1, 36, 2))
