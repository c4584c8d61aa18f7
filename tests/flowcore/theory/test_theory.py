"""The theory page's numbers against flowcore's own layers, autograd and numerical integration."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest
import torch
from torch import nn

from flowcore.bijections import (
    AffineCoupling,
    ChannelMask,
    CheckerboardMask,
    InvertibleLinear,
    RationalQuadraticCoupling,
    Rescale,
    Squeeze,
    channel_cycle,
    half,
)
from flowcore.bijections.linear import ChannelLinear
from flowcore.errors import CheckpointError, ConfigError
from flowcore.model.checkpoint import load
from flowcore.theory import convolution, coupling, masking
from flowcore.theory.affine import Affine
from flowcore.theory.curve import BASES, KNOTS, MIN_RISE, REACH, Curve, base_log_prob, straight
from flowcore.theory.learning import TARGETS, Learner, _heights
from flowcore.theory.parallelogram import Matrix

RNG = np.random.default_rng(5)


def bent(seed: int = 1) -> Curve:
    rises = np.random.default_rng(seed).uniform(0.05, 1.2, KNOTS - 1)
    return Curve(tuple(np.concatenate([[-2.6], -2.6 + rises.cumsum()])))


# -- figure 1 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slope", "offset"), [(2.0, 1.0), (0.5, -3.0), (-2.0, 3.0), (-0.7, 0.2)])
def test_an_affine_push_forward_is_flowcores_and_keeps_its_area(slope, offset):
    affine = Affine(slope, offset)
    layer = Rescale(abs(slope), 0.0)
    _, log_det = layer.encode(torch.zeros(1, 1, dtype=torch.float64))
    assert affine.log_det == pytest.approx(float(log_det), abs=1e-6)
    if slope > 0:
        z, _ = Rescale(slope, -offset / slope).encode(torch.tensor([[affine.x(0.3)]], dtype=torch.float64))
        assert float(z) == pytest.approx(0.3, abs=1e-12)
    assert affine.z(affine.x(0.3)) == pytest.approx(0.3, abs=1e-12)
    low, high = affine.ends
    x = np.linspace(low, high, 1001)
    p = np.exp([affine.log_prob(value) for value in (x[:-1] + x[1:]) / 2])
    assert float((p * np.diff(x)).sum()) == pytest.approx(1.0, abs=1e-6)
    assert affine.area == pytest.approx(1.0, abs=1e-12)
    assert affine.log_prob(high + 0.01) == -math.inf
    # Without the bars a falling line would give a density below zero.
    assert math.copysign(1, affine.signed) == math.copysign(1, slope) and abs(affine.signed) == affine.density


def test_one_becomes_one_to_three():
    assert Affine(2.0, 1.0).ends == (1.0, 3.0) and Affine(-2.0, 3.0).ends == (1.0, 3.0)


@pytest.mark.parametrize("slope", [0.0, math.nan, math.inf])
def test_a_flat_line_has_no_inverse(slope):
    with pytest.raises(ConfigError):
        Affine(slope, 0.0)


# -- figure 2 ---------------------------------------------------------------------------------------------------------


class ThroughKnots(RationalQuadraticCoupling):
    """flowcore's own spline through knots that are given, not those of a network."""

    def __init__(self, given: torch.Tensor) -> None:
        super().__init__(ChannelMask(2, [0]), nn.Identity(), bins=KNOTS - 1, bound=REACH)
        self.given = given

    def knots(self, kept):
        return self.given.expand(len(kept), 1, 3, KNOTS)


def layer_of(heights: torch.Tensor) -> ThroughKnots:
    """The layer from z to x; in the unit of its own, since it takes knots at ±bound alone."""
    at = torch.linspace(-REACH, REACH, KNOTS, dtype=torch.float64)
    secants = heights.diff() / (at[1] - at[0])
    slopes = torch.cat([secants[:1], (secants[:-1] * secants[1:]).sqrt(), secants[-1:]])
    return ThroughKnots(torch.stack([at, heights, slopes])[None, None])


