"""A saved sample that was edited elsewhere: the z in its recipe is not that of its pixels, and is used for nothing."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from flow_explorer.engine.requests.explorer import EncodePicture
from flow_explorer.explorer.facets.base import Host
from flow_explorer.explorer.facets.paths.picture_input import PictureInput
from flowcore.pictures import recipe
from flowcore.pictures.images import to_png_bytes
from tests.app.explorer.workspace.case import drop, state, urls


def saved_again(data: bytes, change, save: str = "PNG", **options) -> bytes:
    """The file as an editor saves it, its text kept."""
    image = Image.open(io.BytesIO(data))
    image.load()
    info = PngImagePlugin.PngInfo()
    for word, text in getattr(image, "text", {}).items():
        info.add_text(word, str(text), zip=True)
    buffer = io.BytesIO()
    change(image.convert("RGB")).save(buffer, save, pnginfo=info, **options)
    return buffer.getvalue()


def barred(image: Image.Image) -> Image.Image:
    image.paste((255, 0, 0), (0, 3, 8, 5))
    return image


def dotted(image: Image.Image) -> Image.Image:
    pixels = np.array(image)
    pixels[2, 2] ^= 1
    return Image.fromarray(pixels)


def see_through(image: Image.Image) -> Image.Image:
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


EDITS = {
    "a bar": barred,
    "one pixel by one level": dotted,
    "cropped": lambda image: image.crop((0, 0, 6, 6)),
    "greyed": lambda image: image.convert("L"),
    "enlarged": lambda image: image.resize((24, 24), Image.Resampling.BICUBIC),
    "made smaller": lambda image: image.resize((4, 4)),
    "re-coloured": lambda image: Image.merge("RGB", image.split()[::-1]),
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "on a larger canvas": lambda image: (wide := Image.new("RGB", (8, 16)), wide.paste(image, (0, 4)), wide)[-1],
    "see-through": see_through,
}


@pytest.fixture
def sample(workspace):
    return workspace.controller.page.view.slots[5]


def check(workspace, client, sample, name: str) -> None:
    """The slot holds the file's picture, and what it proves and what the walk uses are of one z, which is not the recipe's."""
    client.run()
    slot, view, store = state(workspace).a, workspace.controller.slots["A"].view, workspace.controller.store
    assert not slot.empty and not slot.latent
    z = store.latent(view.z)
    assert z.tobytes() != sample.z.tobytes() and view.differing == 0 and not view.own
    assert np.array_equal(client.sent(EncodePicture)[-1].picture, view.reconstruction)
    assert np.array_equal(np.round(z * 100).astype(np.uint8).reshape(8, 8, 3), view.seen)


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("place", ["slot", "window"])
def test_an_edited_sample_is_a_picture(workspace, client, sample, tmp_path, notices, edit, place):
    path = tmp_path / "edited.png"
    path.write_bytes(saved_again(workspace.exporter.picture(sample), EDITS[edit]))
    assert recipe.extract(path) is not None
    drop(workspace.slots["A"] if place == "slot" else workspace.canvas(), urls(path))
    check(workspace, client, sample, "edited.png")
    said = [words for words, kind, _act in notices if "edited since it was saved" in words and kind == "notice"]
    assert len(said) == 1 and not any("own z" in words for words, _kind, _act in notices)
    workspace.history.undo()
    assert state(workspace).a.empty
    workspace.history.redo()
    check(workspace, client, sample, "edited.png")


@pytest.mark.parametrize("scale", [1, 8])
@pytest.mark.parametrize("place", ["slot", "corner"])
def test_one_that_was_only_saved_again_keeps_its_z(workspace, client, sample, tmp_path, notices, scale, place):
    path = tmp_path / "same.png"
    path.write_bytes(saved_again(workspace.exporter.picture(sample, scale), lambda image: image))
    if place == "corner":
        put, intake = take(workspace)
        intake.take(urls(path), put.append, put.append)
        client.run()
        (slot,) = put
        assert workspace.controller.store.latent(slot.latent).tobytes() == sample.z.tobytes()
    else:
        drop(workspace.slots["A"], urls(path))
        client.run()
        view = workspace.controller.slots["A"].view
        assert workspace.controller.store.latent(view.z).tobytes() == sample.z.tobytes() and view.own and view.differing == 0
        assert client.sent(EncodePicture)[-1].z.tobytes() == sample.z.tobytes()
        assert workspace.slots["A"].back_caption.text() == "exact, 0 bytes differ"
        drop(workspace.slots["A"], urls(path))  # the same once more
        client.run()
        assert [words for words, _kind, _act in notices if "came back with its own z" in words] == 2 * [notices[-1][0]]
    assert not any("edited since" in words for words, _kind, _act in notices)


def take(workspace):
    host = Host(workspace.controller, workspace.context, workspace.transfers)
    return [], PictureInput(host, workspace)


@pytest.mark.parametrize("edit", ["a bar", "cropped", "see-through"])
def test_a_corner_takes_the_edited_picture_alone(workspace, client, sample, tmp_path, notices, edit):
    path = tmp_path / "edited.png"
    path.write_bytes(saved_again(workspace.exporter.picture(sample), EDITS[edit]))
    put, intake = take(workspace)
    intake.take(urls(path), put.append, put.append)
    client.run()
    (slot,) = put
    assert not slot.latent and not slot.empty and "edited since it was saved" in notices[-1][0]


def test_the_z_of_another_picture_in_a_session_is_found_out(workspace, client, sample, notices):
    """Not a file's alone: wherever a z stands beside a picture, the proof is of that z."""
    other = workspace.controller.page.view.slots[6]
    workspace.acts.put_latent("A", sample)
    client.run()
    kept = json.loads(json.dumps(workspace.state()))
    kept["a"]["picture"] = workspace.controller.store.put_array(other.picture)
    workspace._kept.files.write(workspace.controller.store, {kept["a"]["picture"], kept["a"]["latent"]})
    workspace.restore(kept)
    client.run()
    assert not state(workspace).a.latent and "edited since it was saved" in notices[-1][0]


