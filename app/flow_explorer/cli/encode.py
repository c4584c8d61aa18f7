"""`flow-explorer encode`: a picture's z, exactly H·W·C numbers, from which it comes back byte for byte."""

from __future__ import annotations

import argparse

from flow_explorer.cli.arguments import add_crop, add_device, add_json, add_model, add_seed
from flow_explorer.cli.classes import add_class, chosen, likeliest, said
from flow_explorer.cli.opening import (
    file_digest,
    load_model,
    model_name,
    open_card,
    picture_output,
    read_as_seen,
)
from flow_explorer.terminal.output import print_json, say
from flowcore.model.card import class_names
from flowcore.model.labels import Label, describe, to_json
from flowcore.model.weights import fingerprint

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
    add_class(parser, "encode under this one (default: the class under which the picture is likeliest)")
    add_crop(parser)
    add_seed(parser, "accepted like everywhere, and without effect: encoding is deterministic")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Encode, check the round trip, save z."""
    path, card = open_card(args)
    out = picture_output(args, (".safetensors",), path, args.image)
    label = chosen(args.class_name, path, card)
    picture = read_as_seen([args.image], card, path, args)[0]

    from flow_explorer.cli.device import choose_device, run_on
    from flowcore.model import codec

    def encode(where: str) -> tuple[codec.Encoded, Label]:
        flow = load_model(path, where)
        own = likeliest(flow, picture, label)
        return codec.encode_picture(flow, picture, codec.label_tensor(flow, [own])), own

    device = choose_device(args.device, exact=True)
    encoded, own = run_on(device, encode)
    meta = {
        "model": model_name(path, card),
        "weights": fingerprint(path),
        "fingerprint": file_digest(path),
        "size": list(picture.shape[:2]),
        "channels": int(picture.shape[2]),
        **({"label": to_json(own)} | said(own, card) if own else {}),
    }
    out.write(lambda file: codec.save_latent(file, encoded.z, meta))
    if args.json:
        print_json(
            [
                {
                    "file": args.image,
                    "out": args.out,
                    "model": model_name(path, card),
                    **said(own, card),
                    "numbers": int(encoded.z.size),
                    "dtype": str(encoded.z.dtype),
                    "differing_bytes": int(encoded.differing),
                    "bpd": float(encoded.bpd),
                }
            ]
        )
    else:
        how = "as chosen" if label else "under which it is likeliest"
        say(
            f"{args.image}: {encoded.z.size:,} numbers ({encoded.z.dtype}) saved as {args.out}; "
            f"decoded again, {encoded.differing} bytes differ; {encoded.bpd:.3f} bits per dimension"
            + (f"; of the class {describe(own, class_names(card))}, {how}." if own else ".")
        )
    return 0
