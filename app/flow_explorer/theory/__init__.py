"""The theory page: six figures that move, and say why a normalizing flow works."""