def test_the_curve_is_the_spline_coupling():
    curve = bent()
    layer = layer_of(torch.tensor(curve.heights, dtype=torch.float64))
    z = np.linspace(-REACH + 1e-3, REACH - 1e-3, 301)
    points = torch.tensor(np.column_stack([np.zeros_like(z), z]))
    x, log_det = layer.encode(points)
    assert np.allclose(curve.x(z), x[:, 1].numpy(), atol=1e-12)
    assert np.allclose(np.log(curve.slope(z)), log_det.numpy(), atol=1e-10)
    assert np.allclose(curve.z(curve.x(z)), z, atol=1e-9)


@pytest.mark.parametrize("base", BASES)
def test_what_is_in_a_strip_stays_in_it(base):
    for seed in range(4):
        curve = bent(seed)
        for z, width in ((-2.5, 0.4), (0.0, 0.05), (1.3, 1.0), (2.8, 0.9)):
            low, high, before, after = curve.strip(z, width, base)
            assert low < high and before == pytest.approx(after, abs=1e-6)
        assert curve.mass_of_z(-40, 40, base) == pytest.approx(1.0, abs=1e-6)
        assert curve.mass_of_x(float(curve.x(-40.0)), float(curve.x(40.0)), base) == pytest.approx(1.0, abs=1e-6)


def test_a_thin_strips_product_is_its_probability():
    curve, z, width = bent(), 0.4, 1e-3
    low, high, before, _ = curve.strip(z, width)
    assert float(np.exp(base_log_prob(np.array(z)))) * width == pytest.approx(before, rel=1e-5)
    assert float(np.exp(curve.log_prob(curve.x(z)))) * (high - low) == pytest.approx(before, rel=1e-5)


def test_beyond_the_knots_the_curve_goes_straight_on():
    curve = bent()
    z = np.array([-9.0, -4.0, 4.0, 9.0])
    assert np.allclose(curve.z(curve.x(z)), z, atol=1e-9)
    assert np.allclose(np.diff(curve.x(z))[[0, 2]] / 5.0, curve.slope(z)[[0, 3]])


@pytest.mark.parametrize("heights", [straight()[:-1], (*straight()[:-1], math.nan), (*straight()[:-1], straight()[-2])])
def test_a_curve_that_cannot_be_taken_back_is_refused(heights):
    with pytest.raises(ConfigError):
        Curve(heights)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_a_density_and_its_points_are_drawn_from_it(name):
    x, p, log_p = TARGETS[name].grid
    spacing = x[1] - x[0]
    assert float(p.sum() * spacing) == pytest.approx(1.0, abs=1e-6)
    points = TARGETS[name].sample(4000, seed=2)
    assert points.mean() == pytest.approx(float((x * p).sum() * spacing), abs=0.01)
    assert -TARGETS[name].log_prob(points).mean() == pytest.approx(TARGETS[name].entropy, abs=0.02)
    assert np.array_equal(points, TARGETS[name].sample(4000, seed=2))


def test_the_learners_gradient_is_autograds():
    learner = Learner(bent(), "skewed")
    numbers = torch.tensor(learner._numbers, requires_grad=True)
    heights = torch.cat([numbers[:1], numbers[:1] + (MIN_RISE + numbers[1:].exp()).cumsum(0)])
    inside = learner.points[(learner.points > heights[0].item()) & (learner.points < heights[-1].item())]
    assert len(inside) > 300
    learner.points = inside
    layer = layer_of(heights)
    x = torch.tensor(np.column_stack([np.zeros_like(inside), inside]))
    z = layer.decode(x)
    _, log_det = layer.encode(z)
    loss = (log_det + 0.5 * z[:, 1] ** 2 + 0.5 * math.log(2 * math.pi)).mean()
    loss.backward()
    assert learner.loss() == pytest.approx(loss.item(), abs=1e-9)
    assert np.allclose(learner.gradient(), numbers.grad.numpy(), atol=1e-6)


