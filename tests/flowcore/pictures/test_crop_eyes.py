"""Two eyes brought where a model's data has them: the one similarity, within a crop's limits."""

from __future__ import annotations

import io
import math
import zipfile

import numpy as np
import pytest
from PIL import Image

from flow_explorer import assets
from flowcore.errors import PictureError
from flowcore.model.card import eye_positions, read_card
from flowcore.pictures.crop import (
    MAX_ZOOM,
    MIN_ZOOM,
    Crop,
    apply_crop,
    crop_corners,
    crop_for_eyes,
    points_of_targets,
)
from flowcore.pictures.images import Picture

TARGETS = ((0.37, 0.515), (0.63, 0.515))


def picture(width: int, height: int) -> Picture:
    return Picture.from_array(np.zeros((height, width, 3), np.uint8))


def seen_at(canvas: Picture, crop: Crop, point, model) -> np.ndarray:
    """Where the model sees a point of the picture, as shares of its width and height."""
    corners = crop_corners(canvas, crop, *model)
    axes = np.stack([corners[1] - corners[0], corners[3] - corners[0]], axis=1)
    return np.linalg.solve(axes, np.asarray(point) - corners[0])


@pytest.mark.parametrize("left, right", [((400, 300), (600, 300)), ((420, 380), (560, 310)), ((500, 200), (500.5, 340)),
                                         ((620, 420), (380, 430))])  # fmt: skip
@pytest.mark.parametrize("model", [(64, 64), (48, 80)])
@pytest.mark.parametrize("targets", [TARGETS, ((0.3, 0.4), (0.6, 0.55))])
def test_both_eyes_come_exactly_where_they_are_wanted(left, right, model, targets):
    canvas = picture(1000, 700)
    crop = crop_for_eyes(left, right, targets, (canvas.width, canvas.height), model)
    np.testing.assert_allclose(seen_at(canvas, crop, left, model), targets[0], atol=1e-9)
    np.testing.assert_allclose(seen_at(canvas, crop, right, model), targets[1], atol=1e-9)
    np.testing.assert_allclose(points_of_targets(canvas, crop, targets, *model), (left, right), atol=1e-6)
    # A similarity: neither stretched nor mirrored.
    a, b, _, d = crop_corners(canvas, crop, *model)
    assert np.dot(b - a, d - a) == pytest.approx(0, abs=1e-6) and np.linalg.det([b - a, d - a]) > 0
    assert np.linalg.norm(b - a) / model[1] == pytest.approx(np.linalg.norm(d - a) / model[0])


def test_a_crop_that_is_already_right_comes_back():
    canvas, model = picture(300, 200), (64, 64)
    crop = Crop(0.6, 0.4, 2.0, 12.0, aligned=False)
    left, right = points_of_targets(canvas, crop, TARGETS, *model)
    back = crop_for_eyes(left, right, TARGETS, (300, 200), model)
    np.testing.assert_allclose([back.center_x, back.center_y, back.zoom, back.angle], [0.6, 0.4, 2.0, 12.0], atol=1e-9)


def test_the_zoom_stays_within_a_crops_limits_and_the_middle_in_its_place():
    canvas, model = picture(400, 400), (64, 64)
    near = crop_for_eyes((200, 200), (200.4, 200), TARGETS, (400, 400), model)
    assert near.zoom == MAX_ZOOM
    np.testing.assert_allclose(seen_at(canvas, near, (200.2, 200), model), (0.5, 0.515), atol=1e-9)
    far = crop_for_eyes((-600, 200), (1000, 200), TARGETS, (400, 400), model)
    assert far.zoom == MIN_ZOOM and -1 <= far.center_x <= 2


@pytest.mark.parametrize("left, right", [((5, 5), (5, 5)), ((math.nan, 5), (9, 5)), ((0, 0), (math.inf, 0))])
def test_eyes_that_are_no_two_points_are_refused(left, right):
    with pytest.raises(PictureError, match="two different points"):
        crop_for_eyes(left, right, TARGETS, (100, 100))


def test_the_model_sees_the_marked_pixels_where_the_eyes_belong():
    pixels = np.full((300, 400, 3), 200, np.uint8)
    y, x = np.mgrid[0:300, 0:400]
    for centre in ((150, 170), (230, 130)):
        pixels[(x - centre[0]) ** 2 + (y - centre[1]) ** 2 < 36] = 0
    canvas = Picture.from_array(pixels)
    crop = crop_for_eyes((150.5, 170.5), (230.5, 130.5), TARGETS, (400, 300), (64, 64))
    seen = 200.0 - apply_crop(canvas, crop, 64, 64, 1)[..., 0]
    rows, columns = np.mgrid[0:64, 0:64] + 0.5
    for half, target in ((slice(0, 32), TARGETS[0]), (slice(32, 64), TARGETS[1])):
        weights = np.clip(seen[24:42, half], 0, None)
        found = (weights * columns[24:42, half]).sum() / weights.sum(), (weights * rows[24:42, half]).sum() / weights.sum()
        np.testing.assert_allclose(np.array(found) / 64, target, atol=0.01)


def test_a_card_says_where_eyes_are():
    assert eye_positions({"eyes": [[0.3, 0.4], [0.7, 0.5]]}) == ((0.3, 0.4), (0.7, 0.5))
    assert eye_positions({"data": {"name": "CelebA, the first 10,000 aligned pictures (1 to 9,000 …)"}}) == TARGETS
    for bad in ({}, {"eyes": [[0.3, 0.4]]}, {"eyes": [[0.7, 0.4], [0.3, 0.4]]}, {"eyes": [["a", 1], [0, 1]]}, {"eyes": 3},
                {"eyes": [[0.1, 0.4], [1.4, 0.4]]}, {"data": {"name": "MNIST"}}, {"data": {"name": 3}}):  # fmt: skip
        assert eye_positions(bad) is None


def test_the_bundled_faces_say_where_their_eyes_are():
    card = read_card(assets.root() / "models" / "faces.safetensors")
    assert eye_positions(card) == TARGETS


def test_the_mean_of_the_training_pictures_is_darkest_where_the_card_puts_the_eyes(shared_data):
    """CelebA's aligned pictures, cut as ``assets/models/data.py`` cuts them, and mirrored as they were in training."""
    archive = next(shared_data("celeba10k").glob("*.zip"))
    with zipfile.ZipFile(archive) as pictures:
        names = sorted(name for name in pictures.namelist() if name.endswith(".jpg"))[:400]
        cut = [
            np.asarray(Image.open(io.BytesIO(pictures.read(name))).convert("L").resize(
                (64, 64), Image.Resampling.LANCZOS, box=(7.5, 17.5, 81.5, 91.5)), np.float64)
            for name in names
        ]  # fmt: skip
    mean = np.mean(cut, axis=0)
    mean = (mean + mean[:, ::-1]) / 2
    for half, (x, y) in ((slice(14, 32), TARGETS[0]), (slice(32, 50), TARGETS[1])):
        region = mean[27:39, half]
        row, column = np.unravel_index(region.argmin(), region.shape)
        found = np.array([half.start + column + 0.5, 27 + row + 0.5]) / 64
        np.testing.assert_allclose(found, (x, y), atol=1.6 / 64)
