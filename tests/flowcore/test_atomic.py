"""Files are replaced as a whole or not at all, and nothing that is no plain file is replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowcore.atomic import open_private, replacing


def test_the_old_content_stays_until_the_new_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old" and temporary.parent == tmp_path
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["a.txt"]
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["a.txt"]


def test_permissions_of_new_and_of_replaced_files(tmp_path: Path) -> None:
    (tmp_path / "ordinary").write_text("")
    for name, private in (("a", False), ("b", True)):
        with replacing(tmp_path / name, private=private) as temporary:
            temporary.write_text("x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "ordinary").stat().st_mode
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    (tmp_path / "a").chmod(0o640)
    with replacing(tmp_path / "a") as temporary:
        temporary.write_text("y")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    with replacing(tmp_path / "a", private=True) as temporary:
        temporary.write_text("z")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="permissions are another thing on Windows")
def test_a_private_file_is_its_owners_alone_whoever_could_read_it_before(tmp_path: Path) -> None:
    (tmp_path / "old.log").write_text("before ")
    (tmp_path / "old.log").chmod(0o644)
    for name in ("old.log", "new.log"):
        with open_private(tmp_path / name) as file:
            file.write("after")
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "old.log").read_text() == "before after"


def test_a_long_name_in_chinese_fits_beside_itself(tmp_path: Path) -> None:
    path = tmp_path / ("流" * 84 + ".x")
    with replacing(path, ending=".part.png") as temporary:
        assert temporary.suffix == ".png"
        temporary.write_text("x")
    assert path.read_text() == "x"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_folders_pipes_and_devices_stay(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(os.devnull)
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "link"):
        with pytest.raises(OSError, match="it is a (folder|pipe or a device)"), replacing(path):
            raise AssertionError("nothing may be written")
    assert (tmp_path / "pipe").is_fifo() and sorted(os.listdir(tmp_path)) == ["link", "pipe"]