@pytest.mark.parametrize("name", ["two-hills", "box"])
def test_the_curve_learns_its_target(name):
    learner, start = Learner(Curve(straight()), name), Curve(straight())
    for _ in range(140):
        curve = learner.step()
    target = TARGETS[name]
    gap = target.loss(curve) - target.entropy
    assert 0 <= gap < 0.1 < target.loss(start) - target.entropy
    again = Learner(Curve(straight()), name)
    first = [again.step() for _ in range(5)]
    other = Learner(Curve(straight()), name)
    assert [other.step() for _ in range(5)] == first


def test_the_learner_starts_from_the_hands_curve():
    curve = bent(3)
    learner = Learner(curve, "box")
    assert np.allclose(_heights(learner._numbers[None])[0], curve.heights, atol=1e-9)


# -- figure 3 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entries", [(1.5, 0.5, 0.4, 1.2), (0.5, 1.5, 1.2, 0.4), (0.8, -0.6, 0.6, 0.8), (-1.0, 0.3, 2.0, 1.1)])
def test_the_parallelograms_area_is_the_jacobians_determinant(entries):
    matrix = Matrix(*entries)
    layer = InvertibleLinear(2).double()
    layer.matrix.data = torch.tensor(matrix.array)
    points = torch.tensor(RNG.uniform(size=(20, 2)))
    moved, log_det = layer.encode(points)
    assert np.allclose(matrix.apply(points.numpy()), moved.detach().numpy(), atol=1e-12)
    assert matrix.log_abs_det == pytest.approx(log_det[0].item(), abs=1e-9)
    jacobian = torch.autograd.functional.jacobian(lambda z: layer.encode(z[None])[0][0], points[0])
    assert matrix.det == pytest.approx(float(torch.linalg.det(jacobian)), abs=1e-9)
    assert Matrix.shoelace(matrix.corners) == pytest.approx(matrix.det, abs=1e-12)
    assert abs(matrix.det) * matrix.density == pytest.approx(1.0, abs=1e-12)


def test_a_square_that_became_a_line_has_no_density():
    flat = Matrix(1.6, 0.8, 1.0, 0.5)
    assert flat.singular and flat.density == math.inf and flat.log_abs_det == -math.inf


# -- figure 4 ---------------------------------------------------------------------------------------------------------


class Small(nn.Module):
    """The figure's fixed network, in torch."""

    def __init__(self, layer: int) -> None:
        super().__init__()
        self.net = {name: torch.tensor(value) for name, value in coupling.NETWORKS[layer].items()}

    def forward(self, kept):
        hidden = torch.tanh(kept @ self.net["hidden"].T + self.net["hidden_bias"])
        return hidden @ self.net["last"].T + self.net["last_bias"]


def torch_layer(layer: int, flip: bool) -> AffineCoupling:
    return AffineCoupling(half(4, flip), Small(layer), coupling.BOUND)


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("flip", [False, True])
def test_the_coupling_is_flowcores(layer, flip):
    for x in RNG.uniform(-2, 2, (5, 4)):
        passed = coupling.couple(x, layer, flip)
        own = torch_layer(layer, flip)
        point = torch.tensor(x)[None]
        z, log_det = own.encode(point)
        jacobian = torch.autograd.functional.jacobian(lambda v, own=own: own.encode(v[None])[0][0], point[0])
        assert np.allclose(passed.z, z[0].numpy(), atol=1e-12)
        assert passed.log_det == pytest.approx(log_det[0].item(), abs=1e-12)
        assert np.allclose(passed.jacobian, jacobian.numpy(), atol=1e-12)
        assert passed.det == pytest.approx(float(torch.linalg.det(jacobian)), abs=1e-12)
        assert np.allclose(passed.jacobian[np.ix_(passed.copied, passed.changed)], 0)
        assert np.allclose(passed.jacobian[np.ix_(passed.copied, passed.copied)], np.eye(2))


