"""`flow-explorer direction make|show|apply`: directions in z as files, made, looked at and used."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_explorer import assets
from flow_explorer.cli.arguments import add_crop, add_device, add_json, add_model, add_seed, integer, number
from flow_explorer.cli.opening import event_shape, load_model, model_name, open_card, read_as_seen
from flow_explorer.cli.reading import data_path, of_card, tell_left_out
from flow_explorer.terminal.output import OutputFile, distinct, picture_files, print_json, print_text, say
from flow_explorer.terminal.progress import TerminalProgress
from flowcore.errors import ConfigError, DataError

if TYPE_CHECKING:
    from flowcore.data.picture_set import PictureSet
    from flowcore.latents.directions.directions import Direction

NAME = "direction"
HELP = "make, look at and use directions in z: a smile, glasses, a colour"
DESCRIPTION = (
    "A direction is what the pictures of a set have in common, as a vector in a model's z, in one file with a card that says how "
    "it was made and how well it tells pictures apart that it was not made from."
)
SUFFIXES = (".safetensors",)
HELD_SHARE = 0.2
AMOUNT_MAX = 20.0
KEPT_MAX = 2000
"""Pictures of a set whose z are kept in memory: 2,000 of 64×64 in colour are 100 MB."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The three verbs, each with its arguments."""
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True, dest="verb", parser_class=type(parser))
    for name, add, act, words in (
        ("make", _add_make, _make, "make a direction from labels, from two sets of pictures, or as the principal axes of one"),
        ("show", _add_show, _show, "say what a direction file holds"),
        ("apply", _add_apply, _apply, "move pictures along directions"),
    ):
        verb = verbs.add_parser(name, help=words, description=f"{words[:1].upper()}{words[1:]}.", allow_abbrev=False)
        add(verb)
        add_json(verb)
        verb.set_defaults(act=act)


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    return args.act(args)


def _levels(text: str) -> tuple[int, ...]:
    """Numbers of levels, 1 the finest, divided by commas."""
    parse = integer(1, 64)
    return tuple(sorted({parse(part.strip()) - 1 for part in text.split(",")}))


def _add_levels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--levels", type=_levels, metavar="N,N", help="the levels of z to act on, 1 the finest (default: all)")


