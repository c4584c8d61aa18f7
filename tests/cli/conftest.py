"""A small model with a whole card, a few pictures, and a way to run the command line in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flow_explorer.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout, which must be JSON and nothing else."""
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def _one_thread(one_thread: None) -> None:
    """Every command here computes on one thread."""


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs `flow-explorer ARGUMENTS...` in this process."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def refused(cli: Callable[..., Ran]) -> Callable[..., str]:
    """Runs a command that must fail with exit code 2 and one sentence, nothing on stdout; gives the sentence."""

    def run(*arguments: object) -> str:
        ran = cli(*arguments)
        assert ran.code == 2, ran
        assert ran.out == ""
        sentence = ran.err.strip()
        assert sentence and "\n" not in sentence and "Traceback" not in sentence, ran.err
        assert sentence.startswith("flow-explorer") and sentence.endswith("."), sentence
        return sentence

    return run


def picture(seed: int, size: int = 16) -> np.ndarray:
    """A smooth coloured blob with a little noise, uint8 size×size×3."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    cx, cy, radius = rng.uniform(0.2, 0.8, 3)
    blob = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (0.05 + 0.2 * radius))
    values = 60 + 150 * blob[..., None] * rng.uniform(0.3, 1.0, 3) + rng.normal(0, 6, (size, size, 3))
    return values.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Glow of 16×16 colour pictures after a few real steps, saved with its card."""
    import torch

    from flowcore import build, save
    from flowcore.model import evaluation

    torch.manual_seed(0)
    flow = build({"system": "glow", "shape": [3, 16, 16], "levels": 2, "steps": 2, "width": 16})
    pictures = np.stack([picture(seed) for seed in range(64)])
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() + 0.5
    flow.initialise(x)
    flow.train()
    optimiser = torch.optim.Adam(flow.parameters(), 1e-3)
    for _ in range(20):
        optimiser.zero_grad()
        flow.bits_per_dim(flow.log_prob(x)).mean().backward()
        optimiser.step()
    flow.eval()
    card = {
        "name": "blobs",
        "title": "Blobs",
        "system": "glow",
        "size": [16, 16],
        "channels": 3,
        "data": {"name": "blobs", "licence": "CC0", "credit": "", "note": ""},
        "bpd": None,
        "held_out": evaluation.held_out_summary(flow, pictures),
        "default_temperature": 0.7,
        "default_seed": 0,
    }
    path = tmp_path_factory.mktemp("model") / "blobs.safetensors"
    save(path, flow, card)
    return path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A 40×30 photograph's stand-in as a PNG file."""
    path = tmp_path / "blob.png"
    Image.fromarray(picture(1, 40)[:30]).save(path)
    return path


@pytest.fixture
def picture_folder(tmp_path: Path) -> Path:
    """Forty 16×16 pictures to train on, twenty to test on, in train and test subfolders."""
    for split, seeds in (("train", range(40)), ("test", range(100, 120))):
        folder = tmp_path / "pictures" / split
        folder.mkdir(parents=True)
        for seed in seeds:
            Image.fromarray(picture(seed)).save(folder / f"{seed:03d}.png")
    return tmp_path / "pictures"
