"""A workspace that cannot be opened."""

from __future__ import annotations


def create(_context):
    raise RuntimeError("no such thing as a canvas")
