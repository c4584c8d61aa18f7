"""What comes in by drag, drop and paste, and what goes out, with the MIME data that real programs give."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QColor, QImage

from flow_explorer.explorer.moving.drag_drop import LATENT_MIME, can_read, file_name, mime_of, read_mime
from flow_explorer.explorer.store import Latent
from flowcore.errors import FlowError
from flowcore.pictures.images import read_picture

pytestmark = pytest.mark.usefixtures("qapp")


def with_urls(*urls: str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl(url) for url in urls])
    return mime


def image(colour="#c8283c") -> QImage:
    made = QImage(6, 4, QImage.Format.Format_RGB32)
    made.fill(QColor(colour))
    return made


def test_files_of_a_file_manager(tmp_path, png):
    paths = [tmp_path / "我的 照片.png", tmp_path / "b.png", tmp_path / "c.png"]
    for path in paths:
        path.write_bytes(png())
    items = read_mime(with_urls(*[QUrl.fromLocalFile(str(path)).toString() for path in paths]))
    assert [item.name for item in items] == ["我的 照片.png", "b.png"]
    assert items[0].data == png()


def test_picture_data_of_a_browser_keeps_the_file(png):
    mime = with_urls("https://example.org/pictures/cat.png")
    mime.setData("image/png", png())
    mime.setImageData(image())
    (item,) = read_mime(mime)
    assert (item.name, item.data) == ("cat.png", png())


def test_decoded_pixels_alone():
    mime = QMimeData()
    mime.setImageData(image())
    (item,) = read_mime(mime)
    assert tuple(read_picture(item.data).pixels[0, 0]) == (200, 40, 60, 255)


def test_a_data_url(png):
    (item,) = read_mime(with_urls("data:image/png;base64," + base64.b64encode(png()).decode()))
    assert item.data == png()


def test_an_address_alone_is_never_fetched():
    with pytest.raises(FlowError, match="nothing is ever downloaded"):
        read_mime(with_urls("https://example.org/cat.png"))


def test_text_is_no_picture():
    mime = QMimeData()
    mime.setText("hello")
    assert not can_read(mime)
    with pytest.raises(FlowError, match="no picture"):
        read_mime(mime)


def test_a_checkpoint_and_a_run_folder(tmp_path, checkpoint):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text("{}")
    items = read_mime(with_urls(QUrl.fromLocalFile(str(checkpoint)).toString(), QUrl.fromLocalFile(str(run)).toString()))
    assert [item.checkpoint for item in items] == [checkpoint, run]


def test_a_folder_and_a_fifo_are_refused(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png", "missing.png"):
        with pytest.raises(FlowError, match=name):
            read_mime(with_urls(QUrl.fromLocalFile(str(tmp_path / name)).toString()))


def test_a_sample_goes_out_as_a_file_and_comes_in_with_its_z(png):
    z = np.random.default_rng(0).normal(size=192).astype(np.float32)
    picture = np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    mime = mime_of(Latent("tiny", z, picture, "sample 3, seed 4"), png(picture), "tiny-sample-3.png")
    (url,) = mime.urls()
    path = Path(url.toLocalFile())
    assert path.name == "tiny-sample-3.png" and path.read_bytes() == png(picture)
    assert mime.hasImage()
    (item,) = read_mime(mime)
    assert item.latent.z.tobytes() == z.tobytes() and item.latent.z.dtype == z.dtype
    np.testing.assert_array_equal(item.latent.picture, picture)
    assert (item.latent.model, item.latent.name) == ("tiny", "sample 3, seed 4")


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"picture": "!"}', b'{"picture": "", "model": 1}', b"\x80\x04."])
def test_a_damaged_sample_is_refused(payload):
    mime = QMimeData()
    mime.setData(LATENT_MIME, payload)
    with pytest.raises(FlowError):
        read_mime(mime)


def test_file_names_are_safe():
    assert file_name("faces", "sample 4, seed 18/../x") == "faces-sample-4-seed-18-..-x.png"
    assert file_name("", "") == "picture.png"


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")
@pytest.mark.parametrize("host", ["", "localhost", "LocalHost", "127.0.0.1"])
@pytest.mark.parametrize("name", ["cat.png", "a b.png", "100%.png", "50%25.png", "猫.png", "a#b?.png", "caf\udce9.png", "+.png"])
def test_an_address_of_this_computer_is_a_file(tmp_path, png, host, name):
    (tmp_path / name).write_bytes(png())
    address = f"file://{host}{quote(os.fsencode(tmp_path / name))}"
    mime = QMimeData()
    mime.setData("text/uri-list", f"{address}\r\n".encode())
    (item,) = read_mime(mime)
    assert item.data == png() and item.name == name


def test_an_address_that_was_never_encoded(tmp_path, png):
    (tmp_path / "mein bild 100%.png").write_bytes(png())
    (item,) = read_mime(with_urls(f"file://{tmp_path}/mein bild 100%.png"))
    assert item.data == png()


@pytest.mark.parametrize("address", [
    "smb://nas/photos/cat.png", "sftp://me@host/cat.png", "ftp://host/cat.png", "mtp://phone/DCIM/cat.png", "trash:///cat.png",
    "gphoto2://camera/cat.png", "file://nas.local/photos/cat.png", "afp://host/cat.png", "x" * 300 + "://h/cat.png",
])  # fmt: skip
def test_an_address_of_another_machine_says_what_to_do(address):
    with pytest.raises(FlowError) as caught:
        read_mime(with_urls(address))
    sentence = str(caught.value)
    assert "cat.png" in sentence and "copy it to a folder of this computer" in sentence and len(sentence) <= 300
    assert "browser" not in sentence


@pytest.mark.skipif(os.name == "nt", reason="such a path is one there")
def test_a_path_of_windows_is_said_to_be_no_file_here():
    with pytest.raises(FlowError, match="no file /C:/Users/me/cat.png"):
        read_mime(with_urls("file:///C:/Users/me/cat.png"))


def test_a_mix_gives_what_can_be_read(tmp_path, png):
    (tmp_path / "b.png").write_bytes(png())
    items = read_mime(with_urls("smb://nas/a.png", (tmp_path / "b.png").as_uri()))
    assert [item.name for item in items] == ["b.png"]
