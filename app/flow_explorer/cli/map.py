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
from flow_explorer.cli.reading import add_data, add_loading, data_path, loading, of_card, tell_left_out
from flow_explorer.terminal.output import OutputFile, files_below, print_json, print_text
from flow_explorer.terminal.progress import TerminalProgress
from flowcore.errors import ConfigError, DataError
from flowcore.latents.map import METHODS
from flowcore.model.card import class_names, level_count
from flowcore.model.weights import fingerprint
from flowcore.work import parts

if TYPE_CHECKING:
    import numpy as np

    from flowcore.data.picture_set import PictureSet
    from flowcore.latents.map.gathering import Gathered
    from flowcore.latents.map.latent_map import MapArrangement

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
    parser.add_argument("--method", choices=METHODS, default="pca",
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
    rows: Gathered
    layout: MapArrangement
    points: np.ndarray


def run(args: argparse.Namespace) -> int:
    """Encode, lay out, write."""
    path, card = open_card(args)
    height, width, channels = event_shape(path, card)
    levels = _levels(args.levels, level_count(card))
    data_at = data_path(args.data)
    # A picture among those that are read is one of them; figures are not.
    own = files_below(Path(args.out).expanduser().parent, [data_at]) if args.out.lower().endswith(".png") else []
    own += [Path(data_at)] if Path(data_at).is_file() else []
    out = OutputFile(args.out, (".png", ".json", ".csv"), (path, *own))

    import numpy as np

    from flowcore.data.datasets import open_dataset
    from flowcore.latents.map.latent_map import UMAP_COMMAND, has_umap
    from flowcore.latents.map.points import nearest, unusual

    if args.method == "umap" and not has_umap():
        raise ConfigError(f"--method umap needs the library umap-learn: {UMAP_COMMAND} installs it; --method pca works without.")
    reading = replace(of_card(card.get("data")), channels=channels)
    with TerminalProgress("Reading pictures", 0) as progress:
        data = open_dataset(data_at, args.split, (height, width), **vars(reading), on_progress=progress.of, **loading(args))
    tell_left_out(data)
    order = np.arange(len(data))
    if args.limit is not None and args.limit < len(data):
        order = np.sort(np.random.default_rng(args.seed).permutation(len(data))[: args.limit])

    from flow_explorer.cli.device import choose_device, run_on

    device = choose_device(args.device)
    with TerminalProgress("Encoding", len(order), "pictures") as progress:
        made = run_on(device, lambda where: _make(args, path, card, data, order, levels, progress, where))
    near, far = nearest(made.layout.coordinates, args.neighbours)
    if out.suffix == ".png":
        _draw(args, out, made)
    else:
        figures = _figures(path, card, args, made, near, far, unusual(np.array(made.rows.bpd)))
        text = json.dumps(figures, indent=1, allow_nan=False) if out.suffix == ".json" else _table(figures, args.neighbours)
        # A file's name that is no Unicode is written with escapes, as the JSON has it
        out.write_bytes(text.encode("utf-8", "backslashreplace"))
    told = {"out": str(out.path), "count": made.rows.count, "skipped": len(made.rows.skipped),
            "method": args.method, "share": made.layout.share, "exact": made.rows.latent_map.exact}  # fmt: skip
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


def _make(args: argparse.Namespace, path: Path, card: dict[str, Any], data: PictureSet, order: np.ndarray,
          levels: tuple[int, ...], progress: TerminalProgress, device: str) -> _Made:  # fmt: skip
    from flowcore.latents.map.gathering import Batch, Gathered, gather_job
    from flowcore.latents.map.latent_map import umap_layout

    flow = load_model(path, device)
    rows, done = Gathered.begin(data, flow, class_names(card)), 0
    for step in parts(gather_job(flow, rows, order, BATCH.get(device.partition(":")[0], 16))):
        if isinstance(step, Batch):
            done += step.count
            progress.update(done)
    if rows.count < 2:
        raise DataError(f"{data.name} has {rows.count} pictures with a place in z, and a map needs at least two.")
    layout = rows.latent_map.layout(levels)
    points = layout.points if args.method == "pca" else umap_layout(layout.coordinates, seed=args.seed % 2**32)
    return _Made(rows, layout, points)


def _draw(args: argparse.Namespace, out: OutputFile, made: _Made) -> None:
    import numpy as np

    from flowcore.latents.map.picture import map_picture
    from flowcore.pictures.images import to_png_bytes

    rows = made.rows
    classes = np.array(rows.kinds, np.int64) if rows.classes else None
    pictures = rows.pictures(range(rows.count))
    out.write_bytes(to_png_bytes(map_picture(made.points, pictures, classes, args.width, args.width * 3 // 4)))


def _figures(path: Path, card: dict[str, Any], args: argparse.Namespace, made: _Made, near: np.ndarray, far: np.ndarray,
             odd: np.ndarray) -> dict[str, Any]:  # fmt: skip
    rows, names = made.rows, made.rows.classes
    files = [rows.name(row) for row in range(rows.count)]
    pictures = [
        {
            "file": files[row], "x": float(made.points[row, 0]), "y": float(made.points[row, 1]), "bpd": rows.bpd[row],
            "class": names[rows.kinds[row]] if names and rows.kinds[row] >= 0 else None, "unusual": bool(odd[row]),
            "neighbours": [files[other] for other in near[row]], "distances": [float(distance) for distance in far[row]],
        }
        for row in range(rows.count)
    ]  # fmt: skip
    return {"model": model_name(path, card), "weights": fingerprint(path), "data": rows.data.name, "method": args.method,
            "levels": [level + 1 for level in made.layout.levels], "share": made.layout.share, "exact": rows.latent_map.exact,
            "skipped": [{"file": name, "why": sentence} for name, sentence in rows.skipped], "pictures": pictures}  # fmt: skip


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
