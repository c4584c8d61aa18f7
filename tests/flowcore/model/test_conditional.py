"""Class-conditional flows: the likeliest class, places between classes, labels as data, sheets and cards."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from flowcore.data.datasets import PictureSet
from flowcore.errors import ConfigError, DataError, FlowError
from flowcore.model import checkpoint, codec
from flowcore.model.card import class_names, read_card
from flowcore.model.evaluation import bits_per_dim, bits_per_picture, score
from flowcore.model.labels import between, describe, find_class, from_json, single, to_array, to_json
from flowcore.model.priors import LearnedPrior
from flowcore.model.systems import build
from flowcore.pictures import images
from flowcore.training import TrainConfig, train

CLASSES = 5
RNG = np.random.default_rng(3)
PICTURES = RNG.integers(0, 256, (6, 8, 8, 1), dtype=np.uint8)


def conditional(system: str = "glow"):
    """A small flow whose classes differ much, and whose every weight is away from its initial value."""
    generator = torch.Generator().manual_seed(0)
    flow = build({"system": system, "shape": [1, 8, 8], "levels": 2, "width": 8, "classes": CLASSES})
    flow.initialise(torch.rand(16, 1, 8, 8, generator=generator) * 255)
    assert isinstance(flow.prior, LearnedPrior)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.02)
        for parameter in (flow.prior.location, flow.prior.raw_log_scale):
            parameter.add_(torch.randn(parameter.shape, generator=generator))
    return flow.eval()


@pytest.fixture(scope="module")
def flow():
    return conditional()


@pytest.mark.parametrize("system", ["glow", "realnvp"])
def test_one_pass_gives_the_likelihood_under_every_class(system):
    flow = conditional(system)
    for picture in (*PICTURES[:2], np.zeros((8, 8, 1), np.uint8)):
        x = codec.to_pixels(picture[None], flow)
        with torch.no_grad():
            expected = [flow.log_prob(x, torch.tensor([number])).item() for number in range(CLASSES)]
        found = codec.class_log_probs(flow, picture)
        assert found.shape == (CLASSES,) and found == pytest.approx(expected, rel=1e-5, abs=1e-3)
        assert np.ptp(found) > 1, "the classes of this flow differ"


def test_a_flow_without_classes_has_no_likeliest_one():
    plain = build({"system": "glow", "shape": [1, 8, 8], "levels": 1, "steps": 1, "width": 4})
    with pytest.raises(ConfigError, match="knows no classes"):
        codec.class_log_probs(plain, PICTURES[0])


def test_every_class_gives_every_byte_back_and_a_z_of_its_own(flow):
    zs = []
    for number in range(CLASSES):
        label = codec.label_tensor(flow, [single(number)])
        encoded = codec.encode_picture(flow, PICTURES[0], label)
        assert encoded.differing == 0
        np.testing.assert_array_equal(codec.decode_picture(flow, encoded.z, label), PICTURES[0])
        zs.append(encoded.z)
    assert all(np.abs(zs[0] - z).max() > 0.1 for z in zs[1:])


def test_weights_of_one_class_are_that_class_to_the_last_bit(flow):
    for model in (flow, codec.double_of(flow)):
        z = torch.randn(CLASSES, 64, dtype=model.dtype, generator=torch.Generator().manual_seed(1))
        hard = torch.arange(CLASSES)
        with torch.no_grad():
            assert torch.equal(model.decode(z, hard), model.decode(z, torch.eye(CLASSES, dtype=torch.float64)))
            x = model.decode(z, hard)
            assert torch.equal(model.encode(x, hard)[0], model.encode(x, torch.eye(CLASSES))[0])


def test_between_two_classes_the_prior_is_between_theirs(flow):
    label = codec.label_tensor(flow, [between(single(1), single(4), 0.25)])
    location, log_scale = (part[0, :, 0, 0] for part in flow.prior._parameters_for(torch.zeros(1, *flow.prior.shape), label))
    ends = [flow.prior._parameters_for(torch.zeros(1, *flow.prior.shape), torch.tensor([n])) for n in (1, 4)]
    for found, a, b in ((location, *(end[0] for end in ends)), (log_scale, *(end[1] for end in ends))):
        torch.testing.assert_close(found, 0.75 * a[0, :, 0, 0] + 0.25 * b[0, :, 0, 0])
    # and a picture encoded under it comes back
    encoded = codec.encode_picture(flow, PICTURES[1], label)
    assert encoded.differing == 0 and np.isfinite(encoded.bpd)


def test_labels_are_checked_before_they_are_used(flow):
    for labels in (None, np.full(6, CLASSES), np.full(6, -1), np.zeros(5, np.int64)):
        with pytest.raises(DataError):
            bits_per_picture(flow, PICTURES, labels)
    for label in ((), single(CLASSES)):
        with pytest.raises(ConfigError):
            codec.label_tensor(flow, [label])
    hard = bits_per_picture(flow, PICTURES, np.arange(6) % CLASSES)
    soft = bits_per_picture(flow, PICTURES, np.eye(CLASSES)[np.arange(6) % CLASSES])
    assert hard == pytest.approx(soft)


def test_score_says_which_class_it_took(flow):
    free = score(flow, {}, PICTURES[2])
    likeliest = int(codec.class_log_probs(flow, PICTURES[2]).argmax())
    assert free["label"] == single(likeliest) and free["roundtrip_error"] == 0
    other = score(flow, {}, PICTURES[2], single((likeliest + 1) % CLASSES))
    assert other["bpd"] > free["bpd"] and other["label"] == single((likeliest + 1) % CLASSES)


# -- labels as data -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [(), single(0), single(7), between(single(2), single(3), 0.3),
                                   between(between(single(2), single(3), 0.3), single(1), 1 / 3)])  # fmt: skip
def test_labels_survive_json(label):
    assert from_json(json.loads(json.dumps(to_json(label)))) == label


@pytest.mark.parametrize("value", [-1, True, 1.5, "3", [], [3], [[1, 0.5]], [[1, 0.5], [1, 0.5]], [[2, 0.5], [1, 0.5]],
                                   [[1, 2.0], [2, -1.0]], [[1, float("nan")], [2, 0.5]], 10**9, {"1": 1}])  # fmt: skip
def test_what_is_no_label_is_refused_in_a_sentence(value):
    with pytest.raises(FlowError) as caught:
        from_json(value)
    assert str(caught.value).endswith(".")


def test_between_is_exact_at_both_ends_and_sums_to_one():
    a, b = single(4), between(single(1), single(4), 0.5)
    assert between(a, (), 0.5) == between((), a, 1.0) == between((), (), 0.5) == ()
    assert between(a, b, 0.0) is a and between(a, b, 1.0) is b and between(a, a, 0.37) is a
    for t in np.linspace(0, 1, 33):
        label = between(a, b, float(t))
        assert sum(weight for _, weight in label) == pytest.approx(1.0)
        assert [number for number, _ in label] == sorted({number for number, _ in label})


def test_arrays_are_numbers_unless_a_label_lies_between():
    assert to_array([single(3), single(0)], 5).tolist() == [3, 0]
    assert to_array([single(1), between(single(0), single(2), 0.25)], 3).tolist() == [[0, 1, 0], [0.75, 0, 0.25]]
    assert to_array([(), ()], 0) is None
    with pytest.raises(ConfigError, match="knows no classes"):
        to_array([single(0)], 0)


def test_classes_are_found_by_name_or_number():
    names = ["T-shirt", "Dress", "3", "dress"]
    for text, number in {"T-shirt": 0, "t-SHIRT": 0, "dress": 3, "Dress": 1, "3": 2, "0": 0, " 1 ": 1}.items():
        assert find_class(text, names) == number
    for text in ("Coat", "4", "-1", "", "²"):
        with pytest.raises(ConfigError, match="T-shirt"):
            find_class(text, names)
    assert describe(single(1), names) == "Dress" and describe((), names) == ""
    assert describe(between(single(0), single(1), 0.75), names) == "Dress 75 %, T-shirt 25 %"


def test_the_card_names_the_classes():
    architecture = {"classes": 3}
    assert class_names({"architecture": architecture, "classes": ["a", "b", "c"]}) == ["a", "b", "c"]
    for odd in (["a"], None, ["a", "b", 3], "abc", ["a", "b", ""]):
        assert class_names({"architecture": architecture, "classes": odd}) == ["0", "1", "2"]
    for odd in ({}, {"architecture": {}}, {"architecture": {"classes": 0}}, {"architecture": {"classes": True}}):
        assert class_names({**odd, "classes": ["a"]}) == []


# -- training -------------------------------------------------------------------------------------------------------


def test_a_conditional_run_keeps_its_classes_and_shows_each_on_its_sheet(tmp_path):
    labels = np.arange(40) % 3
    pictures = np.repeat((60 * labels + 30).astype(np.uint8), 64).reshape(40, 8, 8, 1)
    pictures = pictures + RNG.integers(0, 12, pictures.shape, dtype=np.uint8)
    data = PictureSet(pictures, labels, ["dark", "middle", "light"], "greys")
    config = TrainConfig(
        {"system": "glow", "shape": [1, 8, 8], "levels": 1, "steps": 2, "width": 8, "classes": 3}, steps=60, batch=20,
        warm_up=5, learning_rate=0.01, evaluate_every=60, ema_decay=0.8, classes=data.classes,
    )  # fmt: skip
    train(config, data, tmp_path / "run", validation=data)
    assert read_card(tmp_path / "run")["classes"] == ["dark", "middle", "light"]
    sheet = images.read_picture(tmp_path / "run" / "samples" / "0000060.png").pixels[..., :1].astype(float)
    assert sheet.shape[:2] == (3 * 8, 8 * 8)
    rows = [row.mean() for row in np.split(sheet, 3)]
    assert rows[0] < rows[1] < rows[2], "a row a class"
    flow = checkpoint.load(tmp_path / "run").flow
    found = [codec.class_log_probs(flow, picture).argmax() for picture in pictures[:12]]
    assert np.mean(found == labels[:12]) > 0.8, "the likeliest class is the true one, of classes so far apart"
    right, wrong = (bits_per_dim(flow, pictures, given).bpd for given in (labels, (labels + 1) % 3))
    assert right < wrong
