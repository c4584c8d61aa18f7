"""What a command says and writes: figures on stdout, words on stderr, files whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from flowcore.atomic import replacing
from flowcore.errors import FlowError

__all__ = ["OutputError", "OutputFile", "one_sentence", "open_streams", "picture_files", "print_json", "print_table",
           "print_text", "say", "silence"]  # fmt: skip

MAX_SENTENCE = 300

Result = TypeVar("Result")


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


def one_sentence(text: str, most: int = MAX_SENTENCE) -> str:
    """A message as one line of at most so many characters; the middle of a longer one is left out."""
    line = _harmless(text)
    return line if len(line) <= most else f"{line[: most - 123]} … {line[-120:]}"


def say(sentence: str) -> None:
    """One line to the person, on stderr; where nobody hears it, the work goes on."""
    try:
        _write(sys.stderr, _harmless(sentence) + "\n")
    except (OSError, ValueError):
        silence(sys.stderr)


def print_text(text: str) -> None:
    """A line on stdout."""
    _write(sys.stdout, _harmless(text) + "\n")


def _harmless(text: str) -> str:
    """The text with escapes in the place of what a terminal would obey, or cannot show; a file's name may hold any of it."""
    if text.isprintable():
        return text
    return "".join(
        c if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") else c.encode("unicode_escape").decode()
        for c in text
    )


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
    rows = [[_harmless(str(cell)) for cell in row] for row in rows]
    widths = [max([len(heading), *(len(row[i]) for row in rows)]) for i, heading in enumerate(headings)]

    def line(cells: Sequence[str]) -> str:
        parts = [
            cell.rjust(width) if cell[:1].isdigit() and cell[-1:].isdigit() else cell.ljust(width)
            for cell, width in zip(cells, widths, strict=True)
        ]
        return "  ".join(parts).rstrip()

    for row in (headings, *rows):
        print_text(line(row))


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
        for path in protected:
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


def picture_files(folder: str, images: Sequence[str], protected: Iterable[str | Path]) -> list[OutputFile]:
    """A PNG for each picture, named after it, in a folder that is made where it is missing; made sure of before any work.

    Two pictures of one name become NAME.png and NAME-2.png. Raises OutputError.
    """
    place = Path(folder).expanduser()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made ({error.strerror or error}).") from error
    kept, taken = list(protected), Counter[str]()
    targets = []
    for image in images:
        stem = Path(image).stem or "picture"
        taken[stem.casefold()] += 1
        again = taken[stem.casefold()]
        name = f"{stem}.png" if again == 1 else f"{stem}-{again}.png"
        targets.append(OutputFile(os.fspath(place / name), (".png",), kept))
    return targets
