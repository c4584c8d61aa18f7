"""`flow-explorer map`: where the pictures of a folder lie in z, and who is near whom."""

from __future__ import annotations

import argparse
import csv
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_explorer.cli.arguments import add_device, add_json, add_model, add_seed, integer
from flow_explorer.cli.opening import event_shape, load_model, model_name, open_card
from flow_explorer.cli.output import OutputFile, print_json, print_text
from flow_explorer.cli.progress import Progress
from flow_explorer.cli.reading import add_data, add_loading, data_path, loading, of_card, tell_left_out
from flowcore.errors import ConfigError, DataError
from flowcore.model.card import class_names, level_count
from flowcore.model.weights import fingerprint

if TYPE_CHECKING:
    import numpy as np

    from flowcore.data.picture_set import PictureSet
    from flowcore.latents.map.layout import Layout

NAME = "map"
HELP = "a map of a folder's pictures in z, with their nearest neighbours"
DESCRIPTION = (
    "Encode every picture of a data set and lay them out by the principal axes of z, or by UMAP: those that are alike to the "
    "model lie near each other. Writes a picture of the map, or its coordinates with each picture's nearest neighbours, bits "
    "per dimension and class. Memory stays bounded however many pictures there are."
)
BATCH = {"cpu": 16, "cuda": 128, "mps": 32}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_data(parser)
    add_model(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="a .png of the map, or its figures as .json or .csv")
    parser.add_argument("--method", choices=("pca", "umap"), default="pca",
                        help="pca, or umap by the extra of that name (default: pca)")  # fmt: skip
    parser.add_argument("--levels", default="all", metavar="L",
                        help="which levels of z count: all, coarsest, finest, or numbers as 2,3 (1 is the finest)")  # fmt: skip
    parser.add_argument("--neighbours", type=integer(0, 100), default=8, metavar="N", help="of each picture (default: 8)")
    parser.add_argument("--split", choices=("train", "validation", "test", "all"), default="all", help="(default: all)")
    parser.add_argument("--limit", type=integer(2), metavar="N", help="only N pictures, drawn by --seed")
    parser.add_argument("--width", type=integer(64, 8000), default=1600, metavar="PX",
                        help="of the picture, which is three quarters as high (default: 1600)")  # fmt: skip
    add_loading(parser)
    add_seed(parser, "seed of --limit and of UMAP (default: 0)")
    add_device(parser)
    add_json(parser)


@dataclass(frozen=True)
class _Made:
    layout: Layout
    points: np.ndarray
    rows: list[int]
    """Which picture of the data each point is."""
    bpd: np.ndarray
    classes: np.ndarray
    lost: list[tuple[str, str]]
    exact: bool


def run(args: argparse.Namespace) -> int:
    """Encode, lay out, write."""
    path, card = open_card(args)
    height, width, channels = event_shape(path, card)
    levels = _levels(args.levels, level_count(card))
    data_at = data_path(args.data)
    out = OutputFile(args.out, (".png", ".json", ".csv"), (path, *([data_at] if Path(data_at).is_file() else [])))

    import numpy as np

    from flowcore.data.datasets import open_dataset
    from flowcore.latents.map.layout import UMAP_COMMAND, has_umap
    from flowcore.latents.map.points import nearest, unusual

    if args.method == "umap" and not has_umap():
        raise ConfigError(f"--method umap needs the library umap-learn: {UMAP_COMMAND} installs it; --method pca works without.")
    reading = replace(of_card(card.get("data")), channels=channels)
    with Progress("Reading pictures", 0) as progress:
        data = open_dataset(data_at, args.split, (height, width), **vars(reading), on_progress=progress.of, **loading(args))
    tell_left_out(data)
    order = np.arange(len(data))
    if args.limit is not None and args.limit < len(data):
        order = np.sort(np.random.default_rng(args.seed).permutation(len(data))[: args.limit])

    from flow_explorer.cli.device import choose_device, run_on

    device = choose_device(args.device)
    with Progress("Encoding", len(order), "pictures") as progress:
        made = run_on(device, lambda where: _make(args, path, data, order, levels, progress, where))
    near, far = nearest(made.layout.coordinates, args.neighbours)
    classes, names = _classes(data, made, class_names(card))
    if out.suffix == ".png":
        _draw(args, out, data, made, classes if names else None)
    else:
        figures = _figures(path, card, data, args, made, near, far, classes, names, unusual(made.bpd))
        text = json.dumps(figures, indent=1, allow_nan=False) if out.suffix == ".json" else _table(figures, args.neighbours)
        out.write_bytes(text.encode())
    told = {"out": str(out.path), "count": len(made.rows), "skipped": len(data.skipped) + len(made.lost),
            "method": args.method, "share": _shares(made.layout), "exact": made.exact}  # fmt: skip
    if args.json:
        print_json(told)
    else:
        x, y = told["share"]
        share = f", {100 * x:.1f} % of the variance across and {100 * y:.1f} % up" if args.method == "pca" else ""
        print_text(f"{told['count']:,} pictures on the map{share}: {out.path}")
    return 0


