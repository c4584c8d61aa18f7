"""Training on streamed pictures is training on the same pictures in memory, and stops in good order where they go away."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from flowcore.data.datasets import open_dataset
from flowcore.errors import DataError
from flowcore.training import TrainConfig, architecture_for, train


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("a", "b"):
        (tmp_path / "in" / kind).mkdir(parents=True)
        for seed in range(20):
            noise = np.random.default_rng(seed + 100 * (kind == "b")).integers(0, 256, (6, 6, 3), np.uint8)
            Image.fromarray(noise).resize((12, 10), Image.Resampling.BICUBIC).save(tmp_path / "in" / kind / f"{seed}.jpg")
    return tmp_path / "in"


def config(**options: Any) -> TrainConfig:
    architecture = architecture_for("glow", "tiny", (3, 8, 8), classes=2)
    return TrainConfig(architecture, steps=12, batch=7, evaluate_every=6, log_every=4, flip=True, classes=["a", "b"], **options)


def test_a_streamed_run_ends_with_the_weights_of_one_in_memory(folder: Path, tmp_path: Path) -> None:
    weights = []
    for name, memory in (("memory", 2**40), ("streamed", 0)):
        data, held = (open_dataset(folder, split, 8, validation=0.2, memory=memory) for split in ("train", "validation"))
        assert data.streamed == (memory == 0)
        trainer = train(config(), data, tmp_path / name, held)
        weights.append([*trainer.flow.state_dict().values(), *trainer.average.state_dict().values()])
        if memory == 0:
            # the run stopped at its seventh step, and resumed, goes through the same batches
            seen = []
            train(config(), data, tmp_path / "broken", held, should_stop=lambda seen=seen: seen.append(1) or len(seen) >= 7)
            again = train(config(), data, tmp_path / "broken", held, resume=True)
            weights.append([*again.flow.state_dict().values(), *again.average.state_dict().values()])
    for one, *others in zip(*weights, strict=True):
        assert all(torch.equal(one, other) for other in others)


def test_pictures_that_go_away_stop_the_run_with_a_sentence_and_a_checkpoint(folder: Path, tmp_path: Path) -> None:
    data = open_dataset(folder, "train", 8, memory=0)
    steps = []

    def remove() -> int:
        steps.append(1)
        if len(steps) == 2:
            shutil.rmtree(folder)
        return 0

    with pytest.raises(DataError, match="can no longer be read"):
        train(config(checkpoint_every=1000), data, tmp_path / "run", should_stop=remove)
    assert 2 <= len(steps) < 12
    assert (tmp_path / "run" / "last.safetensors").is_file()
