"""Paths through z: the same walk in several ways side by side, a pad between four pictures, keyframes on a timeline."""
