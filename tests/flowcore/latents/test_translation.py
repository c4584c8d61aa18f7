"""Pictures from pile to pile and back, by every method: each a bijection that can be undone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from flowcore.errors import ConfigError
from flowcore.latents.fitting import encode_pile
from flowcore.latents.translation import (
    ByClass,
    ByMap,
    ByPair,
    translate,
    translate_followed,
    translate_steps,
)
from flowcore.latents.transport import gaussian_transport, mean_shift
from flowcore.model.codec import from_pixels, to_pixels
from flowcore.model.flow import Flow
from flowcore.model.labels import single
from flowcore.model.systems import build

SMALL = {"system": "glow-plus", "shape": [3, 8, 8], "levels": 2, "steps": 2, "width": 16, "split_width": 8}


def moved(architecture: dict, seed: int = 0) -> Flow:
    """A flow away from its start."""
    torch.manual_seed(seed)
    flow = build(architecture)
    flow.initialise(torch.rand(64, *flow.event_shape) * 256)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return flow.eval()


def piles() -> tuple[np.ndarray, np.ndarray]:
    """Dark pictures, and bright ones."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 120, (12, 8, 8, 3), np.uint8), rng.integers(130, 256, (12, 8, 8, 3), np.uint8)


def ways(classes: int = 3) -> dict:
    flow, conditional = moved(SMALL), moved({**SMALL, "classes": classes})
    a, b = (encode_pile(flow, pile) for pile in piles())
    return {
        "mean-shift": (flow, ByMap(flow, mean_shift(a, b))),
        "transport": (flow, ByMap(flow, gaussian_transport(a, b, rank=8))),
        "conditional": (conditional, ByClass(conditional, single(0), single(2))),
        "pair": (flow, ByPair(flow, moved(SMALL, 1))),
    }


@pytest.mark.parametrize("name", ["mean-shift", "transport", "conditional", "pair"])
def test_there_and_back_is_where_it_began(name):
    flow, way = ways()[name]
    for picture in piles()[0][:4]:
        done = translate(flow, way, picture)
        assert done.cycle_error <= 1e-3
        assert done.picture.shape == picture.shape and done.picture.dtype == np.uint8
        assert (done.picture != picture).any()


@pytest.mark.parametrize("name", ["mean-shift", "transport", "conditional"])
def test_nothing_changes_at_no_strength_and_less_changes_at_less(name):
    flow, way = ways()[name]
    picture = piles()[0][0]
    assert np.array_equal(translate(flow, way, picture, 0.0).picture, picture)
    half, whole = (translate(flow, way, picture, strength).picture.astype(float) for strength in (0.5, 1.0))
    assert np.abs(half - picture).mean() < np.abs(whole - picture).mean()


def test_a_pile_of_dark_pictures_becomes_bright():
    """An untrained flow with an affine map is a crude one, but the mean goes where it should."""
    flow = build({"system": "nice", "shape": [3, 8, 8], "depth": 2, "width": 8, "hidden": 1}).eval()
    flow.initialised_flag.fill_(True)
    dark, bright = piles()
    way = ByMap(flow, mean_shift(encode_pile(flow, dark), encode_pile(flow, bright)))
    made = np.stack([translate(flow, way, picture).picture for picture in dark]).astype(float)
    assert abs(made.mean() - bright.mean()) < 12


def test_where_single_precision_is_not_enough_double_is_taken():
    flow, way = ways()["mean-shift"]

    class Shaky(ByMap):
        def back_steps(self, y, strength, at_once=False):
            result = yield from super().back_steps(y, strength, at_once)
            return result + 50 * (result.dtype == torch.float32)

    done = translate(flow, Shaky(flow, way.change), piles()[0][0])
    assert done.precise and done.cycle_error < 1e-6


def test_where_numbers_cannot_follow_a_smaller_strength_is_taken():
    flow, way = ways()["mean-shift"]

    class Wild(ByMap):
        def back_steps(self, y, strength, at_once=False):
            result = yield from super().back_steps(y, strength, at_once)
            return result + 50 * (strength > 0.3)

    picture = piles()[0][0]
    done = translate_followed(flow, Wild(flow, way.change), picture)
    assert done.strength == 0.25 and done.cycle_error <= 1e-3 and (done.picture != picture).any()
    assert translate(flow, Wild(flow, way.change), picture).cycle_error > 0.1
    assert translate_followed(flow, way, picture).strength == 1.0
    flow, pair = ways()["pair"]
    assert translate_followed(flow, pair, picture).strength == 1.0


@pytest.mark.parametrize("name", ["mean-shift", "transport", "conditional", "pair"])
def test_in_steps_it_is_the_same_and_other_work_keeps_its_gradients(name):
    flow, way = ways()[name]
    picture = piles()[0][0]
    whole = way.there(to_pixels(picture[None], flow), 1.0)
    seen, steps = [], translate_steps(flow, way, picture, 1.0)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            done = stop.value
            break
        seen.append(torch.is_grad_enabled())
    assert len(seen) > 10 and all(seen)
    assert not done.exact.requires_grad and (done.exact - whole).abs().max() < 1e-2
    assert np.array_equal(done.picture, from_pixels(done.exact)[0])


def test_beyond_the_other_class_the_way_goes_straight_on():
    flow, way = ways()["conditional"]
    done = [translate(flow, way, piles()[0][0], strength) for strength in (1.0, 1.5, 2.0)]
    assert all(each.cycle_error <= 1e-3 for each in done)
    with torch.no_grad():
        z = torch.zeros(1, flow.num_dims)
        tops = [flow.prior.unwhiten(z[:, flow.levels[-1].start :].reshape(1, *flow.levels[-1].shape), way.label_to(flow, 1, s))
                for s in (0.0, 1.0, 1.5)]  # fmt: skip
    assert torch.allclose(tops[2], tops[0] + 1.5 * (tops[1] - tops[0]), atol=1e-5)


def test_a_pair_that_does_not_fit_is_refused():
    flow = moved(SMALL)
    with pytest.raises(ConfigError, match="share one prior"):
        ByPair(flow, moved({**SMALL, "levels": 1}))
    with pytest.raises(ConfigError, match="strength is 1"):
        translate(flow, ByPair(flow, flow), piles()[0][0], 0.5)
