"""The Explorer's jobs against flowcore itself, and against files that are no models."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pytest
import torch
from loop_machine import Machine

from app.engine.requests import DescribeLatent, EncodePicture, OpenModel, SamplePage, WalkAt, WalkFrames
from flowcore import checkpoint, codec
from flowcore.evaluation import describe
from flowcore.latent import walk


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def model(small_model):
    return str(small_model)


@pytest.fixture
def loaded(small_model):
    return checkpoint.load(small_model)


@pytest.fixture
def picture():
    return np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def joined(answers, name):
    return np.concatenate([arrays[name] for _, arrays in answers])


def test_open_gives_the_card_and_the_levels(machine, model, loaded):
    ((data, _),) = machine.ask(OpenModel(model))
    assert data["card"] == loaded.card
    assert data["num_dims"] == 768
    assert [level[1:] for level in data["levels"]] == [[level.start, level.stop] for level in loaded.flow.levels]


def test_a_page_is_the_seeds_pictures_in_order(machine, model, loaded):
    answers = machine.ask(SamplePage(model, seed=5, first=3, count=10, temperature=0.7))
    assert [data["first"] for data, _ in answers] == [3, 7, 11]
    assert [data["done"] for data, _ in answers] == [False, False, True]
    z = loaded.flow.sample(10, 0.7, 5, 3).numpy()
    np.testing.assert_array_equal(joined(answers, "z"), z)
    expected = np.concatenate([codec.decode_batch(loaded.flow, z[i : i + 4]) for i in (0, 4, 8)])
    np.testing.assert_array_equal(joined(answers, "pictures"), expected)


def test_page_size_does_not_change_the_pictures(machine, model):
    sixteen = machine.ask(SamplePage(model, 1, 0, 16, 0.7))
    sixtyfour = machine.ask(SamplePage(model, 1, 0, 64, 0.7))
    np.testing.assert_array_equal(joined(sixteen, "pictures"), joined(sixtyfour, "pictures")[:16])
    np.testing.assert_array_equal(joined(sixteen, "z"), joined(sixtyfour, "z")[:16])


def test_temperature_may_be_given_by_level(machine, model):
    half = machine.ask(SamplePage(model, 1, 0, 4, 0.5))
    by_level = machine.ask(SamplePage(model, 1, 0, 4, (0.5, 0.5)))
    mixed = machine.ask(SamplePage(model, 1, 0, 4, (0.5, 1.0)))
    np.testing.assert_array_equal(joined(half, "z"), joined(by_level, "z"))
    assert not np.array_equal(joined(half, "z"), joined(mixed, "z"))
    assert "2 of them" in machine.error_of(SamplePage(model, 1, 0, 4, (0.5, 0.5, 0.5)))


def test_an_encoded_picture_comes_back_byte_for_byte(machine, model, loaded, picture):
    ((data, arrays),) = machine.ask(EncodePicture(model, "A", picture))
    np.testing.assert_array_equal(arrays["picture"], picture)
    assert data["differing"] == 0 and data["max_error"] < 0.5 and data["well"] == "A"
    assert data["dtype"] == arrays["z"].dtype.name
    assert describe(loaded.card, data["bpd"]).items() <= data.items()
    z = arrays["z"]
    (_, decoded), (description, _) = machine.ask(WalkAt(model, z, z, "linear", 0.0))
    np.testing.assert_array_equal(decoded["picture"], picture)
    assert description["bpd"] == pytest.approx(data["bpd"], rel=1e-5)
    ((described, _),) = machine.ask(DescribeLatent(model, arrays["z"]))
    assert described["bpd"] == pytest.approx(data["bpd"], rel=1e-5)
    assert described["typicality"] == pytest.approx(data["typicality"], rel=1e-3)


def test_a_double_precision_latent_is_decoded_in_double_precision(machine, model, loaded, picture):
    double = codec.double_of(loaded.flow)
    z, _ = double.encode(codec.to_pixels(picture[None], double))
    z = z[0].detach().numpy()
    (_, arrays), _figures = machine.ask(WalkAt(model, z, z, "linear", 0.0))
    np.testing.assert_array_equal(arrays["picture"], picture)


@pytest.mark.parametrize("mode", ["linear", "spherical"])
def test_a_walk_starts_at_a_and_ends_at_b(machine, model, loaded, picture, mode):
    other = picture[::-1].copy()
    ends = [machine.ask(EncodePicture(model, well, p))[0] for well, p in (("A", picture), ("B", other))]
    (data_a, a), (data_b, b) = ends
    ts = tuple(k / 8 for k in range(9))
    answers = machine.ask(WalkFrames(model, a["z"], b["z"], mode, ts))
    frames, bpd = joined(answers, "pictures"), [v for data, _ in answers for v in data["bpd"]]
    assert [data["first"] for data, _ in answers] == [0, 4, 8] and answers[-1][0]["done"]
    np.testing.assert_array_equal(frames[0], picture)
    np.testing.assert_array_equal(frames[8], other)
    assert bpd[0] == pytest.approx(data_a["bpd"], rel=1e-5)
    assert bpd[8] == pytest.approx(data_b["bpd"], rel=1e-5)

    (first, arrays), (second, _) = machine.ask(WalkAt(model, a["z"], b["z"], mode, 0.25))
    assert np.abs(arrays["picture"].astype(int) - frames[2].astype(int)).max() <= 1
    np.testing.assert_array_equal(arrays["z"], walk(a["z"], b["z"], [0.25], mode)[0])
    assert first["t"] == second["t"] == 0.25
    assert second["bpd"] == pytest.approx(bpd[2], rel=1e-3)


def test_the_longest_turn_is_short(machine, model, request):
    threads = torch.get_num_threads()
    request.addfinalizer(lambda: torch.set_num_threads(threads))
    torch.set_num_threads(1)  # all of a turn's work is then on this thread's clock, and nothing that others do
    machine.ask(SamplePage(model, 2, 0, 4, 0.8))
    machine.acknowledging = True
    id_ = machine.send(SamplePage(model, 2, 0, 64, 0.8))
    turns = []
    while not machine.of(id_, "over"):
        start = time.thread_time()
        machine.loop.turn(wait=False)
        turns.append(time.thread_time() - start)
    assert len(turns) > 64 / 4 * 10, "it yields layer by layer"
    assert np.quantile(turns, 0.95) < 0.015


def test_a_picture_of_another_size_is_refused_in_a_sentence(machine, model):
    sentence = machine.error_of(EncodePicture(model, "A", np.zeros((8, 8, 3), np.uint8)))
    assert "16×16" in sentence


def test_a_latent_of_another_model_is_refused_in_a_sentence(machine, model):
    sentence = machine.error_of(DescribeLatent(model, np.zeros(5, np.float32)))
    assert "768" in sentence


def test_a_model_of_points_is_refused_in_a_sentence(machine, tmp_path):
    import torch

    from flowcore.models import build

    flow = build({"system": "realnvp", "shape": [2], "depth": 2, "width": 8})
    flow.initialise(torch.zeros(4, 2))
    path = tmp_path / "points.safetensors"
    checkpoint.save(path, flow, {"name": "points", "architecture": flow.architecture})
    assert "points, not of pictures" in machine.error_of(SamplePage(str(path), 0, 0, 4))


def test_what_is_no_model_is_refused_in_a_sentence(machine, small_model, tmp_path):
    (tmp_path / "empty.safetensors").touch()
    (tmp_path / "text.safetensors").write_text("hello")
    (tmp_path / "pickle.safetensors").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "cut.safetensors").write_bytes(small_model.read_bytes()[:-100])
    (tmp_path / "folder").mkdir()
    names = ["empty.safetensors", "text.safetensors", "pickle.safetensors", "cut.safetensors", "folder", "missing"]
    for name in names:
        sentence = machine.error_of(OpenModel(str(tmp_path / name)))
        assert name in sentence and "Something went wrong" not in sentence and sentence.endswith("."), sentence
    assert "Something went wrong" not in machine.error_of(OpenModel("a\0b"))
    assert machine.ask(OpenModel(str(small_model))), "and the engine goes on"
