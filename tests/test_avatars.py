"""The avatars' data: each is a function of its number, the table says what is drawn, counterparts differ in one thing."""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowcore.data.attributes import read_attributes
from flowcore.data.datasets import open_dataset

MODELS = Path(__file__).resolve().parents[1] / "assets" / "models"
sys.path.insert(0, str(MODELS))

import data  # noqa: E402
import toon_heads  # noqa: E402

NODE_FOLDER = Path(os.environ.get("AVATARS_NODE") or MODELS / "avatars")
drawn = pytest.mark.skipif(
    shutil.which("node") is None or not (NODE_FOLDER / "node_modules" / "@dicebear" / "toon-head").is_dir(),
    reason="node or the packages of assets/models/avatars/package.json are missing (AVATARS_NODE names their folder)",
)
MANY = range(1000)


def test_an_avatar_is_a_function_of_its_number():
    told = "import toon_heads; print(*(toon_heads.avatar(n).drawing() for n in (0, 7, 39_999, 100_000)), sep='\\n')"
    other = subprocess.run([sys.executable, "-c", told], cwd=MODELS, capture_output=True, text=True, check=True).stdout
    assert other.splitlines() == [toon_heads.avatar(n).drawing() for n in (0, 7, 39_999, 100_000)]
    assert len({toon_heads.avatar(n).drawing() for n in MANY}) == len(MANY)


def test_kinds_come_as_often_as_their_odds_say():
    seen = {part: Counter(toon_heads.kind(n, part) for n in MANY) for part in toon_heads.ODDS}
    for part, odds in toon_heads.ODDS.items():
        assert sum(odds.values()) == pytest.approx(1)
        for kind, share in odds.items():
            # Five standard deviations of a binomial.
            assert seen[part][kind] / len(MANY) == pytest.approx(share, abs=5 * (share * (1 - share) / len(MANY)) ** 0.5)


def test_the_ground_stands_off_from_what_is_before_it_and_nothing_is_cut():
    left, top, side = toon_heads.VIEW
    close = []
    for n in MANY[:500]:
        a = toon_heads.avatar(n)
        lab = {name: np.array(colour) for name, colour in a.colours.items()}
        close.append(min(np.linalg.norm(lab["ground"] - lab[name]) / least for name, least in toon_heads.APART.items()))
        assert close[-1] > 0.4
        assert a.view[1] < 0.5, "the highest bun begins there"
        assert abs(a.view[0] + a.view[2] / 2 - left - side / 2) <= toon_heads.SHIFT * side + 1e-2
    assert np.mean(np.array(close) >= 1) > 0.8


@pytest.mark.parametrize("code", ["000000", "ffffff", "f1c3a5", "2a7f6e", "0000ff"])
def test_colours_come_back_from_oklab(code):
    assert toon_heads.hexadecimal(toon_heads.oklab(code)) == code


def test_oklab_is_ottossons():
    assert toon_heads.oklab("ffffff") == pytest.approx((1, 0, 0), abs=1e-4)
    assert toon_heads.oklab("ff0000") == pytest.approx((0.627955, 0.224863, 0.125846), abs=1e-4)


def test_splits_share_no_number():
    splits = toon_heads.numbers()
    assert {name: len(found) for name, found in splits.items()} == {"train": 39_000, "validation": 1_000, "test": 2_000}
    assert len(set().union(*splits.values())) == 42_000 and min(splits["test"]) == 100_000


def test_the_table_says_what_is_drawn_and_is_found_by_the_picture(tmp_path):
    splits = {"train": [0, 1, 2, 3, 40], "validation": [39], "test": [100_000, 100_007]}
    toon_heads.write_table(tmp_path / "a.csv", splits)
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        rows = {row["picture"]: row for row in csv.DictReader(file)}
    assert list(rows) == [*(f"train {row}" for row in range(5)), "validation 0", "test 0", "test 1"]
    for split, found in splits.items():
        for row, number in enumerate(found):
            a, told = toon_heads.avatar(number), rows[f"{split} {row}"]
            assert int(told["number"]) == number and all(told[part] == kind for part, kind in a.parts.items())
            assert told["ground colour"] == toon_heads.hexadecimal(a.colours["ground"]) and f"{a.tone:.4f}" == told["tone"]
            assert (told["Smile"] == "1") == (told["mouth"] == "smile") and (told["Beard"] == "-1") == (told["beard"] == "none")
            assert (told["Long hair"] == "1") == told["rearHair"].startswith("long")
    pictures: dict[str, Any] = {f"x_{name}": np.zeros((len(found), 8, 8, 3), np.uint8) for name, found in splits.items()}
    np.savez(tmp_path / "a.npz", **pictures)
    opened = open_dataset(tmp_path / "a.npz", split="test", attributes=tmp_path / "a.csv")
    assert opened.attributes.shape[0] == 2 and set(toon_heads.ATTRIBUTES) <= set(opened.attribute_names)
    beard = opened.attributes[:, opened.attribute_names.index("Beard")] > 0
    assert beard.tolist() == [toon_heads.avatar(n).parts["beard"] != "none" for n in splits["test"]]
    assert read_attributes(tmp_path / "a.csv").classes_from("mouth")[0]


def test_every_attribute_is_there_and_absent_often_enough():
    found = [toon_heads.avatar(n) for n in MANY]
    for name, has in toon_heads.ATTRIBUTES.items():
        assert 0.05 < np.mean([has(a) for a in found]) < 0.95, name


