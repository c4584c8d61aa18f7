"""Three friendly drawn faces, framed as aligned face photographs are: eyes half-way down, chin near the
edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from brush import (
    CANVAS,
    X,
    Y,
    blur,
    both,
    colour,
    fill,
    light,
    line,
    mirrored,
    noise,
    over,
    smooth,
    spot,
    strands,
)

EYE_X, EYE_Y = 0.265, 0.02


@dataclass(frozen=True)
class Face:
    """What makes one portrait differ from another."""

    seed: int
    skin: str
    blush: str
    lips: str
    iris: str
    hair: str
    hair_style: str
    shirt: str
    background: tuple[str, str]
    sun: tuple[float, float, float] = (-0.5, -0.55, 0.8)
    jaw: float = 1.0
    smile: float = 0.5
    teeth: bool = False
    brow: float = 1.0
    beard: float = 0.0
    lashes: float = 1.0


FACES = {
    "portrait-1": Face(
        seed=3, skin="#ecbb9c", blush="#d9795f", lips="#c4564f", iris="#5a7a4c", hair="#6e4426", hair_style="long",
        shirt="#3f6f7f", background=("#a9c0bc", "#5c7a7c"), jaw=0.90, smile=0.85, teeth=True, brow=0.8,
    ),
    "portrait-2": Face(
        seed=8, skin="#c98d66", blush="#b5654a", lips="#a5594b", iris="#4a3220", hair="#1f1814", hair_style="short",
        shirt="#2b3a55", background=("#d9cdb8", "#8c7a63"), sun=(0.55, -0.5, 0.8), jaw=0.97, smile=0.75, brow=1.35,
        beard=0.75, lashes=0.4,
    ),
    "portrait-3": Face(
        seed=5, skin="#8d5a3c", blush="#8a3f2c", lips="#8e3f3d", iris="#2c1a10", hair="#1a1210", hair_style="curls",
        shirt="#d9a441", background=("#c98d86", "#6f4a5a"), jaw=0.90, smile=0.95, teeth=True, brow=1.0,
    ),
}  # fmt: skip


def portrait(face: Face) -> np.ndarray:
    """Paint a face: (CANVAS, CANVAS, 3), 0 to 1."""
    rng = np.random.default_rng(face.seed)
    picture = _background(face, rng)
    outline = _outline(face)
    head = fill(smooth(outline), 0.006)
    hair = _Hair(face, rng)
    picture = hair.behind(picture)
    picture = _neck(picture, face)
    skin = _skin(face, head, rng)
    if face.hair_style == "short":
        picture = _ears(picture, face)
    picture = over(picture, skin, head)
    picture = _eyes(picture, face, rng)
    picture = _brows(picture, face, rng)
    picture = _mouth(picture, face)
    picture = hair.front(picture)
    grain = rng.standard_normal((CANVAS, CANVAS, 1)) * 0.012
    return np.clip(picture + grain, 0, 1)


def _background(face: Face, rng: np.random.Generator) -> np.ndarray:
    near, far = (colour(code) for code in face.background)
    t = np.clip(0.5 + 0.35 * X * np.sign(face.sun[0]) + 0.35 * Y + 0.16 * noise(rng, 0.22), 0, 1)[..., None]
    picture = near + (far - near) * t
    for _ in range(9):  # out-of-focus lights
        x, y, r = rng.uniform(-1, 1), rng.uniform(-1, 0.6), rng.uniform(0.06, 0.16)
        disc = np.clip((r - np.hypot(X - x, Y - y)) / 0.03, 0, 1)
        picture = over(picture, near * 1.15, 0.22 * blur(disc, 0.012))
    return np.clip(picture, 0, 1)


def _outline(face: Face) -> list[tuple[float, float]]:
    j = face.jaw
    return mirrored(
        [(0, -0.80), (0.34, -0.72), (0.53, -0.45), (0.575, -0.1), (0.56, 0.2), (0.50 * j, 0.50),
         (0.37 * j, 0.76), (0.17 * j, 0.925), (0, 0.955)]
    )  # fmt: skip


def _neck(picture: np.ndarray, face: Face) -> np.ndarray:
    skin = colour(face.skin)
    neck = fill(smooth([(-0.36, 0.5), (0.36, 0.5), (0.38, 0.9), (0.6, 1.2), (-0.6, 1.2), (-0.38, 0.9)]), 0.01)
    # the chin's own shadow is darkest close under it
    shade = 0.60 + 0.20 * np.clip(X * np.sign(face.sun[0]) + 0.2, -1, 1) - 0.24 * spot(0, 0.86, 0.42, 0.12)
    picture = over(picture, skin * shade[..., None] * np.array([1.06, 0.92, 0.86]), neck)
    shirt = fill(
        [(-1.2, 1.2), (-1.05, 0.93), (-0.45, 0.86), (0, 1.06), (0.45, 0.86), (1.05, 0.93), (1.2, 1.2)], 0.01
    )
    folds = 0.85 + 0.12 * np.sin(9 * X + 3 * Y) * spot(0, 1, 1, 0.3)
    return over(picture, colour(face.shirt) * folds[..., None], shirt)


def _skin(face: Face, head: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The face's own surface, shaded: its height map is the outline blown up, with a nose, cheeks and
    sockets."""
    height = 0.30 * blur(head, 0.10) + 0.42 * blur(head, 0.24)
    nose = spot(0, 0.13, 0.055, 0.17) * 0.036 + spot(0, 0.29, 0.072, 0.075) * 0.058
    nose += both(0.083, 0.325, 0.036, 0.036) * 0.030
    height += nose
    height -= both(EYE_X, EYE_Y - 0.035, 0.13, 0.075) * 0.055  # eye sockets
    height += both(EYE_X, EYE_Y + 0.01, 0.085, 0.05) * 0.030  # eyeballs
    height += both(0.24, -0.15, 0.18, 0.05, 6) * 0.022  # brow ridges
    height += both(0.33, 0.30, 0.15, 0.13) * (0.028 + 0.03 * face.smile)  # cheeks
    height += spot(0, 0.58, 0.24, 0.13) * 0.030  # mouth
    height -= spot(0, 0.715, 0.15, 0.035) * 0.020
    height += spot(0, 0.83, 0.13, 0.075) * 0.032  # chin
    height -= spot(0, 0.44, 0.022, 0.055) * 0.012  # philtrum
    for side in (1, -1):  # smile lines
        fold = line(
            smooth([(side * 0.13, 0.31), (side * 0.25, 0.43), (side * 0.30, 0.58)], closed=False), 0.03, 0.02
        )
        height -= fold * 0.010 * (0.4 + face.smile)
    lit = light(height, face.sun, 1.35)
    fill_light = light(height, (-face.sun[0], -0.2, 0.9), 1.0)
    shade = 0.34 + 0.54 * lit + 0.18 * fill_light
    # light that has passed through skin is red: shadows keep more of it
    tint = np.stack([shade**0.72, shade**0.97, shade**1.10], axis=-1)
    tone = colour(face.skin)
    albedo = np.ones((CANVAS, CANVAS, 3)) * tone
    blush = colour(face.blush)
    albedo = over(albedo, blush, 0.34 * np.clip(both(0.36, 0.30, 0.14, 0.11), 0, 1))
    albedo = over(albedo, blush, 0.28 * spot(0, 0.31, 0.08, 0.06))
    albedo = over(albedo, tone * 0.72, 0.42 * np.clip(both(EYE_X, EYE_Y + 0.01, 0.125, 0.075), 0, 1))
    if face.beard:
        stubble = fill(smooth(mirrored([(0, 0.42), (0.26, 0.44), (0.50, 0.22), (0.60, 0.22), (0.56, 0.6), (0.3, 1.0),
                                        (0, 1.05)])), 0.035)  # fmt: skip
        cheek = np.clip(both(0.33, 0.32, 0.16, 0.15), 0, 1)
        grain = 0.8 + 0.12 * noise(rng, 0.004)
        albedo = over(
            albedo, colour(face.hair) * 1.15, np.clip(face.beard * stubble * (1 - 0.8 * cheek) * grain, 0, 1)
        )
    albedo *= 1 + 0.018 * noise(rng, 0.012)[..., None]
    skin = albedo * tint * 1.10
    gloss = light(height, (face.sun[0] * 0.6, face.sun[1] * 0.7, 1.0), 1.35) ** 26
    skin += 0.16 * gloss[..., None] * (0.6 if face.beard else 1.0)
    nostrils = np.clip(both(0.058, 0.372, 0.026, 0.013, -14), 0, 1)
    skin = over(skin, tone * 0.28, 0.85 * nostrils)
    under = np.clip(spot(0, 0.395, 0.075, 0.012) + both(0.112, 0.345, 0.012, 0.028, -20), 0, 1)
    skin = over(skin, tone * 0.5, 0.38 * under)
    return np.clip(skin, 0, 1)


