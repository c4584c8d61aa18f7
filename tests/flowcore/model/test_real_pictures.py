"""The three systems after 200 real steps on real pictures, and two hundred pictures through every model that ships."""
from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from flow_explorer.assets import models
from flowcore.model import checkpoint
from flowcore.model.card import read_card
from flowcore.model.codec import decode_batch, encode_picture, save_latent, to_pixels
from flowcore.model.evaluation import bits_per_dim
from flowcore.model.systems import build

ROOT = Path(__file__).parents[3]
COUNT = 200

SYSTEMS = {
    "nice": dict(system="nice", shape=[1, 28, 28], depth=4, width=64, hidden=1),
    "realnvp": dict(system="realnvp", shape=[1, 28, 28], levels=2, width=8, blocks=1, conditional=True),
    "glow": dict(system="glow", shape=[1, 28, 28], levels=2, steps=3, width=24),
}


def fashion(folder: Path, count: int, name: str = "train") -> np.ndarray:
    with gzip.open(folder / f"{name}-images-idx3-ubyte.gz") as file:
        data = file.read(16 + count * 784)
    return np.frombuffer(data, np.uint8, offset=16).reshape(-1, 28, 28, 1).copy()


@pytest.mark.parametrize("system", SYSTEMS)
def test_after_two_hundred_steps_on_real_pictures(shared_data, system):
    pictures = fashion(shared_data("fashion-mnist"), 2000)
    held_out = fashion(shared_data("fashion-mnist"), 16, "t10k")
    torch.manual_seed(0)
    flow = build(SYSTEMS[system])
    optimiser = torch.optim.Adam(flow.parameters(), lr=1e-3)
    rng = np.random.default_rng(0)
    flow.initialise(torch.from_numpy(pictures[:64]).permute(0, 3, 1, 2) + 0.5)
    at_first = bits_per_dim(flow.eval(), held_out).bpd
    flow.train()
    for _ in range(200):
        block = torch.from_numpy(pictures[rng.integers(0, len(pictures), 16)]).permute(0, 3, 1, 2).float()
        x = block + torch.rand(block.shape)
        optimiser.zero_grad()
        flow.bits_per_dim(flow.log_prob(x)).mean().backward()
        torch.nn.utils.clip_grad_norm_(flow.parameters(), 1.0)
        optimiser.step()
    flow.eval()
    assert bits_per_dim(flow, held_out).bpd < at_first - 0.3
    for picture in held_out:
        encoded = encode_picture(flow, picture)
        assert encoded.differing == 0
    z = flow.sample(8, 1.0, seed=0)
    with torch.no_grad():
        assert torch.isfinite(flow.decode(z)).all()
    double = flow.double()
    with torch.no_grad():
        x = to_pixels(held_out, double)
        z, log_det = double.encode(x)
        assert (double.decode(z) - x).abs().max() <= 1e-9 * x.abs().max()


def photographs(find, channels: int, height: int, width: int, count: int) -> list[np.ndarray]:
    """Held-out pictures of the model's own kind, and of another."""
    if channels == 1:
        return list(fashion(find("fashion-mnist"), count, "t10k"))
    archive = zipfile.ZipFile(next(find("celeba10k").glob("*.zip")))
    names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[-count:]
    return [np.asarray(Image.open(io.BytesIO(archive.read(n))).convert("RGB").resize((width, height))) for n in names]


def ugly(channels: int, height: int, width: int) -> list[np.ndarray]:
    """What nobody trains on: noise, flat, stripes of every width, checkerboards, salt."""
    rng = np.random.default_rng(0)
    rows, columns = np.indices((height, width))
    masks = [rows * 0, rows * 0 + 1, (rows + columns) % 2]
    masks += [(axis // period) % 2 for axis in (rows, columns, rows + columns) for period in (1, 2, 3, 5)]
    result = [np.repeat((mask * 255).astype(np.uint8)[..., None], channels, 2) for mask in masks]
    shape = (height, width, channels)
    result += [rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(12)]
    result += [(rng.integers(0, 2, shape) * 255).astype(np.uint8) for _ in range(6)]
    result += [np.where(rng.random(shape) < share, 255, 0).astype(np.uint8) for share in (0.001, 0.01, 0.05, 0.2)]
    return result


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", models(), ids=lambda path: path.stem)
def test_two_hundred_pictures_come_back_byte_for_byte(tmp_path, shared_data, path):
    card = read_card(path)
    height, width = card["size"]
    flow = checkpoint.load(path).flow
    pictures = ugly(card["channels"], height, width)
    classes = flow.num_classes

    def label(number: int) -> torch.Tensor | None:
        """Every class gives every byte back: here all of them in turn."""
        return torch.tensor([number % classes]) if classes else None

    eight = torch.arange(8) % classes if classes else None
    pictures += list(decode_batch(flow, flow.sample(8, 1.0, seed=3).numpy(), eight))
    pictures += photographs(shared_data, card["channels"], height, width, COUNT - len(pictures))
    assert len(pictures) == COUNT
    doubles = 0
    for number, picture in enumerate(pictures):
        encoded = encode_picture(flow, picture, label(number))
        doubles += encoded.z.dtype == np.float64
        save_latent(tmp_path / f"{number}.safetensors", encoded.z)
    np.save(tmp_path / "expected.npy", np.stack(pictures))
    code = (
        "import numpy as np, torch; from flowcore.model import checkpoint\n"
        "from flowcore.model.codec import decode_picture, load_latent\n"
        f"flow = checkpoint.load({str(path)!r}).flow\n"
        f"expected = np.load({str(tmp_path / 'expected.npy')!r})\n"
        "for i, picture in enumerate(expected):\n"
        f"    z, _ = load_latent({str(tmp_path)!r} + f'/{{i}}.safetensors')\n"
        "    assert z.shape == (picture.size,)\n"
        f"    label = torch.tensor([i % {classes}]) if {classes} else None\n"
        "    assert np.array_equal(decode_picture(flow, z, label), picture), i\n"
        "    if 15 <= i < 27:\n"  # noise, where hardly a byte is at 0 or 255 and could not be seen to move
        "        z[i] += 20.0\n"
        "        assert not np.array_equal(decode_picture(flow, z, label), picture), 'a changed number changes nothing'\n"
        "print('exact', len(expected))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert f"exact {COUNT}" in result.stdout, result.stderr
    print(f"{path.stem}: {COUNT} pictures exact, {doubles} of them in float64")
