"""Bad input: each with exit code 2 and its one sentence, nothing written and nothing lost. And odd but good input."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from flowcore.pictures.images import read_picture


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def jpeg_bytes(size: tuple[int, int] = (64, 64), **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(buffer, "JPEG", **options)
    return buffer.getvalue()


def png_bomb(side: int = 60_000) -> bytes:
    """A PNG that says it is 60,000×60,000 and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


BAD_PICTURES = {
    "text.png": lambda path: path.write_text("This is not a picture, whatever its name says.\n"),
    "cut.jpg": lambda path: path.write_bytes(jpeg_bytes()[:900]),
    "bomb.png": lambda path: path.write_bytes(png_bomb()),
    "empty.png": lambda path: path.touch(),
    "folder.png": lambda path: path.mkdir(),
    "missing.png": lambda path: None,
    "page.png": lambda path: path.write_text("<!doctype html><html><body>404</body></html>"),
    "pickle.png": lambda path: path.write_bytes(pickle.dumps({"a": 1})),
}
if hasattr(os, "mkfifo"):
    BAD_PICTURES["fifo.png"] = os.mkfifo


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", BAD_PICTURES)
@pytest.mark.parametrize("command", ["encode", "score", "interpolate"])
def test_a_bad_picture_is_named_and_nothing_is_written(refused, model, image, tmp_path, command, name):
    bad = tmp_path / name
    BAD_PICTURES[name](bad)
    out = tmp_path / "out"
    out.mkdir()
    if command == "encode":
        sentence = refused("encode", bad, "--model", model, "--out", out / "z.safetensors")
    elif command == "score":
        sentence = refused("score", image, bad, "--model", model, "--json")
    else:
        sentence = refused("interpolate", image, bad, "--model", model, "--out", out / "strip.png")
    assert name in sentence
    assert not list(out.iterdir())


def odd_pictures() -> dict[str, bytes]:
    """Files that a person may well have, and that must work."""
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8))

    def saved(image: Image.Image, kind: str, **options: object) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    palette = colour.quantize(16)
    turned = Image.Exif()
    turned[0x0112] = 6
    frames = [Image.new("RGB", (16, 16), shade) for shade in ("red", "blue")]
    return {
        "cmyk.jpg": saved(colour.convert("CMYK"), "JPEG"),
        "sixteen.png": saved(Image.fromarray(rng.integers(0, 65536, (20, 20), dtype=np.uint16)), "PNG"),
        "palette.png": saved(palette, "PNG", transparency=3),
        "grey-alpha.png": saved(colour.convert("LA"), "PNG"),
        "one-bit.png": saved(colour.convert("1"), "PNG"),
        "animated.gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "picture.webp": saved(colour, "WEBP"),
        "picture.avif": saved(colour, "AVIF"),
        "pixel.png": saved(Image.new("RGB", (1, 1), "teal"), "PNG"),
        "thin.png": saved(Image.new("RGB", (3, 900), "teal"), "PNG"),
        "turned.jpg": saved(colour, "JPEG", exif=turned),
        "with spaces 和 中文.png": saved(colour, "PNG"),
    }


@pytest.mark.parametrize("name", odd_pictures())
def test_an_odd_picture_is_encoded_and_comes_back(cli, model, tmp_path, name):
    source, latent, back = tmp_path / name, tmp_path / "z.safetensors", tmp_path / "back.png"
    source.write_bytes(odd_pictures()[name])
    ran = cli("encode", source, "--model", model, "--out", latent, "--json")
    assert ran.code == 0, ran.err
    assert ran.json[0]["file"] == str(source) and ran.json[0]["differing_bytes"] == 0
    assert cli("decode", latent, "--model", model, "--out", back).code == 0
    assert read_picture(back).pixels.shape == (16, 16, 4)


# -- models -------------------------------------------------------------------------------------------------------


def bad_model(kind: str, good: Path, path: Path) -> None:
    if kind == "truncated":
        path.write_bytes(good.read_bytes()[:-1000])
    elif kind == "header cut":
        path.write_bytes(good.read_bytes()[:100])
    elif kind == "pickle":
        path.write_bytes(pickle.dumps({"state_dict": list(range(1000))}))
    elif kind == "empty":
        path.touch()
    elif kind == "no card":
        save_file({"weight": np.zeros((3, 3), np.float32)}, path)
    else:
        tensors, data = load_file(good), good.read_bytes()
        header = json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])
        metadata = header["__metadata__"]
        if kind == "wrong shapes":
            name = next(name for name, value in tensors.items() if value.ndim == 4)
            tensors[name] = np.zeros((2, *tensors[name].shape[1:]), np.float32)
        elif kind == "missing weights":
            tensors.pop(next(name for name, value in tensors.items() if value.ndim == 4))
        elif kind == "not finite":
            name = next(name for name, value in tensors.items() if value.ndim == 4)
            tensors[name] = np.full_like(tensors[name], np.nan)
        elif kind == "another version":
            metadata = {**metadata, "card": json.dumps({**json.loads(metadata["card"]), "format_version": 99})}
        elif kind == "hostile card":
            card = json.loads(metadata["card"])
            card["architecture"] = {**card["architecture"], "width": 10**12}
            metadata = {**metadata, "card": json.dumps(card)}
        save_file(tensors, path, metadata=metadata)


