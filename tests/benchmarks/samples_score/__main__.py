"""`make samples-score`: how far samples are from held-out pictures, by two figures that are not bits per dimension.

    python -m tests.benchmarks.samples_score [--models faces,mnist] [--data-folder FOLDER] [--against faces=OLD.safetensors]
    python -m tests.benchmarks.samples_score --models faces --profile "0.35,0.45,0.65,0.75;0.5,0.5,0.7,0.7" --sheets FOLDER

A model is a bundled one by its name, or DATA=PATH: a checkpoint or run folder, held against the data of a bundled one
(faces=runs/faces). The first time, each data set's feature network is trained, some minutes of one thread; it is kept in the
folder of --cache. Bundled models' rows are written to docs/samples-score.json and docs/samples-score.md; rows of other files
are printed, and written only where --out says so. With --temperatures or --profile the scores of several temperatures are
printed and nothing is written but the sheets: they are measured on training pictures, so that the held-out ones choose nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from flow_explorer import assets
from flowcore.errors import ConfigError, DataError, FlowError
from flowcore.model.card import find_checkpoint
from flowcore.pictures import images

from ..measure import ROOT
from ..pictures import data_folder
from .drawing import as_levels, sheet
from .page import put, shown, sweep_table
from .scoring import Budget, Judge, Model, judge, opened, score, sweep
from .subjects import SUBJECTS, Subject


def _opened(given: str) -> Model:
    """A bundled model, a checkpoint or a run folder, by the name that its row has. Raises CheckpointError."""
    path = find_checkpoint(assets.resolve_model(given))
    return opened(path.parent.name if path.stem in ("best", "last") else path.stem, path)


def _pairs(parser: argparse.ArgumentParser, option: str, texts: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """NAME=PATH …; NAME may be left out where there is one name alone."""
    found = {}
    for text in texts:
        name, _, path = text.rpartition("=")
        if not name and len(names) != 1:
            parser.error(f"{option} {text}: say which it belongs to, NAME={path}, with one of {', '.join(names)}")
        if name and name not in names:
            parser.error(f"{option} {text}: there is no {name} here, only {', '.join(names)}")
        found[name or names[0]] = path
    return found


def _temperatures(text: str) -> tuple[float, ...]:
    """An argument type: numbers divided by commas."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers divided by commas") from None
    if not all(0 <= value < 100 for value in found):
        raise argparse.ArgumentTypeError(f"a temperature is a number from 0 on, and {text!r} holds another")
    return found


def _profiles(text: str) -> list[tuple[float, ...]]:
    """An argument type: lists of temperatures divided by semicolons."""
    return [_temperatures(part) for part in text.split(";")]


def _sweep(model: Model, judged: Judge, profiles: Sequence[tuple[float, ...]], sheets: Path | None, tell) -> None:
    """The card's own temperatures come first."""
    levels = len(model.flow.levels)
    listed = list(dict.fromkeys([model.temperatures, *(as_levels(profile, levels) for profile in profiles)]))
    rows = sweep(model, judged, listed, tell)
    print("\n" + sweep_table(model.card.get("title") or model.name, judged.count, rows) + "\n", flush=True)
    if sheets is not None:
        for temperatures in listed:
            _put_sheet(model, temperatures, sheets)


def _put_sheet(model: Model, temperatures: tuple[float, ...], sheets: Path) -> None:
    sheets.mkdir(parents=True, exist_ok=True)
    different = temperatures[:1] if len(set(temperatures)) == 1 else temperatures
    told = "-".join(f"{value:g}" for value in different)
    print(images.save_png(sheets / f"{model.name}-{told}.png", sheet(model.flow, temperatures)), flush=True)


def _measure(text: str, subjects: dict[str, Subject], against: str | None, args: argparse.Namespace) -> None:
    """One of --models, from its file to its row. Raises FlowError."""
    budget = Budget.quick() if args.quick else Budget(count=args.count)
    data, _, given = text.rpartition("=")
    subject = subjects.get(data or given)
    if subject is None:
        raise ConfigError(f"No data are known for it: give DATA={given} with one of {', '.join(subjects)}.")
    model = _opened(given)
    earlier = None if against is None else _opened(against)

    def tell(words: str) -> None:
        print(f"{text}: {words}", flush=True)

    judged = judge(subject, args.data_folder, model, budget, None if args.quick else args.cache, tell)
    if args.temperatures or args.profile:
        profiles = [*((value,) for value in args.temperatures), *args.profile]
        _sweep(model, judged, profiles, args.sheets, tell)
        return
    row = score(model, judged, earlier, tell) | {"date": time.strftime("%Y-%m-%d")}
    if args.sheets is not None:
        _put_sheet(model, model.temperatures, args.sheets)
    if not args.quick and (args.out is not None or given in assets.model_names()):
        put(args.out or ROOT / "docs" / "samples-score.json", row, list(subjects))
    else:
        print(shown(row), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 where every model was left out, or one for another reason than that its data are not at hand."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.samples_score", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    bundled = [name for name in SUBJECTS if name in assets.model_names()]
    parser.add_argument("--models", default=",".join(bundled), metavar="NAME,DATA=PATH", help=f"(default: {','.join(bundled)})")
    parser.add_argument("--data-folder", type=Path, default=data_folder(), help="the folder of data sets (default: %(default)s)")
    parser.add_argument("--data", nargs="*", default=[], metavar="DATA=PATH", help="where a data set is, if not in that folder")
    parser.add_argument("--attributes", nargs="*", default=[], metavar="DATA=FILE", help="a table of its attributes")
    parser.add_argument("--against", nargs="*", default=[], metavar="NAME=PATH", help="an earlier version, measured beside it")
    parser.add_argument("--temperatures", type=_temperatures, default=(), metavar="T,T", help="sweep these")
    parser.add_argument(
        "--profile", type=_profiles, default=(), metavar="T,T,T;T,T,T", help="and these, one a level, finest first"
    )
    parser.add_argument("--sheets", type=Path, metavar="FOLDER", help="write 64 samples at each of the temperatures here")
    parser.add_argument("--count", type=int, default=Budget.count, help="samples a model, at most (default: %(default)s)")
    parser.add_argument("--cache", type=Path, default=ROOT / "runs" / "samples-score", help="(default: runs/samples-score)")
    parser.add_argument("--out", type=Path, help="(and .md beside it; default: docs/samples-score.json)")
    parser.add_argument("--quick", action="store_true", help="a few pictures, to see that it runs; writes nothing")
    args = parser.parse_args(arguments)
    if args.count < 2:
        parser.error("--count: at least 2 samples have a covariance")
    torch.set_num_threads(1)
    texts = [text for text in args.models.split(",") if text]
    against = _pairs(parser, "--against", args.against, texts)
    subjects = dict(SUBJECTS)
    for name, place in _pairs(parser, "--data", args.data, list(SUBJECTS)).items():
        subjects[name] = replace(subjects[name], data=str(Path(place).absolute()), maker="")
    for name, place in _pairs(parser, "--attributes", args.attributes, list(SUBJECTS)).items():
        subjects[name] = replace(subjects[name], attributes=str(Path(place).absolute()))
    missing, broken = 0, 0
    for text in texts:
        try:
            _measure(text, subjects, against.get(text), args)
        except FlowError as error:
            print(f"{text} is left out: {error}", flush=True)
            missing += isinstance(error, DataError)
            broken += not isinstance(error, DataError)
    return int(broken > 0 or missing == len(texts))


if __name__ == "__main__":
    raise SystemExit(main())
