"""Turn a finished run into a model that ships: weights in fp16, the card with the figures of that very file, a first page.

    python assets/models/bundle.py runs/faces --data faces.npz

Writes NAME.safetensors and NAME.png (the cached first page) to where the bundled models lie. The weights are rounded first and
every figure is measured on the rounded model, as read back from the file.
"""
from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import torch
from data import EYES, card_of_data

from flow_explorer import assets
from flow_explorer.cli.arguments import temperatures
from flowcore.data.datasets import open_dataset
from flowcore.errors import CheckpointError
from flowcore.model import checkpoint
from flowcore.model.card import default_temperature, read_card
from flowcore.model.codec import decode_batch
from flowcore.model.evaluation import bits_per_dim, held_out_summary
from flowcore.model.temperature import Temperature
from flowcore.pictures import images

HELD_OUT = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--temperature", type=temperatures, default=0.7, metavar="T",
                        help="what its samples look best at, for the card and the first page: one for all levels, or one a level "
                             "divided by commas, finest first (default: 0.7)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--about", default="", help="the data in words, for the card (default: what "
                        "data.py says of a model of this name, or the file's name)")  # fmt: skip
    parser.add_argument("--note", default="", help="what else a person should know of the data or the training")
    parser.add_argument("--title", default="", help="what a person reads; the run's name by default")
    parser.add_argument("--earlier", type=Path, nargs="*", default=[], metavar="RUN",
                        help="runs, the first first, whose weights this one began with (train --from): the card counts them in")
    parser.add_argument("--eyes", type=float, nargs=4, metavar=("X1", "Y1", "X2", "Y2"),
                        help="of faces: where the pictures have their eyes, as shares of the side; for the card "
                             "(default: what data.py says of a model of this name)")
    parser.add_argument("--out", type=Path, default=assets.root() / "models")
    options = parser.parse_args()

    trained = checkpoint.load(options.run)
    try:
        told = _temperature(trained.card, options.temperature)
    except CheckpointError as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory() as folder:
        rounded = Path(folder) / "rounded.safetensors"
        checkpoint.save(rounded, trained.flow, trained.card, half=True)
        flow = checkpoint.load(rounded).flow

    channels, height, width = flow.event_shape
    test = open_dataset(options.data, split="test", size=(height, width), channels=channels)
    labels = test.labels if flow.num_classes else None
    result = bits_per_dim(flow, test.pictures, labels)
    last = read_card(options.run / "last.safetensors") if (options.run / "last.safetensors").exists() else {}
    card = {
        **told,
        "title": options.title or trained.card["title"],
        "data": card_of_data(trained.card["name"], trained.card["data"], options.about, options.note),
        "bpd": round(result.bpd, 4),
        "bpd_standard_error": round(result.standard_error, 4),
        "bpd_count": result.count,
        "bpd_split": "test",
        "held_out": held_out_summary(flow, test.pictures[:HELD_OUT], None if labels is None else labels[:HELD_OUT]),
        **_of_all_runs([*(read_card(run / "last.safetensors") for run in options.earlier), last or trained.card]),
        "default_seed": options.seed,
    }
    eyes = [options.eyes[:2], options.eyes[2:]] if options.eyes else [list(eye) for eye in EYES.get(card["name"], ())]
    if eyes:
        card["eyes"] = eyes
    target = options.out / f"{card['name']}.safetensors"
    checkpoint.save(target, flow, card, half=True)
    shipped = checkpoint.load(target).flow
    z = shipped.sample(16, default_temperature(card), seed=options.seed).numpy()
    label = torch.arange(16) % shipped.num_classes if shipped.num_classes else None
    images.save_png(target.with_suffix(".png"), images.grid(list(decode_batch(shipped, z, label)), columns=4))
    print(f"{target.name}: {result.bpd:.4f} ± {result.standard_error:.4f} bpd on {result.count} test pictures, "
          f"{os.path.getsize(target) / 2**20:.1f} MB")


def _temperature(card: dict, temperature: Temperature) -> dict:
    """The card with this default temperature alone. Raises CheckpointError where it is not one a level of the card's model."""
    kept = {key: value for key, value in card.items() if key not in ("default_temperature", "default_temperatures")}
    by_level = isinstance(temperature, tuple)
    kept |= {"default_temperatures": list(temperature)} if by_level else {"default_temperature": temperature}
    default_temperature(kept)
    return kept


def _of_all_runs(cards: list[dict]) -> dict:
    """Steps, time and commands of runs of which each began where the one before it ended."""
    return {
        "steps": sum(card["steps"] for card in cards),
        "training_seconds": round(sum(card["training_seconds"] for card in cards), 1),
        "command": "\n".join(card["command"] for card in cards),
    }


if __name__ == "__main__":
    main()
