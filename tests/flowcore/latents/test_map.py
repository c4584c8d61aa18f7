"""Maps of z: axes against numpy's SVD, neighbours against brute force, memory within its budget, encodings against the codec."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from flowcore.errors import ConfigError, DataError, FlowError
from flowcore.latents.directions.files import fingerprint, load_direction
from flowcore.latents.map import layout as zmap
from flowcore.latents.map.layout import ZMap, has_umap, save_lasso, umap_layout
from flowcore.latents.map.points import inside, nearest, pack, unpack, unusual
from flowcore.latents.principal import Dense, Factored, principal
from flowcore.model.priors import LearnedPrior
from flowcore.model.systems import build


def spread(count: int, width: int, seed: int = 0, offset: float = 3.0) -> np.ndarray:
    """Rows with a few directions that stand out of noise, away from 0."""
    rng = np.random.default_rng(seed)
    strong = rng.standard_normal((count, 6)) * [9, 7, 5, 4, 3, 2.5]
    axes = np.linalg.qr(rng.standard_normal((width, 6)))[0]
    return (strong @ axes.T + rng.standard_normal((count, width)) * 0.5 + offset).astype(np.float32)


def svd(rows: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """numpy's own: axes and variances."""
    centred = rows.astype(np.float64) - rows.mean(0, dtype=np.float64)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    return axes[:rank].T, values[:rank] ** 2 / (len(rows) - 1)


def assert_same_axes(found: np.ndarray, wanted: np.ndarray, tolerance: float) -> None:
    along = np.abs((found.astype(np.float64) * wanted).sum(0))
    np.testing.assert_allclose(along, 1.0, atol=tolerance)


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (300, 60)])
def test_axes_and_variances_are_those_of_an_svd(shape):
    rows = spread(*shape)
    found = principal([Dense([rows])], 5)
    axes, variances = svd(rows, 5)
    assert_same_axes(found.axes, axes, 1e-5)
    np.testing.assert_allclose(found.variances, variances, rtol=1e-5)
    np.testing.assert_allclose(found.total, rows.var(0, ddof=1, dtype=np.float64).sum(), rtol=1e-5)
    assert 0 < found.shares.sum() <= 1 + 1e-9
    centred = rows - rows.mean(0)
    np.testing.assert_allclose(found.coordinates([Dense([rows])]), centred @ found.axes, atol=1e-4)


def test_rows_in_blocks_and_in_parts_make_the_same_axes():
    rows = spread(90, 30)
    whole = principal([Dense([rows])], 4)
    parted = principal([Dense([rows[:50, :10], rows[:50, 10:]]), Dense([rows[50:, :10], rows[50:, 10:]])], 4)
    np.testing.assert_allclose(parted.axes, whole.axes, atol=1e-5)
    np.testing.assert_allclose(parted.variances, whole.variances, rtol=1e-5)


def test_many_long_rows_come_within_a_thousandth_of_an_svd(monkeypatch):
    monkeypatch.setattr("flowcore.latents.principal.EXACT", 100)
    rows = spread(420, 300)
    found = principal([Dense([rows])], 20)
    axes, variances = svd(rows, 20)
    assert_same_axes(found.axes[:, :6], axes[:, :6], 1e-4)
    np.testing.assert_allclose(found.variances[:6], variances[:6], rtol=1e-4)
    # The rest is a flat spectrum, where single axes mean nothing but the variance along them does.
    np.testing.assert_allclose(found.variances, variances, rtol=5e-3)


def test_rows_known_by_coordinates_join_rows_as_they_are():
    rows = spread(200, 40)
    first = principal([Dense([rows[:120]])], 39)
    known = Factored(first.coordinates([Dense([rows[:120]])]), first.axes, first.mean.astype(np.float32))
    found = principal([known, Dense([rows[120:]])], 5)
    axes, variances = svd(rows, 5)
    assert_same_axes(found.axes, axes, 1e-3)
    np.testing.assert_allclose(found.variances, variances, rtol=1e-3)
    np.testing.assert_allclose(found.total, rows.var(0, ddof=1, dtype=np.float64).sum(), rtol=1e-2)


