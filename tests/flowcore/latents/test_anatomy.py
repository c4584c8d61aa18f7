"""A picture layer by layer: the terms add up to the likelihood, every number keeps its place, and the way back is the same."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from flow_explorer import assets
from flowcore.bijections import AffineCoupling, Permutation, Split, Squeeze
from flowcore.errors import ConfigError, NonFiniteError
from flowcore.latents.anatomy import anatomy, decode_stages, encode_stages, largest_difference, outline
from flowcore.latents.layout import Layout, homes
from flowcore.model import checkpoint
from flowcore.model.codec import encode_picture, label_tensor
from flowcore.model.flow import Flow
from flowcore.model.labels import single
from flowcore.model.priors import StandardPrior
from flowcore.model.systems import build

FLOWS = {
    "nice": dict(system="nice", shape=[1, 4, 4], width=16, hidden=2),
    "realnvp": dict(system="realnvp", shape=[1, 8, 8], levels=2, width=8, blocks=1, conditional=True),
    "realnvp-cycle": dict(system="realnvp", shape=[3, 4, 4], levels=2, width=8, blocks=1, masks="cycle"),
    "glow": dict(system="glow", shape=[3, 8, 8], levels=2, steps=2, width=8),
    "glow-additive": dict(system="glow", shape=[1, 8, 8], levels=3, steps=2, width=8, coupling="additive", permutation="reverse"),
    "glow-classes": dict(system="glow", shape=[1, 4, 4], levels=1, steps=2, width=8, classes=3),
    "glow-logistic": dict(system="glow", shape=[1, 4, 8], levels=2, steps=1, width=8, prior="logistic"),
    "glow-mixture": dict(system="glow", shape=[1, 4, 4], levels=2, steps=1, width=8, prior="mixture"),
    "plus": dict(system="glow-plus", shape=[3, 8, 8], levels=2, steps=2, width=8, split_width=8, classes=3),
}
BUNDLED = assets.models()


def trained(name: str):
    """A flow away from its initial weights, a picture (H, W, C), and the label that it wants."""
    torch.manual_seed(0)
    flow = build(FLOWS[name])
    channels, height, width = flow.event_shape
    flow.initialise(torch.rand(8, channels, height, width) * 255)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    picture = np.random.default_rng(1).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return flow.eval(), picture, label_tensor(flow, [single(2) if flow.num_classes else ()])


def run(steps):
    """All that a generator yields, and what it returns."""
    found = []
    while True:
        try:
            found.append(next(steps))
        except StopIteration as stop:
            return found, stop.value


@pytest.mark.parametrize("name", FLOWS)
def test_the_terms_add_up_to_the_likelihood(name):
    flow, picture, label = trained(name)
    found = anatomy(flow, picture, label)
    flow = flow.double()
    x = torch.from_numpy(picture.astype(np.float64) + 0.5).permute(2, 0, 1)[None]
    with torch.no_grad():
        z, log_det = flow.encode(x, label)
        log_prob = flow.log_prob(x, label).item()
    assert found.log_dets.sum() == pytest.approx(log_det.item(), abs=1e-9)
    assert found.prior_terms.sum() == pytest.approx(flow.base_log_prob(z).item(), abs=1e-9)
    assert found.log_dets.sum() + found.prior_terms.sum() == pytest.approx(log_prob, abs=1e-9)
    assert found.bpd == pytest.approx(-log_prob / flow.num_dims / math.log(2), abs=1e-9)
    np.testing.assert_allclose(found.z, z[0].numpy(), rtol=0, atol=1e-12)
    assert len(found.prior_terms) == len(flow.levels) and len(found.log_dets) == len(outline(flow))


@pytest.mark.parametrize("name", FLOWS)
def test_the_way_back_has_the_same_stages(name):
    flow, picture, label = trained(name)
    there, found = run(encode_stages(flow, picture, label))
    back, pixels = run(decode_stages(flow, found.z, label))
    assert [stage.index for stage in back] == list(range(len(there)))[::-1]
    assert all(stage.log_det is None for stage in back)
    assert max(largest_difference(one, other) for one, other in zip(there, back[::-1], strict=True)) < 1e-10
    np.testing.assert_allclose(pixels, picture + 0.5, rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", FLOWS)
def test_every_stage_is_a_picture_of_all_numbers(name):
    flow, picture, label = trained(name)
    stages, found = run(encode_stages(flow, picture, label))
    assert all(stage.values.shape == picture.shape and stage.picture.dtype == np.uint8 for stage in stages)
    np.testing.assert_array_equal(stages[0].picture, picture)
    np.testing.assert_array_equal(np.sort(stages[-1].values.ravel()), np.sort(found.z))
    assert [stage.log_det for stage in stages] == found.log_dets.tolist()
    # As long as they are grey levels in another unit, the eye sees the picture itself.
    kinds = [layer.kind for layer in outline(flow)]
    index = kinds.index("rescale")
    if "dequantise" not in kinds and "equalise" not in kinds:
        assert np.abs(stages[index].picture.astype(int) - picture).max() <= 1
    # Afterwards nearly all values are between black and white.
    last = stages[-1]
    assert np.mean((last.values < last.low) | (last.values > last.high)) <= 0.15


def test_squeezes_splits_and_permutations_are_put_back_in_their_places():
    layers = [Squeeze(), Permutation.reverse(4), Split(4, conditional=False), Squeeze(), Permutation([3, 0, 2, 1, 4, 6, 5, 7]),
              Split(8, conditional=False)]  # fmt: skip
    flow = Flow(layers, StandardPrior((4, 2, 2)), (1, 8, 8), split_shapes=[(2, 4, 4), (4, 2, 2)])
    flow.initialise(torch.zeros(1, 1, 8, 8))
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 1), dtype=np.uint8)
    stages, _ = run(encode_stages(flow, picture))
    assert len(stages) == 8
    for stage in stages:
        np.testing.assert_array_equal(stage.values, picture + 0.5)


def test_a_channel_mixing_is_at_home_where_it_takes_most():
    order = torch.tensor([2, 0, 3, 1])
    assert homes(torch.eye(4)[order] * -0.3).tolist() == order.tolist()
    rotation, _ = torch.linalg.qr(torch.randn(24, 24, generator=torch.Generator().manual_seed(0)))
    found = homes(rotation)
    assert sorted(found.tolist()) == list(range(24))
    assert rotation.abs()[torch.arange(24), found].mean() > rotation.abs().mean() * 2


def test_layers_are_grouped_by_step_and_level():
    def told(name):
        return [(layer.kind, layer.level, layer.step) for layer in outline(build(FLOWS[name]))]

    step = ["actnorm", "linear", "coupling"]
    assert told("glow") == [
        ("pixels", 0, 0), ("rescale", 0, 0), ("squeeze", 1, 0),
        *((kind, 1, 1) for kind in step), *((kind, 1, 2) for kind in step),
        ("split", 1, 0), ("squeeze", 2, 0), *((kind, 2, 1) for kind in step), *((kind, 2, 2) for kind in step), ("prior", 2, 0),
    ]  # fmt: skip
    assert told("nice") == [("pixels", 0, 0), ("rescale", 0, 0), ("flatten", 0, 0), *(("coupling", 1, n) for n in range(1, 5)),
                            ("diagonal", 1, 0), ("prior", 1, 0)]  # fmt: skip
    assert told("plus")[:5] == [("pixels", 0, 0), ("dequantise", 0, 0), ("equalise", 0, 0), ("rescale", 0, 0), ("squeeze", 1, 0)]
    realnvp = told("realnvp")
    assert realnvp[:3] == [("pixels", 0, 0), ("rescale", 0, 0), ("logit", 0, 0)]
    assert [level for kind, level, _ in realnvp if kind == "split"] == [1]
    assert max(step for kind, level, step in realnvp if level == 1) == 6


def test_a_picture_of_one_value_is_grey_where_all_values_are_the_same():
    flow = Flow([Permutation([0])], StandardPrior((1, 4, 4)), (1, 4, 4))
    flow.initialise(torch.zeros(1, 1, 4, 4))
    stages, _ = run(encode_stages(flow, np.zeros((4, 4, 1), np.uint8)))
    assert (stages[0].picture == 0).all() and (stages[-1].picture == 128).all()


def test_what_cannot_be_followed_is_said():
    flow, picture, label = trained("glow")
    with pytest.raises(ConfigError, match="8×8"):
        anatomy(flow, picture[:4], label)
    with pytest.raises(ConfigError, match="8×8"):
        anatomy(flow, picture[:4].astype(np.float64), label)
    with pytest.raises(ConfigError, match="192 numbers"):
        run(decode_stages(flow, np.zeros(5), label))
    with pytest.raises(ConfigError, match="pictures"):
        Layout(build(dict(system="glow", shape=[2], depth=1, width=4)))
    coupling = flow.layers[4]
    assert isinstance(coupling, AffineCoupling)
    with torch.no_grad():
        for parameter in coupling.network.parameters():
            parameter.fill_(float("nan"))
    with pytest.raises(NonFiniteError, match="AffineCoupling"):
        anatomy(flow, picture, label)
    with pytest.raises(NonFiniteError, match="AffineCoupling"):
        run(decode_stages(flow, np.zeros(192), label))


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_every_bundled_model(path, one_thread):
    flow = checkpoint.load(path).flow
    label = label_tensor(flow, [single(1) if flow.num_classes else ()])
    channels, height, width = flow.event_shape
    rows, columns = np.mgrid[:height, :width]
    picture = np.repeat((128 + 100 * np.sin(rows / 5) * np.cos(columns / 7))[..., None], channels, 2).astype(np.uint8)
    there, found = run(encode_stages(flow, picture, label))
    encoded = encode_picture(flow, picture, label)
    assert found.bpd == pytest.approx(encoded.bpd, abs=2e-3 if encoded.z.dtype == np.float32 else 1e-9)
    assert sum(layer.kind == "layer" for layer in outline(flow)) == 0
    difference = max(largest_difference(there[stage.index], stage) for stage in decode_stages(flow, found.z, label))
    assert difference < 1e-6
