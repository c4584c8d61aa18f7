"""The Explorer's jobs against flowcore itself, and against files that are no models."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pytest
import torch
from loop_machine import Machine

from flow_explorer.engine.jobs.explorer import CHUNK
from flow_explorer.engine.requests.explorer import (
    DescribeLatent,
    DraftPage,
    Edited,
    Encoded,
    EncodePicture,
    Encoding,
    OpenModel,
    SamplePage,
    TemperatureFrames,
    WalkAt,
    WalkFrames,
)
from flowcore.latents.latent import walk
from flowcore.model import checkpoint, codec
from flowcore.model.evaluation import bits_per_picture
from flowcore.model.labels import between, single, to_array


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


@pytest.fixture
def at_once(machine):
    """Pictures that are decoded together on the machine's device."""
    return CHUNK[machine.loop.device.type]


def joined(answers, name):
    return np.concatenate([getattr(answer, name) for answer in answers])


def test_open_gives_the_card_and_the_levels(machine, model, loaded):
    (opened,) = machine.ask(OpenModel(model))
    assert opened.card == loaded.card
    assert opened.num_dims == 768 and opened.event_shape == (3, 16, 16)
    assert [level[1:] for level in opened.levels] == [(level.start, level.stop) for level in loaded.flow.levels]


def test_a_page_is_the_seeds_pictures_in_order(machine, model, loaded, at_once):
    answers = machine.ask(SamplePage(model, seed=5, first=3, count=10, temperature=0.7))
    starts = range(0, 10, at_once)
    assert [part.first for part in answers] == [3 + start for start in starts]
    assert [part.done for part in answers] == [False] * (len(starts) - 1) + [True]
    z = loaded.flow.sample(10, 0.7, 5, 3).numpy()
    np.testing.assert_array_equal(joined(answers, "z"), z)
    expected = np.concatenate([codec.decode_batch(loaded.flow, z[i : i + at_once]) for i in starts])
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


def test_one_sample_at_many_temperatures_is_that_sample_of_each_page(machine, model):
    temperatures = (0.0, 0.4, 0.7, 1.0, (0.3, 1.4))
    strip = joined(machine.ask(TemperatureFrames(model, 1, 6, temperatures)), "pictures")
    assert len(strip) == 5
    for temperature, picture in zip(temperatures, strip, strict=True):
        page = joined(machine.ask(SamplePage(model, 1, 4, 4, temperature)), "pictures")
        # Another place in a batch may round otherwise, by a grey level in a few bytes.
        assert np.abs(page[2].astype(int) - picture).max() <= 1


def test_an_encoded_picture_comes_back_byte_for_byte(machine, model, loaded, picture):
    (encoded,) = machine.ask(EncodePicture(model, "A", picture))
    np.testing.assert_array_equal(encoded.picture, picture)
    assert encoded.differing == 0 and encoded.max_error < 0.5 and encoded.done
    assert encoded.bpd == pytest.approx(bits_per_picture(loaded.flow, picture[None])[0], rel=1e-5)
    decoded, description = machine.ask(WalkAt(model, encoded.z, encoded.z, "linear", 0.0))
    np.testing.assert_array_equal(decoded.picture, picture)
    assert description.bpd == pytest.approx(encoded.bpd, rel=1e-5)
    (described,) = machine.ask(DescribeLatent(model, encoded.z))
    assert described.bpd == pytest.approx(encoded.bpd, rel=1e-5)


def test_a_double_precision_latent_is_decoded_in_double_precision(machine, model, loaded, picture):
    double = codec.double_of(loaded.flow)
    z, _ = double.encode(codec.to_pixels(picture[None], double))
    z = z[0].detach().numpy()
    decoded, _bits = machine.ask(WalkAt(model, z, z, "linear", 0.0))
    np.testing.assert_array_equal(decoded.picture, picture)


