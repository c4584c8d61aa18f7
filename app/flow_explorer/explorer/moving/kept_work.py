"""The Explorer's work in the window's session: its state by keys, what can be undone, and the contents as files beside it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.moving.identity import is_gone, saying, settle, weights_in
from flow_explorer.explorer.moving.portable import find_model, repair
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.explorer.store_files import StoreFiles
from flow_explorer.past import Past

__all__ = ["KeptWork"]


class KeptWork:
    """Writes and reads it for one window."""

    def __init__(self, controller: Controller, folder: Path) -> None:
        self._controller, self.files = controller, StoreFiles(folder)
        self.past = Past(lambda state: state.keys, controller.store.bytes_of)

    def keep_contents(self) -> None:
        """Put all that the session will name on disk. Raises OSError."""
        history = self._controller.history
        self.past.write(history)
        self.files.write(self._controller.store, history.state.keys | self.past.keys)

    def state(self) -> dict[str, Any]:
        """The present state, whose contents are put on disk first, as far as that can be."""
        with contextlib.suppress(OSError):  # whoever must know has called `keep_contents`
            self.keep_contents()
        return {**self._controller.state.to_dict(), **saying(self._controller.weights)}

    def read(self, values: dict[str, Any]) -> tuple[ExplorerState, list[str], list[str]]:
        """The state that `state` wrote, what is gone of it, and what is to be said of its model. Raises FlowError."""
        restored = ExplorerState.from_dict(values)
        found = self.files.read(self._controller.store, restored.keys)
        restored, missing = repair(restored, {key: key for key in found})
        restored, more = find_model(restored, weights_in(values, restored.model), here=self._controller.state.model)
        return restored, missing, more

    def read_past_state(self, values: Any) -> ExplorerState:
        """A state of the history, without what cannot be found any more. Raises FlowError."""
        store = self._controller.store
        state = ExplorerState.from_dict(values)
        self.files.read(store, {key for key in state.keys if key not in store}, known=True)
        state, _missing = repair(state, {key: key for key in state.keys if key in store})
        return settle(state, "", self._controller.state.model)[0] if is_gone(state.model) else state
