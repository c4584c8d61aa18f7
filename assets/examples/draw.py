"""Draws the example pictures that ship: ``python assets/examples/draw.py [folder]`` (half a minute).

Everything in them comes from the numbers in these scripts, nothing from a photograph or a model; they are
CC0.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from brush import CANVAS
from garments import ankle_boot, t_shirt, waves
from PIL import Image
from portraits import FACES, portrait

from flow_explorer import assets

SIZE = CANVAS // 3


def save(folder: Path, name: str, picture: np.ndarray) -> None:
    """Write a picture of values 0 to 1 as ``name``.png, three times smaller."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(folder / f"{name}.png", optimize=True)
    print(f"{name}.png")


def main() -> None:
    """Draw all of them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else assets.root() / "examples"
    for name, face in FACES.items():
        save(folder, name, portrait(face))
    save(folder, "t-shirt", t_shirt())
    save(folder, "ankle-boot", ankle_boot())
    save(folder, "waves", waves())


if __name__ == "__main__":
    main()
