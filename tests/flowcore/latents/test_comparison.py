"""Two models side by side: what each makes of a picture, whether their z can be exchanged, and paired differences."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from flowcore.errors import ConfigError, NonFiniteError
from flowcore.latents.anatomy import anatomy
from flowcore.latents.comparison import Reading, Shares, paired, read_job, shares, why_not_exchanged
from flowcore.model.codec import class_log_probs, decode_picture, encode_picture, label_tensor
from flowcore.model.labels import single
from flowcore.model.priors import LearnedPrior
from flowcore.model.systems import glow, nice, realnvp


@pytest.fixture(autouse=True)
def _one_thread(one_thread):
    """Small models."""


def moved(flow, seed: int = 0):
    """A flow away from its start, where all couplings do nothing."""
    generator = torch.Generator().manual_seed(seed)
    flow.initialise(torch.rand(16, *flow.event_shape, generator=generator) * 255)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.02)
    return flow.eval()


def small(seed: int = 0, **options):
    return moved(glow((3, 8, 8), **{"levels": 3, "steps": 2, "width": 8, **options}), seed)


def picture(seed: int = 0, shape=(8, 8, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def read(flow, *arguments, **options) -> tuple[Reading, Shares]:
    reading, found = [step for step in read_job(flow, *arguments, **options) if step is not None]
    assert isinstance(reading, Reading) and isinstance(found, Shares)
    return reading, found


def test_what_stays_of_a_picture_is_its_coarse_levels():
    flow, seen = small(), picture()
    reading, _ = read(flow, seen, drawn=2, seed=5)
    encoded = encode_picture(flow, seen)
    assert reading.bpd == pytest.approx(encoded.bpd, abs=1e-9) and np.array_equal(reading.z, encoded.z)
    apart = np.abs(encoded.z - encode_picture(flow, reading.redrawn).z)  # of a picture that was rounded to bytes
    coarse = flow.levels[-1].start
    assert apart[coarse:].mean() < 0.2 * apart[:coarse].mean()
    assert not np.array_equal(reading.redrawn, seen)
    other, _ = read(flow, seen, drawn=2, seed=6)
    same, _ = read(flow, seen, drawn=2, seed=5)
    assert np.array_equal(reading.redrawn, same.redrawn) and not np.array_equal(reading.redrawn, other.redrawn)


def test_the_same_seed_draws_the_same_z_for_both_models():
    one, other = small(1), small(2)
    seen, drawn = picture(3), 1
    first = one.levels[0].stop
    fresh = one.sample(1, 0.7, 9, 2**32)[0, :first].numpy()
    for flow in (one, other):
        reading, _ = read(flow, seen, drawn=drawn, seed=9, temperature=0.7)
        z = np.concatenate([fresh, reading.z[first:]]).astype(np.float32)
        assert np.array_equal(decode_picture(flow, z), reading.redrawn)


def test_shares_add_up_to_the_bits():
    flow, seen = small(), picture(1)
    reading, found = read(flow, seen)
    assert found.before == pytest.approx(8.0) and len(found.levels) == 3
    assert found.before + math.fsum(found.levels) == pytest.approx(reading.bpd, abs=1e-4)
    whole = anatomy(flow, seen)
    assert found.before + math.fsum(found.levels) == pytest.approx(whole.bpd, abs=1e-12)
    assert shares(flow, whole) == found


def test_a_model_of_one_level_has_nothing_coarser_to_keep():
    flow = moved(nice((1, 8, 8), depth=2, width=16, hidden=1))
    seen = picture(2, (8, 8, 1))
    reading, found = read(flow, seen, drawn=4)
    assert reading.drawn == 0 and np.array_equal(reading.redrawn, seen) and len(found.levels) == 1
    deep, _ = read(small(), picture(), drawn=9)
    assert deep.drawn == 2


def test_a_conditional_model_reads_under_the_likeliest_class_or_the_one_asked_for():
    flow = small(classes=3)
    assert isinstance(flow.prior, LearnedPrior)
    with torch.no_grad():
        flow.prior.location.add_(torch.randn(flow.prior.location.shape, generator=torch.Generator().manual_seed(3)))
    seen = picture(4)
    likeliest = int(class_log_probs(flow, seen).argmax())
    reading, _ = read(flow, seen)
    assert reading.label == single(likeliest)
    asked = single((likeliest + 1) % 3)
    other, _ = read(flow, seen, asked)
    assert other.label == asked and other.bpd > reading.bpd
    assert other.bpd == pytest.approx(encode_picture(flow, seen, label_tensor(flow, [asked])).bpd, abs=1e-9)
    plain, _ = read(small(), seen, asked)
    assert plain.label == ()


def test_a_z_is_exchanged_only_where_it_means_something():
    one = small()
    assert why_not_exchanged(one, small(2)) == ""
    assert "3 here and 2 there" in why_not_exchanged(one, small(levels=2))
    shaped = moved(realnvp((3, 8, 8), levels=3, width=8, blocks=1))
    assert "Level 3 of z has 48×1×1 numbers here and 12×2×2 there" in why_not_exchanged(one, shaped)
    assert "no classes and the other 4" in why_not_exchanged(one, small(classes=4))
    logistic = moved(nice((1, 8, 8), depth=2, width=16, hidden=1))
    gaussian = moved(nice((1, 8, 8), depth=2, width=16, hidden=1, prior="gaussian"))
    assert "kinds" in why_not_exchanged(logistic, gaussian)


def test_what_is_hard_for_both_cancels():
    hard = np.random.default_rng(0).normal(4, 2, 200)
    result = paired(hard, hard + 0.1 + np.random.default_rng(1).normal(0, 0.01, 200))
    assert result.count == 200 and result.difference == pytest.approx(0.1, abs=0.003)
    assert result.standard_error == pytest.approx(0.01 / math.sqrt(200), rel=0.2)
    assert result.bpd[1] - result.bpd[0] == pytest.approx(result.difference)
    assert paired(np.array([3.0]), np.array([2.5])).standard_error is None
    for wrong in ((np.zeros(0), np.zeros(0)), (np.zeros(2), np.zeros(3))):
        with pytest.raises(ConfigError):
            paired(*wrong)
    with pytest.raises(NonFiniteError):
        paired(np.array([1.0, np.inf]), np.ones(2))
