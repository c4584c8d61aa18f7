"""Make the directions that ship with the bundled models, and the table of how good they are.

    python assets/directions/make.py faces DATA_FOLDER      CelebA's attributes
    python assets/directions/make.py avatars DATA_FOLDER    what the table of avatars says

DATA_FOLDER holds the data sets' folders, as for assets/models/data.py, and of avatars what that made (avatars.npz and
avatars.csv). Writes *.safetensors to where the bundled directions lie (what stood there before goes), docs/directions.json and
docs/directions.md; run it again whenever a model has other weights.

A direction is made from the pictures that its model was trained on, and measured on that model's test pictures, which neither the
model nor the direction has seen.
"""
from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "app"), str(HERE.parent / "models")]

import data  # noqa: E402

from flow_explorer import assets  # noqa: E402
from flowcore.latents.directions.directions import Direction, cosine, standard_step  # noqa: E402
from flowcore.latents.directions.files import save_direction  # noqa: E402
from flowcore.latents.directions.making import bounds_of, from_labels, latents  # noqa: E402
from flowcore.model import checkpoint  # noqa: E402
from flowcore.model.codec import decode_batch  # noqa: E402
from flowcore.model.flow import Flow  # noqa: E402
from tests.benchmarks.translation import Classifier, structural_similarity, wilson  # noqa: E402

FACES = {"Smiling": "Smile", "Eyeglasses": "Glasses", "Male": "Masculine", "Young": "Young", "Blond_Hair": "Blond hair",
         "Pale_Skin": "Pale skin", "Bangs": "Bangs", "Mouth_Slightly_Open": "Open mouth"}  # fmt: skip
AVATARS = {
    "Smile": ("mouth", ("smile",), ("sad", "angry")),
    "Laugh": ("mouth", ("laugh",), ("smile", "sad")),
    "Beard": ("beard", ("fullBeard", "longBeard"), ("none",)),
    "Wink": ("eyes", ("wink",), ("happy", "wide")),
    "Long hair": ("rearHair", ("longStraight", "longWavy"), ("none",)),
    "Bun": ("hair", ("bun",), ("sideComed", "undercut")),
    "Dark skin": ("Dark skin", ("1",), ("-1",)),
    "Light hair": ("Light hair", ("1",), ("-1",)),
}
"""A column of the table, and its words that have it and that have it not; any other word says nothing."""
AVATARS_MADE_FROM = 12_000
"""Training avatars, at most, that are encoded: a third of them, and more of each kind than of any face."""
SOURCES = {"faces": "CelebA's first 10,000 pictures", "avatars": f"the first {AVATARS_MADE_FROM:,} training avatars"}
JSON, TABLE = ROOT / "docs" / "directions.json", ROOT / "docs" / "directions.md"
JUDGED = 200
"""Held-out pictures that are moved, to see what becomes of them."""
JUDGE_MADE_FROM = 9000
"""Training pictures, at most, that the network which judges them is made from."""
JUDGED_SIDE = 32
"""The network that judges them sees them at this size."""
STEPS = 2.0
"""Standard deviations by which they are moved."""


@dataclass(frozen=True)
class Labelled:
    """Pictures uint8 (N, H, W, C), what is so of each (N, A), and which are the model's test pictures."""

    pictures: np.ndarray
    attributes: np.ndarray
    names: list[str]
    counted: np.ndarray
    """(N, A): whether a picture says anything of an attribute at all."""
    held: np.ndarray


def faces(folder: Path, size: int) -> Labelled:
    """CelebA's first 10,000, as the model sees them; the last 1,000 are its test pictures."""
    split = data.faces(folder, size)
    with np.load(folder / "celeba10k" / "attributes.npz", allow_pickle=False) as table:
        names = [str(name) for name in table["attr_names"]]
        attributes = table["attr"][:, [names.index(name) for name in FACES]] > 0
    pictures = np.concatenate([split["x_train"], split["x_test"]])
    held = np.arange(len(pictures)) >= len(split["x_train"])
    return Labelled(pictures, attributes, list(FACES.values()), np.ones_like(attributes), held)


