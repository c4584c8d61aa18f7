"""Colour profiles are judged by what they do to colours, and a PNG's own chunks likewise."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from flowcore.pictures.images import Picture, read_picture
from flowcore.pictures.profiles import icc_space
from tests.flowcore.pictures.case import chunk, photo, png_by_hand
from tests.flowcore.pictures.tiff_by_hand import tiff

COLOUR = photo(48, 64)
GREYS = np.arange(256, dtype=np.uint8).reshape(16, 16)
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
SRGB = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))


def linear_of(values: np.ndarray) -> np.ndarray:
    """Light of sRGB, both 0 to 1."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def icc(gamma: float | list[int], name: str = "mine", primaries: tuple = SRGB, grey: bool = False) -> bytes:
    """A version 2 profile with one curve: an exponent, or a table of 16 bits."""
    numbers = gamma if isinstance(gamma, list) else [round(gamma * 256)]
    curve = b"curv\0\0\0\0" + struct.pack(f">I{len(numbers)}H", len(numbers), *numbers)
    text = name.encode()
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + bytes(78),
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
    }
    if grey:
        tags[b"kTRC"] = curve
    else:
        columns = adapted(primaries)
        for place, letter in enumerate((b"r", b"g", b"b")):
            tags[letter + b"XYZ"], tags[letter + b"TRC"] = xyz(*columns[:, place]), curve
    table, body = struct.pack(">I", len(tags)), b""
    first = 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        table += struct.pack(">4sII", tag, first + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", first + len(body), b"lcms", 0x02400000, b"mntr", b"GRAY" if grey else b"RGB ", b"XYZ ")
    head = (head + bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)).ljust(128, b"\0")
    return head + table + body


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def adapted(primaries: tuple) -> np.ndarray:
    """The columns of red, green and blue under D50."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    white = np.array([0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290])
    columns = columns * np.linalg.solve(columns, white)
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    scale = (bradford @ [0.9642, 1.0, 0.8249]) / (bradford @ white)
    return np.linalg.inv(bradford) @ np.diag(scale) @ bradford @ columns


def read(image: Image.Image, format_: str = "PNG", **options: object) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return read_picture(buffer.getvalue(), f"a.{format_.lower()}")


def off(picture: Picture, wanted: np.ndarray) -> int:
    return int(np.abs(picture.pixels[..., :3].astype(int) - wanted).max())


LINEAR = linear_of(COLOUR / 255)
NAMES = ["linear sRGB, as GIMP writes it", "Mine", "sRGB IEC61966-2.1"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("format_", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_a_linear_profile_counts_whatever_its_name(format_: str, name: str) -> None:
    stored = np.rint(LINEAR * 255).astype(np.uint8)
    options = {"lossless": True} if format_ == "WEBP" else {"quality": 100, "subsampling": 0} if format_ == "JPEG" else {}
    picture = read(Image.fromarray(stored), format_, icc_profile=icc(1.0, name), **options)
    bright = COLOUR > 100  # below, 8 linear bits are further apart than one of sRGB
    assert np.abs(picture.pixels[..., :3].astype(int) - COLOUR)[bright].max() <= (4 if format_ == "JPEG" else 1)
    assert any("profile" in note for note in picture.notes)


@pytest.mark.parametrize("primaries", [SRGB, P3])
@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_16_bits_lose_nothing_to_a_profile(gamma: float, primaries: tuple) -> None:
    to_own = np.linalg.inv(adapted(primaries)) @ adapted(SRGB)
    deep = np.rint(np.clip(LINEAR @ to_own.T, 0, 1) ** (1 / gamma) * 65535).astype(np.uint16)
    profile = icc(gamma, primaries=primaries)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    png = png_by_hand(64, 48, 16, 2, rows, chunk(b"iCCP", b"mine\0\0" + zlib.compress(profile)))
    for data in (png, tiff(deep, more={34675: ("s", profile)}), tiff(deep, order=">", more={34675: ("s", profile)})):
        assert off(read_picture(data), COLOUR) <= 1


def test_profiles_that_are_srgb_by_their_effect_leave_every_byte() -> None:
    table = [round(65535 * float(linear_of(np.array(step / 1023)))) for step in range(1024)]
    by_lcms = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (icc(table, "HP"), icc(table, "another name"), by_lcms):
        for format_ in ("PNG", "TIFF"):
            picture = read(Image.fromarray(COLOUR), format_, icc_profile=profile)
            assert off(picture, COLOUR) == 0 and picture.notes == []
        grey = read(Image.fromarray(GREYS), icc_profile=profile)
        assert off(grey, GREYS[..., None]) == 0 and grey.notes == []


@pytest.mark.parametrize("mode", ["L", "LA", "I;16", "RGB"])
@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_grey_profiles_count(mode: str, gamma: float) -> None:
    light = linear_of(GREYS / 255) ** (1 / gamma)
    # a grey picture may have a profile of three colours as well
    profile = icc(gamma, grey=mode != "RGB")
    if mode == "I;16":
        picture = read(Image.fromarray(np.rint(light * 65535).astype(np.uint16)), icc_profile=profile)
        assert off(picture, GREYS[..., None]) <= 1
    else:
        image = Image.fromarray(np.rint(light * 255).astype(np.uint8))
        if mode == "LA":
            image.putalpha(Image.fromarray(GREYS))
        picture = read(image, icc_profile=profile)
        assert np.abs(picture.pixels[..., 0].astype(int) - GREYS)[GREYS > 100].max() <= 1
        assert mode != "LA" or (picture.pixels[..., 3] == GREYS).all()
    assert (picture.pixels[..., 0] == picture.pixels[..., 2]).all()
    assert any("profile" in note for note in picture.notes)


def with_chunks(stored: np.ndarray, *chunks: bytes) -> Picture:
    deep = stored.dtype == np.uint16
    rows = b"".join(b"\0" + row.astype(">u2" if deep else np.uint8).tobytes() for row in stored)
    height, width = stored.shape[:2]
    return read_picture(png_by_hand(width, height, 16 if deep else 8, 2 if stored.ndim == 3 else 0, rows, *chunks))


def gama(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))


def chrm(primaries: tuple) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(v * 100_000) for pair in ((0.3127, 0.3290), *primaries) for v in pair)))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("gamma", [1.0, 1.8])
def test_a_bare_gamma_chunk_counts(gamma: float, kind: type) -> None:
    top = np.iinfo(kind).max
    for wanted in (COLOUR, GREYS):
        stored = np.rint(linear_of(wanted / 255) ** (1 / gamma) * top).astype(kind)
        picture = with_chunks(stored, gama(round(100_000 / gamma)))
        wanted = wanted if wanted.ndim == 3 else wanted[..., None]
        seen = (wanted > 100) | (kind is np.uint16)
        assert np.abs(picture.pixels[..., :3].astype(int) - wanted)[np.broadcast_to(seen, (*wanted.shape[:2], 3))].max() <= 1


def test_chunks_that_say_srgb_leave_every_byte() -> None:
    srgb = chunk(b"sRGB", b"\0")
    for chunks in ((gama(45455),), (gama(45455), chrm(SRGB)), (srgb,), (srgb, gama(100_000)), (chrm(SRGB),), (gama(0),)):
        picture = with_chunks(COLOUR, *chunks)
        assert off(picture, COLOUR) == 0 and picture.notes == []


def test_primaries_of_chunks_count() -> None:
    to_own = np.linalg.inv(adapted(P3)) @ adapted(SRGB)
    own = np.clip(LINEAR @ to_own.T, 0, 1)
    encoded = np.where(own <= 0.0031308, 12.92 * own, 1.055 * own ** (1 / 2.4) - 0.055)
    deep = np.rint(encoded * 65535).astype(np.uint16)
    for chunks in ((gama(45455), chrm(P3)), (chunk(b"cICP", bytes([12, 13, 0, 1])),),
                   (chunk(b"cICP", bytes([12, 13, 0, 1])), gama(100_000), chunk(b"sRGB", b"\0"))):  # fmt: skip
        assert off(with_chunks(deep, *chunks), COLOUR) <= 1
        eight = with_chunks(np.rint(encoded * 255).astype(np.uint8), *chunks).pixels[..., :3]
        assert np.abs(eight.astype(int) - COLOUR).mean() < 1 < np.abs(encoded * 255 - COLOUR).mean()


def test_coded_transfers_count() -> None:
    linear = np.rint(LINEAR * 65535).astype(np.uint16)
    assert off(with_chunks(linear, chunk(b"cICP", bytes([1, 8, 0, 1]))), COLOUR) <= 1
    light = LINEAR * 203 / 10_000
    power = light ** (2610 / 16384)
    perceptual = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** (2523 / 32)
    deep = np.rint(perceptual * 65535).astype(np.uint16)
    assert off(with_chunks(deep, chunk(b"cICP", bytes([1, 16, 0, 1]))), COLOUR) <= 1
    assert off(with_chunks(COLOUR, chunk(b"cICP", bytes([1, 13, 0, 1]))), COLOUR) == 0
    assert off(with_chunks(COLOUR, chunk(b"cICP", bytes([2, 2, 0, 1]))), COLOUR) == 0


@pytest.mark.parametrize("profile", [b"garbage" * 40, b"", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
                                     icc(2.2, grey=True)[:150], icc(1.0, grey=True)])  # fmt: skip
def test_profiles_that_do_not_fit_leave_the_colours_and_say_so(profile: bytes) -> None:
    for format_ in ("PNG", "TIFF"):
        picture = read(Image.fromarray(COLOUR), format_, icc_profile=profile or None)
        assert off(picture, COLOUR) == 0
        assert [note for note in picture.notes if "cannot be used" in note] == (
            ["Its colour profile cannot be used, so its colours are shown as they are."] if profile else []
        )
    deep = tiff(COLOUR.astype(np.uint16) * 257, more={34675: ("s", profile or b"\0")})
    assert off(read_picture(deep), COLOUR) == 0


SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
CURVES = [(0, (2.2,)), (1, (2.4, 0.9, 0.1)), (2, (2.4, 0.8, 0.1, 0.1)), (3, SRGB_CURVE), (4, (*SRGB_CURVE, 0.0, 0.0))]


def test_curves_with_parameters_are_those_of_lcms() -> None:
    for kind, numbers in CURVES:
        curve = b"para\0\0\0\0" + struct.pack(f">HH{len(numbers)}i", kind, 0, *(round(n * 65536) for n in numbers))
        plain = icc(1.0)
        length = len(plain)
        data = bytearray(plain + curve)
        data[:4] = struct.pack(">I", len(data))
        for place in range(struct.unpack_from(">I", plain, 128)[0]):
            at = 132 + 12 * place
            if plain[at + 1 : at + 4] == b"TRC":
                struct.pack_into(">II", data, at + 4, length, len(curve))
        space = icc_space(bytes(data))
        assert space is not None
        source = ImageCms.ImageCmsProfile(io.BytesIO(bytes(data)))
        # lcms makes black blacker otherwise
        intent, target = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.createProfile("sRGB")
        by_lcms = ImageCms.profileToProfile(Image.fromarray(COLOUR), source, target, intent, outputMode="RGB")
        ours = np.rint(space.to_srgb(COLOUR / 255) * 255)
        assert np.abs(ours - np.asarray(by_lcms)).max() <= 1, kind


def test_inks_go_through_a_profile_of_inks_only() -> None:
    image = Image.fromarray(COLOUR).convert("CMYK")
    picture = read(image, "TIFF", icc_profile=icc(2.2))
    assert off(picture, COLOUR) <= 1 and any("cannot be used" in note for note in picture.notes)


@pytest.mark.parametrize("name", ["linear_gimp.png", "linear_other.png"])
def test_the_files_that_came_out_wrong(name: str) -> None:
    folder = Path(__file__).resolve().parents[4] / "shared" / "cases"
    if not (folder / name).exists():
        pytest.skip(f"the case {name} is not at hand (a folder shared/cases beside the checkout)")
    wanted = read_picture(folder / "srgb.png").pixels[..., :3].astype(int)
    away = np.abs(read_picture(folder / name).pixels[..., :3] - wanted)
    # 8 bits of light are steps of up to 13 in the dark, which no reader can fill
    assert away[wanted > 100].max() <= 1 and away.mean() < 1
