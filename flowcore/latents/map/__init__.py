"""A map of pictures by their z."""

__all__ = ["METHODS"]

METHODS = ("pca", "umap")
"""By which a map can be laid out."""
