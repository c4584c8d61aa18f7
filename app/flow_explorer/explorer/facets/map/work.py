"""What the map makes of a lasso: a pile, which is a folder of copies, or a direction, which is a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.requests.map import MapDirection, MapPile
from flow_explorer.explorer.model import Model
from flow_explorer.i18n import plural, tr

__all__ = ["MapWork"]


class MapWork:
    """One at a time. `notify` is the window's banner."""

    def __init__(self, client: Any, notify: Callable[..., None], on_change: Callable[[], None]) -> None:
        self._client, self._notify, self._on_change = client, notify, on_change
        self._id: int | None = None
        self._words = ""
        self._fraction = 0.0

    @property
    def busy(self) -> bool:
        return self._id is not None

    @property
    def shown(self) -> tuple[float, str] | None:
        """(fraction, words) while something is made."""
        return (self._fraction, self._words) if self.busy else None

    def pile(self, model: Model, path: str, rows: np.ndarray, folder: str) -> None:
        """Copy these pictures into a folder."""

        def done(message: Any) -> None:
            data = message.data
            saved, failed = int(data["saved"]), int(data["failed_count"])
            words = plural(saved, "{count} picture was copied to {folder}.", "{count} pictures were copied to {folder}.",
                           folder=folder)  # fmt: skip
            if failed:
                words += " " + str(data["failed"][0][1])
                if failed > 1:
                    words += " " + plural(failed - 1, "So it was with {count} more.", "So it was with {count} more.")
            self._notify(words, kind="error" if failed else "good")

        self._start(tr("Copying the pile"), MapPile(str(model.path), path, rows.astype(np.int64), folder), done)

    def direction(self, model: Model, path: str, rows: np.ndarray, file: str) -> None:
        """Save the direction from the others to these."""

        def done(message: Any) -> None:
            inside, outside = int(message.data["inside"]), int(message.data["outside"])
            self._notify(tr("The direction from {outside} pictures to {inside} was saved as {file}.",
                            outside=f"{outside:,}", inside=f"{inside:,}", file=file), kind="good")  # fmt: skip

        self._start(tr("Making the direction"), MapDirection(str(model.path), path, rows.astype(np.int64), file), done)

    def cancel(self) -> None:
        """Stop it; what has been copied stays."""
        if self._id is not None:
            self._client.cancel(self._id)
            self._end()

    def _start(self, words: str, request: Any, done: Callable[[Any], None]) -> None:
        self.cancel()
        self._words, self._fraction = words, 0.0

        def answered(message: Any) -> None:
            self._end()
            done(message)

        def failed(sentence: str, details: str = "") -> None:
            self._end()
            self._notify(sentence, details)

        self._id = -1
        made = self._client.send(request, on_answer=answered, on_error=failed, on_progress=self._progressed)
        if self._id is not None:
            self._id = made
        self._on_change()

    def _progressed(self, fraction: float, _text: str = "") -> None:
        self._fraction = fraction
        self._on_change()

    def _end(self) -> None:
        self._id = None
        self._on_change()
