"""Files made by hand to swell, to nest, or to claim what they do not hold: (name of the reader, name, bytes).

A bomb is a few kilobytes, or a few megabytes where it must be; none is kept in the tree.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator

from flowcore.pictures.recipe import KEYWORD

__all__ = ["bombs"]

Bomb = tuple[str, str, bytes]
DEEP = 10**6
SMALL = 1_100_000
HUGE = "9" * 400
NICE = {"system": "nice", "shape": [2], "depth": 2, "width": 4, "hidden": 1}


def bombs(heavy: bool = True) -> Iterator[Bomb]:
    """All of them, or those of at most SMALL bytes that are made and answered at once. The reader's name is a target's."""
    for make in (
        _headers,
        _cards,
        _tensors,
        _texts,
        _arrays,
        _frames,
        *((_zips, _pictures, _recipes, _swelling) if heavy else ()),
    ):
        yield from (bomb for bomb in make() if heavy or len(bomb[2]) <= SMALL)


def header(text: str, body: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file whose header is this text."""
    return (len(text.encode()) if length is None else length).to_bytes(8, "little") + text.encode() + body


def card(architecture: object, tensors: dict | None = None, body: bytes = bytes(4), **more: object) -> bytes:
    """A checkpoint with a card of this architecture."""
    about = json.dumps({"format_version": 1, "size": [8, 8], "channels": 1, "architecture": architecture, **more})
    held = {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}} if tensors is None else tensors
    return header(json.dumps({"__metadata__": {"format": "flow-explorer", "card": about}, **held}), body)


def _headers() -> Iterator[Bomb]:
    texts = {
        "claims 2^60 bytes": header("{}", length=2**60),
        "claims 2^63": header("{}", length=2**63),
        "empty": b"",
        "eight bytes": bytes(8),
        "claims 2^64-1": header("{}", length=2**64 - 1),
        "a list": header("[]"),
        "lists without end": header("[" * DEEP),
        "tables without end": header('{"a":' * DEEP),
        "a number of 400 digits": header(HUGE),
        "of 100,000 digits": header("9" * 10**5),
        "offsets of 400 digits": header(f'{{"a":{{"dtype":"F32","shape":[1],"data_offsets":[0,{HUGE}]}}}}'),
        "offsets that are infinite": header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1e999]}}'),
        "offsets that are no number": header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,NaN]}}'),
        "offsets that are true": header(
            '{"a":{"dtype":"F32","shape":[1],"data_offsets":[false,true]}}', bytes(1)
        ),
        "a name twice": header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":1}', bytes(4)),
        "a name of a megabyte": header(json.dumps({"x" * 10**6: 1})),
        "half a character": header('{"\\ud800":1}'),
        "a million tables": header("[" + "{}," * 10**6 + "{}]"),
        "no text": header("") + b"\xff" * 100,
    }
    for reader in ("checkpoint", "card", "direction", "latent", "snapshot", "learned"):
        yield from ((reader, name, data) for name, data in texts.items())


