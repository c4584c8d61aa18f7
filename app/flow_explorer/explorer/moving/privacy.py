"""What a file that is passed on may not say of the person's own: names of files, and where models lie."""

from __future__ import annotations

import re

from flow_explorer import assets
from flow_explorer.explorer.state import ExplorerState, Slot, with_slots
from flow_explorer.i18n import tr

__all__ = ["file_names", "model_name", "public"]

_FILE = re.compile(r"\.(png|jpe?g|webp|avif|gif|bmp|tiff?|jp2|ppm|pgm|pbm|ico|qoi|safetensors|npy|npz|heic)\b", re.IGNORECASE)


def model_name(name: str) -> str:
    """A model's name without the folders that it lies in."""
    return re.split(r"[\\/]", name.rstrip("\\/"))[-1]


def file_names(state: ExplorerState) -> set[str]:
    """The names of the pictures in a state that are none of a sample's: those of files, but for the bundled examples."""
    found: set[str] = set()

    def look(slot: Slot) -> Slot:
        if not slot.empty and not slot.latent:
            found.add(slot.name)
        return slot

    with_slots(state, look)
    return found - {path.name for path in assets.examples()} - {""}


def public(name: str, names: set[str]) -> str:
    """What a picture of this name is called in a file that is passed on, `names` being those of the person's files."""
    own = any(each in name for each in names) or "/" in name or "\\" in name
    return tr("picture") if own or (_FILE.search(name) and name not in {path.name for path in assets.examples()}) else name
