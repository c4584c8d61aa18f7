"""What is kept of a training: its file, its film, its script."""
