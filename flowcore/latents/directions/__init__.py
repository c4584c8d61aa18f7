"""Directions in z: made, measured, kept in files."""
