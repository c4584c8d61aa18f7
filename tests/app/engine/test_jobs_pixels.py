"""Pixels' jobs against flowcore itself."""

from __future__ import annotations

import numpy as np
import pytest
from loop_machine import Machine

from flow_explorer.engine.jobs import pixels as jobs_pixels
from flow_explorer.engine.requests.pixels import MovedByPixel, PixelsMoved, Repaint
from flowcore.errors import ConfigError
from flowcore.latents.plausible import blend, change_maps, kept_of, more_plausible, soft_border
from flowcore.latents.sensitivity import moved_by, reached_by, region
from flowcore.model import checkpoint
from flowcore.model.codec import decode_picture, encode_picture, label_tensor
from flowcore.model.labels import single
from flowcore.pictures.painting import Stroke, paint


@pytest.fixture
def machine():
    # What the first derivative would wait for beside the loop: seconds on a busy machine, more turns than `ask` has.
    jobs_pixels._load()
    return Machine()


@pytest.fixture
def loaded(small_model):
    return checkpoint.load(small_model)


@pytest.fixture
def picture(loaded):
    return decode_picture(loaded.flow, loaded.flow.sample(1, 0.7, seed=2)[0].numpy())


def test_what_a_pixel_moves_is_flowcores_answer(machine, small_model, loaded, picture):
    (moved,) = machine.ask(MovedByPixel(str(small_model), picture, 3, 12, 1.5))
    expected = moved_by(loaded.flow, picture, region(16, 16, 3, 12, 1.5))
    assert moved.shares == pytest.approx(tuple(expected.shares)) and moved.done
    assert moved.sizes == ((6, 8, 8), (24, 4, 4))
    for shown, right in zip(moved.maps, expected.maps, strict=True):
        np.testing.assert_allclose(shown, right, rtol=1e-5)


def test_what_a_z_moves_comes_in_parts_and_ends_exact(machine, small_model, loaded):
    z = loaded.flow.sample(1, 0.7, seed=2)[0].numpy()
    answers = machine.ask(PixelsMoved(str(small_model), z, 1, 2, 3))
    fractions = [answer.fraction for answer in answers]
    assert len(answers) > 3 and fractions == sorted(fractions) and fractions[-1] == 1
    np.testing.assert_allclose(answers[-1].map, reached_by(loaded.flow, z, 1, 2, 3).map, rtol=1e-5)
    (answer,) = machine.ask(PixelsMoved(str(small_model), z, 0, 0, 0, channel=4))
    np.testing.assert_allclose(answer.map, reached_by(loaded.flow, z, 0, 0, 0, 4).map, rtol=1e-5)


def test_painting_is_encoded_once_and_made_plausible_by_any_amount(machine, small_model, loaded, picture, monkeypatch):
    encoded = []
    plain = jobs_pixels.encode_job
    monkeypatch.setattr(jobs_pixels, "encode_job", lambda flow, given, *more: encoded.append(given) or plain(flow, given, *more))
    flow = loaded.flow
    painted, where = paint(picture, [Stroke(((8.0, 8.0),), 3.0, (255, 0, 0))])
    mask = where.astype(np.uint8)
    before, after = encode_picture(flow, picture), encode_picture(flow, painted)

    answers = machine.ask(Repaint(str(small_model), picture, painted, mask, 0.0))
    assert answers[0].painted == pytest.approx(after.bpd) and answers[0].before == pytest.approx(before.bpd)
    np.testing.assert_array_equal(answers[-1].picture, painted)  # exactly what was painted
    np.testing.assert_array_equal(answers[-1].z, after.z)
    assert answers[-1].kept == 1 and answers[-1].outside == 0 and len(encoded) == 2

    change, draft, made = machine.ask(Repaint(str(small_model), picture, painted, mask, 1.0))
    assert len(encoded) == 3  # only what is new
    expected = blend(decode_picture(flow, more_plausible(before.z, after.z, 1.0)), painted, soft_border(where))
    np.testing.assert_array_equal(made.picture, expected)
    np.testing.assert_array_equal(draft.picture, expected)
    np.testing.assert_array_equal(decode_picture(flow, made.z), expected)
    kept = kept_of(picture, painted, expected, where)
    assert (made.kept, made.outside) == (pytest.approx(kept.share), pytest.approx(kept.outside))
    for left, changed, shown in zip(made.left, change.maps, change_maps(flow, before.z, made.z), strict=True):
        np.testing.assert_allclose(left, shown)
        assert left.max() <= changed.max()


def test_a_conditional_model_is_asked_under_the_class_that_is_given(machine, conditional_model):
    loaded = checkpoint.load(conditional_model)
    label = single(2)
    tensor = label_tensor(loaded.flow, [label])
    picture = decode_picture(loaded.flow, loaded.flow.sample(1, 0.7, seed=2)[0].numpy(), tensor)
    (moved,) = machine.ask(MovedByPixel(str(conditional_model), picture, 3, 3, 0.0, label))
    expected = moved_by(loaded.flow, picture, region(16, 16, 3, 3, 0), tensor)
    np.testing.assert_allclose(moved.maps[1], expected.maps[1], rtol=1e-5)
    other = machine.ask(MovedByPixel(str(conditional_model), picture, 3, 3, 0.0, single(0)))[0].maps[1]
    assert not np.allclose(other, expected.maps[1], rtol=1e-3)
    painted, where = paint(picture, [Stroke(((8.0, 8.0),), 3.0, (255, 0, 0))])
    answers = machine.ask(Repaint(str(conditional_model), picture, painted, where.astype(np.uint8), 0.0, label))
    np.testing.assert_array_equal(answers[-1].z, encode_picture(loaded.flow, painted, tensor).z)


def test_nonsense_is_a_sentence(machine, small_model, picture):
    z = np.zeros(768, np.float32)
    assert "no pixel" in machine.error_of(MovedByPixel(str(small_model), picture, 16, 0))
    assert "level" in machine.error_of(PixelsMoved(str(small_model), z, 9, 0, 0))
    assert "sees pictures" in machine.error_of(MovedByPixel(str(small_model), picture[:8], 0, 0))
    with pytest.raises(ConfigError):
        Repaint(str(small_model), picture, picture[:8], np.zeros((16, 16), np.uint8), 0.5)
    with pytest.raises(ConfigError):
        Repaint(str(small_model), picture, picture, np.zeros((16, 16), np.uint8), 1.5)
    with pytest.raises(ConfigError):
        PixelsMoved(str(small_model), np.full(768, np.nan, np.float32), 0, 0, 0)
    with pytest.raises(ConfigError):
        MovedByPixel(str(small_model), picture.astype(float), 0, 0)
