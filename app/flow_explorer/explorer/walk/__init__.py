"""The walk between A and B: its strip, its curve, its player."""
