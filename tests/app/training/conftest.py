"""A folder never seen before: JPEG, PNG and GIF of several sizes in two subfolders, and some that are broken."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory):
    """40 pictures in two classes, two broken files, a note."""
    root = tmp_path_factory.mktemp("data") / "my pictures"
    rng = np.random.default_rng(0)
    for number, kind in enumerate(("cats", "dogs")):
        (root / kind).mkdir(parents=True)
        for index in range(20):
            shape = (20, 20 + 4 * (index % 3), 3)
            slope = np.linspace(-60, 60, 20)[:, None, None]
            pixels = rng.normal(110 + 60 * number, 40, (1, 1, 3)) + rng.normal(0, 25, shape) + slope
            ending = ("png", "jpg", "gif")[index % 3]
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(root / kind / f"{index:03d}.{ending}")
    (root / "cats" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot a picture")
    (root / "dogs" / "cut.jpg").write_bytes((root / "dogs" / "001.jpg").read_bytes()[:100])
    (root / "dogs" / "notes.txt").write_text("Not a picture, and not meant for one.")
    return root
