"""The avatars: what avatar number n looks like, its row in the table of attributes, its true counterparts, its pixels.

Toon heads by Johan Melin (CC BY 4.0, https://www.johanmelin.com), drawn with DiceBear (MIT). Changed from the design: skin,
hair, clothes and ground have continuous colours, thin lines are thicker, and the view is closer.

Avatar n is a function of n alone, on every machine: each of its properties is drawn from a hash of n and the property's name,
so that none depends on another one or on a library's generator of random numbers.
"""
from __future__ import annotations

import csv
import hashlib
import json
import math
import subprocess
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

DRAW = Path(__file__).parent / "avatars" / "draw.mjs"
SIDE = 64
FINER = 4
"""Drawn this much finer and reduced by Lanczos' filter: crisper than means, and than what resvg draws at 64×64 itself."""
BATCH = 100
"""Drawings that a process of node makes before it is read out: 26 MB of pixels."""
WORKERS = 2

NONE = "none"
ODDS: dict[str, dict[str, float]] = {
    "hair": {"sideComed": 0.27, "undercut": 0.22, "spiky": 0.22, "bun": 0.25, NONE: 0.04},
    "rearHair": {NONE: 0.5, "longStraight": 0.14, "longWavy": 0.14, "shoulderHigh": 0.11, "neckHigh": 0.11},
    "beard": {NONE: 0.7, "fullBeard": 0.1, "longBeard": 0.05, "moustacheTwirl": 0.05, "chin": 0.05, "chinMoustache": 0.05},
    "mouth": {"smile": 0.32, "laugh": 0.3, "sad": 0.14, "agape": 0.12, "angry": 0.12},
    "eyes": {"happy": 0.32, "wide": 0.28, "wink": 0.15, "bow": 0.13, "humble": 0.12},
    "eyebrows": {"happy": 0.28, "neutral": 0.24, "raised": 0.2, "sad": 0.14, "angry": 0.14},
    "clothes": {"tShirt": 0.24, "shirt": 0.22, "openJacket": 0.2, "turtleNeck": 0.2, "dress": 0.14},
}
"""How often each kind of a part is drawn. Without hair on top there is none behind either."""

SKIN = ("fbdfcc", "f4c9ac", "e0a884", "c68a66", "a36b4f", "7f4f39", "5a3625")
"""Tones from the lightest to the darkest; in between they are mixed in OKLab."""
NATURAL_HAIR = ("1d1513", "3b261d", "5e3a28", "86552f", "b07f45", "d3ac68", "ecd5a0")
"""From black to light blond."""
COLOURS = ("skin", "hair", "clothes", "ground")
APART = {"skin": 0.13, "hair": 0.2, "clothes": 0.15}
"""How far the ground is from each, where that can be, in OKLab, where black and white are 1 apart."""
HAIR_FROM_SKIN = 0.15
TRIES = 200

VIEW = (24.0, -22.0, 720.0)
"""Left, top and side of what is seen of the drawing, 768 a side: from the highest bun to the shoulders."""
SHIFT, SCALE = 0.015, 0.03
"""By how much of the side it is moved, either way, and by how much it is made larger or smaller. A bun just fits still."""


@dataclass(frozen=True)
class Avatar:
    """Everything that is drawn: the kind of each part of ``ODDS``, each of ``COLOURS`` as (L, a, b) of OKLab, and the view."""

    parts: dict[str, str]
    tone: float
    """Of the skin, 0 the lightest and 1 the darkest."""
    colours: dict[str, tuple[float, float, float]]
    view: tuple[float, float, float]

    def drawing(self) -> str:
        """The line of JSON that draw.mjs draws."""
        parts = {name: None if kind == NONE else kind for name, kind in self.parts.items()}
        colours = {name: hexadecimal(self.colours[name]) for name in COLOURS}
        return json.dumps({"parts": parts, "colours": colours, "view": self.view})


