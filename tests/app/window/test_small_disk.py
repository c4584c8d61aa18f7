"""A real disk of 200 kB that fills up under the window."""

from __future__ import annotations

import errno
import os
import subprocess

import pytest

from flow_explorer.explorer.store import Store
from flow_explorer.explorer.store_files import StoreFiles


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A home on a disk of 200 kB; only the machine's owner can have one made."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root mounts a disk")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no disk can be mounted here")
    monkeypatch.setenv("FLOW_EXPLORER_HOME", str(place))
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place) -> None:
    with pytest.raises(OSError, match="No space left"), open(place / "filler", "ab", buffering=0) as file:
        while True:
            file.write(bytes(512))


def test_a_disk_that_fills_up_is_said_and_nothing_of_before_is_lost(small_disk, make_window):
    window = make_window()
    window.current.set_number(1)
    assert window.session.save()
    before = window.session.path.read_bytes()
    fill(small_disk)
    window.current.set_number(2)
    assert not window.session.save()
    assert "disk is full" in window.banners.lasting["session"].sentence
    assert window.session.path.read_bytes() == before
    assert not [path for path in small_disk.rglob("*") if path.name.endswith(".part")]
    (small_disk / "filler").unlink()
    assert window.session.save() and window.banners.lasting["session"].sentence == ""
    window.close()
    assert make_window().current.history.state.number == 2


def test_a_picture_that_has_no_room_leaves_no_part_and_the_small_ones_are_kept(small_disk):
    import numpy as np

    store, files = Store(), StoreFiles(small_disk / "state" / "explorer")
    rng = np.random.default_rng(0)
    small, large = (store.put_array(rng.integers(0, 256, (size, size, 3), dtype=np.uint8)) for size in (8, 400))
    with pytest.raises(OSError) as raised:
        files.write(store, {small, large})
    assert raised.value.errno == errno.ENOSPC
    assert {path.name for path in files.folder.iterdir()} == {small}
    assert files.read(Store(), {small, large}) == {small}
