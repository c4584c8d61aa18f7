"""Make the .npz files that the bundled models were trained and are evaluated on.

    python assets/models/data.py faces FOLDER faces.npz --size 64     CelebA's first 10,000 pictures
    python assets/models/data.py emoji FOLDER emoji.npz --size 32     Noto Emoji and Emojitwo, on white
    python assets/models/data.py tiles FOLDER tiles.npz               Dungeon Crawl Stone Soup's CC0 tiles, on its sand
    python assets/models/data.py avatars NODE_FOLDER avatars.npz      toon heads; avatars.csv and avatars-pairs.npz beside it

FOLDER holds the data sets' folders (celeba10k, noto-emoji, emojitwo, dcss-cc0-tiles); MNIST and Fashion-MNIST are read as they
are. NODE_FOLDER is where the packages that draw avatars are installed (see avatars/README.md). The split goes by what is drawn,
so that no drawing in another skin tone, by another artist or from another release is on both sides.
"""
from __future__ import annotations

import argparse
import hashlib
import io
import re
import zipfile
from pathlib import Path

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
TEST_SHARE = 0.1
UNSEEN_CODES = {"fe0f", "200d", *(f"1f3f{tone}" for tone in "bcdef")}
"""Variation selector, joiner, skin tones: they do not change what is drawn."""
TILES = {"monsters": ("mon", "monster"), "items": ("item", "armour", "weapons", "food", "misc_items"),
         "dungeon": ("dngn", "dc-dngn", "dungeon"), "adventurers": ("player", "dc-player")}  # fmt: skip
OTHER = "spells and signs"
GROUND = re.compile(r"Nov-2015/dngn/floor/sand[1-4]\.png$")
"""The floor that tiles with see-through parts stand on. Alone on one flat colour a flow draws one sample in twenty as nothing
but that colour, and no such tile would be seen in the game either."""
LEAST_DRAWN = 0.1
"""Tiles of which less is drawn are parts to put on another tile (a glove, a ripple): left out."""

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


def emoji(folder: Path, size: int) -> Split:
    """Noto Emoji (Apache 2.0) and Emojitwo (CC BY 4.0) together."""
    pictures, keys = [], []
    for name, file in (("noto-emoji", "noto_emoji_64_white_rgba.npz"), ("emojitwo", "emojitwo_64_white_rgba.npz")):
        with np.load(folder / name / file, allow_pickle=False) as data:
            pictures.append(reduced(data["x"][..., :3], size))
            keys += [drawing(str(entry)) for entry in data["name"]]
    return _split(np.concatenate(pictures), keys)


def tiles(folder: Path, size: int) -> Split:
    """Dungeon Crawl Stone Soup (CC0), by class, each standing on the game's own sand as it would there."""
    with np.load(folder / "dcss-cc0-tiles" / "dcss_cc0_tiles_32_rgba.npz", allow_pickle=False) as data:
        rgba, names = data["x"].astype(np.float64), [str(name) for name in data["name"]]
    grounds = [picture[..., :3] for picture, name in zip(rgba, names, strict=True) if GROUND.search(name)]
    colour, alpha = rgba[..., :3], rgba[..., 3:] / 255
    drawn = alpha.mean((1, 2, 3)) >= LEAST_DRAWN
    drawn &= (colour * alpha).reshape(len(rgba), -1).std(1) > 1
    ground = np.stack([_ground(name, grounds) for name in names])
    pictures = np.floor(colour * alpha + ground * (1 - alpha) + 0.5).astype(np.uint8)
    classes = [*TILES, OTHER]
    labels = np.array([classes.index(_kind(name)) for name in names], np.int64)
    keys = [re.sub(r"(_old|_new|\d+)?\.png$", "", Path(name).name) for name in names]
    split = _split(reduced(pictures[drawn], size), [keys[row] for row in np.flatnonzero(drawn)], labels[drawn])
    return {**split, "classes": np.array(classes)}


def avatars(folder: Path, size: int) -> Split:
    """Toon heads by Johan Melin (CC BY 4.0), drawn by the packages of node in ``folder``; split by their numbers."""
    return {f"x_{split}": toon_heads.draw(folder, [toon_heads.avatar(number) for number in numbers], size)
            for split, numbers in toon_heads.numbers().items()}  # fmt: skip


def _ground(name: str, grounds: list[np.ndarray]) -> np.ndarray:
    """One of the seamless floors, moved round by an offset that only the name decides: no corner is always the same."""
    digest = hashlib.sha256(name.encode()).digest()
    floor = grounds[digest[0] % len(grounds)]
    return np.roll(floor, (digest[1] % floor.shape[0], digest[2] % floor.shape[1]), (0, 1))


def _kind(name: str) -> str:
    for part in name.lower().split("/")[:-1]:
        for kind, words in TILES.items():
            if part in words:
                return kind
    return OTHER


def drawing(name: str) -> str:
    """The code points of an emoji, whoever drew it and in whatever skin tone."""
    codes = re.split(r"[-_]", name.lower().removeprefix("emoji_u"))
    return "-".join(code.lstrip("0") for code in codes if code not in UNSEEN_CODES)


def reduced(pictures: np.ndarray, size: int) -> np.ndarray:
    """Means over squares of pixels, rounded."""
    count, side = len(pictures), pictures.shape[1]
    if side % size:
        raise SystemExit(f"{side}×{side} pictures cannot be reduced to {size}×{size} by whole pixels.")
    factor = side // size
    means = pictures.reshape(count, size, factor, size, factor, -1).mean((2, 4))
    return np.floor(means + 0.5).astype(np.uint8)


def parts_of(keys: list[str]) -> dict[str, np.ndarray]:
    """Which rows are "train", "validation" and "test", bool (N,) each: a tenth of the drawings, by a hash, is the test."""
    held = np.array([int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") < TEST_SHARE * 2**32 for key in keys])
    # Every tenth of the rest's drawings would leak into validation the same way, so that too goes by drawing.
    near = np.array([int.from_bytes(hashlib.sha256(key.encode()).digest()[4:8], "big") < 0.05 * 2**32 for key in keys]) & ~held
    return {"train": ~held & ~near, "validation": near, "test": held}


def _split(pictures: np.ndarray, keys: list[str], labels: np.ndarray | None = None) -> Split:
    parts = parts_of(keys)
    split = {f"x_{name}": pictures[rows] for name, rows in parts.items()}
    if labels is not None:
        split |= {f"y_{name}": labels[rows] for name, rows in parts.items()}
    return split


def card_of_data(model: str, run: dict[str, object], about: str = "", note: str = "") -> dict[str, object]:
    """What a model's card says of its data: as its run says, what is known of a model of that name, and what is told now."""
    told = {"name": about, "note": note}
    return run | CARDS.get(model, {}) | {key: words for key, words in told.items() if words}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    makers = {maker.__name__: maker for maker in (faces, emoji, tiles, avatars)}
    parser.add_argument("name", choices=makers)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, help="the side in pixels (default: 32, of avatars 64)")
    options = parser.parse_args()
    size = options.size or (toon_heads.SIDE if options.name == "avatars" else 32)
    split = makers[options.name](options.folder, size)
    np.savez_compressed(options.out, **split)
    if options.name == "avatars":
        toon_heads.write_table(options.out.with_suffix(".csv"), toon_heads.numbers())
        np.savez_compressed(options.out.with_name(f"{options.out.stem}-pairs.npz"), **toon_heads.pairs(options.folder, size))
    print(", ".join(f"{len(value):,} {key[2:]}" for key, value in split.items() if key.startswith("x_")), "pictures")


if __name__ == "__main__":
    main()