def test_an_animated_picture_with_a_samples_recipe_is_a_picture(workspace, client, sample, tmp_path, notices):
    data = workspace.exporter.picture(sample)
    image = Image.open(io.BytesIO(data))
    assert isinstance(image, PngImagePlugin.PngImageFile)
    image.load()
    info = PngImagePlugin.PngInfo()
    for word, text in getattr(image, "text", {}).items():
        info.add_text(word, str(text))
    buffer = io.BytesIO()
    second = Image.fromarray(255 - np.asarray(image))
    image.save(buffer, "PNG", save_all=True, append_images=[second], pnginfo=info)
    path = tmp_path / "moving.png"
    path.write_bytes(buffer.getvalue())
    drop(workspace.slots["A"], urls(path))
    check(workspace, client, sample, "moving.png")
    assert "edited since it was saved" in notices[-1][0]


def test_a_lossy_copy_as_webp_is_a_picture(workspace, client, sample, tmp_path, notices):
    found = recipe.extract(workspace.exporter.picture(sample))
    assert found is not None
    path = tmp_path / "copy.webp"
    Image.fromarray(sample.picture).save(path, "WEBP", quality=40, xmp=recipe.to_xmp(found))
    drop(workspace.slots["A"], urls(path))
    check(workspace, client, sample, "copy.webp")
    assert "edited since it was saved" in notices[-1][0]


def test_a_z_of_the_wrong_size_or_two_recipes_make_it_a_picture(workspace, client, sample, tmp_path, notices):
    data = workspace.exporter.picture(sample)
    found = recipe.extract(data)
    other = recipe.extract(workspace.exporter.picture(workspace.controller.page.view.slots[1]))
    assert found is not None and other is not None
    path = tmp_path / "two.png"
    text = recipe.embed(to_png_bytes(sample.picture), other)
    at = text.index(b"iTXt") - 4
    path.write_bytes(data[:33] + text[at : at + 12 + int.from_bytes(text[at : at + 4], "big")] + data[33:])
    drop(workspace.slots["A"], urls(path))
    check(workspace, client, sample, "two.png")
    assert "more than one recipe" in notices[-1][0]
    path.write_bytes(recipe.embed(to_png_bytes(sample.picture), {**found, "latent": other["latent"]}))
    drop(workspace.slots["A"], urls(path))
    check(workspace, client, sample, "two.png")
    assert "edited since it was saved" in notices[-1][0]
