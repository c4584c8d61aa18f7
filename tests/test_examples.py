"""The scripts in examples/, each in a process of its own, with the smallest settings that mean something."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flow_explorer import assets

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def example(tmp_path):
    """Runs examples/NAME.py with arguments, in an empty folder, and gives what it printed."""

    def run(name: str, *arguments: object) -> str:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "app"), str(ROOT)]), "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), *map(str, arguments)]
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8")
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("L")).astype(int)


def test_every_example_is_run_here():
    names = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert names == set(re.findall(r'example\("(\w+)"', Path(__file__).read_text(encoding="utf-8")))


def test_train(example, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(30):
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), np.uint8)).save(folder / f"{index}.png")
    told = example("train", folder, tmp_path / "run", 3)
    assert "3 steps" in told and (tmp_path / "run" / "best.safetensors").is_file()


def test_samples_at_a_lower_temperature_are_smoother(example, tmp_path):
    example("sample", "fashion-realnvp")
    cool, warm = np.split(pixels(tmp_path / "samples.png"), 2)
    assert cool.shape == (28, 8 * 28) and np.abs(np.diff(cool)).mean() < np.abs(np.diff(warm)).mean()


def test_exact(example):
    assert "784 numbers" in (told := example("exact", "fashion-realnvp", assets.examples()[0])) and " 0 bytes differ" in told


def test_walk(example, tmp_path):
    pictures = assets.examples()
    example("walk", "fashion-realnvp", *pictures[:2], "there.png")
    example("walk", "fashion-realnvp", *pictures[1::-1], "back.png")
    there, back = pixels(tmp_path / "there.png"), pixels(tmp_path / "back.png")
    assert there.shape == (28, 9 * 28) and not np.array_equal(there[:, :28], there[:, -28:])
    assert np.array_equal(there[:, :28], back[:, -28:]) and np.array_equal(there[:, -28:], back[:, :28])


def test_score_finds_a_garment_likelier_than_noise(example, tmp_path):
    garment, noise = assets.root() / "examples" / "t-shirt.png", tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)).save(noise)
    bits = [float(value) for value in re.findall(r": ([\d.]+) bits", example("score", "fashion-realnvp", garment, noise))]
    assert len(bits) == 2 and 0 < bits[0] < bits[1]


def test_toy(example):
    told = example("toy", "two-moons", "realnvp", 200)
    loss, _, entropy = (float(value) for value in re.findall(r"\d+\.\d+", told))
    assert entropy < loss < entropy + 2
