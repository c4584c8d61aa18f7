"""Directions in z: what they find, what they leave alone, how they are measured, and what a file of one promises."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from flowcore.errors import ConfigError, DataError
from flowcore.latents.directions.directions import (
    Direction,
    Moments,
    auc,
    contrast,
    cosine,
    cross_validated,
    displacement,
    from_sets,
    orthogonal,
    principal_axes,
    standard_step,
    unit,
    within,
)
from flowcore.latents.directions.files import check, fingerprint, load_direction, save_direction
from flowcore.latents.directions.making import axes_of, bounds_of, from_labels, latents
from flowcore.model.codec import encode_picture
from flowcore.model.priors import LearnedPrior
from flowcore.model.systems import glow

BOUNDS = [(0, 40), (40, 60), (60, 80)]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def planted(rng, count: int, dims: int = 80, size: float = 3.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(more, less, the unit vector by `size` times which they differ), otherwise standard normal."""
    truth = np.zeros(dims)
    truth[[2, 45, 70]] = (1.0, -2.0, 2.0)
    truth = unit(truth)
    more, less = rng.normal(size=(2, count, dims))
    return more + size * truth, less, truth


def direction(vector, deviation: float = 1.0, **changes) -> Direction:
    return Direction("it", np.asarray(vector, np.float32), deviation, **changes)


def test_moments_in_batches_equal_those_of_all_rows(rng):
    rows = rng.normal(3.0, 2.0, (101, 7))
    moments = Moments(7)
    for part in (rows[:1], rows[1:40], rows[40:40], rows[40:]):
        moments.add(part)
    assert moments.count == 101
    np.testing.assert_allclose(moments.mean, rows.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.squares, 101 * rows.var(0), rtol=1e-11)


def test_a_planted_difference_is_found_and_shrinking_takes_the_noise_out(rng):
    more, less, truth = planted(rng, 400, size=1.0)
    sides = Moments(80).add(more), Moments(80).add(less)
    plain, shrunk = contrast(*sides, threshold=0.0), contrast(*sides)
    assert np.allclose(plain.vector, more.mean(0) - less.mean(0))
    assert cosine(shrunk.vector, truth) > cosine(plain.vector, truth) > 0.8
    assert (shrunk.vector == 0).mean() > 0.5 and (np.sign(shrunk.vector[[2, 45, 70]]) == (1, -1, 1)).all()
    # The middle lies between the two sets, so that the sign of a score is a guess.
    assert (shrunk.scores(more) > 0).mean() > 0.65 and (shrunk.scores(less) < 0).mean() > 0.65


def test_few_pictures_are_taken_as_they_are(rng):
    more, less, _ = planted(rng, 5)
    found = contrast(Moments(80).add(more), Moments(80).add(less))
    assert np.allclose(found.vector, more.mean(0) - less.mean(0))


def test_sets_without_a_difference_are_refused():
    same = np.ones((3, 4))
    with pytest.raises(ConfigError, match="no length"):
        contrast(Moments(4).add(same), Moments(4).add(same))
    with pytest.raises(ConfigError, match="both sides"):
        contrast(Moments(4).add(same), Moments(4))


def test_gram_schmidt_leaves_nothing_along_the_others(rng):
    vector, *others = rng.normal(size=(4, 50))
    others.append(others[0] + 1e-4 * rng.normal(size=50))  # nearly the same once more
    rest = orthogonal(vector, others)
    assert max(abs(unit(rest) @ unit(other)) for other in others) < 1e-9
    assert np.allclose(orthogonal(vector, []), vector)
    assert not orthogonal(2 * others[0] - others[1], others[:2]).any()


def test_a_step_is_a_deviation_long_limited_to_levels_and_orthogonal_there(rng):
    v, u = rng.normal(size=(2, 80))
    one, other = direction(5 * v, 2.5), direction(u, 1.0)
    step = standard_step(one, BOUNDS)
    assert np.isclose(np.linalg.norm(step), 2.5) and np.isclose(cosine(step, v), 1.0)
    parts = [standard_step(one, BOUNDS, [level]) for level in range(3)]
    assert np.allclose(sum(parts), step, atol=1e-6) and not parts[1][:40].any() and not parts[1][60:].any()
    limited = standard_step(one, BOUNDS, [1, 2], [other])
    # What it is orthogonal to does not move, although that reaches beyond these levels.
    assert abs(limited @ u) < 1e-6 and not limited[:40].any() and np.linalg.norm(limited) < 2.5
    assert np.allclose(displacement([(step, 2.0), (parts[0], -1.0)], 80), 2 * step - parts[0])
    with pytest.raises(ConfigError, match="level 4"):
        within(v, BOUNDS, [3])


