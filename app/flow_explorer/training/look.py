"""What is in a folder (or file) of pictures: ``python -m flow_explorer.training.look PATH`` prints it as JSON, line by line.

It runs in a process of its own: a folder of photographs takes minutes to read, and the window must not feel it. Lines
are {"done", "total"} while it reads, then {"found"} or {"problem"}. No torch, no Qt.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from flowcore.data.datasets import array_parts, open_source
from flowcore.data.survey import survey
from flowcore.errors import FlowError
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import Picture, read_picture

__all__ = ["look", "main"]

THUMBNAIL, THUMBNAILS = 96, 60
PATIENCE = 10.0
"""Seconds that thumbnails may take: of photographs of fifty megapixels there are fewer."""
MAX_LEFT_OUT = 500

Tell = Callable[[int, int], None]


def look(path: str | Path, tell: Tell | None = None) -> dict[str, Any]:
    """Count, sizes, classes, what cannot be read and why, and some thumbnails, as JSON values.

    Raises:
        DataError: in one sentence, where there is nothing to train on.
    """
    path = Path(path).expanduser()
    found = survey(path, on_progress=tell)
    left_out = [[name, sentence] for name, sentence in found.left_out]
    names = {name for name, _ in found.left_out}
    thumbnails, broken = _of_arrays(path) if found.kind == "arrays" else _of_files(path, names)
    left_out += broken
    return {
        "path": str(path), "kind": found.kind, "count": found.count - len(broken),
        "classes": list(found.classes.items()) if len(found.classes) > 1 else [],
        "smallest": found.smallest, "largest": found.largest, "one_size": found.one_size,
        "grey": found.channels == 1, "streamed": found.streamed, "left_out": left_out[:MAX_LEFT_OUT],
        "left_out_count": len(left_out), "thumbnails": thumbnails,
    }  # fmt: skip


def _of_files(path: Path, left_out: set[str]) -> tuple[list[str], list[list[str]]]:
    """Thumbnails, and what proved to be broken when it was decoded whole."""
    source = open_source(path)
    members: dict[str, list[int]] = {}
    for index, (name, kind) in enumerate(zip(source.names, source.kinds, strict=True)):
        if name not in left_out:
            members.setdefault(kind if source.classes else "", []).append(index)
    share = max(1, THUMBNAILS // max(1, len(members)))
    chosen = [
        group[round(place)] for group in members.values() for place in np.linspace(0, len(group) - 1, min(share, len(group)))
    ]
    shown: list[str] = []
    broken: list[list[str]] = []
    started = time.monotonic()
    for index in chosen[:THUMBNAILS]:
        if time.monotonic() - started > PATIENCE:
            break
        try:
            picture = read_picture(source.read(index), name=source.names[index])
        except FlowError as error:
            broken.append([source.names[index], str(error)])
            continue
        shown.append(_encoded(apply_crop(picture, Crop(), THUMBNAIL, THUMBNAIL, 3)))
    return shown, broken


def _of_arrays(path: Path) -> tuple[list[str], list[list[str]]]:
    pictures = next(part.pictures for part in (array_parts(path) or {}).values() if len(part.pictures))
    chosen = np.linspace(0, len(pictures) - 1, min(THUMBNAILS, len(pictures))).round().astype(int)
    return [_encoded(apply_crop(Picture.from_array(pictures[i]), Crop(), THUMBNAIL, THUMBNAIL, 3)) for i in chosen], []


def _encoded(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return base64.b64encode(file.getvalue()).decode("ascii")


def main(argv: list[str]) -> int:
    """Print what is at the path; 0 when something is."""
    last = 0.0

    def say(value: dict[str, Any]) -> None:
        print(json.dumps(value), flush=True)

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > 0.1:
            last = now
            say({"done": done, "total": total})

    try:
        say({"found": look(argv[0], tell)})
    except FlowError as error:
        say({"problem": str(error)})
        return 2
    except MemoryError:
        say({"problem": f"{argv[0]} needs more memory than there is."})
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
