"""What there is to see of a toy run: each view against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from flowcore.plane import densities
from flowcore.plane.frames import GRID_LINES, GRID_POINTS, LAYER_POINTS, SAMPLES, ToyFrames, cells, true_heat
from flowcore.plane.picture import heat_picture, points_picture
from flowcore.plane.trainer import ToyConfig, ToyTrainer


@pytest.fixture(scope="module", params=["nice", "realnvp", "glow", "spline"])
def frames(request):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    trainer = ToyTrainer(ToyConfig(flow=request.param, depth=4, width=16, batch=128))
    trainer.step(25)
    yield ToyFrames(trainer)
    torch.set_num_threads(before)


def test_samples_are_the_same_noise_decoded(frames):
    flow = frames.trainer.average
    first, again = frames.samples(), frames.samples()
    assert first.shape == (SAMPLES, 2) and first.dtype == np.float32
    assert np.array_equal(first, again)
    with torch.no_grad():
        back = flow.encode(torch.from_numpy(first))[0]
    assert torch.allclose(back, frames._eps, atol=1e-3)


def test_prior_side_decodes_to_the_data(frames):
    with torch.no_grad():
        x = frames.trainer.average.decode(torch.from_numpy(frames.prior()))
    assert np.allclose(x.numpy(), frames.data, atol=1e-4)


def test_grid_is_of_whole_lines_in_z(frames):
    grid = frames.grid()
    assert grid.shape == (2 * GRID_LINES, GRID_POINTS, 2)
    with torch.no_grad():
        z = frames.trainer.average.encode(torch.from_numpy(grid.reshape(-1, 2)))[0].numpy().reshape(grid.shape)
    assert np.ptp(z[:GRID_LINES, :, 0], axis=1).max() < 1e-2
    assert np.ptp(z[GRID_LINES:, :, 1], axis=1).max() < 1e-2


def test_samples_and_grid_together_are_the_two(frames):
    samples, grid = frames.samples_and_grid()
    assert np.allclose(samples, frames.samples(), atol=1e-5)
    assert np.allclose(grid, frames.grid(), atol=1e-5)


def test_heat_is_the_root_of_the_density_and_integrates_to_one(frames):
    heat = frames.heat(128)
    cell = (8 / 128) ** 2
    assert heat.shape == (128, 128) and heat.dtype == np.float32
    assert float((heat.astype(float) ** 2).sum() * cell) == pytest.approx(1.0, abs=0.08)
    places = torch.from_numpy(cells(frames.trainer.density.bounds, 128))
    with torch.no_grad():
        expected = frames.trainer.average.log_prob(places[:500]).exp().sqrt().numpy()
    assert np.allclose(heat.ravel()[:500], expected, atol=1e-6)


def test_heat_in_parts_is_the_whole(frames):
    assert np.array_equal(np.concatenate([frames.heat_part(128, s) for s in range(0, 128**2, 4096)]), frames.heat(128).ravel())


def test_layers_go_from_noise_to_samples(frames):
    layers = frames.layers()
    assert layers.shape == (frames.trainer.config.depth + 1, LAYER_POINTS, 2)
    assert np.array_equal(layers[0], frames._eps[:LAYER_POINTS].numpy())
    assert np.allclose(layers[-1], frames.samples()[:LAYER_POINTS], atol=1e-5)
    assert all(not np.array_equal(a, b) for a, b in zip(layers, layers[1:], strict=False))


def test_rows_of_a_heat_map_rise_with_y():
    places = cells((-4, 4, -4, 4), 4).reshape(4, 4, 2)
    assert np.all(places[0, :, 1] < places[1, :, 1]) and np.all(places[:, 0, 0] < places[:, 1, 0])


@pytest.mark.parametrize("name", densities.NAMES)
def test_true_heat_holds_all_of_the_density(name):
    assert float((true_heat(name, 160).astype(float) ** 2).sum() * (8 / 160) ** 2) == pytest.approx(1.0, abs=0.02)


def test_pictures_show_what_they_are_given_where_it_is():
    heat = np.zeros((8, 8), np.float32)
    heat[7, 0] = 1.0  # high y, low x: the upper left corner
    picture = heat_picture(heat, 1.0, 64)
    assert picture[:8, :8].astype(int).sum() > 4 * picture[-8:, -8:].astype(int).sum()
    dot = points_picture([(np.array([[2.0, 2.0]]), (255, 255, 255))], 4.0, side=64)
    y, x = np.unravel_index(dot.sum(2).argmax(), (64, 64))
    assert abs(x - 48) <= 1 and abs(y - 16) <= 1
