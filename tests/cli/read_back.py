"""What commands wrote, read again."""

from __future__ import annotations

import os

from flowcore.pictures.recipe import extract

__all__ = ["recipe_in"]


def recipe_in(source: str | os.PathLike[str] | bytes) -> dict:
    """The recipe in a picture, which has one."""
    found = extract(source)
    assert found is not None
    return found