def drawn(number: int, name: str) -> float:
    """A uniform number in [0, 1) that avatar and property decide."""
    digest = hashlib.sha256(f"avatar {number} {name}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def between(number: int, name: str, low: float, high: float) -> float:
    return low + (high - low) * drawn(number, name)


def kind(number: int, part: str) -> str:
    """The kind that ``ODDS`` give a part of an avatar."""
    left = drawn(number, part)
    for found, share in ODDS[part].items():
        left -= share
        if left < 0:
            return found
    return found


def avatar(number: int) -> Avatar:
    """Avatar ``number``."""
    parts = {part: kind(number, part) for part in ODDS}
    if parts["hair"] == NONE:
        parts["rearHair"] = NONE
    tone = drawn(number, "tone")
    skin = skin_of(number, tone)
    hair = _first(number, "hair colour", _hair, {HAIR_FROM_SKIN: [skin]})
    clothes = _clothes(number, "clothes colour")
    near = {APART["skin"]: [skin], APART["hair"]: [hair], APART["clothes"]: [clothes]}
    ground = _first(number, "ground colour", _ground, near)
    left, top, side = VIEW
    scaled = side * (1 + between(number, "scale", -SCALE, SCALE))
    shift = [between(number, f"shift {axis}", -SHIFT, SHIFT) * side for axis in "xy"]
    x, y = (round(corner + (side - scaled) / 2 + by, 3) for corner, by in zip((left, top), shift, strict=True))
    return Avatar(parts, tone, {"skin": skin, "hair": hair, "clothes": clothes, "ground": ground}, (x, y, round(scaled, 3)))


def skin_of(number: int, tone: float) -> tuple[float, float, float]:
    """The skin of a tone, a little rosier or more olive as its bearer is."""
    light, a, b = _mixed(SKIN, tone)
    return light, a + between(number, "skin a", -0.012, 0.012), b + between(number, "skin b", -0.012, 0.012)


def _hair(number: int, name: str) -> tuple[float, float, float]:
    which, value = drawn(number, "hair colour kind"), drawn(number, name)
    if which < 0.7:
        light, a, b = _mixed(NATURAL_HAIR, value)
        return light, a + between(number, f"{name} a", -0.008, 0.014), b
    if which < 0.78:  # red
        return _polar(0.42 + 0.24 * value, between(number, f"{name} c", 0.1, 0.14), between(number, f"{name} h", 38, 52))
    if which < 0.85:  # grey to white
        return _polar(0.5 + 0.42 * value, 0.012, between(number, f"{name} h", 60, 260))
    # Dyed, but not yellow-green, which looks ill.
    return _polar(0.45 + 0.33 * value, between(number, f"{name} c", 0.08, 0.16), between(number, f"{name} h", 150, 410))


def _clothes(number: int, name: str) -> tuple[float, float, float]:
    hue = between(number, f"{name} h", 0, 360)
    if drawn(number, "clothes colour kind") < 0.15:  # nearly grey
        return _polar(between(number, name, 0.25, 0.93), 0.012, hue)
    return _polar(between(number, name, 0.36, 0.78), between(number, f"{name} c", 0.06, 0.16), hue)


def _ground(number: int, name: str) -> tuple[float, float, float]:
    if drawn(number, "ground colour kind") < 0.78:
        hue = between(number, f"{name} h", 0, 360)
        return _polar(between(number, name, 0.8, 0.95), between(number, f"{name} c", 0.02, 0.08), hue)
    # Deeper, but not brown, which is what hair and skin are.
    hue = between(number, f"{name} h", 130, 370)
    return _polar(between(number, name, 0.55, 0.8), between(number, f"{name} c", 0.04, 0.1), hue)


def _first(number: int, name: str, make, apart: dict[float, list[tuple]]) -> tuple[float, float, float]:
    """The first of an avatar's tries that is far enough from other colours; the farthest where none is."""
    best, found = -math.inf, make(number, f"{name} 0")
    for trial in range(TRIES):
        colour = make(number, f"{name} {trial}")
        worst = min(math.dist(colour, other) - least for least, others in apart.items() for other in others)
        if worst > best:
            best, found = worst, colour
        if worst >= 0:
            break
    return found


def _polar(light: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """OKLCH to OKLab, the hue in degrees; paler where sRGB has no such colour."""
    turn = math.radians(hue)
    while True:
        colour = light, chroma * math.cos(turn), chroma * math.sin(turn)
        if chroma < 1e-4 or all(-1e-3 <= value <= 1 + 1e-3 for value in _linear(colour)):
            return colour
        chroma *= 0.95


def _mixed(stops: Sequence[str], share: float) -> tuple[float, float, float]:
    at = share * (len(stops) - 1)
    first = min(int(at), len(stops) - 2)
    a, b = oklab(stops[first]), oklab(stops[first + 1])
    light, green, blue = (x + (at - first) * (y - x) for x, y in zip(a, b, strict=True))
    return light, green, blue


@cache
def oklab(code: str) -> tuple[float, float, float]:
    """Six hexadecimal digits of sRGB as OKLab (Ottosson 2020)."""
    values = [int(code[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    long, middle, short = (
        (x * r + y * g + z * b) ** (1 / 3)
        for x, y, z in ((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
                        (0.0883024619, 0.2817188376, 0.6299787005))
    )  # fmt: skip
    return (0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
            1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
            0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short)  # fmt: skip


def _linear(lab: tuple[float, float, float]) -> tuple[float, float, float]:
    """OKLab as linear sRGB, which may lie outside [0, 1]."""
    light, a, b = lab
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short)  # fmt: skip


def hexadecimal(lab: tuple[float, float, float]) -> str:
    """OKLab as six hexadecimal digits of sRGB."""
    clipped = [min(max(value, 0.0), 1.0) for value in _linear(lab)]
    coded = [12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in clipped]
    return "".join(f"{round(255 * value):02x}" for value in coded)


ATTRIBUTES: dict[str, Callable[[Avatar], bool]] = {
    "Smile": lambda a: a.parts["mouth"] == "smile",
    "Laugh": lambda a: a.parts["mouth"] == "laugh",
    "Beard": lambda a: a.parts["beard"] != NONE,
    "Full beard": lambda a: a.parts["beard"] == "fullBeard",
    "Wink": lambda a: a.parts["eyes"] == "wink",
    "Closed eyes": lambda a: a.parts["eyes"] in ("bow", "humble"),
    "Angry brows": lambda a: a.parts["eyebrows"] == "angry",
    "Long hair": lambda a: a.parts["rearHair"] in ("longStraight", "longWavy"),
    "Bun": lambda a: a.parts["hair"] == "bun",
    "Spiky hair": lambda a: a.parts["hair"] == "spiky",
    "Light hair": lambda a: a.colours["hair"][0] > 0.65,
    "Dark skin": lambda a: a.tone >= DARK,
    "Shirt": lambda a: a.parts["clothes"] == "shirt",
    "Light ground": lambda a: a.colours["ground"][0] > 0.8,
}
"""What the table says of an avatar, as 1 or -1. Lightness is OKLab's."""

TRAIN, TEST = range(40_000), range(100_000, 102_000)
VALIDATION_EVERY = 40
"""Of the numbers of ``TRAIN``, each last of so many is for validation."""


def numbers() -> dict[str, list[int]]:
    """The avatars of each split."""
    held = [n for n in TRAIN if n % VALIDATION_EVERY == VALIDATION_EVERY - 1]
    return {"train": [n for n in TRAIN if n % VALIDATION_EVERY != VALIDATION_EVERY - 1], "validation": held, "test": list(TEST)}


def write_table(path: Path, splits: dict[str, list[int]]) -> None:
    """A row a picture, named as ``flowcore.data.attributes`` finds it in a .npz: "train 0" is the first of x_train.

    Kinds and colours are words, everything of ``ATTRIBUTES`` is 1 or -1.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["picture", "number", *ODDS, "tone", *(f"{name} colour" for name in COLOURS), *ATTRIBUTES])
        for split, found in splits.items():
            for row, number in enumerate(found):
                a = avatar(number)
                table.writerow([f"{split} {row}", number, *(a.parts[part] for part in ODDS), f"{a.tone:.4f}",
                                *(hexadecimal(a.colours[name]) for name in COLOURS),
                                *(1 if has(a) else -1 for has in ATTRIBUTES.values())])  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One property of an avatar made another: of what, from which kinds, to which."""

    part: str
    before: tuple[str, ...]
    after: str

    def __call__(self, a: Avatar, number: int) -> Avatar | None:
        """The counterpart; None of an avatar that has none."""
        return replace(a, parts={**a.parts, self.part: self.after}) if a.parts[self.part] in self.before else None


DARK = 0.5
"""Tones of skin from this on are dark."""
NEARER = 0.8
"""A counterpart's skin may be this much nearer to hair and ground than an avatar's, or too few would have one."""


def darker(a: Avatar, number: int) -> Avatar | None:
    """The lightest skin becomes the lightest of the dark ones, and so on. None where hair or ground has that colour."""
    if a.tone >= DARK:
        return None
    tone = DARK + a.tone / DARK * (1 - DARK)
    skin = skin_of(number, tone)
    apart = {"hair": HAIR_FROM_SKIN, "ground": APART["skin"]}
    if any(math.dist(skin, a.colours[name]) < NEARER * least for name, least in apart.items()):
        return None
    return replace(a, tone=tone, colours={**a.colours, "skin": skin})


CHANGES: dict[str, Callable[[Avatar, int], Avatar | None]] = {
    "smile": Change("mouth", ("sad", "angry", "agape"), "smile"),
    "beard": Change("beard", (NONE,), "fullBeard"),
    "wink": Change("eyes", ("happy", "wide"), "wink"),
    "hair": Change("hair", ("sideComed", "undercut", "spiky"), "bun"),
    "skin": darker,
    "clothes": Change("clothes", ("tShirt", "openJacket", "turtleNeck", "dress"), "shirt"),
}
"""What true counterparts differ in; everything else of them is identical."""
PAIRS, HELD_PAIRS = 500, 100


def sides(name: str) -> tuple[str, tuple[str, ...], str]:
    """The two piles between which a change leads: a column of the table, its words before, and its word after."""
    change = CHANGES[name]
    return (change.part, change.before, change.after) if isinstance(change, Change) else ("Dark skin", ("-1",), "1")


def counterparts(name: str, found: Iterable[int], count: int) -> tuple[list[int], list[Avatar], list[Avatar]]:
    """The first avatars of some numbers that have a counterpart: their numbers, they, and their counterparts."""
    pairs = []
    for number in found:
        other = CHANGES[name](avatar(number), number)
        if other is not None:
            pairs.append((number, avatar(number), other))
            if len(pairs) == count:
                break
    if len(pairs) < count:
        raise SystemExit(f"Only {len(pairs)} of these avatars have a counterpart in {name}, not {count}.")
    return [number for number, _, _ in pairs], [one for _, one, _ in pairs], [other for _, _, other in pairs]


def pairs(folder: Path, size: int = SIDE, count: int = PAIRS, held_count: int = HELD_PAIRS) -> dict[str, np.ndarray]:
    """Pictures and their true counterparts: NAME_from and NAME_to of test avatars, NAME_held_from and _to of validation's,
    uint8 (N, size, size, 3), and NAME_numbers, NAME_held_numbers, by ``CHANGES``."""
    splits, found, avatars = numbers(), {}, []
    for name in CHANGES:
        for key, split, most in ((name, "test", count), (f"{name}_held", "validation", held_count)):
            chosen, before, after = counterparts(name, splits[split], most)
            found |= {f"{key}_numbers": np.array(chosen, np.int64), f"{key}_from": before, f"{key}_to": after}
            avatars += before + after
    # Found first and drawn together: what is missing is said before anything is drawn.
    pictures = iter(draw(folder, avatars, size))
    return {key: part if key.endswith("_numbers") else np.stack([next(pictures) for _ in part]) for key, part in found.items()}


def draw(folder: Path, avatars: Sequence[Avatar], size: int = SIDE) -> np.ndarray:
    """Pictures uint8 (N, size, size, 3), by the packages of avatars/package.json that are installed in ``folder``.

    Raises:
        SystemExit: in a sentence, where node or the packages are missing, or node fails.
    """
    parts = [avatars[start : start + BATCH] for start in range(0, len(avatars), BATCH)]
    # The drawing is done by processes, the reduction by Pillow, which lets go of the interpreter: threads are enough.
    with ThreadPoolExecutor(WORKERS) as pool:
        drawn = list(pool.map(lambda part: _draw(folder, part, size), parts))
    return np.concatenate(drawn) if drawn else np.zeros((0, size, size, 3), np.uint8)


def _draw(folder: Path, avatars: Sequence[Avatar], size: int) -> np.ndarray:
    side = FINER * size
    lines = "".join(a.drawing() + "\n" for a in avatars)
    try:
        done = subprocess.run(["node", str(DRAW), str(folder), str(side)], input=lines.encode(), capture_output=True)
    except FileNotFoundError:
        raise SystemExit("Avatars are drawn by node (https://nodejs.org), which is not there.") from None
    if done.returncode or len(done.stdout) != len(avatars) * side * side * 4:
        raise SystemExit(f"node could not draw the avatars (are the packages of {DRAW.parent / 'package.json'} installed in "
                         f"{folder}?):\n{done.stderr.decode(errors='replace')[-2000:]}")  # fmt: skip
    fine = np.frombuffer(done.stdout, np.uint8).reshape(len(avatars), side, side, 4)[..., :3]
    return np.stack([np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS)) for picture in fine])