def avatars(folder: Path, size: int) -> Labelled:
    """Training and test avatars; what is so of each is what it was drawn with."""
    with np.load(folder / "avatars.npz", allow_pickle=False) as found:
        parts = {"train": found["x_train"][:AVATARS_MADE_FROM], "test": found["x_test"]}
    if parts["test"].shape[1] != size:
        raise SystemExit(f"The avatars in {folder} are {parts['test'].shape[1]} pixels wide, the model's {size}.")
    with (folder / "avatars.csv").open(encoding="utf-8") as rows:
        table = {row["picture"]: row for row in csv.DictReader(rows)}
    rows = [table[f"{part} {row}"] for part, x in parts.items() for row in range(len(x))]
    more, less = (np.array([[row[asked[0]] in asked[side] for asked in AVATARS.values()] for row in rows]) for side in (1, 2))
    held = np.arange(len(rows)) >= len(parts["train"])
    return Labelled(np.concatenate(list(parts.values())), more, list(AVATARS), more | less, held)


def ships(direction: Direction) -> bool:
    """Whether it is shown to be better than chance; an axis makes no such claim."""
    quality = direction.quality
    return quality is not None and ("variance" in quality.how or quality.low > 0.5)


def file_name(number: int, name: str) -> str:
    """The number comes first, since a list goes by name."""
    return f"{number:02}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.safetensors"


def make(which: str, flow: Flow, found: Labelled) -> list[Direction]:
    """A direction for each attribute."""
    about = {"data": SOURCES[which]}
    return from_labels(flow, found.pictures, found.attributes, found.names, found.held, counted=found.counted, model=which,
                       made=about, on_progress=_told("labels"))  # fmt: skip


