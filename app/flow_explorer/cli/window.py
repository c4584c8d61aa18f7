"""`flow-explorer` without a command: the window, or a picture of it with --screenshot."""

from __future__ import annotations

import argparse
import os
import re

from flow_explorer.display import missing_display, missing_library, platform_plugin
from flow_explorer.terminal.output import OutputFile, say

SUFFIXES = (".flowsession", ".flowtoy")
"""Of a session, and of a training of the toy lab."""
WORKSPACES = ("explorer", "toylab", "theory", "training")


def size(text: str) -> tuple[int, int]:
    """A window's size as 1280x800, in logical pixels."""
    match = re.fullmatch(r"(\d{3,5})[x×](\d{3,5})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: give it as 1280x800")
    return int(match[1]), int(match[2])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The window's arguments, on the root parser."""
    group = parser.add_argument_group("the window")
    group.add_argument("--workspace", choices=WORKSPACES, help="the one to open with")
    group.add_argument(
        "--screenshot", metavar="FILE.png", help="wait until idle, save a picture of the window, quit"
    )
    group.add_argument("--size", type=size, metavar="WxH", help="the window's size, such as 1280x800")
    group.add_argument(
        "--theme", choices=("system", "light", "dark"), help="this time, whatever the settings say"
    )
    group.add_argument(
        "--session", metavar="FILE.flowsession",
        help="a saved session, or a .flowtoy training, to open; `flow-explorer FILE.flowsession` does the same",
    )
    group.add_argument(
        "--trace", metavar="FILE", help="write what happened when to this file, a JSON object a line"
    )


def with_session(argv: list[str]) -> list[str]:
    """The arguments with ``--session`` before a session file that stands by itself, as a desktop gives it."""
    found: list[str] = []
    for index, argument in enumerate(argv):
        alone = index == 0 or not argv[index - 1].startswith("--")
        if alone and argument.lower().endswith(SUFFIXES) and not argument.startswith("-") and "--session" not in found:
            found.append("--session")
        found.append(argument)
    return found


def run(args: argparse.Namespace) -> int:
    """Open the window; say in a sentence why it cannot open."""
    if args.screenshot:
        OutputFile(args.screenshot, (".png",))
        if missing_display():
            os.environ["QT_QPA_PLATFORM"] = "offscreen"
    obstacle = missing_display() or missing_library(platform_plugin())
    if obstacle:
        say(f"flow-explorer: {obstacle}")
        return 2
    from flow_explorer.startup import run_gui

    return run_gui(args)
