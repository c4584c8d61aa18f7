"""The paths' requests: through the pipe and back, and every bad value answered with a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from flow_explorer.engine.requests import paths as rp
from flow_explorer.engine.requests.base import from_fields, to_fields
from flowcore.errors import ConfigError
from flowcore.latents.timeline import Timeline

Z = np.zeros((4, 12), np.float32)
PICTURE = np.zeros((2, 2, 3), np.uint8)
LABELS = ((), (), (), ((1, 1.0),))
ENDS = {"model": "m", "a": Z[0], "b": Z[1], "picture_a": PICTURE, "picture_b": PICTURE}
LINE = {
    "model": "m", "keys": Z, "seconds": (1.0,) * 4, "easings": ("ease",) * 4, "loop": True, "path": "linear", "labels": LABELS,
}  # fmt: skip
GOOD = [
    (rp.PathRows, {**ENDS, "ways": ("linear", "pixels"), "ts": (0.0, 0.5)}),
    (rp.PathsAt, {**ENDS, "ways": ("spherical",), "t": 0.25}),
    (rp.PadGrid, {"model": "m", "corners": Z, "side": 5, "norm_kept": False, "labels": LABELS}),
    (rp.PadAt, {"model": "m", "corners": Z, "x": 0.0, "y": 1.0, "norm_kept": True, "labels": LABELS}),
    (rp.TimelineAt, {**LINE, "time": 0.5}),
    (rp.TimelineFrames, {**LINE, "times": (0.0, 0.5)}),
    (rp.TimelineExport, {**LINE, "times": (0.0, 0.5)}),
]


@pytest.mark.parametrize("kind, values", GOOD, ids=lambda value: getattr(value, "kind", ""))
def test_every_request_goes_through_the_pipe_and_back(kind, values):
    fields, arrays = to_fields(kind(**values))
    back = from_fields(kind.kind, json.loads(json.dumps(fields)), arrays)
    assert type(back) is kind
    for name, value in values.items():
        found = getattr(back, name)
        assert found.tobytes() == value.tobytes() if isinstance(value, np.ndarray) else found == value
    if isinstance(back, rp.TimelineAt):
        assert back.timeline() == Timeline((1.0,) * 4, ("ease",) * 4, True, "linear")


def test_only_an_export_must_finish():
    assert [kind.kind for kind, _ in GOOD if kind.slot is None] == ["paths.export"]


NAN = np.full(12, np.nan, np.float32)


@pytest.mark.parametrize("index, change", [
    (0, {"ways": ()}), (0, {"ways": ("zigzag",)}), (0, {"ts": ()}), (0, {"ts": (1.5,)}), (0, {"a": NAN}),
    (0, {"picture_a": PICTURE.astype(float)}), (1, {"t": 2.0}), (1, {"t": True}), (1, {"label_a": ((1, 0.5),)}),
    (2, {"corners": Z[:3]}), (2, {"side": 1}), (2, {"side": 99}), (2, {"labels": LABELS[:3]}), (3, {"x": -0.1}), (3, {"y": "1"}),
    (3, {"corners": np.full((4, 12), np.inf, np.float32)}), (3, {"corners": Z.astype(int)}), (4, {"time": -1.0}),
    (4, {"seconds": (0.0,) * 4}), (4, {"easings": ("bounce",) * 4}), (4, {"path": "zigzag"}), (4, {"seconds": (1.0,)}),
    (4, {"keys": Z[:0], "labels": ()}), (5, {"times": ()}), (5, {"times": (float("nan"),)}), (6, {"times": [0.0]}),
])  # fmt: skip
def test_bad_values_are_answered_with_a_sentence(index, change):
    kind, values = GOOD[index]
    with pytest.raises(ConfigError, match=r"\.$"):
        kind(**{**values, **change})