@pytest.mark.parametrize("layers", coupling.LAYERS)
def test_a_stacks_jacobian_and_log_determinant(layers):
    x = np.array([0.8, -0.4, 1.2, 0.5])
    steps = coupling.passes(x, layers)
    jacobian, log_det = coupling.stack(steps)
    chain = [torch_layer(i, flip) for i, flip in enumerate(coupling.LAYERS[layers])]

    def encode(v):
        v = v[None]
        for layer in chain:
            v, _ = layer.encode(v)
        return v[0]

    own = torch.autograd.functional.jacobian(encode, torch.tensor(x))
    assert np.allclose(jacobian, own.numpy(), atol=1e-12)
    assert log_det == pytest.approx(float(torch.linalg.slogdet(own)[1]), abs=1e-12)
    never = np.flatnonzero(steps[-1].z == x).tolist()
    assert never == {"one": [0, 1], "same": [0, 1], "swap": []}[layers]


# -- figure 5 ---------------------------------------------------------------------------------------------------------


def mask_of(name: str, step: int, shape):
    """flowcore's mask, and the ways from a picture to what it takes and back."""
    channels, height, width = shape
    flip = step % 2 == 1
    if name == "half":
        return half(height * width, flip), lambda x: x.flatten(1), lambda z: z.reshape(shape)
    if name == "checkerboard":
        return CheckerboardMask(channels, flip), lambda x: x[None], lambda z: z[0]
    if name == "channel":
        squeeze = Squeeze()
        return half(4 * channels, flip), lambda x: squeeze.encode(x[None])[0], lambda z: squeeze.decode(z)[0]
    return channel_cycle(step), lambda x: x[None], lambda z: z[0]


@pytest.mark.parametrize("name", masking.MASKS)
@pytest.mark.parametrize("step", [0, 1, 2])
def test_the_masks_are_flowcores(name, step):
    shape = (3, 6, 8)
    mask, there, back = mask_of(name, step, shape)
    numbers = torch.arange(1.0, 1 + math.prod(shape)).reshape(shape)
    kept, changed = mask.split(there(numbers))
    # Where the kept part alone survives: only there is a value copied.
    alone = back(mask.merge(kept, torch.zeros_like(changed)))
    assert np.array_equal(masking.kept(name, step, shape), (alone != 0).numpy())


