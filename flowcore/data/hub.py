"""Data sets by their name on the Hugging Face hub, where the optional package `datasets` is installed."""

from __future__ import annotations

import importlib
import threading
from typing import Any

from ..errors import DataError, PictureError
from .sources import Source, split_of_name

__all__ = ["PREFIX", "HubSource", "is_hub_name"]

PREFIX = "hf:"
_PICTURE_COLUMNS = ("image", "img", "picture")
_LABEL_COLUMNS = ("label", "labels", "fine_label")


def is_hub_name(path: object) -> bool:
    """Whether what was given as data is a name on the hub, hf:NAME or hf:NAME:split."""
    return str(path).startswith(PREFIX)


class HubSource(Source):
    """The pictures of hf:NAME, in its own splits, or of hf:NAME:split alone; a label column gives the classes."""

    kind = "hub"

    def __init__(self, text: str) -> None:
        super().__init__()
        self.where = text
        name, _, split = text.removeprefix(PREFIX).partition(":")
        if not name:
            raise DataError(f"{text} names no data set: give hf:NAME or hf:NAME:split.")
        hub = _package()
        try:
            loaded = hub.load_dataset(name, split=split) if split else hub.load_dataset(name)
        except Exception as error:  # network, names, formats: the package raises nearly everything
            said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise DataError(f"{text} cannot be loaded from the Hugging Face hub: {said}.") from error
        splits = {"": loaded} if split or not hasattr(loaded, "items") else dict(loaded.items())
        self._rows: list[tuple[Any, str, int]] = []
        self._lock = threading.Lock()
        for part, rows in splits.items():
            self._add(hub, part, rows)
        if any(self.own):
            self.own = [own or "train" for own in self.own]
        if not self.names:
            raise DataError(f"{text} has no pictures in it: name another data set.")

    def _add(self, hub: Any, part: str, rows: Any) -> None:
        features = rows.features
        column = _column(features, "Image", _PICTURE_COLUMNS)
        if column is None:
            raise DataError(f"{self.where} has no column of pictures: it has {', '.join(features) or 'none'}.")
        rows = rows.cast_column(column, hub.Image(decode=False))
        label = _column(features, "ClassLabel", _LABEL_COLUMNS)
        kinds = [""] * len(rows)
        if label is not None:
            words = getattr(features[label], "names", None)
            # An unknown label is -1 there
            kinds = [
                str(words[value] if words and value >= 0 else value) for value in rows[label] if value is not None
            ]
            if len(kinds) != len(rows):
                kinds = [""] * len(rows)
        for index in range(len(rows)):
            self._rows.append((rows, column, index))
            self.names.append(f"{part} {index}".strip())
            self.own.append(split_of_name(part))
        self.kinds += kinds

    def read(self, index: int) -> bytes:
        """The bytes of the picture's file, as they lie in the data set."""
        rows, column, row = self._rows[index]
        with self._lock:
            try:
                value = rows[row][column]
            except Exception as error:
                raise PictureError(f"{self.names[index]} cannot be read from {self.where}: {error}.") from error
        data = value.get("bytes") if isinstance(value, dict) else None
        if data is None and isinstance(value, dict) and value.get("path"):
            from ..pictures.images import read_file

            return read_file(value["path"], self.names[index])
        if not isinstance(data, bytes):
            raise PictureError(f"{self.names[index]} of {self.where} holds no picture.")
        return data


def _package() -> Any:
    try:
        return importlib.import_module("datasets")
    except ImportError:
        raise DataError(
            "Data by a name on the Hugging Face hub needs one more package: pip install 'flow-explorer[hf]'."
        ) from None


def _column(features: Any, kind: str, names: tuple[str, ...]) -> str | None:
    typed = [name for name in features if type(features[name]).__name__ == kind]
    return next(iter(typed), None) or next((name for name in names if name in features), None)
