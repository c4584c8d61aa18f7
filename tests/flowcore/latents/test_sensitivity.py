"""Derivatives of z by the picture and of the picture by z: against finite differences, and against the whole Jacobian."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from flowcore.errors import ConfigError
from flowcore.latents.sensitivity import (
    decode_along,
    encode_along,
    map_shape,
    moved_by,
    reached_by,
    reached_by_job,
    region,
)
from flowcore.model.codec import as_label, encode_picture
from flowcore.model.systems import build
from flowcore.work import finish

SIDE = 8
SYSTEMS = {
    "nice": {"system": "nice", "shape": [1, SIDE, SIDE], "depth": 4, "width": 24, "hidden": 1, "activation": "silu"},
    "realnvp": {"system": "realnvp", "shape": [3, SIDE, SIDE], "levels": 2, "width": 8, "blocks": 1, "conditional": True},
    "glow": {"system": "glow", "shape": [3, SIDE, SIDE], "levels": 2, "steps": 2, "width": 8},
    "glow-additive": {"system": "glow", "shape": [1, SIDE, SIDE], "levels": 2, "steps": 2, "width": 8, "coupling": "additive",
                      "permutation": "plain"},
    "glow-classes": {"system": "glow", "shape": [1, SIDE, SIDE], "levels": 2, "steps": 1, "width": 8, "classes": 3},
    "glow-plus": {"system": "glow-plus", "shape": [3, SIDE, SIDE], "levels": 2, "steps": 2, "width": 8, "split_width": 8},
    "glow-plus-uniform": {"system": "glow-plus", "shape": [1, SIDE, SIDE], "levels": 2, "steps": 2, "width": 8, "split_width": 0,
                          "dequantisation": "uniform", "input_bound": 4.0},
}  # fmt: skip


def made(name: str, dtype: torch.dtype = torch.float64):
    """A small flow with weights away from their start, one picture in two thirds of which the levels are crowded, its label."""
    torch.manual_seed(sum(name.encode()))
    flow = build(SYSTEMS[name]).to(dtype).eval()
    channels = flow.event_shape[0]
    levels = torch.randint(0, 256, (32, channels, SIDE, SIDE)) * (torch.rand(32, channels, SIDE, SIDE) < 0.4)
    flow.initialise(levels.to(dtype) + torch.rand(levels.shape, dtype=dtype) * 0.999)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    picture = levels[0].permute(1, 2, 0).to(torch.uint8).numpy()
    label = as_label(flow, np.array([1])) if flow.num_classes else None
    return flow, picture, label


def centres(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float64)) + 0.5


@pytest.mark.parametrize("name", SYSTEMS)
def test_directions_agree_with_finite_differences_both_ways(name):
    flow, picture, label = made(name)
    x = centres(picture)
    direction = torch.randn(x.shape, dtype=torch.float64)
    step = 1e-5
    with torch.no_grad():
        z, moved = finish(encode_along(flow, x, direction, label))
        near = [flow.encode(x + sign * step * direction, label)[0] for sign in (1, -1)]
        expected = (near[0] - near[1]) / (2 * step)
        assert torch.allclose(z, flow.encode(x, label)[0])
        assert (moved - expected).abs().max() < 1e-6 * max(1.0, expected.abs().max())

        back = torch.randn(z.shape, dtype=torch.float64)
        again, shift = finish(decode_along(flow, z, back, label))
        near = [flow.decode(z + sign * step * back, label) for sign in (1, -1)]
        expected = (near[0] - near[1]) / (2 * step)
        assert (again - x).abs().max() < 1e-6
        assert (shift - expected).abs().max() < 1e-4 * expected.abs().max()
        # And the one undoes the other: ∂x/∂z · ∂z/∂x = 1.
        assert (finish(decode_along(flow, z, moved, label))[1] - direction).abs().max() < 1e-6


@pytest.mark.parametrize("name", ["nice", "glow-plus"])
def test_maps_are_blocks_of_the_whole_jacobian(name):
    flow, picture, label = made(name)
    x = centres(picture)
    # By backward differentiation, which is another way altogether.
    jacobian = torch.autograd.functional.jacobian(lambda value: flow.encode(value)[0], x).view(flow.num_dims, flow.num_dims)
    # What the layers' own log-dets say is the determinant of this very matrix.
    assert torch.linalg.slogdet(jacobian)[1].item() == pytest.approx(flow.encode(x)[1].item(), rel=1e-6)
    where = region(SIDE, SIDE, 3, 4, 1.0)
    assert where.sum() == 5
    found = moved_by(flow, picture, where)
    spot = torch.from_numpy(where).flatten()
    channels = flow.event_shape[0]
    # All pixels of the region together, channel by channel.
    together = jacobian.view(flow.num_dims, channels, -1)[:, :, spot].sum(2)
    squares = together.square().sum(1).numpy()
    for level, shown in zip(flow.levels, found.maps, strict=True):
        shape = map_shape(flow, level)
        assert shown.shape == shape[1:]
        expected = np.sqrt(squares[level.start : level.stop].reshape(shape).sum(0))
        assert np.allclose(shown, expected, rtol=1e-5, atol=1e-9)
    assert sum(found.shares) == pytest.approx(1)
    energy = [squares[level.start : level.stop].sum() for level in flow.levels]
    assert found.shares == pytest.approx([part / sum(energy) for part in energy])

    inverse = torch.linalg.inv(jacobian).view(channels, SIDE, SIDE, flow.num_dims)
    z = flow.encode(x)[0][0].detach().numpy()
    for level, own in enumerate(flow.levels):
        shape = map_shape(flow, own)
        block = inverse[..., own.start : own.stop].reshape(channels, SIDE, SIDE, *shape)[..., 1, 0]
        reached = reached_by(flow, z, level, 1, 0)
        assert reached.fraction == 1
        assert np.allclose(reached.map, block.square().sum((0, 3)).sqrt(), rtol=1e-5, atol=1e-8)
        one = reached_by(flow, z, level, 1, 0, channel=shape[0] - 1)
        assert np.allclose(one.map, block[..., -1].square().sum(0).sqrt(), rtol=1e-5, atol=1e-8)


def test_what_is_known_so_far_comes_early_and_ends_exact():
    flow, picture, _ = made("glow")
    z = encode_picture(flow, picture).z
    steps, known = reached_by_job(flow, z, len(flow.levels) - 1, 0, 0), []
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            exact = stop.value
            break
        if step is not None:
            known.append(step)
    fractions = [part.fraction for part in known]
    assert fractions == sorted(fractions) and 0 < fractions[0] < 0.3 and exact.fraction == 1
    # A few of many directions already tell where.
    assert np.corrcoef(known[0].map.ravel(), exact.map.ravel())[0, 1] > 0.5
    assert np.allclose(exact.map, reached_by(flow, z, len(flow.levels) - 1, 0, 0).map)


def test_single_precision_says_the_same():
    double, picture, _ = made("glow-plus")
    single = made("glow-plus")[0].float()
    where = region(SIDE, SIDE, 5, 5, 0)
    for a, b in zip(moved_by(double, picture, where).maps, moved_by(single, picture, where).maps, strict=True):
        assert np.abs(a - b).max() < 1e-3 * a.max()
    z = encode_picture(double, picture).z
    exact = reached_by(double, z, 0, 2, 2).map
    assert np.abs(reached_by(single, z.astype(np.float32), 0, 2, 2).map - exact).max() < 1e-2 * exact.max()


def test_a_place_between_two_classes_is_looked_at_as_well():
    """As on a walk between them: the label is then weights."""
    flow, picture, one = made("glow-classes")
    where = region(SIDE, SIDE, 4, 4, 0)
    halfway = moved_by(flow, picture, where, as_label(flow, np.array([[0.5, 0.5, 0.0]]))).maps
    assert np.allclose(moved_by(flow, picture, where, as_label(flow, np.array([[0.0, 1.0, 0.0]]))).maps[1],
                       moved_by(flow, picture, where, one).maps[1])  # fmt: skip
    assert not np.allclose(halfway[1], moved_by(flow, picture, where, one).maps[1], rtol=1e-3)


def test_gradients_are_left_alone():
    """Derivatives by the picture need no weights' gradients, and leave none behind."""
    flow, picture, _ = made("glow")
    maps = moved_by(flow, picture, region(SIDE, SIDE, 0, 0, 2)).maps
    assert all(np.isfinite(shown).all() and shown.max() > 0 for shown in maps)
    assert all(parameter.grad is None for parameter in flow.parameters())


