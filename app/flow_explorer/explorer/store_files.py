"""The slots' pictures and latents on disk, one file a key, so that a session holds keys and not megabytes."""

from __future__ import annotations

import json
from pathlib import Path

from flow_explorer.explorer.store import Store
from flow_explorer.shell.content_files import ContentFiles
from flowcore.errors import FlowError
from flowcore.latents.as_json import latent_from_dict, latent_to_dict

__all__ = ["StoreFiles"]


class StoreFiles:
    """Files of a folder, named by key; what is there already is never written again, and nothing is removed."""

    def __init__(self, folder: Path) -> None:
        self.files = ContentFiles(folder)

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self.files.folder

    def write(self, store: Store, keys: set[str]) -> None:
        """Put these contents on disk, as far as the store has them. Raises OSError where one cannot be written."""
        self.files.write({key for key in keys if key in store}, lambda key: _contents(store, key))

    def read(self, store: Store, keys: set[str], known: bool = False) -> set[str]:
        """Take these contents into a store; returns those that are there and are what their keys say.

        ``known``: pictures were ones when they were written, and are decoded when they are looked at.
        """
        return {key for key in keys if self._read_one(store, key, known)}

    def _read_one(self, store: Store, key: str, known: bool) -> bool:
        data = self.files.read(key)
        if data is None:
            return False
        if known and key.startswith("p"):
            return store.put_known(key, data)
        try:
            found = store.put_picture(data) if key.startswith("p") else store.put_latent(latent_from_dict(json.loads(data)))
        except (ValueError, RecursionError, FlowError):
            return False
        return found == key


def _contents(store: Store, key: str) -> bytes:
    if key.startswith("p"):
        return store.blob(key)
    return json.dumps(latent_to_dict(store.latent(key))).encode()
