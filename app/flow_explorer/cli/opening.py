"""Opening what a command is given: the model by its card first, the pictures as the model sees them."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_explorer import assets, shipped
from flow_explorer.terminal.output import OutputFile, say
from flow_explorer.terminal.progress import TerminalProgress
from flowcore.errors import CheckpointError, ConfigError, DataError
from flowcore.model.card import class_names, eye_positions
from flowcore.model.labels import Label, from_json
from flowcore.model.weights import fingerprint

if TYPE_CHECKING:
    import numpy as np

    from flowcore.pictures.crop import Crop
    from flowcore.pictures.images import Picture

__all__ = [
    "check_latent",
    "check_pixels",
    "crop_of",
    "event_shape",
    "eyes_of",
    "file_digest",
    "load_model",
    "model_name",
    "open_card",
    "picture_output",
    "read_as_seen",
    "read_latent",
]


def open_card(args: argparse.Namespace) -> tuple[Path, dict[str, Any]]:
    """The checkpoint that --model means and its card, without loading torch. Raises CheckpointError."""
    from flowcore.model.card import read_card

    if args.model is None:
        bundled = assets.models()
        if not bundled:
            raise CheckpointError(
                "No model is bundled with this copy: give --model a checkpoint or a run folder."
            )
        path = bundled[0]
    else:
        path = assets.resolve_model(args.model)
    return path, read_card(path)


def model_name(path: Path, card: dict[str, Any]) -> str:
    """The name to print for a model: its card's, or its file's."""
    return str(card.get("name") or path.stem)


def event_shape(path: Path, card: Mapping[str, Any]) -> tuple[int, int, int]:
    """(height, width, channels) of a model of pictures. Raises CheckpointError for a model of 2-D points."""
    try:
        height, width = (int(side) for side in card["size"])
        return height, width, int(card["channels"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is no model of pictures: its card states no size and channels."
        ) from error


def load_model(path: Path, device: str) -> Any:
    """The flow of a checkpoint on a device. Loads torch."""
    from flowcore.model import checkpoint

    return checkpoint.load(path, device=device).flow


def crop_of(args: argparse.Namespace) -> Any:
    """The crop that the options of `add_crop` describe."""
    from flowcore.pictures.crop import Crop

    x, y = args.center
    return Crop(center_x=x, center_y=y, zoom=args.zoom, angle=args.angle, background=args.background)


def eyes_of(args: argparse.Namespace, card: dict[str, Any], path: Path, count: int) -> list[tuple[float, ...] | None]:
    """The two eyes that --eyes marks in each of so many pictures; None for each without it.

    Raises ConfigError where the model knows of no eyes, or the option does not fit the pictures or the other options.
    """
    marked = args.eyes or []
    if not marked:
        return [None] * count
    if eye_positions(card) is None:
        raise ConfigError(
            f"{model_name(path, card)} is no model of faces whose eyes stand in one place, so --eyes means nothing to it: use "
            "--center, --zoom and --angle."
        )
    if (*args.center, args.zoom, args.angle) != (0.5, 0.5, 1.0, 0.0):
        raise ConfigError("--eyes says where the square lies: leave --center, --zoom and --angle out.")
    if len(marked) not in (1, count):
        raise ConfigError(f"--eyes is given {len(marked)} times for {count} pictures: give it once, or once for each.")
    return list(marked) * count if len(marked) == 1 else list(marked)


def crop_for_marked(
    picture: Picture, marked: tuple[float, ...], card: dict[str, Any], shape: tuple[int, int], background: str
) -> Crop:
    """The crop that brings the eyes marked by --eyes where the model has them. Raises PictureError where they are one point."""
    from flowcore.pictures.crop import crop_for_eyes

    targets = eye_positions(card)
    assert targets is not None
    # A very large picture was reduced when it was read; the person counts in the file's own pixels.
    shares = max(marked) <= 1.0
    across, down = (1, 1) if shares else picture.original_size
    points = [(x / across * picture.width, y / down * picture.height) for x, y in (marked[:2], marked[2:])]
    left, right = sorted(points)
    return crop_for_eyes(left, right, targets, (picture.width, picture.height), shape, background)


def read_as_seen(
    paths: Iterable[str], card: dict[str, Any], path: Path, args: argparse.Namespace,
    eyes: list[tuple[float, ...] | None] | None = None,
) -> list[np.ndarray]:
    """Every picture as the model sees it, uint8 H×W×C; `eyes` of each, where they are not those of the arguments.

    Raises PictureError with the first file that cannot be read.
    """
    from flowcore.pictures.crop import apply_crop
    from flowcore.pictures.images import read_picture

    height, width, channels = event_shape(path, card)
    plain = crop_of(args)
    files = list(paths)
    eyes = eyes_of(args, card, path, len(files)) if eyes is None else eyes
    seen = []
    with TerminalProgress("Reading pictures", len(files)) as progress:
        for done, file in enumerate(files):
            picture = read_picture(Path(file).expanduser(), name=file)
            marked = eyes[done]
            crop = plain if marked is None else crop_for_marked(picture, marked, card, (height, width), plain.background)
            seen.append(apply_crop(picture, crop, height, width, channels))
            progress.update(done + 1)
    return seen


def picture_output(args: argparse.Namespace, suffixes: tuple[str, ...], *reads: str | Path) -> OutputFile:
    """The file of --out, checked before the work; what the command reads is not overwritten."""
    return OutputFile(args.out, suffixes, reads)


def check_pixels(pictures: int, shape: tuple[int, int, int], enlarge: int) -> None:
    """Raise ConfigError where so many pictures, so much enlarged, are more than one file may hold."""
    from flowcore.pictures.image_writing import MAX_WRITTEN_PIXELS

    pixels = pictures * shape[0] * shape[1] * enlarge**2
    if pixels > MAX_WRITTEN_PIXELS:
        raise ConfigError(
            f"{pictures:,} pictures enlarged {enlarge} times are {pixels:,} pixels, and one file holds at most "
            f"{MAX_WRITTEN_PIXELS:,}: choose a smaller --enlarge."
        )


def file_digest(path: Path) -> str:
    """Sixteen hexadecimal digits of a whole checkpoint file, its card included: what z files say beside the weights, for
    versions that knew nothing else."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def read_latent(file: str, path: Path, card: dict[str, Any]) -> tuple[np.ndarray, Label]:
    """The z of a file that `encode` wrote, and the class that it was encoded under, () where the file names none.

    Raises DataError where the file is none, is of other weights, or has not as many numbers as the model's pictures.
    """
    from flowcore.model.codec import load_latent

    z, meta = load_latent(Path(file).expanduser())
    same = _check_weights(meta, path, card, file)
    check_latent(z, path, card, file)
    classes = len(class_names(card))
    try:
        label = from_json(meta.get("label")) if classes else ()
    except ConfigError:
        raise DataError(f"{file} names no class that can be read: encode its picture again.") from None
    if not same and any(number >= classes for number, _ in label):
        label = ()
    return z, label


