"""Sheets of samples of every bundled model, and docs/models.md: python docs/sheets.py

Every figure comes from the cards, every picture from seed 0: none is picked. A conditional model shows a class a row.
"""
from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "app")]

from flow_explorer import assets  # noqa: E402
from flowcore.model import checkpoint  # noqa: E402
from flowcore.model.card import SYSTEM_NAMES, class_names  # noqa: E402
from flowcore.model.codec import decode_batch  # noqa: E402
from flowcore.pictures import images  # noqa: E402

TEMPERATURES = (0.5, 0.7, 1.0)
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

`assets/models/bundle.py` makes the file that ships from a run folder. CelebA's pictures here were twice compressed as JPEG,
and the emoji and tiles are small sets with a split of our own: those figures cannot be compared with published ones.
"""


def sheet(flow, temperature: float) -> np.ndarray:
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


def main() -> None:
    OUT.mkdir(exist_ok=True)
    rows, pages = [], []
    for path in assets.models():
        loaded = checkpoint.load(path)
        card, flow = loaded.card, loaded.flow
        picture = side_by_side([sheet(flow, temperature) for temperature in TEMPERATURES])
        images.save_png(OUT / f"{path.stem}.png", picture)
        data = card["data"]
        rows.append(
            f"| `{path.stem}` | {describe(card)} | {data['name']} ({data['licence'].rstrip('.')}) | {card['bpd']:.3f} ±"
            f" {card['bpd_standard_error']:.3f} | {card['bpd_count']:,} | {card['training_seconds'] / 60:,.0f} min,"
            f" {card['steps']:,} steps | {path.stat().st_size / 2**20:.1f} MB |"
        )
        by_class = f" A row a class: {', '.join(class_names(card))}." if class_names(card) else ""
        credit, note = data.get("credit", "").rstrip("."), data.get("note", "")
        words = f"{credit}.{by_class}" + (f"\n\n{note}" if note else "")
        shown = f"![Samples of {path.stem} at temperatures 0.5, 0.7 and 1.0](samples/{path.stem}.png)"
        pages.append(f"## {card['title']}\n\n{words}\n\n{shown}\n\n```\n{card['command']}\n```\n")
    table = ["| model | architecture | data | test bpd | pictures | trained | file |", "|---|---|---|---|---|---|---|", *rows]
    about = "Samples at temperatures 0.5, 0.7 and 1.0, seed 0; none was picked.\n"
    (ROOT / "docs" / "models.md").write_text("\n".join([INTRODUCTION, *table, "", about, *pages]), encoding="utf-8")


if __name__ == "__main__":
    main()
