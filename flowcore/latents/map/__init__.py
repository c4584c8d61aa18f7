"""A map of pictures by their z."""
