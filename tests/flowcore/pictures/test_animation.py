"""Animated GIF, WebP and MP4: the frames that come back, their pace, the recipe inside, and what stops them."""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from flowcore.errors import PictureError
from flowcore.pictures import recipe
from flowcore.pictures.animation import (
    animation_bytes,
    durations,
    even,
    has_video,
    require_video,
    there_and_back,
    to_webp_bytes,
)
from flowcore.pictures.images import read_picture

RECIPE = recipe.new("walk", model="faces", note='"quotes" <and> & ünicode', numbers=[1.5, 2])


def frames(count: int = 5, size: tuple[int, int] = (9, 7), channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *size, channels), dtype=np.uint8)


def read_all(data: bytes) -> tuple[list[np.ndarray], list[int]]:
    pictures, stands = [], []
    with Image.open(io.BytesIO(data)) as image:
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            image.load()  # a WebP says how long a frame stands once it is decoded
            pictures.append(np.asarray(image.convert("RGB")))
            stands.append(image.info["duration"])
    return pictures, stands


@pytest.mark.parametrize("channels", [1, 3])
def test_a_webp_keeps_every_byte_and_its_pace_and_loops(channels):
    shown = frames(channels=channels)
    data = animation_bytes(".webp", shown, RECIPE, scale=2, fps=15, back=True)
    pictures, stands = read_all(data)
    expected = there_and_back(list(shown))
    assert len(pictures) == len(expected) == 8
    for picture, frame in zip(pictures, expected, strict=True):
        np.testing.assert_array_equal(picture[::2, ::2], np.broadcast_to(frame, (9, 7, 3)))
    assert sum(stands) == round(8000 / 15)
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["loop"] == 0
    assert read_picture(data, name="walk.webp").pixels.shape == (18, 14, 4)


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_the_recipe_comes_back_from_inside(suffix):
    assert recipe.extract(animation_bytes(suffix, frames(), RECIPE)) == RECIPE
    assert recipe.extract(animation_bytes(suffix, frames())) is None
    assert recipe.extract(animation_bytes(suffix, frames(1), RECIPE)) == RECIPE  # one frame is no animation to Pillow


def test_a_webp_of_others_has_no_recipe_and_a_damaged_one_is_said_to_be():
    buffer = io.BytesIO()
    Image.fromarray(frames(1)[0]).save(buffer, "WEBP", xmp=b"<x:xmpmeta>other words</x:xmpmeta>")
    assert recipe.extract(buffer.getvalue()) is None
    data = animation_bytes(".webp", frames(), RECIPE)
    at = data.index(b'recipe="') + 8
    with pytest.raises(recipe.RecipeError, match="damaged"):
        recipe.extract(data[: at + 4] + b"AAAAAAAA" + data[at + 12 :])
    for end in range(12, len(data), 37):  # cut anywhere it is none, or is said to be damaged
        with contextlib.suppress(recipe.RecipeError):
            recipe.extract(data[:end])


def test_durations_add_up_where_a_frame_is_no_whole_number_of_units():
    assert durations(3, 15, 10) == [70, 60, 70] and sum(durations(30, 15, 10)) == 2000
    assert sum(durations(24, 24, 1)) == 1000


def test_a_gif_keeps_pace():
    _, stands = read_all(animation_bytes(".gif", frames(6), fps=15))
    assert sum(stands) == 400 and set(stands) == {60, 70}


def test_sides_for_a_video_are_even():
    odd = frames(1)[0]
    made = even(odd)
    assert made.shape == (10, 8, 3)
    np.testing.assert_array_equal(made[:9, :7], odd)
    np.testing.assert_array_equal(made[9, :7], odd[8])
    np.testing.assert_array_equal(even(made), made)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_what_the_tick_raises_ends_the_work_and_it_is_told_how_far_it_is(suffix):
    told: list[float] = []

    class Stopped(Exception):
        pass

    def tick(share: float) -> None:
        told.append(share)
        if len(told) == 7:
            raise Stopped

    with pytest.raises(Stopped):
        animation_bytes(suffix, frames(8), tick=tick)
    assert told == sorted(told) and told[0] >= 0 and told[-1] < 1
    told.clear()
    animation_bytes(suffix, frames(3), tick=told.append)
    assert told[-1] > 0.6