def _check_weights(meta: dict[str, Any], path: Path, card: dict[str, Any], file: str) -> bool:
    """Whether a z is of the model's weights, as far as is known; where nobody can tell, that is said.

    Raises DataError where it is of others: decoded by these it would be another picture.
    """
    here, there = model_name(path, card), str(meta.get("model") or "another model")
    known, weights = _weights_of(meta), fingerprint(path)
    if known in (weights, None):
        return True
    if not known:
        same = meta.get("fingerprint") == file_digest(path)
        if not same:
            say(f"flow-explorer: {file} was encoded by another file of '{there}', and does not say of which weights: the "
                "picture may be another.")  # fmt: skip
        return same
    if there == here:
        raise DataError(
            f"{file} is a z of other weights of '{here}' than those here: encode its picture again, or give --model the "
            "checkpoint that it was encoded with."
        )
    gone = ", which is no longer bundled" if there in shipped.SHIPPED and there not in assets.model_names() else ""
    raise DataError(
        f"{file} is a z of '{there}'{gone}, and means nothing to '{here}': encode its picture again, or give --model the "
        "checkpoint that it was encoded with."
    )


def _weights_of(meta: dict[str, Any]) -> str | None:
    """The weights that a z is of: "" where the file is older than that and names a checkpoint file that was never bundled, None
    where it names nothing at all."""
    if "weights" in meta:
        return str(meta["weights"])
    if meta.get("fingerprint") is not None:
        return shipped.weights_of_file(str(meta["fingerprint"]))
    return shipped.weights_of(str(meta.get("model"))) or None


def check_latent(z: np.ndarray, path: Path, card: dict[str, Any], file: str) -> None:
    """Raise DataError where a z has not as many numbers as the model's pictures."""
    height, width, channels = event_shape(path, card)
    wanted = height * width * channels
    if z.size != wanted:
        raise DataError(
            f"{file} holds {z.size:,} numbers and {model_name(path, card)} takes {wanted:,} "
            f"({height}×{width}×{channels}): decode it with the model that encoded it."
        )
