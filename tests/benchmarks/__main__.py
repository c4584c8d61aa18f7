"""python -m tests.benchmarks [--only GROUP[,GROUP]] [--quick] [--out FOLDER]"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

THREADS = 2
LATE = 16 * 60.0
"""Seconds after which what is left takes fewer rounds, so that the whole run ends within 20 minutes."""
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
warnings.filterwarnings("ignore")

ROOT = Path(__file__).resolve().parents[2]
GROUPS = {
    "glow": "glow_speed",
    "profile": "profile",
    "memory": "glow_memory",
    "likelihood": "likelihood",
    "toy": "toy_speed",
    "learning": "toy_learning",
    "start": "start",
    "cuda": "cuda",
    "growth": "growth",
}
"""Group -> module; every module has ``measure(run) -> Section``."""


class Run:
    """What a group is told about the run it is part of, and how it tells what it does."""

    def __init__(self, quick: bool, folder: Path) -> None:
        self.quick, self.folder, self.threads = quick, folder, THREADS
        self.began = time.perf_counter()
        self.group = ""

    @property
    def hurried(self) -> bool:
        """Whether rounds should be few: asked for, or most of the time for the whole run is spent."""
        return self.quick or time.perf_counter() - self.began > LATE

    def tell(self, words: str) -> None:
        minutes, seconds = divmod(int(time.perf_counter() - self.began), 60)
        print(f"{minutes:3d}:{seconds:02d}  {self.group}: {words}", flush=True)


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help=f"groups to run, of {', '.join(GROUPS)}; written only with --out")
    parser.add_argument("--quick", action="store_true", help="few rounds: rough figures, written only with --out")
    parser.add_argument("--out", type=Path, default=None, help="folder to write to (default: docs)")
    args = parser.parse_args()
    chosen = [name for name in args.only.split(",") if name] or list(GROUPS)
    unknown = [name for name in chosen if name not in GROUPS]
    if unknown:
        parser.error(f"no group is named {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    from . import machine, report

    whole = not args.only and not args.quick
    folder = args.out or ROOT / "docs"
    run = Run(args.quick, folder if whole or args.out else ROOT / "build" / "benchmarks")
    run.folder.mkdir(parents=True, exist_ok=True)
    about = machine.about()
    if (about["load_at_start"] or 0) > 0.7:
        print(f"This machine is busy (load {about['load_at_start']:.1f}): the figures will be of that, too.", file=sys.stderr)
    sections, broken = [], False
    for name in chosen:
        run.group = name
        run.tell("begins")
        began = time.perf_counter()
        try:
            section = importlib.import_module(f".{GROUPS[name]}", __package__).measure(run)
        except Exception as error:  # one group that breaks must not take the figures of the others along
            traceback.print_exc()
            section = report.Section(name, name, failures=[f"the whole group: {error!r}"])
            broken = True
        section.seconds = time.perf_counter() - began
        sections.append(section)
        for failure in section.failures:
            run.tell(f"CHECK FAILED  {failure}")
        for claim in section.claims:
            value = "" if claim.value is None else f" {report.number(claim.value)} {claim.unit}"
            run.tell(f"{claim.work}:{value} {report.verdict(claim)}")
    about["seconds"] = time.perf_counter() - run.began
    if whole or args.out:
        report.write(run.folder, about, sections)
        print(f"Written: {run.folder / 'benchmarks.md'}")
    else:
        print(report.to_markdown(about, sections))
    return int(broken)


if __name__ == "__main__":
    raise SystemExit(main())
