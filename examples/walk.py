"""From one picture to another in z: `python examples/walk.py [MODEL] [A B] [OUT.png]`."""

import sys

import numpy as np

from flow_explorer import assets
from flowcore import load
from flowcore.latents.latent import walk
from flowcore.model.codec import decode_picture, encode_picture
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import read_picture, save_png

model = assets.resolve_model(sys.argv[1] if len(sys.argv) > 1 else "faces")
ends = sys.argv[2:4] if len(sys.argv) > 3 else assets.examples()[:2]
out = sys.argv[4] if len(sys.argv) > 4 else "walk.png"

flow = load(model).flow
channels, height, width = flow.event_shape
a, b = (encode_picture(flow, apply_crop(read_picture(path), Crop(), height, width, channels)).z for path in ends)
frames = [decode_picture(flow, z) for z in walk(a, b, np.linspace(0, 1, 9), "spherical")]
save_png(out, np.concatenate(frames, axis=1))
print(f"{out}: {len(frames)} frames, the first and the last exactly the pictures")
