"""Make the .npz files that the bundled models were trained and are evaluated on.

    python assets/models/data.py faces FOLDER faces.npz               CelebA's first 10,000 pictures
    python assets/models/data.py avatars NODE_FOLDER avatars.npz      toon heads; avatars.csv and avatars-pairs.npz beside it

FOLDER holds the data set's folder (celeba10k); MNIST and Fashion-MNIST are read as they are. NODE_FOLDER is where the packages
that draw avatars are installed (see avatars/README.md).
"""
from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import toon_heads
from PIL import Image

FACES_TEST = 1000
FACES_BOX = (7.5, 17.5, 81.5, 91.5)
"""The usual 148×148 centre crop of the aligned pictures, here halved: 74×74 of 89×109."""
FACES_EYES = ((0.37, 0.515), (0.63, 0.515))
"""Where those crops have their eyes, as shares of the side. The mean of the aligned pictures is darkest at (34.5, 55.5) and
(54.5, 55.5) of 89×109, CelebA's landmarks lie on average half a pixel further in; both agree once mirrored ones count too."""
EYES = {"faces": FACES_EYES}
"""By the model's name: what ``bundle.py`` writes on its card."""
CARDS = {
    "avatars": {
        "name": "Toon heads, 39,000 training, 1,000 validation and 2,000 test pictures, each drawn from its number, 64×64",
        "licence": "CC BY 4.0",
        "credit": "Toon heads by Johan Melin (CC BY 4.0), drawn with DiceBear",
        "note": "The design is ToonHead by Johan Melin, under Creative Commons Attribution 4.0; changed: continuous colours, "
                "thicker lines of mouths and closed eyes, a closer view.",
    }
}  # fmt: skip
"""By the model's name: what ``bundle.py`` writes of the data on its card, before what the run says."""
Split = dict[str, np.ndarray]


def faces(folder: Path, size: int) -> Split:
    """CelebA: pictures 1 to 9,000 train, 9,001 to 10,000 are the test set. For non-commercial research only.

    With what the training pictures were cut from, and by which box: `train --jitter` cuts them anew from that.
    """
    with zipfile.ZipFile(next((folder / "celeba10k").glob("*.zip"))) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        sources = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]
    pictures = np.stack([
        np.asarray(source.resize((size, size), Image.Resampling.LANCZOS, box=FACES_BOX)) for source in sources
    ])  # fmt: skip
    return {
        "x_train": pictures[:-FACES_TEST], "x_test": pictures[-FACES_TEST:],
        "source_train": np.stack([np.asarray(source) for source in sources[:-FACES_TEST]]), "box": np.array(FACES_BOX),
    }  # fmt: skip


def avatars(folder: Path, size: int) -> Split:
    """Toon heads by Johan Melin (CC BY 4.0), drawn by the packages of node in ``folder``; split by their numbers."""
    return {f"x_{split}": toon_heads.draw(folder, [toon_heads.avatar(number) for number in numbers], size)
            for split, numbers in toon_heads.numbers().items()}  # fmt: skip


def card_of_data(model: str, run: dict[str, Any], about: str = "", note: str = "") -> dict[str, Any]:
    """What a model's card says of its data: as its run says, what is known of a model of that name, and what is told now."""
    told = {"name": about, "note": note}
    return run | CARDS.get(model, {}) | {key: words for key, words in told.items() if words}


def save(path: Path, arrays: dict[str, Any]) -> None:
    """Write an .npz of these arrays."""
    np.savez_compressed(path, **arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    makers = {maker.__name__: maker for maker in (faces, avatars)}
    parser.add_argument("name", choices=makers)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=toon_heads.SIDE, help="the side in pixels (default: %(default)s)")
    options = parser.parse_args()
    split = makers[options.name](options.folder, options.size)
    save(options.out, split)
    if options.name == "avatars":
        toon_heads.write_table(options.out.with_suffix(".csv"), toon_heads.numbers())
        pairs = toon_heads.pairs(options.folder, options.size)
        save(options.out.with_name(f"{options.out.stem}-pairs.npz"), pairs)
    print(", ".join(f"{len(value):,} {key[2:]}" for key, value in split.items() if key.startswith("x_")), "pictures")


if __name__ == "__main__":
    main()