def _cards() -> Iterator[Bomb]:
    enormous = {
        "many steps": {"system": "glow", "shape": [3, 1024, 1024], "levels": 10, "steps": 256, "width": 4096},
        "wide channels": {"system": "glow", "shape": [4096, 32, 32], "levels": 1, "steps": 1, "width": 1},
        "plain matrices": {"system": "glow", "shape": [4096], "permutation": "plain", "depth": 256},
        "a large NICE": {
            "system": "nice",
            "shape": [4, 1024, 1024],
            "depth": 256,
            "width": 4096,
            "hidden": 64,
        },
        "the largest shape": {"system": "nice", "shape": [4096, 4096, 4096]},
        "blocks": {"system": "realnvp", "shape": [3, 512, 512], "levels": 10, "width": 4096, "blocks": 64},
        "classes": {"system": "glow-plus", "shape": [3, 1024, 1024], "classes": 100_000},
        "bins": {"system": "spline", "shape": [4096], "bins": 64, "depth": 256},
        "layers": {"system": "stack", "shape": [2], "layers": [{"kind": "lu"}] * 10**5},
        "a system in a list": {"system": ["glow"]},
        "no system": {},
        "a list": [],
        "text": "glow",
        "depth of 400 digits": {**NICE, "depth": int(HUGE)},
        "a field without end": {"system": "continuous", "shape": [2], "width": 10**9},
    }
    for name, architecture in enormous.items():
        yield "checkpoint", name, card(architecture)
    yield "card", "an answer in colours", card(NICE, name="\x1b[2J" * 10**5, classes=["\n" * 10**5] * 10)
    yield "card-changed", "a temperature of 400 digits", card(NICE, default_temperature=int(HUGE))
    yield "card", "quantiles without end", card(NICE, held_out={"bpd_quantiles": [int(HUGE)] * 1000})
    nested = '{"format_version":1,"architecture":' + "[" * DEEP + "]" * DEEP + "}"
    yield (
        "card",
        "a card without end",
        header(json.dumps({"__metadata__": {"format": "flow-explorer", "card": nested}})),
    )


def _tensors() -> Iterator[Bomb]:
    def one(**entry: object) -> dict:
        return {"layers.0.network.last.bias": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **entry}}

    odd = {
        "float8": one(dtype="F8_E4M3", shape=[4]),
        "float4": one(dtype="F4", shape=[8]),
        "65 dimensions": one(shape=[1] * 65),
        "a type in a list": one(dtype=["F32"]),
        "no type": one(dtype=None),
        "a shape of 2^60": one(shape=[2**60]),
        "a negative shape": one(shape=[-1]),
        "a shape of 400 digits": one(shape=[int(HUGE)]),
        "no shape": one(shape=None),
        "zero times without end": one(shape=[0, 2**62]),
        "backwards": one(data_offsets=[4, 0]),
        "before the file": one(data_offsets=[-4, 4]),
        "overlapping": {
            name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in map(str, range(1000))
        },
        "ten thousand empty": {
            str(n): {"dtype": "F32", "shape": [0], "data_offsets": [4, 4]} for n in range(10_000)
        },
    }
    for name, held in odd.items():
        yield "checkpoint", name, card(NICE, held)
        for reader, kind, inner in (
            ("direction", "flow-explorer-direction", "direction"),
            ("latent", "flow-explorer-latent", "z"),
        ):
            renamed = {inner: next(iter(held.values()))}
            about = {"format": kind, "card": "{}", "meta": '{"format_version": 1}'}
            yield reader, name, header(json.dumps({"__metadata__": about, **renamed}), bytes(4))


def _texts() -> Iterator[Bomb]:
    deep, digits = (
        b"[" * DEEP + b"]" * DEEP,
        b'{"schema": %s, "version": %s}' % (HUGE.encode(), HUGE.encode()),
    )
    for reader in (
        "session",
        "training-file",
        "run-config",
        "run-metrics",
        "run-shown",
        "settings",
        "plain-json",
    ):
        yield reader, "lists without end", deep
        yield reader, "tables without end", b'{"a":' * DEEP
        yield reader, "numbers of 400 digits", digits
        yield reader, "five million digits", b"1" * 5_000_000
    for name, part in {
        "density": {"density": []},
        "digits": {"depth": int(HUGE)},
        "depth": {"target": {"kind": [[]]}},
    }.items():
        yield (
            "training-file",
            f"settings: {name}",
            json.dumps({"flow_explorer_toy": 1, "state": part}).encode(),
        )
    yield "table", "a line of five megabytes", b"x,y\n" + b"1," * 2_500_000
    yield "table", "a number of a million digits", b"x,y\n1,2\n" + b"1" * 10**6 + b",2\n3,5\n"
    yield "table", "one open quote", b'x,y\n1,2\n"' + b"3,4\n" * 10**6
    yield "attributes-csv", "columns without end", b"name," + b"a," * 10**6 + b"\nx.jpg," + b"1," * 10**6
    yield "attributes-txt", "more than it holds", b"999999999999999999\nA B\nx.jpg 1 -1\n"
    for name, text in {
        "powers": "9**" * 200 + "9",
        "brackets": "(" * 10**5,
        "digits": HUGE + "*x",
        "calls": "sin(" * 5000,
    }.items():
        yield (
            "toy-target",
            f"formula of {name}",
            json.dumps(["formula", {"kind": "formula", "text": text}]).encode(),
        )


