"""Sheets of samples of every bundled model, and docs/models.md: python docs/sheets.py

Every figure comes from the cards, every picture from seed 0: none is picked. A conditional model shows a class a row.

To choose the temperatures of a model's card, look at candidates side by side, and nothing else is written; each is one for all
levels, or one a level divided by commas, the finest first:

    python docs/sheets.py --model runs/faces --out candidates.png --temperature 0.6 0.35,0.45,0.65,0.75 0.5,0.6,0.7,0.7
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "app")]

from flow_explorer import assets  # noqa: E402
from flow_explorer.cli.arguments import temperatures  # noqa: E402
from flowcore.model import checkpoint  # noqa: E402
from flowcore.model.card import SYSTEM_NAMES, class_names, default_temperature, read_card  # noqa: E402
from flowcore.model.codec import decode_batch  # noqa: E402
from flowcore.model.temperature import Temperature  # noqa: E402
from flowcore.pictures import images  # noqa: E402
from flowcore.pictures.animation import animation_bytes  # noqa: E402

TEMPERATURES = (0.5, 0.7, 1.0)
"""Of a model whose card has one number; of others the card's own, by level, and 1."""
OUT = ROOT / "docs" / "samples"
INTRODUCTION = """# The bundled models

Written by `python docs/sheets.py` from the models' cards: do not edit. Each model is one file in
`app/flow_explorer/assets/models`: the weights in fp16, and a card that names the data, its licence and the command that trained
it. The figures are those of the shipped file, measured on the named test pictures; the checkpoint was chosen on pictures held out
of the training part. This reproduces them, where DATA is a folder of MNIST's or Fashion-MNIST's files, or what
`assets/models/data.py` makes:

```
flow-explorer evaluate --model NAME --data DATA --split test --json
```

`assets/models/bundle.py` makes the file that ships from a run folder. CelebA's pictures here were twice compressed as JPEG: those
figures cannot be compared with published ones.
"""


def shown_at(card: dict) -> tuple[Temperature, ...]:
    """The temperatures of a model's sheets."""
    own = default_temperature(card)
    return (own, 1.0) if isinstance(own, tuple) else TEMPERATURES


def in_words(shown: tuple[Temperature, ...]) -> str:
    """Temperatures as a sentence has them."""
    told = [f"{' · '.join(map(str, each))} (by level, the finest first)" if isinstance(each, tuple) else str(each)
            for each in shown]  # fmt: skip
    return ", ".join(told[:-1]) + f" and {told[-1]}"


def sheet(flow, temperature: Temperature) -> np.ndarray:
    """Eight by eight samples of seed 0; by class, ten columns of the same z's and a class a row."""
    if not flow.num_classes:
        return images.grid(list(decode_batch(flow, flow.sample(64, temperature, seed=0).numpy())), columns=8)
    z = flow.sample(8, temperature, seed=0).numpy()
    rows = [decode_batch(flow, z, torch.full((8,), number)) for number in range(flow.num_classes)]
    return images.grid(list(np.concatenate(rows)), columns=8)


def side_by_side(sheets: list[np.ndarray], gap: int = 12) -> np.ndarray:
    """Sheets in a row on white."""
    parts = []
    for picture in sheets:
        parts += [picture, np.full((picture.shape[0], gap, picture.shape[2]), 255, np.uint8)]
    return np.concatenate(parts[:-1], axis=1)


def describe(card: dict) -> str:
    """What a model is made of, in a cell of the table."""
    architecture = card["architecture"]
    words = {"levels": "levels", "steps": "steps a level", "depth": "couplings", "width": "wide", "blocks": "blocks"}
    known = [f"{architecture[key]} {told}" for key, told in words.items() if architecture.get(key) and key != "blocks"]
    classes = class_names(card)
    return ", ".join([SYSTEM_NAMES[card["system"]], *known, *([f"{len(classes)} classes"] if classes else []),
                      f"{card['parameters'] / 1e6:.1f} M parameters"])  # fmt: skip


def side_by_side_at(flow, shown: tuple[Temperature, ...]) -> np.ndarray:
    """A model's sheets at several temperatures."""
    return side_by_side([sheet(flow, temperature) for temperature in shown])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", help="one model, whose candidates for the card's temperature are looked at")
    parser.add_argument("--temperature", type=temperatures, nargs="+", metavar="T",
                        help="the candidates (default: the card's own, and 1)")
    parser.add_argument("--out", type=Path, default=Path("candidates.png"), metavar="FILE.png")
    options = parser.parse_args()
    if options.model is None:
        write_all()
        return
    loaded = checkpoint.load(assets.resolve_model(options.model))
    shown = tuple(options.temperature or (default_temperature(loaded.card), 1.0))
    images.save_png(options.out, side_by_side_at(loaded.flow, shown))
    print(f"{options.out}: {', '.join(map(str, shown))}")


def write_all() -> None:
    """Every bundled model's sheets, and docs/models.md."""
    OUT.mkdir(exist_ok=True)
    rows, pages = [], []
    for path in assets.models():
        loaded = checkpoint.load(path)
        card, flow = loaded.card, loaded.flow
        shown_temperatures = shown_at(card)
        told = in_words(shown_temperatures)
        sheet = animation_bytes(".webp", [side_by_side_at(flow, shown_temperatures)])  # lossless, a third smaller than PNG
        (OUT / f"{path.stem}.webp").write_bytes(sheet)
        data = card["data"]
        rows.append(
            f"| `{path.stem}` | {describe(card)} | {data['name']} ({data['licence'].rstrip('.')}) | {card['bpd']:.3f} ±"
            f" {card['bpd_standard_error']:.3f} | {card['bpd_count']:,} | {card['training_seconds'] / 60:,.0f} min,"
            f" {card['steps']:,} steps | {path.stat().st_size / 2**20:.1f} MB |"
        )
        by_class = f" A row a class: {', '.join(class_names(card))}." if class_names(card) else ""
        credit, note = data.get("credit", "").rstrip("."), data.get("note", "")
        words = f"{credit}.{by_class}" + (f"\n\n{note}" if note else "")
        shown = f"![Samples of {path.stem} at temperatures {told}](samples/{path.stem}.webp)"
        if shown_temperatures != TEMPERATURES:
            shown = f"At temperatures {told}:\n\n{shown}"
        pages.append(f"## {card['title']}\n\n{words}\n\n{shown}\n\n```\n{card['command']}\n```\n")
    table = ["| model | architecture | data | test bpd | pictures | trained | file |", "|---|---|---|---|---|---|---|", *rows]
    others = any(shown_at(read_card(path)) != TEMPERATURES for path in assets.models())
    about = f"Samples at temperatures {in_words(TEMPERATURES)}, seed 0; none was picked.\n"
    if others:
        about = f"Samples of seed 0, at temperatures {in_words(TEMPERATURES)} where no others are named; none was picked.\n"
    (ROOT / "docs" / "models.md").write_text("\n".join([INTRODUCTION, *table, "", about, *pages]), encoding="utf-8")


if __name__ == "__main__":
    main()
