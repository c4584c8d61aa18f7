"""The same z's at two temperatures, one row each: `python examples/sample.py [MODEL] [OUT.png]`."""

import sys

import numpy as np

from flow_explorer import assets
from flowcore import load
from flowcore.model.codec import decode_batch
from flowcore.pictures.images import save_png

model = assets.resolve_model(sys.argv[1] if len(sys.argv) > 1 else "faces")
out = sys.argv[2] if len(sys.argv) > 2 else "samples.png"

flow = load(model).flow
rows = []
for temperature in (0.7, 1.0):  # below 1 pictures are smoother and likelier than the model's own
    z = flow.sample(8, temperature, seed=0).numpy()
    rows.append(np.concatenate(list(decode_batch(flow, z)), axis=1))  # (H, 8 W, C)
save_png(out, np.concatenate(rows))
print(f"{out}: 8 samples at 0.7, and the same at 1.0")
