"""Making a painting plausible: what it leaves alone, what it shrinks, and that the picture becomes likelier for it."""

from __future__ import annotations

import numpy as np
import pytest

from flow_explorer.assets import resolve_model
from flowcore.errors import ConfigError
from flowcore.latents.plausible import BOUND, blend, change_maps, kept_of, more_plausible, soft_border
from flowcore.model import checkpoint
from flowcore.model.codec import decode_picture, encode_picture
from flowcore.pictures.painting import Stroke, paint

RNG = np.random.default_rng(0)


def test_an_amount_of_nothing_is_what_was_painted_bit_for_bit():
    before, painted = (RNG.standard_normal(50).astype(np.float32) * 3 for _ in range(2))
    z = more_plausible(before, painted, 0.0)
    assert z.dtype == np.float32 and np.array_equal(z, painted) and z is not painted


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_what_moved_far_is_pulled_back_and_never_past_where_it_was(dtype):
    before = RNG.standard_normal(500).astype(dtype)
    painted = before + (RNG.standard_normal(500) * 2).astype(dtype)
    moved = np.abs(painted - before)
    last = painted
    for amount in (0.25, 0.5, 1.0):
        z = more_plausible(before, painted, amount)
        assert z.dtype == dtype
        near = moved <= BOUND * 0.999
        assert np.array_equal(z[near], painted[near])
        far = ~near & (moved > BOUND * 1.001)
        assert (np.abs(z - before)[far] < np.abs(last - before)[far]).all()
        assert (np.sign(z - before) == np.sign(painted - before))[far].all()
        last = z
    assert np.abs(last - before).max() <= BOUND * 1.0001


def test_a_single_number_says_it_exactly():
    assert more_plausible(np.array([0.0, 1.0]), np.array([4.0, 1.5]), 0.5) == pytest.approx([2.75, 1.5])
    assert more_plausible(np.array([0.0]), np.array([-4.0]), 1.0) == pytest.approx([-1.5])


def test_the_border_is_whole_in_the_stroke_and_falls_off_around_it():
    where = np.zeros((40, 60), bool)
    where[10:14, 20:24] = True
    border = soft_border(where)
    assert (border[where] == 1).all() and border[30].max() == 0
    assert 1 > border[10, 24] > border[10, 25] > 0
    # The same by the plain definition.
    rows, columns = np.nonzero(where)
    grid = np.indices(where.shape)
    nearest = np.sqrt(((grid[0][..., None] - rows) ** 2 + (grid[1][..., None] - columns) ** 2).min(-1))
    assert np.allclose(border, np.clip(1 - (nearest - 0.5) / 3.0, 0, 1), atol=1e-6)
    assert soft_border(np.zeros((5, 5), bool)).max() == 0


def test_outside_of_the_border_the_picture_stays_to_the_byte():
    painted, decoded = (RNG.integers(0, 256, (40, 40, 3), dtype=np.uint8) for _ in range(2))
    where = np.zeros((40, 40), bool)
    where[5:9, 5:9] = True
    mixed = blend(decoded, painted, soft_border(where))
    assert np.array_equal(mixed[where], decoded[where]) and np.array_equal(mixed[20:], painted[20:])
    assert np.array_equal(blend(painted, painted, soft_border(where)), painted)


def test_what_is_kept_is_a_share_of_the_strokes_own_change():
    before = np.full((4, 4, 3), 100, np.uint8)
    where = np.zeros((4, 4), bool)
    where[0] = True
    painted = before.copy()
    painted[0] = 200
    half = painted.copy()
    half[0] = 150
    half[3] = 104
    kept = kept_of(before, painted, half, where)
    assert (kept.share, kept.inside) == (pytest.approx(0.5), pytest.approx(50))
    assert kept.outside == pytest.approx(4 / 3)
    assert kept_of(before, painted, painted, where).share == 1
    assert kept_of(before, before, before, where).share is None
    assert kept_of(before, painted, half, np.ones((4, 4), bool)).outside == 0


def test_nonsense_is_refused_in_a_sentence():
    z = np.zeros(4)
    with pytest.raises(ConfigError, match="0 to 1"):
        more_plausible(z, z, 1.5)
    with pytest.raises(ConfigError, match="one model"):
        more_plausible(z, np.zeros(5), 0.5)


def test_a_painted_garment_becomes_likelier_and_nothing_else_of_it_changes():
    """The bundled model of garments with NICE's speed: a white spot where the background is black."""
    flow = checkpoint.load(resolve_model("fashion-nice")).flow.eval()
    before = decode_picture(flow, flow.sample(1, 0.6, seed=3)[0].numpy())
    painted, where = paint(before, [Stroke(((4.0, 4.0),), 2.5, (250, 250, 250))])
    first, second = encode_picture(flow, before), encode_picture(flow, painted)
    (change,) = change_maps(flow, first.z, second.z)
    assert change.shape == before.shape[:2]
    z = more_plausible(first.z, second.z, 1.0)
    picture = blend(decode_picture(flow, z), painted, soft_border(where))
    third = encode_picture(flow, picture)
    assert first.bpd < third.bpd < second.bpd
    kept = kept_of(before, painted, picture, where)
    assert kept.share is not None and 0 < kept.share < 1 and kept.outside < 5
