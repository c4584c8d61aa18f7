"""No output of a command takes another one's place, nor that of what is read."""

from __future__ import annotations

import os
import random
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flow_explorer.terminal.output import OutputError, OutputFile, apart, distinct, picture_files


def as_a_disk_may_see_it(name: str) -> str:
    """Where neither capitals nor ways of writing an umlaut make a difference."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFC", name).casefold())


@pytest.mark.parametrize(
    ("stems", "names"),
    [
        (["a", "a", "a-2"], ["a", "a-3", "a-2"]),
        (["a", "a-2", "a", "a-2"], ["a", "a-2", "a-3", "a-2-2"]),
        (["a-2", "a", "a", "a"], ["a-2", "a", "a-3", "a-4"]),
        (["A", "a", "A-2"], ["A", "a-3", "A-2"]),
        (["größe", "gro\u0308ße", "GRÖSSE"], ["größe", "gro\u0308ße-2", "GRÖSSE-3"]),
        (["a", "b"], ["a", "b"]),
    ],
)
def test_names_are_their_own_where_they_come_first_and_apart_everywhere(stems, names):
    assert apart(stems) == names


def test_no_two_of_any_names_are_the_same_file_anywhere():
    rng = random.Random(0)
    parts = ["a", "A", "a-2", "a-2-2", "a-3", "ä", "a\u0308", "ß", "SS", "ss", "-2", "a-", "İ", "i\u0307"]
    for _ in range(300):
        stems = [rng.choice(parts) + rng.choice(["", "-2", "-3"]) for _ in range(rng.randrange(1, 12))]
        names = apart(stems)
        assert len({as_a_disk_may_see_it(name) for name in names}) == len(stems), stems
        assert all(name.startswith(stem) for name, stem in zip(names, stems, strict=True))


def test_what_is_read_is_not_written_over(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"mine")
    for out, images in ((tmp_path / "in", ["~/in/a.png"]), ("~/in", [tmp_path / "in" / "a.png"])):
        with pytest.raises(OutputError, match="is read by this command"):
            picture_files(str(out), [str(image) for image in images], images)
    # A pile's folder is read as a whole, whatever the pictures that are translated are called.
    with pytest.raises(OutputError, match="is read by this command"):
        picture_files(str(tmp_path / "in"), ["elsewhere/a.png"], [], [tmp_path])
    assert [each.path.name for each in picture_files(str(tmp_path / "in"), ["elsewhere/b.png"], [], [tmp_path])] == ["b.png"]
    assert [each.path.name for each in picture_files(str(tmp_path / "out"), ["elsewhere/a.png"], [], ["no class"])] == ["a.png"]


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_two_names_of_one_file_are_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.png").symlink_to("a.png")
    with pytest.raises(OutputError, match="are one file"):
        picture_files(str(tmp_path), ["in/a.png", "in/b.png"], [])
    with pytest.raises(OutputError, match="are one file"):
        distinct(OutputFile(str(tmp_path / name), (".png",)) for name in ("a.png", "A.png"))


def test_moved_pictures_keep_apart_by_capitals_and_numbers(cli, model, tmp_path):
    """d1/a, d2/A and d3/a-2: three files, each the picture that it says."""
    names = ("d1/a.png", "d2/A.png", "d3/a-2.jpg", "d4/a.jpg")
    for number, name in enumerate(names):
        (tmp_path / name).parent.mkdir()
        Image.fromarray(np.full((16, 16, 3), 40 + 50 * number, np.uint8)).save(tmp_path / name, quality=100)
    direction = tmp_path / "d.safetensors"
    for kind, level in (("dark", 60), ("light", 200)):
        (tmp_path / kind).mkdir()
        for seed in range(12):
            noise = np.random.default_rng(seed).integers(-20, 20, (16, 16, 3))
            Image.fromarray((level + noise).astype(np.uint8)).save(tmp_path / kind / f"{seed}.png")
    ran = cli("direction", "make", "--more", tmp_path / "light", "--less", tmp_path / "dark", "--model", model, "--device", "cpu",
              "--out", direction)  # fmt: skip
    assert ran.code == 0, ran.err
    ran = cli("direction", "apply", *(tmp_path / name for name in names), "--direction", direction, "--amount", 0,
              "--model", model, "--out", tmp_path / "out", "--json", "--device", "cpu")  # fmt: skip
    assert ran.code == 0, ran.err
    assert [Path(row["out"]).name for row in ran.json] == ["a.png", "A-3.png", "a-2.png", "a-4.png"]
    for number, row in enumerate(ran.json):
        assert abs(np.asarray(Image.open(row["out"])).astype(int) - (40 + 50 * number)).max() <= 2


def test_a_map_and_a_toy_do_not_write_over_what_they_read(refused, picture_folder, model, tmp_path):
    one = next(picture_folder.rglob("*.png"))
    before = one.read_bytes()
    assert "is read by this command" in refused("map", "--data", picture_folder, "--model", model, "--out", one)
    assert "is read by this command" in refused("toy", "--target", one, "--out", one, "--steps", 1)
    table = tmp_path / "points.csv"
    table.write_text("x,y\n" + "".join(f"{i},{i * i % 7}\n" for i in range(50)))
    assert "is read by this command" in refused("toy", "--target", table, "--curves", table, "--steps", 1)
    assert one.read_bytes() == before and table.read_text().startswith("x,y\n0,0\n")
