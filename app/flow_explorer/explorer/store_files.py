"""The wells' pictures and latents on disk, one file a key, so that a session holds keys and not megabytes."""

from __future__ import annotations

import json
import re
from pathlib import Path

from flow_explorer.explorer.store import Store
from flowcore.atomic import replacing
from flowcore.errors import FlowError
from flowcore.latents.as_json import latent_from_dict, latent_to_dict

__all__ = ["StoreFiles"]

KEY = re.compile(r"[pz][0-9a-f]{32}")
MAX_BYTES = 512 * 2**20


class StoreFiles:
    """Files of a folder, named by key; what is there already is never written again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, store: Store, keys: set[str]) -> None:
        """Put these contents on disk, and remove every other. A folder that cannot be written costs the session only."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            there = {path.name for path in self.folder.iterdir() if KEY.fullmatch(path.name)}
            for key in keys - there:
                with replacing(self.folder / key, durable=False, private=True) as temporary:
                    temporary.write_bytes(_contents(store, key))
            for key in there - keys:
                (self.folder / key).unlink(missing_ok=True)
        except OSError:
            return

    def read(self, store: Store, keys: set[str]) -> set[str]:
        """Take these contents into a store; returns those that are there and are what their keys say."""
        return {key for key in keys if KEY.fullmatch(key) and self._read_one(store, key)}

    def _read_one(self, store: Store, key: str) -> bool:
        path = self.folder / key
        try:
            if path.stat().st_size > MAX_BYTES:
                return False
            data = path.read_bytes()
            found = store.put_picture(data) if key.startswith("p") else store.put_latent(latent_from_dict(json.loads(data)))
        except (OSError, ValueError, RecursionError, FlowError):
            return False
        return found == key


def _contents(store: Store, key: str) -> bytes:
    if key.startswith("p"):
        return store.blob(key)
    return json.dumps(latent_to_dict(store.latent(key))).encode()
