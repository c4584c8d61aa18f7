"""`make translation`: how well pictures of one pile become pictures of another, scored on held-out pictures.

    python -m tests.benchmarks.translation [--count 400] [--only fashion emoji faces]

A classifier that was trained apart, on training pictures that no method saw, says which share of the translated pictures it takes
for pile B; structural similarity (Wang et al. 2004) says how much of each picture is kept. Every method has *one* strength for
an attribute (of garments: for all), chosen on validation pictures; the test pictures are looked at once. Writes
docs/translation.json and docs/translation.md.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app import assets
from flowcore import checkpoint
from flowcore.codec import to_pixels
from flowcore.flow import Flow
from flowcore.labels import single
from flowcore.translation import ByClass, ByMap, Translation, encode_pile, translate
from flowcore.transport import AffineMap, gaussian_transport, mean_shift

from .measure import ROOT
from .pictures import data_folder, read

__all__ = ["main", "structural_similarity", "wilson"]

STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
GOAL_TAKEN, GOAL_KEPT = 0.85, 0.70
PILE = 1500
"""Pictures of a pile that a map is made from."""
CYCLES = 20
"""Translations that are also taken back, to prove that nothing is lost."""


def structural_similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """SSIM of pictures uint8 (N, H, W, C), mean over places and channels -> (N,): Gaussian window of σ = 1.5, 7×7."""
    window = torch.exp(-0.5 * ((torch.arange(7.0) - 3) / 1.5) ** 2)
    window = (window[:, None] * window[None, :]) / window.sum() ** 2
    x, y = (torch.from_numpy(np.ascontiguousarray(p)).permute(0, 3, 1, 2).flatten(0, 1)[:, None].float() / 255 for p in (a, b))

    def blurred(values: Tensor) -> Tensor:
        return F.conv2d(values, window[None, None], padding=0)

    mean_x, mean_y = blurred(x), blurred(y)
    var_x, var_y = blurred(x * x) - mean_x**2, blurred(y * y) - mean_y**2
    both = blurred(x * y) - mean_x * mean_y
    score = (2 * mean_x * mean_y + 1e-4) * (2 * both + 9e-4) / ((mean_x**2 + mean_y**2 + 1e-4) * (var_x + var_y + 9e-4))
    return score.mean((1, 2, 3)).view(len(a), -1).mean(1).numpy()


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return middle - half, middle + half


class Classifier(nn.Module):
    """Two convolutions and two layers: enough for garments and faces, and nothing that a flow shares."""

    def __init__(self, channels: int, side: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3),
            nn.Linear(64 * (side // 4) ** 2, 128), nn.ReLU(), nn.Linear(128, classes),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)

    @torch.no_grad()
    def predict(self, pictures: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, C) -> classes (N,)."""
        self.eval()
        return torch.cat([self(part).argmax(1) for part in _floats(pictures).split(256)]).numpy()


def _floats(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(pictures, order="C")).permute(0, 3, 1, 2).float() / 255 - 0.5