@pytest.mark.parametrize("mode", ["linear", "spherical", "norm-kept"])
def test_a_walk_starts_at_a_and_ends_at_b(machine, model, loaded, picture, mode, at_once):
    other = picture[::-1].copy()
    a, b = (machine.ask(EncodePicture(model, slot, p))[0] for slot, p in (("A", picture), ("B", other)))
    ts = tuple(k / 8 for k in range(9))
    answers = machine.ask(WalkFrames(model, a.z, b.z, mode, ts))
    frames, bpd = joined(answers, "pictures"), joined(answers, "bpd")
    assert [part.first for part in answers] == list(range(0, 9, at_once)) and answers[-1].done
    np.testing.assert_array_equal(frames[0], picture)
    np.testing.assert_array_equal(frames[8], other)
    assert bpd[0] == pytest.approx(a.bpd, rel=1e-5)
    assert bpd[8] == pytest.approx(b.bpd, rel=1e-5)

    first, second = machine.ask(WalkAt(model, a.z, b.z, mode, 0.25))
    assert np.abs(first.picture.astype(int) - frames[2].astype(int)).max() <= 1
    np.testing.assert_array_equal(first.z, walk(a.z, b.z, [0.25], mode)[0])
    assert second.bpd == pytest.approx(bpd[2], rel=1e-3) and second.done


def test_a_draft_begins_with_the_sample_in_hand_and_is_within_a_grey_level_or_two(machine, model):
    exact = joined(machine.ask(SamplePage(model, 2, 0, 16, 0.8)), "pictures")
    answers = machine.ask(DraftPage(model, 2, tuple(range(16)), 0.8, hand=9))
    indices = [index for part in answers for index in part.indices]
    assert indices[0] == 9 and sorted(indices) == list(range(16)) and answers[-1].done
    drawn = joined(answers, "pictures")
    off = np.abs(drawn.astype(int) - exact[indices])
    assert off.mean() < 1.0 and np.quantile(off, 0.99) <= 4
    page = joined(machine.ask(SamplePage(model, 2, 0, 16, 0.8)), "z")
    np.testing.assert_allclose(joined(answers, "z"), page[indices], rtol=1e-6, atol=1e-7)
    # The next one goes on with those that were drawn longest ago.
    machine.acknowledging = True
    again = machine.ask(DraftPage(model, 2, (0, 15), 0.9))
    assert [index for part in again for index in part.indices] == sorted((0, 15), key=indices.index)


def test_the_longest_turn_is_short(machine, model, request, at_once):
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
    assert len(turns) > 64 / at_once * 10, "it yields layer by layer"
    assert np.quantile(turns, 0.95) < 0.015


def test_a_picture_of_another_size_is_refused_in_a_sentence(machine, model):
    sentence = machine.error_of(EncodePicture(model, "A", np.zeros((8, 8, 3), np.uint8)))
    assert "16×16" in sentence


def test_a_latent_of_another_model_is_refused_in_a_sentence(machine, model):
    sentence = machine.error_of(DescribeLatent(model, np.zeros(5, np.float32)))
    assert "768" in sentence


def test_a_model_of_points_is_refused_in_a_sentence(machine, tmp_path):
    import torch

    from flowcore.model.systems import build

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


# -- conditional models ---------------------------------------------------------------------------------------------


@pytest.fixture
def owls(conditional_model):
    return str(conditional_model), checkpoint.load(conditional_model)


def test_a_page_of_a_conditional_model_goes_through_all_classes_in_turn(machine, owls):
    model, loaded = owls
    answers = machine.ask(SamplePage(model, seed=5, first=2, count=7, temperature=0.7))
    labels = [2, 0, 1, 2, 0, 1, 2]
    assert [label for part in answers for label in part.labels] == [single(label) for label in labels]
    z = loaded.flow.sample(7, 0.7, 5, 2).numpy()
    np.testing.assert_array_equal(joined(answers, "z"), z)
    expected = np.concatenate([codec.decode_batch(loaded.flow, z[i : i + 4], torch.tensor(labels[i : i + 4])) for i in (0, 4)])
    np.testing.assert_array_equal(joined(answers, "pictures"), expected)


