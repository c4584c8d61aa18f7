"""A training's past, scrubbed back."""
