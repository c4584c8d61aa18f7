"""`flow-explorer layers`: what pictures' likelihoods are made of, layer by layer, and how their z compare with the prior."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from flow_explorer.cli.arguments import add_crop, add_device, add_json, add_model, add_seed
from flow_explorer.cli.classes import add_class, chosen, said
from flow_explorer.cli.opening import load_model, open_card, read_as_seen
from flow_explorer.terminal.output import print_json, print_table, print_text
from flow_explorer.terminal.progress import TerminalProgress
from flowcore.model.labels import Label
from flowcore.work import parts

NAME = "layers"
HELP = "log-determinants by layer, the prior's terms by level, and z against the prior"
DESCRIPTION = (
    "Follow pictures, as the model sees them, through its layers: the log-determinant of each in nats, the prior's term of each "
    "level, and their sum, which is log p(x) at the bin centres, all in float64. Each level's z is held against the prior: "
    "Kolmogorov–Smirnov distance, moments, and its norm beside the shell that holds 95 % of the prior's own draws. One picture "
    "is one draw, and its numbers are no independent tests."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="the pictures")
    add_model(parser)
    add_class(parser, "follow under this one (default: the class under which each picture is likeliest)")
    add_crop(parser)
    add_seed(parser, "accepted like everywhere, and without effect: nothing here is drawn")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Follow the pictures and print what was found, in the order given."""
    path, card = open_card(args)
    label = chosen(args.class_name, path, card)
    pictures = read_as_seen(args.images, card, path, args)

    from flow_explorer.cli.device import choose_device, run_on

    device = choose_device(args.device, exact=True)
    rows = run_on(device, lambda where: _follow(args.images, pictures, path, card, label, where))
    if args.json:
        print_json(rows)
        return 0
    for row in rows:
        print_text(f"{row['file']}: log p(x) = {row['log_prob']:,.2f} nats, {row['bpd']:.4f} bits per dimension")
        print_table(("layer", "level", "step", "log-det (nats)", "bits per dimension"),
                    [(layer["name"], str(layer["level"] or ""), str(layer["step"] or ""), f"{layer['log_det']:.3f}",
                      f"{layer['bits']:.5f}") for layer in row["layers"]])  # fmt: skip
        print_table(("z of", "log-density (nats)", "bits per dimension", "|z|", "shell"),
                    [(level["name"], f"{level['log_prob']:.3f}", f"{level['bits']:.5f}", f"{level['norm']:.2f}",
                      _shell(level["shell"])) for level in row["levels"]])  # fmt: skip
    return 0


def _shell(ends: list[float] | None) -> str:
    return "not known" if ends is None else f"{ends[0]:.2f} to {ends[1]:.2f}"


def _follow(
    names: list[str], pictures: list[Any], path: Path, card: dict[str, Any], label: Label, device: str
) -> list[dict[str, Any]]:
    from flowcore.model.codec import class_log_probs, label_tensor
    from flowcore.model.labels import single

    flow = load_model(path, device)
    rows = []
    with TerminalProgress("Following", len(names), "pictures") as progress:
        for name, picture in zip(names, pictures, strict=True):
            own = label
            if flow.num_classes and not own:
                own = single(int(class_log_probs(flow, picture).argmax()))
            rows.append({"file": name, **said(own, card), **_terms(flow, picture, label_tensor(flow, [own]))})
            progress.update(len(rows))
    return rows


def _terms(flow: Any, picture: Any, label: Any) -> dict[str, Any]:
    """What one picture's likelihood is made of."""
    from math import log

    from flowcore.latents.following import Match, follow_job
    from flowcore.latents.layer_trace import LayerTrace, outline

    steps = {type(step): step for step in parts(follow_job(flow, picture, label, check=False))}
    found, match = steps[LayerTrace], steps[Match]
    bits = -1 / (flow.num_dims * log(2))
    layers = [
        {"name": layer.name, "kind": layer.kind, "level": layer.level, "step": layer.step, "log_det": float(value),
         "bits": float(value) * bits + 0.0}
        for layer, value in zip(outline(flow), found.log_dets, strict=True) if layer.kind != "pixels"
    ]  # fmt: skip
    levels = []
    for level, term, held in zip(flow.levels, found.prior_terms, match.levels, strict=True):
        against = held.found
        row: dict[str, Any] = {"name": level.name, "numbers": against.count, "log_prob": float(term)}
        row |= {"bits": float(term) * bits + 0.0}
        row |= {"mean": against.mean, "deviation": against.deviation, "excess_kurtosis": against.kurtosis,
                "norm": against.shell.norm}  # fmt: skip
        row |= {"ks_distance": against.distance if held.standard else None,
                "ks_p_value": against.p_value if held.standard else None,
                "shell": [against.shell.low, against.shell.high] if held.standard else None}  # fmt: skip
        levels.append(row)
    total = float(found.log_dets.sum())
    return {"log_prob": found.log_prob, "bpd": found.bpd, "log_det": total, "layers": layers, "levels": levels}