def test_the_area_under_the_curve_is_the_share_of_pairs_in_order(rng):
    more, less = np.round(rng.normal(1.0, 1.0, 37), 1), np.round(rng.normal(0.0, 1.0, 23), 1)
    pairs = (more[:, None] > less).mean() + (more[:, None] == less).mean() / 2
    area, low, high = auc(more, less)
    assert np.isclose(area, pairs) and 0 < low < area < high < 1
    assert np.isclose(auc(less, more)[0], 1 - pairs)
    # It does not pretend to certainty where nine pictures happened to be told apart, or none.
    area, low, high = auc(np.arange(9) + 10.0, np.arange(9.0))
    assert area == high == 1.0 and 0.6 < low < 0.95
    assert auc(np.arange(9.0), np.arange(9) + 10.0)[:2] == (0.0, 0.0)
    with pytest.raises(ConfigError, match="finite"):
        auc(np.array([np.nan]), less)


def test_the_interval_covers_the_truth_about_as_often_as_it_says(rng):
    truth = 0.7602  # of two normals one standard deviation apart: Φ(1/√2)
    inside = 0
    for _ in range(300):
        _, low, high = auc(rng.normal(1, 1, 25), rng.normal(0, 1, 25))
        inside += low <= truth <= high
    assert 0.91 <= inside / 300 <= 0.99


def test_cross_validation_is_honest_about_noise_and_finds_what_is_there(rng):
    noise = rng.normal(size=(2, 30, 400))
    quality = cross_validated(*noise)
    assert quality.how == "cross-validated" and (quality.more, quality.less) == (30, 30)
    assert quality.low < 0.5 < quality.high
    more, less, _ = planted(rng, 60, size=4.0)
    assert cross_validated(more, less).low > 0.9
    assert cross_validated(more[:2], less) is None


def test_a_direction_from_sets_knows_its_unit_and_leaves_others_alone(rng):
    more, less, truth = planted(rng, 80, size=4.0)
    found = from_sets("it", more, less, BOUNDS, made={"by": "picks"})
    assert cosine(found.vector, truth) > 0.9 and found.levels == (0, 1, 2) and found.quality.score > 0.95
    assert np.isclose(found.deviation, np.std(np.concatenate([more, less]) @ unit(found.vector), ddof=1))
    assert found.made == {"by": "picks", "more": 80, "less": 80, "without": []}
    age = direction(np.eye(80)[45])
    clean = from_sets("it", more, less, BOUNDS, levels=[1, 2], without=[age])
    assert abs(unit(clean.vector)[45]) < 1e-6 and not clean.vector[:40].any() and clean.levels == (1, 2)
    with pytest.raises(ConfigError, match="latents of this model"):
        from_sets("it", more[:, :70], less[:, :70], BOUNDS)
    with pytest.raises(ConfigError, match="not finite"):
        from_sets("it", np.where(more > 3, np.nan, more), less, BOUNDS)


def test_principal_axes_are_those_of_the_covariance_and_are_measured_on_held_out_rows(rng):
    basis, _ = np.linalg.qr(rng.normal(size=(30, 3)))
    rows = rng.normal(size=(300, 3)) * (9.0, 5.0, 2.0) @ basis.T + 0.1 * rng.normal(size=(300, 30)) + 7.0
    axes = principal_axes(rows, 2)
    assert [abs(cosine(axis.vector, basis[:, index])) > 0.99 for index, axis in enumerate(axes)] == [True, True]
    assert [axis.deviation for axis in axes] == pytest.approx([9, 5], rel=0.15) and axes[0].held == 75
    assert 0.6 < axes[0].share < 0.85 and 0.15 < axes[1].share < 0.35
    assert len(principal_axes(rows[:4], 9)) == 3 and principal_axes(rows[:4], 1)[0].held == 0
    with pytest.raises(ConfigError, match="three pictures"):
        principal_axes(rows[:2], 1)
    with pytest.raises(ConfigError, match="do not differ"):
        principal_axes(np.ones((5, 4)), 1)


