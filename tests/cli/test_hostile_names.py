"""Names from anywhere in what a command says: one sentence, one line, and nothing that acts on the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from flow_explorer import assets
from flow_explorer.terminal.output import OutputError
from flow_explorer.terminal.progress import TerminalProgress
from flowcore.model.checkpoint import update_card

EVIL = "a\x1b[2J\x07b\u202ec\x9b31m\nd\re"


def is_harmless(text: str) -> bool:
    """Whether nothing in it acts on a terminal but the ends of its lines."""
    kinds = {unicodedata.category(sign) for sign in text.replace("\n", "")}
    return not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_file_names_reach_the_terminal_without_their_escapes(cli, refused, model, image, tmp_path):
    picture = tmp_path / f"{EVIL}.png"
    picture.write_bytes(image.read_bytes())
    folder = tmp_path / f"data{EVIL}"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}{EVIL}.png").write_bytes(image.read_bytes())
    (folder / f"broken{EVIL}.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    for ran in (cli("score", picture, "--model", model), cli("layers", picture, "--model", model), cli("data", folder),
                cli("map", "--data", folder, "--model", model, "--out", tmp_path / f"{EVIL}.csv"),
                cli("encode", picture, "--model", model, "--out", tmp_path / f"{EVIL}.safetensors")):  # fmt: skip
        assert ran.code == 0, ran.err
        assert is_harmless(ran.out) and is_harmless(ran.err), ran
        assert r"\x1b[2J" in ran.out + ran.err
    for arguments in (["score", f"{tmp_path}/none{EVIL}", "--model", model], ["sample", "--model", f"x{EVIL}", "--out", "a.png"],
                      ["sample", f"--{EVIL}"], [EVIL], ["data", f"no{EVIL}."]):  # fmt: skip
        assert is_harmless(refused(*arguments))


def test_card_names_reach_the_terminal_without_their_escapes(cli, model, tmp_path, monkeypatch):
    folder = tmp_path / "assets" / "models"
    folder.mkdir(parents=True)
    path = folder / "blobs.safetensors"
    path.write_bytes(model.read_bytes())
    update_card(path, name=EVIL, title=EVIL, system=EVIL, data={"name": EVIL * 300, "licence": EVIL})
    monkeypatch.setattr(assets, "root", lambda: tmp_path / "assets")
    for arguments in (["models"], ["sample", "--count", 1, "--out", tmp_path / "a.png"]):
        ran = cli(*arguments)
        assert ran.code == 0 and is_harmless(ran.out) and is_harmless(ran.err)
        assert max(map(len, (ran.out + ran.err).splitlines())) < 2000
    assert cli("models", "--json").json[0]["data"] == EVIL * 300


def test_a_message_of_many_lines_is_one_sentence(refused, monkeypatch, model, tmp_path):
    def fails(*_: object) -> None:
        raise OutputError("First line\n" + "second line\n" * 1000 + "last line.")

    monkeypatch.setattr("flow_explorer.cli.sample.load_model", fails)
    sentence = refused("sample", "--model", model, "--out", tmp_path / "a.png", "--device", "cpu")
    assert len(sentence) <= 300 and sentence.startswith("flow-explorer: First line second") and sentence.endswith("last line.")


def test_progress_takes_brackets_for_what_they_are(capsys, monkeypatch):
    """In a terminal a bar is drawn by rich, which has a markup of its own."""
    monkeypatch.setattr("flow_explorer.terminal.progress.BAR_AFTER_SECONDS", -1.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with TerminalProgress(f"Reading [/b][red]{EVIL}", 10) as progress:
        progress.update(3, "[/no]")
        assert progress.title == r"Reading [/b][red]a\x1b[2J\x07b\u202ec\x9b31m d e"
        assert progress._bar.tasks[0].description == progress.title


def test_a_formula_warns_of_nothing(tmp_path):
    """Python takes `1if x` for a slip, and says so on stderr."""
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "app"), str(root)]), "PYTHONWARNINGS": "always"}
    code = (
        "from flowcore.plane.targets.formula import evaluate, parse; import numpy as np\n"
        "found = evaluate(parse('1if x>0 else 2'), np.array([-1.0, 1.0]), np.zeros(2))\n"
        "assert found.tolist() == [2.0, 1.0], found"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
