"""The toy lab's further views, against finite differences and the flow's own passes."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from flowcore.plane.frames import ToyFrames, cells
from flowcore.plane.trainer import ToyConfig, ToyTrainer
from flowcore.plane.views import CONTOUR_LEVELS, ToyViews, density_contours

FLOWS = ("nice", "realnvp", "glow", "spline")


def trained(flow: str, **more) -> ToyTrainer:
    trainer = ToyTrainer(ToyConfig(flow=flow, depth=4, width=16, batch=64, **more))
    trainer.step(15)
    return trainer


@pytest.fixture(scope="module", params=FLOWS)
def views(request) -> ToyViews:
    return ToyViews(ToyFrames(trained(request.param)))


def test_the_log_det_field_is_the_finite_differences(views):
    trainer = views.trainer
    field = views.log_det(12)
    flow = copy.deepcopy(trainer.average).double()
    places = torch.from_numpy(cells(trainer.density.bounds, 12)).double()
    step = 1e-5
    columns = []
    for axis in range(2):
        shift = torch.zeros(2, dtype=torch.float64)
        shift[axis] = step
        columns.append((flow.encode(places + shift)[0] - flow.encode(places - shift)[0]) / (2 * step))
    expected = torch.linalg.det(torch.stack(columns, -1)).abs().log().reshape(12, 12).detach().numpy()
    # A knot of a spline may lie between the two places.
    assert np.quantile(np.abs(field - expected), 0.97) < 2e-4
    assert field.std() > 0.05 or trainer.config.flow == "nice"


def test_the_field_in_parts_is_the_field(views):
    whole = views.log_det(72)
    assert np.array_equal(whole.ravel()[4096:], views.log_det_part(72, 4096))


def test_the_displacement_is_x_minus_z(views):
    states = views.displacement()
    z = torch.from_numpy(states[0])
    x = views.trainer.average.decode(z).numpy()
    assert states.shape == (5, 169, 2)
    assert np.allclose(states[-1] - states[0], x - z.numpy(), atol=1e-5)
    assert np.abs(states[0]).max() == pytest.approx(2.8)


def test_gradient_norms_are_autograds():
    trainer = ToyTrainer(ToyConfig(flow="glow", depth=2, width=16, batch=64))
    frames = ToyViews(ToyFrames(trainer))
    assert frames.gradient_norms() is None
    slow = ToyTrainer(trainer.config, fast=False)
    x = slow._batch()
    loss = -slow.flow.log_prob(x).mean()
    loss.backward()
    parts = [*slow.flow.named_layers(), ("prior", slow.flow.prior)]
    learning = {name: list(part.parameters()) for name, part in parts if any(True for _ in part.parameters())}
    expected = [float(sum(p.grad.square().sum() for p in members)) ** 0.5 for members in learning.values()]
    trainer.step()
    found = frames.gradient_norms()
    assert found is not None
    names, norms = found
    assert names == list(learning) and names[-1] == "prior"
    # The step clips the whole, so all by one factor.
    factor = min(1.0, 20.0 / float(np.linalg.norm(expected)))
    assert np.allclose(norms, np.array(expected) * factor, rtol=1e-3, atol=1e-6)


def test_the_density_s_lines_lie_where_the_density_is_so():
    frames = ToyFrames(trained("realnvp"))
    bounds = frames.trainer.density.bounds
    lines = density_contours(frames.heat(64), bounds)
    assert len(lines) > 50
    middle = torch.from_numpy((lines[:, :2] + lines[:, 2:4]) / 2)
    log_p = frames.trainer.average.log_prob(middle).numpy()
    levels = np.array(CONTOUR_LEVELS)[lines[:, 4].astype(int)]
    assert np.quantile(np.abs(log_p - levels), 0.95) < 0.25