# With a flow


@pytest.fixture(scope="module")
def flow():
    torch.manual_seed(0)
    made = glow((3, 8, 8), levels=2, steps=1, width=8)
    made.initialise(torch.rand(32, 3, 8, 8) * 255)
    return made.eval()


def pictures(count: int) -> tuple[np.ndarray, np.ndarray]:
    """(pictures, whether each has a bright square)"""
    rng = np.random.default_rng(1)
    x = rng.integers(60, 160, (count, 8, 8, 3), dtype=np.uint8)
    has = rng.random(count) < 0.4
    x[has, 2:6, 2:6] = 230
    return x, has


def test_labels_make_a_direction_in_one_pass_over_batches_and_held_out_pictures_measure_it(flow):
    x, has = pictures(180)
    held = np.arange(180) >= 120
    attributes = np.stack([has, np.arange(180) % 2 == 0], 1)
    told = []
    found, noise = from_labels(flow, x, attributes, ["square", "even"], held, model="m", batch=50,
                               on_progress=lambda done, total: told.append((done, total)))  # fmt: skip
    assert told[-1] == (180, 180) and len(told) == 4
    assert (found.quality.more + found.quality.less, found.quality.how) == (60, "held out")
    assert found.quality.low > 0.9 and noise.quality.low < 0.5 < noise.quality.high
    assert found.fingerprint == fingerprint(flow) and found.made["attribute"] == "square"
    z = np.concatenate([z for _, z in latents(flow, x)])
    by_hand = contrast(Moments(z.shape[1]).add(z[:120][has[:120]]), Moments(z.shape[1]).add(z[:120][~has[:120]]))
    assert cosine(found.vector, by_hand.vector) > 1 - 1e-6
    assert np.isclose(found.deviation, np.std(z[120:] @ unit(found.vector), ddof=1), rtol=1e-4)
    # A picture without the square gets one: the middle becomes brighter, and more than the edge.
    step = standard_step(found, bounds_of(flow))
    plain = z[np.flatnonzero(~has)[0]].astype(np.float64)
    with torch.no_grad():
        before, after = (flow.decode(torch.from_numpy(v[None]).float())[0].mean(0).numpy() for v in (plain, plain + 3 * step))
    change = after - before
    assert change[2:6, 2:6].mean() > 10 + abs(change[:2].mean())


def test_counted_leaves_pictures_out_of_both_sides(flow):
    x, has = pictures(100)
    held = np.arange(100) >= 70
    counted = np.arange(100) % 3 != 0
    (found,) = from_labels(flow, x, has, ["square"], held, counted=counted)
    assert found.made["more"] + found.made["less"] == int(counted[:70].sum())
    assert found.quality.more + found.quality.less == int(counted[70:].sum())
    with pytest.raises(ConfigError, match="tells no pictures apart"):
        from_labels(flow, x, np.ones(100, bool), ["all"], held)


def test_axes_are_signed_numbered_and_orthogonal_to_others(flow):
    x, has = pictures(60)
    z = np.concatenate([z for _, z in latents(flow, x)])
    first, second = axes_of(flow, z, 2, "set", model="m")
    assert (first.name, first.made["by"], first.fingerprint) == ("set, axis 1", "axis", fingerprint(flow))
    assert abs(cosine(first.vector, second.vector)) < 1e-4 and first.quality.how == "variance"
    (other,) = axes_of(flow, z, 1, "rest", without=[first])
    assert abs(cosine(other.vector, first.vector)) < 1e-4


def test_a_conditional_flow_takes_every_picture_under_its_likeliest_class():
    torch.manual_seed(1)
    flow = glow((1, 8, 8), levels=2, steps=1, width=8, classes=3)
    flow.initialise(torch.rand(32, 1, 8, 8) * 255)
    flow.eval()
    assert isinstance(flow.prior, LearnedPrior)
    with torch.no_grad():
        flow.prior.location.add_(torch.randn(flow.prior.location.shape))
    x = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), dtype=np.uint8)
    (_, z), = latents(flow, x)  # fmt: skip
    from flowcore.model.codec import class_log_probs, label_tensor
    from flowcore.model.labels import single

    likeliest = single(int(class_log_probs(flow, x[3]).argmax()))
    assert np.allclose(z[3], encode_picture(flow, x[3], label_tensor(flow, [likeliest])).z, atol=1e-4)