def _ears(picture: np.ndarray, face: Face) -> np.ndarray:
    tone = colour(face.skin)
    for side in (1, -1):
        points = [(0.54, -0.10), (0.60, -0.15), (0.655, -0.09), (0.650, 0.05), (0.605, 0.17), (0.54, 0.20)]
        ear = fill(smooth([(side * x, y) for x, y in points]), 0.006)
        bright = 0.78 if side * face.sun[0] > 0 else 0.52
        picture = over(picture, tone * bright * np.array([1.03, 0.93, 0.9]), ear)
        picture = over(picture, tone * bright * 0.6, 0.6 * ear * spot(side * 0.61, 0.02, 0.022, 0.09))
    return picture


def _eyes(picture: np.ndarray, face: Face, rng: np.random.Generator) -> np.ndarray:
    for side in (1, -1):
        squint = 0.012 * face.smile

        def at(points: list[tuple[float, float]], side: int = side) -> list[tuple[float, float]]:
            return [(side * EYE_X + side * x, EYE_Y + y) for x, y in points]

        lid = [(-0.122, 0.022), (-0.06, -0.040), (0.01, -0.060), (0.075, -0.042), (0.122, -0.004)]
        bottom = [(0.07, 0.036 - squint), (0.0, 0.048 - squint), (-0.07, 0.040 - squint)]
        eye = fill(smooth(at(lid + bottom)), 0.004)
        ball = np.clip(1.02 - 0.30 * np.hypot((X - side * EYE_X) / 0.13, (Y - EYE_Y) / 0.09) ** 2, 0.4, 1)
        white = np.array([0.90, 0.88, 0.86]) * ball[..., None]
        radius = np.hypot(X - side * EYE_X, Y - EYE_Y + 0.006)
        iris_colour = colour(face.iris)
        rays = 1 + 0.18 * np.cos(23 * np.arctan2(Y - EYE_Y, X - side * EYE_X) + rng.uniform(0, 6))
        glow = 0.75 + 0.9 * np.clip((Y - EYE_Y + 0.03) / 0.09, 0, 1)
        iris = iris_colour * (glow * rays)[..., None]
        white = over(white, iris, np.clip((0.060 - radius) / 0.008, 0, 1))
        white = over(white, iris_colour * 0.25, 0.75 * np.exp(-(((radius - 0.058) / 0.008) ** 2)))
        white = over(white, np.array([0.03, 0.02, 0.02]), np.clip((0.027 - radius) / 0.006, 0, 1))
        shadow = np.clip(1 - (Y - (EYE_Y - 0.055)) / 0.05, 0, 1)
        white = white * (1 - 0.45 * shadow[..., None])
        glint = spot(side * EYE_X + 0.024 * np.sign(face.sun[0]), EYE_Y - 0.026, 0.011, 0.011)
        white = over(white, np.array([1.0, 1.0, 1.0]), np.clip(1.5 * glint, 0, 1))
        picture = over(picture, np.clip(white, 0, 1), eye)
        upper = smooth(
            at([(-0.128, 0.026), *lid[1:], (0.122 + 0.016 * face.lashes, -0.004 - 0.010 * face.lashes)]),
            closed=False,
        )
        picture = over(
            picture, colour(face.hair) * 0.35, (0.70 + 0.25 * face.lashes) * line(upper, 0.030, 0.004)
        )
        crease = smooth(
            at([(-0.11, -0.030), (-0.05, -0.078), (0.02, -0.094), (0.09, -0.070), (0.14, -0.03)]),
            closed=False,
        )
        picture = over(picture, colour(face.skin) * 0.42, 0.5 * line(crease, 0.016, 0.006))
        lower = smooth(at([(0.12, 0.0), *bottom, (-0.115, 0.024)]), closed=False)
        picture = over(picture, colour(face.skin) * 0.45, 0.45 * line(lower, 0.012, 0.004))
        corner = spot(side * (EYE_X - 0.112), EYE_Y + 0.022, 0.011, 0.009)
        picture = over(picture, colour(face.blush), 0.6 * corner * eye)
    return picture


