"""translate and train-pair: piles of pictures, every method, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NAMES = ("dark", "bright")


def picture(kind: int, seed: int) -> np.ndarray:
    """A 16×16 picture, dark or bright, with a square in it somewhere."""
    rng = np.random.default_rng([kind, seed])
    pixels = rng.integers(20, 50, (16, 16, 3)) + 150 * kind
    row, column = rng.integers(0, 10, 2)
    pixels[row : row + 6, column : column + 6] = 120
    return pixels.astype(np.uint8)


@pytest.fixture(scope="module")
def piles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders beside each other, which are two classes together."""
    root = tmp_path_factory.mktemp("piles")
    for kind, name in enumerate(NAMES):
        (root / name).mkdir()
        for seed in range(24):
            Image.fromarray(picture(kind, seed)).save(root / name / f"{name}-{seed}.png")
    return root


@pytest.fixture(scope="module")
def by_class(piles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A conditional model of both."""
    from flow_explorer.cli import main

    run = tmp_path_factory.mktemp("class") / "run"
    options = ["--preset", "tiny", "--size", "16", "--batch", "16", "--steps", "120", "--device", "cpu", "--conditional"]
    assert main(["train", "--data", str(piles), "--out", str(run), *options]) == 0
    return run


def check(rows: list[dict], count: int) -> list[np.ndarray]:
    """The JSON rows keep their promise; the pictures that they name."""
    assert len(rows) == count and all(0 <= row["cycle_error"] <= 1e-3 for row in rows)
    return [np.asarray(Image.open(row["out"])) for row in rows]


@pytest.mark.parametrize("method", ["mean-shift", "shrunk-shift", "transport", "conditional"])
def test_dark_pictures_become_brighter_and_nothing_is_lost(cli, piles, by_class, tmp_path, method):
    given = sorted((piles / "dark").glob("*.png"))[:3]
    common = ("--from", piles / "dark", "--to", piles / "bright", "--method", method, "--model", by_class, "--device", "cpu")
    ran = cli("translate", *given, *common, "--out", tmp_path / "out", "--json")
    assert ran.code == 0, ran.err
    made = check(ran.json, 3)
    before = [np.asarray(Image.open(path)) for path in given]
    assert np.mean(made) > np.mean(before) + 40
    assert [Path(row["out"]).name for row in ran.json] == [path.name for path in given]
    none = cli("translate", given[0], *common, "--strength", 0, "--out", tmp_path / "none", "--json")
    assert np.array_equal(check(none.json, 1)[0], before[0])


@pytest.mark.parametrize("method, strength", [("mean-shift", 2), ("transport", 1), ("conditional", 1.5)])
def test_ugly_pictures_come_back_too(cli, piles, by_class, tmp_path, method, strength):
    """Noise, a checkerboard, black, white: far from all that the model knows, and still within the promise."""
    rng, board = np.random.default_rng(0), np.indices((16, 16)).sum(0) % 2 * 255
    ugly = {"noise": rng.integers(0, 256, (16, 16, 3)), "black": np.zeros((16, 16, 3)), "white": np.full((16, 16, 3), 255),
            "board": np.repeat(board[..., None], 3, 2)}  # fmt: skip
    for name, pixels in ugly.items():
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{name}.png")
    ran = cli("translate", *(tmp_path / f"{name}.png" for name in ugly), "--from", piles / "dark", "--to", piles / "bright",
              "--method", method, "--strength", strength, "--model", by_class, "--out", tmp_path / "out", "--json",
              "--device", "cpu")  # fmt: skip
    assert ran.code == 0, ran.err
    check(ran.json, 4)
    assert all(0 < row["strength"] <= strength for row in ran.json)


def test_classes_can_be_named(cli, piles, by_class, tmp_path):
    file = next((piles / "dark").glob("*.png"))
    ran = cli("translate", file, "--from", "dark", "--to", "bright", "--method", "conditional", "--model", by_class,
              "--out", tmp_path, "--json", "--device", "cpu")  # fmt: skip
    assert ran.code == 0 and np.mean(check(ran.json, 1)[0]) > 80


def test_a_pair_is_trained_and_translates_and_goes_on(cli, refused, piles, tmp_path):
    run = tmp_path / "pair"
    options = ("--preset", "tiny", "--size", 16, "--batch", 8, "--steps", 40, "--device", "cpu", "--out", run)
    ran = cli("train-pair", piles / "dark", piles / "bright", *options)
    assert ran.code == 0, ran.err
    assert (run / "a" / "last.safetensors").is_file() and (run / "b" / "last.safetensors").is_file()
    again = cli("train-pair", piles / "dark", piles / "bright", *options, "--resume")
    assert again.code == 0 and "has its 40 steps already" in again.err
    file = next((piles / "dark").glob("*.png"))
    common = ("translate", file, "--method", "pair", "--model", run, "--device", "cpu", "--out", tmp_path / "out")
    made = check(cli(*common, "--json").json, 1)[0]
    assert np.mean(made) > np.mean(np.asarray(Image.open(file))) + 40
    assert "--strength is 1" in refused(*common, "--strength", 0.5)
    assert "train-pair" in refused("translate", file, "--method", "pair", "--model", run / "a", "--out", tmp_path / "out")


def test_two_pictures_of_one_name_do_not_overwrite_each_other(cli, piles, by_class, tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        Image.fromarray(picture(0, 7)).save(tmp_path / folder / "same.png")
    ran = cli("translate", tmp_path / "x" / "same.png", tmp_path / "y" / "same.png", "--from", "dark", "--to", "bright",
              "--method", "conditional", "--model", by_class, "--out", tmp_path / "out", "--json", "--device", "cpu")  # fmt: skip
    assert [Path(row["out"]).name for row in ran.json] == ["same.png", "same-2.png"]


def test_what_cannot_be_is_one_sentence(refused, piles, by_class, tmp_path):
    file = next((piles / "dark").glob("*.png"))
    common = ("translate", file, "--model", by_class, "--out", tmp_path / "out", "--device", "cpu")
    both = ("--from", piles / "dark", "--to", piles / "bright")
    assert "needs both piles" in refused(*common, "--from", piles / "dark")
    assert "the same pictures" in refused(*common, "--from", piles / "dark", "--to", piles / "dark")
    assert "no data at" in refused(*common, "--from", piles / "nowhere", "--to", piles / "bright")
    assert "There is no class 'grey'" in refused(*common, "--method", "conditional", "--from", "dark", "--to", "grey")
    assert "of one class" in refused(*common, "--method", "conditional", "--from", "dark", "--to", "dark")
    assert "is read by this command" in refused(*common[:2], *both, "--model", by_class, "--out", piles / "dark")
    text = tmp_path / "words.txt"
    text.write_text("no picture")
    assert "words.txt" in refused("translate", text, *both, "--model", by_class, "--out", tmp_path / "out")
    (tmp_path / "file").write_text("")
    assert "cannot be made" in refused("translate", file, *both, "--model", by_class, "--out", tmp_path / "file" / "x")