def train_classifier(pictures: np.ndarray, labels: np.ndarray, classes: int, epochs: int, flip: bool) -> Classifier:
    """Adam on cross-entropy, seed 0."""
    torch.manual_seed(0)
    model = Classifier(pictures.shape[3], pictures.shape[1], classes)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        model.train()
        for rows in np.array_split(rng.permutation(len(pictures)), len(pictures) // 64):
            x = _floats(pictures[rows])
            if flip:
                x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
            optimiser.zero_grad()
            F.cross_entropy(model(x), torch.from_numpy(labels[rows])).backward()
            optimiser.step()
    return model


@dataclass(frozen=True)
class Task:
    """From one class to another, of one set of labels."""

    name: str
    a: int
    b: int


def _ways(flow: Flow, task: Task, pictures: np.ndarray, labels: np.ndarray, by_class: bool) -> dict[str, Translation]:
    """The methods, made from pictures that neither classifier nor test has."""
    label = single(task.a) if flow.num_classes and by_class else ()
    piles = [encode_pile(flow, pictures[labels == number][:PILE], label) for number in (task.a, task.b)]
    ways: dict[str, Translation] = {
        "mean shift": ByMap(flow, mean_shift(*piles), label),
        "transport": ByMap(flow, gaussian_transport(*piles), label),
    }
    if by_class:
        ways["conditional"] = ByClass(flow, single(task.a), single(task.b))
    return ways


@torch.no_grad()
def _translated(flow: Flow, way: Translation, pictures: np.ndarray, strength: float) -> np.ndarray:
    made = []
    for start in range(0, len(pictures), 64):
        y = way.there(to_pixels(pictures[start : start + 64], flow), strength)
        made.append(y.floor().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy())
    return np.concatenate(made)


def _score(flow: Flow, way: Translation, judge: Classifier, task: Task, pictures: np.ndarray, strength: float) -> dict:
    made = _translated(flow, way, pictures, strength)
    taken = judge.predict(made) == task.b
    kept = structural_similarity(pictures, made)
    low, high = wilson(int(taken.sum()), len(taken))
    return {"taken": float(taken.mean()), "taken_interval": [low, high], "kept": float(kept.mean()),
            "kept_error": float(kept.std(ddof=1) / math.sqrt(len(kept))), "count": len(taken)}  # fmt: skip


def _group(
    name: str, flow: Flow, tasks: list[Task], parts: dict[str, tuple[np.ndarray, np.ndarray]], judge: Classifier, by_class: bool,
    count: int,
) -> dict:  # fmt: skip
    """``parts``: "map", "validation" and "test" pictures with labels."""
    ways = {task.name: _ways(flow, task, *parts["map"], by_class) for task in tasks}
    rows = []
    for method in next(iter(ways.values())):
        table = {}
        for strength in STRENGTHS if method != "conditional" else (1.0,):
            scores = [
                _score(flow, ways[task.name][method], judge, task, _of(parts["validation"], task.a, count // 2), strength)
                for task in tasks
            ]
            table[strength] = min(min(s["taken"] / GOAL_TAKEN, 1.0) + min(s["kept"] / GOAL_KEPT, 1.0) for s in scores)
        strength = max(table, key=table.get)
        for task in tasks:
            pictures = _of(parts["test"], task.a, count)
            row = _score(flow, ways[task.name][method], judge, task, pictures, strength)
            cycles = [translate(flow, ways[task.name][method], picture, strength).cycle_error for picture in pictures[:CYCLES]]
            rows.append({"task": task.name, "method": method, "strength": strength, **row, "cycle_error": max(cycles)})
            print(json.dumps({"group": name, **rows[-1]}), flush=True)
    pictures, labels = parts["test"]
    accuracy = float((judge.predict(pictures) == labels).mean())
    return {"accuracy": accuracy, "rows": rows}


def _of(part: tuple[np.ndarray, np.ndarray], number: int, count: int) -> np.ndarray:
    pictures, labels = part
    return pictures[labels == number][:count]


def fashion(count: int) -> dict:
    """Sneakers and ankle boots, T-shirts and dresses, by the bundled model of garments."""
    flow = checkpoint.load(assets.resolve_model("fashion")).flow
    train, held, test = (read("fashion-mnist", split) for split in ("train", "validation", "test"))
    half = len(train.pictures) // 2
    judge = train_classifier(train.pictures[:half], train.labels[:half], 10, 3, flip=False)
    tasks = [Task("sneaker → ankle boot", 7, 9), Task("ankle boot → sneaker", 9, 7), Task("T-shirt → dress", 0, 3),
             Task("dress → T-shirt", 3, 0)]  # fmt: skip
    parts = {"map": (train.pictures[half:], train.labels[half:]), "validation": (held.pictures, held.labels),
             "test": (test.pictures, test.labels)}  # fmt: skip
    return _group("fashion", flow, tasks, parts, judge, bool(flow.num_classes), count)


def faces(count: int) -> dict:
    """Smile and glasses, on and off, by the bundled model of faces."""
    flow = checkpoint.load(assets.resolve_model("faces")).flow
    with np.load(data_folder() / "celeba10k" / "attributes.npz", allow_pickle=False) as file:
        names, values = [str(name) for name in file["attr_names"]], file["attr"] > 0
    pictures = _faces(flow.event_shape[1])
    judge_rows, map_rows, held, test = slice(0, 4500), slice(4500, 8500), slice(8500, 9000), slice(9000, 10_000)
    groups = []
    for attribute, on, off in (("Smiling", "smile", "no smile"), ("Eyeglasses", "glasses", "no glasses")):
        labels = values[:, names.index(attribute)].astype(np.int64)
        judge = train_classifier(pictures[judge_rows], labels[judge_rows], 2, 6, flip=True)
        tasks = [Task(f"{off} → {on}", 0, 1), Task(f"{on} → {off}", 1, 0)]
        parts = {key: (pictures[rows], labels[rows]) for key, rows in (("map", map_rows), ("validation", held), ("test", test))}
        groups.append(_group(f"faces, {on}", flow, tasks, parts, judge, False, count))
    return {"accuracy": min(group["accuracy"] for group in groups), "rows": [row for group in groups for row in group["rows"]]}


def _data_maker():
    """assets/models/data.py, which is a script and no module."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("bundled_data", ROOT / "assets" / "models" / "data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _faces(size: int) -> np.ndarray:
    split = _data_maker().faces(data_folder(), size)
    return np.concatenate([split["x_train"], split["x_test"]])


def _distance(made: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Root mean square difference of pictures (N, H, W, C), in units of the range -> (N,)."""
    return np.sqrt((((made.astype(np.float64) - true) / 255) ** 2).mean((1, 2, 3)))


def emoji(_count: int) -> dict:
    """Noto to Emojitwo, where the true counterpart is known: distance to it, by the bundled model of emoji."""
    flow = checkpoint.load(assets.resolve_model("emoji")).flow
    maker, size = _data_maker(), flow.event_shape[1]
    pictures, keys = [], []
    with np.load(data_folder() / "emojitwo" / "pairs_noto_emojitwo.npz", allow_pickle=False) as pairs:
        for part, index in (("noto-emoji/noto_emoji", "noto_index"), ("emojitwo/emojitwo", "emojitwo_index")):
            with np.load(data_folder() / f"{part}_64_white_rgba.npz", allow_pickle=False) as file:
                pictures.append(maker.reduced(file["x"][pairs[index]][..., :3], size))
                keys = keys or [maker.drawing(str(name)) for name in file["name"][pairs[index]]]
    parts = maker.parts_of(keys)
    a, b = ({name: pile[rows] for name, rows in parts.items()} for pile in pictures)
    rows = []

    def put(method: str, made: np.ndarray, strength: float | None = None) -> None:
        found = _distance(made, b["test"])
        rows.append({"method": method, "strength": strength, "distance": float(found.mean()),
                     "error": float(found.std(ddof=1) / math.sqrt(len(found))), "count": len(found)})  # fmt: skip
        print(json.dumps({"group": "emoji", **rows[-1]}), flush=True)

    put("no change", a["test"])
    flat_b = b["train"].reshape(len(b["train"]), -1).astype(np.float32)
    flat_a = a["test"].reshape(len(a["test"]), -1).astype(np.float32)
    nearest = ((flat_b**2).sum(1) - 2 * flat_a @ flat_b.T).argmin(1)
    put("the nearest of B", b["train"][nearest])
    put("half the picture, half the mean of B", (a["test"].astype(float) + b["train"].astype(float).mean(0)) / 2)
    z_a, z_b = (encode_pile(flow, pile["train"]) for pile in (a, b))
    maps = {"mean shift": mean_shift(z_a, z_b), "transport": gaussian_transport(z_a, z_b),
            "fit to the true pairs": _fit(z_a, z_b)}  # fmt: skip
    for method, change in maps.items():
        way = ByMap(flow, change)
        tried = {s: _distance(_translated(flow, way, a["validation"], s), b["validation"]).mean() for s in STRENGTHS}
        strength = min(tried, key=tried.get)
        put(method, _translated(flow, way, a["test"], strength), strength)
    return {"rows": rows}


def _fit(z_a: np.ndarray, z_b: np.ndarray, rank: int = 64, ridge: float = 0.3) -> AffineMap:
    """The affine map that takes each z of A nearest to its own counterpart's, among those that :class:`AffineMap` can be.

    Ridge regression in the directions in which A varies most; symmetric and above −1, so that it can be undone.
    """
    offsets_a, offsets_b = z_a - z_a.mean(0), z_b - z_b.mean(0)
    basis = np.linalg.svd(offsets_a, full_matrices=False)[2][:rank].T.astype(np.float64)
    x, y = offsets_a @ basis, offsets_b @ basis
    gram = x.T @ x
    matrix = np.linalg.solve(gram + ridge * np.trace(gram) / rank * np.eye(rank), x.T @ (y - x))
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    bend = (vectors * np.maximum(values, -0.9)) @ vectors.T
    return AffineMap(z_a.mean(0).astype(np.float64), (z_b.mean(0) - z_a.mean(0)).astype(np.float64), basis, bend)


def to_markdown(found: dict) -> str:
    """docs/translation.md."""
    lines = [
        "# From pile A to pile B", "",
        "Written by `make translation`: do not edit. *Taken for B*: the share of translated test pictures that a classifier,",
        "trained on other pictures than the method saw, takes for pile B, with its 95 % interval. *Kept*: mean structural",
        f"similarity to the original. Goals for faces: {GOAL_TAKEN:.0%} and {GOAL_KEPT:.2f}. One strength a method and",
        "attribute, chosen on validation pictures. *Cycle*: the largest difference after A → B → A, as a share of the range.", "",
    ]  # fmt: skip
    for name, group in found["groups"].items():
        if name == "emoji":
            lines += _emoji_lines(group)
            continue
        lines += [f"## {name.capitalize()}", "", f"The classifier is right on {group['accuracy']:.1%} of the test pictures.", "",
                  "| | method | strength | taken for B | kept | cycle | |", "|---|---|---|---|---|---|---|"]  # fmt: skip
        for row in group["rows"]:
            low, high = row["taken_interval"]
            # A boot keeps little of a sneaker: the goals are those of faces.
            missed = [word for word, bad in (("taken", row["taken"] < GOAL_TAKEN), ("kept", row["kept"] < GOAL_KEPT)) if bad]
            verdict = "" if name != "faces" else f"**missed**: {' and '.join(missed)}" if missed else "reached"
            lines.append(
                f"| {row['task']} | {row['method']} | {row['strength']:g} | {row['taken']:.1%} ({low:.0%} to {high:.0%}) |"
                f" {row['kept']:.3f} ± {row['kept_error']:.3f} | {row['cycle_error']:.0e} |"
                f" {verdict} |"
            )
        lines.append("")
    return "\n".join(lines)


def _emoji_lines(group: dict) -> list[str]:
    lines = [
        "## Emoji", "", "Noto Emoji drawings as Emojitwo's, where the true counterpart is known: root mean square distance",
        f"to it in units of the range, over {group['rows'][0]['count']} held-out drawings.", "",
        "| | strength | distance to the true counterpart |", "|---|---|---|",
    ]  # fmt: skip
    for row in group["rows"]:
        strength = "–" if row["strength"] is None else f"{row['strength']:g}"
        lines.append(f"| {row['method']} | {strength} | {row['distance']:.4f} ± {row['error']:.4f} |")
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    groups = {"fashion": fashion, "faces": faces, "emoji": emoji}
    parser.add_argument("--only", nargs="*", choices=groups, default=list(groups))
    parser.add_argument("--count", type=int, default=400, help="test pictures a task (default: 400)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "translation.json", help="(and .md beside it)")
    args = parser.parse_args()
    found = json.loads(args.out.read_text()) if args.out.exists() else {"format": 1, "groups": {}}
    for name in args.only:
        found["groups"][name] = groups[name](args.count)
        found["date"] = time.strftime("%Y-%m-%d")
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        args.out.with_suffix(".md").write_text(to_markdown(found), encoding="utf-8")


if __name__ == "__main__":
    main()
