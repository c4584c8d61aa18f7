"""One layer at a time, in slow motion."""
