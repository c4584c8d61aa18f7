"""20,000 files that are nearly right for every reader, and every bomb: in process, and through the command line in 6 GB."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowcore.one_line import LIMIT
from tests.fuzz.bombs import bombs
from tests.fuzz.harness import Target, answer, fuzz, quick_folder, seed_of_the_day
from tests.fuzz.targets import all_targets

COUNT = int(os.environ.get("FLOW_EXPLORER_FUZZ_COUNT", "20000"))
TARGETS = {target.name: target for target in all_targets()}
COMMANDS = {
    "checkpoint": ["sample", "--model", "{file}", "--out", "{out}"],
    "latent": ["decode", "{file}", "--model", "mnist", "--out", "{out}"],
    "arrays-npz": ["data", "{file}"], "array-npy": ["data", "{file}"], "zip": ["data", "{file}"],
    "picture-png": ["encode", "{file}", "--model", "mnist", "--out", "{out}"],
}  # fmt: skip
"""How a reader is asked on the command line."""


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.timeout(7200)
def test_a_damaged_file_is_answered_in_a_sentence(target: Target, tmp_path: Path):
    with quick_folder() as folder:
        refused, slowest = fuzz(target, COUNT, folder, keep=tmp_path)
    print(f"{target.name}: {COUNT} of seed {seed_of_the_day()}, {refused} refused, the slowest {slowest:.2f} s")
    assert refused > 0 or target.bears_all


@pytest.mark.timeout(1800)
def test_every_bomb_is_answered():
    odd = []
    for reader, name, data in bombs():
        with quick_folder() as folder:
            try:
                answer(TARGETS[reader], data, folder)
            except BaseException as error:
                odd.append(f"{reader}, {name}: {type(error).__name__}: {error!s:.300}")
    assert not odd, "\n".join(odd)


@pytest.mark.skipif(sys.platform != "linux", reason="the shell's limit of memory is Linux's")
@pytest.mark.timeout(7200)
def test_the_command_line_answers_every_bomb_in_six_gigabytes():
    odd = []
    for reader, name, data in bombs():
        if reader not in COMMANDS:
            continue
        with quick_folder() as folder:
            file, out = folder / f"bomb{TARGETS[reader].suffix}", folder / "out"
            file.write_bytes(data)
            words = [word.format(file=file, out=out) for word in COMMANDS[reader]]
            start = time.monotonic()
            limited = ["bash", "-c", 'ulimit -v 6000000; exec "$@"', "bash", sys.executable, "-m", "flow_explorer"]
            done = subprocess.run([*limited, *words], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
            said = done.stderr.strip().splitlines()
            sentence = len(said) == 1 and len(said[0]) <= LIMIT + 40 and said[0].isprintable()
            if done.returncode != 2 or not sentence or out.exists():
                took = time.monotonic() - start
                odd.append(f"{reader}, {name}: exit {done.returncode} after {took:.1f} s: {done.stderr[-300:]}")
    assert not odd, "\n".join(odd)
