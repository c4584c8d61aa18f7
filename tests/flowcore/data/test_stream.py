"""Streamed pictures are the in-memory ones bit for bit, whatever breaks; the processes that decode them leave no trace."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flowcore.data.datasets import PictureSet, open_dataset
from flowcore.data.pool import DecodingPool, Item
from flowcore.data.reading import Reading
from flowcore.data.stream import AHEAD_BATCHES, StreamedPictures
from flowcore.errors import DataError

ROOT = Path(__file__).resolve().parents[3]


def blob(seed: int, width: int = 24, height: int = 20) -> np.ndarray:
    """Smooth, so that a JPEG of it is not all noise; another one a seed."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    a, b, c = rng.uniform(0, 6, 3)
    waves = [np.sin(a * x + b * y + c + k) for k in range(3)]
    return (127 + 100 * np.stack(waves, -1)).astype(np.uint8)


def mixed_folder(root: Path, count: int = 12) -> None:
    """Two classes of JPEG, PNG, GIF and WebP of several sizes, some grey, some transparent, some broken."""
    for kind, start in (("a", 0), ("b", 1000)):
        folder = root / kind
        folder.mkdir(parents=True)
        for index in range(count):
            seed = start + index
            image = Image.fromarray(blob(seed, 20 + seed % 7, 18 + seed % 5))
            if index % 4 == 0:
                image.save(folder / f"{index:02}.jpg", quality=90)
            elif index % 4 == 1:
                image.convert("L" if index % 8 == 1 else "RGB").save(folder / f"{index:02}.png")
            elif index % 4 == 2:
                image.convert("P", palette=Image.Palette.ADAPTIVE).save(folder / f"{index:02}.gif")
            else:
                image.putalpha(Image.fromarray(blob(seed + 7, *image.size)[..., 0]))
                image.save(folder / f"{index:02}.webp", lossless=True)
    whole = (root / "a" / "00.jpg").read_bytes()
    (root / "a" / "30 cut.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "a" / "31 text.png").write_text("these are words")
    (root / "b" / "32 empty.gif").write_bytes(b"")
    png = (root / "b" / "01.png").read_bytes()
    (root / "b" / "33 cut.png").write_bytes(png[: len(png) - 40])


def both(path: Path, split: str = "train", **options: Any) -> tuple[PictureSet, PictureSet]:
    memory = open_dataset(path, split, memory=2**40, **options)
    streamed = open_dataset(path, split, memory=0, **options)
    assert streamed.streamed and not memory.streamed
    return memory, streamed


def epochs(count: int, batch: int, number: int) -> Iterator[np.ndarray]:
    wanted = np.arange(number * count // batch * batch).reshape(-1, batch)
    orders = [np.random.default_rng(epoch).permutation(count) for epoch in range(number + 1)]
    for row in wanted:
        yield np.array([orders[i // count][i % count] for i in row])


# ---- the same bytes


@pytest.mark.parametrize(
    "options",
    [
        {"size": 16},
        {"size": (12, 16), "fit": "pad", "background": "checker"},
        {"size": 16, "fit": "stretch", "channels": 1, "background": "#2040ff"},
        {"size": 16, "minimum": 20},
    ],
    ids=str,
)
def test_streaming_gives_what_memory_holds_over_two_epochs(tmp_path: Path, options: dict) -> None:
    mixed_folder(tmp_path / "in")
    memory, streamed = both(tmp_path / "in", **options)
    assert streamed.names == memory.names and streamed.skipped == memory.skipped and memory.skipped
    assert (streamed.labels == memory.labels).all() and streamed.classes == memory.classes == ["a", "b"]
    assert streamed.shape == memory.shape and streamed.padding == memory.padding
    assert streamed.pictures.shape == memory.pictures.shape and streamed.reading == memory.reading
    batches = list(epochs(len(memory), 5, 2))
    assert isinstance(streamed.pictures, StreamedPictures)
    streamed.pictures.follow(lambda step: batches[min(step, len(batches) - 1)])
    for indices in batches:
        got = streamed.pictures[indices]
        assert got.dtype == np.uint8 and np.array_equal(got, memory.pictures[indices])
    assert streamed.pictures.broken == {}


def test_a_zip_streams_as_its_folder_does(tmp_path: Path) -> None:
    mixed_folder(tmp_path / "in", 6)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in sorted((tmp_path / "in").rglob("*.*")):
            archive.write(file, file.relative_to(tmp_path / "in").as_posix())
    memory, streamed = both(tmp_path / "a.zip", size=16)
    assert np.array_equal(streamed.pictures[:], memory.pictures[:])
    assert np.array_equal(memory.pictures[:], open_dataset(tmp_path / "in", "train", size=16).pictures[:])


def test_streams_are_indexed_as_arrays_are(tmp_path: Path) -> None:
    mixed_folder(tmp_path)
    memory, streamed = both(tmp_path, size=8)
    for index in (3, -1, slice(2, 9), slice(None, None, -3), slice(4, 4), np.array([5, 5, -2]), [1, 0], []):
        assert np.array_equal(streamed.pictures[index], memory.pictures[index]), index
    for wrong in (len(memory), np.array([-len(memory) - 1]), np.zeros((2, 2), int), np.array([0.5])):
        with pytest.raises(IndexError):
            streamed.pictures[wrong]
    some, labels = streamed.first(4)
    assert labels is not None and memory.labels is not None
    assert np.array_equal(some[:], memory.pictures[:4]) and np.array_equal(labels, memory.labels[:4])
    assert streamed.first(None)[0] is streamed.pictures
    # an evaluation's slices, one after another, and then out of order
    for start in (0, 4, 8, 12, 4):
        assert np.array_equal(streamed.pictures[start : start + 4], memory.pictures[start : start + 4])


def test_own_sizes_and_grey_pictures_are_found_as_in_memory(tmp_path: Path) -> None:
    for index in range(4):
        Image.fromarray(blob(index)).save(tmp_path / f"{index}.png")
    upright = Image.fromarray(blob(9, 20, 24))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    memory, streamed = both(tmp_path, "all")
    assert memory.shape == streamed.shape == (3, 20, 24)
    assert np.array_equal(streamed.pictures[:], memory.pictures[:])
    for index in range(4):
        Image.fromarray(blob(index)).convert("L").convert("RGB" if index % 2 else "L").save(tmp_path / f"{index}.png")
    (tmp_path / "turned.jpg").unlink()
    memory, streamed = both(tmp_path, "all")
    assert memory.shape == streamed.shape == (1, 20, 24)
    assert np.array_equal(streamed.pictures[:], memory.pictures[:])
    Image.fromarray(blob(5, 9, 9)).save(tmp_path / "small.png")
    sentences = []
    for memory_bytes in (0, 2**40):
        with pytest.raises(DataError, match="different sizes") as caught:
            open_dataset(tmp_path, memory=memory_bytes)
        sentences.append(str(caught.value))
    assert sentences[0] == sentences[1]


def test_the_budget_decides(tmp_path: Path) -> None:
    mixed_folder(tmp_path)
    count = len(open_dataset(tmp_path, size=8))
    listed = count + 4  # what is broken is not known before it is looked at
    assert not open_dataset(tmp_path, size=8, memory=listed * 8 * 8 * 3).streamed
    assert open_dataset(tmp_path, size=8, memory=listed * 8 * 8 * 3 - 1).streamed
    assert not open_dataset(tmp_path, size=8).streamed


# ---- what breaks on the way


def test_a_picture_that_breaks_meanwhile_is_replaced_by_the_same_one_every_time(tmp_path: Path) -> None:
    mixed_folder(tmp_path, 8)
    told: list[tuple[str, str]] = []
    memory = open_dataset(tmp_path, size=8)
    runs = []
    for attempt in range(2):
        if attempt:
            for file in tmp_path.rglob("*.*"):
                file.unlink()
            shutil.rmtree(tmp_path / "a")
            shutil.rmtree(tmp_path / "b")
            mixed_folder(tmp_path, 8)
        told.clear()
        streamed = open_dataset(tmp_path, size=8, memory=0, on_broken=lambda *what: told.append(what))
        assert isinstance(streamed.pictures, StreamedPictures)
        gone = [streamed.names.index(name) for name in ("a/02.gif", "a/03.webp", "b/07.webp")]
        (tmp_path / "a" / "02.gif").unlink()
        (tmp_path / "a" / "03.webp").write_bytes(b"")
        (tmp_path / "b" / "07.webp").write_bytes((tmp_path / "b" / "07.webp").read_bytes()[:60])
        order = list(epochs(len(streamed), 5, 2))
        if attempt == 0:
            streamed.pictures.follow(lambda step, order=order: order[min(step, len(order) - 1)])
        runs.append([streamed.pictures[indices] for indices in order])
        assert sorted(name for name, _ in told) == ["a/02.gif", "a/03.webp", "b/07.webp"]
        assert set(streamed.pictures.broken) == {name for name, _ in told}
        assert all(sentence.endswith(".") and Path(name).name in sentence for name, sentence in told)
    for one, other in zip(*runs, strict=True):
        assert np.array_equal(one, other)
    # the next readable one of the class stands in, and the last is followed by the first
    stands = {gone[0]: gone[0] + 2, gone[1]: gone[0] + 2, gone[2]: memory.names.index("b/00.jpg")}
    expected = memory.pictures[:][[stands.get(i, i) for i in range(len(memory))]]
    assert np.array_equal(streamed.pictures[:], expected)


@pytest.mark.timeout(60)
def test_a_folder_that_goes_away_is_a_sentence(tmp_path: Path) -> None:
    mixed_folder(tmp_path / "in")
    streamed = open_dataset(tmp_path / "in", size=8, memory=0)
    streamed.pictures[:4]
    shutil.rmtree(tmp_path / "in")
    with pytest.raises(DataError, match="can no longer be read") as caught:
        streamed.pictures[4:8]
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_following_decodes_ahead_and_no_further(tmp_path: Path) -> None:
    mixed_folder(tmp_path)
    streamed = open_dataset(tmp_path, size=8, memory=0)
    pictures = streamed.pictures
    assert isinstance(pictures, StreamedPictures)
    asked: list[int] = []

    def order(step: int) -> np.ndarray:
        asked.append(step)
        return np.arange(4) + step % 4

    pictures.follow(order, start=10)
    assert asked == list(range(10, 10 + AHEAD_BATCHES))
    pictures[order(10)]
    assert asked[-1] == 10 + AHEAD_BATCHES
    pictures[np.arange(5)]  # out of turn
    assert asked[-1] == 10 + AHEAD_BATCHES
    pictures.close()


# ---- the processes


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX"
    except FileNotFoundError:
        return False


def items(folder: Path, count: int) -> list[Item]:
    for index in range(count):
        Image.fromarray(blob(index)).save(folder / f"{index}.png")
    return [Item(f"{index}.png", str(folder / f"{index}.png")) for index in range(count)]


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at /proc")
@pytest.mark.timeout(60)
def test_a_process_that_is_killed_is_started_again(tmp_path: Path) -> None:
    pool = DecodingPool(1)
    try:
        listed = items(tmp_path, 4)
        first = pool.submit(listed, Reading(), (8, 8, 3)).result(30)
        (pid,) = pool.pids
        os.kill(pid, signal.SIGKILL)
        again = pool.submit(listed, Reading(), (8, 8, 3)).result(30)
        assert np.array_equal(first.rows, again.rows) and pool.pids != [pid]
        (pid,) = pool.pids
    finally:
        pool.close()
    assert not alive(pid)
    with pytest.raises(DataError, match="closed"):
        pool.submit(listed, Reading(), (8, 8, 3)).result(5)


@pytest.mark.timeout(60)
def test_a_process_that_dies_on_the_same_pictures_again_is_a_sentence(tmp_path: Path) -> None:
    pool = DecodingPool(1, "flowcore.no_such_module")
    try:
        with pytest.raises(DataError, match="ended by itself 2 times on 0.png to 2.png") as caught:
            pool.submit(items(tmp_path, 3), Reading(), (8, 8, 3)).result(30)
    finally:
        pool.close()
    assert "exit code 1" in str(caught.value) and "no_such_module" in str(caught.value)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


CODE = """
import sys, time
from flowcore.data.pool import shared_pool
from flowcore.data.datasets import open_dataset
data = open_dataset(sys.argv[1], size=8, memory=0, workers=2)
data.pictures[:8]
assert "torch" not in sys.modules
print(*shared_pool().pids, flush=True)
if sys.argv[2] == "wait":
    time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at /proc")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("end", ["exit", "kill"])
def test_no_process_is_left_behind(tmp_path: Path, end: str) -> None:
    mixed_folder(tmp_path)
    command = [sys.executable, "-c", CODE, str(tmp_path), "wait" if end == "kill" else "end"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        pids = [int(word) for word in process.stdout.readline().split()]
        assert len(pids) == 2
        if end == "kill":
            assert all(alive(pid) for pid in pids)
            process.kill()
        process.wait(30)
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)
    assert process.returncode == (-signal.SIGKILL if end == "kill" else 0)
