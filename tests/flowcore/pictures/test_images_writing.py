"""Writing pictures: whole files or none, with their recipes."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flowcore.errors import PictureError
from flowcore.pictures import recipe as recipes
from flowcore.pictures.images import enlarge, grid, save_gif, save_png, strip, to_gif_bytes, write_atomically
from tests.flowcore.pictures.case import photo


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_is_lossless(tmp_path: Path, channels: int) -> None:
    array = photo(channels=channels)
    path = save_png(tmp_path / "a.png", array)
    assert (np.asarray(Image.open(path)).reshape(array.shape) == array).all()


def test_png_carries_its_recipe_and_scale(tmp_path: Path) -> None:
    recipe = recipes.new("sample", seed=4)
    path = save_png(tmp_path / "a.png", photo(), recipe, scale=3)
    assert recipes.extract(path) == recipe
    assert (np.asarray(Image.open(path))[1::3, 1::3] == photo()).all()


def test_gif_frames_come_back_in_order_and_carry_the_recipe(tmp_path: Path) -> None:
    frames = [np.full((8, 8, 3), value, np.uint8) for value in (0, 80, 160, 240)]
    recipe = recipes.new("walk", note="雪" * 300)
    path = save_gif(tmp_path / "a.gif", frames, recipe, scale=2, milliseconds=120, there_and_back=True)
    image = Image.open(io.BytesIO(path.read_bytes()))
    assert getattr(image, "n_frames", 1) == 6 and image.size == (16, 16) and image.info["loop"] == 0
    seen = []
    for index in range(6):
        image.seek(index)
        assert image.info["duration"] == 120
        seen.append(int(np.asarray(image.convert("RGB"))[5, 5, 0]))
    assert seen == [0, 80, 160, 240, 160, 80]
    assert recipes.extract(path) == recipe


def test_gif_of_photographs_stays_close(tmp_path: Path) -> None:
    frames = [photo(32, 32), photo(32, 32)[::-1].copy()]
    image = Image.open(io.BytesIO(to_gif_bytes(frames)))
    for index, frame in enumerate(frames):
        image.seek(index)
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - frame).mean() < 8


def test_gif_of_grey_frames_is_exact() -> None:
    frames = [np.arange(256, dtype=np.uint8).reshape(16, 16, 1), np.full((16, 16, 1), 7, np.uint8)]
    image = Image.open(io.BytesIO(to_gif_bytes(frames)))
    for index, frame in enumerate(frames):
        image.seek(index)
        assert (np.asarray(image.convert("L"))[..., None] == frame).all()


def test_gif_needs_frames_of_one_size() -> None:
    with pytest.raises(PictureError, match="at least one"):
        to_gif_bytes([])
    with pytest.raises(PictureError, match="same size"):
        to_gif_bytes([photo(8, 8), photo(8, 9)])


def test_grid_and_strip() -> None:
    pictures = np.stack([np.full((2, 3, 3), value, np.uint8) for value in range(5)])
    sheet = grid(pictures, columns=3, gap=1, background=99)
    assert sheet.shape == (5, 11, 3)
    assert sheet[0, 0, 0] == 0 and sheet[3, 4, 0] == 4 and sheet[2, 0, 0] == 99 and sheet[4, 10, 0] == 99
    assert grid(pictures[:4]).shape == (4, 6, 3) and strip(pictures).shape == (2, 15, 3)
    with pytest.raises(PictureError):
        grid([])


def test_enlarge() -> None:
    array = photo(4, 6)
    assert (enlarge(array, 3)[::3, ::3] == array).all() and enlarge(array, 3).shape == (12, 18, 3)
    smooth = enlarge(np.array([[0, 255]], np.uint8), 8, smooth=True)
    assert smooth.shape == (8, 16) and len(np.unique(smooth)) > 4
    several: tuple[Any, ...] = (0, -1, 1.5, float("nan"))
    for factor in several:
        with pytest.raises(PictureError):
            enlarge(array, factor)
    with pytest.raises(PictureError, match="million"):
        enlarge(array, 100_000)


def test_an_unwritable_output_leaves_nothing(tmp_path: Path) -> None:
    for target in (
        tmp_path / "none" / "a.png",
        tmp_path / "file" / "a.png",
        tmp_path / "folder",
        tmp_path / "a\0b",
    ):
        (tmp_path / "folder").mkdir(exist_ok=True)
        (tmp_path / "file").write_text("x")
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(PictureError, match="cannot be written"):
            save_png(target, photo())
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_a_fifo_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PictureError, match="pipe"):
        write_atomically(tmp_path / "pipe", b"x")
    assert (tmp_path / "pipe").is_fifo()


def test_writing_replaces_whole_files_and_follows_links(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_a_failing_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PictureError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_new_file_has_ordinary_permissions(tmp_path: Path) -> None:
    write_atomically(tmp_path / "ours", b"x")
    (tmp_path / "theirs").write_bytes(b"x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "theirs").stat().st_mode
