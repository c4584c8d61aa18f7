"""Animations: GIF and WebP by Pillow, MP4 by PyAV, an optional extra that is imported only where a video is asked for."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from importlib.util import find_spec

import numpy as np
from PIL import Image

from ..errors import PictureError
from .image_writing import enlarge, to_gif_bytes

__all__ = [
    "FORMATS", "Tick", "animation_bytes", "durations", "even", "has_video", "require_video", "there_and_back", "to_mp4_bytes",
    "to_webp_bytes",
]  # fmt: skip

FORMATS = (".gif", ".webp", ".mp4")
Tick = Callable[[float], object]
"""Told how much of 1 is done before each frame; what it raises ends the work (that is how it is cancelled)."""
MAX_BYTES = 1_500_000_000
"""The enlarged frames of a WebP or GIF, which Pillow wants all at once, must fit this."""
_QUALITY = 92
_CRF = "14"


def has_video() -> bool:
    """Whether PyAV is installed, without importing it."""
    return find_spec("av") is not None


def require_video():
    """The module ``av``. Raises PictureError, with what to install, where there is none."""
    try:
        import av  # pyright: ignore[reportMissingImports] - an extra
    except ImportError as error:
        raise PictureError(
            "An MP4 needs PyAV, which is not installed here: install it with pip install 'flow-explorer[video]', or choose WebP "
            "or GIF."
        ) from error
    return av


def there_and_back(frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The frames, then the way back, so that neither end is shown twice when it loops."""
    frames = list(frames)
    return frames + frames[-2:0:-1]


def durations(count: int, fps: float, unit: int) -> list[int]:
    """How long each of ``count`` frames stands, in milliseconds that are multiples of ``unit``, so that the sum keeps pace."""
    ends = [round(1000 * index / (fps * unit)) * unit for index in range(count + 1)]
    return [max(unit, after - before) for before, after in zip(ends, ends[1:], strict=False)]


def animation_bytes(
    suffix: str, frames: Sequence[np.ndarray] | np.ndarray, recipe: dict | None = None, *, scale: int = 1, smooth: bool = False,
    fps: float = 15.0, back: bool = False, tick: Tick | None = None,
) -> bytes:
    """Encode frames, each uint8 (H, W[, 1|3]), as the animation that ``suffix`` says, looping where the format can.

    ``back`` appends the way back; an MP4, which holds no recipe, is shown once by most players.

    Raises:
        PictureError: with no frames, with frames of different sizes, for another suffix, or where PyAV is missing.
    """
    frames = _checked(frames, fps)
    if suffix not in FORMATS:
        raise PictureError(f"An animation can be {', '.join(FORMATS)}, not {suffix!r}.")
    if back:
        frames = there_and_back(frames)
    if suffix == ".mp4":
        return to_mp4_bytes(frames, scale=scale, smooth=smooth, fps=fps, tick=tick)
    if sum(frame.size for frame in frames) * scale * scale > MAX_BYTES:
        raise PictureError(
            f"{len(frames)} frames enlarged {scale} times are too much for one {suffix[1:].upper()}: choose a smaller size, "
            "or MP4."
        )
    if suffix == ".webp":
        return to_webp_bytes(frames, recipe, scale=scale, smooth=smooth, fps=fps, tick=tick)
    return to_gif_bytes(frames, recipe, scale=scale, smooth=smooth, milliseconds=durations(len(frames), fps, 10), tick=tick)


def to_webp_bytes(
    frames: Sequence[np.ndarray] | np.ndarray, recipe: dict | None = None, *, scale: int = 1, smooth: bool = False,
    fps: float = 15.0, tick: Tick | None = None,
) -> bytes:
    """Encode frames as an animated WebP that loops for ever, with its recipe inside.

    Without loss where pixels are enlarged as they are; smoothly enlarged ones, which are no model's bytes any more, at a high
    quality, in a tenth of the space.
    """
    frames = _checked(frames, fps)
    images = []
    for index, frame in enumerate(frames):
        if tick is not None:
            tick(0.3 * index / len(frames))
        image = Image.fromarray(_rgb(enlarge(frame, scale, smooth)))
        images.append(image)
    if tick is not None:
        for index, image in enumerate(images):
            # Pillow seeks in every image right before it encodes it.
            image.seek = _telling(tick, 0.3 + 0.7 * index / len(images))
    options: dict = {"quality": _QUALITY, "method": 2} if smooth else {"lossless": True, "quality": 50, "method": 0}
    if recipe is not None:
        from .recipe import to_xmp

        options["xmp"] = to_xmp(recipe)
    buffer = io.BytesIO()
    images[0].save(
        buffer, "WEBP", save_all=True, append_images=images[1:], loop=0, duration=durations(len(images), fps, 1), **options
    )
    return buffer.getvalue()


def to_mp4_bytes(
    frames: Sequence[np.ndarray] | np.ndarray, *, scale: int = 1, smooth: bool = False, fps: float = 15.0,
    tick: Tick | None = None,
) -> bytes:
    """Encode frames as an MP4 that every player shows: H.264 (else MPEG-4), 4:2:0, sides made even.

    Raises:
        PictureError: where PyAV is missing, or its encoder fails.
    """
    frames = _checked(frames, fps)
    av = require_video()
    first = even(_rgb(enlarge(frames[0], scale, smooth)))
    buffer = io.BytesIO()
    try:
        with av.open(buffer, mode="w", format="mp4") as container:
            codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
            stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
            stream.height, stream.width = first.shape[:2]
            stream.pix_fmt = "yuv420p"
            if codec == "libx264":
                stream.options = {"crf": _CRF, "preset": "medium"}
            else:
                stream.bit_rate = max(1_000_000, int(first.shape[0] * first.shape[1] * fps * 0.5))
            for index, pixels in enumerate(_enlarged(frames, scale, smooth)):
                if tick is not None:
                    tick(index / len(frames))
                for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)
    except (OSError, ValueError, RuntimeError) as error:
        raise PictureError(f"The video could not be encoded ({error}): choose WebP or GIF, or another size.") from error
    return buffer.getvalue()


def even(pixels: np.ndarray) -> np.ndarray:
    """Pixels (H, W, 3) with even sides: an odd one's last row or column stands twice. Video halves its colours each way."""
    height, width = pixels.shape[:2]
    return np.ascontiguousarray(np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))


def _enlarged(frames: Sequence[np.ndarray], scale: int, smooth: bool) -> Iterator[np.ndarray]:
    for frame in frames:
        yield even(_rgb(enlarge(frame, scale, smooth)))


def _telling(tick: Tick, share: float) -> Callable[[int], None]:
    shares = [share]  # Pillow seeks once more in the first image at the end, and nothing goes back then

    def seek(_frame: int) -> None:
        if shares:
            tick(shares.pop())

    return seek


def _rgb(pixels: np.ndarray) -> np.ndarray:
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return np.ascontiguousarray(pixels.repeat(3, axis=2) if pixels.shape[2] == 1 else pixels[..., :3])


def _checked(frames: Sequence[np.ndarray] | np.ndarray, fps: float) -> list[np.ndarray]:
    frames = [np.asarray(frame) for frame in frames]
    if not frames:
        raise PictureError("An animation needs at least one frame.")
    if any(frame.shape != frames[0].shape for frame in frames):
        raise PictureError("An animation's frames must all have the same size.")
    if not (math.isfinite(fps) and 0.0 < fps <= 1000.0):
        raise PictureError(f"An animation can have up to 1000 frames a second, not {fps:g}.")
    return frames
