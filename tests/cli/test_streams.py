"""Streams that are closed, broken or full, and names that a terminal would obey."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowcore.one_line import one_line
from tests.cli.conftest import picture

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes the streams")


def shell(line: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A line of bash in which "$@" stands for flow-explorer and these arguments."""
    command = [sys.executable, "-m", "flow_explorer", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "app"), str(ROOT)])}
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}", "bash", *command], capture_output=True, text=True, timeout=120,
        env=environment, cwd=ROOT,
    )  # fmt: skip


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_keeps_no_command_from_its_work(model: Path, tmp_path: Path, closed: str) -> None:
    out = tmp_path / "page.png"
    ran = shell(f'"$@" {closed}', "sample", "--model", model, "--count", 4, "--out", out)
    assert ran.returncode == 0 and out.stat().st_size > 100, ran
    assert ran.stderr == "" or "2>&-" not in closed
    assert out.read_bytes().startswith(b"\x89PNG")
    assert shell(f'"$@" {closed}', "--version").returncode == 0


def test_a_reader_of_words_that_leaves_stops_nothing(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.png"
    (tmp_path / "bad.png").write_text("no picture")
    ran = shell('"$@" 2> >(exec >&- <&-)', "sample", "--model", model, "--count", 4, "--out", out)
    assert ran.returncode == 0 and out.exists()
    ran = shell('{ "$@"; echo $? >&2; } | true', "data", tmp_path, "--json")
    assert ran.stderr.strip() in ("0", "141", "2") or ran.stderr.strip().endswith("2")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_disk_under_stdout_is_said(model: Path) -> None:
    ran = shell('"$@" > /dev/full', "models", "--json")
    assert ran.returncode == 2 and "No space left" in ran.stderr and ran.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["\x1b[31mred.png", "two\nlines.png", "bell\a\r.png", "e\x9b31m.png"])
def test_names_do_not_steer_the_terminal(cli, refused, model: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("no picture")
    sentence = refused("score", tmp_path / name, "--model", model)
    assert sentence.isprintable()
    ran = cli("data", tmp_path)
    assert ran.out.count("\n") == 4 and all(line.isprintable() for line in ran.out.split("\n"))


def test_sentences_are_short(refused, model: Path, tmp_path: Path) -> None:
    assert len(one_line("x" * 5000)) <= 300 and one_line("a\nb") == "a b"
    assert len(refused("score", tmp_path / ("long" * 60), "--model", model)) <= 300
    assert len(refused("toy", "--formula", "x" * 9000)) <= 300
    assert len(refused("y" * 9000)) <= 300


@pytest.mark.skipif(os.fsencode("\udce9") != b"\xe9", reason="names are Unicode on this system")
def test_names_that_are_not_unicode_go_through_every_command(cli, model: Path, tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "im\udce4ges"
    for kind in ("caf\udce9", "th\udce9"):
        (folder / kind).mkdir(parents=True)
        for seed in range(12):
            Image.fromarray(picture(seed)).save(os.fsencode(folder / kind / f"\udcfcber {seed}.png"), "PNG")
        (folder / kind / "br\udcf6ken.png").write_text("no picture")
    ran = cli("data", folder, "--json")
    assert ran.code == 0 and set(ran.json["classes"]) == {"caf\udce9", "th\udce9"}
    assert cli("data", folder).code == 0
    for suffix in ("json", "csv", "png"):
        out = tmp_path / f"m\udce4p.{suffix}"
        ran = cli("map", "--data", folder, "--model", model, "--out", out)
        assert ran.code == 0 and out.exists(), ran
    assert len(json.loads((tmp_path / "m\udce4p.json").read_text("utf-8"))["pictures"]) == 24
    assert len(list(csv.reader((tmp_path / "m\udce4p.csv").read_text("utf-8").splitlines()))) == 25
    for memory in ("1", "0"):
        run = tmp_path / f"run {memory}"
        ran = cli("train", "--data", folder, "--out", run, "--architecture", "glow", "--preset", "tiny", "--steps", 2,
                  "--size", 16, "--batch", 4, "--conditional", "--data-memory", memory, "--workers", 1, "--json")  # fmt: skip
        assert ran.code == 0, ran
        assert cli("score", folder / "caf\udce9" / "\udcfcber 0.png", "--model", run / "last.safetensors", "--json").code == 0
        assert cli("evaluate", "--data", folder, "--model", run / "last.safetensors", "--json").code == 0
    assert cli("train", "--resume", "--data", folder, "--out", run, "--steps", 4, "--conditional").code in (0, 2)
