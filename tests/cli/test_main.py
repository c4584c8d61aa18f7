"""How the command line ends: exit codes, interruption, a reader that goes away, terminals that know no Chinese."""

from __future__ import annotations

import errno
import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import flow_explorer
import flowcore
from flow_explorer import assets
from flow_explorer.cli import main
from flowcore.errors import CheckpointError

ROOT = Path(__file__).resolve().parents[2]

COMMANDS = [
    "models", "sample", "encode", "decode", "interpolate", "translate", "direction", "map", "layers", "score", "train",
    "train-pair", "evaluate", "data", "toy",
]  # fmt: skip


def spawn(*arguments: object, **options: Any) -> subprocess.Popen:
    command = [sys.executable, "-m", "flow_explorer", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_help_names_every_command(cli):
    ran = cli("--help")
    assert ran.code == 0
    for command in COMMANDS:
        assert re.search(rf"^ +{command} ", ran.out, re.MULTILINE), command
        assert cli(command, "--help").code == 0


def test_version(cli):
    assert cli("--version").out == f"flow-explorer {flow_explorer.__version__}\n"


def test_the_version_stands_once():
    assert importlib.metadata.version("flow-explorer") == flow_explorer.__version__ == flowcore.__version__
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text()


def test_python_m_app_is_the_command():
    process = spawn("models", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert isinstance(json.loads(out), list)


def test_models_json_tells_what_the_cards_tell(cli, model, tmp_path, monkeypatch):
    folder = tmp_path / "assets" / "models"
    folder.mkdir(parents=True)
    (folder / "blobs.safetensors").write_bytes(model.read_bytes())
    (folder / "faces.safetensors").write_bytes(model.read_bytes())
    monkeypatch.setattr(assets, "root", lambda: tmp_path / "assets")
    rows = cli("models", "--json").json
    assert [row["name"] for row in rows] == ["faces", "blobs"]  # the best-looking one first
    assert rows[0] == {"name": "faces", "system": "glow", "size": [16, 16], "channels": 3, "bpd": None, "temperature": 0.7,
                       "data": "blobs", "licence": "CC0"}  # fmt: skip
    assert cli("models").out.count("\n") == 3
    # A bundled name is enough, and the first is the default.
    for option in ([], ["--model", "blobs"]):
        assert cli("sample", *option, "--count", 1, "--out", tmp_path / "a.png").code == 0


def test_a_run_folder_gives_its_best_checkpoint(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(CheckpointError, match="without a checkpoint"):
        assets.resolve_model(run)
    (run / "last.safetensors").touch()
    assert assets.resolve_model(run).name == "last.safetensors"
    (run / "best.safetensors").touch()
    assert assets.resolve_model(str(run)).name == "best.safetensors"


def test_an_icon_is_found_without_its_suffix():
    assert assets.icon("app").is_file() and assets.icon("app") == assets.icon("app.svg")


def test_an_interrupt_ends_with_130_and_leaves_nothing(cli, model, tmp_path, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flow_explorer.cli.sample.load_model", interrupted)
    ran = cli("sample", "--model", model, "--out", tmp_path / "out.png", "--device", "cpu")
    assert ran.code == 130 and ran.err == "flow-explorer: interrupted.\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing on Windows")
def test_a_real_ctrl_c_ends_with_130_and_leaves_nothing(tmp_path):
    # The largest bundled model: a small one is done with its pictures before the signal comes. A suite that runs in the
    # background of a shell ignores Ctrl-C, and its children would with it.
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    process = spawn("sample", "--model", "faces", "--count", 4_000, "--out", tmp_path / "out.png", **heard)
    # Until torch is loaded and the pages come.
    deadline = time.monotonic() + 60
    while "libtorch_cpu" not in Path(f"/proc/{process.pid}/maps").read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    # A shell sees 130 in both cases: Python ends itself by the signal where it came in the middle of an import.
    assert process.returncode in (130, -signal.SIGINT), err
    assert b"Traceback" not in err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="pipes are another thing on Windows")
def test_a_reader_that_goes_away_is_no_error(model, image):
    process = spawn("score", *[image] * 20, "--model", model, "--json")
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=120) == 141


def test_an_ascii_terminal_still_gets_its_table(model, image, tmp_path):
    name = tmp_path / "图片 1.png"
    name.write_bytes(image.read_bytes())
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    process = spawn("score", name, "--model", model, env=environment)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert b"1.png" in out


def test_a_disk_that_fails_under_way_is_told_in_a_sentence(refused, model, tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error", "somewhere.bin")

    monkeypatch.setattr("flow_explorer.cli.sample.load_model", broken)
    sentence = refused("sample", "--model", model, "--out", tmp_path / "out.png", "--device", "cpu")
    assert sentence == "flow-explorer: somewhere.bin: Input/output error."


def test_a_mistake_of_ours_is_not_dressed_up_as_the_persons(model, tmp_path, monkeypatch):
    monkeypatch.setattr("flow_explorer.cli.sample.load_model", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["sample", "--model", str(model), "--out", str(tmp_path / "out.png"), "--device", "cpu"])


def test_the_window_can_open_with_any_workspace():
    from flow_explorer import workspace
    from flow_explorer.cli import window

    assert tuple(entry.id for entry in workspace.REGISTRY) == window.WORKSPACES
