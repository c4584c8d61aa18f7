"""A model of pictures: the flow, its priors and networks, the systems, checkpoints, encoding and evaluation."""
