"""Saving every translation into a folder: in the background, with progress, and never over a file that nobody was asked about."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.piles import SaveTranslations, TranslationsSaved
from flow_explorer.i18n import plural, tr
from flowcore.data.pile import output_names

__all__ = ["SaveLink", "SaveView"]


@dataclass
class SaveView:
    """What is to be said of the saving."""

    busy: bool = False
    fraction: float | None = None
    words: str = ""
    there: int = 0
    """So many files would be replaced: the person is asked."""
    folder: str = ""
    error: str = ""
    done: str = ""


class SaveLink:
    """`begin` checks the folder, then asks the engine, or waits for `replace_them`."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._query = Query(client, self._changed)
        self._request: SaveTranslations | None = None
        self.view = SaveView()

    def begin(self, fields: dict[str, Any], names: list[str], strength: float, folder: str, recipe: dict, model: str) -> None:
        """Save the translations of a pile's `names` into `folder`, or ask first where files would be replaced."""
        self.cancel()
        files = output_names(names)
        self._request = SaveTranslations(**fields, strength=strength, folder=folder, files=tuple(files), recipe=recipe,
                                         model_name=model)  # fmt: skip
        if not Path(folder).is_dir():
            self.view = SaveView(folder=folder, error=tr("There is no folder {folder}: choose another one.", folder=folder))
        else:
            there = sum(os.path.lexists(Path(folder) / name) for name in files)
            self.view = SaveView(folder=folder, there=there)
            if not there:
                self._send()
        self._on_change()

    def replace_them(self) -> None:
        """The person agreed that files of these names are replaced."""
        if self._request is not None and self.view.there:
            self._request = replace(self._request, replace=True)
            self._send()
            self._on_change()

    def cancel(self) -> None:
        """Stop; what is saved already stays."""
        self._query.want(None)
        self._request, self.view = None, SaveView()
        self._on_change()

    def forget(self) -> None:
        """The engine is a new one: what it had been writing is written anew, over its own files."""
        if self._query.busy and self._request is not None:
            self._request = replace(self._request, replace=True)
            self._send()

    def _send(self) -> None:
        self.view = SaveView(busy=True, folder=self.view.folder)
        self._query.forget()
        self._query.want(self._request, self._answered, self._failed)

    def _changed(self) -> None:
        if self._query.progress is not None:
            self.view.fraction, self.view.words = self._query.progress
        self._on_change()

    def _answered(self, saved: TranslationsSaved, _newest: bool) -> None:
        count, failed = saved.count, saved.failed
        done = plural(count, "{count} translation is saved in {folder}.", "{count} translations are saved in {folder}.",
                      folder=self.view.folder)  # fmt: skip
        if failed:
            done += " " + plural(len(failed), "{count} has no finite counterpart: {names}", "{count} have none: {names}",
                                 names=", ".join(failed[:4]) + (" …" if len(failed) > 4 else ""))  # fmt: skip
        self.view = SaveView(folder=self.view.folder, done=done)

    def _failed(self, sentence: str, _details: str) -> None:
        self.view = SaveView(folder=self.view.folder, error=sentence)