def _levels(text: str, count: int) -> tuple[int, ...]:
    """Numbers from 0, the finest, of what --levels says; () for all. Raises ConfigError."""
    words = {"all": (), "coarsest": (count - 1,), "finest": (0,)}
    if text in words:
        return words[text]
    try:
        numbers = sorted({int(part) for part in text.split(",")})
    except ValueError:
        numbers = [0]
    if not all(1 <= number <= count for number in numbers):
        raise ConfigError(f"--levels {text}: give all, coarsest, finest, or numbers from 1 (the finest) to {count}, such as 1,2.")
    return tuple(number - 1 for number in numbers)


def _make(args: argparse.Namespace, path: Path, data: PictureSet, order: np.ndarray, levels: tuple[int, ...],
          progress: Progress, device: str) -> _Made:  # fmt: skip
    import numpy as np

    from flowcore.latents.map.encoding import encode_rows
    from flowcore.latents.map.layout import ZMap, umap_layout

    flow = load_model(path, device)
    zmap = ZMap([(level.start, level.stop) for level in flow.levels])
    size = BATCH.get(device.partition(":")[0], 16)
    rows, bpd, classes, lost = [], [], [], []
    for start in range(0, len(order), size):
        numbers = order[start : start + size]
        pictures = data.pictures[numbers]
        encoded = encode_rows(flow, pictures)
        broken = getattr(data.pictures, "broken", {})
        good = np.isfinite(encoded.bpd)
        for place, number in enumerate(numbers):
            name = _name(data, int(number))
            if name in broken:
                good[place] = False
                lost.append((name, broken[name]))
            elif not good[place]:
                lost.append((name, f"{name} has no finite z under this model."))
        zmap.add(encoded.z[good])
        rows += [int(number) for number in numbers[good]]
        bpd += encoded.bpd[good].tolist()
        classes += encoded.classes[good].tolist()
        progress.update(start + len(numbers))
    if len(rows) < 2:
        raise DataError(f"{data.name} has {len(rows)} pictures with a place in z, and a map needs at least two.")
    layout = zmap.layout(levels)
    points = layout.points if args.method == "pca" else umap_layout(layout.coordinates, seed=args.seed % 2**32)
    return _Made(layout, points, rows, np.array(bpd), np.array(classes, np.int64), lost, zmap.exact)


def _name(data: PictureSet, number: int) -> str:
    return data.names[number] if data.names else str(number)


def _classes(data: PictureSet, made: _Made, known: list[str]) -> tuple[np.ndarray, list[str]]:
    """The class of each picture, and their names: the data's own where they have some, else the model's likeliest."""
    if data.labels is None:
        return made.classes, known
    names = [str(name) for name in data.classes]
    numbered = known and names == [str(number) for number in range(len(known))]
    return data.labels[made.rows], known if numbered else names


def _draw(args: argparse.Namespace, out: OutputFile, data: PictureSet, made: _Made, classes: np.ndarray | None) -> None:
    import numpy as np

    from flowcore.latents.map.picture import map_picture
    from flowcore.pictures.images import to_png_bytes

    pictures = data.pictures[np.array(made.rows, np.int64)]
    out.write_bytes(to_png_bytes(map_picture(made.points, pictures, classes, args.width, args.width * 3 // 4)))


def _shares(layout: Layout) -> list[float]:
    return [*(float(share) for share in layout.shares[:2]), 0.0][:2]


def _figures(path: Path, card: dict[str, Any], data: PictureSet, args: argparse.Namespace, made: _Made, near: np.ndarray,
             far: np.ndarray, classes: np.ndarray, names: list[str], odd: np.ndarray) -> dict[str, Any]:  # fmt: skip
    files = [_name(data, row) for row in made.rows]
    pictures = [
        {
            "file": files[place], "x": float(made.points[place, 0]), "y": float(made.points[place, 1]),
            "bpd": float(made.bpd[place]), "class": names[classes[place]] if names and classes[place] >= 0 else None,
            "unusual": bool(odd[place]), "neighbours": [files[other] for other in near[place]],
            "distances": [float(distance) for distance in far[place]],
        }
        for place in range(len(files))
    ]  # fmt: skip
    skipped = [{"file": name, "why": sentence} for name, sentence in (*data.skipped, *made.lost)]
    return {"model": model_name(path, card), "weights": fingerprint(path), "data": data.name, "method": args.method,
            "levels": [level + 1 for level in made.layout.levels], "share": _shares(made.layout), "exact": made.exact,
            "skipped": skipped, "pictures": pictures}  # fmt: skip


def _table(figures: dict[str, Any], neighbours: int) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    count = min(neighbours, max(0, len(figures["pictures"]) - 1))
    near = [f"{what}_{number + 1}" for what in ("neighbour", "distance") for number in range(count)]
    writer.writerow(["file", "x", "y", "bpd", "class", "unusual", *near])
    for row in figures["pictures"]:
        writer.writerow([row["file"], row["x"], row["y"], row["bpd"], row["class"] or "", int(row["unusual"]),
                         *row["neighbours"], *row["distances"]])  # fmt: skip
    return text.getvalue()