def _add_without(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orthogonal-to", nargs="+", default=[], metavar="FILE", help="directions that are to stay as they are")


def _add_make(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--attribute", metavar="NAME", help="a column of the attributes, or a class of --data")
    source.add_argument("--more", metavar="FOLDER", help="pictures that have it; --less has those that do not")
    source.add_argument("--pca", type=integer(1, 64), metavar="K", help="the first K principal axes of --data")
    parser.add_argument("--less", metavar="FOLDER", help="with --more")
    parser.add_argument("--data", metavar="PATH", help="a folder or other data, with --attribute or --pca")
    parser.add_argument("--attributes", metavar="FILE", help="a table with a row a picture: .csv, CelebA's .txt, or .npz")
    add_model(parser)
    _add_levels(parser)
    _add_without(parser)
    parser.add_argument("--name", help="(default: the attribute's, the folder's or the data's)")
    parser.add_argument(
        "--count", type=integer(2, 10**7), default=10_000, metavar="N",
        help=f"pictures to look at (default: 10,000; of folders and for axes {KEPT_MAX:,} at most, whose z are kept)",
    )  # fmt: skip
    parser.add_argument("--out", required=True, metavar="FILE", help="a .safetensors file; with --pca one an axis: FILE-1 …")
    add_seed(parser, "of the draw of held-out pictures (default: 0)")
    add_device(parser)


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a direction")
    parser.add_argument("--model", metavar="M", help="also say whether it is a direction of this model")


def _add_apply(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", metavar="PICTURE", help="the pictures to move")
    parser.add_argument("--direction", nargs="+", required=True, metavar="FILE", help="one or more; what they do adds up")
    parser.add_argument(
        "--amount", nargs="+", type=number(-AMOUNT_MAX, AMOUNT_MAX), required=True, metavar="S",
        help="standard deviations, one a direction or one for all",
    )  # fmt: skip
    _add_levels(parser)
    _add_without(parser)
    parser.add_argument(
        "--model", metavar="M", help="a bundled model's name, a checkpoint or a run folder (default: the direction's, if bundled)"
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="the folder for the pictures, made if it is missing")
    add_crop(parser)
    add_seed(parser, "accepted like everywhere, and without effect: a move is deterministic")
    add_device(parser)


# make


def _make(args: argparse.Namespace) -> int:
    if args.more is not None and args.less is None:
        raise ConfigError("--more needs --less, a folder of pictures that do not have it.")
    if args.more is None and args.less is not None:
        raise ConfigError("--less goes with --more, a folder of pictures that have it.")
    if args.more is None and args.data is None:
        raise ConfigError(f"--{'attribute' if args.attribute else 'pca'} needs --data, a folder of pictures or other data.")
    path, card = open_card(args)
    shape = event_shape(path, card)
    targets = _targets(args, path)
    from flowcore.latents.directions.files import load_direction

    without = [load_direction(file) for file in args.orthogonal_to]
    sources = [args.more, args.less] if args.more is not None else [args.data]
    if args.attribute is None and args.attributes is not None:
        raise ConfigError("--attributes is a table for --attribute; leave it out.")
    sets = [_pictures(text, args, shape, card) for text in sources]
    columns = _column(args, sets[0]) if args.attribute is not None else None

    from flow_explorer.cli.device import choose_device, run_on

    def work(where: str) -> list[Direction]:
        from flowcore.latents.directions.files import check, fingerprint

        flow = load_model(path, where)
        mark = fingerprint(flow) if without else ""
        for other in without:
            check(other, flow, mark)
        name = model_name(path, card)
        if columns is not None:
            return _by_label(args, flow, name, sets[0], columns, without)
        if args.more is not None:
            return [_by_sets(args, flow, name, sets, without)]
        return _by_axes(args, flow, name, sets[0], without)

    made = run_on(choose_device(args.device, exact=True), work)
    from flowcore.latents.directions.files import save_direction

    rows = []
    for direction, target in zip(made, targets, strict=False):
        target.write(lambda temporary, direction=direction: save_direction(temporary, direction))
        rows.append({"file": os.fspath(target.path), **_figures(direction)})
    if args.json:
        print_json(rows if args.pca else rows[0])
    else:
        for row, direction in zip(rows, made, strict=True):
            say(f"{row['file']}: {direction.name}. {in_words(direction)}")
    return 0


def _targets(args: argparse.Namespace, path: Path) -> list[OutputFile]:
    """The files to write, made sure of before any work. Raises OutputError."""
    if not args.pca or args.pca == 1:
        return [OutputFile(args.out, SUFFIXES, (path, *args.orthogonal_to))]
    out = Path(args.out)
    names = [os.fspath(out.with_name(f"{out.stem}-{number}{out.suffix}")) for number in range(1, args.pca + 1)]
    return distinct(OutputFile(name, SUFFIXES, (path, *args.orthogonal_to)) for name in names)


def _pictures(text: str, args: argparse.Namespace, shape: tuple[int, int, int], card: dict[str, Any]) -> PictureSet:
    from flowcore.data.datasets import open_dataset

    height, width, channels = shape
    reading = of_card(card.get("data"))
    with TerminalProgress(f"Reading {text}", 0) as progress:
        found = open_dataset(
            data_path(text), "all", (height, width), channels, fit=reading.fit, background=reading.background,
            attributes=args.attributes, on_progress=progress.of,
        )  # fmt: skip
    tell_left_out(found)
    if not len(found.pictures):
        raise DataError(f"{text} holds no pictures.")
    return found


def _column(args: argparse.Namespace, data: PictureSet) -> Any:
    """Whether each picture has the attribute, bool (N,). Raises DataError where there is no such attribute or class."""
    names = {name.casefold(): index for index, name in enumerate(data.attribute_names)}
    classes = {name.casefold(): index for index, name in enumerate(data.classes)}
    wanted = args.attribute.casefold()
    if data.attributes is not None and wanted in names:
        return data.attributes[:, names[wanted]] > 0
    if data.labels is not None and wanted in classes:
        return data.labels == classes[wanted]
    there = [*data.attribute_names, *data.classes]
    told = ", ".join(there[:12]) + (", …" if len(there) > 12 else "")
    raise DataError(f"{args.data} has no attribute {args.attribute!r}: it has {told or 'none; give --attributes a table'}.")


def _by_label(
    args: argparse.Namespace, flow: Any, model: str, data: PictureSet, column: Any, without: list[Direction]
) -> list[Direction]:
    import numpy as np

    from flowcore.latents.directions.making import from_labels

    count = min(len(data), args.count)
    order = np.random.default_rng(args.seed).permutation(count)
    held = np.zeros(count, bool)
    held[order[: max(2, int(HELD_SHARE * count))]] = True
    name = args.name or args.attribute
    with TerminalProgress(f"Encoding {args.data}", count, "pictures") as progress:
        return from_labels(
            flow, data.pictures[:count], column[:count], [name], held, model=model, levels=args.levels, without=without,
            labels=_classes(flow, data, count), made={"attribute": args.attribute, "data": data.name},
            on_progress=lambda done, _all: progress.update(done),
        )  # fmt: skip


def _classes(flow: Any, data: PictureSet, count: int) -> Any:
    """The data's own classes where a conditional flow has as many; else each picture is taken under its likeliest."""
    if not flow.num_classes or data.labels is None or len(data.classes) != flow.num_classes:
        return None
    return data.labels[:count]


def _latents(args: argparse.Namespace, flow: Any, data: PictureSet, what: str) -> Any:
    """z of a set's pictures, those without any left out; (N, D)."""
    import numpy as np

    from flowcore.latents.directions.making import latents

    count = min(len(data), args.count, KEPT_MAX)
    with TerminalProgress(f"Encoding {what}", count, "pictures") as progress:
        parts = latents(flow, data.pictures[:count], _classes(flow, data, count), on_progress=lambda n, _all: progress.update(n))
        z = np.concatenate([z for _, z in parts])
    return z[np.isfinite(z).all(1)]


def _by_sets(
    args: argparse.Namespace, flow: Any, model: str, sets: list[PictureSet], without: list[Direction]
) -> Direction:
    from flowcore.latents.directions.making import of_sets

    more, less = (_latents(args, flow, data, text) for data, text in zip(sets, (args.more, args.less), strict=True))
    made = {"by": "folders", "data": f"{sets[0].name} and {sets[1].name}"}
    return of_sets(flow, more, less, args.name or sets[0].name, model=model, levels=args.levels, without=without, made=made)


def _by_axes(
    args: argparse.Namespace, flow: Any, model: str, data: PictureSet, without: list[Direction]
) -> list[Direction]:
    from flowcore.latents.directions.making import axes_of

    z = _latents(args, flow, data, args.data)
    made = axes_of(flow, z, args.pca, args.name or data.name, model=model, levels=args.levels, without=without,
                   made={"data": data.name})  # fmt: skip
    if len(made) < args.pca:
        say(f"flow-explorer: these {len(z)} pictures have {len(made)} axes along which they vary, so fewer files are written.")
    return made


# show


def _figures(direction: Direction) -> dict[str, Any]:
    from flowcore.latents.directions.files import card_of

    return {**card_of(direction), "levels": [level + 1 for level in direction.levels]}


def in_words(direction: Direction) -> str:
    """The quality, in one sentence."""
    quality = direction.quality
    if quality is None:
        return "Too few pictures to hold any out, so how good it is is not known."
    score = f"{100 * quality.score:.0f} %"
    if quality.how == "variance":
        return f"It carries {100 * quality.score:.1f} % of the variation of {quality.more:,} held-out pictures."
    if quality.how == "own variance":
        return f"It carries {100 * quality.score:.1f} % of the variation of its own {quality.more:,} pictures; none was held out."
    pictures = f"{quality.more:,} with and {quality.less:,} without"
    if quality.low <= 0.5:
        return f"On held-out pictures ({pictures}) it is not shown to be better than chance ({score} of pairs in order)."
    return f"It tells {score} of held-out pairs apart ({100 * quality.low:.0f} to {100 * quality.high:.0f} %, {pictures})."


def _show(args: argparse.Namespace) -> int:
    from flowcore.latents.directions.files import load_direction

    direction = load_direction(Path(args.file).expanduser())
    fits = None
    if args.model is not None:
        from flowcore.latents.directions.files import fingerprint

        fits = fingerprint(load_model(open_card(args)[0], "cpu")) == direction.fingerprint
    if args.json:
        print_json({"file": args.file, **_figures(direction), **({} if fits is None else {"fits": fits})})
        return 0
    levels = ", ".join(str(level + 1) for level in direction.levels)
    print_text(f"{direction.name}, a direction of {direction.model or 'an unknown model'}, levels {levels}")
    print_text(f"One standard deviation is {direction.deviation:.3f}. {in_words(direction)}")
    made = direction.made
    print_text(f"Made by {made.get('by', 'unknown means')} from {made.get('more', '?')} and {made.get('less', '?')} pictures.")
    if fits is not None:
        print_text("It is a direction of this model." if fits else "It is not a direction of this model.")
    return 0


# apply


def _apply(args: argparse.Namespace) -> int:
    import numpy as np

    from flowcore.latents.directions.files import load_direction

    directions = [load_direction(Path(file).expanduser()) for file in args.direction]
    without = [load_direction(Path(file).expanduser()) for file in args.orthogonal_to]
    amounts = args.amount * len(directions) if len(args.amount) == 1 else args.amount
    if len(amounts) != len(directions):
        raise ConfigError(f"There are {len(directions)} directions and {len(amounts)} amounts: give one each, or one for all.")
    if args.model is None:
        args.model = directions[0].model
        if args.model not in assets.model_names():
            named = args.model or "unknown"
            raise ConfigError(f"The direction's model ({named}) is not a bundled one: give --model its checkpoint.")
    path, card = open_card(args)
    targets = picture_files(args.out, args.images, (path, *args.images))
    pictures = read_as_seen(args.images, card, path, args)

    from flow_explorer.cli.device import choose_device, run_on

    def work(where: str) -> list[dict[str, Any]]:
        from flowcore.latents.directions.directions import displacement, standard_step, unit
        from flowcore.latents.directions.files import check, fingerprint
        from flowcore.latents.directions.making import bounds_of
        from flowcore.model.codec import class_log_probs, decode_picture, encode_picture, label_tensor
        from flowcore.model.labels import single

        flow = load_model(path, where)
        mark = fingerprint(flow)
        for direction in (*directions, *without):
            check(direction, flow, mark)
        bounds = bounds_of(flow)
        steps = [(standard_step(each, bounds, args.levels, without), amount)
                 for each, amount in zip(directions, amounts, strict=True)]  # fmt: skip
        move = displacement(steps, flow.num_dims)
        done = []
        with TerminalProgress("Moving", len(pictures), "pictures") as progress:
            for picture in pictures:
                label = [single(int(class_log_probs(flow, picture).argmax()))] if flow.num_classes else [()]
                tensor = label_tensor(flow, label)
                z = encode_picture(flow, picture, tensor).z
                moved = picture if not move.any() else decode_picture(flow, (z + move).astype(z.dtype), tensor)
                stands = [float(unit(each.vector) @ (z + step).astype(np.float64)) / each.deviation
                          for step in (0.0, move) for each in directions]  # fmt: skip
                done.append({"picture": moved, "before": stands[: len(directions)], "after": stands[len(directions) :]})
                progress.update(len(done))
        return done

    done = run_on(choose_device(args.device, exact=True), work)
    from flowcore.pictures import images

    rows = []
    for image, result, target in zip(args.images, done, targets, strict=True):
        target.write_bytes(images.to_png_bytes(result["picture"]))
        rows.append({"file": image, "out": os.fspath(target.path),
                     "moves": [{"direction": each.name, "amount": amount, "before": before, "after": after}
                               for each, amount, before, after in zip(directions, amounts, result["before"], result["after"],
                                                                      strict=True)]})  # fmt: skip
    if args.json:
        print_json(rows)
    else:
        say(f"{len(rows)} pictures moved into {args.out}.")
    return 0

