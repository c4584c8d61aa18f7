"""Train a small flow on a folder of your own pictures: `python examples/train.py FOLDER RUN [STEPS]`."""

import sys

from flowcore.data.datasets import open_dataset
from flowcore.training import TrainConfig, architecture_for, train

folder, run = sys.argv[1:3]
steps = int(sys.argv[3]) if len(sys.argv) > 3 else 2000

pictures = open_dataset(folder, "train", size=16, validation=0.2)  # of any size and shape: cut to squares
held_out = open_dataset(folder, "validation", size=16, validation=0.2)
config = TrainConfig(architecture_for("glow-plus", "tiny", pictures.shape), steps=steps, batch=16)
trainer = train(config, pictures, run, held_out)
print(f"{len(pictures)} pictures, {trainer.step} steps: open {run} in the window, or flow-explorer sample --model {run}")
