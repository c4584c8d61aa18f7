"""The addresses by which files are dropped, and which of them are files of this computer."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QMimeData, QUrl

__all__ = ["local_path", "local_paths"]


def local_paths(mime: QMimeData) -> list[Path]:
    """The files of this computer among what is dropped."""
    return [path for url in mime.urls() if (path := local_path(url)) is not None]


def local_path(url: QUrl) -> Path | None:
    """The file of this computer that an address names, byte for byte; None for any other address."""
    path = unquote_to_bytes(url.path(QUrl.ComponentFormattingOption.FullyEncoded))
    host = url.host().lower()
    if url.scheme() == "smb" and hasattr(os, "getuid"):
        # Where GNOME's file manager has opened the share, it is a folder too
        share, _, rest = os.fsdecode(path).lstrip("/").partition("/")
        mounted = Path(f"/run/user/{os.getuid()}/gvfs/smb-share:server={host},share={share.lower()}") / rest
        return mounted if host and share and mounted.exists() else None
    if url.scheme() != "file" or not path:
        return None
    if os.name == "nt":
        return Path(url.toLocalFile()) if host != "localhost" else Path(os.fsdecode(path).lstrip("/"))
    return Path(os.fsdecode(path)) if host in ("", "localhost", "127.0.0.1", "::1", socket.gethostname().lower()) else None
