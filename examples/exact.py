"""A picture to its z and back, not a byte lost: `python examples/exact.py [MODEL] [PICTURE]`."""

import sys

import numpy as np

from flow_explorer import assets
from flowcore import load
from flowcore.model.codec import decode_picture, encode_picture
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import read_picture

model = assets.resolve_model(sys.argv[1] if len(sys.argv) > 1 else "faces")
path = sys.argv[2] if len(sys.argv) > 2 else assets.examples()[0]

flow = load(model).flow
channels, height, width = flow.event_shape
seen = apply_crop(read_picture(path), Crop(), height, width, channels)  # (H, W, C) uint8, as the model sees it
z = encode_picture(flow, seen).z
back = decode_picture(flow, z)
print(f"{z.size} numbers ({z.dtype}) for {seen.size} bytes; {np.count_nonzero(back != seen)} bytes differ")
