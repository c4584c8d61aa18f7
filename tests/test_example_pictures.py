"""The example pictures: there, small, square, readable, and of different things."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from flow_explorer import assets
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import read_picture

FOLDER = assets.root() / "examples"
NAMES = ("avatar-1", "avatar-2", "avatar-3", "portrait-1", "portrait-2", "portrait-3", "t-shirt", "ankle-boot", "waves")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_a_plain_square_picture(name: str) -> None:
    path = FOLDER / f"{name}.png"
    picture = read_picture(path)
    assert picture.width == picture.height >= 256 and picture.opaque and picture.notes == []
    assert path.stat().st_size < 150_000


@pytest.mark.parametrize("name", ["t-shirt", "ankle-boot"])
def test_garments_are_light_on_black(name: str) -> None:
    seen = apply_crop(read_picture(FOLDER / f"{name}.png"), Crop(), 28, 28, 1)[..., 0]
    assert seen[0].max() < 8 and (seen < 8).mean() > 0.3 and (seen > 120).mean() > 0.2


def test_no_two_are_alike_and_all_are_licensed() -> None:
    seen = [
        apply_crop(read_picture(FOLDER / f"{name}.png"), Crop(), 32, 32, 3).astype(float) for name in NAMES
    ]
    for a, b in itertools.combinations(seen, 2):
        assert np.abs(a - b).mean() > 20
    assert [path.stem for path in assets.examples()][:3] == ["avatar-1", "avatar-2", "avatar-3"]
    note = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "CC0" in note and "CC BY 4.0" in note and all(f"{name}.png" in note for name in NAMES)