MODELS = ["truncated", "header cut", "pickle", "empty", "no card", "wrong shapes", "missing weights", "not finite",
          "another version", "hostile card"]  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", MODELS)
def test_a_bad_model_is_named_and_nothing_is_written(refused, model, tmp_path, kind):
    path, out = tmp_path / "bad model.safetensors", tmp_path / "out.png"
    bad_model(kind, model, path)
    assert "bad model.safetensors" in refused("sample", "--model", path, "--out", out)
    assert not out.exists() and list(tmp_path.iterdir()) == [path]


def test_an_untrained_model_is_not_sampled(refused, tmp_path):
    from flowcore import build, save

    path = tmp_path / "new.safetensors"
    flow = build({"system": "glow", "shape": [3, 8, 8], "levels": 2, "steps": 1, "width": 4})
    save(path, flow, {"name": "new", "system": "glow", "size": [8, 8], "channels": 3, "data": {}})
    assert "trained" in refused("sample", "--model", path, "--out", tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


def test_a_model_that_is_not_there(refused, tmp_path):
    out = tmp_path / "out.png"
    assert "no-such-model" in refused("sample", "--model", "no-such-model", "--out", out)
    assert "without a checkpoint" in refused("sample", "--model", tmp_path, "--out", out)
    assert refused("sample", "--model", "x" * 5000, "--out", out)
    assert refused("sample", "--model", "a\0b", "--out", out)
    assert "No model is named" in refused("sample", "--model", "", "--out", out)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.safetensors")
        assert "pipe.safetensors" in refused("sample", "--model", tmp_path / "pipe.safetensors", "--out", out)


def test_a_latent_of_another_size_or_none(refused, model, image, tmp_path):
    from flowcore.model.codec import save_latent

    out, path = tmp_path / "out.png", tmp_path / "z.safetensors"
    save_latent(path, np.zeros(100, np.float32), {})
    assert "100" in refused("decode", path, "--model", model, "--out", out)
    save_latent(path, np.full(768, np.inf, np.float32), {})
    assert "finite" in refused("decode", path, "--model", model, "--out", out)
    path.write_bytes(pickle.dumps(np.zeros(768)))
    assert str(path) in refused("decode", path, "--model", model, "--out", out)
    assert str(model) in refused("decode", model, "--model", model, "--out", out)
    assert "nothing.safetensors" in refused("decode", tmp_path / "nothing.safetensors", "--model", model, "--out", out)
    assert not out.exists()


# -- arguments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "-0.5", "1e400", "warm", "", "0.7,nan", "101"])
def test_a_temperature_that_is_none(refused, model, tmp_path, value):
    out = tmp_path / "out.png"
    assert "--temperature" in refused("sample", "--model", model, f"--temperature={value}", "--out", out)
    assert not out.exists()


def test_as_many_temperatures_as_levels(refused, model, tmp_path):
    out = tmp_path / "out.png"
    assert "2" in refused("sample", "--model", model, "--temperature", "0.7,0.7,0.7", "--out", out)
    assert not out.exists()


@pytest.mark.parametrize("value", ["1000000000000", "1e12", "10001"])
def test_a_count_beyond_reason_is_told_the_limit_and_the_memory(refused, model, tmp_path, value):
    out = tmp_path / "out.png"
    sentence = refused("sample", "--model", model, "--count", value, "--out", out)
    assert "10,000" in sentence and ("GB" in sentence or "MB" in sentence)
    assert not out.exists()


@pytest.mark.parametrize("value", ["0", "-3", "1.5", "nan", "many", "9" * 5000])
def test_a_count_that_is_none(refused, model, tmp_path, value):
    assert "--count" in refused("sample", "--model", model, f"--count={value}", "--out", tmp_path / "out.png")


def test_enlarging_beyond_reason(refused, model, tmp_path):
    out = tmp_path / "out.png"
    assert "--enlarge" in refused("sample", "--model", model, "--count", 5000, "--enlarge", 32, "--out", out)
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["sing"],
        ["sample"],
        ["sample", "--out"],
        ["sample", "--out", "x.png", "--device", "abacus"],
        ["sample", "--out", "x.png", "--seed", "-1"],
        ["encode", "--out", "z.safetensors"],
        ["interpolate", "a.png", "--out", "x.png"],
        ["interpolate", "a.png", "b.png", "--steps", "1", "--out", "x.png"],
        ["train", "--data", ".", "--out", "run", "--preset", "gigantic"],
        ["train", "--data", ".", "--out", "run", "--steps", "0"],
        ["evaluate"],
        ["toy", "three-moons"],
        ["toy", "two-moons", "--steps", "-5"],
        ["--screenshot", "x.jpg"],
        ["--workspace", "kitchen"],
        ["--size", "0x0"],
    ],
    ids=" ".join,
)
def test_arguments_that_make_no_sense(refused, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    refused(*arguments)
    assert not list(tmp_path.iterdir())


def test_a_device_that_is_not_there(refused, model, tmp_path):
    import torch

    if not torch.cuda.is_available():
        assert "cpu works" in refused("sample", "--model", model, "--device", "cuda", "--out", tmp_path / "out.png")
    assert "--device" in refused("sample", "--model", model, "--device", "cuda:999", "--out", tmp_path / "out.png")


# -- outputs ------------------------------------------------------------------------------------------------------


def outputs(model: Path, image: Path, latent: Path) -> dict[str, tuple[list, str]]:
    return {
        "sample": (["sample", "--model", model], ".png"),
        "encode": (["encode", image, "--model", model], ".safetensors"),
        "decode": (["decode", latent, "--model", model], ".png"),
        "interpolate": (["interpolate", image, image, "--model", model], ".png"),
        "toy": (["toy", "gaussian"], ".png"),
    }


@pytest.mark.parametrize("command", ["sample", "encode", "decode", "interpolate", "toy"])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(refused, model, image, tmp_path, monkeypatch, command):
    arguments, suffix = outputs(model, image, tmp_path / "z.safetensors")[command]
    # Whoever gets as far as reading a model, or anything else that is work, has not checked first.
    monkeypatch.setattr("flow_explorer.cli.opening.load_model", lambda *_: pytest.fail("the work had begun"))
    before = files(tmp_path)
    file = tmp_path / "plain.txt"
    file.write_text("a file")
    folder = tmp_path / f"folder{suffix}"
    folder.mkdir()
    targets = [tmp_path / "nowhere" / f"x{suffix}", folder, file / f"x{suffix}", tmp_path / "x.docx",
               f"/proc/x{suffix}", "/dev/null", tmp_path / ("x" * 300 + suffix)]  # fmt: skip
    for target in targets:
        if not str(target).startswith("/proc") or Path("/proc/self").exists():
            refused(*arguments, "--out", target)
    assert files(tmp_path) == {**before, "plain.txt": b"a file"}
    assert not list(folder.iterdir())


def test_an_input_is_not_overwritten(refused, model, image, tmp_path):
    before = model.read_bytes(), image.read_bytes()
    assert "read by this command" in refused("interpolate", image, image, "--model", model, "--out", image)
    assert "read by this command" in refused("encode", image, "--model", model, "--out", model)
    link = tmp_path / "link.safetensors"
    link.symlink_to(model)
    assert "read by this command" in refused("encode", image, "--model", model, "--out", link)
    assert (model.read_bytes(), image.read_bytes()) == before


def test_what_was_there_stays_whole_where_writing_fails(refused, cli, model, tmp_path, monkeypatch):
    out = tmp_path / "out.png"
    assert cli("sample", "--model", model, "--count", 1, "--out", out).code == 0
    before = out.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flow_explorer.terminal.output.os.replace", full)
    assert "No space left" in refused("sample", "--model", model, "--count", 4, "--out", out)
    assert files(tmp_path) == {"out.png": before}


def test_a_link_is_followed_and_stays_a_link(cli, model, tmp_path):
    real, link = tmp_path / "real.png", tmp_path / "link.png"
    real.write_bytes(b"old")
    link.symlink_to(real)
    assert cli("sample", "--model", model, "--count", 1, "--out", link).code == 0
    assert link.is_symlink() and read_picture(real).width == 16


@pytest.mark.parametrize("place", ["file", "under a file", "proc"])
def test_a_run_folder_that_cannot_be_written(refused, picture_folder, tmp_path, place):
    file = tmp_path / "plain.txt"
    file.write_text("a file")
    out = {"file": file, "under a file": file / "run", "proc": Path("/proc/flow-explorer-run")}[place]
    if place == "proc" and not Path("/proc/self").exists():
        pytest.skip("there is no /proc here")
    refused("train", "--data", picture_folder, "--preset", "tiny", "--steps", 1, "--out", out)
    assert file.read_text() == "a file"