def test_equal_rows_have_axes_of_no_variance():
    found = principal([Dense([np.ones((5, 4), np.float32)])], 2)
    np.testing.assert_allclose(found.variances, 0.0, atol=1e-12)
    assert (found.shares == 0).all() and np.isfinite(found.axes).all()


def test_a_single_row_and_one_that_is_not_finite_are_refused():
    with pytest.raises(DataError, match="two pictures"):
        principal([Dense([np.ones((1, 4), np.float32)])], 2)
    bad = spread(10, 8)
    bad[3, 2] = np.inf
    with pytest.raises(DataError, match="not finite"):
        principal([Dense([bad])], 2)


# -- the map --------------------------------------------------------------------------------------------------------

LEVELS = [(0, 30), (30, 40)]


def test_a_map_of_chosen_levels_is_the_svd_of_their_columns():
    rows = spread(150, 40)
    made = ZMap(LEVELS)
    for start in range(0, 150, 32):
        made.add(rows[start : start + 32])
    for levels, columns in (((), slice(0, 40)), ((1,), slice(30, 40)), ((0,), slice(0, 30))):
        layout = made.layout(levels)
        axes, variances = svd(rows[:, columns], 2)
        wanted = (rows[:, columns] - rows[:, columns].mean(0)) @ axes
        sign = np.sign((layout.points * wanted).sum(0))
        np.testing.assert_allclose(layout.points * sign, wanted, atol=2e-3)
        whole = rows[:, columns].var(0, ddof=1, dtype=np.float64).sum()
        np.testing.assert_allclose(layout.shares[:2], variances / whole, rtol=1e-4)
        np.testing.assert_allclose(layout.place(rows[:7]), layout.coordinates[:7], atol=2e-3)
    np.testing.assert_allclose(made.mean(), rows.mean(0), atol=1e-5)


def test_beyond_its_budget_a_map_holds_no_more_and_stays_close():
    rows = spread(1600, 120, offset=50.0)
    budget = 400 * 120 * 4
    made, whole, most = ZMap([(0, 80), (80, 120)], budget), ZMap([(0, 80), (80, 120)]), 0
    for start in range(0, 1600, 50):
        made.add(rows[start : start + 50])
        whole.add(rows[start : start + 50])
        most = max(most, made.held)
    assert whole.exact and not made.exact and most <= budget
    exact, close = whole.layout(), made.layout()
    assert len(close.coordinates) == 1600
    sign = np.sign((exact.points * close.points).sum(0))
    np.testing.assert_allclose(close.points * sign, exact.points, atol=0.05)
    np.testing.assert_allclose(close.shares[:6], exact.shares[:6], rtol=2e-2)
    np.testing.assert_allclose(close.place(rows[5:9])[:, :2], close.points[5:9], atol=0.05)
    assert made.layout((1,)).coordinates.shape == (1600, 40)


def test_two_pictures_make_a_map_and_what_does_not_fit_is_refused():
    made = ZMap(LEVELS)
    with pytest.raises(DataError, match="two pictures"):
        made.layout()
    made.add(spread(2, 40))
    points = made.layout().points
    assert points.shape == (2, 2) and (points[:, 1] == 0).all() and points[0, 0] == pytest.approx(-points[1, 0], rel=1e-4)
    with pytest.raises(ConfigError, match="levels 1 to 2"):
        made.layout((2,))
    with pytest.raises(ConfigError, match="40 numbers"):
        made.add(np.zeros((1, 39), np.float32))
    with pytest.raises(DataError, match="not finite"):
        made.add(np.full((1, 40), np.nan, np.float32))
    assert made.count == 2


# -- points -----------------------------------------------------------------------------------------------------------


def test_neighbours_are_those_of_brute_force():
    points = np.random.default_rng(0).standard_normal((700, 9)) * [50, 20, 3, 1, 1, 1, 1, 0.1, 0.1] + 1e4
    numbers, distances = nearest(points, 8)
    away = np.sqrt(((points[:, None] - points[None]) ** 2).sum(2))
    np.fill_diagonal(away, np.inf)
    np.testing.assert_array_equal(numbers, np.argsort(away, 1, kind="stable")[:, :8])
    np.testing.assert_allclose(distances, np.sort(away, 1)[:, :8], rtol=1e-5)


