"""The map's jobs on a real model: what is encoded, kept and laid out; piles and directions; what cannot be used."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from loop_machine import Machine
from PIL import Image
from safetensors import safe_open

from flow_explorer.engine.jobs import map as jobs_map
from flow_explorer.engine.requests.map import (
    MapArranging,
    MapDirection,
    MapDone,
    MapEncode,
    MapFound,
    MapLayout,
    MapPicture,
    MapPile,
    MapPlace,
    MapRows,
)
from flowcore.data.pool import shared_pool
from flowcore.errors import ConfigError
from flowcore.latents.map import gathering
from flowcore.latents.map.encoding import encode_rows
from flowcore.latents.map.points import nearest
from flowcore.model import checkpoint


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def model(small_model):
    return str(small_model)


def picture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(120, 50, (16, 16, 3)) + rng.normal(0, 40, 3)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Twenty pictures in two classes, one that is broken, and one of another size."""
    root = tmp_path_factory.mktemp("pictures")
    for kind in ("cat", "dog"):
        (root / kind).mkdir()
        for seed in range(10):
            Image.fromarray(picture(seed + 10 * (kind == "dog"))).save(root / kind / f"{seed}.png")
    (root / "dog" / "broken.png").write_bytes(b"\x89PNG nothing")
    Image.fromarray(np.full((40, 30), 90, np.uint8)).save(root / "cat" / "grey.png")
    return root


def settle(machine, request) -> tuple[list, str]:
    """Its answers, and the sentence that it failed with; threads get the time that they need."""
    machine.acknowledging = True
    number, end = machine.send(request), time.monotonic() + 60
    while not (machine.of(number, "over") or machine.of(number, "error")):
        assert time.monotonic() < end
        if not machine.loop.turn(wait=False):
            time.sleep(0.002)
    errors = machine.of(number, "error")
    return machine.answers(number, request), errors[0]["sentence"] if errors else ""


def ask(machine, request) -> list:
    answers, sentence = settle(machine, request)
    assert not sentence, sentence
    return answers


def fail(machine, request) -> str:
    sentence = settle(machine, request)[1]
    assert sentence and "\n" not in sentence
    return sentence


def of(answers, kind) -> list:
    return [answer for answer in answers if type(answer) is kind]


def rows(answers, name) -> np.ndarray:
    return np.concatenate([getattr(part, name) for part in of(answers, MapRows)])


def names(answers) -> list[str]:
    return [name for part in of(answers, MapRows) for name in part.names]


def test_a_folder_is_encoded_and_laid_out(machine, model, small_model, folder, monkeypatch):
    monkeypatch.setattr(jobs_map, "SHOWN_FIRST", 5)
    answers = ask(machine, MapEncode(model, str(folder)))
    (found,) = of(answers, MapFound)
    assert (found.total, found.of, found.classes, found.first, found.factor) == (21, 21, ("cat", "dog"), 0, 1)
    assert len(names(answers)) == 21 and type(answers[-1]) is MapDone and len(of(answers, MapLayout)) >= 2
    # Every row is its own picture, with its own likelihood and class, whatever the order.
    flow = checkpoint.load(small_model).flow
    encoded = encode_rows(flow, rows(answers, "pictures"))
    np.testing.assert_allclose(rows(answers, "bpd"), encoded.bpd, atol=1e-3)
    for name, shown, number in zip(names(answers), rows(answers, "pictures"), rows(answers, "classes"), strict=True):
        assert found.classes[number] == name.partition("/")[0]
        if "grey" not in name:
            np.testing.assert_array_equal(shown, np.asarray(Image.open(folder / name)))
    done = answers[-1]
    axes = np.linalg.svd(encoded.z - encoded.z.mean(0), full_matrices=False)[2][:2]
    wanted = (encoded.z - encoded.z.mean(0)) @ axes.T
    np.testing.assert_allclose(np.abs(done.points), np.abs(wanted), atol=1e-2)
    numbers, distances = nearest(encoded.z, 8)
    np.testing.assert_array_equal(done.neighbours, numbers)
    np.testing.assert_allclose(done.distances, distances, rtol=1e-3)
    assert done.skipped_count == 1 and done.skipped[0][0] == "dog/broken.png" and done.exact
    # A newcomer gets its place on the axes that there are.
    late = [part.points for part in of(answers, MapRows) if part.points is not None]
    assert late and all(np.isfinite(points).all() for points in late)


