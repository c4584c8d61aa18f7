"""Make the data that the bundled faces model was trained on: CelebA's first 10,000 pictures, cropped, at 32×32 or 64×64.

    python assets/models/faces_data.py CELEBA.zip faces.npz --size 32

Pictures 1 to 9,000 train, 9,001 to 10,000 are the test set. The crop is the usual 148×148 centre crop of the aligned
pictures (here halved, so 74×74 of 89×109). The pictures are for non-commercial research only; keep them to yourself.
"""
from __future__ import annotations

import argparse
import io
import zipfile

import numpy as np
from PIL import Image

TEST_COUNT = 1000
BOX = (7.5, 17.5, 81.5, 91.5)


def read_faces(path: str, size: int) -> np.ndarray:
    """uint8 (N, size, size, 3) in the order of the file names."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        pictures = [
            Image.open(io.BytesIO(archive.read(name))).convert("RGB").resize((size, size), Image.Resampling.LANCZOS, box=BOX)
            for name in names
        ]
    return np.stack([np.asarray(picture) for picture in pictures])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive")
    parser.add_argument("out")
    parser.add_argument("--size", type=int, default=32)
    options = parser.parse_args()
    faces = read_faces(options.archive, options.size)
    np.savez_compressed(options.out, x_train=faces[:-TEST_COUNT], x_test=faces[-TEST_COUNT:])
    print(f"{len(faces) - TEST_COUNT} training and {TEST_COUNT} test pictures in {options.out}")