def test_neighbours_of_few_points_and_of_equal_ones():
    numbers, distances = nearest(np.array([[0.0], [1.0], [3.0]]), 8)
    assert numbers.tolist() == [[1, 2], [0, 2], [1, 0]] and distances[2].tolist() == [2.0, 3.0]
    same, none = nearest(np.zeros((12, 2)), 3)
    assert same[5].tolist() == [0, 1, 2] and (none == 0).all()
    assert nearest(np.zeros((1, 2)), 3)[0].shape == (1, 0)
    with pytest.raises(DataError):
        nearest(np.array([[0.0], [np.nan]]))


def test_a_far_point_does_not_blur_its_fellows():
    points = np.random.default_rng(1).standard_normal((200, 5))
    numbers, _ = nearest(points, 4)
    far, _ = nearest(np.vstack([points, np.full((1, 5), 1e6)]), 4)
    np.testing.assert_array_equal(far[:200], numbers)


def test_inside_a_line_drawn_by_hand():
    grid = np.stack(np.meshgrid(np.arange(5), np.arange(5)), -1).reshape(-1, 2)
    corner = inside(grid, np.array([[0.5, 0.5], [3.5, 0.5], [0.5, 3.5]]))
    assert {tuple(point) for point in grid[corner]} == {(1, 1), (2, 1), (1, 2)}
    hollow = np.array([[0.5, 0.5], [3.5, 0.5], [3.5, 3.5], [1.5, 3.5], [1.5, 1.5], [2.5, 1.5], [2.5, 2.5], [0.5, 2.5]])
    assert not inside(np.array([[2.0, 2.0]]), hollow)[0]
    assert not inside(grid, np.array([[0, 0], [4, 4]])).any()


def test_unusual_pictures_are_those_far_on_either_side():
    bpd = np.concatenate([np.linspace(3.8, 4.2, 50), [1.2, 9.0]])
    assert np.flatnonzero(unusual(bpd)).tolist() == [50, 51]
    assert not unusual(np.full(5, 3.0)).any() and not unusual(np.array([1.0])).any()


def test_members_are_packed_into_few_bytes_and_come_back():
    members = np.zeros(10_000, bool)
    members[[0, 9, 4711]] = True
    packed = pack(members)
    assert len(packed) == 4711 // 8 + 1
    np.testing.assert_array_equal(unpack(packed, 10_000), members)
    assert pack(np.zeros(5, bool)) == b"" and not unpack(b"", 3).any()
    assert len(unpack(packed, 7)) == 7


# -- direction and UMAP -----------------------------------------------------------------------------------------------


def test_a_lasso_is_a_direction_in_a_file(tmp_path):
    flow = build({"system": "nice", "shape": [12], "depth": 2, "width": 4, "hidden": 1})
    rng = np.random.default_rng(0)
    inner, outer = rng.standard_normal((5, 12)), rng.standard_normal((30, 12))
    path = tmp_path / "smile.safetensors"
    save_lasso(path, inner, outer, flow, "faces", {"source": "folder"})
    found = load_direction(path)
    assert (found.name, found.model, found.fingerprint, found.levels) == ("smile", "faces", fingerprint(flow), (0,))
    assert found.made | {"by": "picks", "from": "lasso", "more": 5, "less": 30, "source": "folder"} == found.made
    between = inner.mean(0) - outer.mean(0)
    along = found.vector @ between / np.linalg.norm(found.vector) / np.linalg.norm(between)
    assert along == pytest.approx(1.0, abs=1e-5)
    assert found.quality is not None
    for bad in (np.zeros((0, 12)), np.full((2, 12), np.nan)):
        with pytest.raises(FlowError):
            save_lasso(path, bad, outer, flow, "faces", {})
    with pytest.raises(FlowError, match="cannot be written"):
        save_lasso(tmp_path / "missing" / "x.safetensors", inner, outer, flow, "faces", {})
    with pytest.raises(FlowError, match="do not differ on average"):
        save_lasso(tmp_path / "x.safetensors", inner, np.tile(inner, (2, 1)), flow, "faces", {})


def test_umap_is_refused_where_it_is_missing_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(zmap, "has_umap", lambda: False)
    with pytest.raises(ConfigError, match=r"pip install 'flow-explorer\[map\]'"):
        umap_layout(np.zeros((10, 3)))