def test_other_levels_stop_and_the_rest_encode_nothing_twice(machine, model, folder, monkeypatch):
    monkeypatch.setattr(gathering, "READ", 4)
    part = ask(machine, MapEncode(model, str(folder), limit=8))
    assert len(names(part)) == 8 and part[-1].taken == 8
    encoded = []
    real = gathering.encode_rows_job
    monkeypatch.setattr(gathering, "encode_rows_job",
                        lambda flow, pictures: encoded.append(len(pictures)) or real(flow, pictures))  # fmt: skip
    levels = ask(machine, MapEncode(model, str(folder), levels=(1,), limit=8, have=8))
    assert not encoded and names(levels) == [] and [type(answer) for answer in levels] == [MapFound, MapArranging, MapDone]
    assert not np.allclose(levels[-1].points, part[-1].points)
    rest = ask(machine, MapEncode(model, str(folder), have=8))
    assert sum(encoded) == 13 and len(names(rest)) == 13 and not set(names(rest)) & set(names(part))
    # A window that has lost what it had gets everything again.
    again = ask(machine, MapEncode(model, str(folder)))
    assert sum(encoded) == 13 and names(again) == names(part) + names(rest)
    np.testing.assert_array_equal(again[-1].points, rest[-1].points)
    whole = ask(Machine(), MapEncode(model, str(folder)))
    assert names(whole) == names(again)
    np.testing.assert_allclose(whole[-1].points, again[-1].points, atol=1e-3)