def _npy(description: str, body: bytes = b"") -> bytes:
    text = description.encode() + b" " * (-(len(description) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + body


def _arrays() -> Iterator[Bomb]:
    of = "{'descr': '%s', 'fortran_order': False, 'shape': %s}"
    yield "array-npy", "2^60 pictures", _npy(of % ("|u1", (2**60, 4, 4)))
    yield "array-npy", "65 dimensions", _npy(of % ("|u1", (1,) * 65), bytes(1))
    yield "array-npy", "400 digits", _npy(of % ("|u1", f"({HUGE},)"))
    yield "array-npy", "objects", _npy(of % ("|O", (1,)), b"cos\nsystem\n(S'true'\ntR.")
    yield "array-npy", "brackets without end", _npy("(" * 60_000)
    yield "array-npy", "a million empty pictures", _npy(of % ("|u1", (10**6, 0, 4)))
    yield "idx", "2^96 numbers", b"\0\0\x08\x03" + b"\xff" * 12
    yield "idx", "255 dimensions", b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"\0"


def _swelling() -> Iterator[Bomb]:
    yield "idx-gz", "two gigabytes of zeros", _gzip_zeros(2 * 2**30)
    yield "idx-gz", "gzip in gzip", gzip.compress(_gzip_zeros(2**28))


def _gzip_zeros(count: int) -> bytes:
    """So many zero bytes, packed: members of 64 MiB, one after the other."""
    return gzip.compress(bytes(2**26), 6) * (count // 2**26)


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


def _zips() -> Iterator[Bomb]:
    zeros = _npy("{'descr': '|u1', 'fortran_order': False, 'shape': (8192, 128, 128)}", bytes(2**27))
    packed = _zip({"x_train.npy": zeros})
    yield (
        "arrays-npz",
        "128 MB of zeros in 128 kB, told as 2^32",
        packed.replace(struct.pack("<I", len(zeros)), b"\xff\xff\xff\xfe"),
    )
    for name, method in {
        "deflated": zipfile.ZIP_DEFLATED,
        "bzip2": zipfile.ZIP_BZIP2,
        "lzma": zipfile.ZIP_LZMA,
    }.items():
        yield "zip", f"zeros, {name}", _zip({f"a/{n}.png": bytes(2**24) for n in range(3)}, method)
    yield "zip", "ten thousand names", _zip({f"{n}/x.png": b"" for n in range(10_000)})
    yield "zip", "out of the folder", _zip({"../../x.png": b"1", "/etc/x.png": b"1", "C:\\x.png": b"1"})
    yield "zip", "in itself", _zip({"a.zip": packed, "a.png": packed})
    yield (
        "arrays-npz",
        "pickles",
        _zip({"x.npy": _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"cos\nsystem\n.")}),
    )


def _png(width: int, height: int, *chunks: tuple[bytes, bytes], depth: int = 8) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + start + b"".join(chunk(*each) for each in chunks) + chunk(b"IEND", b"")


def _pictures() -> Iterator[Bomb]:
    zeros = zlib.compress(bytes(2**27), 9)
    pixel = (b"IDAT", zlib.compress(bytes(4)))
    yield "picture-png", "2^31 wide", _png(2**31 - 1, 2**31 - 1, pixel)
    yield "picture-png", "128 MB of pixels", _png(2**15, 2**12, (b"IDAT", zeros))
    yield "picture-png", "a profile of 128 MB", _png(1, 1, (b"iCCP", b"x\0\0" + zeros), pixel)
    yield "picture-png", "a text of 128 MB", _png(1, 1, (b"zTXt", b"x\0\0" + zeros), pixel)
    yield "picture-png", "a million chunks", _png(1, 1, *[(b"tEXt", b"a\0b")] * 10**5, pixel)
    yield (
        "picture-gif",
        "a million frames",
        b"GIF89a"
        + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0)
        + bytes(6)
        + (b",\0\0\0\0\1\0\1\0\0\2\2D\1\0" * 300_000)
        + b";",
    )
    yield "picture-ppm", "a billion pixels", b"P6\n32768 32768\n255\n"
    yield "picture-ppm", "a number without end", b"P3\n4 4\n255\n" + b"1" * 10**6
    yield "picture-ppm", "a comment without end", b"P3\n#" + b" " * 5_000_000
    yield (
        "picture-qoi",
        "a billion pixels",
        b"qoif" + struct.pack(">IIBB", 2**15, 2**15, 3, 0) + b"\xfd" * 1000,
    )
    yield (
        "picture-bmp",
        "a billion pixels",
        b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 2**15, 2**15, 1, 24, 0, 0, 0, 0, 0, 0),
    )
    loop = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 0) + struct.pack("<I", 8)
    yield "picture-tiff", "a directory that follows itself", loop
    yield (
        "picture-tiff",
        "100,000 directories",
        b"II*\0"
        + struct.pack("<I", 8)
        + b"".join(struct.pack("<HI", 0, 8 + 6 * (n + 1)) for n in range(100_000)),
    )
    entry = struct.pack("<HHII", 0x111, 4, 2**32 - 1, 8)
    yield "picture-tiff", "2^32 strips", b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
    yield "picture-webp", "2^32 bytes", b"RIFF" + b"\xff" * 4 + b"WEBPVP8 " + b"\xff" * 4
    yield "picture-ico", "65,535 pictures", struct.pack("<HHH", 0, 1, 65535) + bytes(16 * 65535)


