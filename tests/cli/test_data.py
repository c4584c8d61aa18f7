"""`flow-explorer data`, and what train and evaluate ask of data, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowcore.data.datasets import open_dataset
from flowcore.model.card import read_card

TINY = ("--preset", "tiny", "--steps", 2, "--batch", 4, "--device", "cpu")


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Forty pictures in two classes, wide and transparent ones among them, and two that are none."""
    root = tmp_path / "mixed"
    for kind, start in (("cats", 0), ("dogs", 100)):
        (root / kind).mkdir(parents=True)
        for index in range(20):
            rng = np.random.default_rng(start + index)
            image = Image.fromarray(rng.integers(0, 256, (12, 16 + index % 3, 3), np.uint8))
            if index % 2:
                image.putalpha(100)
                image.save(root / kind / f"{index:02}.png")
            else:
                image.save(root / kind / f"{index:02}.jpg")
    (root / "cats" / "words.png").write_text("words")
    (root / "dogs" / "cut.jpg").write_bytes((root / "dogs" / "00.jpg").read_bytes()[:300])
    return root


def test_what_is_found_is_told(cli, mixed) -> None:
    ran = cli("data", mixed, "--size", 16, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["count"] == 40 and ran.json["classes"] == {"cats": 20, "dogs": 20}
    assert [row["name"] for row in ran.json["left_out"]] == ["cats/words.png", "dogs/cut.jpg"]
    assert ran.json["memory"] == 40 * 16 * 16 * 3 and ran.json["kind"] == "folder"
    text = cli("data", mixed)
    assert text.code == 0
    for words in ("40 pictures", "20 JPEG", "20 transparent", "2 left out", "cats/words.png", "dogs/cut.jpg", "16×12"):
        assert words in text.out, words


def test_what_cannot_be_looked_at_is_a_sentence(refused, tmp_path, mixed) -> None:
    assert "no data" in refused("data", tmp_path / "none")
    assert "none.csv" in refused("data", mixed, "--attributes", tmp_path / "none.csv")
    assert "table" in refused("data", mixed, "--labels-from", "A")
    assert "no background" in refused("train", "--data", mixed, "--out", tmp_path / "run", "--background", "puce")


def test_a_run_remembers_how_its_pictures_were_read(cli, refused, mixed, tmp_path) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    common = ("train", "--data", mixed, "--size", 16, *TINY)
    chosen = ("--fit", "pad", "--background", "checker", "--channels", "grey", "--min-size", 9)
    ran = cli(*common, *chosen, "--out", run)
    assert ran.code == 0, ran.err
    assert "cats/words.png is left out" in ran.err
    config = json.loads((run / "config.json").read_text())
    assert config["architecture"]["shape"] == [1, 16, 16]
    reading = {"channels": 1, "background": "checker", "fit": "pad", "minimum": 9, "crop": None}
    assert config["data"]["reading"] == reading
    card = read_card(run)
    assert card["data"]["reading"] == reading and "checkerboard" in card["data"]["note"]
    # an evaluation reads its pictures in the same way
    row = cli("evaluate", "--model", run, "--data", mixed, "--device", "cpu", "--json").json
    from flowcore.model.checkpoint import load
    from flowcore.model.evaluation import bits_per_dim

    test = open_dataset(mixed, "test", 16, 1, fit="pad", background="checker", minimum=9)
    assert row["bpd"] == pytest.approx(bits_per_dim(load(run / "best.safetensors").flow, test.pictures).bpd, rel=1e-6)
    # and so does a run that goes on, which other wishes contradict
    more = cli(*common, "--resume", "--out", run, "--steps", 3, "--fit", "pad")
    assert more.code == 0 and json.loads((run / "config.json").read_text())["data"]["reading"] == reading
    assert "--fit (pad)" in refused(*common, "--resume", "--out", run, "--fit", "crop")
    assert "--background (checker)" in refused(*common, "--resume", "--out", run, "--background", "black")
    assert cli(*common, "--out", other).code == 0
    assert json.loads((other / "config.json").read_text())["data"].get("note") is None


def test_streamed_and_held_runs_are_the_same(cli, mixed, tmp_path) -> None:
    rows = []
    for name, memory in (("held", 10), ("streamed", 0)):
        ran = cli("train", "--data", mixed, "--size", 8, *TINY, "--out", tmp_path / name, "--data-memory", memory, "--json")
        assert ran.code == 0, ran.err
        assert ("decoded while training" in ran.err) == (name == "streamed")
        assert "cats/words.png is left out" in ran.err
        rows.append((ran.json["bpd"], ran.json["held_out_bpd"]))
        seen = cli("evaluate", "--model", tmp_path / "held", "--data", mixed, "--split", "train", "--data-memory", memory,
                   "--device", "cpu", "--json").json  # fmt: skip
        rows[-1] += (seen["bpd"], seen["count"])
    assert rows[0] == rows[1]


def test_classes_come_from_a_column(cli, refused, mixed, tmp_path) -> None:
    names = sorted(path.relative_to(mixed).as_posix() for path in mixed.rglob("*.*"))
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["file,Loud,size", *(f"{name},{i % 2},{('s', 'm', 'l')[i % 3]}" for i, name in enumerate(names))]))
    run = tmp_path / "run"
    common = ("train", "--data", mixed, "--size", 8, *TINY, "--out", run)
    ran = cli(*common, "--attributes", table, "--labels-from", "size", "--conditional")
    assert ran.code == 0, ran.err
    config = json.loads((run / "config.json").read_text())
    assert config["classes"] == ["l", "m", "s"] and config["data"]["labels_from"] == "size"
    found = cli("data", mixed, "--attributes", table, "--labels-from", "size", "--json").json
    assert set(found["classes"]) == {"s", "m", "l"} and found["attributes"]["Loud"] > 0
    assert "table" in refused(*common, "--resume", "--steps", 3)
    assert cli(*common, "--resume", "--steps", 3, "--attributes", table).code == 0
    ran = cli("evaluate", "--model", run, "--data", mixed, "--attributes", table, "--device", "cpu", "--json")
    assert ran.code == 0 and ran.json["count"] == 2
