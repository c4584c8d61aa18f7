"""Draws the example avatars: ``python assets/examples/avatars.py NODE_FOLDER [folder]`` (see assets/models/avatars/README.md).

They are three of the model's test pictures, drawn larger; no model has learned from them. Toon heads by Johan Melin (CC BY 4.0).
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))

import toon_heads  # noqa: E402

from flow_explorer import assets  # noqa: E402

NUMBERS = {"avatar-1": 100_005, "avatar-2": 100_053, "avatar-3": 100_013}
"""A laugh under a bun, a smile, and a wink: chosen by eye from the first hundred of the test."""
SIZE = 256


def main() -> None:
    """Draw all of them."""
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else assets.root() / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    pictures = toon_heads.draw(Path(sys.argv[1]), [toon_heads.avatar(number) for number in NUMBERS.values()], SIZE)
    for name, picture in zip(NUMBERS, pictures, strict=True):
        Image.fromarray(picture).save(folder / f"{name}.png", optimize=True)
        print(f"{name}.png")


if __name__ == "__main__":
    main()