def _brows(picture: np.ndarray, face: Face, rng: np.random.Generator) -> np.ndarray:
    for side in (1, -1):
        paths = []
        for _ in range(150):
            t = rng.uniform(0, 1)
            x = 0.115 + 0.295 * t
            y = -0.128 - 0.062 * np.sin(np.pi * 0.8 * t) ** 1.2 + 0.012 * t
            thick = 0.024 * face.brow * (1 - 0.75 * t)
            y += rng.uniform(-thick, thick)
            lean = 0.02 + 0.05 * t
            paths.append(np.array([(side * x, y), (side * (x + 0.5 * lean), y - 0.010 * (1 - t)),
                                   (side * (x + lean), y + 0.004 - 0.014 * (1 - 1.9 * t))]))  # fmt: skip
        paint, mask = strands(rng, paths, colour(face.hair) * 0.8, 0.2, (1.5, 3.0))
        picture = over(picture, paint, 0.80 * np.clip(blur(mask, 0.004), 0, 1))
    return picture


def _mouth(picture: np.ndarray, face: Face) -> np.ndarray:
    s = face.smile
    lift, wide = 0.082 * s, 0.190 + 0.03 * s
    gap = 0.066 * s if face.teeth else 0.0
    lips = colour(face.lips)
    corner = (wide, 0.565 - lift)
    top = [(0, 0.522), (0.05, 0.506), (0.12, 0.522 - 0.2 * lift)]
    inner_top = [(0, 0.560), (0.10, 0.556 - 0.35 * lift)]
    inner_bottom = [(0, 0.563 + gap), (0.10, 0.557 + gap * 0.85 - 0.2 * lift)]
    bottom = [(0, 0.645 + 0.3 * gap), (0.10, 0.628 + 0.3 * gap - 0.2 * lift)]

    def whole(
        upper: list[tuple[float, float]], lower: list[tuple[float, float]], thickness: float = 0.0
    ) -> np.ndarray:
        right = [*upper, corner]
        below = [*reversed(lower)]
        left = [(-x, y) for x, y in reversed(right) if x > 0]
        under = [(-x, y) for x, y in lower if x > 0]
        return fill(smooth([*right, *below, *under, *left]), 0.005 + thickness)

    picture = over(picture, colour(face.skin) * 0.55, 0.30 * blur(whole(top, bottom), 0.02))
    lower_lip = np.clip(whole(inner_bottom if gap else inner_top, bottom), 0, 1)
    round_light = np.clip(1.02 - ((Y - 0.60) / 0.075) ** 2 * 0.42, 0.5, 1.1)
    picture = over(picture, lips * round_light[..., None], 0.88 * lower_lip)
    picture = over(picture, lips * 0.74, 0.90 * whole(top, inner_top))
    if gap:
        mouth = whole(inner_top, inner_bottom)
        picture = over(picture, np.array([0.16, 0.05, 0.05]), mouth)
        arch = np.clip((0.552 + gap * 0.95 - Y) / 0.02, 0, 1) * np.clip(
            (wide - 0.045 - np.abs(X)) / 0.05, 0, 1
        )
        seams = 1 - 0.05 * np.exp(-((np.abs(np.mod(X + 0.0315, 0.063) - 0.0315) / 0.004) ** 2))
        teeth = np.array([0.93, 0.91, 0.87]) * (seams * (1.0 - 0.9 * np.abs(X) / 0.3))[..., None]
        picture = over(picture, teeth, mouth * arch)
        picture = over(picture, lips * 0.35, 0.5 * line(smooth([(-corner[0], corner[1]), (-0.10, inner_top[1][1]), (0, 0.56),
                       (0.10, inner_top[1][1]), corner], closed=False), 0.012, 0.004))  # fmt: skip
    else:
        seam = smooth([(-wide, corner[1]), (-0.10, 0.556 - 0.35 * lift), (0, 0.562), (0.10, 0.556 - 0.35 * lift), corner],
                      closed=False)  # fmt: skip
        picture = over(picture, lips * 0.30, 0.85 * line(seam, 0.020, 0.004))
    shine = spot(-0.03 * np.sign(-face.sun[0]), 0.607 + 0.3 * gap, 0.06, 0.010)
    picture = over(picture, np.array([1.0, 0.92, 0.9]), 0.28 * shine * lower_lip)
    dimples = np.clip(both(wide + 0.022, 0.563 - lift, 0.014, 0.022), 0, 1)
    return over(picture, colour(face.skin) * 0.5, 0.4 * dimples)