class Judge:
    """A small network that says what it sees in a picture, trained on the training pictures and on nothing of the flow's."""

    def __init__(self, found: Labelled, epochs: int) -> None:
        torch.manual_seed(0)
        # A network on a processor takes its time; the table says of how many it is made, and how good it became.
        rows = np.random.default_rng(1).permutation(np.flatnonzero(~found.held))[:JUDGE_MADE_FROM]
        x, y, counted = (values[rows] for values in (found.pictures, found.attributes, found.counted))
        self.net = Classifier(x.shape[3], min(x.shape[1], JUDGED_SIDE), y.shape[1])
        optimiser = torch.optim.Adam(self.net.parameters(), lr=1e-3)
        # Rare attributes count as much as frequent ones, or it would never see a hat.
        share = (y & counted).sum(0) / counted.sum(0)
        weight = torch.from_numpy((1 - share) / share).float()
        rng = np.random.default_rng(0)
        for epoch in range(epochs):
            self.net.train()
            for rows in np.array_split(rng.permutation(len(x)), len(x) // 64):
                part = self._floats(x[rows])
                part = torch.where(torch.rand(len(part), 1, 1, 1) < 0.5, part.flip(3), part)
                optimiser.zero_grad()
                loss = F.binary_cross_entropy_with_logits(
                    self.net(part), torch.from_numpy(y[rows]).float(), torch.from_numpy(counted[rows]).float(), pos_weight=weight
                )
                loss.backward()
                optimiser.step()
            _told("judge")(epoch + 1, epochs)
        self.net.eval()

    @staticmethod
    def _floats(pictures: np.ndarray) -> torch.Tensor:
        x = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255 - 0.5
        return F.avg_pool2d(x, x.shape[-1] // JUDGED_SIDE) if x.shape[-1] > JUDGED_SIDE else x

    @torch.no_grad()
    def sees(self, pictures: np.ndarray, column: int) -> np.ndarray:
        """Whether it sees an attribute in pictures uint8 (N, H, W, C); bool (N,)."""
        x = self._floats(pictures)
        return (torch.cat([self.net(part) for part in x.split(128)])[:, column] > 0).numpy()


def judged(flow: Flow, found: Labelled, judge: Judge, column: int, direction: Direction) -> dict:
    """What becomes of held-out pictures without an attribute when they are moved along its direction."""
    held = found.held & found.counted[:, column]
    accuracy = [float((judge.sees(found.pictures[held & (found.attributes[:, column] == side)], column) == side).mean())
                for side in (True, False)]  # fmt: skip
    without = found.pictures[held & ~found.attributes[:, column]][:JUDGED]
    step = STEPS * standard_step(direction, bounds_of(flow))
    z = np.concatenate([z for _, z in latents(flow, without)])
    moved = np.concatenate([decode_batch(flow, (part + step).astype(np.float32)) for part in np.array_split(z, -(-len(z) // 32))])
    taken = int(judge.sees(moved, column).sum())
    low, high = wilson(taken, len(moved))
    return {
        "moved": STEPS, "count": len(moved), "before": float(judge.sees(without, column).mean()), "taken": taken / len(moved),
        "taken_low": low, "taken_high": high, "kept": float(structural_similarity(without, moved).mean()),
        "judge": sum(accuracy) / 2,
    }  # fmt: skip


def _told(name: str):
    return lambda done, total: print(f"\r{name}: {done:,} of {total:,}", end="\n" if done == total else "", file=sys.stderr)


def rows_of(flow: Flow, found: Labelled, directions: list[Direction], epochs: int) -> list[dict]:
    """The table's rows, JSON-ready."""
    judge = Judge(found, epochs) if epochs else None
    rows = []
    for index, direction in enumerate(directions):
        quality = direction.quality
        rows.append({
            "name": direction.name, "file": file_name(index + 1, direction.name) if ships(direction) else None,
            "levels": [flow.levels[level].name for level in direction.levels], "deviation": direction.deviation,
            "made_from": [direction.made["more"], direction.made["less"]],
            "quality": None if quality is None else quality.to_dict(),
            "cosine": {other.name: round(cosine(direction.vector, other.vector), 3)
                       for other in directions if other is not direction},
            "pictures": judged(flow, found, judge, index, direction) if judge and index < len(found.names) else None,
        })  # fmt: skip
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def table(everything: dict) -> str:
    """docs/directions.md."""
    lines = [
        "# Directions that ship", "",
        "Written by `python assets/directions/make.py faces|avatars DATA_FOLDER`; "
        "the figures are in `directions.json` too.", "",
        "A direction is the difference of the mean z of the pictures with and without something, each coordinate shrunk by "
        "1.5 of its standard errors (a threshold chosen on faces 8,001 to 9,000, which are training pictures); it is made from "
        "the pictures that its model was trained on and measured on the model's test pictures.", "",
        "- **AUC**: of one test picture with and one without it, how often the projection on the direction puts them in order. "
        "0.5 is chance. 95 % interval (Newcombe). For a principal axis: its share of the variance "
        "of a quarter of its pictures that it was not made from.",
        f"- **Seen after +{STEPS:g} σ**: test pictures without it, moved by {STEPS:g} standard deviations; the share in which a "
        "small network sees it then, with its 95 % interval, and in brackets before. The network (the *judge*) was trained on "
        f"training pictures at {JUDGED_SIDE}×{JUDGED_SIDE}, and is right about test pictures as often as the last column says "
        "(mean of both sides; 50 % is chance). It is a weak witness where that is low.",
        "- **Kept**: structural similarity of the moved pictures with the ones before.",
        "- **Closest**: the direction of the table with the largest cosine either way: what comes along, unless it is made "
        "orthogonal.", "",
    ]  # fmt: skip
    for which in sorted(everything, reverse=True):
        lines += [f"## {which}", "", f"From {SOURCES[which]}; model fingerprint `{everything[which]['fingerprint']}`. "
                  + (f"The judge is made from {everything[which]['judge_made_from']:,} pictures."
                     if everything[which]["judge_made_from"] else
                     "No judge was trained (`--epochs 0`): the AUC says what the projection tells, not what a picture shows."),
                  "",
                  "| direction | levels | pictures with / without | AUC or share | with / without, held out | "
                  f"seen after +{STEPS:g} σ (before) | kept | closest | judge |",
                  "|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
        for row in everything[which]["rows"]:
            lines.append(_line(row))
        lines += ["", *_failures(everything[which]["rows"]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _line(row: dict) -> str:
    quality, moved = row["quality"], row["pictures"]
    axis = quality["how"] in ("variance", "own variance")
    levels = "all" if len(row["levels"]) >= 3 else ", ".join(row["levels"])
    area = f"{quality['score']:.3f} ({quality['low']:.3f} to {quality['high']:.3f})"
    score = f"{100 * quality['score']:.1f} %" if axis else area
    closest, value = max(row["cosine"].items(), key=lambda item: abs(item[1]))
    seen = "–" if moved is None else (f"{100 * moved['taken']:.0f} % ({100 * moved['taken_low']:.0f} to "
                                      f"{100 * moved['taken_high']:.0f}; before {100 * moved['before']:.0f})")  # fmt: skip
    made = f"{row['made_from'][0]:,}" if axis else " / ".join(f"{n:,}" for n in row["made_from"])
    held = f"{quality['more']:,}" if axis else f"{quality['more']:,} / {quality['less']:,}"
    kept, judge = ("–", "–") if moved is None else (f"{moved['kept']:.2f}", f"{100 * moved['judge']:.0f} %")
    return f"| {row['name']} | {levels} | {made} | {score} | {held} | {seen} | {kept} | {closest} {value:+.2f} | {judge} |"


def _failures(rows: list[dict]) -> list[str]:
    """What does not work, in words."""
    said = []
    for row in rows:
        quality, moved = row["quality"], row["pictures"]
        if "variance" in quality["how"]:
            continue
        if quality["low"] <= 0.5:
            said.append(f"{row['name']} is not shown to be better than chance on held-out pictures, so it does not ship.")
        elif quality["score"] < 0.85:
            said.append(f"{row['name']} is weak: it puts {100 * quality['score']:.0f} of 100 pairs in order.")
        if moved is None:
            continue
        if moved["taken_low"] < 0.5:
            said.append(f"{row['name']} is not shown to be seen in more than half of the moved pictures.")
        if moved["judge"] < 0.8:
            said.append(f"{row['name']}'s judge is right in {100 * moved['judge']:.0f} % only, so that its share means little.")
    return ["What does not work well:", "", *(f"- {text}" for text in said)] if said else []


MAKERS = {"faces": faces, "avatars": avatars}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=MAKERS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=6, help="of the network that judges the moved pictures; 0 for none")
    options = parser.parse_args()
    flow = checkpoint.load(assets.resolve_model(options.model)).flow
    found = MAKERS[options.model](options.folder, flow.event_shape[1])
    directions = make(options.model, flow, found)
    folder = assets.root() / "directions" / options.model
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.safetensors"):
        old.unlink()
    for number, direction in enumerate(directions, 1):
        if not ships(direction):
            continue
        save_direction(folder / file_name(number, direction.name), direction)
    rows = rows_of(flow, found, directions, options.epochs)
    everything = json.loads(JSON.read_text()) if JSON.exists() else {}
    judge_from = min(JUDGE_MADE_FROM, int((~found.held).sum())) if options.epochs else 0
    everything[options.model] = {"fingerprint": directions[0].fingerprint, "judge_made_from": judge_from, "rows": rows}
    JSON.write_text(json.dumps(everything, indent=1) + "\n")
    TABLE.write_text(table(everything))
    print(f"{len(directions)} directions in {folder}, and the table in {TABLE}")


if __name__ == "__main__":
    main()
