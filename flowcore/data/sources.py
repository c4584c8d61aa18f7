"""Where single pictures come from: a folder's files or a zip's, listed once and read one by one."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ..errors import DataError, PictureError
from ..pictures.images import MAX_FILE_BYTES

__all__ = ["FolderSource", "Source", "ZipSource", "assign_splits", "split_of_name"]

_SPLIT_FOLDERS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
_SIDE_FILES = (".txt", ".md", ".json", ".csv", ".html", ".xml", ".yaml", ".yml", ".toml", ".db", ".ini")


class Source:
    """Pictures listed by name, sorted.

    ``names`` are relative names, ``own`` the part that the data itself puts each in ("train", "validation",
    "test" or ""), ``kinds`` the class of each ("" for none), ``sizes`` the bytes of each where known.
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
        return [] if "" in self.kinds else sorted(set(self.kinds))

    def path(self, index: int) -> Path | None:
        """The file of one picture, where it is a file of its own."""
        return None

    def read(self, index: int) -> bytes:
        """The bytes of one picture's file. Raises PictureError. May be called from any thread."""
        raise TypeError(f"{type(self).__name__} does not define read")

    def _list(self, files: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        """Take up files: (name, folders above it)."""
        top = {folders[0]: split_of_name(folders[0]) for _, folders in files if folders}
        # Only two such names together are parts: a single folder "test" may well be a class, or all there is
        parts = top if len({part for part in top.values() if part}) >= 2 else {}
        for name, folders in sorted(files):
            own = parts.get(folders[0], "") if folders else ""
            inside = folders[1:] if own else folders
            self.names.append(name)
            self.own.append(own)
            self.kinds.append(inside[0] if inside else "")
        if any(self.own):
            # beside parts, what lies outside them belongs to the training part
            self.own = [own or "train" for own in self.own]


class FolderSource(Source):
    """Every file under a folder that may be a picture; what is hidden, or text by its name, is passed over."""

    kind = "folder"

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root, self.where = root, str(root)
        files = []
        for folder, subfolders, names in os.walk(root):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            inside = Path(folder).relative_to(root).parts
            files += [("/".join((*inside, name)), inside) for name in names if _may_be_picture(name)]
        self._list(files)
        if not self.names:
            raise DataError(f"{root} has no pictures in it: give a folder of PNG, JPEG, WebP or other pictures.")

    def path(self, index: int) -> Path:
        """The picture's file."""
        return self.root / self.names[index]

    def read(self, index: int) -> bytes:
        """The file's bytes."""
        from ..pictures.images import read_file

        return read_file(self.path(index), self.names[index])


class ZipSource(Source):
    """The pictures of a zip, read where they lie: nothing is unpacked. One folder around everything is no class."""

    kind = "zip"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.where = str(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise DataError(f"{path} cannot be read as a zip of pictures: {error}.") from error
        entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            parts = PurePosixPath(entry.filename).parts
            hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
            if entry.is_dir() or hidden or not parts or not _may_be_picture(parts[-1]):
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
        self._list(files)
        if not self.names:
            raise DataError(f"{path} has no pictures in it: give a zip of PNG, JPEG, WebP or other pictures.")

    def read(self, index: int) -> bytes:
        """The entry's bytes, checked by its sum."""
        name = self.names[index]
        entry = self._entries[name]
        if entry.flag_bits & 1:
            raise PictureError(f"{name} is locked by a password: unlock the zip first.")
        if entry.file_size > MAX_FILE_BYTES:
            raise PictureError(f"{name} is larger than the {MAX_FILE_BYTES / 2**20:,.0f} MiB that can be read.")
        try:
            with self._zip.open(entry) as file:
                data = file.read(entry.file_size + 1)
        except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise PictureError(f"{name} is damaged in the zip and cannot be read: {error}.") from error
        if len(data) > entry.file_size:
            raise PictureError(f"{name} is larger than its zip says: make the zip again.")
        return data


def split_of_name(name: str) -> str:
    """The part that a folder's name speaks of: "train", "validation", "test" or ""."""
    return _SPLIT_FOLDERS.get(name.lower(), "")


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
    ranked = sorted(training, key=lambda i: (hashlib.sha256(f"{seed}/{keys[i]}".encode()).digest(), i))
    for position, part in enumerate(wanted):
        for index in ranked[position * count : (position + 1) * count]:
            splits[index] = part
    return splits


def _may_be_picture(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(_SIDE_FILES)
