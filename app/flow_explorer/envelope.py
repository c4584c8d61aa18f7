"""Files of one JSON object with a key that says what they are: written whole or not at all, read within bounds.

Such a file is only ever parsed as JSON, never unpacked, unpickled or evaluated; what is inside is its owner's to check.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow_explorer.i18n import tr
from flowcore import plain_json
from flowcore.atomic import replacing
from flowcore.errors import ConfigError, FlowError
from flowcore.pictures.images import read_file

__all__ = ["Envelope"]


@dataclass(frozen=True)
class Envelope:
    """A kind of file: ``what`` in words ("session"), the ``key`` that holds its ``schema``, and the ``most`` bytes of one."""

    what: str
    key: str
    schema: int
    most: int
    advice: str = ""
    """What makes a file smaller."""

    def write(self, path: Path, value: Mapping[str, Any]) -> None:
        """Write ``value`` with the key, whole or not at all. Raises `ConfigError` in one sentence."""
        what = tr(self.what)
        try:
            text = json.dumps({self.key: self.schema, **value}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            if len(text) > self.most:
                raise ConfigError(tr("The {what} is {size} MiB, more than the {most} that one file may have{advice}.", what=what,
                                     size=len(text) >> 20, most=self.most >> 20, advice=tr(self.advice)))  # fmt: skip
            with replacing(path) as temporary:
                # Half a character, as in the name of a file that is no Unicode, is an escape of JSON's too
                temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise ConfigError(tr("The {what} cannot be written to {path} ({why}).", what=what, path=str(path),
                                 why=error.strerror or str(error))) from error  # fmt: skip
        except (ValueError, TypeError) as error:
            raise ConfigError(tr("The {what} cannot be written: {why}.", what=what, why=str(error))) from error

    def read(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """The object in a file of this kind and schema. Raises `FlowError` in one sentence for whatever is none."""
        name, what = os.path.basename(os.fspath(path)), tr(self.what)
        try:
            value = plain_json.loads(self._text(path, name))
        except (ValueError, MemoryError):
            raise ConfigError(tr("{name} is not a {what}, or it is damaged.", name=name, what=what)) from None
        if not isinstance(value, dict) or self.key not in value:
            raise ConfigError(tr("{name} is not a {what} of Flow Explorer.", name=name, what=what))
        schema = value[self.key]
        if isinstance(schema, bool) or schema != self.schema:
            raise ConfigError(tr("{name} was written by another version (schema {schema}); this one reads {own}.",
                                 name=name, schema=repr(schema)[:40], own=self.schema))  # fmt: skip
        return value

    def _text(self, path: str | os.PathLike[str], name: str) -> str:
        try:
            return read_file(path, name, self.most).decode("utf-8")
        except FlowError as error:
            raise ConfigError(str(error)) from error