def test_a_page_of_one_class_has_the_same_z_and_other_pictures(machine, owls):
    model, _ = owls
    pages = {label: machine.ask(SamplePage(model, 5, 0, 4, 0.7, label)) for label in ((), single(1), single(2))}
    assert [part.labels for part in pages[single(1)]] == [(single(1),) * 4]
    for label in (single(1), single(2)):
        np.testing.assert_array_equal(joined(pages[label], "z"), joined(pages[()], "z"))
    one, two, all_ = (joined(pages[label], "pictures") for label in (single(1), single(2), ()))
    assert (one != two).any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(all_[1], one[1])
    np.testing.assert_array_equal(all_[2], two[2])


def test_a_picture_is_encoded_under_the_likeliest_class_or_the_one_asked_for(machine, owls, picture):
    model, loaded = owls
    (free,) = machine.ask(EncodePicture(model, "A", picture))
    assert free.label == single(int(codec.class_log_probs(loaded.flow, picture).argmax()))
    bits = {}
    for number in range(3):
        (own,) = machine.ask(EncodePicture(model, "A", picture, single(number)))
        assert own.label == single(number) and own.differing == 0
        np.testing.assert_array_equal(own.picture, picture)
        (described,) = machine.ask(DescribeLatent(model, own.z, single(number)))
        assert described.bpd == pytest.approx(own.bpd, rel=1e-5)
        bits[single(number)] = own.bpd
        if single(number) == free.label:
            np.testing.assert_array_equal(own.z, free.z)
    assert min(bits, key=lambda label: bits[label]) == free.label and len(set(bits.values())) == 3


@pytest.mark.parametrize("mode", ["linear", "spherical"])
def test_a_walk_between_classes_ends_in_both_and_has_no_jump(machine, owls, picture, mode):
    model, loaded = owls
    other = picture[::-1].copy()
    labels = (single(0), single(2))
    a, b = (machine.ask(EncodePicture(model, slot, p, label))[0]
            for slot, p, label in (("A", picture, labels[0]), ("B", other, labels[1])))  # fmt: skip
    ts = tuple(k / 32 for k in range(33))
    answers = machine.ask(WalkFrames(model, a.z, b.z, mode, ts, *labels))
    frames, bpd = joined(answers, "pictures"), joined(answers, "bpd")
    np.testing.assert_array_equal(frames[0], picture)
    np.testing.assert_array_equal(frames[-1], other)
    assert (bpd[0], bpd[-1]) == (pytest.approx(a.bpd, rel=1e-5), pytest.approx(b.bpd, rel=1e-5))
    steps = np.abs(np.diff(frames.astype(float), axis=0)).mean(axis=(1, 2, 3))
    # Decoded under A's class up to the middle and B's from there, the same path would jump: so it does not here.
    path = walk(a.z, b.z, (0.5, 0.5), mode)
    jump = np.abs(np.diff(codec.decode_batch(loaded.flow, path, torch.tensor([0, 2])).astype(float), axis=0)).mean()
    assert (np.maximum(steps[1:], steps[:-1]) < 2 * np.minimum(steps[1:], steps[:-1])).all() and jump > 4 * steps[15:17].max()

    at, described = machine.ask(WalkAt(model, a.z, b.z, mode, 0.25, *labels))
    label = between(*labels, 0.25)
    expected = codec.decode_picture(loaded.flow, at.z, codec.label_tensor(loaded.flow, [label]))
    assert np.abs(at.picture.astype(int) - expected.astype(int)).max() <= 1
    bits = bits_per_picture(loaded.flow, at.picture[None], to_array([label], 3))
    assert described.bpd == pytest.approx(bits[0], rel=1e-5)
    (own,) = machine.ask(EncodePicture(model, "A", at.picture, label))
    assert own.label == label and own.differing == 0


