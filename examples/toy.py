"""A flow learns a density of the plane whose entropy is known: `python examples/toy.py [DENSITY] [FLOW] [STEPS]`."""

import sys

from flowcore.plane.trainer import run

density = sys.argv[1] if len(sys.argv) > 1 else "two-moons"
flow = sys.argv[2] if len(sys.argv) > 2 else "realnvp"
steps = int(sys.argv[3]) if len(sys.argv) > 3 else 1000

row = run(density, flow, steps, seed=0)
print(f"{row['nll']:.3f} ± {row['standard_error']:.3f} nat on held-out points; no model can be below {row['entropy']:.3f}")
