"""Where single pictures come from: a folder's files or a zip's, listed once and read one by one."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..errors import DataError, PictureError, said
from ..pictures.images import MAX_FILE_BYTES
from .folders import arranged, is_hidden, may_be_picture, split_of_name

__all__ = ["FolderSource", "Source", "ZipSource", "assign_splits", "split_of_name"]

class Source:
    """Pictures listed by name, sorted.

    ``names`` are relative names, ``own`` the part that the data itself puts each in ("train", "validation",
    "test" or ""), ``kinds`` the class of each ("" for none), ``left_out`` (name, sentence) of what belongs to none of it.
    """

    kind = ""
    where = ""
    """What to call the whole in a sentence."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.own: list[str] = []
        self.kinds: list[str] = []
        self.left_out: list[tuple[str, str]] = []

    @property
    def classes(self) -> list[str]:
        """The classes' names, sorted; none where a picture lies outside all of them."""
        return self.classes_of(range(len(self.kinds)))

    def classes_of(self, indices: Sequence[int]) -> list[str]:
        """The names of all classes where each of these pictures has one; a part without classes does not take them away."""
        return [] if any(not self.kinds[index] for index in indices) else sorted(set(self.kinds) - {""})

    def path(self, index: int) -> Path | None:
        """The file of one picture, where it is a file of its own."""
        return None

    def read(self, index: int) -> bytes:
        """The bytes of one picture's file. Raises PictureError. May be called from any thread."""
        raise TypeError(f"{type(self).__name__} does not define read")

    def _list(self, files: Sequence[tuple[str, tuple[str, ...]]], read: Callable[[str], Path | bytes]) -> None:
        """Take up files: (name, folders above it); ``read`` gives what a name stands for."""

        def problem(name: str) -> str:
            from ..pictures.image_headers import read_header

            try:
                read_header(read(name), name)
            except PictureError as error:
                return str(error)
            return ""

        found = arranged(files, problem)
        self.names, self.own, self.kinds, self.left_out = found.names, found.own, found.kinds, found.left_out


class FolderSource(Source):
    """Every file under a folder that may be a picture; what is hidden, or text by its name, is passed over."""

    kind = "folder"

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root, self.where = root, str(root)
        files = [
            ("/".join((*inside, name)), inside)
            for folder, inside in _folders(root)
            for name in _files_in(folder)
            if may_be_picture(name)
        ]
        self._list(files, lambda name: root / name)
        if not self.names:
            raise DataError(f"{root} has no pictures in it: give a folder of PNG, JPEG, WebP or other pictures.")

    def path(self, index: int) -> Path:
        """The picture's file."""
        return self.root / self.names[index]

    def read(self, index: int) -> bytes:
        """The file's bytes."""
        from ..pictures.images import read_file

        return read_file(self.path(index), self.names[index])


def _folders(root: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every folder from the root down that is not hidden, with its names below the root; each once, linked ones last."""
    seen: set[tuple[int, int]] = set()
    above = os.path.realpath(root)
    linked: list[tuple[str, tuple[str, ...]]] = []
    waiting: list[tuple[str, tuple[str, ...]]] = [(os.fspath(root), ())]
    while waiting or linked:
        folder, inside = waiting.pop() if waiting else linked.pop(0)
        try:
            about = os.stat(folder)
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        if about.st_ino and (about.st_dev, about.st_ino) in seen:
            continue
        seen.add((about.st_dev, about.st_ino))
        yield folder, inside
        for entry in reversed(entries):
            if is_hidden(entry.name) or not _is_folder(entry):
                continue
            if not entry.is_symlink():
                waiting.append((entry.path, (*inside, entry.name)))
            # A link upwards would take in all that lies beside the data
            elif os.path.commonpath([above, real := os.path.realpath(entry.path)]) != real:
                linked.append((entry.path, (*inside, entry.name)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _files_in(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if not _is_folder(entry)]


class ZipSource(Source):
    """The pictures of a zip, read where they lie: nothing is unpacked. One folder around everything is no class."""

    kind = "zip"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.where = str(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except Exception as error:  # zipfile raises nearly everything on damaged archives
            raise DataError(f"{path} cannot be read as a zip of pictures: {said(error)}.") from error
        entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            # Old Windows tools part folders by backslashes
            parts = [part for part in re.split(r"[\\/]+", entry.filename) if part and not re.fullmatch("[A-Za-z]:", part)]
            ends = entry.filename[-1:] in ("/", "\\", "")
            if ends or not parts or any(map(is_hidden, parts)) or not may_be_picture(parts[-1]):
                continue
            entries["/".join(parts)] = entry
        around = {name.partition("/")[0] if "/" in name else "" for name in entries}
        strip = len(around) == 1 and "" not in around
        files = []
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for name, entry in entries.items():
            inner = name.partition("/")[2] if strip else name
            self._entries[inner] = entry
            files.append((inner, tuple(inner.split("/")[:-1])))
        self._list(files, self._entry)
        if not self.names:
            raise DataError(f"{path} has no pictures in it: give a zip of PNG, JPEG, WebP or other pictures.")

    def read(self, index: int) -> bytes:
        """The entry's bytes, checked by its sum."""
        return self._entry(self.names[index])

    def _entry(self, name: str) -> bytes:
        entry = self._entries[name]
        if entry.flag_bits & 1:
            raise PictureError(f"{name} is locked by a password: unlock the zip first.")
        if entry.file_size > MAX_FILE_BYTES:
            raise PictureError(f"{name} is larger than the {MAX_FILE_BYTES / 2**20:,.0f} MiB that can be read.")
        try:
            with self._zip.open(entry) as file:
                data = file.read(entry.file_size + 1)
        except MemoryError as error:
            raise PictureError(f"{name} needs more memory than there is: make it smaller first.") from error
        except Exception as error:  # and so do the ways of packing
            raise PictureError(f"{name} is damaged in the zip and cannot be read: {said(error)}.") from error
        if len(data) > entry.file_size:
            raise PictureError(f"{name} is larger than its zip says: make the zip again.")
        return data


def assign_splits(keys: Sequence[str], own: Sequence[str], validation: float, seed: int) -> list[str]:
    """The split of every picture: its own part, but a share of the training part is held out for validation.

    ``own`` is "train", "validation", "test", or "" for pictures of data without parts.
    """
    splits = [part or "train" for part in own]
    brought = set(splits) if any(own) else set()
    training = [index for index, part in enumerate(splits) if part == "train"]
    wanted = [
        part for part in ("validation", "test") if part not in brought and not (brought and part == "test")
    ]
    count = max(1, round(validation * len(training))) if validation > 0 and len(training) > 2 else 0
    ranked = sorted(training, key=lambda i: (hashlib.sha256(f"{seed}/{keys[i]}".encode("utf-8", "surrogatepass")).digest(), i))
    for position, part in enumerate(wanted):
        for index in ranked[position * count : (position + 1) * count]:
            splits[index] = part
    return splits
