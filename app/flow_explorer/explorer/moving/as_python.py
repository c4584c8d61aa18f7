"""“Copy as Python”: a script on `flowcore` alone that makes the same picture, byte for byte.

Where a few numbers say it all (a sample: seed, number, temperature, class), the script says those; elsewhere it carries z.
A sample is decoded as one of four, as pages are on a processor: another batch may round a value to the next grey level.
"""

from __future__ import annotations

import base64
import textwrap
import zlib
from pathlib import Path

import numpy as np

from flowcore.model.labels import Label
from flowcore.model.temperature import Temperature

__all__ = ["latent_script", "sample_script", "walk_script"]

WIDTH = 100
PAGE_BATCH = 4

_HEAD = '''\
"""{title}

Run it where flowcore can be imported: `python this_file.py [model.safetensors] [out.png]`.
"""
import sys

{imports}
MODEL = sys.argv[1] if len(sys.argv) > 1 else {model}
OUT = sys.argv[2] if len(sys.argv) > 2 else {out}
'''


def sample_script(title: str, model: Path, out: str, seed: int, index: int, temperature: Temperature,
                  label: Label = ()) -> str:
    """The sample number `index` of a seed."""
    levels = "one number, or one a level, the finest first"
    heat = list(temperature) if isinstance(temperature, tuple) else temperature
    return _script(title, model, out, label, [
        f"SEED, NUMBER, TEMPERATURE = {seed}, {index}, {heat!r}  # {levels}",
    ], ["z = flow.sample(1, TEMPERATURE, seed=SEED, first=NUMBER).numpy()"], batch=PAGE_BATCH)  # fmt: skip


def latent_script(title: str, model: Path, out: str, z: np.ndarray, label: Label = (), weights: str = "") -> str:
    """A picture by its own z. One that was a sample's comes out as its page had it.

    Where the `weights` that z is of are known, the script refuses others, which would make another picture of it.
    """
    return _script(title, model, out, label, [_embedded("Z", z)], ["z = Z[None]"], arrays=True, batch=PAGE_BATCH, weights=weights)


def walk_script(title: str, model: Path, out: str, a: np.ndarray, b: np.ndarray, mode: str, t: float,
                label: Label = (), weights: str = "") -> str:
    """The frame at t of the walk from a to b, which are of these `weights`."""
    return _script(title, model, out, label, [
        _embedded("A", a), _embedded("B", b), f"MODE, T = {mode!r}, {t!r}  # T is 0 at A and 1 at B",
    ], ["z = walk(A, B, (T,), MODE)[0]"], arrays=True, walks=True, weights=weights)  # fmt: skip


def _script(title: str, model: Path, out: str, label: Label, values: list[str], make: list[str], arrays: bool = False,
            walks: bool = False, batch: int = 1, weights: str = "") -> str:
    codec = "decode_batch" if batch > 1 else "decode_picture"
    z, labels = (f"z.repeat({batch}, 0)", f"[LABEL] * {batch}") if batch > 1 else ("z", "[LABEL]")
    decode = f"{codec}(flow, {z}, label_tensor(flow, {labels}))" if label else f"{codec}(flow, {z})"
    if batch > 1:
        decode += f"[0]  # {batch} at once, as the window does: another number may round differently"
    codec += ", label_tensor" if label else ""
    imports = [
        "from flowcore.model import checkpoint", f"from flowcore.model.codec import {codec}",
        "from flowcore.pictures.images import save_png",
    ]  # fmt: skip
    if walks:
        imports.append("from flowcore.latents.latent import walk")
    if weights:
        imports.append("from flowcore.model.weights import check_weights")
    if arrays:
        imports = ["import base64", "import zlib", "", "import numpy as np", "", *imports]
    words = " ".join(title.split()).replace("\\", "/").replace('"', "'")
    head = _HEAD.format(title=words, imports="\n".join(imports) + "\n", model=_text(str(model)), out=_text(out))
    if arrays:
        head += ("\n\ndef read(text, dtype):\n"
                 '    """The numbers of an array as this script carries them."""\n'
                 "    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.dtype(dtype)).astype(dtype[1:])\n\n")
    if label:
        values = [*values, f"LABEL = {label!r}  # (class, weight), …"]
    check = [f"check_weights(MODEL, {_text(weights)})  # of others, z would be another picture"] if weights else []
    tail = [*check, "flow = checkpoint.load(MODEL).flow", *make, f"picture = {decode}", "save_png(OUT, picture)",
            'print(f"{OUT}: {picture.shape[1]}×{picture.shape[0]}")']  # fmt: skip
    return "\n".join([head, *values, "", *tail, ""])


def _embedded(name: str, z: np.ndarray) -> str:
    little = z.astype(z.dtype.newbyteorder("<"), copy=False)
    text = base64.b64encode(zlib.compress(little.tobytes(), 9)).decode()
    lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(text, WIDTH))
    return f'{name} = read(  # {z.size} numbers, exact\n{lines},\n    "<{"f4" if z.dtype == np.float32 else "f8"}",\n)'


def _text(value: str) -> str:
    """A literal of a path or name, whatever is in it."""
    return repr(value)
