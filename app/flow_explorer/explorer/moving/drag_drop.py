"""What is dragged, dropped, copied and pasted: files, picture data of a browser, and samples with their own z."""

from __future__ import annotations

import atexit
import base64
import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QBuffer, QIODevice, QMimeData, QUrl
from PySide6.QtGui import QImage

from flow_explorer.explorer.model import is_checkpoint
from flow_explorer.explorer.moving.identity import saying, weights_in
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr
from flow_explorer.widgets.dropping import local_files
from flow_explorer.widgets.pixels import to_image
from flowcore.errors import ConfigError, FlowError, PictureError
from flowcore.latents.as_json import latent_from_dict, latent_to_dict
from flowcore.model.labels import from_json, to_json
from flowcore.pictures.images import read_file, read_picture, to_png_bytes

__all__ = ["LATENT_MIME", "Dropped", "can_read", "file_name", "mime_of", "read_mime"]

LATENT_MIME = "application/x-flow-explorer-latent"
PICTURE_FORMATS = ("image/png", "image/jpeg", "image/webp", "image/avif", "image/gif", "image/bmp", "image/tiff")
WINDOW_SUFFIXES = (".flowsession", ".flowtoy")
MAX_ITEMS = 2
MAX_PAYLOAD = 64 * 2**20


@dataclass(frozen=True, eq=False)
class Dropped:
    """One thing that came in: a `latent`, a `checkpoint` path, or a picture file's `data`."""

    name: str
    latent: Latent | None = None
    checkpoint: Path | None = None
    data: bytes = b""


def can_read(mime: QMimeData) -> bool:
    """Whether a drag over the window has anything for us; looks only at the formats, so it is quick."""
    if mime.hasUrls() and any(url.fileName().lower().endswith(WINDOW_SUFFIXES) for url in mime.urls()[:MAX_ITEMS]):
        return False  # the window's, wherever it is dropped
    if mime.hasFormat(LATENT_MIME) or mime.hasImage() or mime.hasUrls():
        return True
    return any(mime.hasFormat(name) for name in PICTURE_FORMATS)


def read_mime(mime: QMimeData) -> list[Dropped]:
    """What was dropped or pasted, at most two things. Raises `FlowError` in one sentence when nothing can be used."""
    if mime.hasFormat(LATENT_MIME):
        latent = _read_latent(bytes(mime.data(LATENT_MIME).data()))
        return [Dropped(latent.name, latent=latent)]
    files = local_files(mime)
    if files:
        return [_read_path(path) for path in files[:MAX_ITEMS]]
    name = _name_of(mime)
    # A browser gives the file itself beside a decoded copy; the file keeps its alpha, profile and recipe.
    for kind in PICTURE_FORMATS:
        data = bytes(mime.data(kind).data()) if mime.hasFormat(kind) else b""
        if data:
            return [Dropped(name, data=data)]
    if mime.hasImage():
        image = QImage(mime.imageData())
        if not image.isNull():
            return [Dropped(name, data=_png_of(image))]
    for url in mime.urls():
        if url.scheme() == "data":
            return [Dropped(name, data=_data_url(url.toString()))]
    elsewhere = next((url for url in mime.urls() if url.scheme() not in ("http", "https", "")), None)
    if elsewhere is not None:
        raise PictureError(tr("{name} lies on another machine or device ({where}), which is not read from here: copy it to a "
                              "folder of this computer first.", name=elsewhere.fileName()[:80] or tr("What was dropped"),
                              where=f"{elsewhere.scheme()}://{elsewhere.host()}"[:80]))  # fmt: skip
    if mime.hasUrls():
        raise PictureError(tr("Only the picture's address came, and nothing is ever downloaded: copy the picture "
                              "itself in the browser and paste it here, or save it first."))  # fmt: skip
    raise PictureError(tr("There is no picture in what was pasted: copy a picture, or a picture file, first."))


def _read_path(path: Path) -> Dropped:
    if is_checkpoint(path):
        return Dropped(path.name, checkpoint=path)
    return Dropped(path.name, data=read_file(path, path.name))


def _name_of(mime: QMimeData) -> str:
    for url in mime.urls():
        name = url.fileName()
        if url.scheme() in ("http", "https") and "." in name:
            return name
    return tr("pasted picture")


def _png_of(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # pyright: ignore[reportCallIssue, reportArgumentType]  # Qt wants the name as str
    return bytes(buffer.data().data())


def _data_url(text: str) -> bytes:
    head, _, body = text.partition(",")
    try:
        data = base64.b64decode(body) if head.endswith(";base64") else unquote_to_bytes(body)
    except ValueError:
        data = b""
    if not data:
        raise PictureError(tr("The dropped picture is empty or damaged: save it to a file and drop that."))
    return data


def mime_of(latent: Latent, png: bytes, name: str) -> QMimeData:
    """A picture on its way out: as a file for a file manager, as pixels for others, with its z for our own slots.

    `png` is the file's content (it has its recipe inside), `name` the name that the file gets.
    """
    mime = QMimeData()
    payload = {**latent_to_dict(latent.z), "model": latent.model, **saying(latent.weights), "name": latent.name,
               "picture": base64.b64encode(to_png_bytes(latent.picture)).decode(), "label": to_json(latent.label)}
    mime.setData(LATENT_MIME, json.dumps(payload).encode())
    mime.setImageData(to_image(latent.picture))
    path = _drag_folder() / name
    path.write_bytes(png)
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    return mime


def _read_latent(payload: bytes) -> Latent:
    try:
        if len(payload) > MAX_PAYLOAD:
            raise ValueError("too long")
        entry = json.loads(payload)
        pixels = read_picture(base64.b64decode(entry["picture"], validate=True)).pixels[..., :3]
        model, name = entry["model"], entry["name"]
        if not isinstance(model, str) or not isinstance(name, str):
            raise ValueError("no model")
        label, weights = from_json(entry.get("label")), weights_in(entry, entry["model"])
        return Latent(model, latent_from_dict(entry), pixels, name, label, weights=weights)
    except FlowError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ConfigError(tr("The dropped sample is damaged: drag it once more.")) from None


_folder: Path | None = None


def _drag_folder() -> Path:
    """Where files lie while they are dragged out: a file manager copies them after the drop, so they stay until exit."""
    global _folder
    if _folder is None or not _folder.is_dir():
        _folder = Path(tempfile.mkdtemp(prefix="flow-explorer-"))
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    return _folder


def file_name(*parts: str, suffix: str = ".png") -> str:
    """A file name of these words that every system accepts."""
    words = "-".join(re.sub(r"[^\w.]+", "-", part).strip("-.") for part in parts if part)
    return (words[:100] or "picture") + suffix
