"""How far a model's samples are from held-out pictures: `make samples-score`, `python -m tests.benchmarks.samples_score --help`.

Bits per dimension say nothing of how samples look. Two figures do. The *Fréchet distance* (Heusel et al. 2017) between samples
and held-out pictures, in the features of a small network that was trained apart on the data's own attributes or classes; and
how well another small network, trained for nothing else, *tells samples from pictures*.
"""
