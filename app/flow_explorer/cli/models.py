"""`flow-explorer models`: the bundled models, by their cards alone."""

from __future__ import annotations

import argparse

from flow_explorer import assets
from flow_explorer.cli.arguments import add_json
from flow_explorer.terminal.output import print_json, print_table, say

NAME = "models"
HELP = "list the bundled models"
DESCRIPTION = "List the bundled models: system, size, bits per dimension, data and licence."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    from flowcore.model.card import default_temperature, read_card

    rows = []
    for path in assets.models():
        card = read_card(path)
        data = card.get("data") or {}
        rows.append(
            {
                "name": path.stem,
                "system": card.get("system"),
                "size": card.get("size"),
                "channels": card.get("channels"),
                "bpd": card.get("bpd"),
                "temperature": default_temperature(card),
                "data": data.get("name"),
                "licence": data.get("licence"),
            }
        )
    if args.json:
        print_json(rows)
    elif rows:
        headings = ("name", "system", "size", "channels", "bpd", "data", "licence")
        print_table(headings, [[_cell(row[heading]) for heading in headings] for row in rows])
    else:
        say("flow-explorer: no model is bundled with this copy.")
    return 0


def _cell(value: object) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, list):
        return "×".join(map(str, value))
    return f"{value:.3f}" if isinstance(value, float) else str(value)
