"""`flow-explorer encode`: a picture's z, exactly H·W·C numbers, from which it comes back byte for byte."""

from __future__ import annotations

import argparse

from app.cli.arguments import add_crop, add_device, add_json, add_model, add_seed
from app.cli.opening import fingerprint, load_model, model_name, open_card, picture_output, read_as_seen
from app.cli.output import print_json, say

NAME = "encode"
HELP = "turn a picture into its z"
DESCRIPTION = (
    "Turn a picture, as the model sees it, into its z: as many numbers as it has values, with nothing lost."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("image", metavar="IMAGE", help="the picture")
    add_model(parser)
    parser.add_argument("--out", required=True, metavar="FILE.safetensors", help="the file to write")
    add_crop(parser)
    add_seed(parser, "accepted like everywhere, and without effect: encoding is deterministic")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Encode, check the round trip, save z."""
    path, card = open_card(args)
    out = picture_output(args, (".safetensors",), path, args.image)
    picture = read_as_seen([args.image], card, path, args)[0]

    from app.cli.device import choose_device, run_on
    from flowcore import codec

    device = choose_device(args.device, exact=True)
    encoded = run_on(device, lambda where: codec.encode_picture(load_model(path, where), picture))
    meta = {
        "model": model_name(path, card),
        "fingerprint": fingerprint(path),
        "size": list(picture.shape[:2]),
        "channels": int(picture.shape[2]),
    }
    out.write(lambda file: codec.save_latent(file, encoded.z, meta))
    if args.json:
        print_json(
            [
                {
                    "file": args.image,
                    "out": args.out,
                    "model": model_name(path, card),
                    "numbers": int(encoded.z.size),
                    "dtype": str(encoded.z.dtype),
                    "differing_bytes": int(encoded.differing),
                    "bpd": float(encoded.bpd),
                }
            ]
        )
    else:
        say(
            f"{args.image}: {encoded.z.size:,} numbers ({encoded.z.dtype}) saved as {args.out}; "
            f"decoded again, {encoded.differing} bytes differ; {encoded.bpd:.3f} bits per dimension."
        )
    return 0
