"""`flow-explorer decode`: the picture of a z that `encode` wrote."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from flow_explorer.cli.arguments import add_device, add_enlarge, add_json, add_model, add_seed
from flow_explorer.cli.classes import add_class, chosen, needed, said
from flow_explorer.cli.opening import (
    check_pixels,
    event_shape,
    load_model,
    model_name,
    open_card,
    picture_output,
    read_latent,
)
from flow_explorer.cli.recipes import picture_recipe
from flow_explorer.terminal.output import print_json, say

if TYPE_CHECKING:
    import numpy as np

NAME = "decode"
HELP = "turn a z back into its picture"
DESCRIPTION = "Turn a z that `encode` wrote back into its picture, byte for byte."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("latent", metavar="Z.safetensors", help="the file that encode wrote")
    add_model(parser)
    parser.add_argument("--out", required=True, metavar="FILE.png", help="the picture to write")
    add_class(parser, "decode as this one (default: the class that it was encoded under)")
    add_enlarge(parser)
    add_seed(parser, "accepted like everywhere, and without effect: decoding is deterministic")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Decode and save."""
    path, card = open_card(args)
    out = picture_output(args, (".png",), path, args.latent)

    check_pixels(1, event_shape(path, card), args.enlarge)
    label = chosen(args.class_name, path, card)
    z, own = read_latent(args.latent, path, card)
    label = needed(label or own, args.latent, card)

    from flow_explorer.cli.device import choose_device, run_on
    from flowcore.model import codec
    from flowcore.pictures import images

    device = choose_device(args.device, exact=True)

    def decode(where: str) -> np.ndarray:
        flow = load_model(path, where)
        return codec.decode_picture(flow, z, codec.label_tensor(flow, [label]))

    picture = run_on(device, decode)
    large = images.enlarge(picture, args.enlarge)
    out.write_bytes(images.to_png_bytes(large, picture_recipe(args, path, z, label)))
    if args.json:
        height, width = picture.shape[:2]
        print_json(
            [
                {
                    "file": args.latent,
                    "out": args.out,
                    "model": model_name(path, card),
                    **said(label, card),
                    "size": [int(height), int(width)],
                    "channels": int(picture.shape[2]) if picture.ndim == 3 else 1,
                }
            ]
        )
    else:
        say(f"{args.latent} decoded by {model_name(path, card)} and saved as {args.out}.")
    return 0