def test_umap_is_asked_for_what_it_can_do(monkeypatch):
    asked = []

    class Made:
        def __init__(self, **options):
            asked.append(options)

        def fit_transform(self, coordinates):
            return coordinates[:, :2]

    monkeypatch.setattr(zmap, "has_umap", lambda: True)
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Made))
    rows = spread(10, 8)
    np.testing.assert_array_equal(umap_layout(rows, seed=3), rows[:, :2])
    assert asked[0]["n_neighbors"] == 9 and asked[0]["random_state"] == 3
    with pytest.raises(DataError, match="four"):
        umap_layout(rows[:3])


@pytest.mark.skipif(not has_umap(), reason="umap-learn, an optional extra, is not installed")
def test_umap_keeps_piles_apart():
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.standard_normal((60, 10)), rng.standard_normal((60, 10)) + 20])
    points = umap_layout(rows)
    np.testing.assert_array_equal(points, umap_layout(rows))
    apart = np.linalg.norm(points[:60].mean(0) - points[60:].mean(0))
    assert apart > 2 * max(points[:60].std(), points[60:].std())


# -- encoding -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flows():
    """A small flow without classes, and one of three."""
    import torch

    from flowcore.model.systems import glow

    made = []
    for classes in (0, 3):
        generator = torch.Generator().manual_seed(1)
        flow = glow((3, 8, 8), levels=2, steps=1, width=8, classes=classes)
        flow.initialise(torch.rand(16, 3, 8, 8, generator=generator) * 255)
        with torch.no_grad():
            for parameter in flow.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.02)
            if classes:
                assert isinstance(flow.prior, LearnedPrior)
                flow.prior.location.add_(torch.randn(flow.prior.location.shape, generator=generator))
        made.append(flow.eval())
    return made


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)


def test_a_batch_has_each_pictures_own_z_and_bpd(flows):
    from flowcore.latents.map.encoding import encode_rows
    from flowcore.model.codec import encode_picture

    batch = pictures(5)
    rows = encode_rows(flows[0], batch)
    assert rows.classes.tolist() == [-1] * 5
    for picture, z, bpd in zip(batch, rows.z, rows.bpd, strict=True):
        encoded = encode_picture(flows[0], picture)
        np.testing.assert_allclose(z, encoded.z, atol=2e-3)
        assert bpd == pytest.approx(encoded.bpd, abs=1e-3)


def test_a_conditional_flow_gives_the_likeliest_class_and_z_under_one_prior(flows):
    import torch

    from flowcore.latents.map.encoding import encode_rows
    from flowcore.model.codec import class_log_probs, encode_picture, label_tensor, to_pixels
    from flowcore.model.labels import single

    flow, batch = flows[1], pictures(6, 3)
    rows = encode_rows(flow, batch)
    shared = torch.full((6, 3), 1 / 3)
    with torch.no_grad():
        wanted, _ = flow.encode(to_pixels(batch, flow), shared)
    np.testing.assert_allclose(rows.z, wanted.numpy(), atol=2e-3)
    for picture, bpd, number in zip(batch, rows.bpd, rows.classes, strict=True):
        assert number == class_log_probs(flow, picture).argmax()
        encoded = encode_picture(flow, picture, label_tensor(flow, [single(int(number))]))
        assert bpd == pytest.approx(encoded.bpd, abs=1e-3)


def test_a_picture_without_a_finite_z_is_marked_and_the_others_are_untouched(flows, monkeypatch):
    import flowcore.latents.map.encoding as module

    real = module.accelerate

    class Broken:
        def __init__(self, flow):
            self.flow = flow

        def encode_steps(self, x, label):
            z, log_det = yield from real(self.flow).encode_steps(x, label)
            bad = (x > 254.9).all(dim=(1, 2, 3))
            z[bad] = float("nan")
            return z, log_det

    batch = pictures(4)
    batch[2] = 255
    plain = module.encode_rows(flows[0], batch)
    monkeypatch.setattr(module, "accelerate", Broken)
    rows = module.encode_rows(flows[0], batch)
    assert np.isnan(rows.bpd).tolist() == [False, False, True, False] and np.isfinite(rows.z).all()
    np.testing.assert_array_equal(rows.z[[0, 1, 3]], plain.z[[0, 1, 3]])
