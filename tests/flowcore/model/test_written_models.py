"""Checkpoints and run folders of every system as they were written at 853f5d9: they open, and give the same pixels."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from flowcore.model import checkpoint
from flowcore.model.codec import decode_picture, encode_picture, label_tensor
from flowcore.plane.trainer import ToyTrainer
from flowcore.training.run_folder import RunFolder
from flowcore.training.trainer import Trainer

WRITTEN = Path(__file__).resolve().parents[2] / "fixtures" / "853f5d9"
MODELS = sorted(path.stem for path in (WRITTEN / "models").glob("*.safetensors"))
RUNS = sorted(path.name for path in (WRITTEN / "runs").iterdir())


@pytest.fixture(scope="module")
def given() -> dict[str, np.ndarray]:
    with np.load(WRITTEN / "models.npz") as file:
        return dict(file)


def check(flow, name: str, given: dict[str, np.ndarray]) -> None:
    known = {key.removeprefix(f"{name}."): value for key, value in given.items() if key.startswith(f"{name}.")}
    if "x" in known:
        with torch.no_grad():
            x = torch.from_numpy(known["x"])
            found = {"z": flow.encode(x)[0], "log_prob": flow.log_prob(x), "back": flow.decode(torch.from_numpy(known["z"]))}
        for key, value in found.items():
            assert np.abs(value.numpy() - known[key]).max() < 1e-4, key
        return
    for number in range(2):
        label = label_tensor(flow, [((number, 1.0),)]) if flow.num_classes else None
        picture, z = known[f"picture{number}"], known[f"z{number}"]
        assert np.array_equal(decode_picture(flow, z, label), picture)
        encoded = encode_picture(flow, picture, label)
        assert encoded.differing == 0 and encoded.z.dtype == z.dtype and np.abs(encoded.z - z).max() < 1e-3
        # A sample's value may lie on the border of two grey levels, where another processor rounds to the other.
        sample = decode_picture(flow, known[f"sample-z{number}"], label).astype(int)
        assert np.abs(sample - known[f"sample{number}"]).max() <= 1


def test_there_is_one_of_every_system():
    from flowcore.model.card import SYSTEM_NAMES, read_card

    systems = {read_card(WRITTEN / "models" / f"{name}.safetensors")["architecture"]["system"] for name in MODELS}
    assert systems == set(SYSTEM_NAMES) and RUNS == ["glow", "glow-plus", "nice", "realnvp"]


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_gives_what_it_gave(name, given, one_thread):
    check(checkpoint.load(WRITTEN / "models" / f"{name}.safetensors").flow, f"models/{name}", given)


DIRECTIONS = {
    "continuous": "5da0567978f55f76e791cb737d218c56", "continuous-plain": "ce308fc1165968a8562aa568fe19fd2e",
    "glow": "0919f0839df0a61d5836cb0035aaea3b", "glow-classes-half": "b76f208bda22384ff2065d31ed8b827b",
    "glow-plain": "3c6391a9fc6b9793021c41dfe7e92aa0", "glow-plus": "aabb268f6fd75f873180c95c99d688c3",
    "glow-points": "58c14d7992fcf9b86fffa572620c3892", "nice": "d1ada0cdcd7432971626c6d477469f90",
    "nice-points": "1ebfbfd6158f6889c62120ebba502dee", "realnvp": "d82c1cd3aee0aba73ad7412761ca4a6e",
    "realnvp-cycle": "6735def674d52c3c9b7477cc4bc7c521", "realnvp-points": "3498f917b8af827cb568329d7609bc69",
    "spline": "34ebc430ce822ec00599b5d3547ca806", "stack": "80f3c7179fbf678286302058470746d8",
}  # fmt: skip
"""By what directions of these models knew them then."""


@pytest.mark.parametrize("name", MODELS)
def test_directions_that_were_made_then_are_still_of_these_models(name):
    from flowcore.latents.directions.files import fingerprint

    assert fingerprint(checkpoint.load(WRITTEN / "models" / f"{name}.safetensors").flow) == DIRECTIONS[name]


@pytest.mark.parametrize("system", RUNS)
def test_a_run_folder_opens_and_goes_on(system, given, one_thread, tmp_path):
    check(checkpoint.load(WRITTEN / "runs" / system).flow, f"runs/{system}", given)
    shutil.copytree(WRITTEN / "runs" / system, tmp_path / system)
    folder = RunFolder(tmp_path / system)
    trainer = Trainer(folder.config())
    trainer.resume(folder)
    assert trainer.step == 12 and [line["step"] for line in folder.metrics() if "step" in line][-1] == 12
    channels, height, width = folder.config().architecture["shape"]
    pictures = np.random.default_rng(0).integers(0, 256, (16, height, width, channels), dtype=np.uint8)
    trainer.initialise(pictures, None)
    bpd, norm = trainer.train_step(*trainer.make_batch(pictures, None, trainer.step))
    assert trainer.step == 13 and torch.isfinite(bpd) and torch.isfinite(norm)


def test_a_training_of_the_toy_lab_goes_on_from_the_same_samples(one_thread):
    from flow_explorer.toylab.keep import training_file
    from flowcore.plane.frames import ToyFrames

    training = training_file.read(WRITTEN / "toy.flowtoy")
    assert (training.state.flow, training.state.density, training.step) == ("realnvp", "two-moons", 30)
    trainer = ToyTrainer.from_snapshot(training.snapshot)
    with np.load(WRITTEN / "toy.npz") as file:
        assert np.abs(ToyFrames(trainer).samples()[:100] - file["samples"]).max() < 1e-4
    assert np.isfinite(trainer.step()) and trainer.step_count == 31
