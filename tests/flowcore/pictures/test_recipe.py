"""A recipe travels inside the picture, survives nothing but itself, and is never trusted."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from PIL.PngImagePlugin import PngImageFile

from flowcore.errors import FlowError, PictureError
from flowcore.pictures import recipe as recipes
from flowcore.pictures.image_headers import read_header
from flowcore.pictures.images import read_picture, to_gif_bytes, to_png_bytes
from flowcore.pictures.recipe import RecipeError, embed, extract, new, validate

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 10, 3), np.uint8)
RECIPE = new(
    "walk", model="faces", a={"seed": 4, "index": 7}, ts=[0.0, 0.25, 1.0], title="从 A 到 B", none=None
)


def with_text(text: str, compressed: bool = False) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_itxt(recipes.KEYWORD, text, zip=compressed)
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


@pytest.mark.parametrize("recipe", [RECIPE, new("page", long=["x" * 50] * 500)])
def test_png_round_trip_keeps_the_pixels(tmp_path: Path, recipe: dict) -> None:
    data = to_png_bytes(PIXELS, recipe)
    assert extract(data) == recipe
    assert (read_picture(data).pixels[..., :3] == PIXELS).all()
    path = tmp_path / "带 空格.png"
    path.write_bytes(data)
    assert extract(path) == recipe


def test_other_readers_see_standard_text() -> None:
    image = Image.open(io.BytesIO(to_png_bytes(PIXELS, RECIPE)))
    image.load()
    assert isinstance(image, PngImageFile)
    assert json.loads(image.text[recipes.KEYWORD]) == RECIPE
    assert extract(with_text(json.dumps(RECIPE, ensure_ascii=False))) == RECIPE
    assert extract(with_text(json.dumps(RECIPE), compressed=True)) == RECIPE


def test_embedding_again_replaces() -> None:
    data = embed(to_png_bytes(PIXELS, RECIPE), new("sample", seed=1))
    assert extract(data)["seed"] == 1 and data.count(recipes.KEYWORD.encode() + b"\0") == 1


def test_gif_round_trip() -> None:
    recipe = new("walk", words=["雪" * 60] * 20)
    assert extract(to_gif_bytes([PIXELS, PIXELS[::-1].copy()], recipe)) == recipe
    assert extract(to_gif_bytes([PIXELS])) is None


def test_pictures_without_a_recipe_have_none(tmp_path: Path) -> None:
    assert extract(to_png_bytes(PIXELS)) is None
    assert extract(b"") is None and extract(b"text") is None
    Image.fromarray(PIXELS).save(tmp_path / "a.jpg")
    assert extract(tmp_path / "a.jpg") is None


@pytest.mark.parametrize(
    "text",
    [
        "", "not json", "[1, 2]", "null", "{}", '{"kind": "walk"}', '{"flow_explorer_recipe": "1"}',
        '{"flow_explorer_recipe": true}', '{"flow_explorer_recipe": 1, "kind": 3}',
        '{"flow_explorer_recipe": 1, "t": NaN}', '{"flow_explorer_recipe": 1, "t": 1e999}',
        '{"flow_explorer_recipe": 1, "x": ' + "[" * 100 + "]" * 100 + "}",
        '{"flow_explorer_recipe": 1, "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "__import__('os').system('true')",
    ],
)  # fmt: skip
def test_damaged_and_hostile_recipes_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        extract(with_text(text), "evil.png")
    assert "evil.png" in str(caught.value) and str(caught.value).endswith(".")
    # and the picture is still a picture
    assert (read_picture(with_text(text)).pixels[..., :3] == PIXELS).all()


def test_another_version_says_which() -> None:
    for version in (0, 3, 7):
        with pytest.raises(FlowError, match=f"version {version}.*version 1 to 2"):
            extract(with_text(f'{{"flow_explorer_recipe": {version}, "kind": "walk"}}'))


def test_a_recipe_that_names_classes_is_of_the_second_version_and_older_ones_still_open() -> None:
    old, named = new("samples", seed=1), new("samples", conditional=True, seed=1, sampled_class=3)
    assert (old[recipes.VERSION_KEY], named[recipes.VERSION_KEY]) == (1, 2)
    assert "conditional" not in named
    for recipe in (old, named):
        assert extract(to_png_bytes(PIXELS, recipe)) == recipe


def test_a_decompression_bomb_is_refused() -> None:
    body = zlib.compress(b"[" + b" " * (recipes.MAX_BYTES + 10) + b"]", 9)
    data = recipes.KEYWORD.encode() + b"\0\1\0\0\0" + body
    chunk = struct.pack(">I", len(data)) + b"iTXt" + data + struct.pack(">I", zlib.crc32(b"iTXt" + data))
    png = to_png_bytes(PIXELS)
    with pytest.raises(RecipeError, match="too long"):
        extract(png[:33] + chunk + png[33:])


def test_cut_and_damaged_files_never_crash() -> None:
    whole = to_png_bytes(PIXELS, new("page", long=["x" * 50] * 500))
    gif = to_gif_bytes([PIXELS], RECIPE)
    rng = np.random.default_rng(2)
    for data in (whole, gif):
        for cut in range(0, len(data), 7):
            try:
                extract(data[:cut])
            except RecipeError as error:
                assert str(error).endswith(".")
        for _ in range(300):
            damaged = bytearray(data)
            damaged[rng.integers(len(data))] = rng.integers(256)
            try:
                extract(bytes(damaged))
            except RecipeError as error:
                assert str(error).endswith(".")


def test_only_plain_finite_values_go_in() -> None:
    for value in (float("nan"), float("inf"), b"bytes", {1: 2}, object(), np.float32(1), np.zeros(2)):
        with pytest.raises(RecipeError):
            new("walk", value=value)
    with pytest.raises(RecipeError):
        to_png_bytes(PIXELS, {"kind": "walk"})
    with pytest.raises(PictureError):
        embed(b"no png", RECIPE)
    assert validate(RECIPE) is RECIPE


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no file"):
        extract(tmp_path / "none.png")


def rewritten(data: bytes, kind: str, packed: bool = False) -> bytes:
    """The picture as an editor saves it that writes the recipe as another kind of text."""
    image = Image.open(io.BytesIO(data))
    image.load()
    assert isinstance(image, PngImageFile)
    info = PngImagePlugin.PngInfo()
    for word, text in image.text.items():
        info.add_itxt(word, text, zip=packed) if kind == "iTXt" else info.add_text(word, str(text), zip=packed)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "packed"), [("tEXt", False), ("zTXt", True), ("iTXt", False), ("iTXt", True)])
def test_a_recipe_that_an_editor_rewrote_is_found_and_replaced(kind: str, packed: bool) -> None:
    data = rewritten(to_png_bytes(PIXELS, RECIPE), kind, packed)
    assert (b"zTXt" if packed and kind != "iTXt" else kind.encode()) in data and extract(data) == RECIPE
    assert extract(embed(data, new("sample", seed=1))) == new("sample", seed=1)


def test_a_recipe_of_some_megabytes_opens_everywhere() -> None:
    rng = np.random.default_rng(5)
    long = new("walk", data=rng.bytes(3_200_000).hex())
    data = to_png_bytes(PIXELS, long)
    assert extract(data) == long and (read_picture(data).pixels[..., :3] == PIXELS).all()
    image = Image.open(io.BytesIO(data))
    image.load()
    assert (np.asarray(image) == PIXELS).all()
    # An editor may keep its parts in another order, and lose one.
    assert extract(rewritten(data, "zTXt", packed=True)) == long
    lost = data.replace(b"flow-explorer-2\0", b"flow-explorer-9\0")
    with pytest.raises(RecipeError, match="damaged"):
        extract(lost)
    assert extract(embed(data, RECIPE)) == RECIPE and len(embed(data, RECIPE)) < 3000
    with pytest.raises(RecipeError, match="MiB long"):
        to_png_bytes(PIXELS, new("walk", data="x" * (recipes.MAX_BYTES + 1)))


def old_and_long() -> tuple[bytes, dict]:
    """A picture as it was saved before: all of the recipe in one chunk."""
    recipe = new("walk", data="ab" * 1_000_000)
    body = zlib.compress(json.dumps(recipe, separators=(",", ":")).encode(), 9)
    text = recipes.KEYWORD.encode() + b"\0\1\0\0\0" + body
    chunk = struct.pack(">I", len(text)) + b"iTXt" + text + struct.pack(">I", zlib.crc32(b"iTXt" + text))
    png = to_png_bytes(PIXELS)
    return png[:33] + chunk + png[33:], recipe


def test_an_older_picture_with_a_long_recipe_is_still_a_picture() -> None:
    data, recipe = old_and_long()
    with pytest.raises(ValueError, match="MAX_TEXT_CHUNK"):
        Image.open(io.BytesIO(data))
    assert (read_picture(data).pixels[..., :3] == PIXELS).all() and extract(data) == recipe
    header = read_header(data, "old.png")
    assert (header.width, header.height) == (10, 12)
    with pytest.raises(PictureError):  # a checksum that is wrong is not made right on the way
        at = data.index(b"IHDR") + 4 + 13
        read_picture(data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :])


def test_of_two_recipes_that_differ_none_is_believed() -> None:
    one, other = to_png_bytes(PIXELS, RECIPE), to_png_bytes(PIXELS, new("sample", seed=2))

    def both(first: bytes, second: bytes) -> bytes:
        at = second.index(b"iTXt") - 4
        length = struct.unpack_from(">I", second, at)[0]
        return first[:33] + second[at : at + 12 + length] + first[33:]

    with pytest.raises(RecipeError, match="more than one recipe"):
        extract(both(one, other))
    assert extract(both(one, one)) == extract(both(rewritten(one, "tEXt"), one)) == RECIPE
    assert extract(both(one, with_text("{}"))) == RECIPE  # a damaged one beside it
    assert (read_picture(both(one, other)).pixels[..., :3] == PIXELS).all()


XMP = recipes.to_xmp(RECIPE)
VALUE = XMP.split(b'flow-explorer:recipe="')[1].split(b'"')[0]


@pytest.mark.parametrize(
    "packet",
    [
        XMP,
        XMP.replace(b" flow-explorer:", b" ns1:").replace(b"xmlns:flow-explorer", b"xmlns:ns1"),
        XMP.replace(b'"', b"'"),
        b'<rdf:Description xmlns:fe="urn:flow-explorer:recipe"><fe:recipe>\n' + VALUE[:40] + b"\n  " + VALUE[40:]
        + b"\n</fe:recipe></rdf:Description>",
    ],
)
def test_xmp_that_an_editor_rewrote_is_read(packet: bytes) -> None:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "WEBP", lossless=True, xmp=packet)
    assert extract(buffer.getvalue()) == RECIPE
    # … and where a WebP was saved as a PNG
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG", pnginfo=info)
    assert extract(buffer.getvalue()) == RECIPE
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type xmp", f"\nxmp\n{len(packet):8}\n" + packet.hex() + "\n", zip=True)
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG", pnginfo=info)
    assert extract(buffer.getvalue()) == RECIPE


def test_many_bombs_are_not_all_inflated() -> None:
    body = zlib.compress(b" " * (recipes.MAX_BYTES + 10), 9)
    text = recipes.KEYWORD.encode() + b"\0\0" + body
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    png = to_png_bytes(PIXELS)
    data = png[:33] + 200 * chunk + png[33:]
    with pytest.raises(RecipeError, match="too long"):
        extract(data)
    assert (read_picture(data).pixels[..., :3] == PIXELS).all()


def test_a_gif_of_comments_alone_is_read_once():
    block = b"\x21\xfe\xff" + b"x" * 255
    assert recipes.extract(b"GIF89a" + block * 20_000) is None
    ours = recipes.to_comment(recipes.new("sample", seed=3))
    parts = b"".join(bytes([len(ours[at : at + 255])]) + ours[at : at + 255] for at in range(0, len(ours), 255))
    assert recipes.extract(b"GIF89a" + b"\x21\xfe\x01x\0" * 100 + b"\x21\xfe" + parts + b"\0")["seed"] == 3