def test_bad_frames_are_refused():
    with pytest.raises(PictureError, match="at least one"):
        animation_bytes(".webp", [])
    with pytest.raises(PictureError, match="same size"):
        animation_bytes(".webp", [frames(1)[0], frames(1, (4, 4))[0]])
    with pytest.raises(PictureError, match="frames a second"):
        to_webp_bytes(frames(), fps=0)
    with pytest.raises(PictureError, match=r"\.gif"):
        animation_bytes(".avi", frames())
    with pytest.raises(PictureError, match="smaller size"):
        animation_bytes(".webp", np.broadcast_to(np.uint8(0), (9000, 64, 64, 3)), scale=32)


def test_without_pyav_the_sentence_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "av":
            raise ModuleNotFoundError("No module named 'av'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(PictureError, match=r"pip install 'flow-explorer\[video\]'"):
        animation_bytes(".mp4", frames())


def test_only_a_video_imports_pyav(tmp_path):
    """In a process of its own, where nothing else has imported it, and with a stand-in, so that an import would succeed."""
    (tmp_path / "av.py").write_text("")
    code = (
        "import sys, numpy as np\n"
        "from flowcore.pictures.animation import animation_bytes, require_video\n"
        "frames = np.zeros((2, 8, 8, 3), np.uint8)\n"
        "animation_bytes('.webp', frames), animation_bytes('.gif', frames)\n"
        "before = 'av' in sys.modules\n"
        "require_video()\n"
        "print(before, 'av' in sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert ran.stdout.split() == ["False", "True"], ran.stderr


def test_the_video_gets_every_frame_even_sides_and_the_pace(monkeypatch):
    """Against a stand-in of PyAV's interface, so that it holds where PyAV is not installed too."""
    seen: list[np.ndarray] = []
    stream = SimpleNamespace(encode=lambda frame=None: [] if frame is None else ["packet"])
    muxed: list[str] = []

    class Container:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def add_stream(self, codec, rate):
            stream.codec, stream.rate = codec, rate
            return stream

        mux = staticmethod(muxed.append)

    def from_ndarray(pixels, format):
        assert format == "rgb24"
        seen.append(pixels)
        return pixels

    module = SimpleNamespace(open=lambda *_, **__: Container(), codecs_available={"libx264"},
                             VideoFrame=SimpleNamespace(from_ndarray=from_ndarray))  # fmt: skip
    monkeypatch.setitem(sys.modules, "av", module)
    told: list[float] = []
    animation_bytes(".mp4", frames(4), scale=3, fps=12.5, back=True, tick=told.append)
    assert len(seen) == len(muxed) == len(told) == 6
    assert {frame.shape for frame in seen} == {(28, 22, 3)} and (stream.height, stream.width) == (28, 22)
    assert float(stream.rate) == 12.5 and stream.pix_fmt == "yuv420p"


@pytest.mark.skipif(not has_video(), reason="PyAV is not installed: pip install 'flow-explorer[video]'")
def test_a_real_mp4_can_be_read_again():
    av = require_video()
    ramp = np.stack([np.full((33, 47, 3), 20 * index, np.uint8) for index in range(10)])
    with av.open(io.BytesIO(animation_bytes(".mp4", ramp, scale=2, fps=10))) as container:
        stream = container.streams.video[0]
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert float(stream.average_rate) == pytest.approx(10)
    assert len(decoded) == 10 and decoded[0].shape == (66, 94, 3)
    for index, frame in enumerate(decoded):
        assert abs(float(frame.mean()) - 20 * index) < 6
