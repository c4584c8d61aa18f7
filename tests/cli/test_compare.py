"""`flow-explorer compare`: bits of both models on the same pictures, and how surely they differ."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import picture


@pytest.fixture(scope="module")
def worse(model, tmp_path_factory) -> Path:
    """The same model before it was trained on."""
    import torch

    from flowcore import build, save

    torch.manual_seed(1)
    flow = build({"system": "glow", "shape": [3, 16, 16], "levels": 2, "steps": 2, "width": 16})
    flow.initialise(torch.rand(16, 3, 16, 16) * 255)
    path = tmp_path_factory.mktemp("worse") / "worse.safetensors"
    save(path, flow, {"name": "worse", "title": "Worse", "system": "glow", "size": [16, 16], "channels": 3})
    return path


@pytest.fixture
def images(tmp_path) -> list[Path]:
    from PIL import Image

    made = []
    for seed in range(4):
        made.append(tmp_path / f"{seed}.png")
        Image.fromarray(picture(seed)).save(made[-1])
    return made


def test_pictures_have_the_bits_that_score_says(cli, model, worse, images):
    found = cli("compare", model, worse, "--picture", *images[:2], "--picture", *images[2:], "--json").json
    assert found["models"] == ["blobs", "worse"] and found["count"] == 4
    for number, path in enumerate((model, worse)):
        scored = [row["bpd"] for row in cli("score", *images, "--model", path, "--json").json]
        assert [row["bpd"][number] for row in found["pictures"]] == pytest.approx(scored, abs=1e-4)
        assert found["bpd"][number] == pytest.approx(np.mean(scored), abs=1e-4)
    apart = [row["difference"] for row in found["pictures"]]
    assert [Path(row["file"]).name for row in found["pictures"]] == ["0.png", "1.png", "2.png", "3.png"]
    assert found["difference"] == pytest.approx(np.mean(apart)) and found["difference"] > 0.5
    assert found["standard_error"] == pytest.approx(np.std(apart, ddof=1) / math.sqrt(4))


def test_one_picture_tells_no_standard_error(cli, model, worse, image):
    ran = cli("compare", model, worse, "--picture", image)
    lines = ran.out.splitlines()
    assert ran.code == 0 and "blobs" in lines[0] and "worse" in lines[0] and "±" not in lines[-1]
    assert cli("compare", model, model, "--picture", image, "--json").json["standard_error"] is None


def test_data_has_the_bits_that_evaluate_says_with_the_same_noise_for_both(cli, model, worse, picture_folder):
    found = cli("compare", model, worse, "--data", picture_folder, "--limit", 12, "--seed", 3, "--json").json
    for number, path in enumerate((model, worse)):
        alone = cli("evaluate", "--model", path, "--data", picture_folder, "--limit", 12, "--seed", 3, "--json").json
        assert found["bpd"][number] == pytest.approx(alone["bpd"], abs=1e-9)
    assert found["count"] == 12 and found["split"] == "test" and found["data"] == "pictures"
    assert found["difference"] == pytest.approx(found["bpd"][1] - found["bpd"][0]) and found["standard_error"] > 0
    same = cli("compare", model, model, "--data", picture_folder, "--json").json
    assert same["difference"] == 0 and same["standard_error"] == 0
    text = cli("compare", model, worse, "--data", picture_folder, "--limit", 12).out
    assert "12 pictures (pictures, test)" in text and " ± " in text


def test_a_runs_checkpoints_are_compared(cli, picture_folder, tmp_path):
    out = tmp_path / "run"
    how = ("--preset", "tiny", "--size", 16, "--steps", 12, "--keep-every", 5, "--checkpoint-every", 100)
    trained = cli("train", "--data", picture_folder, *how, "--out", out)
    assert trained.code == 0
    kept = sorted(path.name for path in out.glob("step-*"))
    assert kept == ["step-000005.safetensors", "step-000010.safetensors"]
    first, second = (out / name for name in kept)
    found = cli("compare", first, second, "--data", picture_folder, "--split", "train", "--json").json
    assert found["models"] == ["run", "run"] and found["difference"] != 0
    resumed = cli("train", "--data", picture_folder, "--out", out, "--resume", "--steps", 16, "--keep-every", 4)
    assert resumed.code == 0 and (out / "step-000016.safetensors").is_file()
    ran = cli("compare", first, out, "--picture", picture_folder / "test" / "100.png")
    assert str(first) in ran.out.splitlines()[0]  # their names are the same


def test_a_conditional_model_takes_the_likeliest_class(cli, model, image, tmp_path):
    import torch

    from flowcore import build, save

    torch.manual_seed(2)
    flow = build({"system": "glow", "shape": [3, 16, 16], "levels": 2, "steps": 1, "width": 8, "classes": 2})
    flow.initialise(torch.rand(8, 3, 16, 16) * 255)
    with torch.no_grad():
        location = flow.prior.get_parameter("location")
        location.add_(torch.randn(location.shape))
    path = tmp_path / "kinds.safetensors"
    save(path, flow, {"name": "kinds", "system": "glow", "size": [16, 16], "channels": 3, "classes": ["cat", "dog"]})
    found = cli("compare", model, path, "--picture", image, "--json").json
    (scored,) = cli("score", image, "--model", path, "--json").json
    assert found["pictures"][0]["bpd"][1] == pytest.approx(scored["bpd"], abs=1e-4)


def test_what_cannot_be_compared_is_one_sentence(refused, model, worse, image, picture_folder, tmp_path):
    import torch

    from flowcore import build, save

    assert "--picture or --data" in refused("compare", model, worse)
    assert "one of the two" in refused("compare", model, worse, "--picture", image, "--data", picture_folder)
    flow = build({"system": "glow", "shape": [3, 8, 8], "levels": 1, "steps": 1, "width": 4})
    flow.initialise(torch.rand(4, 3, 8, 8) * 255)
    small = tmp_path / "small.safetensors"
    save(small, flow, {"name": "small", "system": "glow", "size": [8, 8], "channels": 3})
    sentence = refused("compare", model, small, "--picture", image)
    assert "16×16" in sentence and "8×8" in sentence
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no model")
    assert "broken.safetensors" in refused("compare", model, broken, "--picture", image)
    assert "nothing-here" in refused("compare", model, "nothing-here", "--picture", image)
    torn = tmp_path / "torn.png"
    torn.write_bytes(b"no picture")
    assert "torn.png" in refused("compare", model, worse, "--picture", image, torn)
    assert "--keep-every" in refused("train", "--data", picture_folder, "--out", tmp_path / "run", "--keep-every", "0")