@pytest.mark.parametrize("name", toon_heads.CHANGES)
def test_counterparts_differ_in_nothing_else(name):
    numbers, before, after = toon_heads.counterparts(name, toon_heads.TEST, 50)
    part = "beard" if name == "beard" else {"smile": "mouth", "wink": "eyes"}.get(name, name)
    for number, a, b in zip(numbers, before, after, strict=True):
        assert a == toon_heads.avatar(number) and a.view == b.view
        if name == "skin":
            assert a.parts == b.parts and a.tone < toon_heads.DARK <= b.tone
            assert {key for key in a.colours if a.colours[key] != b.colours[key]} == {"skin"}
        else:
            assert a.colours == b.colours and a.tone == b.tone
            assert {key for key in a.parts if a.parts[key] != b.parts[key]} == {part}
    with pytest.raises(SystemExit, match="have a counterpart"):
        toon_heads.counterparts(name, range(100_000, 100_003), 4)


def test_what_is_missing_is_said_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="drawn by node"):
        toon_heads.draw(tmp_path, [toon_heads.avatar(0)])


def test_the_card_gives_credit_whatever_the_run_said():
    run = {"name": "avatars.npz", "licence": "", "credit": "", "reading": {"channels": 3}}
    card = data.card_of_data("avatars", run)
    assert card["licence"] == "CC BY 4.0" and "Johan Melin" in card["credit"] and card["reading"] == {"channels": 3}
    splits = toon_heads.numbers()
    assert all(f"{len(found):,}" in card["name"] for found in splits.values())
    assert data.card_of_data("avatars", run, about="Heads")["name"] == "Heads"
    assert data.card_of_data("own", run, note="Small.") == {**run, "note": "Small."}


def test_directions_are_made_from_what_the_table_says(tmp_path):
    from flowcore.model.systems import build

    spec = importlib.util.spec_from_file_location("make_directions", MODELS.parent / "directions" / "make.py")
    assert spec is not None and spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = make
    spec.loader.exec_module(make)
    splits = {"train": list(range(80)), "validation": [39], "test": list(range(100_000, 100_040))}
    toon_heads.write_table(tmp_path / "avatars.csv", splits)

    def picture(number):
        seen = np.random.default_rng(number).integers(100, 156, (8, 8, 3), np.uint8)
        seen[:4] -= round(80 * toon_heads.avatar(number).tone)
        return seen

    arrays: dict[str, Any] = {f"x_{name}": np.stack([picture(n) for n in found]) for name, found in splits.items()}
    np.savez(tmp_path / "avatars.npz", **arrays)
    found = make.avatars(tmp_path, 8)
    assert found.names == list(make.AVATARS) and len(found.names) == 8 and found.held.sum() == 40
    everyone = [toon_heads.avatar(n) for n in (*splits["train"], *splits["test"])]
    smile = [a.parts["mouth"] for a in everyone]
    assert found.attributes[:, 0].tolist() == [mouth == "smile" for mouth in smile]
    assert found.counted[:, 0].tolist() == [mouth in ("smile", "sad", "angry") for mouth in smile]
    # A flow that bends nothing: the skin of these pictures is a direction, and held-out ones are told apart by it.
    flow = build({"system": "nice", "shape": [3, 8, 8], "depth": 2, "width": 8, "hidden": 1}).eval()
    flow.initialised_flag.fill_(True)
    dark = {direction.name: direction for direction in make.make("avatars", flow, found)}["Dark skin"]
    assert dark.quality.score > 0.9 and make.ships(dark)
    with pytest.raises(SystemExit, match="8 pixels wide, the model's 64"):
        make.avatars(tmp_path, 64)


@drawn
def test_the_same_number_gives_the_same_bytes():
    numbers = [0, 5, 100_000]
    first = toon_heads.draw(NODE_FOLDER, [toon_heads.avatar(n) for n in numbers])
    again = toon_heads.draw(NODE_FOLDER, [toon_heads.avatar(n) for n in reversed(numbers)])[::-1]
    assert first.shape == (3, 64, 64, 3) and first.dtype == np.uint8
    assert np.array_equal(first, again) and not np.array_equal(first[0], first[1])
    # The corner is ground: nothing of a head reaches it.
    for number, picture in zip(numbers, first, strict=True):
        code = toon_heads.hexadecimal(toon_heads.avatar(number).colours["ground"])
        assert picture[0, 0].tolist() == list(bytes.fromhex(code))


@drawn
def test_each_change_is_seen_where_it_is():
    rows = {"smile": slice(38, 54), "beard": slice(28, 64), "wink": slice(26, 46)}
    found = toon_heads.pairs(NODE_FOLDER, 64, count=3, held_count=1)
    for name in toon_heads.CHANGES:
        before, after = (found[f"{name}_{side}"].astype(int) for side in ("from", "to"))
        assert before.shape == (3, 64, 64, 3) and found[f"{name}_held_from"].shape == (1, 64, 64, 3)
        changed = np.abs(after - before).max(3) > 8
        assert changed.any((1, 2)).all(), name
        if name in rows:
            changed[:, rows[name]] = False
            assert not changed.any(), name


@drawn
def test_every_kind_of_a_part_is_drawn_as_itself():
    a = toon_heads.avatar(0)
    for part, odds in toon_heads.ODDS.items():
        pictures = toon_heads.draw(NODE_FOLDER, [toon_heads.replace(a, parts={**a.parts, part: kind}) for kind in odds])
        assert len(np.unique(pictures.reshape(len(odds), -1), axis=0)) == len(odds), part
