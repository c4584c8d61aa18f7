"""Requests are frozen, round-trip through plain fields, and refuse what cannot be computed."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from flow_explorer.engine.protocol import FrameReader, ProtocolError, encode_frame
from flow_explorer.engine.requests import explorer as r
from flow_explorer.engine.requests.base import from_fields, to_fields
from flow_explorer.engine.requests.levels import Variations
from flow_explorer.engine.requests.piles import ReadPile
from flowcore.errors import ConfigError
from flowcore.model.labels import between, single


def wrong(value: Any) -> Any:
    """A value that is none of its field's type."""
    return value


Z = np.linspace(-1, 1, 12, dtype=np.float32)
PICTURE = np.zeros((2, 2, 3), np.uint8)

EXAMPLES = [
    r.OpenModel("m"),
    r.SamplePage("m", seed=3, first=16, count=16, temperature=0.7),
    r.SamplePage("m", seed=3, first=16, count=16, temperature=(0.7, 1.0)),
    r.EncodePicture("m", "A", PICTURE),
    r.EncodePicture("m", "A", PICTURE, z=Z),
    r.DescribeLatent("m", Z.astype(np.float64)),
    r.WalkFrames("m", Z, -Z, "spherical", (0.0, 0.5, 1.0)),
    r.TemperatureFrames("m", 3, 5, (0.0, 0.5, 1.4), single(2)),
    r.TemperatureFrames("m", 3, 5, ((0.0, 0.0), (0.2, 0.5), (0.6, 1.4))),
    Variations("m", Z, Z[:0], np.zeros((2, 2), np.uint8), ("draw", "keep"), "inside", 0, 0, 16, (0.3, 0.7)),
    ReadPile("m", ("class", 2, 0, (0.3, 0.7))),
    r.WalkAt("m", Z, -Z, "linear", 0.25),
    r.SamplePage("m", 3, 16, 16, 0.7, label=single(4)),
    r.EncodePicture("m", "A", PICTURE, between(single(2), single(3), 0.3)),
    r.DescribeLatent("m", Z, single(0)),
    r.WalkFrames("m", Z, -Z, "linear", (0.0, 1.0), single(1), single(2)),
    r.WalkAt("m", Z, -Z, "linear", 0.25, single(1), between(single(1), single(2), 0.5)),
]


@pytest.mark.parametrize("request_", EXAMPLES, ids=lambda request: request.kind)
def test_a_request_survives_the_pipe(request_):
    fields, arrays = to_fields(request_)
    ((header, received),) = FrameReader().feed(encode_frame({"fields": fields}, arrays))
    again = from_fields(request_.kind, header["fields"], received)
    assert type(again) is type(request_)
    assert again.slot == request_.slot
    for field in dataclasses.fields(request_):
        before, after = getattr(request_, field.name), getattr(again, field.name)
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype
            np.testing.assert_array_equal(before, after)
        else:
            assert before == after


def test_requests_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        EXAMPLES[0].model = "other"


def test_each_slot_has_a_slot_of_its_own():
    assert r.EncodePicture("m", "A", PICTURE).slot != r.EncodePicture("m", "B", PICTURE).slot


@pytest.mark.parametrize(
    "make",
    [
        lambda: r.SamplePage("m", 0, 0, 16, float("nan")),
        lambda: r.SamplePage("m", 0, 0, 16, (1.0, float("nan"))),
        lambda: r.SamplePage("m", 0, 0, 16, -0.1),
        lambda: r.TemperatureFrames("m", 0, 0, ((0.5, float("nan")),)),
        lambda: r.TemperatureFrames("m", 0, 0, (0.5, (0.5, 11.0))),
        lambda: ReadPile("m", ("class", 2, 0, (0.3, "0.7"))),
        lambda: r.SamplePage("m", 0, 0, 10**12),
        lambda: r.SamplePage("m", 0, 0, 0),
        lambda: r.SamplePage("m", -1, 0, 4),
        lambda: r.SamplePage("m", wrong(0.5), 0, 4),
        lambda: r.DescribeLatent("m", Z.astype(np.int32)),
        lambda: r.DescribeLatent("m", Z * np.float32("nan")),
        lambda: r.DescribeLatent("m", Z[None]),
        lambda: r.EncodePicture("m", "A", PICTURE.astype(np.float32)),
        lambda: r.EncodePicture("m", "A", PICTURE, z=Z * np.nan),
        lambda: r.WalkAt("m", Z, Z, "crooked", 0.5),
        lambda: r.WalkAt("m", Z, Z, "linear", float("nan")),
        lambda: r.WalkFrames("m", Z, Z, "linear", ()),
        lambda: r.SamplePage("m", 0, 0, 4, 1.0, wrong(3)),
        lambda: r.TemperatureFrames("m", 0, 0, ()),
        lambda: r.TemperatureFrames("m", 0, 0, (0.5, float("nan"))),
        lambda: r.TemperatureFrames("m", 0, -1, (0.5,)),
        lambda: r.SamplePage("m", 0, 0, 4, 1.0, ((-1, 1.0),)),
        lambda: r.EncodePicture("m", "A", PICTURE, ((1, 0.5),)),
        lambda: r.DescribeLatent("m", Z, ((1, float("nan")), (2, 0.5))),
        lambda: r.WalkAt("m", Z, Z, "linear", 0.5, ((0, 1.0),), ((2, 0.5), (1, 0.5))),
    ],
)
def test_what_cannot_be_computed_is_refused_in_a_sentence(make):
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("explorer.nothing", {}), ("explorer.open", {}), ("explorer.open", {"model": "m", "__class__": "x"})],
)
def test_unknown_requests_are_refused(kind, fields):
    with pytest.raises(ProtocolError):
        from_fields(kind, fields, {})


def test_a_kind_belongs_to_one_class():
    with pytest.raises(TypeError, match="two kinds"):
        type("Other", (r.Request,), {"kind": "explorer.open", "__qualname__": "Other"})
