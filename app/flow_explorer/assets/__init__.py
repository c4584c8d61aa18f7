"""Where the bundled files are: models with their first pages, example pictures, icons.

Nothing here imports torch or Qt.
"""

from __future__ import annotations

from pathlib import Path

from flow_explorer.shipped import SHIPPED
from flowcore.errors import CheckpointError

__all__ = ["examples", "icon", "model_names", "models", "resolve_model", "root"]

# The window opens with the first of these that is bundled; the rest follow by name.
PREFERRED = ("avatars", "faces")
# These examples come first: they are of what the first model has learned.
PREFERRED_EXAMPLES = "avatar-"

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif"}


def root() -> Path:
    """The folder that holds `models`, `examples`, `directions` and `icons`: this one."""
    return Path(__file__).resolve().parent


def models() -> list[Path]:
    """The bundled checkpoints, the best-looking one first."""
    found = sorted((root() / "models").glob("*.safetensors"), key=lambda path: path.stem)
    return sorted(
        found, key=lambda path: PREFERRED.index(path.stem) if path.stem in PREFERRED else len(PREFERRED)
    )


def model_names() -> list[str]:
    """The names that `--model` takes without a path."""
    return [path.stem for path in models()]


def resolve_model(name_or_path: str | Path) -> Path:
    """The checkpoint file meant by a bundled name, a checkpoint's path or a run folder's.

    A run folder gives its `best.safetensors`, or `last.safetensors` where none has been measured yet.
    Raises CheckpointError where nothing of the kind is there.
    """
    text = str(name_or_path)
    bundled = ", ".join(model_names()) or "there are none in this copy"
    if not text.strip():
        raise CheckpointError(
            f"No model is named: give a bundled name ({bundled}), a checkpoint file or a run folder."
        )
    for path in models():
        if text == path.stem:
            return path
    path = Path(text).expanduser()
    try:
        if path.is_dir():
            for name in ("best.safetensors", "last.safetensors"):
                if (path / name).is_file():
                    return path / name
            raise CheckpointError(
                f"{path} is a folder without a checkpoint (best.safetensors or last.safetensors): "
                "give a run folder of flow-explorer train, or a checkpoint file."
            )
        if path.is_file():
            return path
        exists = path.exists()
    except (OSError, ValueError) as error:
        # A name too long for the file system, a null character in it, a folder that may not be entered.
        reason = getattr(error, "strerror", None) or str(error)
        raise CheckpointError(f"The model {text!r} cannot be looked up ({reason}).") from error
    if exists:
        raise CheckpointError(f"{path} is not a regular file, so it cannot be a checkpoint.")
    if text in SHIPPED:
        raise CheckpointError(
            f"The model {text!r} is no longer part of Flow Explorer: give a bundled name ({bundled}), a checkpoint file or a "
            "run folder."
        )
    raise CheckpointError(
        f"There is no model {text!r}: give a bundled name ({bundled}), a checkpoint file or a run folder."
    )


def examples() -> list[Path]:
    """The example pictures, those of the first model's kind first, then by name."""
    found = (path for path in (root() / "examples").glob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    return sorted(found, key=lambda path: (not path.name.startswith(PREFERRED_EXAMPLES), path.name))


def icon(name: str) -> Path:
    """The file of an icon by its name, with or without a suffix (.svg is preferred to .png)."""
    folder = root() / "icons"
    if Path(name).suffix:
        return folder / name
    for suffix in (".svg", ".png"):
        if (folder / f"{name}{suffix}").is_file():
            return folder / f"{name}{suffix}"
    return folder / f"{name}.svg"
