"""What the map makes of a lasso: a pile, which is a folder of copies, or a direction, which is a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.base import Request
from flow_explorer.engine.requests.map import LassoDirection, MapDirection, MapPile, PileCopied
from flow_explorer.explorer.model import Model
from flow_explorer.i18n import plural, tr

__all__ = ["MapWork"]

A = TypeVar("A")


class MapWork:
    """One at a time. `notify` is the window's banner."""

    def __init__(self, client: Any, notify: Callable[..., None], on_change: Callable[[], None]) -> None:
        self._notify, self._on_change = notify, on_change
        self._query = Query(client, on_change)
        self._words = ""

    @property
    def busy(self) -> bool:
        return self._query.busy

    @property
    def shown(self) -> tuple[float, str] | None:
        """(fraction, words) while something is made."""
        fraction = 0.0 if self._query.progress is None else self._query.progress[0]
        return (fraction, self._words) if self.busy else None

    def pile(self, model: Model, path: str, rows: np.ndarray, folder: str) -> None:
        """Copy these pictures into a folder."""

        def done(copied: PileCopied) -> None:
            saved, failed = copied.saved, copied.failed_count
            words = plural(saved, "{count} picture was copied to {folder}.", "{count} pictures were copied to {folder}.",
                           folder=folder)  # fmt: skip
            if failed:
                words += " " + copied.failed[0][1]
                if failed > 1:
                    words += " " + plural(failed - 1, "So it was with {count} more.", "So it was with {count} more.")
            self._notify(words, kind="error" if failed else "good")

        self._start(tr("Copying the pile"), MapPile(str(model.path), path, rows.astype(np.int64), folder), done)

    def direction(self, model: Model, path: str, rows: np.ndarray, file: str) -> None:
        """Save the direction from the others to these."""

        def done(made: LassoDirection) -> None:
            self._notify(tr("The direction from {outside} pictures to {inside} was saved as {file}.",
                            outside=f"{made.outside:,}", inside=f"{made.inside:,}", file=file), kind="good")  # fmt: skip

        self._start(tr("Making the direction"), MapDirection(str(model.path), path, rows.astype(np.int64), file), done)

    def cancel(self) -> None:
        """Stop it; what has been copied stays."""
        if self.busy:
            self._query.want(None)
            self._on_change()

    def _start(self, words: str, request: Request[A], done: Callable[[A], object]) -> None:
        self._words = words
        self._query.forget()  # the same may be made again
        self._query.want(request, lambda answer, _newest: done(answer), self._notify)
        self._on_change()
