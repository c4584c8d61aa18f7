"""Flows of points, faster: the same numbers without autograd."""
