"""`make translation`: how well pictures of one pile become pictures of another, scored on held-out pictures.

    python -m tests.benchmarks.translation [--count 300] [--pile 1000] [--only fashion faces avatars]

A classifier that was trained apart, on training pictures that no method saw, says which share of the translated pictures it takes
for pile B; structural similarity (Wang et al. 2004) says how much of each picture is kept. Every method has *one* strength for
all tasks of a model, chosen on validation pictures, which are neither those that it was fitted to nor those it is scored on. So
is the unpaired method that is called the best. The test pictures are looked at once. Of avatars the true counterpart of each
picture is known, and the distance to it is the measure. Writes docs/translation.json and docs/translation.md.

On two idle cores all three take about a quarter of an hour. `--quick` looks at a few pictures, to see that it runs, and prints
what it finds instead of writing it.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from flow_explorer import assets
from flowcore.errors import DataError
from flowcore.fast import accelerate
from flowcore.latents.fitting import encode_pile
from flowcore.latents.translation import ByClass, ByMap, Way, translate
from flowcore.latents.transport import (
    AffineMap,
    gaussian_transport,
    level_transport,
    mean_shift,
    shrunk_shift,
)
from flowcore.model import checkpoint
from flowcore.model.codec import from_pixels
from flowcore.model.flow import Flow
from flowcore.model.labels import single

from .measure import ROOT
from .pictures import data_folder, data_maker, read
from .translation_page import CHANGES, FLOORS, GOAL_KEPT, GOAL_TAKEN, NEAREST, NO_CHANGE, PIXELS, to_markdown

__all__ = ["bootstrap", "interval", "main", "structural_similarity", "wilson"]

STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
PILE = 1000
"""Pictures of a pile that a map is made from."""
VALIDATION = 60
"""Pictures of a task that a strength is chosen on, at most."""
CYCLES = 20
"""Translations that are also taken back, to prove that nothing is lost."""
LOW_RANK = 24
JUDGED = 15_000
"""Garments that the classifier learns from; the maps are made from the second half of the training pictures."""
FORMAT = 2
DRAWS = 2000
"""Resamples of a bootstrap."""


class Budget:
    """How much is looked at; `--quick` sets it."""

    quick = False
    strengths: tuple[float, ...] = STRENGTHS
    validation, cycles = VALIDATION, CYCLES

    @classmethod
    def be_quick(cls) -> None:
        cls.quick, cls.strengths, cls.validation, cls.cycles = True, (1.0, 1.5), 8, 2


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


def bootstrap(values: np.ndarray, draws: int = DRAWS, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the mean of (N,) values: percentiles over resamples of the pictures (Efron 1979)."""
    values = np.asarray(values, np.float64)
    picked = np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))
    low, high = np.percentile(values[picked].mean(1), [2.5, 97.5])
    return float(low), float(high)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a mean. A bootstrap knows nothing beyond its sample: of a share of all or none it is Wilson's."""
    values = np.asarray(values)
    if values.dtype == bool and values.all() == values.any():
        return wilson(int(values.sum()), len(values))
    return bootstrap(values)


