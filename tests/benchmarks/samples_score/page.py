"""What was found, as text: docs/samples-score.md, and the table of a sweep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from flowcore.atomic import replacing

from ..machine import about as machine
from .drawing import said

__all__ = ["put", "shown", "sweep_table", "to_markdown"]

FORMAT = 1


def _page(models: dict[str, dict]) -> dict:
    return {"format": FORMAT, "machine": machine()["machine"] | {"torch": torch.__version__}, "models": models}


def put(path: Path, row: dict, order: Sequence[str]) -> None:
    """Puts one model's row among the others in the file ``path``, in that order of models, and writes the .md beside it."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    models = (found["models"] if found.get("format") == FORMAT else {}) | {row["model"]: row}
    places = {name: place for place, name in enumerate(order)}
    page = _page({name: models[name] for name in sorted(models, key=lambda name: (places.get(name, len(places)), name))})
    path.parent.mkdir(parents=True, exist_ok=True)
    for where, text in ((path, json.dumps(page, indent=1) + "\n"), (path.with_suffix(".md"), to_markdown(page))):
        with replacing(where) as temporary:
            temporary.write_text(text, encoding="utf-8")


def shown(row: dict) -> str:
    """One model's row as a page of its own."""
    return to_markdown(_page({row["model"]: row}))


def _distance(found: dict) -> str:
    low, high = found["interval"]
    return f"{found['value']:.2f} ({low:.2f} to {high:.2f})"


def _auc(found: Sequence[float]) -> str:
    told = f"{np.mean(found):.3f}"
    return told if len(found) == 1 else f"{told} ({min(found):.3f} to {max(found):.3f})"


def to_markdown(found: dict) -> str:
    """docs/samples-score.md."""
    rows = list(found["models"].values())
    lines = [
        "# Samples beside pictures", "",
        "Written by `make samples-score`: do not edit. Lower is better in every column. Samples are the first of seed 0, none",
        "picked, at the temperatures of the model's card (the finest level's first where they differ), of a model with classes",
        "in the shares of the held-out pictures. Samples and pictures go through the same networks as bytes.", "",
        "*Distance*: the Fréchet distance (the squared one, as is usual) from held-out pictures, in the features of a small",
        "network that learned the data's attributes or classes: see below. Each model's data have a network of their own, so a",
        "distance says something beside its floor, and beside that of another model of the same data, and nothing beside other",
        "data's. The *floor* is the distance of training pictures, which the network has not seen either, from the same held-out",
        "ones. It is above 0 because pictures are few: with fewer the distance is larger. So samples, held-out and training",
        "pictures are equally many, and where there are few held-out ones no more samples are taken. In brackets a 95 % interval",
        "over resampled pictures, in which both ends have that bias too.", "",
        "*AUC*: how well another small network, trained on half of the samples and of the held-out pictures, tells the other",
        "halves apart; the mean of several seeds, and their least and greatest. 0.5 is guessing, 1 is never wrong. *Coarse*: the",
        "same of pictures reduced to a side of seven or eight pixels, where grain tells nothing.", "",
        *[f"- {name}: {words}" for name, words in found["machine"].items()], "",
        "| | temperature | pictures | distance | AUC | AUC, coarse | date |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in rows:
        title, end = row["title"], (row["count"], row["date"])
        lines.append(_line(title, row["samples"], *end))
        if "against" in row:
            lines.append(_line(f"{title}, earlier: {row['against']['file']}", row["against"], *end))
        lines.append(_line(f"{title}, floor: training pictures", row["floor"], *end))
    for row in rows:
        if "against" in row:
            value, (low, high) = row["against"]["ratio"]["value"], row["against"]["ratio"]["interval"]
            lines += ["", f"{row['title']}: {value:.2f} times ({low:.2f} to {high:.2f}) the earlier version's distance."]
    lines += [
        "", "## The feature networks", "",
        "Convolutions that halve the picture down to a side of 4, a layer of 64 features with mean 0 and variance 1 on training",
        "pictures, and the answers, linear in them.", "",
        "| | learned | from | right on held-out pictures | the commonest answer alone |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for row in rows:
        network = row["network"]
        kind = "classes" if network["of_classes"] else "attributes"
        lines.append(
            f"| {row['title']} | {network['answers']} {kind} | {network['learnt']:,} pictures |"
            f" {network['accuracy']:.1%} of {network['held_out']:,} | {network['commonest']:.1%} |"
        )
    for row in rows:
        if "by_class" in row:
            lines += _by_class(row)
    return "\n".join(lines) + "\n"


def _line(title: str, figures: dict, count: int, date: str) -> str:
    temperature = said(figures["temperatures"]) if "temperatures" in figures else "–"
    return f"| {title} | {temperature} | {count:,} | {_figures(figures)} | {date} |"


def _figures(figures: dict) -> str:
    return f"{_distance(figures['distance'])} | {_auc(figures['auc'])} | {_auc(figures['coarse_auc'])}"


def _by_class(row: dict) -> list[str]:
    lines = [
        "", f"## {row['title']} by class", "",
        "*Recognised*: the share of samples that the feature network takes for the class that was asked for, and of held-out",
        "pictures for their own. Distances of so few pictures are worth no more than their floors say.", "",
        "| class | pictures | distance | floor | recognised | held-out |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for found in row["by_class"]:
        lines.append(f"| {found['class']} | {found['count']:,} | {_distance(found['distance'])} | {_distance(found['floor'])} |"
                     f" {found['recognised']:.0%} | {found['real_recognised']:.0%} |")  # fmt: skip
    return lines


def sweep_table(title: str, count: int, rows: Sequence[dict]) -> str:
    """The scores of a sweep, as Markdown."""
    lines = [
        f"{title}: {count:,} samples against as many training pictures that the feature network has not seen", "",
        "| temperature, finest level first | distance | AUC | AUC, coarse |", "|---|---|---|---|",
        *[f"| {said(row['temperatures'])} | {_figures(row)} |" for row in rows],
    ]  # fmt: skip
    return "\n".join(lines)
