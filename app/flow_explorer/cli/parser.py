"""The argument parser: the window's options at the root, a subparser a command."""

from __future__ import annotations

import argparse
from typing import NoReturn

from flow_explorer import __version__
from flow_explorer.cli import (
    compare,
    data,
    decode,
    direction,
    encode,
    evaluate,
    interpolate,
    layers,
    map,
    models,
    sample,
    score,
    toy,
    train,
    train_pair,
    translate,
    window,
)

__all__ = ["Parser", "UsageError", "build_parser"]

COMMANDS = (
    models, sample, encode, decode, interpolate, translate, direction, map, layers, score, compare, train, train_pair, evaluate,
    data, toy,
)  # fmt: skip


class UsageError(Exception):
    """The arguments make no sense; its text is the one line to print."""


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one sentence instead of a page."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the command's name in front."""
        text = " ".join(message.split()).rstrip(".")
        raise UsageError(f"{self.prog}: {text} (see {self.prog} --help).")


def build_parser() -> Parser:
    """The whole command line as a parser; `args.run(args)` runs what was chosen and gives the exit code."""
    parser = Parser(
        prog="flow-explorer",
        description="Explore the latent space of a normalizing flow. Without a command the window opens.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"flow-explorer {__version__}")
    window.add_arguments(parser)
    parser.set_defaults(run=window.run)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        child = commands.add_parser(
            command.NAME, help=command.HELP, description=command.DESCRIPTION, allow_abbrev=False
        )
        command.add_arguments(child)
        child.set_defaults(run=command.run)
    return parser