def test_a_class_that_is_none_is_refused_in_a_sentence(machine, owls, model, picture):
    conditional, _ = owls
    z = np.zeros(768, np.float32)
    assert "classes 0 to 2" in machine.error_of(SamplePage(conditional, 0, 0, 4, 1.0, single(3)))
    assert "give a class" in machine.error_of(DescribeLatent(conditional, z))
    assert "give a class" in machine.error_of(WalkAt(conditional, z, z, "linear", 0.5, single(1)))
    for request in (SamplePage(model, 0, 0, 4, 1.0, single(0)), EncodePicture(model, "A", picture, single(0)),
                    DescribeLatent(model, z, single(0))):
        assert "knows no classes" in machine.error_of(request)


def test_a_model_without_classes_answers_as_before(machine, model, picture):
    (encoded,) = machine.ask(EncodePicture(model, "A", picture))
    page = machine.ask(SamplePage(model, 0, 0, 4))
    assert encoded.label == () and all(part.labels == () for part in page)


def test_a_crop_in_the_hand_answers_z_first_and_then_the_proof(machine, model, picture):
    early, proved = machine.ask(EncodePicture(model, "A", picture, in_hand=True))
    assert not early.done and proved.done and type(early) is Encoding and type(proved) is Encoded
    np.testing.assert_array_equal(early.z, proved.z)
    assert early.bpd == proved.bpd and proved.differing == 0
    np.testing.assert_array_equal(proved.picture, picture)


def test_a_picture_that_came_with_its_z_is_proved_of_that_z(machine, model, loaded):
    page = machine.ask(SamplePage(model, 4, 0, 4, 0.7))[0]
    for z, picture in zip(page.z, page.pictures, strict=True):
        (proved,) = machine.ask(EncodePicture(model, "A", picture, z=z))
        assert type(proved) is Encoded and proved.done and proved.z.tobytes() == z.tobytes()
        assert proved.differing == (proved.picture != picture).sum() <= 1
        assert proved.bpd == pytest.approx(bits_per_picture(loaded.flow, picture[None])[0], rel=1e-3)
    double = codec.double_of(loaded.flow)
    z, _ = double.encode(codec.to_pixels(page.pictures[:1], double))
    (proved,) = machine.ask(EncodePicture(model, "A", page.pictures[0], z=z[0].detach().numpy()))
    assert proved.z.dtype == np.float64 and proved.differing == 0 and proved.max_error < 1e-6


def test_a_z_that_is_not_its_pictures_is_told_and_an_edit_of_one_grey_level_is_one(machine, model):
    page = machine.ask(SamplePage(model, 4, 0, 4, 0.7))[0]
    z, picture = page.z[0], page.pictures[0]
    middle = np.argwhere((picture > 0) & (picture < 254))
    one = picture.copy()
    one[tuple(middle[len(middle) // 2])] += 1
    barred = picture.copy()
    barred[4:8] = (255, 0, 0)
    grey = np.repeat(picture.mean(2, keepdims=True).astype(np.uint8), 3, axis=2)
    for edited in (one, barred, grey, picture[:, ::-1], 255 - picture):
        (answer,) = machine.ask(EncodePicture(model, "A", edited, z=z))
        assert type(answer) is Edited and answer.done
    for other in (page.z[1], z[:-1], -z):
        assert type(machine.ask(EncodePicture(model, "A", picture, z=other))[0]) is Edited


def test_a_draft_of_the_walk_is_the_same_picture_but_for_a_grey_level_or_two(machine, model, picture):
    (encoded,) = machine.ask(EncodePicture(model, "A", picture))
    exact, _bits = machine.ask(WalkAt(model, encoded.z, -encoded.z, "linear", 0.25))
    (draft,) = machine.ask(WalkAt(model, encoded.z, -encoded.z, "linear", 0.25, draft=True))
    assert draft.done
    assert np.abs(draft.picture.astype(int) - exact.picture).max() <= 3