class Classifier(nn.Module):
    """Two convolutions and two layers: enough for garments and faces, and nothing that a flow shares."""

    def __init__(self, channels: int, side: int, classes: int) -> None:
        super().__init__()
        halvings = 1 if side >= 48 else 0
        side //= 2**halvings
        self.body = nn.Sequential(
            *[nn.AvgPool2d(2)] * halvings, nn.Conv2d(channels, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
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
    if Budget.quick:
        pictures, labels, epochs = pictures[:1024], labels[:1024], 1
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


Maker = Callable[[np.ndarray, np.ndarray], AffineMap]


def _makers(flow: Flow) -> dict[str, Maker]:
    """The unpaired fits, from two piles' latents."""
    levels = [(level.start, level.stop) for level in flow.levels]
    return {
        "mean shift": mean_shift,
        "mean shift, shrunk": shrunk_shift,
        "transport": gaussian_transport,
        "transport by level, low rank": lambda a, b: level_transport(a, b, levels, LOW_RANK),
    }


def _ways(flow: Flow, task: Task, pictures: np.ndarray, labels: np.ndarray, by_class: bool, pile: int) -> dict[str, Way]:
    """The methods, made from pictures that neither classifier nor test has."""
    label = single(task.a) if flow.num_classes and by_class else ()
    piles = [encode_pile(flow, pictures[labels == number][:pile], label) for number in (task.a, task.b)]
    ways: dict[str, Way] = {name: ByMap(flow, make(*piles), label) for name, make in _makers(flow).items()}
    if by_class:
        ways["by class"] = ByClass(flow, single(task.a), single(task.b))
    return ways


@torch.no_grad()
def _decoded(way: Way, z: np.ndarray, strength: float) -> np.ndarray:
    """A's latents (N, D) as B's pictures, uint8 (N, H, W, C)."""
    made = []
    for start in range(0, len(z), 64):
        rows = torch.from_numpy(np.asarray(way.move(z[start : start + 64], strength))).to(way.flow_to.dtype)
        made.append(from_pixels(accelerate(way.flow_to).decode(rows, way.label_to(way.flow_to, len(rows), strength))))
    return np.concatenate(made)


def _score(way: Way, judge: Classifier, task: Task, pictures: np.ndarray, z: np.ndarray, strength: float) -> dict:
    made = _decoded(way, z, strength)
    taken, kept = judge.predict(made) == task.b, structural_similarity(pictures, made)
    return {"taken": float(taken.mean()), "taken_interval": interval(taken), "kept": float(kept.mean()),
            "kept_interval": interval(kept), "count": len(taken)}  # fmt: skip


def _worth(scores: list[dict]) -> float:
    """How well the worst of a model's tasks reaches both goals, 2 where it reaches them, and a little for what lies beyond."""
    reached = min(min(s["taken"] / GOAL_TAKEN, 1.0) + min(s["kept"] / GOAL_KEPT, 1.0) for s in scores)
    return reached + 0.01 * float(np.mean([s["taken"] + s["kept"] for s in scores]))


@dataclass(frozen=True)
class Part:
    """One attribute's tasks, its classifier, and its pictures: "map", "validation" and "test", with labels."""

    tasks: list[Task]
    judge: Classifier
    parts: dict[str, tuple[np.ndarray, np.ndarray]]


def _group(name: str, flow: Flow, groups: list[Part], by_class: bool, count: int, pile: int) -> dict:
    """Every method at one strength for all tasks of the model."""
    began = time.perf_counter()
    ways, held, test = {}, {}, {}
    for group in groups:
        for task in group.tasks:
            ways[task.name] = _ways(flow, task, *group.parts["map"], by_class, pile)
            label = next(iter(ways[task.name].values())).label
            for kept, part, most in ((held, "validation", min(Budget.validation, count)), (test, "test", count)):
                pictures = _of(group.parts[part], task.a, most)
                kept[task.name] = pictures, encode_pile(flow, pictures, label)
    print(json.dumps({"group": name, "encoded and fitted": round(time.perf_counter() - began)}), flush=True)
    tasks = [(group, task) for group in groups for task in group.tasks]
    rows, worth = [], {}
    for method in next(iter(ways.values())):
        tried = {}
        for strength in Budget.strengths:
            scores = []
            for group, task in tasks:
                pictures, z = held[task.name]
                scores.append(_score(ways[task.name][method], group.judge, task, pictures, z, strength))
            tried[strength] = _worth(scores)
        strength = max(tried, key=lambda strength: tried[strength])
        worth[method] = tried[strength]
        for group, task in tasks:
            way, (pictures, z) = ways[task.name][method], test[task.name]
            row = _score(way, group.judge, task, pictures, z, strength)
            cycles = [translate(flow, way, picture, strength).cycle_error for picture in pictures[: Budget.cycles]]
            rows.append({"task": task.name, "method": method, "strength": strength, **row, "cycle_error": max(cycles)})
            print(json.dumps({"group": name, "seconds": round(time.perf_counter() - began), **rows[-1]}), flush=True)
    best = max(worth, key=lambda method: worth[method])
    return {"best": best, "worth": worth, "rows": rows, "classifiers": [_accuracy(group) for group in groups],
            "seconds": round(time.perf_counter() - began)}  # fmt: skip


def _accuracy(group: Part) -> dict:
    """How good the judge itself is on held-out pictures, in all and at each end of its tasks."""
    pictures, labels = group.parts["test"]
    guessed = group.judge.predict(pictures)
    right = guessed == labels
    ends = {task.name: {"real_b_taken": float(right[labels == task.b].mean()),
                        "untouched_a_taken": float((guessed == task.b)[labels == task.a].mean())}
            for task in group.tasks}  # fmt: skip
    return {"accuracy": float(right.mean()), "interval": interval(right), "count": len(right), "tasks": ends}


def _of(part: tuple[np.ndarray, np.ndarray], number: int, count: int) -> np.ndarray:
    pictures, labels = part
    return pictures[labels == number][:count]


def fashion(count: int, pile: int) -> dict:
    """Sneakers and ankle boots, T-shirts and dresses, by the bundled model of garments."""
    flow = checkpoint.load(assets.resolve_model("fashion")).flow
    train, held, test = (read("fashion-mnist", split) for split in ("train", "validation", "test"))
    assert train.labels is not None and held.labels is not None and test.labels is not None
    half = len(train.pictures) // 2
    judge = train_classifier(train.pictures[:JUDGED], train.labels[:JUDGED], 10, 4, flip=False)
    tasks = [Task("sneaker → ankle boot", 7, 9), Task("ankle boot → sneaker", 9, 7), Task("T-shirt → dress", 0, 3),
             Task("dress → T-shirt", 3, 0)]  # fmt: skip
    parts = {"map": (train.pictures[half:], train.labels[half:]), "validation": (held.pictures, held.labels),
             "test": (test.pictures, test.labels)}  # fmt: skip
    return _group("fashion", flow, [Part(tasks, judge, parts)], bool(flow.num_classes), count, pile)


def faces(count: int, pile: int) -> dict:
    """Smile and glasses, on and off, by the bundled model of faces."""
    flow = checkpoint.load(assets.resolve_model("faces")).flow
    with np.load(data_folder() / "celeba10k" / "attributes.npz", allow_pickle=False) as file:
        names, values = [str(name) for name in file["attr_names"]], file["attr"] > 0
    pictures = _faces(flow.event_shape[1])
    judge_rows, map_rows, held, test = slice(0, 4500), slice(4500, 8000), slice(8000, 8800), slice(8800, 10_000)
    groups = []
    for attribute, on, off in (("Smiling", "smile", "no smile"), ("Eyeglasses", "glasses", "no glasses")):
        labels = values[:, names.index(attribute)].astype(np.int64)
        judge = train_classifier(pictures[judge_rows], labels[judge_rows], 2, 6, flip=True)
        tasks = [Task(f"{off} → {on}", 0, 1), Task(f"{on} → {off}", 1, 0)]
        parts = {key: (pictures[rows], labels[rows]) for key, rows in (("map", map_rows), ("validation", held), ("test", test))}
        groups.append(Part(tasks, judge, parts))
    return _group("faces", flow, groups, False, count, pile)


def _script(name: str) -> ModuleType:
    """assets/models/NAME.py, which is a script beside others and in no package."""
    folder = str(ROOT / "assets" / "models")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def _faces(size: int) -> np.ndarray:
    split = data_maker().faces(data_folder(), size)
    return np.concatenate([split["x_train"], split["x_test"]])


def _distance(made: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Mean absolute difference of pictures (N, H, W, C), in grey levels of 255 -> (N,)."""
    return np.abs(made.astype(np.float64) - true).mean((1, 2, 3))


@dataclass(frozen=True)
class Twins:
    """One change: two piles to learn it from, and pictures with their true counterparts, uint8 (N, H, W, C) each."""

    a: np.ndarray
    b: np.ndarray
    held: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def _twins(file: Path, name: str, count: int, pile: int) -> Twins:
    """What assets/models/data.py made of avatars: the piles by its table, the counterparts from the file of pairs.

    Raises:
        DataError: where one of the three files is not there.
    """
    table, pairs = file.with_suffix(".csv"), file.with_name(f"{file.stem}-pairs.npz")
    for path in (file, table, pairs):
        if not path.exists():
            raise DataError(f"There is no {path}: python assets/models/data.py avatars NODE_FOLDER {file} makes it.")
    column, before, after = _script("toon_heads").sides(name)
    with table.open(encoding="utf-8") as rows:
        words = [row[column] for row in csv.DictReader(rows) if row["picture"].startswith("train ")]
    with np.load(file, allow_pickle=False) as found:
        pictures = found["x_train"]
    sides = [np.flatnonzero([word in wanted for word in words])[:pile] for wanted in (before, (after,))]
    with np.load(pairs, allow_pickle=False) as found:
        held, test = ([found[f"{key}_{side}"][:most] for side in ("from", "to")]
                      for key, most in ((f"{name}_held", Budget.validation), (name, count)))  # fmt: skip
    return Twins(pictures[sides[0]], pictures[sides[1]], tuple(held), tuple(test))


Mover = Callable[[str, float], np.ndarray]
"""Pictures of "held" or "test" with the change made, at a strength."""


def _movers(flow: Flow, twins: Twins) -> dict[str, Mover]:
    """Every method: three that know no flow, then the unpaired fits. Which picture belongs to which is not told."""
    of = {"held": twins.held[0], "test": twins.test[0]}
    difference = twins.b.mean(0) - twins.a.mean(0)
    z = {part: encode_pile(flow, pictures) for part, pictures in of.items()}
    z_a, z_b = encode_pile(flow, twins.a), encode_pile(flow, twins.b)
    ways = {name: ByMap(flow, make(z_a, z_b)) for name, make in _makers(flow).items()}
    return {
        NO_CHANGE: lambda part, _: of[part],
        NEAREST: lambda part, _: twins.b[_nearest(of[part], twins.b)],
        PIXELS: lambda part, strength: np.clip(np.rint(of[part] + strength * difference), 0, 255).astype(np.uint8),
        **{name: lambda part, strength, way=way: _decoded(way, z[part], strength) for name, way in ways.items()},
    }


def avatars(count: int, pile: int, file: Path | None = None) -> dict:
    """Smile, beard and darker skin, where the true counterpart is known, by the bundled model of avatars."""
    return counterparts(checkpoint.load(assets.resolve_model("avatars")).flow, file or data_folder() / "avatars.npz", count, pile)


def counterparts(flow: Flow, file: Path, count: int, pile: int) -> dict:
    """Distances to the true counterparts, of every method at one strength for all changes."""
    began = time.perf_counter()
    tasks = {name: _twins(file, name, count, pile) for name in CHANGES}
    movers = {name: _movers(flow, twins) for name, twins in tasks.items()}
    rows, worth = [], {}
    for method in next(iter(movers.values())):
        tried = {}
        for strength in (1.0,) if method in (NO_CHANGE, NEAREST) else Budget.strengths:
            # As a share of what leaving the picture as it is would score, or the change that is seen most would decide alone.
            tried[strength] = float(np.mean([_distance(movers[name][method]("held", strength), twins.held[1]).mean()
                                             / _distance(*twins.held).mean() for name, twins in tasks.items()]))  # fmt: skip
        strength = min(tried, key=lambda strength: tried[strength])
        worth[method] = tried[strength]
        for name, twins in tasks.items():
            found = _distance(movers[name][method]("test", strength), twins.test[1])
            rows.append({"task": name, "method": method, "strength": None if len(tried) == 1 else strength,
                         "distance": float(found.mean()), "interval": bootstrap(found), "count": len(found)})  # fmt: skip
            print(json.dumps({"group": "avatars", "seconds": round(time.perf_counter() - began), **rows[-1]}), flush=True)
    best = min((method for method in worth if method not in FLOORS), key=lambda method: worth[method])
    return {"best": best, "worth": worth, "rows": rows, "pile": pile, "seconds": round(time.perf_counter() - began)}


def _nearest(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The number of the picture of B that is nearest to each of A's."""
    flat_a, flat_b = (pile.reshape(len(pile), -1).astype(np.float32) for pile in (a, b))
    return ((flat_b**2).sum(1) - 2 * flat_a @ flat_b.T).argmin(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    groups = {"fashion": fashion, "faces": faces, "avatars": avatars}
    parser.add_argument("--only", nargs="*", choices=groups, default=list(groups))
    parser.add_argument("--count", type=int, default=300, help="test pictures a task (default: 300)")
    parser.add_argument("--pile", type=int, default=PILE, help=f"pictures that a pile is fitted to (default: {PILE:,})")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "translation.json", help="(and .md beside it)")
    parser.add_argument("--quick", action="store_true", help="a few pictures, to see that it runs; writes nothing")
    parser.add_argument("--avatars", type=Path, metavar="FILE", help="what assets/models/data.py made of avatars, its table "
                        "and pairs beside it (default: avatars.npz in the folder of data sets)")  # fmt: skip
    args = parser.parse_args()
    groups["avatars"] = partial(avatars, file=args.avatars)
    if args.quick:
        Budget.be_quick()
        found = {"groups": {name: groups[name](min(args.count, 8), min(args.pile, 48)) for name in args.only}}
        print(to_markdown(found))
        return
    found = json.loads(args.out.read_text()) if args.out.exists() else {}
    # What an earlier version measured and this one does not is left out.
    known = {name: group for name, group in found.get("groups", {}).items() if name in groups}
    found = {**found, "groups": known} if found.get("format") == FORMAT else {"format": FORMAT, "groups": {}}
    for name in args.only:
        found["groups"][name] = groups[name](args.count, args.pile)
        found["date"] = time.strftime("%Y-%m-%d")
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        args.out.with_suffix(".md").write_text(to_markdown(found), encoding="utf-8")


if __name__ == "__main__":
    main()