def test_a_region_is_a_disc_that_never_is_empty():
    assert region(8, 8, 0, 0, 0).sum() == 1
    assert region(8, 8, 0, 0, -3).sum() == 1
    assert region(8, 8, 4, 4, 1).sum() == 5
    assert region(8, 8, 0, 0, 100).all()


def test_nonsense_is_refused_in_a_sentence():
    flow, picture, _ = made("glow")
    z = np.zeros(flow.num_dims)
    with pytest.raises(ConfigError, match="no pixel"):
        moved_by(flow, picture, np.zeros((SIDE, SIDE), bool))
    with pytest.raises(ConfigError, match="no pixel"):
        region(8, 8, 8, 0, 1)
    for place in ((5, 0, 0), (0, 4, 0), (0, 0, -1)):
        with pytest.raises(ConfigError, match="level"):
            reached_by(flow, z, *place)
    with pytest.raises(ConfigError, match="numbers"):
        reached_by(flow, z, 0, 0, 0, channel=99)
    with pytest.raises(ConfigError, match="sees pictures"):
        moved_by(flow, picture[:, :, :1], region(SIDE, SIDE, 0, 0, 1))
    points = build({"system": "glow", "shape": [2]})
    with pytest.raises(ConfigError, match="points"):
        map_shape(points, points.levels[0])
