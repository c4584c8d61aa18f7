"""What a command says and writes: figures on stdout, words on stderr, files whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from flowcore.atomic import replacing
from flowcore.errors import FlowError
from flowcore.one_line import one_line

__all__ = [
    "OutputError", "OutputFile", "apart", "distinct", "files_below", "open_streams", "picture_files", "print_json", "print_table",
    "print_text", "say", "silence",
]  # fmt: skip

Result = TypeVar("Result")
LONGEST = 2000
"""Characters of a line on stdout, which holds all attributes of a data set at times."""


class OutputError(FlowError):
    """A file cannot be written where it was asked for."""


def open_streams() -> None:
    """Where a stream was closed (``>&-``), words go nowhere, and no file that is opened later takes its number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def silence(stream: Any) -> None:
    """Nobody reads a stream any more: what is still to be written goes nowhere, at exit too."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say(sentence: str) -> None:
    """One line to the person, on stderr, whatever the names in it hold; where nobody hears it, the work goes on."""
    try:
        _write(sys.stderr, one_line(sentence) + "\n")
    except (OSError, ValueError, RuntimeError):
        silence(sys.stderr)


def print_text(text: str) -> None:
    """A line on stdout, whatever the names in it hold."""
    _write(sys.stdout, one_line(text, LONGEST) + "\n")


def _write(stream: Any, text: str) -> None:
    if stream is None:
        return
    try:
        stream.write(text)
    except UnicodeEncodeError:
        # A file name in Chinese on an ASCII terminal
        encoding = getattr(stream, "encoding", None) or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def print_json(value: Any) -> None:
    """JSON on stdout, ASCII alone, so that it survives every terminal and pipe. NaN is not JSON and is refused."""
    _write(sys.stdout, json.dumps(value, indent=2, allow_nan=False) + "\n")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns aligned by their widest cell; figures, told by their first character, to the right."""
    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = [max([len(heading), *(len(row[i]) for row in rows)]) for i, heading in enumerate(headings)]

    def line(cells: Sequence[str]) -> str:
        parts = [
            cell.rjust(width) if cell[:1].isdigit() and cell[-1:].isdigit() else cell.ljust(width)
            for cell, width in zip(cells, widths, strict=True)
        ]
        return "  ".join(parts).rstrip()

    _write(sys.stdout, "".join(f"{text}\n" for text in [line(headings), *map(line, rows)]))


class OutputFile:
    """A file to be written at the end of the work, whole or not at all.

    Making one checks, before any work is done, that it can be written: raises OutputError with a sentence. `protected` are
    files that must not be overwritten, such as the model and the pictures that are read.
    """

    def __init__(self, path: str, suffixes: Sequence[str], protected: Iterable[str | Path] = ()) -> None:
        self.path = Path(path).expanduser()
        # A link is followed, so that the file it names is replaced and not the link.
        self.target = Path(os.path.realpath(self.path))
        suffix = self.target.suffix.lower()
        if suffix not in suffixes:
            choice = " or ".join(suffixes)
            raise OutputError(f"{self.path} does not end in {choice}, which is what this command writes.")
        try:
            self._check(protected)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written ({error.strerror or error}).") from error
        except ValueError as error:
            raise OutputError(f"{str(self.path)!r} cannot be a file's name ({error}).") from error

    @property
    def suffix(self) -> str:
        """The ending that says the format, in lower case."""
        return self.target.suffix.lower()

    def _check(self, protected: Iterable[str | Path]) -> None:
        folder = self.target.parent
        if self.target.is_dir():
            raise OutputError(f"{self.path} is a folder: give the name of a file in it.")
        if self.target.exists() and not self.target.is_file():
            raise OutputError(f"{self.path} is not a regular file, so it is not replaced: give another name.")
        if not folder.is_dir():
            raise OutputError(f"{self.path} cannot be written: there is no folder {folder}.")
        if self.target.exists() and not os.access(self.target, os.W_OK):
            raise OutputError(f"{self.path} is write-protected: give another name.")
        for path in (os.path.expanduser(path) for path in protected):
            if os.path.exists(path) and self.target.exists() and os.path.samefile(path, self.target):
                raise OutputError(
                    f"{self.path} is read by this command, so it is not overwritten: give another name."
                )
        # Only the attempt tells: rights, a full disk and a file system mounted read-only all look the same beforehand.
        probe = self.target.with_name(f".{secrets.token_hex(6)}.part")
        probe.touch(exist_ok=False)
        probe.unlink()

    def write(self, writer: Callable[[Path], Result]) -> Result:
        """Let `writer` write a temporary file beside the target, then put it in the target's place; what it returns."""
        try:
            # The suffix stays last, because writers choose the format by it.
            with replacing(self.target, ending=f".part{self.suffix}") as temporary:
                return writer(temporary)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written ({error.strerror or error}).") from error

    def write_bytes(self, data: bytes) -> None:
        """Write these bytes, whole or not at all."""
        self.write(lambda path: path.write_bytes(data))


def picture_files(
    folder: str, images: Sequence[str], protected: Iterable[str | Path], read: Iterable[str | Path] = ()
) -> list[OutputFile]:
    """A PNG for each picture, named after it, in a folder that is made where it is missing; made sure of before any work.

    The first picture of a name keeps it, a further one gets the lowest number from 2 that no other of these files has:
    NAME-2.png. `protected` are files that must not be overwritten, and so is what lies in the folders of `read`. Raises
    OutputError.
    """
    place = Path(folder).expanduser()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made ({error.strerror or error}).") from error
    kept = [*protected, *files_below(place, read)]
    stems = apart([Path(image).stem or "picture" for image in images])
    return distinct(OutputFile(os.fspath(place / f"{stem}.png"), (".png",), kept) for stem in stems)


def distinct(targets: Iterable[OutputFile]) -> list[OutputFile]:
    """The same files. Raises OutputError where two of them are one, by a link or on a disk that knows no capitals."""
    found: dict[str, OutputFile] = {}
    for target in targets:
        other = found.setdefault(_same_name(os.fspath(target.target)), target)
        if other is not target:
            raise OutputError(f"{other.path} and {target.path} are one file, and two are to be written: give another place.")
    return list(found.values())


def apart(stems: Sequence[str]) -> list[str]:
    """Names of which no two are the same, each its own where it comes first."""
    taken = {_same_name(stem) for stem in stems}
    seen: set[str] = set()
    names = []
    for stem in stems:
        name, number = stem, 1
        if _same_name(stem) in seen:
            while _same_name(name) in taken:
                number += 1
                name = f"{stem}-{number}"
        taken.add(_same_name(name))
        seen.add(_same_name(stem))
        names.append(name)
    return names


def _same_name(name: str) -> str:
    """What two names have in common that are one file somewhere: Windows and macOS know no capitals, macOS one way of
    writing an umlaut."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def files_below(place: Path, read: Iterable[str | Path]) -> list[Path]:
    """The files of the folder to write into, where it lies in one that is read."""
    try:
        inside = any(Path(os.path.realpath(place)).is_relative_to(os.path.realpath(Path(one).expanduser())) for one in read)
        return [entry for entry in place.iterdir() if entry.is_file()] if inside else []
    except OSError as error:
        raise OutputError(f"The folder {place} cannot be read ({error.strerror or error}).") from error
