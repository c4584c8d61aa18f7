"""Flows of the plane and their training: the toy lab's mathematics."""
