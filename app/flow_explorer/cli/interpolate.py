"""`flow-explorer interpolate`: a walk in z from one picture to another."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_explorer.cli.arguments import (
    add_crop,
    add_device,
    add_enlarge,
    add_json,
    add_model,
    add_seed,
    integer,
    number,
)
from flow_explorer.cli.classes import add_class, chosen_ends, likeliest, needed, said
from flow_explorer.cli.opening import (
    check_pixels,
    event_shape,
    eyes_of,
    load_model,
    open_card,
    picture_output,
    read_as_seen,
    read_latent,
)
from flow_explorer.cli.recipes import walk_recipe
from flow_explorer.terminal.output import OutputFile, print_json, say
from flow_explorer.terminal.progress import TerminalProgress
from flowcore.model.labels import Label, between, to_array

if TYPE_CHECKING:
    import numpy as np

NAME = "interpolate"
HELP = "walk in z between two pictures"
DESCRIPTION = (
    "Walk in z from A to B and save the frames side by side (.png) or as an animation there and back (.gif, .webp without "
    "loss, or .mp4 with the extra 'video'). A and B are pictures, or z files of `encode`. The first frame is A and the last is "
    "B, byte for byte."
)
FORMATS = (".gif", ".webp", ".mp4")
PATHS = ("linear", "spherical", "norm-kept")
"""As in `flowcore.pictures.animation` and `flowcore.latents.latent`, which need numpy: a command line that only shows its
    help does without."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("a", metavar="A", help="where the walk starts")
    parser.add_argument("b", metavar="B", help="where it ends")
    add_model(parser)
    parser.add_argument(
        "--steps", type=integer(2, 1000), default=9, metavar="N", help="frames, ends counted (default: 9)"
    )
    add_class(
        parser,
        "given once, of both ends, given twice, of A and of B (default: that of a z file, or the class under which the "
        "picture is likeliest). Between two classes the prior goes evenly from A's to B's",
        twice=True,
    )
    path = parser.add_mutually_exclusive_group()
    path.add_argument(
        "--path", choices=PATHS, default="linear", help="straight, on the great circle, or straight with z's length kept"
    )
    path.add_argument("--spherical", dest="path", action="store_const", const="spherical", help="the same as --path spherical")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--seconds", type=number(0.1, 60), default=2.0, help="of an animation, one way (default: 2)")
    pace.add_argument(
        "--fps", type=number(0.1, 120), metavar="F", help="of an animation, frames a second (default: as --seconds asks)"
    )
    add_enlarge(parser)
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="the .png strip, or the .gif, .webp or .mp4 animation, to write"
    )
    add_crop(parser)
    add_seed(parser, "accepted like everywhere, and without effect: a walk is deterministic")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Encode both ends, walk, save; a row a frame with --json."""
    path, card = open_card(args)
    out = picture_output(args, (".png", *FORMATS), path, args.a, args.b)
    if out.suffix == ".mp4":
        from flowcore.pictures.animation import require_video

        require_video()  # before the work, not after it
    check_pixels(args.steps, event_shape(path, card), args.enlarge)
    chosen = chosen_ends(args.class_name, path, card)
    eyes = eyes_of(args, card, path, 2)
    ends = [_read_end(*end, args, path, card) for end in zip((args.a, args.b), chosen, eyes, strict=True)]

    from flow_explorer.cli.device import choose_device, run_on

    device = choose_device(args.device, exact=True)
    frames, rows = run_on(device, lambda where: _walk(args, ends, path, card, where))
    _save(args, out, frames, ends, path)
    if args.json:
        print_json(rows)
    else:
        say(f"{len(frames)} frames from {args.a} to {args.b} saved as {args.out}.")
    return 0


End = tuple[str, "np.ndarray", Label]


def _read_end(
    end: str, label: Label, eyes: tuple[float, ...] | None, args: argparse.Namespace, path: Path, card: dict[str, Any]
) -> End:
    """("z", numbers, class) or ("picture", pixels, class or nothing), read before the model is loaded."""
    if end.lower().endswith(".safetensors"):
        z, own = read_latent(end, path, card)
        return "z", z, needed(label or own, end, card)
    return "picture", read_as_seen([end], card, path, args, [eyes])[0], label


def _walk(
    args: argparse.Namespace, ends: list[End], path: Path, card: dict[str, Any], device: str
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    import numpy as np

    from flowcore.latents import latent
    from flowcore.model import codec, evaluation

    flow = load_model(path, device)
    latents, labels = [], []
    for kind, value, label in ends:
        labels.append(label if kind == "z" else likeliest(flow, value, label))
        own = codec.label_tensor(flow, labels[-1:])
        latents.append(value if kind == "z" else codec.encode_picture(flow, value, own).z)
    a, b = latents
    positions = [index / (args.steps - 1) for index in range(args.steps)]
    walk = latent.walk(a, b, positions, args.path)
    frames, rows = [], []
    with TerminalProgress("Walking", args.steps, "frames") as progress:
        for index, position in enumerate(positions):
            # The ends keep their own precision: a z of float32 was checked in float32, one of float64 in float64.
            z = a if index == 0 else b if index == args.steps - 1 else walk[index]
            label = between(labels[0], labels[1], position)
            frame = codec.decode_picture(flow, z, codec.label_tensor(flow, [label]))
            frames.append(frame)
            if args.json:
                bits = evaluation.bits_per_picture(flow, frame[None], to_array([label], flow.num_classes))
                rows.append({"t": position, **said(label, card), "bpd": float(bits[0])})
            progress.update(index + 1)
    return np.stack(frames), rows


def _save(
    args: argparse.Namespace, out: OutputFile, frames: np.ndarray, ends: list[End], path: Path
) -> None:
    from flowcore.pictures import animation, images

    # An end that came as a picture is that picture; one that came as z is what it decodes to, and keeps its z.
    latents = [value if kind == "z" else None for kind, value, _ in ends]
    recipe = walk_recipe(args, path, [frames[0], frames[-1]], latents, [label for _, _, label in ends])
    if out.suffix in FORMATS:
        fps = args.fps or min((len(frames) - 1) / args.seconds, 1000.0)
        out.write_bytes(animation.animation_bytes(out.suffix, list(frames), recipe, scale=args.enlarge, fps=fps, back=True))
        return
    out.write_bytes(images.to_png_bytes(images.enlarge(images.strip(frames), args.enlarge), recipe))