class _Hair:
    """Hair in two layers, behind the neck and in front of the forehead, of many strands."""

    def __init__(self, face: Face, rng: np.random.Generator) -> None:
        self.face, self.rng = face, rng
        self.base = colour(face.hair)
        band = np.exp(-(((Y + 0.62 + 0.25 * X**2) / 0.13) ** 2)) * (1 - 0.5 * np.sign(face.sun[0]) * X * -1)
        self.shine = 0.75 * np.clip(band, 0, 1.5) + 0.10 * noise(rng, 0.05)
        self.side_light = 0.28 * X * np.sign(face.sun[0])

    def _lay(
        self, picture: np.ndarray, paths: list[np.ndarray], tone: float, spread: float = 0.22
    ) -> np.ndarray:
        shine = self.shine + self.side_light
        paint, mask = strands(self.rng, paths, self.base * tone, spread, shine=shine)
        shadow = np.clip(blur(np.pad(mask, ((10, 0), (0, 0)))[:-10], 0.03), 0, 1)
        picture = picture * (1 - 0.30 * (shadow * (1 - mask))[..., None])
        return over(picture, paint, mask)

    def behind(self, picture: np.ndarray) -> np.ndarray:
        if self.face.hair_style == "long":
            mass = fill(smooth(mirrored([(0, -0.98), (0.48, -0.88), (0.76, -0.4), (0.82, 0.2), (0.90, 0.8), (0.85, 1.3),
                                         (0.0, 1.3)])), 0.012)  # fmt: skip
            return over(picture, self.base * 0.42, mass)
        if self.face.hair_style == "curls":
            edge = 0.86 + 0.03 * np.clip(noise(self.rng, 0.03), -2, 2)
            mass = np.clip((edge - np.hypot(X / 0.98, (Y + 0.10) / 0.98)) / 0.03, 0, 1)
            mass *= np.clip((0.62 - Y) / 0.10 + 0.15 * noise(self.rng, 0.03), 0, 1)
            picture = over(picture, self.base * 0.55, blur(mass, 0.006))
            return self._lay(picture, self._curls(3000, 0.50, 0.93), 0.85, 0.5)
        return picture

    def front(self, picture: np.ndarray) -> np.ndarray:
        style = self.face.hair_style
        if style == "long":
            return self._lay(picture, self._long(1900), 1.0)
        if style == "short":
            outer = [(-0.60, -0.10), (-0.625, -0.45), (-0.46, -0.80), (-0.10, -0.93), (0.30, -0.90), (0.58, -0.66),
                     (0.625, -0.40), (0.60, -0.10)]  # fmt: skip
            inner = [(0.545, -0.12), (0.53, -0.38), (0.40, -0.54), (0.05, -0.56), (-0.35, -0.53), (-0.53, -0.38),
                     (-0.545, -0.12)]  # fmt: skip
            mass = fill(smooth(outer + inner), 0.014)
            picture = over(picture, self.base * 0.7, mass)
            return self._lay(picture, self._short(2400), 1.25, 0.35)
        return self._lay(picture, self._curls(1500, 0.50, 0.80, fringe=True), 1.0, 0.5)

    def _long(self, count: int) -> list[np.ndarray]:
        """From a parting left of the middle, round the face, in a wave down past the chin."""
        rng, paths = self.rng, []
        for side in (1, -1):
            for t in np.sort(rng.uniform(0, 1, count // 2))[::-1]:
                root = (-0.10 + side * 0.012 + 0.008 * rng.standard_normal(), -0.755 - 0.20 * t)
                temple = (side * (0.43 + 0.31 * t), -0.40 - 0.26 * t)
                cheek = (side * (0.57 + 0.26 * t), 0.02)
                wave = 0.035 * np.sin(7 * t + 2)
                end = (side * (0.58 + 0.36 * t + wave), 0.58)
                tip = (side * (0.54 + 0.44 * t - wave), 1.15)
                points = np.array(
                    [root, (side * (0.17 + 0.28 * t) - 0.06, -0.66 - 0.27 * t), temple, cheek, end, tip]
                )
                points[1:] += rng.normal(0, 0.008, points[1:].shape)
                paths.append(smooth(points.tolist(), closed=False, steps=10))
        return paths

    def _short(self, count: int) -> list[np.ndarray]:
        """Combed up from the hairline and over to one side; short above the ears."""
        rng, paths = self.rng, []
        for _ in range(count):
            t, depth = rng.uniform(-1, 1), rng.uniform(0, 1)
            # from the hairline (depth 0) to the outline of the head of hair (depth 1)
            line_x, line_y = 0.47 * np.sin(t * 1.45), -0.50 - 0.03 * np.cos(3 * t) + 0.10 * abs(t) ** 4
            edge_x, edge_y = 0.62 * np.sin(t * 1.5), -0.44 - 0.50 * np.cos(t * 1.45) ** 0.7 - 0.03 * t
            x, y = line_x + (edge_x - line_x) * depth, line_y + (edge_y - line_y) * depth
            over_x = 0.13 * (1 - depth) * (1 - t**2) + 0.02 * rng.standard_normal()
            up = (0.13 * (1 - 0.75 * depth)) * (1 - 0.6 * t**2)
            paths.append(np.array([(x, y + 0.02), (x + 0.45 * over_x, y - 0.6 * up), (x + over_x, y - up)]))
        paths.sort(key=lambda path: -path[0, 1] + rng.normal(0, 0.03))
        for _ in range(count // 3):
            side, depth = rng.choice([-1, 1]), rng.uniform(0, 1)
            y = -0.50 + 0.46 * depth
            x = side * (0.50 + rng.uniform(0.0, 0.115) + 0.02 * np.sin(3 * depth) - 0.035 * (1 - depth))
            paths.append(np.array([(x, y - 0.035), (x + 0.004 * side, y), (x + 0.002, y + 0.035)]))
        return paths

    def _curls(self, count: int, inner: float, outer: float, fringe: bool = False) -> list[np.ndarray]:
        """Small rings all round the head; the fringe only along the hairline."""
        rng, paths = self.rng, []
        for _ in range(count):
            angle = rng.uniform(-0.95, 0.95) * np.pi if not fringe else rng.uniform(-0.62, 0.62) * np.pi
            radius = np.sqrt(rng.uniform(inner**2, outer**2))
            # the hairline stands wider than it is high
            x, y = radius * (1.10 if fringe else 0.98) * np.sin(angle), -0.10 - radius * np.cos(angle) * 0.98
            size = rng.uniform(0.022, 0.05)
            turn = rng.uniform(0, 2 * np.pi) + np.linspace(0, rng.uniform(3.5, 6.0), 14)
            grow = np.linspace(1.0, 0.55, 14)
            paths.append(np.column_stack([x + size * grow * np.cos(turn), y + size * grow * np.sin(turn)]))
        return paths
