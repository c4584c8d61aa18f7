"""Piles of pictures: read evenly, the broken ones named, and what no way can be made of."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from flowcore.data.thinned import check_sets, output_names, read_thinned
from flowcore.errors import ConfigError, DataError


def fill(folder, count: int, size: tuple[int, int] = (20, 12)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        Image.new("RGB", size, (index, 10, 200)).save(folder / f"{index:03}.png")


def test_a_folder_is_read_as_the_model_sees_it_and_the_broken_are_named(tmp_path):
    fill(tmp_path / "a", 5)
    (tmp_path / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    told = []
    pile = read_thinned(tmp_path / "a", (8, 8), 3, on_progress=lambda done, total: told.append((done, total)))
    assert pile.pictures.shape == (5, 8, 8, 3) and pile.pictures[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert pile.names == [f"{index:03}.png" for index in range(5)] and pile.total == 6
    ((name, sentence),) = pile.left_out
    assert name == "broken.png" and "broken.png" in sentence
    assert told == [(done, 6) for done in range(1, 7)]


def test_of_many_some_are_taken_evenly(tmp_path):
    fill(tmp_path, 50)
    pile = read_thinned(tmp_path, (8, 8), 1, limit=5)
    assert [name[:3] for name in pile.names] == ["000", "012", "024", "037", "049"]
    assert pile.total == 50 and pile.pictures.shape == (5, 8, 8, 1)


def test_arrays_are_piles_too(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", images=pictures)
    pile = read_thinned(tmp_path / "x.npz", (8, 8), 3)
    assert np.array_equal(pile.pictures, pictures) and pile.total == 9
    smaller = read_thinned(tmp_path / "x.npz", (4, 4), 1, limit=3)
    assert smaller.pictures.shape == (3, 4, 4, 1)


def test_reading_can_be_stopped(tmp_path):
    fill(tmp_path, 5)

    class Stopped(Exception):
        pass

    def stop(done, _total):
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        read_thinned(tmp_path, (8, 8), 3, on_progress=stop)


def test_nothing_is_said_in_a_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no pictures in it"):
        read_thinned(tmp_path / "empty", (8, 8), 3)
    with pytest.raises(DataError, match="no data at"):
        read_thinned(tmp_path / "nowhere", (8, 8), 3)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match="None of the 1 files"):
        read_thinned(tmp_path / "bad", (8, 8), 3)


def test_piles_that_lead_nowhere():
    a = np.random.default_rng(0).integers(0, 256, (3, 2, 2, 3), dtype=np.uint8)
    check_sets(a, a + 1)
    check_sets(a, a[:2])
    with pytest.raises(ConfigError, match="the same pictures"):
        check_sets(a, a[[2, 0, 1]])
    with pytest.raises(ConfigError, match="cats holds one picture"):
        check_sets(a, a[:1], ("dogs", "cats"))
    with pytest.raises(ConfigError, match="A holds no picture"):
        check_sets(a[:0], a)


def test_no_two_files_have_one_name():
    names = output_names(["x/a.jpg", "y/A.png", "a.webp", "a-2.png", "b", "c\\d.tif"])
    assert names == ["a.png", "A-2.png", "a-3.png", "a-2-2.png", "b.png", "d.png"]
    assert len({name.casefold() for name in output_names(["a.png", "a-2.png", "a.jpg", "a-3.png", "a.gif"])}) == 5
