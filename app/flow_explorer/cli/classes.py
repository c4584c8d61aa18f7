"""Classes on the command line: --class of a conditional model, --conditional of a training, the classes of data."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_explorer.terminal.output import say
from flowcore.errors import ConfigError, DataError
from flowcore.model.card import class_names
from flowcore.model.labels import Label, describe, find_class, single

if TYPE_CHECKING:
    import numpy as np

    from flowcore.training import TrainConfig

__all__ = ["add_class", "chosen", "chosen_ends", "conditional_options", "cycled", "labels_of", "likeliest",
           "names_to_learn", "needed", "refuse_unlabelled", "said"]  # fmt: skip


def add_class(parser: argparse.ArgumentParser, help_text: str, twice: bool = False) -> None:
    """--class, read into `args.class_name`: a text, or a list of them where it may be given `twice`."""
    parser.add_argument(
        "--class",
        dest="class_name",
        metavar="NAME",
        action="append" if twice else "store",
        help=f"of a conditional model, a class by its name or number: {help_text}",
    )


def chosen(text: str | None, path: Path, card: Mapping[str, Any]) -> Label:
    """The class that --class names; () where it is not given. Raises ConfigError where the model has no such class."""
    if text is None:
        return ()
    names = class_names(card)
    if not names:
        raise ConfigError(f"--class {text}: {card.get('name') or path.stem} knows no classes, so leave --class away.")
    return single(find_class(text, names))


def chosen_ends(texts: Sequence[str] | None, path: Path, card: Mapping[str, Any]) -> tuple[Label, Label]:
    """The classes of A and B: one --class is for both, two are for A and for B."""
    if texts is not None and len(texts) > 2:
        raise ConfigError(f"A walk has two ends, and --class is given {len(texts)} times: give it once or twice.")
    labels = [chosen(text, path, card) for text in texts or [None]]
    return labels[0], labels[-1]


def cycled(label: Label, first: int, count: int, classes: int) -> list[Label]:
    """The labels of pictures `first` and on: all of one class, or of all classes in turn where none is chosen."""
    if label or not classes:
        return [label] * count
    return [single((first + index) % classes) for index in range(count)]


def likeliest(flow: Any, picture: np.ndarray, label: Label) -> Label:
    """The label, or where none is chosen the class under which the picture is likeliest; () without classes."""
    from flowcore.model.codec import class_log_probs

    return label if label or not flow.num_classes else single(int(class_log_probs(flow, picture).argmax()))


def needed(label: Label, file: str, card: Mapping[str, Any]) -> Label:
    """The label of a latent file. Raises DataError where a conditional model would need one and there is none."""
    names = class_names(card)
    if names and not label:
        raise DataError(f"{file} does not say of which class its z is: give --class, one of {', '.join(names[:12])}.")
    return label


def said(label: Label, card: Mapping[str, Any]) -> dict[str, str]:
    """The class as JSON rows say it; nothing for a model without classes."""
    return {"class": describe(label, class_names(card))} if label else {}


def labels_of(data: Any, card: Mapping[str, Any]) -> np.ndarray | None:
    """A data set's labels as the model numbers its classes: by name, or by number where the data has numbers alone.

    None for a model without classes. Raises DataError where data and model do not fit.
    """
    import numpy as np

    names = class_names(card)
    if not names:
        return None
    if data.labels is None:
        raise DataError(f"This model is conditional on a class, and {data.name} has no classes: sort it into subfolders.")
    if data.classes == names or data.classes == [str(number) for number in range(len(data.classes))]:
        if len(data.classes) > len(names):
            raise DataError(f"{data.name} has {len(data.classes)} classes, and this model knows {len(names)}.")
        return data.labels
    strange = [name for name in data.classes if name not in names]
    if strange:
        raise DataError(f"{data.name} has the class {strange[0]!r}, which this model does not know: {', '.join(names[:12])}.")
    return np.array([names.index(name) for name in data.classes], np.int64)[data.labels]


def names_to_learn(args: argparse.Namespace, data: Any, system: str) -> list[str]:
    """The classes that --conditional makes a new model conditional on; [] without it. Raises ConfigError, DataError."""
    if not args.conditional:
        if args.class_names is not None:
            raise ConfigError("--class-names is for --conditional: give both, or neither.")
        return []
    if system == "nice":
        raise ConfigError("NICE has no conditional prior: choose another --architecture, or leave --conditional away.")
    if data.labels is None or len(data.classes) < 2:
        raise DataError(
            f"{data.name} has no classes to be conditional on: sort the pictures into a subfolder a class, or give data with "
            "labels, or leave --conditional away."
        )
    if args.class_names is None:
        return list(data.classes)
    names = [name.strip() for name in args.class_names.split(",")]
    if len(names) != len(data.classes) or "" in names or len(set(names)) < len(names):
        raise ConfigError(
            f"--class-names needs {len(data.classes)} different names divided by commas, one for each of "
            f"{', '.join(data.classes[:12])}{' …' if len(data.classes) > 12 else ''}."
        )
    return names


def conditional_options(classes: Sequence[str], shape: Sequence[int], system: str) -> dict[str, int]:
    """What makes an architecture of (C, H, W) pictures conditional; nothing without classes.

    The class stands in the prior of the last level, a location and a scale a channel. So there are as many levels as the
    size allows: where the last one is a single place it sees the whole picture, and the class decides what it shows.
    glow-plus has a location and a scale for every place, so a class decides what stands where on any level.
    """
    if not classes:
        return {}
    if system == "glow-plus":
        return {"classes": len(classes)}
    levels = max(1, min((side & -side).bit_length() - 1 for side in shape[1:]))
    last = min(shape[1:]) >> levels
    if last > 2:
        say(
            f"flow-explorer: {shape[2]}×{shape[1]} can be halved {levels} times only, so a class decides little of a picture; "
            f"a --size that is a power of two, such as {1 << (min(shape[1:]).bit_length() - 1)}, lets it decide more."
        )
    return {"classes": len(classes), "levels": levels}


def refuse_unlabelled(args: argparse.Namespace, held: TrainConfig, data: Any) -> None:
    """Raise, before a run goes on, where its classes and those of the command or the data are not the same."""
    classes = held.architecture.get("classes", 0)
    if args.conditional and not classes:
        raise ConfigError(f"The run in {args.out} is not conditional, so it cannot go on with --conditional.")
    if classes and (data.labels is None or len(data.classes) != classes):
        count = 0 if data.labels is None else len(data.classes)
        raise DataError(f"The run in {args.out} is conditional on {classes} classes, and {data.name} has {count}.")
