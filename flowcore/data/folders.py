"""What a data set's folders mean: parts (train, test …), classes, folders around everything, and files that belong to neither."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

__all__ = ["Arranged", "arranged", "is_hidden", "may_be_picture", "split_of_name"]

_SPLITS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "eval": "validation", "evaluation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
_NO_PART_OF_A_NAME = {"set", "sets", "data", "dataset", "split", "images", "imgs", "img", "pictures", "photos", "part", "samples"}
_SIDE_FILES = (
    ".txt", ".md", ".rst", ".json", ".jsonl", ".csv", ".tsv", ".html", ".htm", ".xml", ".yaml", ".yml", ".toml", ".db", ".ini",
    ".mat", ".pkl", ".pickle", ".npy", ".npz", ".h5", ".parquet", ".pdf", ".doc", ".docx", ".xls", ".xlsx",
    ".py", ".ipynb", ".log", ".lnk", ".url", ".pt", ".pth", ".safetensors", ".mp4", ".avi", ".mov", ".wav", ".mp3",
)  # fmt: skip
_SIDE_NAMES = {"license", "licence", "copying", "readme", "authors", "changelog", "makefile", "notice", "citation", "icon\r"}
_SYSTEM_FOLDERS = {"__macosx", "@eadir", "lost+found", "$recycle.bin", "system volume information", "__pycache__"}
_STRAY_SHARE = 0.05
_FEW = 3
_LOOKED_AT = 200
"""So many files beside folders are looked at, whether they are pictures at all."""


@dataclass
class Arranged:
    """Pictures by ``names``, sorted; the part that the data puts each in ("" for none), its class; (name, sentence) of strays."""

    names: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


_File = tuple[str, tuple[str, ...]]


def arranged(files: Sequence[_File], problem: Callable[[str], str]) -> Arranged:
    """Sort files, (name, folders above it), into parts and classes.

    A folder around everything is no class. Two folders at least that are named as parts, at the top or in each class, are
    parts. A few files beside folders of classes are left out; ``problem`` says why a file is no picture, or nothing.
    """
    result = Arranged()
    files = _without_strays(_inside(sorted(files)), problem, result)
    files = _inside(files)
    named = _parts({folders[0] for _, folders in files if folders})
    if named:
        groups: dict[str, list[_File]] = {"": []}
        for name, folders in files:
            own = named.get(folders[0], "") if folders else ""
            groups.setdefault(own, []).append((name, folders[1:] if own else folders))
        # beside parts, what lies outside them belongs to the training part
        groups["train"] = groups.get("train", []) + groups.pop("")
    else:
        groups = _parts_within(files) or {"": files}
    # What a part is wrapped in is no class; what another part has as a class is one
    while len(groups) > 1 and len({folders[:1] for group in groups.values() for _, folders in group}) == 1 and all(
        len(folders) > 1 for group in groups.values() for _, folders in group
    ):
        groups = {own: [(name, folders[1:]) for name, folders in group] for own, group in groups.items()}
    tops = {own: {folders[0] if folders else "" for _, folders in group} for own, group in groups.items()}
    for own, group in groups.items():
        others = set().union(*(top for other, top in tops.items() if other != own)) if len(tops) > 1 else set()
        if own and not tops[own] & others and all(len(folders) > 1 for _, folders in group):
            group = _inside(group)
        if own:
            group = _without_strays(group, problem, result)
        for name, folders in group:
            result.names.append(name)
            result.own.append(own)
            result.kinds.append(folders[0] if folders else "")
    order = sorted(range(len(result.names)), key=result.names.__getitem__)
    result.names, result.own, result.kinds = (
        [values[place] for place in order] for values in (result.names, result.own, result.kinds)
    )
    return result


def split_of_name(name: str) -> str:
    """The part that a name speaks of: "train", "validation", "test" or ""."""
    return _SPLITS.get(name.lower(), "")


def may_be_picture(name: str) -> bool:
    """Whether a file is worth looking at, by its name."""
    lower = name.lower()
    return not (name.startswith(".") or lower.endswith(_SIDE_FILES) or lower in _SIDE_NAMES)


def is_hidden(folder: str) -> bool:
    """Whether a folder is hidden, or a system's own."""
    return folder.startswith(".") or folder.lower() in _SYSTEM_FOLDERS


def _inside(files: list[_File]) -> list[_File]:
    """The files without the folders that are around all of them."""
    while files and all(folders for _, folders in files) and len({folders[0] for _, folders in files}) == 1:
        files = [(name, folders[1:]) for name, folders in files]
    return files


def _without_strays(files: list[_File], problem: Callable[[str], str], result: Arranged) -> list[_File]:
    """The files without the few that lie beside folders: all that are no pictures, and pictures beside classes."""
    loose = [name for name, folders in files if not folders]
    inside = len(files) - len(loose)
    if not loose or not inside or len(loose) > max(_LOOKED_AT, inside):
        return files
    few = len(loose) <= max(_FEW, _STRAY_SHARE * inside) and len(loose) < inside
    classes = len({folders[0] for _, folders in files if folders}) > 1
    strays = set()
    for name in loose[:_LOOKED_AT]:
        sentence = problem(name)
        if not sentence and few and classes:
            sentence = f"{name} lies beside the folders and in none of them: put it into one to use it."
        if sentence:
            strays.add(name)
            result.left_out.append((name, sentence))
    return [file for file in files if file[0] not in strays]


def _parts(folders: set[str]) -> dict[str, str]:
    """The part of each folder that is one: of "seg_train" and "seg_test", or "train" and "val2017", but not of one alone."""
    found: dict[str, dict[str, str]] = {}
    for folder in folders:
        words = [word for word in re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", folder).lower()) if word]
        words = [whole for word in words for whole in _apart(word)]
        named = [word for word in words if word in _SPLITS]
        if len(named) == 1:
            rest = " ".join(word for word in words if word not in _SPLITS and word not in _NO_PART_OF_A_NAME)
            found.setdefault(rest, {})[folder] = _SPLITS[named[0]]
    parts = max(found.values(), key=lambda group: (len(set(group.values())), len(group)), default={})
    return parts if len(set(parts.values())) >= 2 else {}


def _apart(word: str) -> list[str]:
    """ "trainset" as "train" and "set"."""
    for ending in _NO_PART_OF_A_NAME:
        if word.endswith(ending) and word.removesuffix(ending) in _SPLITS:
            return [word.removesuffix(ending), ending]
    return [word]


def _parts_within(files: list[_File]) -> dict[str, list[_File]]:
    """The files by part where each class has its own parts, as cats/train and cats/test; nothing otherwise."""
    if not files or any(len(folders) < 2 for _, folders in files):
        return {}
    named = _parts({folders[1] for _, folders in files})
    tops = Counter(folders[0] for _, folders in files)
    if len(tops) < 2 or any(folders[1] not in named for _, folders in files):
        return {}
    groups: dict[str, list[_File]] = {}
    for name, folders in files:
        groups.setdefault(named[folders[1]], []).append((name, (folders[0], *folders[2:])))
    return groups
