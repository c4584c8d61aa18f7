"""How likely pictures are under a model: `python examples/score.py [MODEL] [PICTURE …]`.

Bits per dimension at the bin centres: lower is likelier, and likelier is not better: see docs/figures.md.
"""

import sys

from flow_explorer import assets
from flowcore import load
from flowcore.model.evaluation import score
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import read_picture

model = assets.resolve_model(sys.argv[1] if len(sys.argv) > 1 else "faces")
loaded = load(model)
channels, height, width = loaded.flow.event_shape
for path in sys.argv[2:] or assets.examples():
    picture = apply_crop(read_picture(path), Crop(), height, width, channels)
    figures = score(loaded.flow, loaded.card, picture)
    print(f"{path}: {figures['bpd']:.3f} bits per dimension")