class Told(nn.Module):
    """The figure's network for each mask, in torch, on what the coupling gives it."""

    def __init__(self, name: str, mask) -> None:
        super().__init__()
        self.name, self.mask = name, mask

    def forward(self, kept):
        if self.name == "half":
            told = kept
        elif self.name == "checkerboard":
            cross = torch.tensor([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=kept.dtype) / 4
            told = nn.functional.conv2d(kept, cross.expand(3, 1, 3, 3), padding=1, groups=3)
        else:
            told = kept.mean(1, keepdim=True).expand(-1, self.mask.changed_channels, -1, -1)
        return torch.cat([-1.5 * told, -0.9 * told], 1)


@pytest.mark.parametrize("name", masking.MASKS)
def test_walking_through_the_masks_is_what_couplings_do(name):
    picture = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    x = torch.tensor(picture.transpose(2, 0, 1) / 256.0 - 0.5)
    total = 0.0
    for step in range(masking.steps_of(name)):
        mask, there, back = mask_of(name, step, x.shape)
        z, log_det = AffineCoupling(mask, Told(name, mask), masking.BOUND).encode(there(x))
        before, x, total = x, back(z), total + log_det.sum().item()
        copied = masking.walk(picture, name, 2 * step + 1)
        assert np.allclose(copied.values, before.numpy(), atol=1e-12)
        after = masking.walk(picture, name, 2 * step + 2)
        assert np.allclose(after.values, x.numpy(), atol=1e-12)
        assert after.log_det == pytest.approx(total, abs=1e-9)
    assert after.share == 1.0


def test_how_much_has_changed_after_each_step():
    picture = np.zeros((8, 8, 3), np.uint8)
    shares = {
        name: [masking.walk(picture, name, 2 * n).share for n in range(masking.steps_of(name) + 1)] for name in masking.MASKS
    }
    assert shares["half"] == shares["checkerboard"] == shares["channel"] == [0.0, 0.5, 1.0]
    assert shares["cycle"] == pytest.approx([0.0, 2 / 3, 1.0, 1.0])


def test_what_a_mask_cannot_do_is_said():
    picture = np.zeros((8, 8, 3), np.uint8)
    for bad in (lambda: masking.walk(picture, "half", 5), lambda: masking.walk(picture, "stripes", 0),
                lambda: masking.walk(picture[..., :1], "cycle", 0), lambda: masking.squeeze(np.zeros((3, 5, 4)))):  # fmt: skip
        with pytest.raises(ConfigError):
            bad()


# -- figure 6 ---------------------------------------------------------------------------------------------------------


def test_the_permutation_and_the_rotation_that_contains_it():
    assert convolution.permutation() @ [3, 1, 2] == pytest.approx([1, 2, 3])
    assert np.allclose(convolution.rotation(120.0), convolution.permutation(), atol=1e-12)
    assert np.allclose(convolution.rotation(0.0), np.eye(3))
    for angle in (-180.0, -33.0, 75.0):
        turn = convolution.rotation(angle)
        assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-12) and np.linalg.det(turn) == pytest.approx(1.0)
        assert turn @ [0.2, 0.2, 0.2] == pytest.approx([0.2, 0.2, 0.2])  # grey stays grey
        assert convolution.log_det(turn, 64, 64) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("name", ["faces"])
def test_the_learned_convolution_is_the_layers_own(name):
    from flow_explorer import assets

    path = assets.resolve_model(name)
    flow = load(path, dtype=torch.float64).flow
    shape, steps = convolution.read_learned(path)
    assert len(steps) == 8 and shape[0] == 3
    x = RNG.uniform(-0.5, 0.5, (3, shape[1], shape[2]))
    deep = masking.squeeze(x)
    assert np.array_equal(deep, Squeeze().encode(torch.tensor(x)[None])[0][0].numpy())
    assert np.array_equal(masking.unsqueeze(deep), x)
    for step in steps:
        layer = flow.layers[step.layer]
        assert isinstance(layer, ChannelLinear)
        assert np.allclose(step.weight, layer.weight().detach().numpy(), atol=1e-12)
        z, log_det = layer.encode(torch.tensor(deep)[None])
        assert np.allclose(convolution.apply(step.weight, deep), z[0].detach().numpy(), atol=1e-12)
        assert convolution.log_det(step.weight, *deep.shape[1:]) == pytest.approx(log_det[0].item(), abs=1e-8)
        assert step.log_abs_det == pytest.approx(math.log(abs(step.det)), abs=1e-10)


def test_what_is_no_glow_is_refused(tmp_path):
    from flow_explorer import assets

    if "fashion-nice" in assets.model_names():
        with pytest.raises(CheckpointError, match="no Glow"):
            convolution.read_learned(assets.resolve_model("fashion-nice"))
    with pytest.raises(CheckpointError):
        convolution.read_learned(tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    card = json.dumps({"format_version": 1, "architecture": {"shape": [3, 8, 8]}})
    entry = {"dtype": "F32", "shape": [12], "data_offsets": [0, 40]}
    header = json.dumps({"__metadata__": {"card": card}, "layers.1.raw_log_diagonal": entry}).encode()
    broken.write_bytes(struct.pack("<Q", len(header)) + header + bytes(40))
    with pytest.raises(CheckpointError):
        convolution.read_learned(broken)