def _recipes() -> Iterator[Bomb]:
    def text(data: bytes, packed: int = 1) -> bytes:
        return _png(1, 1, (b"iTXt", KEYWORD.encode() + b"\0" + bytes([packed, 0]) + b"\0\0" + data))

    yield "recipe-png", "128 MB", text(zlib.compress(bytes(2**27), 9))
    yield "recipe-png", "lists without end", text(zlib.compress(b"[" * DEEP, 9))
    yield (
        "recipe-png",
        "32 levels and more",
        text(zlib.compress(b'{"flow_explorer_recipe":1,"a":' + b"[" * 900 + b"]" * 900 + b"}")),
    )
    yield "recipe-png", "400 digits", text(b'{"flow_explorer_recipe":%s}' % HUGE.encode(), 0)
    yield "recipe-gif", "a million comments", b"GIF89a" + b"\x21\xfe\xff" * 10**6
    yield (
        "recipe-gif",
        "comments of our name",
        b"GIF89a" + (b"\x21\xfe\xff" + KEYWORD.encode() + b"x") * 10**5,
    )
    yield "recipe-webp", "a million chunks", b"RIFF\0\0\0\0WEBP" + b"ABCD\0\0\0\0" * 10**6


def _frames() -> Iterator[Bomb]:
    def frame(text: bytes, length: int | None = None) -> bytes:
        return struct.pack(">I", len(text) if length is None else length) + text

    yield "engine-frames", "2^32 bytes", frame(b"{}", 2**32 - 1)
    yield "engine-frames", "lists without end", frame(b"[" * 10_000)
    yield (
        "engine-frames",
        "2^60 numbers",
        frame(b'{"arrays":[{"name":"a","dtype":"float32","shape":[%d]}]}' % 2**60),
    )
    yield (
        "engine-frames",
        "400 digits",
        frame(b'{"arrays":[{"name":"a","dtype":"float32","shape":[%s]}]}' % HUGE.encode()),
    )
    yield (
        "engine-frames",
        "65 dimensions",
        frame(json.dumps({"arrays": [{"name": "a", "dtype": "uint8", "shape": [1] * 65}]}).encode()),
    )