def test_what_is_found_broken_only_when_it_is_decoded_is_left_out(machine, model, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs_map, "DECODED", 0)
    for seed in range(6):
        Image.fromarray(picture(seed)).save(tmp_path / f"{seed}.png")
    data = (tmp_path / "3.png").read_bytes()
    (tmp_path / "3.png").write_bytes(data[: len(data) // 2])
    answers = ask(machine, MapEncode(model, str(tmp_path)))
    shared_pool().close()
    assert sorted(names(answers)) == ["0.png", "1.png", "2.png", "4.png", "5.png"]
    assert [name for name, _ in answers[-1].skipped] == ["3.png"]
    by_name = dict(zip(names(answers), rows(answers, "pictures"), strict=True))
    np.testing.assert_array_equal(by_name["4.png"], picture(4))


def test_given_pictures_are_a_map_too_in_their_order(machine, model):
    given = np.stack([picture(seed) for seed in range(6)])
    answers = ask(machine, MapEncode(model, "", pictures=given))
    np.testing.assert_array_equal(rows(answers, "pictures"), given)
    assert names(answers) == [str(number) for number in range(6)] and answers[-1].neighbours.shape == (6, 5)


def test_a_picture_is_placed_where_it_lies(machine, model, folder):
    assert ask(machine, MapPlace(model, "A", picture(3)))[0].place is None
    answers = ask(machine, MapEncode(model, str(folder)))
    row = names(answers).index("dog/4.png")
    (placed,) = ask(machine, MapPlace(model, "A", picture(14)))
    np.testing.assert_allclose(placed.place, answers[-1].points[row], atol=1e-2)


def test_on_a_umap_a_picture_is_placed_among_its_neighbours(machine, model, folder, monkeypatch):
    laid = np.array([100, -7], np.float32)
    monkeypatch.setattr(jobs_map, "umap_layout", lambda coordinates: np.tile(laid, (len(coordinates), 1)))
    answers = ask(machine, MapEncode(model, str(folder), method="umap"))
    assert answers[-1].method == "umap" and (answers[-1].points == [100, -7]).all()
    (placed,) = ask(machine, MapPlace(model, "B", picture(99)))
    np.testing.assert_allclose(placed.place, [100, -7], rtol=1e-5)


def test_umap_that_is_missing_is_said_with_its_command(machine, model, folder, monkeypatch):
    monkeypatch.setattr("flowcore.latents.map.layout.has_umap", lambda: False)
    assert "pip install 'flow-explorer[map]'" in fail(machine, MapEncode(model, str(folder), method="umap"))
    assert type(ask(machine, MapEncode(model, str(folder)))[-1]) is MapDone


def test_pictures_too_many_for_the_window_come_smaller_and_whole_when_asked_for(machine, model, folder, monkeypatch):
    monkeypatch.setattr(jobs_map, "SENT_BYTES", 21 * 8 * 8 * 3)
    answers = ask(machine, MapEncode(model, str(folder)))
    assert of(answers, MapFound)[0].factor == 2
    row = names(answers).index("cat/0.png")
    small = rows(answers, "pictures")[row]
    np.testing.assert_array_equal(small, picture(0).reshape(8, 2, 8, 2, 3).mean((1, 3)).round().astype(np.uint8))
    (whole,) = ask(machine, MapPicture(model, str(folder), row))
    np.testing.assert_array_equal(whole.picture, picture(0))
    assert "not on the map" in fail(machine, MapPicture(model, str(folder), 21))


def test_a_pile_is_copies_and_replaces_nothing(machine, model, folder, tmp_path):
    answers = ask(machine, MapEncode(model, str(folder)))
    wanted = ["cat/0.png", "dog/0.png", "dog/5.png"]
    chosen = np.array([names(answers).index(name) for name in wanted], np.int64)
    pile = tmp_path / "pile"
    pile.mkdir()
    (pile / "5.png").write_bytes(b"mine")
    (copied,) = ask(machine, MapPile(model, str(folder), chosen, str(pile)))
    assert copied.saved == 3 and copied.failed_count == 0
    assert {path.name: path.read_bytes() for path in pile.iterdir()} == {
        "5.png": b"mine", "0.png": (folder / "cat/0.png").read_bytes(), "0-2.png": (folder / "dog/0.png").read_bytes(),
        "5-2.png": (folder / "dog/5.png").read_bytes(),
    }  # fmt: skip
    assert "no folder" in fail(machine, MapPile(model, str(folder), chosen, str(tmp_path / "missing")))
    assert "changed meanwhile" in fail(machine, MapPile(model, "elsewhere", chosen, str(pile)))


def test_a_file_that_went_away_is_named_and_the_others_are_copied(machine, model, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for seed in range(4):
        Image.fromarray(picture(seed)).save(source / f"{seed}.png")
    answers = ask(machine, MapEncode(model, str(source)))
    (source / "2.png").unlink()
    (tmp_path / "pile").mkdir()
    (copied,) = ask(machine, MapPile(model, str(source), np.arange(4), str(tmp_path / "pile")))
    assert copied.saved == 3 and copied.failed[0][0] == "2.png" and len(names(answers)) == 4
    assert sorted(path.name for path in (tmp_path / "pile").iterdir()) == ["0.png", "1.png", "3.png"]


def test_a_pile_of_an_array_is_png_files(machine, model, tmp_path):
    given = np.stack([picture(seed) for seed in range(5)])
    np.savez(tmp_path / "data.npz", images=given)
    answers = ask(machine, MapEncode(model, str(tmp_path / "data.npz")))
    (tmp_path / "pile").mkdir()
    ask(machine, MapPile(model, str(tmp_path / "data.npz"), np.array([2]), str(tmp_path / "pile")))
    (made,) = (tmp_path / "pile").iterdir()
    np.testing.assert_array_equal(np.asarray(Image.open(made)), rows(answers, "pictures")[2])


def test_a_direction_is_the_difference_of_the_means(machine, model, small_model, folder, tmp_path):
    answers = ask(machine, MapEncode(model, str(folder)))
    chosen = np.array([2, 5, 11], np.int64)
    file = tmp_path / "way.safetensors"
    (made,) = ask(machine, MapDirection(model, str(folder), chosen, str(file)))
    assert (made.inside, made.outside) == (3, 18)
    z = encode_rows(checkpoint.load(small_model).flow, rows(answers, "pictures")).z
    member = np.isin(np.arange(21), chosen)
    with safe_open(file, framework="numpy") as opened:
        (name,) = opened.keys()
        vector = opened.get_tensor(name)
        card = json.loads(opened.metadata()["card"])
    wanted = z[member].mean(0) - z[~member].mean(0)
    cosine = vector.ravel().astype(np.float64) @ wanted / np.linalg.norm(wanted) / np.linalg.norm(vector.astype(np.float64))
    assert cosine > 0.99 and card["name"] == "way" and card["made"]["from"] == "lasso" and card["dims"] == wanted.size
    assert "outside" in fail(machine, MapDirection(model, str(folder), np.arange(21), str(file)))


def test_data_that_cannot_be_used_is_one_sentence(machine, model, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "one").mkdir()
    Image.fromarray(picture(0)).save(tmp_path / "one" / "0.png")
    np.savez(tmp_path / "five.npz", images=np.zeros((4, 16, 16, 5), np.uint8))
    wrong = {"empty": "no pictures", "missing": "There is no data", "one": "at least two", "five.npz": "5"}
    for name, words in wrong.items():
        sentence = fail(machine, MapEncode(model, str(tmp_path / name)))
        assert words in sentence, sentence


@pytest.mark.parametrize("change", [{"method": "tsne"}, {"limit": -1}, {"levels": (99,)}, {"path": ""}, {"have": True}])
def test_requests_out_of_range_are_refused(change):
    with pytest.raises(ConfigError):
        MapEncode(**{"model": "m", "path": "p", **change})


def test_a_pile_of_a_zip_is_flat_png_files(machine, model, folder, tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as file:
        for seed in range(3):
            file.write(folder / "cat" / f"{seed}.png", f"all/{seed}/same.png")
    path = str(tmp_path / "pictures.zip")
    answers = ask(machine, MapEncode(model, path))
    (tmp_path / "pile").mkdir()
    ask(machine, MapPile(model, path, np.arange(3), str(tmp_path / "pile")))
    assert len(names(answers)) == 3
    assert sorted(file.name for file in (tmp_path / "pile").iterdir()) == ["same-2.png", "same-3.png", "same.png"]
