"""Two models, or two checkpoints of one training run, side by side."""