# Files


def made(flow, **changes) -> Direction:
    rng = np.random.default_rng(5)
    found = from_sets("Smile", rng.normal(1, 1, (9, 192)), rng.normal(0, 1, (9, 192)), bounds_of(flow), made={"by": "picks"})
    return replace(found, model="tiny", fingerprint=fingerprint(flow))


def test_a_file_brings_everything_back(flow, tmp_path):
    before, path = made(flow), tmp_path / "smile.safetensors"
    save_direction(path, before)
    assert path.stat().st_size < 4000
    after = load_direction(path)
    assert cosine(before.vector, after.vector) > 1 - 1e-6
    for name in ("name", "model", "fingerprint", "levels", "deviation", "made"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.quality.to_dict() == before.quality.to_dict()
    check(after, flow)


def test_another_models_direction_is_refused_in_one_sentence(flow, tmp_path):
    path = tmp_path / "smile.safetensors"
    save_direction(path, made(flow))
    found = load_direction(path)
    double = glow((3, 8, 8), levels=2, steps=1, width=8).double()
    double.load_state_dict({name: value.double() for name, value in flow.state_dict().items()})
    check(found, double)  # the same weights in another precision are the same model
    other = glow((3, 8, 8), levels=2, steps=1, width=8)
    other.initialise(torch.rand(8, 3, 8, 8) * 255)
    with pytest.raises(ConfigError, match=r"'Smile' is a direction of another model \(tiny.*make it anew for this model\.$"):
        check(found, other)


def hostile(path, card=None, vector=None, metadata=None, extra=None):
    good = {"format_version": 1, "name": "it", "model": "m", "fingerprint": "f", "dims": 4, "levels": [0], "deviation": 1.0,
            "made": {}, "quality": None}  # fmt: skip
    tensors = {"direction": np.ones(4, np.float16) if vector is None else vector, **(extra or {})}
    told = {"format": "flow-explorer-direction", "card": json.dumps({**good, **(card or {})})}
    save_file(tensors, path, metadata=metadata or told)


@pytest.mark.parametrize(
    "wrong",
    [
        {"card": {"format_version": 2}}, {"card": {"name": ""}}, {"card": {"name": 7}}, {"card": {"dims": 5}},
        {"card": {"levels": []}}, {"card": {"levels": ["0"]}}, {"card": {"levels": [-1]}}, {"card": {"deviation": 0}},
        {"card": {"deviation": "1"}}, {"card": {"made": []}}, {"card": {"quality": {"score": 2}}},
        {"vector": np.array([1, np.nan, 1, 1], np.float32)}, {"vector": np.zeros(4, np.float32)},
        {"vector": np.ones((2, 2), np.float32)}, {"vector": np.ones(4, np.int64)}, {"extra": {"more": np.ones(2, np.float32)}},
        {"metadata": {"format": "flow-explorer", "card": "{}"}},
        {"metadata": {"format": "flow-explorer-direction", "card": "{"}},
        {"metadata": {"format": "flow-explorer-direction", "card": "[]"}},
        {"metadata": {"format": "flow-explorer-direction"}},
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_in_one_sentence(tmp_path, wrong):
    path = tmp_path / "bad.safetensors"
    hostile(path)
    assert load_direction(path).name == "it"
    hostile(path, **wrong)
    with pytest.raises(DataError) as caught:
        load_direction(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_no_file_of_a_direction_is_refused(tmp_path):
    path = tmp_path / "it.safetensors"
    with pytest.raises(DataError, match="There is no direction"):
        load_direction(path)
    path.write_bytes(b"not a file of tensors at all")
    with pytest.raises(DataError, match="not a direction"):
        load_direction(path)
    hostile(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match="not a direction"):
        load_direction(path)
    with pytest.raises(DataError, match="cannot be written"):
        save_direction(tmp_path / "nowhere" / "it.safetensors", direction(np.ones(3)))
