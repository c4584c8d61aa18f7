"""What the map is made of, without its window: state, camera, colours, and how fast points are painted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from flow_explorer.engine.requests.map import MapFound, MapLayout, MapRows
from flow_explorer.explorer.facets import initial, read
from flow_explorer.explorer.facets.map.camera import Camera
from flow_explorer.explorer.facets.map.canvas import MapCanvas
from flow_explorer.explorer.facets.map.colours import colouring
from flow_explorer.explorer.facets.map.data import MapData
from flow_explorer.explorer.facets.map.levels import level_options
from flow_explorer.explorer.facets.map.picture import thumb_side
from flow_explorer.explorer.facets.map.state import State
from flowcore.errors import ConfigError
from flowcore.latents.map.points import pack, unpack


def test_a_state_comes_back_from_json():
    members = np.zeros(500, bool)
    members[[3, 400]] = True
    made = State("data", "/a/b", 120, "umap", (1, 2), "bpd", 7, pack(members), (0.5, -1.0, 3.25))
    again = read("map", json.loads(json.dumps(made.to_dict())))
    assert isinstance(again, State) and again == made and np.flatnonzero(unpack(again.lasso, 500)).tolist() == [3, 400]
    assert initial("map").to_dict() == {} and made.keys == set()


@pytest.mark.parametrize(
    "broken",
    [{"method": "tsne"}, {"source": "web"}, {"colour": 3}, {"levels": [-1]}, {"levels": "all"}, {"selected": -2},
     {"limit": True}, {"lasso": "?"}, {"lasso": 5}, {"lasso": "A" * 8000}, {"view": [1, 2]}, {"view": [0, 0, 0]},
     {"view": [0, float("nan"), 1]}, {"path": ["x"]}],
)  # fmt: skip
def test_a_broken_state_is_refused(broken):
    with pytest.raises(ConfigError):
        read("map", broken)


def test_the_camera_zooms_around_a_place_and_finds_everything():
    points = np.random.default_rng(0).normal(size=(200, 2)) * [30, 5] + [100, -20]
    camera = Camera.fit(points, 800, 500)
    screen = camera.to_screen(points, 800, 500)
    assert (screen >= 0).all() and (screen <= [800, 500]).all()
    np.testing.assert_allclose(camera.to_map(screen, 800, 500), points, atol=1e-9)
    padded = Camera.fit(points, 800, 500, pad=60).to_screen(points, 800, 500)
    assert (padded >= 60).all() and (padded <= [740, 440]).all() and (padded.min(0) < 80).any()
    near = camera.zoomed(3.0, (120, 400), 800, 500, camera.span)
    np.testing.assert_allclose(near.to_map(np.array([[120, 400]]), 800, 500), camera.to_map(np.array([[120, 400]]), 800, 500))
    assert near.span == pytest.approx(camera.span / 3)
    moved = near.moved(50, -20, 800, 500)
    np.testing.assert_allclose(moved.to_screen(points, 800, 500), near.to_screen(points, 800, 500) + [50, -20], atol=1e-6)
    assert camera.zoomed(1e9, (0, 0), 800, 500, camera.span).span >= camera.span / 2000
    # What lies very far off does not make a dot of all others, until it is asked for.
    far = np.vstack([points, [[1e5, 0]]])
    assert Camera.fit(far, 800, 500).span < 10 * camera.span < Camera.fit(far, 800, 500, body=False).span


def test_thumbnails_only_where_there_is_room():
    assert thumb_side(10_000, 1000 * 700, 10_000) == 0
    assert thumb_side(100, 1000 * 700, 10_000) == 56
    assert thumb_side(1, 1000 * 700, 10_000) == 96 and thumb_side(0, 100, 0) == 0
    assert thumb_side(100, 100 * 100, 100) > 0


def test_levels_are_offered_by_what_they_do():
    assert [words for _, words in level_options(1)] == ["All levels"]
    assert dict(level_options(3))[(2,)] == "Coarsest level" and dict(level_options(3))[(1, 2)] == "All but the finest"
    assert (0, 3) in dict(level_options(4, (0, 3))) and level_options(2, (0, 1)) == level_options(2)


def test_colours_say_what_the_legend_says(qapp):
    data = MapData()
    data.found(MapFound(4, 4, ("cat", "dog", "owl"), 0, 1))
    data.rows(MapRows(0, tuple("abcd"), 4, np.zeros((4, 2, 2, 1), np.uint8), np.array([2.0, 3.0, 4.0, 5.0]),
                      np.array([0, 2, -1, 0])))  # fmt: skip
    kinds = colouring(data, "class", {})
    assert [words for _, words in kinds.names] == ["cat", "owl"] and kinds.bucket.tolist() == [0, 2, 3, 0]
    bpd = colouring(data, "bpd", {})
    assert bpd.bucket[0] == 0 and bpd.bucket[-1] == len(bpd.tones) - 1 and bpd.ends[0] == "Bits per dimension"
    card = {"held_out": {"bpd_quantiles": np.linspace(1, 5, 201).tolist(), "count": 100}}
    typical = colouring(data, "typicality", card)
    assert typical.bucket[1] > typical.bucket[3] and not typical.plain
    assert colouring(data, "none", card).plain
    data._typicality = None
    assert colouring(data, "typicality", {}).plain


def test_ten_thousand_points_are_painted_within_a_frame_or_two(qtbot):
    """In time of the processor, and with a generous bound: the machine that runs this may be busy. A frame takes 5 ms."""
    import time

    count = 10_000
    data = MapData()
    data.found(MapFound(count, count, ("a", "b"), 0, 1))
    rng = np.random.default_rng(0)
    data.rows(MapRows(0, tuple(map(str, range(count))), count, rng.integers(0, 255, (count, 8, 8, 3), dtype=np.uint8),
                      np.zeros(count), rng.integers(0, 2, count)))  # fmt: skip
    data.laid_out(MapLayout((0.1, 0.1), rng.standard_normal((count, 2))))
    canvas = MapCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(1000, 700)
    canvas.show()
    canvas.show_data(data, colouring(data, "class", {}))
    canvas.zoom(1.01)
    times = []
    for _ in range(9):
        canvas._camera = canvas.camera.moved(3, 2, 1000, 700)
        began = time.process_time()
        canvas.repaint()
        times.append(time.process_time() - began)
    assert canvas.side == 0 and np.median(times) < 0.05
    canvas.zoom(30.0)
    canvas.repaint()
    assert canvas.side >= 20 and len(canvas._thumbs) > 10
