"""The jobs of the facet of layers against flowcore: every stage, terms that add up, z against the prior, both ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from loop_machine import Machine

from flow_explorer.engine.requests.base import from_fields, to_fields
from flow_explorer.engine.requests.layers import (
    AgainstPrior,
    Checked,
    DecodeLayers,
    EncodeLayers,
    Outline,
    Place,
    Stages,
    Terms,
)
from flowcore.errors import ConfigError
from flowcore.latents.anatomy import anatomy, outline
from flowcore.latents.qq import against_prior
from flowcore.model import checkpoint
from flowcore.model.codec import encode_picture
from flowcore.model.systems import build


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def flow(small_model):
    return checkpoint.load(small_model).flow


@pytest.fixture
def picture():
    return np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def parts(answers, kind) -> list[Any]:
    return [answer for answer in answers if isinstance(answer, kind)]


def stages_of(answers, count):
    found = [None] * count
    for part in parts(answers, Stages):
        for offset, picture in enumerate(part.pictures):
            assert found[part.first + offset] is None
            found[part.first + offset] = (picture, *part.ranges[offset])
    assert all(stage is not None for stage in found)
    return found


def test_a_picture_is_answered_with_all_its_stages_and_terms(machine, small_model, flow, picture):
    answers = machine.ask(EncodeLayers(str(small_model), picture))
    assert type(answers[0]) is Outline and [type(answer) for answer in answers[-3:]] == [Terms, AgainstPrior, Checked]
    (head,), (terms,), (check,) = (parts(answers, kind) for kind in (Outline, Terms, Checked))
    assert head.layers == tuple(Place(layer.kind, layer.level, layer.step) for layer in outline(flow))
    assert head.levels == tuple((level.name, level.stop - level.start) for level in flow.levels)
    stages = stages_of(answers, len(head.layers))
    np.testing.assert_array_equal(stages[0][0], picture)
    expected = anatomy(flow, picture)
    np.testing.assert_allclose(terms.log_dets, expected.log_dets, atol=1e-9)
    assert sum(terms.log_dets) + sum(terms.prior) == pytest.approx(terms.log_prob, abs=1e-8)
    assert terms.bpd == pytest.approx(encode_picture(flow, picture).bpd, abs=1e-3)
    assert sum((part.log_dets for part in parts(answers, Stages)), ()) == terms.log_dets
    assert 0 <= check.difference < 1e-9


def test_z_is_held_against_the_prior_by_level(machine, small_model, flow, picture):
    (prior,) = parts(machine.ask(EncodeLayers(str(small_model), picture)), AgainstPrior)
    z = anatomy(flow, picture).z
    for number, level in enumerate(flow.levels):
        expected = against_prior(z[level.start : level.stop])
        found = prior.levels[number]
        assert found.distance == pytest.approx(expected.distance, abs=1e-12)
        np.testing.assert_allclose(found.found, expected.found)
        np.testing.assert_array_equal(found.high, expected.high)
    assert prior.whole.count == len(z) and prior.whole.shell[0] == pytest.approx(np.linalg.norm(z))


def test_a_z_goes_through_the_same_stages_backwards(machine, small_model, flow, picture):
    z = anatomy(flow, picture).z
    there = machine.ask(EncodeLayers(str(small_model), picture))
    back = machine.ask(DecodeLayers(str(small_model), z))
    count = len(outline(flow))
    firsts = [part.first for part in parts(back, Stages)]
    assert firsts == sorted(firsts, reverse=True) and firsts[-1] == 0
    for one, other in zip(stages_of(there, count), stages_of(back, count), strict=True):
        assert np.abs(one[0].astype(int) - other[0]).max() <= 1
        assert one[1:] == pytest.approx(other[1:], abs=1e-9)
    assert all(part.log_dets is None for part in parts(back, Stages))
    assert parts(back, Terms)[0].bpd == pytest.approx(parts(there, Terms)[0].bpd, abs=1e-9)
    assert parts(back, Checked)[0].difference < 1e-9


def test_the_prior_of_a_mixture_is_not_tested(machine, tmp_path, picture):
    torch.manual_seed(0)
    flow = build(dict(system="glow", shape=[3, 16, 16], levels=2, steps=1, width=8, prior="mixture"))
    flow.initialise(torch.rand(8, 3, 16, 16) * 255)
    path = tmp_path / "mixture.safetensors"
    card = {"name": "m", "system": "glow", "architecture": flow.architecture, "size": [16, 16], "channels": 3,
            "format_version": 1}  # fmt: skip
    checkpoint.save(path, flow.eval(), card)
    answers = machine.ask(EncodeLayers(str(path), picture))
    (prior,) = parts(answers, AgainstPrior)
    assert prior.levels[0] is not None and prior.levels[1] is None and prior.whole is None
    (terms,) = parts(answers, Terms)
    assert sum(terms.log_dets) + sum(terms.prior) == pytest.approx(terms.log_prob, abs=1e-8)


def test_a_newer_picture_silences_the_older(machine, small_model, picture):
    machine.acknowledging = True
    first = machine.send(EncodeLayers(str(small_model), picture))
    for _ in range(6):
        machine.loop.turn(wait=False)
    before = len(machine.of(first))
    second = machine.send(DecodeLayers(str(small_model), np.zeros(768, np.float32)))
    machine.run(2000)
    assert len(machine.of(first)) <= before + 1
    assert machine.of(second)[-1]["done"]


def test_what_cannot_be_followed_is_refused_in_a_sentence(machine, small_model, picture):
    with pytest.raises(ConfigError):
        EncodeLayers("m", picture.astype(float))
    with pytest.raises(ConfigError):
        DecodeLayers("m", np.array([np.nan]))
    assert "16×16" in machine.error_of(EncodeLayers(str(small_model), picture[:8]))
    assert "768 numbers" in machine.error_of(DecodeLayers(str(small_model), np.zeros(5)))
    assert "classes" in machine.error_of(EncodeLayers(str(small_model), picture, ((0, 1.0),)))


def test_requests_survive_the_pipe(picture):
    request = EncodeLayers("m", picture, ((1, 1.0),))
    again = from_fields(request.kind, *to_fields(request))
    assert isinstance(again, EncodeLayers) and again.label == request.label and np.array_equal(again.picture, picture)
